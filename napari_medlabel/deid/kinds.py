"""What one file of a source is, by its content: which engine cleans it, or why none does."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from napari_medlabel.deid.dicom_file import looks_like_dicom
from napari_medlabel.deid.nifti_header import has_magic, is_pair, layout_of
from napari_medlabel.deid.report import Reason, Skip
from napari_medlabel.io.gzip_stream import MAGIC

_HEAD = 4096
_GZIP_WINDOW = 31
_IMAGE_SUFFIXES = (".dcm", ".dicom", ".ima", ".nii", ".nii.gz")
_SIDECAR_SUFFIXES = (".json", ".bval", ".bvec", ".tsv")
_SUFFIXES = (
    ".nii.gz", ".nii", ".hdr.gz", ".hdr", ".img.gz", ".img", ".seg.nrrd", ".nrrd", ".nhdr",
    ".mha", ".mhd", *_SIDECAR_SUFFIXES,
)  # fmt: skip
_HEADER_OF = {".img": ".hdr", ".img.gz": ".hdr.gz"}


class Kind(Enum):
    """Which engine cleans a file."""

    DICOM = "dicom"
    NIFTI = "nifti"


@dataclass(frozen=True)
class SourceFile:
    """One file of the source.

    Parameters
    ----------
    position : int
        Its place, from 1, among the regular files in byte order of their paths.
    path : Path
        Where it is.
    relative : str
        Its path under the source, with slashes; never shown.
    kind : Kind, Reason or Skip
        Which engine cleans it, why none can, or why it is left out.
    voxels : Path, optional
        The .img file of a NIfTI pair.
    suffix : str
        What the name of the cleaned file ends with; empty for DICOM.
    """

    position: int
    path: Path
    relative: str
    kind: Kind | Reason | Skip
    voxels: Path | None = None
    suffix: str = ""


def described(position: int, path: Path, root: Path) -> SourceFile:
    """Return what a file is.

    Parameters
    ----------
    position : int
        Its place, from 1, among the regular files in byte order of their paths.
    path : Path
        A regular file.
    root : Path
        The source folder it lies under.

    Returns
    -------
    SourceFile
        With the reason in place of the kind where no engine cleans it.
    """
    relative = path.relative_to(root).as_posix()
    try:
        raw = _first(path)
    except OSError:
        return SourceFile(position, path, relative, Reason.UNREADABLE)
    head = _unpacked(raw)
    kind = _kind(path, head)
    file = SourceFile(position, path, relative, kind)
    if kind is not Kind.NIFTI:
        return file
    file = replace(file, suffix=".nii.gz" if raw[:2] == MAGIC else ".nii")
    if not is_pair(head):
        return file
    voxels = _voxels_beside(path)
    return replace(file, kind=kind if voxels else Reason.NIFTI_INCOMPLETE, voxels=voxels)


def stem_of(name: str) -> str:
    """Return a name or path without the suffix of an image or sidecar."""
    lowered = name.lower()
    found = next((suffix for suffix in _SUFFIXES if lowered.endswith(suffix)), "")
    return name[: len(name) - len(found)]


def _first(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_HEAD)


def _unpacked(head: bytes) -> bytes:
    """Return a file's first bytes, inflated when they are gzip."""
    if head[:2] != MAGIC:
        return head
    try:
        return zlib.decompressobj(_GZIP_WINDOW).decompress(head, _HEAD)
    except zlib.error:
        return b""


def _kind(path: Path, head: bytes) -> Kind | Reason | Skip:
    """Return what a file is, by its first bytes, then by what its name promises."""
    name = path.name.lower()
    if looks_like_dicom(head) and not name.endswith(".gz"):
        return Kind.DICOM
    if has_magic(head):
        return Kind.NIFTI
    if layout_of(head) is not None:
        return Reason.NIFTI_BROKEN
    if name.endswith(tuple(_HEADER_OF)) and _header_beside(path):
        return Skip.VOXELS_OF_A_PAIR
    if name.endswith(_IMAGE_SUFFIXES):
        return Reason.NOT_WHAT_IT_SAYS
    return Skip.SIDECAR if name.endswith(_SIDECAR_SUFFIXES) else Skip.NOT_AN_IMAGE


def _voxels_beside(header: Path) -> Path | None:
    """Return the .img or .img.gz file that belongs to a header."""
    stem = header.name.removesuffix(".gz").removesuffix(".hdr")
    found = (header.with_name(stem + suffix) for suffix in _HEADER_OF)
    return next((path for path in found if path.is_file() and not path.is_symlink()), None)


def _header_beside(voxels: Path) -> bool:
    """Whether a NIfTI header of a pair lies beside a voxel file."""
    stem = voxels.name.removesuffix(".gz").removesuffix(".img")
    beside = (voxels.with_name(stem + suffix) for suffix in _HEADER_OF.values())
    return any(path.is_file() and is_pair(_unpacked(_first(path))) for path in beside)
