"""DICOM files: CT slices with invented identities at every depth, and one ultrasound."""

from __future__ import annotations

import hashlib
from pathlib import Path

import imagecodecs
import numpy as np
from exact import Array
from identity import FOLDER, Occasion, Plant, plants, uid
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGLSLossless

CT_CLASS, US_CLASS = UID("1.2.840.10008.5.1.4.1.1.2"), UID("1.2.840.10008.5.1.4.1.1.6.1")
PREAMBLE = b"EXPREAMBLE ERIKA MUSTER EX-4711-0815 ROUTED BY ST. EXAMPLE"
META_TITLES = (
    ("SourceApplicationEntityTitle", "EXSOURCE_AE"),
    ("SendingApplicationEntityTitle", "EXSEND_AE"),
    ("ReceivingApplicationEntityTitle", "EXRECEIVE_AE"),
)
PRIVATE = (  # group, creator, offset, VR, value
    (0x0009, "EXAMPLE PACS 1.0", 0x01, "LO", "EXPRIV ERIKA MUSTER"),
    (0x0009, "EXAMPLE PACS 1.0", 0x02, "LT", "EXPRIV NOTE: CALL 555-0188 FOR MUSTER"),
    (0x0009, "EXAMPLE PACS 1.0", 0x03, "DA", "19630411"),
    (0x0009, "EXAMPLE PACS 1.0", 0x10, "OB", "EXPRIV OB EX-4711-0815 MUSTER"),
    (0x0009, "EXAMPLE PACS 1.0", 0x11, "UN", "EXPRIV UN ERIKA OF MUSTERSTADT"),
    (0x0033, "EXAMPLE DEVICES CT", 0x01, "PN", "EXPRIV-PERSON^PAULA"),
    (0x0033, "EXAMPLE DEVICES CT", 0x02, "SH", "EXPRIV-SERIAL-9"),
)
PRIVATE_NESTED = "EXPRIV NESTED FRAU MUSTER"


def put(dataset: Dataset, where: str, value: str) -> None:
    """Set the element at a path such as ``OtherPatientIDsSequence/PatientID``."""
    *parents, keyword = where.split("/")
    for parent in parents:
        if parent not in dataset:
            setattr(dataset, parent, Sequence([Dataset()]))
        dataset = dataset[parent].value[0]
    vr = dictionary_VR(tag_for_keyword(keyword) or 0)
    setattr(dataset, keyword, int(value) if vr in ("US", "UL") else value)


def put_private(dataset: Dataset) -> None:
    """Add two private blocks with text, a sequence and opaque bytes."""
    for group, creator, offset, vr, value in PRIVATE:
        raw: object = value
        if vr in ("OB", "UN"):
            raw = value.encode() + b" " * (len(value) % 2)
        dataset.private_block(group, creator, create=True).add_new(offset, vr, raw)
    item = Dataset()
    item.PatientName = "EXPRIV-NESTED^PETRA"
    item.add(DataElement(0x00290010, "LO", "EXAMPLE DEVICES CT"))
    item.add(DataElement(0x00291001, "LO", PRIVATE_NESTED))
    dataset.private_block(0x0033, "EXAMPLE DEVICES CT").add_new(0x20, "SQ", Sequence([item]))


def _file(sop_class: UID, instance: str, syntax: UID) -> FileDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = UID(instance)
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = UID(uid("implementation"))
    meta.ImplementationVersionName = "MEDLABEL_SAMPLES"
    for keyword, value in META_TITLES:
        setattr(meta, keyword, value)
    dataset = FileDataset(
        "", {}, file_meta=meta, preamble=PREAMBLE + bytes(128 - len(PREAMBLE))
    )
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = UID(instance)
    return dataset


def _fixed_ct(dataset: Dataset) -> None:
    """Write what describes the scan, not the person."""
    for keyword, value in (
        ("ImageType", ["ORIGINAL", "PRIMARY", "AXIAL"]),
        ("Modality", "CT"),
        ("Manufacturer", "Example Devices"),
        ("ManufacturerModelName", "Phantom CT 48"),
        ("SoftwareVersions", "EX 1.0"),
        ("PatientSex", "F"),
        ("PatientSize", "1.68"),
        ("PatientWeight", "71.5"),
        ("BodyPartExamined", "ABDOMEN"),
        ("PatientPosition", "HFS"),
        ("KVP", "120"),
        ("ScanOptions", "HELICAL MODE"),
        ("DataCollectionDiameter", "500"),
        ("ReconstructionDiameter", "399.36"),
        ("GantryDetectorTilt", "0"),
        ("TableHeight", "158"),
        ("RotationDirection", "CW"),
        ("ExposureTime", "500"),
        ("XRayTubeCurrent", "240"),
        ("Exposure", "120"),
        ("FilterType", "BODY"),
        ("ConvolutionKernel", "EXB30"),
        ("SliceThickness", "5.0"),
        ("SpacingBetweenSlices", "5.0"),
        ("ContrastBolusRoute", "IV"),
        ("SeriesNumber", "3"),
        ("AcquisitionNumber", "1"),
        ("ImagesInAcquisition", "48"),
        ("PositionReferenceIndicator", "XY"),
        ("SamplesPerPixel", 1),
        ("PhotometricInterpretation", "MONOCHROME2"),
        ("PixelRepresentation", 0),
        ("PixelSpacing", ["0.78", "0.78"]),
        ("WindowCenter", "40"),
        ("WindowWidth", "400"),
        ("RescaleIntercept", "-1024"),
        ("RescaleSlope", "1"),
        ("RescaleType", "HU"),
        ("BurnedInAnnotation", "NO"),
        ("LossyImageCompression", "00"),
        ("ImageOrientationPatient", ["1", "0", "0", "0", "1", "0"]),
    ):
        setattr(dataset, keyword, value)


def _decimal(value: float) -> str:
    text = f"{value:.4f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def slice_name(occasion: Occasion, k: int) -> str:
    """Return the file name of a slice: its order says nothing about its position."""
    code = hashlib.sha256(f"{occasion.folder} {k}".encode()).hexdigest()[:6].upper()
    return f"MUSTER_ERIKA_CT_{code}.dcm"


def write_slice(
    out: Path,
    occasion: Occasion,
    k: int,
    hu: Array,
    position: tuple[str, str, float],
    total: int,
) -> None:
    """Write slice `k` (HU, int16) whose first pixel lies at `position` (LPS, mm)."""
    dataset = _file(CT_CLASS, uid(f"instance {occasion.number} {k}"), JPEGLSLossless)
    _fixed_ct(dataset)
    for plant in plants(occasion):
        put(dataset, plant.where, plant.value)
    put_private(dataset)
    dataset.PatientAge = "061Y" if occasion.number == 1 else "062Y"
    dataset.ImagesInAcquisition = str(total)
    dataset.InstanceNumber = str(total - k)
    dataset.ImagePositionPatient = [position[0], position[1], _decimal(position[2])]
    dataset.SliceLocation = _decimal(position[2])
    dataset.Rows, dataset.Columns = hu.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    stored = (hu.astype(np.int32) + 1024).astype(np.uint16)
    frame = bytes(imagecodecs.jpegls_encode(np.ascontiguousarray(stored)))
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    path = out / occasion.folder / FOLDER / slice_name(occasion, k)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def manifest(occasion: Occasion, total: int) -> list[Plant]:
    """Return every identity of one series that a de-identified copy must not contain."""
    files = f"{occasion.folder}/{FOLDER}/*.dcm"
    found = [
        Plant(p.where, p.value, p.kind, files) for p in plants(occasion) if p.kind != "unlisted"
    ]
    found.append(Plant("preamble", PREAMBLE.decode(), "preamble", files))
    found += [Plant(f"file meta/{k}", v, "meta", files) for k, v in META_TITLES]
    for group, _, offset, vr, value in PRIVATE:
        found.append(Plant(f"({group:04x},10{offset:02x}) {vr}", value, "private", files))
    found.append(Plant("(0033,1020) SQ/(0029,1001) LO", PRIVATE_NESTED, "private", files))
    found.append(Plant("(0033,1020) SQ/PatientName", "EXPRIV-NESTED^PETRA", "private", files))
    found.append(Plant("folder name", FOLDER, "path", files))
    found.append(Plant("file name", "MUSTER_ERIKA", "path", files))
    for k in range(total):
        name = f"{occasion.folder}/{FOLDER}/{slice_name(occasion, k)}"
        found.append(
            Plant("SOPInstanceUID", uid(f"instance {occasion.number} {k}"), "uid", name)
        )
    return found


def write_ultrasound(
    out: Path, frame: Array, region: tuple[int, int, int, int], mm: float
) -> list[Plant]:
    """Write ``us_burned_in.dcm`` (uint8) and return the header's identities."""
    dataset = _file(US_CLASS, uid("ultrasound"), ExplicitVRLittleEndian)
    named = (
        ("PatientName", "MUSTER^ERIKA MARLÉNE", "name"),
        ("PatientID", "EX-4711-0815", "id"),
        ("PatientBirthDate", "19630412", "date"),
        ("StudyDate", "20250318", "date"),
        ("ContentDate", "20250318", "date"),
        ("StudyTime", "093412", "date"),
        ("AccessionNumber", "EXACCUS-5550", "id"),
        ("StudyID", "EXUS1", "id"),
        ("InstitutionName", "ST. EXAMPLE HOSPITAL MUSTERSTADT", "place"),
        ("ReferringPhysicianName", "HAUSARZT-MUSTER^JÜRGEN^^DR", "name"),
        ("OperatorsName", "SONO-EXAMPLE^SILJA", "name"),
        ("StationName", "EXUS-ROOM1", "device"),
        ("StudyDescription", "EX US LIVER OF MUSTER", "text"),
        ("StudyInstanceUID", uid("study us"), "uid"),
        ("SeriesInstanceUID", uid("series us"), "uid"),
    )
    for keyword, value, _ in named:
        put(dataset, keyword, value)
    for keyword, item in (
        ("ImageType", ["ORIGINAL", "PRIMARY", "ABDOMINAL"]),
        ("Modality", "US"),
        ("PatientSex", "F"),
        ("Manufacturer", "Example Devices"),
        ("ManufacturerModelName", "Phantom US 2"),
        ("SeriesNumber", "1"),
        ("InstanceNumber", "1"),
        ("SamplesPerPixel", 1),
        ("PhotometricInterpretation", "MONOCHROME2"),
        ("BitsAllocated", 8),
        ("BitsStored", 8),
        ("HighBit", 7),
        ("PixelRepresentation", 0),
        ("BurnedInAnnotation", "YES"),
        ("LossyImageCompression", "00"),
        ("Rows", frame.shape[0]),
        ("Columns", frame.shape[1]),
    ):
        setattr(dataset, keyword, item)
    part = Dataset()
    part.RegionSpatialFormat, part.RegionDataType, part.RegionFlags = 1, 1, 0
    part.RegionLocationMinX0, part.RegionLocationMinY0 = region[0], region[1]
    part.RegionLocationMaxX1, part.RegionLocationMaxY1 = region[2], region[3]
    part.PhysicalUnitsXDirection = part.PhysicalUnitsYDirection = 3
    part.PhysicalDeltaX = part.PhysicalDeltaY = mm / 10.0
    dataset.SequenceOfUltrasoundRegions = Sequence([part])
    dataset.PixelData = np.ascontiguousarray(frame, np.uint8).tobytes()
    dataset["PixelData"].VR = "OB"
    dataset.save_as(out / "us_burned_in.dcm", enforce_file_format=True)
    found = [Plant(k, v, kind, "us_burned_in.dcm") for k, v, kind in named]
    found.append(Plant("SOPInstanceUID", uid("ultrasound"), "uid", "us_burned_in.dcm"))
    found.append(Plant("preamble", PREAMBLE.decode(), "preamble", "us_burned_in.dcm"))
    return found + [
        Plant(f"file meta/{k}", v, "meta", "us_burned_in.dcm") for k, v in META_TITLES
    ]
