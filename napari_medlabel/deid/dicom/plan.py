"""Plan a cleaned DICOM file from the bytes of its header; pixels stay where they are."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO

from napari_medlabel.deid.dicom.elements import (
    LONG_VRS,
    UNDEFINED,
    Element,
    Header,
    OddError,
    ShortError,
    walk_header,
    walk_level,
)
from napari_medlabel.deid.dicom.encode import encoded_elements, file_head, packed
from napari_medlabel.deid.dicom.judged import (
    BY_OPTION,
    clean_elements,
    text_at,
)
from napari_medlabel.deid.dicom.level import Level, level_for
from napari_medlabel.deid.dicom.pixel_facts import Verdict, deciding_in, looked_at
from napari_medlabel.deid.dicom.sweep import Identity
from napari_medlabel.deid.dicom.traces import identity_of_elements
from napari_medlabel.deid.faces.note import may_show_face
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.pixels.fragments import Shape
from napari_medlabel.deid.refusal import BYTE_ERRORS, QuarantineError
from napari_medlabel.deid.report.counts import DeidReport, Note, Reason
from napari_medlabel.deid.rules.actions import Setting, components_of
from napari_medlabel.deid.rules.judge import KEPT
from napari_medlabel.deid.rules.marks import PIXEL_OPTIONS, plain_marks
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.deid.rules.vocabulary import (
    DICOMDIR_CLASS,
    is_instance_class,
    is_transfer_syntax,
)

if TYPE_CHECKING:
    from napari_medlabel.deid.pixels.stage import Faces

IMPLEMENTATION_CLASS_UID = "2.25.176434815406174208532177143521806529621"
IMPLEMENTATION_VERSION = "NAPARI_MEDLABEL"
_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_OTHERS = frozenset({"1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"})
"""Big endian and deflated."""

_FIRST_READ = 1 << 16
_META_START = 132
_NATIVE_VRS = {b"OB", b"OW", b"OF", b"OD"}
_FALLBACK_VRS = {0x7FE00008: b"OF", 0x7FE00009: b"OD", 0x7FE00010: b"OW"}
_MODALITY, _BODY_PART, _INSTANCE = 0x00080060, 0x00180015, 0x00080018


@dataclass(frozen=True)
class Pixels:
    """Where the pixel data of a file lies.

    Parameters
    ----------
    start : int
        Offset of its value in the source.
    length : int
        Bytes to copy; for compressed pixels 0: the items tell.
    shape : Shape or None
        What the header says of the frames, where they are compressed.
    """

    start: int
    length: int
    shape: Shape | None = None


@dataclass(frozen=True)
class Plan:
    """A cleaned file before it is written.

    Parameters
    ----------
    name : tuple of str
        Folders and file name under the target, from codes only.
    head : bytes
        The file up to its pixels' values.
    marks : mapping of int to bytes
        The elements with the marks of PS3.15 E.1.1, as they must be in `head`.
    pixels : Pixels or None
        What follows.
    explicit : bool
        Whether VRs are written.
    identity : Identity
        Of the source.
    report : DeidReport
        What was done.
    """

    name: tuple[str, ...]
    head: bytes
    marks: dict[int, bytes]
    pixels: Pixels | None
    explicit: bool
    identity: Identity
    report: DeidReport


@dataclass(frozen=True)
class _Syntax:
    """A transfer syntax whose header this module can walk."""

    uid: str
    explicit: bool
    encapsulated: bool


def plan_file(
    source: BinaryIO, profile: Profile, pseudonyms: Pseudonyms, *, faces: Faces | None = None
) -> Plan:
    """Return how a file is cleaned.

    Parameters
    ----------
    source : BinaryIO
        The file, from which only the header is read.
    profile : Profile
        The rules.
    pseudonyms : Pseudonyms
        Source of UIDs and codes.
    faces : FaceStore, optional
        The faces of the batch: pixels of what shows none stay as they are.

    Returns
    -------
    Plan
        To be written by `splice_write`.

    Raises
    ------
    OddError
        For a file that is not plain little endian with preamble and meta: the other reader
        must judge it.
    QuarantineError
        When the file cannot be cleaned.
    """
    try:
        syntax, header, size = _read(source)
        if header.pixels is not None and not _pixels_stay(header, profile, faces):
            raise OddError
        return _planned(syntax, header, size, profile, pseudonyms)
    except BYTE_ERRORS as err:
        raise OddError from err


_last: dict[bool, list[Element]] = {}
"""Elements of the last header with and without VRs: most come again, byte for byte."""


def _read(source: BinaryIO) -> tuple[_Syntax, Header, int]:
    """Read as much of a file as its header needs."""
    size = source.seek(0, 2)
    wanted = _FIRST_READ
    while True:
        source.seek(0)
        content = source.read(wanted)
        whole = len(content) == size
        try:
            syntax, start = _meta(content)
            before = _last.get(syntax.explicit, [])
            header = walk_header(
                content, start, explicit=syntax.explicit, whole=whole, before=before
            )
        except ShortError as short:
            if short.needed > size:
                raise OddError from short
            wanted = min(size, max(4 * wanted, short.needed + _FIRST_READ))
        else:
            _last[syntax.explicit] = header.elements
            return syntax, header, size


def _meta(content: bytes) -> tuple[_Syntax, int]:
    """Return the transfer syntax, and where the data set starts."""
    if content[128:_META_START] != b"DICM":
        raise OddError
    position, found = _META_START, b""
    while content[position : position + 2] == b"\2\0":
        number, vr, length = struct.unpack_from("<H2sH", content, position + 2)
        start = position + 8
        if vr in LONG_VRS:
            (length,) = struct.unpack_from("<L", content, position + 8)
            start = position + 12
        elif not (vr.isalpha() and vr.isupper()):
            raise OddError
        position = start + length
        if number == 0x0010:
            found = content[start:position]
        if (
            number == 0x0002
            and content[start:position].strip(b"\0 ") == DICOMDIR_CLASS.encode()
        ):
            raise OddError
    if position >= len(content):
        raise OddError
    return _syntax(found.strip(b"\0 ").decode("ascii")), position


@lru_cache(maxsize=64)
def _syntax(named: str) -> _Syntax:
    if not is_transfer_syntax(named) or named in _OTHERS:
        raise OddError
    return _Syntax(named, named != _IMPLICIT, named not in {_IMPLICIT, _EXPLICIT})


def _planned(
    syntax: _Syntax, header: Header, size: int, profile: Profile, pseudonyms: Pseudonyms
) -> Plan:
    elements = {element[0]: element for element in header.elements}
    sop_class, instance = text_at(elements, 0x00080016), text_at(elements, _INSTANCE)
    if not sop_class or not instance:
        raise QuarantineError(Reason.NO_IDENTIFIERS)
    if not is_instance_class(sop_class):
        raise QuarantineError(Reason.PRIVATE_SOP_CLASS)
    checked = _checked(syntax, elements, header)
    identity, shared = identity_of_elements(
        header.elements,
        explicit=syntax.explicit,
        uids=Option.RETAIN_UIDS not in profile.options,
        devices=Option.RETAIN_DEVICE not in profile.options,
    )
    issuer, patient_id = _patient(elements, instance)
    setting = Setting(pseudonyms, sop_class, issuer, patient_id, shared)
    level = level_for(profile, setting, explicit=syntax.explicit)
    kept, counts, _ = clean_elements(header.elements, level, identity.texts)
    marks = _marks(level)
    kept.update(marks)
    notes = _notes(kept, counts, level)
    pixels, lead = _pixels(syntax, header, size, checked)
    head = file_head(
        sop_class,
        _value_text(kept[_INSTANCE], level),
        syntax.uid,
        (IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION),
    )
    kept_count = counts.count(KEPT) + (header.pixels is not None)
    actions, options = _counted(counts)
    subject = pseudonyms.subject_token(issuer, patient_id)
    code = level.patient_code
    return Plan(
        (code, *_names(elements, instance, pseudonyms)),
        b"".join((head, *(kept[tag] for tag in sorted(kept)), lead)),
        marks,
        pixels,
        syntax.explicit,
        identity,
        DeidReport(actions, kept_count, notes, code, subject, options),
    )


def _counted(counts: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many attributes had each action, and were decided by each option."""
    others = {KEPT, *(note.value for note in Note)}
    every = Counter(counts)
    actions = {
        name: count
        for name, count in every.items()
        if name not in others and not name.startswith(BY_OPTION)
    }
    options = {
        name.removeprefix(BY_OPTION): count
        for name, count in every.items()
        if name.startswith(BY_OPTION)
    }
    return actions, options


def _names(
    elements: dict[int, Element], instance: str, pseudonyms: Pseudonyms
) -> Iterator[str]:
    yield "ST-" + pseudonyms.code("study", text_at(elements, 0x0020000D))
    yield "SE-" + pseudonyms.code("series", text_at(elements, 0x0020000E))
    yield "I-" + pseudonyms.code("instance", instance, length=16) + ".dcm"


def _patient(elements: dict[int, Element], instance: str) -> tuple[str, str]:
    """Issuer and Patient ID as found; without an ID, the study's UID stands for the patient."""
    patient_id = text_at(elements, 0x00100020)
    if patient_id:
        return text_at(elements, 0x00100021), patient_id
    return "study", text_at(elements, 0x0020000D) or instance


def _marks(level: Level) -> dict[int, bytes]:
    """Return the marks as elements; they are the same for all files of a scope."""
    if not level.marks:
        code = level.patient_code = level.setting.patient_code
        values = {"PatientName": code, "PatientID": code, **plain_marks(level.profile)}
        level.marks = encoded_elements(values, explicit=level.explicit)
    return level.marks


def _notes(kept: dict[int, bytes], counts: list[str], level: Level) -> frozenset[Note]:
    notes = set()
    if Note.CODES_REPLACED.value in counts:
        notes.add(Note.CODES_REPLACED)
    texts = [
        _value_text(kept[tag], level) if tag in kept else "" for tag in (_MODALITY, _BODY_PART)
    ]
    if may_show_face(*texts):
        notes.add(Note.FACE)
    return frozenset(notes)


def _value_text(raw: bytes, level: Level) -> str:
    """Return the text of a short element that was written."""
    ((_, _, raw, start),) = walk_level(raw, explicit=level.explicit)
    return "\\".join(components_of(raw[start:]))


def _pixels_stay(header: Header, profile: Profile, faces: Faces | None) -> bool:
    """Whether no option asks for other pixels: faces are known before the batch begins."""
    chosen = PIXEL_OPTIONS & profile.options
    if not chosen or chosen != {Option.CLEAN_FACES} or faces is None:
        return not chosen
    instance = text_at({element[0]: element for element in header.elements}, _INSTANCE)
    return faces.verdict_for(instance) not in {"done", "unsure"}


def _checked(syntax: _Syntax, elements: dict[int, Element], header: Header) -> Verdict:
    """Refuse what the pixels' description gives a reason to refuse."""
    pixels = None if header.pixels is None else header.pixels[0]
    return looked_at(deciding_in(elements), pixels, encapsulated=syntax.encapsulated)


def _pixels(
    syntax: _Syntax, header: Header, size: int, checked: Verdict
) -> tuple[Pixels | None, bytes]:
    """Return where the pixels are, and the head of their element in the new file."""
    if header.pixels is None:
        return None, b""
    tag, vr, _, start = header.pixels
    if syntax.encapsulated:
        if header.pixels_length != UNDEFINED:
            raise QuarantineError(Reason.PIXELS_BROKEN)
        head = packed(tag, b"OB", b"")
        return Pixels(start, 0, checked.shape), head[:-4] + b"\xff\xff\xff\xff"
    if header.pixels_length == UNDEFINED:
        raise OddError
    if min(header.pixels_length, size - start) < checked.length:
        raise QuarantineError(Reason.PIXELS_INCOMPLETE)
    if syntax.explicit:
        vr = vr if vr in _NATIVE_VRS else _FALLBACK_VRS[tag]
    lead = packed(tag, vr, b"")[:-4]
    even = checked.length + (checked.length & 1)
    return Pixels(start, checked.length), lead + struct.pack("<L", even)
