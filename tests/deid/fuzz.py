"""Damaged DICOM files with words planted in them: none may crash, hang or let a word pass."""

from __future__ import annotations

import random
import signal
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.filereader import dcmread
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from napari_medlabel.deid.dicom.elements import (
    LONG_VRS,
    SHORT_VRS,
    OddError,
    ShortError,
    walk_header,
)
from napari_medlabel.deid.dicom.file import clean_file
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.rules.profile import Profile, load_profile

WORD = "Zqxjkvwy"
"""In no vocabulary, and in none of what is written."""

CPU_SECONDS = 5
OPTIONS = (
    (),
    ("shift-dates", "retain-safe-private", "clean-descriptors", "clean-structured"),
)
_LENGTHS = (0, 1, 2, 7, 0x7F, 0xFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_MARKS = (
    b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0", b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x00", b"\xe0\x7f\x10\x00", b"\x08\x00\x05\x00", b"\x10\x00\x10\x00",
    b"\x28\x00\x02\x00", b"\x09\x00\x10\x00",
)  # fmt: skip
_VRS = (*sorted(LONG_VRS | SHORT_VRS), b"ox", b"\0\0", b"??")
_RLE = struct.pack("<16L", 2, 64, 71, *[0] * 13) + b"\x05012345" * 2


class TooSlowError(BaseException):
    """A file took too long; no handler of errors must catch it."""


@dataclass
class Campaign:
    """What was tried and found.

    Parameters
    ----------
    outcomes : Counter of str
        How many files were ``"done"``, or refused for which reason.
    found : list of str
        What must not happen, each with the seed that makes it happen again.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)


def planted(number: int = 1) -> Dataset:
    """Return a small CT with the word in names, texts, numbers, private blocks and items."""
    ds = Dataset()
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"1.2.3.4.5.{number}"
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.StudyDate, ds.Modality, ds.Manufacturer = "20240229", "CT", f"{WORD}01"
    ds.AccessionNumber, ds.StudyDescription = f"{WORD}02", f"{WORD}03 left knee"
    ds.PatientName, ds.PatientID, ds.PatientComments = f"{WORD}04^A", f"{WORD}05", f"{WORD}06"
    ds.BodyPartExamined, ds.SliceThickness, ds.KVP = "CHEST", "2.5", "120"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.4.5.100", "1.2.3.4.5.200"
    ds.InstanceNumber, ds.ImagePositionPatient = str(number), ["0", "0", "1"]
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "X1", "99L", f"{WORD}07"
    inner = Dataset()
    inner.PersonName, inner.PurposeOfReferenceCodeSequence = f"{WORD}08", Sequence([code])
    inner.TextValue = f"{WORD}09"
    outer = Dataset()
    outer.ReferencedSOPInstanceUID, outer.ContentSequence = "1.2.3.4.5.7", Sequence([inner])
    ds.ReferencedImageSequence = Sequence([outer, inner])
    ds.ProcedureCodeSequence = Sequence([code])
    block = ds.private_block(0x0009, f"{WORD}10", create=True)
    block.add_new(1, "LO", f"{WORD}11")
    block.add_new(2, "UN", f"{WORD}12".encode() * 3)
    block.add_new(3, "SQ", Sequence([inner]))
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns, ds.BitsAllocated, ds.BitsStored, ds.HighBit = 2, 3, 16, 12, 11
    ds.PixelRepresentation, ds.RescaleSlope = 0, "1"
    ds.PixelData = bytes(range(12))
    ds["PixelData"].VR = "OW"
    ds.add_new(0xFFFCFFFC, "OB", f"{WORD}13".encode() * 2)
    return ds


def seeds(as_file: Callable[..., bytes]) -> tuple[bytes, ...]:
    """Return whole files in every kind of encoding, with and without defined lengths."""
    result = []
    for syntax in (
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
    ):
        for undefined in (False, True):
            ds = planted()
            for element in [e for e in ds.iterall() if e.VR == "SQ"]:
                element.is_undefined_length = undefined
                for item in element.value:
                    item.is_undefined_length_sequence_item = undefined
            if syntax == RLELossless:
                ds.PixelData = encapsulate([_RLE])
                ds["PixelData"].VR = "OB"
                ds["PixelData"].is_undefined_length = True
            result.append(as_file(ds, syntax, WORD.encode()))
    return tuple(result)


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Return a file with one to four random damages, most of them in its header."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        rng.choice(_DAMAGES)(data, rng)
    return bytes(data)


def _place(data: bytearray, rng: random.Random) -> int:
    return rng.randrange(132, max(len(data), 133)) if rng.random() < 0.9 else 0


def _heads(data: bytearray) -> list[int]:
    """Places where an explicit VR stands, as far as bytes can tell."""
    known = LONG_VRS | SHORT_VRS
    return [p for p in range(136, len(data) - 4, 2) if bytes(data[p : p + 2]) in known]


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[_place(data, rng) :]


def _flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 8)):
        if data:
            data[_place(data, rng) % len(data)] ^= 1 << rng.randrange(8)


def _length(data: bytearray, rng: random.Random) -> None:
    """Write a length where a short or a long one could stand."""
    heads = _heads(data)
    place = rng.choice(heads) + rng.choice((2, 6)) if heads else _place(data, rng)
    size = rng.choice((2, 4))
    number = rng.choice((*_LENGTHS, rng.randrange(len(data) + 9)))
    data[place : place + size] = (number & (1 << 8 * size) - 1).to_bytes(size, "little")


def _vr(data: bytearray, rng: random.Random) -> None:
    heads = _heads(data)
    place = rng.choice(heads) if heads else _place(data, rng)
    data[place : place + 2] = rng.choice(_VRS)


def _mark(data: bytearray, rng: random.Random) -> None:
    place, mark = _place(data, rng), rng.choice(_MARKS)
    data[place : place + rng.choice((0, 4))] = mark


def _double(data: bytearray, rng: random.Random) -> None:
    start = _place(data, rng)
    part = data[start : start + rng.randint(1, 200)]
    place = _place(data, rng)
    data[place:place] = part


def _drop(data: bytearray, rng: random.Random) -> None:
    start = _place(data, rng)
    del data[start : start + rng.randint(1, 40)]


def _nest(data: bytearray, rng: random.Random) -> None:
    """Open many sequences of undefined length, and close none, some or all."""
    depth = rng.choice((3, 63, 64, 65, 400, 3000))
    explicit = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff"
    implicit = b"\x08\0\x40\x11\xff\xff\xff\xff"
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    close = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    word = b"\x10\0\x10\0PN\x08\0" + WORD.encode()
    nested = (rng.choice((explicit, implicit)) + item) * depth + word
    heads = _heads(data)
    place = rng.choice(heads) - 4 if heads else _place(data, rng)
    data[place:place] = nested + close * rng.choice((0, depth - 1, depth))


_DAMAGES = (_cut, _flip, _length, _length, _vr, _mark, _double, _drop, _nest)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Stop what takes more CPU seconds than it may, where the system has such a clock."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def campaign(
    files: tuple[bytes, ...], seconds: float, seed: int, *, fewest: int = 0
) -> Campaign:
    """Damage files until the time is over, at least so many times."""
    result = Campaign()
    profiles = [load_profile(options=chosen) for chosen in OPTIONS]
    pseudonyms = Pseudonyms(bytes(32))
    end, number = time.monotonic() + seconds, 0
    while number < fewest or time.monotonic() < end:
        number += 1
        name = f"{seed}:{number}"
        rng = random.Random(name)  # noqa: S311 - damages are no secrets
        content = damaged(rng.choice(files), rng)
        try:
            with limited(CPU_SECONDS):
                _walked(content, rng)
                said = _cleaned(content, rng.choice(profiles), pseudonyms)
        except TooSlowError:
            said = "hangs"
        except Exception as err:  # noqa: BLE001 - any other is what is looked for
            said = f"crashes with {type(err).__name__}"
        result.outcomes[said] += 1
        if said.startswith(("hangs", "crashes", "lets")):
            result.found.append(f"{name} {said}")
    return result


def _walked(content: bytes, rng: random.Random) -> None:
    """Walk from the data set's start, or from anywhere, with and without VRs."""
    start = rng.choice((132, rng.randrange(len(content) + 1)))
    for explicit in (True, False):
        for whole in (True, False):
            try:
                header = walk_header(content, start, explicit=explicit, whole=whole)
            except (OddError, ShortError):
                continue
            tags = [element[0] for element in header.elements]
            together = sum(len(element[2]) for element in header.elements)
            if tags != sorted(set(tags)) or together > max(len(content) - start, 0):
                raise RuntimeError("the elements do not add up")
            again = walk_header(
                content, start, explicit=explicit, whole=whole, before=header.elements
            )
            if again != header:
                raise RuntimeError("what was there before counts")


def _cleaned(content: bytes, profile: Profile, pseudonyms: Pseudonyms) -> str:
    try:
        cleaned = clean_file(content, profile, pseudonyms)
    except QuarantineError as refused:
        return refused.reason.value
    return "lets a word pass" if _tells(cleaned.content) else "done"


def _tells(content: bytes) -> bool:
    """Whether the word is anywhere but in the pixels.

    Damage can push any bytes to where the header says that pixels are, and there nobody can
    tell them from pixels.
    """
    words = [WORD.lower().encode(encoding) for encoding in ("ascii", "utf-16-le")]
    if not any(word in content.lower() for word in words):
        return False
    pixels = dcmread(BytesIO(content)).get("PixelData", b"")
    end = content.rindex(pixels)
    return any(word in content[:end].lower() for word in words)
