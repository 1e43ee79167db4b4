"""A CT series of 500 slices with 200 elements each: identity, sequences, private blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

SLICES, SIDE = 500, 512
ROOT = "1.3.6.1.4.1.99999.30000024022908."
TEXTS = {
    "AccessionNumber": "ACC778899", "InstitutionName": "St. Elsewhere Infirmary",
    "InstitutionAddress": "1 Main Street", "ReferringPhysicianName": "Quincy^Jack",
    "StationName": "CT54321", "StudyDescription": "Thorax^Routine", "StudyID": "STUDY4711",
    "SeriesDescription": "Thorax 1.0 B60f", "PerformingPhysicianName": "House^Gregory",
    "OperatorsName": "Abernathy^Bo", "PhysiciansOfRecord": "House^Gregory",
    "PatientName": "Featherstone^Millicent", "PatientID": "MRN5550123",
    "PatientBirthDate": "19470316", "PatientSex": "F", "PatientAge": "076Y",
    "PatientAddress": "12 Elm Street", "OtherPatientIDs": "OLD998877", "PatientWeight": "62",
    "PatientComments": "none known", "IssuerOfPatientID": "HOSP", "PatientSize": "1.65",
    "DeviceSerialNumber": "54321", "SoftwareVersions": "VA1", "ProtocolName": "Thorax",
    "ImageComments": "read by Quincy", "RequestingPhysician": "Quincy^Jack",
    "RequestedProcedureDescription": "CT Thorax", "PerformedStationAETitle": "CT54321AE",
    "PerformedProcedureStepID": "PPS4711", "MedicalAlerts": "none", "AdmissionID": "ADM1",
    "AdditionalPatientHistory": "cough", "CurrentPatientLocation": "Ward 5",
    "ReasonForStudy": "cough", "Manufacturer": "SIEMENS", "ManufacturerModelName": "CT 64",
    "BodyPartExamined": "CHEST", "SliceThickness": "1", "KVP": "120", "FilterType": "0",
    "DataCollectionDiameter": "500", "ReconstructionDiameter": "360", "FocalSpots": "1.2",
    "DistanceSourceToDetector": "1040", "DistanceSourceToPatient": "570", "TableHeight": "155",
    "GantryDetectorTilt": "0", "RotationDirection": "CW", "ExposureTime": "500",
    "GeneratorPower": "18", "ConvolutionKernel": "B60f", "PatientPosition": "HFS",
    "ExposureModulationType": "XYZ_EC", "ScanOptions": "SPIRAL", "AcquisitionType": "SPIRAL",
    "SeriesNumber": "2", "AcquisitionNumber": "2", "RescaleIntercept": "-1024",
    "RescaleSlope": "1", "RescaleType": "HU", "LossyImageCompression": "00",
    "BurnedInAnnotation": "NO", "Modality": "CT", "SpecificCharacterSet": "ISO_IR 100",
    "PhotometricInterpretation": "MONOCHROME2", "StudyInstanceUID": ROOT + "1",
    "SeriesInstanceUID": ROOT + "2", "FrameOfReferenceUID": ROOT + "3",
}  # fmt: skip
NUMBERS = {
    "SamplesPerPixel": 1, "Rows": SIDE, "Columns": SIDE, "BitsAllocated": 16, "HighBit": 11,
    "BitsStored": 12, "PixelRepresentation": 0, "SingleCollimationWidth": 0.6,
    "TotalCollimationWidth": 19.2, "TableSpeed": 46.0, "TableFeedPerRotation": 23.0,
    "SpiralPitchFactor": 1.2, "EstimatedDoseSaving": 12.0, "RevolutionTime": 0.5,
}  # fmt: skip
DATES = (
    "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate",
    "DateOfLastCalibration", "PerformedProcedureStepStartDate",
    "PerformedProcedureStepEndDate", "ScheduledProcedureStepStartDate",
)  # fmt: skip
TIMES = ("AcquisitionTime", "ContentTime", "InstanceCreationTime")
CODED = (
    "ProcedureCodeSequence", "RequestedProcedureCodeSequence", "InstitutionCodeSequence",
    "CTDIPhantomTypeCodeSequence", "AnatomicRegionSequence",
)  # fmt: skip
REFERENCES = (
    "ReferencedStudySequence", "ReferencedImageSequence",
    "ReferencedPerformedProcedureStepSequence",
)  # fmt: skip


def make_series(folder: Path, slices: int = SLICES) -> None:
    """Write the series into a new folder."""
    folder.mkdir()
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    body = np.where(rows**2 + columns**2 < (0.4 * SIDE) ** 2, 1064, 24)
    noise = np.random.default_rng(0).normal(0, 20, (8, SIDE, SIDE))
    images = [(body + layer).clip(0, 4095).astype("<u2").tobytes() for layer in noise]
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = (
        CTImageStorage,
        ExplicitVRLittleEndian,
    )
    for number in range(slices):
        dataset = _slice(number)
        dataset.PixelData = images[number % len(images)]
        dataset["PixelData"].VR = "OW"
        meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        file = FileDataset("", dataset, bytes(128), meta)
        dcmwrite(folder / f"IM{number:04d}.dcm", file, enforce_file_format=True)


def _slice(number: int) -> Dataset:
    result = Dataset()
    result.SOPClassUID, result.SOPInstanceUID = CTImageStorage, f"{ROOT}4.{number + 1}"
    result.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    for keyword, value in {**TEXTS, **NUMBERS, **dict.fromkeys(DATES, "20240229")}.items():
        setattr(result, keyword, value)
    result.update(dict.fromkeys(TIMES, f"1213{number % 60:02d}.{number:06d}"))
    local = {"CodeValue": "X1", "CodingSchemeDesignator": "99LOCAL", "CodeMeaning": "Elsewhere"}
    for keyword in CODED:
        setattr(result, keyword, Sequence([_item(**local)]))
    for place, keyword in enumerate(REFERENCES):
        uids = {"ReferencedSOPInstanceUID": f"{ROOT}9.{place}"}
        item = _item(ReferencedSOPClassUID=CTImageStorage, **uids)
        setattr(result, keyword, Sequence([item]))
    result.InstanceNumber = str(number + 1)
    result.ImagePositionPatient = ["-180.1484375", "-335.1484375", f"{number - 1000.5:.4f}"]
    result.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    result.PixelSpacing, result.SliceLocation = ["0.703125"] * 2, f"{number - 1000.5:.4f}"
    result.XRayTubeCurrent, result.Exposure = str(150 + number % 40), str(75 + number % 20)
    result.CTDIvol, result.LargestImagePixelValue = 5.5 + number / 1000, 2000 + number
    result.WindowCenter, result.WindowWidth = ["40", "-600"], ["400", "1200"]
    for group, creator in ((0x0019, "MAKER CT"), (0x0029, "MAKER CSA"), (0x0051, "MAKER HEAD")):
        block = result.private_block(group, creator, create=True)
        for place, (vr, value) in enumerate(
            [("LO", "private text"), ("DS", f"{number}.5"), ("UN", bytes(40)), ("SH", "Quincy")]
            * 3
        ):
            block.add_new(place, vr, value)
    return result


def _item(**values: str) -> Dataset:
    result = Dataset()
    for keyword, value in values.items():
        setattr(result, keyword, value)
    return result
