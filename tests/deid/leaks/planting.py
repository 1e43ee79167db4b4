"""Identities made up from a seed, planted one by one, and a judge who looks for their bytes."""

from __future__ import annotations

import gzip
import re
import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

ROOT = "1.3.6.1.4.1.77777."
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_BEFORE, _AFTER = re.compile(rb"[0-9]"), re.compile(rb"[0-9]{2}")
Context = tuple[str, str, str]
"""Class, file and place of a plant."""


@dataclass(frozen=True)
class Plant:
    """One identity and where it was put.

    Parameters
    ----------
    kind : str
        Class of the place, such as ``"private"``.
    file : str
        The source file.
    where : str
        The place in words.
    patterns : tuple of bytes
        How the value could appear, in lower case of ASCII.
    """

    kind: str
    file: str
    where: str
    patterns: tuple[bytes, ...] = field(repr=False)


class Planter:
    """Makes values that occur nowhere else and remembers where they were put.

    Parameters
    ----------
    seed : int
        Another seed plants other values.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - names for a test
        self._used: set[str] = set()
        self.plants: list[Plant] = []

    def put(self, context: Context, text: str, *encodings: str) -> str:
        """Register a text as planted and return it."""
        kind, file, where = context
        forms = {text, text.lower(), text.upper()}
        patterns = set()
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", *encodings):
            for form in forms:
                try:
                    encoded = form.encode(encoding)
                except UnicodeEncodeError:
                    continue
                patterns.add(encoded.removesuffix(b"\x1b(B").lower())
        patterns.add(text.encode("utf-8").hex().encode("ascii"))
        self.plants.append(Plant(kind, file, where, tuple(sorted(patterns))))
        return text

    def word(self, context: Context, *encodings: str, length: int = 8) -> str:
        """Return a new word, planted."""
        return self.put(context, self._new(self._word, length), *encodings)

    def letters(self, context: Context, alphabet: str, *encodings: str, length: int = 6) -> str:
        """Return a new word of some letters, planted."""

        def make(size: int) -> str:
            return "".join(self._random.choices(alphabet, k=size))

        return self.put(context, self._new(make, length), *encodings)

    def number(self, context: Context, length: int = 10) -> str:
        """Return new digits, planted."""
        return self.put(context, self.digits(length))

    def digits(self, length: int = 10) -> str:
        """Return new digits."""
        return self._new(self._digits, length)

    def day(self, context: Context) -> str:
        """Return a new day of the last century, planted."""
        text = self._new(self._day, 8)
        dashed = f"{text[:4]}-{text[4:6]}-{text[6:]}"
        self.put(context, text)
        self.plants[-1] = Plant(*context, (*self.plants[-1].patterns, dashed.encode()))
        return text

    def moment(self, context: Context) -> str:
        """Return a new day with a time of that day, planted."""
        text = self.day(context) + "1213"
        self.plants[-1] = Plant(*context, (*self.plants[-1].patterns, text.encode()))
        return text

    def uid(self, context: Context) -> str:
        """Return a new UID, planted."""
        return self.put(context, ROOT + self.digits(14))

    def value(self, context: Context, vr: str) -> Any:
        """Return a new value of a VR, planted; None where its numbers are too short to find."""
        if vr in _BY_VR:
            return _BY_VR[vr](self, context)
        if vr == "SQ":
            item = Dataset()
            item.add(DataElement(0x0040A123, "PN", self.value(context, "PN")))
            item.add(DataElement(0x0040A160, "UT", self.word(context)))
            return Sequence([item])
        if vr in {"US", "US or SS", "OB or OW"}:
            return None
        return f"seen by {self.word(context)}"

    def _new(self, make: Any, length: int) -> str:
        while True:
            text = str(make(length))
            if text not in self._used:
                self._used.add(text)
                return text

    def _word(self, length: int) -> str:
        pairs = (
            self._random.choice(_CONSONANTS) + self._random.choice(_VOWELS)
            for _ in range(length // 2)
        )
        return "".join(pairs).capitalize()

    def _digits(self, length: int) -> str:
        first = self._random.choice("123456789")
        return first + "".join(self._random.choices("0123456789", k=length - 1))

    def _day(self, _: int) -> str:
        month, day = self._random.randint(1, 12), self._random.randint(1, 28)
        return f"{self._random.randint(1905, 1999)}{month:02}{day:02}"


_BY_VR: dict[str, Any] = {
    "PN": lambda p, c: f"{p.word(c)}^{p.word(c)}",
    "DA": lambda p, c: p.day(c),
    "DT": lambda p, c: p.moment(c),
    "TM": lambda p, c: p.put(c, f"121314.{p.digits(6)}"),
    "UI": lambda p, c: p.uid(c),
    "DS": lambda p, c: "3." + p.number(c, 9),
    "IS": lambda p, c: p.number(c, 9),
    "AS": lambda p, c: p.put(c, f"{100 + int(p.digits(3)) % 27}Y"),
    "CS": lambda p, c: p.word(c, length=10).upper(),
    "AE": lambda p, c: p.word(c, length=10).upper(),
    "SH": lambda p, c: p.word(c, length=12),
    "UR": lambda p, c: f"https://{p.word(c).lower()}.example/x",
    "OB": lambda p, c: p.word(c, length=12).encode(),
    "UN": lambda p, c: p.word(c, length=12).encode(),
    "OW": lambda p, c: p.word(c, length=12).encode(),
}


IDENTITY = {
    "SOPInstanceUID": "UI", "StudyInstanceUID": "UI", "SeriesInstanceUID": "UI",
    "FrameOfReferenceUID": "UI", "PatientName": "PN", "PatientID": "LO",
    "PatientBirthDate": "DA",
}  # fmt: skip


def image(
    planter: Planter, file: str, *, without: Iterable[str] = (), **changed: Any
) -> Dataset:
    """Return a small CT slice that names a patient of its own; keywords overwrite."""
    ds = Dataset()
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID = CTImageStorage
    for keyword, vr in IDENTITY.items():
        if keyword not in without:
            setattr(ds, keyword, planter.value(("standard", file, keyword), vr))
    ds.PatientSex, ds.Modality, ds.Manufacturer = "F", "CT", "SIEMENS"
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber = "20240229", "121314", ""
    ds.ReferringPhysicianName, ds.StudyID = "", ""
    ds.BodyPartExamined, ds.SliceThickness, ds.KVP = "CHEST", "2.5", "120"
    ds.PatientPosition, ds.SeriesNumber, ds.InstanceNumber = "HFS", "2", "1"
    ds.ImagePositionPatient = ["-10.5", "20.25", "3"]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.PixelSpacing, ds.PositionReferenceIndicator = ["0.7", "0.8"], ""
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 6, 16, 12, 11
    ds.PixelRepresentation, ds.RescaleIntercept, ds.RescaleSlope = 0, "-1024", "1"
    ds.PixelData = np.arange(48, dtype="<u2").tobytes()
    ds["PixelData"].VR = "OW"
    for keyword, value in changed.items():
        setattr(ds, keyword, value)
    return ds


def add(ds: Dataset, tag: int, vr: str, value: Any) -> None:
    """Add an element, whatever the standard says of its value."""
    ds.add(DataElement(tag, vr, value, validation_mode=0))


def add_raw(ds: Dataset, tag: int, vr: str, value: bytes) -> None:
    """Add an element whose bytes are none of its VR."""
    value += b" " * (len(value) % 2)
    ds[BaseTag(tag)] = RawDataElement(BaseTag(tag), vr, len(value), value, 0, False, True)


def save(
    folder: Path,
    name: str,
    ds: Dataset,
    *,
    syntax: str = ExplicitVRLittleEndian,
    preamble: bytes = b"",
    tail: bytes = b"",
    **meta: Any,
) -> None:
    """Write a data set as a file, followed by some bytes."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    head = FileMetaDataset()
    head.MediaStorageSOPClassUID = ds.SOPClassUID
    head.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    head.TransferSyntaxUID = UID(syntax)
    for keyword, value in meta.items():
        setattr(head, keyword, value)
    file = FileDataset(str(path), ds, preamble.ljust(128, b"\0"), head)
    file.set_original_encoding(UID(syntax).is_implicit_VR, UID(syntax).is_little_endian)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong in it is wrong on purpose
        dcmwrite(path, file, enforce_file_format=True)
    if tail:
        with path.open("ab") as stream:
            stream.write(tail)


def left(plants: list[Plant], folder: Path) -> list[Plant]:
    """Return the plants whose bytes are anywhere in the files of a folder or in their paths."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    names = "\n".join(path.relative_to(folder).as_posix() for path in files).encode()
    whole = b"\n".join([names, *(readable(path.read_bytes()) for path in files)]).lower()
    return [plant for plant in plants if any(_is_in(p, whole) for p in plant.patterns)]


def readable(content: bytes) -> bytes:
    """Return a file's bytes, and what was deflated in it."""
    if content[:2] == b"\x1f\x8b":
        return content[:512] + gzip.decompress(content)
    if b"1.2.840.10008.1.2.1.99" in content[:1024]:
        length = int.from_bytes(content[140:144], "little")
        return content + zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[144 + length :])
    return content


def _is_in(pattern: bytes, whole: bytes) -> bool:
    """Whether bytes are there; digits only where they are a number of their own."""
    place = whole.find(pattern)
    if not pattern.replace(b"\0", b"").isdigit():
        return place >= 0
    while place >= 0:
        after = place + len(pattern)
        # One digit may be the group of the next element: 0032 is written "2" and zero.
        if not _BEFORE.match(whole[place - 1 : place]) and not _AFTER.match(whole, after):
            return True
        place = whole.find(pattern, place + 1)
    return False
