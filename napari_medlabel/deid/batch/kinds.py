"""What one file of a source is, by its content: which engine cleans it, or why none does."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from napari_medlabel.deid.dicom.file import looks_like_dicom
from napari_medlabel.deid.images.nifti_header import has_magic, is_pair, layout_of
from napari_medlabel.deid.report.counts import Reason, Skip

MAGIC = b"\x1f\x8b"  # of gzip; the module that reads it starts numpy
_HEAD = 4096
_GZIP_WINDOW = 31
_NRRD_SUFFIXES = (".nrrd", ".nhdr")
_META_SUFFIXES = (".mha", ".mhd")
_IMAGE_SUFFIXES = (
    ".dcm", ".dicom", ".ima", ".nii", ".nii.gz", *_NRRD_SUFFIXES, *_META_SUFFIXES,
)  # fmt: skip
_SIDECAR_SUFFIXES = (".json", ".bval", ".bvec")
_TABLE_SUFFIX = ".tsv"
_SCAN_SUFFIXES = (".nii.gz", ".nii", ".hdr", ".hdr.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
_DETACHED_SUFFIXES = (".raw", ".raw.gz", ".raw.bz2", ".zraw", ".bin", ".img", ".gz")
_SUFFIXES = (
    ".nii.gz", ".nii", ".hdr.gz", ".hdr", ".img.gz", ".img", *_NRRD_SUFFIXES, *_META_SUFFIXES,
    *_SIDECAR_SUFFIXES,
)  # fmt: skip
_SEGMENTATION = ".seg.nrrd"
_META = re.compile(rb"\s*(?:ObjectType|ObjectSubType|NDims|Comment)\s*=")
_META_IMAGE = re.compile(rb"^ObjectType\s*=\s*Image\s*$", re.MULTILINE)
_HEADER_OF = {".img": ".hdr", ".img.gz": ".hdr.gz"}


class Kind(Enum):
    """Which engine cleans a file."""

    DICOM = "dicom"
    NIFTI = "nifti"
    NRRD = "nrrd"
    META_IMAGE = "metaimage"
    SIDECAR = "sidecar"


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
    file = SourceFile(position, path, relative, kind, suffix=_suffix(path, kind, raw))
    if kind is not Kind.NIFTI or not is_pair(head):
        return file
    voxels = _voxels_beside(path)
    return replace(file, kind=kind if voxels else Reason.NIFTI_INCOMPLETE, voxels=voxels)


def stem_of(name: str) -> str:
    """Return a name or path without the suffix of an image or sidecar."""
    lowered = name.lower()
    found = next((suffix for suffix in _SUFFIXES if lowered.endswith(suffix)), "")
    return name[: len(name) - len(found)]


def _suffix(path: Path, kind: Kind | Reason | Skip, head: bytes) -> str:
    """Return what the name of the cleaned file ends with."""
    name = path.name.lower()
    if kind is Kind.NIFTI:
        return ".nii.gz" if head[:2] == MAGIC else ".nii"
    if kind is Kind.NRRD:
        return ".seg.nrrd" if name.endswith(_SEGMENTATION) else ".nrrd"
    if kind is Kind.META_IMAGE:
        return ".mha"
    return name[-5:] if kind is Kind.SIDECAR else ""


def _first(path: Path) -> bytes:
    with path.open("rb", buffering=0) as stream:
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
    if not name.endswith(".gz") and looks_like_dicom(head):
        return Kind.DICOM
    image = _image(name, head)
    if image is not None:
        return image
    if name.endswith(_SIDECAR_SUFFIXES):
        return Kind.SIDECAR if _scan_beside(path) else Skip.SIDECAR
    if _is_voxels(path, name):
        return Skip.VOXELS_OF_A_PAIR
    if name.endswith(_IMAGE_SUFFIXES):
        return Reason.NOT_WHAT_IT_SAYS
    return Skip.SIDECAR if name.endswith(_TABLE_SUFFIX) else Skip.NOT_AN_IMAGE


def _image(name: str, head: bytes) -> Kind | Reason | None:
    """Return which image other than DICOM begins with some bytes; None for none."""
    if has_magic(head):
        return Kind.NIFTI
    if layout_of(head) is not None:
        return Reason.NIFTI_BROKEN
    if name.endswith(".gz"):
        return None
    if head.startswith(b"NRRD000"):
        return Kind.NRRD
    if _META.match(head) and (name.endswith(_META_SUFFIXES) or _META_IMAGE.search(head)):
        return Kind.META_IMAGE
    return None


def _scan_beside(sidecar: Path) -> bool:
    """Whether an image of the same name, but for the suffix, lies beside a sidecar."""
    stem = stem_of(sidecar.name)
    for suffix in _SCAN_SUFFIXES:
        scan = sidecar.with_name(stem + suffix)
        if scan.is_file() and not scan.is_symlink():
            try:
                head = _unpacked(_first(scan))
            except OSError:
                continue
            if isinstance(_image(scan.name.lower(), head), Kind):
                return True
    return False


def _is_voxels(path: Path, name: str) -> bool:
    """Whether a file holds the voxels that a header beside it describes."""
    if name.endswith(tuple(_HEADER_OF)) and _header_beside(path):
        return True
    if not name.endswith(_DETACHED_SUFFIXES):
        return False
    stems = {path.name[: -len(end)] for end in _DETACHED_SUFFIXES if name.endswith(end)}
    return any(
        path.with_name(stem + suffix).is_file()
        for stem in stems
        for suffix in (".nhdr", ".mhd")
    )


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
