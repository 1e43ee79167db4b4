"""Which files there are behind a path, and of which kind each one is."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom_header import looks_like_dicom
from napari_medlabel.io.gzip_stream import MAGIC as GZIP_MAGIC
from napari_medlabel.io.nifti_header import byte_order
from napari_medlabel.model.volume import Format

_SUFFIXES: Final[dict[str, Format]] = {
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
    ".mha": "mha",
    ".mhd": "mha",
}
_HEAD: Final = 352


def collect(paths: Sequence[Path]) -> list[Path]:
    """Return the regular files behind the paths, each once, in a stable order.

    Raises
    ------
    InputError
        When a path does not exist, may not be read, or is a device or a pipe.
    """
    files: dict[Path, None] = {}
    for path in paths:
        try:
            mode = path.stat().st_mode
        except OSError as err:
            raise InputError(
                "A path does not exist or may not be read.",
                hint="Check how it is spelled, and that the disk is connected.",
            ) from err
        if stat.S_ISDIR(mode):
            files.update(dict.fromkeys(f for f in walk(path) if not is_own_mask(f)))
        elif stat.S_ISREG(mode):
            files[path] = None
        else:
            raise InputError(
                "A folder or a file is expected; this is neither.",
                hint="Devices and pipes cannot be opened.",
            )
    return list(files)


def is_own_mask(path: Path) -> bool:
    """Tell whether a file is a mask that this program saved: its sidecar says so.

    Masks lie beside their scans, so a folder that is opened again holds both.
    """
    name = path.name.lower()
    suffix = next((s for s in (".nii.gz", ".nii") if name.endswith(s)), None)
    if suffix is None:
        return False
    sidecar = path.with_name(path.name[: -len(suffix)] + ".json")
    try:
        with sidecar.open("rb") as stream:
            return b'"napari-medlabel mask"' in stream.read(200)
    except OSError:
        return False


def walk(folder: Path) -> Iterator[Path]:
    """Yield the regular files below a folder in a stable order.

    Links to folders are not followed, so that a circle cannot catch us.

    Raises
    ------
    InputError
        When a folder may not be read.
    """
    for parent, folders, names in os.walk(folder, onerror=_cannot_list):
        folders.sort()
        for name in sorted(names):
            file = Path(parent, name)
            try:
                regular = stat.S_ISREG(file.stat().st_mode)
            except OSError:  # a dangling link
                regular = False
            if regular:
                yield file


def _cannot_list(err: OSError) -> None:
    raise InputError(
        "A folder may not be read.", hint="Ask for the right to read it, or choose another one."
    ) from err


def kind_of(path: Path) -> Format | None:
    """Tell a file's kind from its first bytes, else from its suffix; None for other kinds.

    Raises
    ------
    OSError
        When it cannot be opened.
    """
    with path.open("rb", buffering=0) as stream:
        head = stream.read(_HEAD)
    if head[128:132] == b"DICM":
        return "dicom"
    suffix = _suffix(path)
    if head.startswith(b"NRRD000"):
        return "nrrd"
    if byte_order(head) is not None or (head.startswith(GZIP_MAGIC) and suffix == "nifti"):
        # ANALYZE and .hdr of a pair begin like NIfTI too, and are named as such when read.
        return "nifti" if suffix == "nifti" or b"n+" in (head[344:346], head[4:6]) else None
    if suffix is not None:
        return suffix
    return "dicom" if looks_like_dicom(head) else None


def _suffix(path: Path) -> Format | None:
    name = path.name.lower()
    return next((kind for end, kind in _SUFFIXES.items() if name.endswith(end)), None)
