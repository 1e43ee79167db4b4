"""Scans with identities, made in memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.rules.profile import Profile, basic_profile

ROOT = "1.3.6.1.4.1.99999.7."


@pytest.fixture(scope="session")
def profile() -> Profile:
    return basic_profile()


@pytest.fixture(scope="session")
def pseudonyms() -> Pseudonyms:
    return Pseudonyms(bytes(range(32)))


@pytest.fixture(scope="session")
def ct() -> Callable[..., Dataset]:
    """A small CT slice full of identity; keywords overwrite attributes."""

    def make(number: int = 1, **changed: object) -> Dataset:
        ds = Dataset()
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.SOPClassUID = CTImageStorage
        ds.SOPInstanceUID = f"{ROOT}4.{number}"
        ds.StudyDate, ds.StudyTime = "20240229", "121314"
        ds.AccessionNumber = "ACC778899"
        ds.Modality = "CT"
        ds.Manufacturer = "SIEMENS"
        ds.InstitutionName = "St. Elsewhere Infirmary"
        ds.ReferringPhysicianName = "Quincy^Jack"
        ds.PatientName = "Featherstone^Millicent"
        ds.PatientID = "MRN5550123"
        ds.PatientBirthDate = "19470316"
        ds.PatientSex = "F"
        ds.BodyPartExamined = "CHEST"
        ds.SliceThickness = "2.5"
        ds.KVP = "120"
        ds.StudyInstanceUID = ROOT + "1"
        ds.SeriesInstanceUID = ROOT + "2"
        ds.FrameOfReferenceUID = ROOT + "3"
        ds.StudyID = "STUDY4711"
        ds.SeriesNumber, ds.InstanceNumber = "2", str(number)
        ds.ImagePositionPatient = ["0", "0", str(number)]
        ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        ds.SamplesPerPixel = 1
        ds.PhotometricInterpretation = "MONOCHROME2"
        ds.Rows, ds.Columns = 4, 6
        ds.PixelSpacing = ["0.7", "0.7"]
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 12, 11
        ds.PixelRepresentation = 0
        ds.RescaleIntercept, ds.RescaleSlope = "-1024", "1"
        ds.PixelData = np.arange(24, dtype="<u2").tobytes()
        ds["PixelData"].VR = "OW"
        for keyword, value in changed.items():
            setattr(ds, keyword, value)
        return ds

    return make


@pytest.fixture(scope="session")
def as_file() -> Callable[..., bytes]:
    """A data set as the bytes of a file."""

    def make(ds: Dataset, syntax: str = ExplicitVRLittleEndian, preamble: bytes = b"") -> bytes:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = ds.SOPClassUID
        meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        meta.TransferSyntaxUID = UID(syntax)
        meta.SourceApplicationEntityTitle = "FEATHERSTONE_AE"
        target = FileDataset(BytesIO(), ds, preamble.ljust(128, b"\0"), meta)
        stream = BytesIO()
        little = meta.TransferSyntaxUID.is_little_endian
        implicit = meta.TransferSyntaxUID.is_implicit_VR
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong in it is wrong on purpose
            target.set_original_encoding(implicit, little)
            dcmwrite(stream, target, enforce_file_format=True)
        return stream.getvalue()

    return make
