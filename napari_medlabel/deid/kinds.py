"""What one file of a source is, by its content: which engine cleans it, or why none does."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from napari_medlabel.deid.dicom_file import looks_like_dicom
from napari_medlabel.deid.nifti import GZIP_MAGIC, has_magic, is_pair, layout_of
from napari_medlabel.deid.report import Reason, Skip

_HEAD = 4096
_GZIP_WINDOW = 31
_IMAGE_SUFFIXES = (".dcm", ".dicom", ".ima", ".nii", ".nii.gz")
_SIDECAR_SUFFIXES = (".json", ".bval", ".bvec", ".tsv")
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
    """

    position: int
    path: Path
    relative: str
    kind: Kind | Reason | Skip
    voxels: Path | None = None


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
        head = _head(path)
    except OSError:
        return SourceFile(position, path, relative, Reason.UNREADABLE)
    kind = _kind(path, head)
    if kind is Kind.NIFTI and is_pair(head):
        voxels = _voxels_beside(path)
        if voxels is None:
            return SourceFile(position, path, relative, Reason.NIFTI_INCOMPLETE)
        return SourceFile(position, path, relative, kind, voxels)
    return SourceFile(position, path, relative, kind)


def _head(path: Path) -> bytes:
    """Return a file's first bytes, inflated when they are gzip."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if head[:2] != GZIP_MAGIC:
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
    return any(path.is_file() and is_pair(_head(path)) for path in beside)
