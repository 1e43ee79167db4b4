"""Of which kind a file is: by its first bytes, then by its name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

from napari_medlabel.io.dicom.header.instance import looks_like_dicom
from napari_medlabel.io.gzip_stream import MAGIC as GZIP_MAGIC
from napari_medlabel.io.nifti.header import byte_order
from napari_medlabel.model.volume import Format

Kind = Format | Literal["dicomdir", "zip", "segmentation", "part"]
"""A format that is read; an index of DICOM files; a package; a segmentation that is no DICOM;
the voxels that belong to another file, which is the one to read."""

_SUFFIXES: Final[dict[str, Kind]] = {
    ".seg.nrrd": "segmentation",
    ".seg.nhdr": "segmentation",
    ".nii.gz": "nifti",
    ".nii": "nifti",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
    ".mha": "mha",
    ".mhd": "mha",
    ".mnc": "minc",
}
_ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
_PACKED: Final = (GZIP_MAGIC, *_ZIP_MAGIC, b"CDF\x01", b"CDF\x02", b"\x89HDF")
_NIFTI_MAGIC: Final = frozenset({b"n+1", b"n+2", b"ni1", b"ni2"})
_OTHERS_VOXELS: Final = {
    ".img": ".hdr",
    ".img.gz": ".hdr.gz",
    ".rec": ".par",
}
"""Files of voxels, and where their headers are."""

HEAD_BYTES: Final = 352
OPEN_FLAGS: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def kind_of(path: Path | str) -> Kind | None:
    """Tell a file's kind from its first bytes, else from its name; None for other kinds.

    Raises
    ------
    OSError
        When it cannot be opened.
    """
    text = os.fspath(path)
    descriptor = os.open(text, OPEN_FLAGS)
    try:
        head = os.read(descriptor, HEAD_BYTES)
    finally:
        os.close(descriptor)
    return kind_of_head(head, text)


def kind_of_head(head: bytes, path: str) -> Kind | None:
    """Tell a file's kind from its first bytes, at least `HEAD_BYTES`, and its path."""
    if head[128:132] == b"DICM":
        # Media Storage Directory Storage, PS3.6 table A-1.
        return "dicomdir" if b"1.2.840.10008.1.3.10" in head[132:HEAD_BYTES] else "dicom"
    name = path[-16:].lower()
    by_name = _by_name(name)
    if head.startswith(b"NRRD000"):
        return by_name if by_name == "segmentation" else "nrrd"
    if header_of(path) is not None:
        return "part"
    if byte_order(head) is not None:
        return _nifti_or_analyze(head, name, by_name)
    if head.startswith(_PACKED):
        return _packed(head, name)
    if b"DATA DESCRIPTION FILE" in head[:HEAD_BYTES]:
        return "par"
    return by_name or ("dicom" if looks_like_dicom(head) else None)


def _packed(head: bytes, name: str) -> Kind | None:
    """Tell what containers of many things hold: only their names say it."""
    if head.startswith(GZIP_MAGIC):
        return "nifti" if name.endswith((".nii.gz", ".hdr.gz")) else None
    if head.startswith(_ZIP_MAGIC):
        return "zip"
    return "minc" if name.endswith(".mnc") else None


def _nifti_or_analyze(head: bytes, name: str, by_name: Kind | None) -> Kind | None:
    if head[344:347] in _NIFTI_MAGIC or head[4:7] in _NIFTI_MAGIC or by_name == "nifti":
        return "nifti"
    return "analyze" if name.endswith(".hdr") else None


def _by_name(name: str) -> Kind | None:
    return next((kind for end, kind in _SUFFIXES.items() if name.endswith(end)), None)


def header_of(path: Path | str) -> Path | None:
    """Return the header of which a file holds the voxels: ``.hdr`` of ``.img``, ``.par`` of
    ``.rec``; None when it is no such file or there is no header beside it.
    """  # noqa: D205 - one sentence
    text = os.fspath(path)
    low = text[-8:].lower()
    for end, of_header in _OTHERS_VOXELS.items():
        if low.endswith(end):
            base = text[: -len(end)]
            for candidate in (of_header, of_header.upper(), of_header.capitalize()):
                if os.path.isfile(base + candidate):  # noqa: PTH113 - text, for speed
                    return Path(base + candidate)
    return None


def is_own_mask(path: Path | str) -> bool:
    """Tell whether a file is a mask that this program saved: its sidecar says so.

    Masks lie beside their scans, so a folder that is opened again holds both.
    """
    text = os.fspath(path)
    low = text[-7:].lower()
    suffix = next((s for s in (".nii.gz", ".nii") if low.endswith(s)), None)
    if suffix is None:
        return False
    try:
        with open(text[: -len(suffix)] + ".json", "rb") as stream:  # noqa: PTH123
            return b'"napari-medlabel mask"' in stream.read(200)
    except OSError:
        return False
