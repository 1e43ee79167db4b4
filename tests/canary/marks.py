"""Studies full of marked identities: each value occurs nowhere else in the world."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

# Each of the 18 classes of 45 CFR 164.514(b)(2) that a header can hold.
_TEXTS = {
    "PatientName": "{w}^{w2}",
    "PatientAddress": "{n} {w} Street",
    "RegionOfResidence": "{w}shire",
    "PatientTelephoneNumbers": "+{n}",
    "PatientID": "{w}{n}",
    "AccessionNumber": "{w}{n}",
    "OtherPatientNames": "{w}^{w2}",
    "MedicalRecordLocator": "{w}{n}",
    "InsurancePlanIdentification": "{w}{n}",
    "DeviceSerialNumber": "{w}{n}",
    "InstitutionName": "{w} Clinic",
    "InstitutionAddress": "{n} {w} Road",
    "ReferringPhysicianName": "{w}^{w2}",
    "OperatorsName": "{w}^{w2}",
    "StudyDescription": "scan of {w}",
    "SeriesDescription": "head {w}",
    "PatientComments": "see http://{w}.example.org or {w}@example.org",
    "StationName": "{w}",
    "StudyID": "{w}{n}",
}
_DATES = ("PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
_SLICES, _SIZE = 4, 16


@dataclass(frozen=True)
class Study:
    """A marked study.

    Parameters
    ----------
    folder : Path
        Of its files; its name is a mark too.
    patient_id : str
        For asking who opened it.
    marks : frozenset of str
        Every text that must occur nowhere outside the scans.
    """

    folder: Path
    patient_id: str
    marks: frozenset[str]


class _Words:
    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - words, no secret
        self.made: set[str] = set()

    def word(self) -> str:
        text = "".join(self._rng.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(8))
        self.made.add(text)
        return text

    def number(self) -> str:
        text = "".join(self._rng.choice("123456789") for _ in range(8))
        self.made.add(text)
        return text

    def date(self) -> str:
        year, month = self._rng.randint(1911, 1929), self._rng.randint(1, 12)
        text = f"{year}{month:02d}{self._rng.randint(10, 28)}"
        self.made |= {text, f"{text[:4]}-{text[4:6]}-{text[6:]}"}
        return text

    def uid(self) -> str:
        text = f"1.2.826.0.1.{self.number()}.{self.number()}"
        self.made.add(text)
        return text


def _common(words: _Words) -> Dataset:
    header = Dataset()
    for keyword, form in _TEXTS.items():
        value = form.format(w=words.word(), w2=words.word(), n=words.number())
        setattr(header, keyword, value)
    for keyword in _DATES:
        setattr(header, keyword, words.date())
    header.StudyInstanceUID, header.SeriesInstanceUID = words.uid(), words.uid()
    header.FrameOfReferenceUID = words.uid()
    inner = Dataset()
    inner.PersonName = f"{words.word()}^{words.word()}"
    header.ContentCreatorIdentificationCodeSequence = Sequence([inner])
    block = header.private_block(0x0011, words.word(), create=True)
    block.add_new(0x01, "LO", words.word())
    header.SOPClassUID, header.Modality = CTImageStorage, "CT"
    header.PatientSex, header.BurnedInAnnotation = "O", "NO"
    header.Rows = header.Columns = _SIZE
    header.PixelSpacing, header.SliceThickness = [1, 1], 2
    header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 12, 11
    header.PixelRepresentation, header.RescaleSlope, header.RescaleIntercept = 0, 1, -1024
    return header


def make_study(parent: Path, seed: int) -> Study:
    """Write a CT of four slices, a NIfTI with a sidecar, and files that are broken."""
    words = _Words(seed)
    folder = parent / f"{words.word()}_{words.number()}"
    series = folder / words.word()
    series.mkdir(parents=True)
    header = _common(words)
    rng = np.random.default_rng(seed)
    for k in range(_SLICES):
        header.SOPInstanceUID, header.InstanceNumber = words.uid(), k + 1
        header.ImagePositionPatient = [0, 0, 2 * k]
        header.PixelData = rng.integers(0, 4000, (_SIZE, _SIZE), np.uint16).tobytes()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.save_as(series / f"{words.word()}.dcm", enforce_file_format=True)
    _nifti(folder / f"{words.word()}.nii.gz", words, rng)
    whole = next(series.iterdir()).read_bytes()
    broken = folder / "broken"
    broken.mkdir()
    (broken / f"{words.word()}.dcm").write_bytes(whole[: len(whole) // 2])
    (broken / f"{words.word()}.nii.gz").write_bytes(b"\x1f\x8b" + words.word().encode())
    (broken / f"{words.word()}.nrrd").write_bytes(b"NRRD0004\ntype: " + words.word().encode())
    return Study(folder, str(header.PatientID), frozenset(words.made))


def _nifti(path: Path, words: _Words, rng: np.random.Generator) -> None:
    image = nib.Nifti1Image(
        rng.integers(0, 99, (8, 8, 4)).astype(np.int16), np.diag([2, 2, 3, 1])
    )
    image.header["descrip"] = words.word().encode()
    image.header["intent_name"] = words.word().encode()
    nib.save(image, path)
    side = {"PatientName": words.word(), "InstitutionName": words.word(), "Modality": "CT"}
    path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(side))
