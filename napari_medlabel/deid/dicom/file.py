"""One DICOM file: read in any encoding, cleaned, written with new meta, read back, searched."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from napari_medlabel.deid.dicom.elements import OddError
from napari_medlabel.deid.dicom.encoding import transfer_syntax, written
from napari_medlabel.deid.dicom.plan import plan_file
from napari_medlabel.deid.dicom.silence import quiet
from napari_medlabel.deid.dicom.sweep import Identity, find, identity_of
from napari_medlabel.deid.dicom.write import content_of, write_plan
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.pixels.described import PIXEL_TAGS, check_complete
from napari_medlabel.deid.pixels.fragments import plain_parts
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import DeidReport, Reason
from napari_medlabel.deid.rules.marks import PIXEL_OPTIONS
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.deid.rules.vocabulary import DICOMDIR_CLASS
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset, FileDataset
    from pydicom.tag import BaseTag
    from pydicom.uid import UID

    from napari_medlabel.deid.pixels.stage import CleanPixels, Faces

__all__ = [
    "DICOMDIR_CLASS",
    "CleanFile",
    "Written",
    "clean_file",
    "deidentify_file",
    "is_dicomdir",
    "looks_like_dicom",
    "quiet",
    "read",
    "write_clean",
]
_LAST_PIXEL_TAG = PIXEL_TAGS[-1]
_ITEM_GROUP = 0xFFFE
_META_START = 132
_DEFLATED = "1.2.840.10008.1.2.1.99"
_LONGEST_FIRST_VALUE = 0x10000


@dataclass(frozen=True)
class CleanFile:
    """A cleaned file before it is written.

    Parameters
    ----------
    name : tuple of str
        Folders and file name under the target, from codes only.
    content : bytes
        The whole file.
    report : DeidReport
        What was done.
    """

    name: tuple[str, ...]
    content: bytes
    report: DeidReport


@dataclass(frozen=True)
class Written:
    """A cleaned file that was written.

    Parameters
    ----------
    name : tuple of str
        Folders and file name that it should get under the target, from codes only.
    report : DeidReport
        What was done.
    """

    name: tuple[str, ...]
    report: DeidReport


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file's first bytes are DICOM, with or without the 128-byte preamble.

    Parameters
    ----------
    head : bytes
        At least the first 132 bytes, or all of a shorter file.
    """
    if head[128:132] == b"DICM":
        return True
    if len(head) < 8:
        return False
    group_element = (head[0:4], head[1::-1] + head[3:1:-1])
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    short = int.from_bytes(head[4:8], "little") < _LONGEST_FIRST_VALUE
    return any(
        start[0] in (0x02, 0x08) and start[1] == 0 and start[3] == 0 and (explicit or short)
        for start in group_element
    )


def read(content: bytes) -> FileDataset:
    """Return a file's data set up to its pixel data; what comes after it is never read.

    Raises
    ------
    QuarantineError
        When the bytes cannot be understood, or an element is cut short.
    """
    from pydicom.filereader import read_partial

    from napari_medlabel.deid.refusal import PARSE_ERRORS

    try:
        dataset = read_partial(BytesIO(content), stop_when=_after_pixels(), force=True)
    except PARSE_ERRORS as err:
        raise QuarantineError(Reason.UNREADABLE) from err
    for tag in list(dataset.keys()):
        raw = dataset.get_item(tag)
        length = getattr(raw, "length", None)
        if tag in PIXEL_TAGS or length in (None, 0, 0xFFFFFFFF):
            continue
        if len(raw.value or b"") != length:
            raise QuarantineError(Reason.UNREADABLE)
    return dataset


def _after_pixels() -> Callable[[BaseTag, str | None, int], bool]:
    """Return a rule that stops at the first element after the pixel data, whatever its tag."""
    seen = False

    def stop(tag: BaseTag, _vr: str | None, _length: int) -> bool:
        nonlocal seen
        if not seen and tag >> 16 == _ITEM_GROUP:
            raise QuarantineError(Reason.UNREADABLE)  # an item outside of any sequence
        if seen or tag > _LAST_PIXEL_TAG:
            return True
        seen = tag in PIXEL_TAGS
        return False

    return stop


def is_dicomdir(dataset: FileDataset) -> bool:
    """Whether a file is a DICOMDIR, which is never passed on."""
    return (
        dataset.file_meta.get("MediaStorageSOPClassUID") == DICOMDIR_CLASS
        or 0x00041220 in dataset
    )


def clean_file(
    content: bytes, profile: Profile, pseudonyms: Pseudonyms, *, faces: Faces | None = None
) -> CleanFile:
    """Return a DICOM file without identity, in the transfer syntax that it came in.

    Parameters
    ----------
    content : bytes
        The whole file as found.
    profile : Profile
        The rules.
    pseudonyms : Pseudonyms
        Source of UIDs and codes.
    faces : FaceStore, optional
        The faces of the batch; without it no face is removed.

    Returns
    -------
    CleanFile
        New bytes, with a zeroed preamble and file meta information made from nothing.

    Raises
    ------
    QuarantineError
        When the file cannot be read or cleaned, or when its own identity is found in what
        would be written.
    MissingPackageError
        When pixels are to be cleaned and the extra ``[pixels]`` is not installed.
    """
    source = BytesIO(content)
    try:
        plan = plan_file(source, profile, pseudonyms, faces=faces)
    except OddError:
        return clean_parsed(content, profile, pseudonyms, faces=faces)
    return CleanFile(plan.name, content_of(plan, source), plan.report)


def clean_parsed(
    content: bytes, profile: Profile, pseudonyms: Pseudonyms, *, faces: Faces | None = None
) -> CleanFile:
    """Do what `clean_file` does with the parsed data set, whatever its encoding.

    Raises
    ------
    QuarantineError
        As `clean_file`.
    """
    from napari_medlabel.deid.refusal import PARSE_ERRORS

    with quiet():
        try:
            return _cleaned(read(content), profile, pseudonyms, faces)
        except PARSE_ERRORS as err:
            raise QuarantineError(Reason.UNREADABLE) from err


def deidentify_file(
    source: Path, target: Path, profile: Profile, pseudonyms: Pseudonyms
) -> DeidReport:
    """Clean one DICOM file into a file of its own.

    Parameters
    ----------
    source : Path
        The file as found; never written to.
    target : Path
        A file that does not exist yet.
    profile : Profile
        The rules.
    pseudonyms : Pseudonyms
        Source of UIDs and codes.

    Returns
    -------
    DeidReport
        What was done.

    Raises
    ------
    InputError
        When the source cannot be read.
    QuarantineError
        When it cannot be cleaned; no target is written then.
    SaveError
        When the target exists or cannot be written.
    """
    return write_clean(source, target, profile, pseudonyms).report


def write_clean(
    source: Path,
    target: Path,
    profile: Profile,
    pseudonyms: Pseudonyms,
    *,
    sync: bool = True,
    search: bool = True,
    faces: Faces | None = None,
) -> Written:
    """Clean one DICOM file into a file of its own, pixels copied by the system.

    Parameters
    ----------
    source, target, profile, pseudonyms
        As for `deidentify_file`.
    sync : bool
        Whether to wait for the disk; who writes many files can do so once for all.
    search : bool
        Whether to look for the source's identity in what was written. Only a benchmark
        goes without.
    faces : FaceStore, optional
        The faces of the batch; without it no face is removed.

    Returns
    -------
    Written
        The name that it should get, and what was done.

    Raises
    ------
    InputError, QuarantineError, SaveError
        As `deidentify_file`.
    MissingPackageError
        When pixels are to be cleaned and the extra ``[pixels]`` is not installed.
    """
    try:
        with source.open("rb", buffering=0) as stream:
            try:
                plan = plan_file(stream, profile, pseudonyms, faces=faces)
            except OddError:
                stream.seek(0)
                cleaned = clean_parsed(stream.readall(), profile, pseudonyms, faces=faces)
            else:
                write_plan(plan, stream, target, sync=sync, search=search)
                return Written(plan.name, plan.report)
    except OSError as err:
        raise InputError(
            f"A DICOM file was expected and could not be read ({err.strerror}).",
            hint="Check the path and its permissions.",
        ) from err
    from napari_medlabel.deid.batch.target import write

    write(target, cleaned.content)
    return Written(cleaned.name, cleaned.report)


def _cleaned(
    source: FileDataset, profile: Profile, pseudonyms: Pseudonyms, faces: Faces | None
) -> CleanFile:
    from napari_medlabel.deid.dicom.dataset import deidentify_dataset, text_of

    syntax = transfer_syntax(source)
    identity = identity_of(
        source,
        uids=Option.RETAIN_UIDS not in profile.options,
        devices=Option.RETAIN_DEVICE not in profile.options,
    )
    pixels = _clean_pixels(source, syntax, profile.options, faces)
    result, report = deidentify_dataset(
        source,
        profile,
        pseudonyms,
        encapsulated=syntax.is_encapsulated,
        identity=identity,
        pixels=pixels,
    )
    content = written(result, syntax if pixels is None else pixels.syntax)
    _check(content, identity, result)
    study, series = text_of(source, 0x0020000D), text_of(source, 0x0020000E)
    name = (
        report.patient_code,
        "ST-" + pseudonyms.code("study", study),
        "SE-" + pseudonyms.code("series", series),
        "I-" + pseudonyms.code("instance", text_of(source, 0x00080018), length=16) + ".dcm",
    )
    return CleanFile(name, content, report)


def _clean_pixels(
    source: FileDataset, syntax: UID, options: frozenset[Option], faces: Faces | None
) -> CleanPixels | None:
    """Return the pixels without text and face, where that is chosen."""
    if not options & PIXEL_OPTIONS or not any(tag in source for tag in PIXEL_TAGS):
        return None
    from napari_medlabel.deid.pixels.stage import clean_pixel_element

    check_complete(source)
    return clean_pixel_element(source, syntax, options, faces)


def _check(content: bytes, identity: Identity, result: Dataset) -> None:
    """Read the written bytes back; the marks must be there, the source's identity not."""
    from pydicom.filereader import dcmread

    again = dcmread(BytesIO(content))
    marked = (
        again.get("PatientIdentityRemoved") == "YES"
        and again.SOPInstanceUID == again.file_meta.MediaStorageSOPInstanceUID
        and again.PatientID == result.PatientID
    )
    pixels = b"".join(bytes(result[tag].value) for tag in PIXEL_TAGS if tag in result)
    body = content
    if again.file_meta.TransferSyntaxUID == _DEFLATED:
        meta_length = again.file_meta.FileMetaInformationGroupLength
        body = zlib.decompress(content[_META_START + 12 + meta_length :], -zlib.MAX_WBITS)
    header = body[: len(body) - len(pixels)] if pixels else body
    if again.file_meta.TransferSyntaxUID.is_encapsulated:
        header += plain_parts(pixels)
    same = all(
        bytes(again[t].value) == bytes(result[t].value) for t in PIXEL_TAGS if t in result
    )
    if not marked or not same or find(identity, header, pixels):
        raise QuarantineError(Reason.IDENTITY_LEFT)
