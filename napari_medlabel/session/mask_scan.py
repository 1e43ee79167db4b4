"""The scan under a saved mask: found again by the hashes in the mask's sidecar."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.model.volume import Source
from napari_medlabel.session.desk import BESIDE
from napari_medlabel.session.reasons import identifying_values
from napari_medlabel.session.saved_mask import MaskFile

_MOST: Final = 2000
"""So many files are looked at where nobody said where the scan is."""


def values_under(mask: MaskFile, scan: Path | None = None) -> tuple[str, ...]:
    """Return the values of the scan's header that a text about its mask must not hold.

    Parameters
    ----------
    mask : MaskFile
        A saved mask.
    scan : Path, optional
        A file of its scan, or a folder with one. Without it, the scan is looked for where
        masks are saved: beside the folder ``medlabel``.

    Returns
    -------
    tuple of str
        Identity: to compare with, for nothing else. Empty for formats without such fields.

    Raises
    ------
    InputError
        When the scan is not found, or its header cannot be read.
    """
    source = mask.sidecar["source"]
    if source["format"] != "dicom":
        return ()
    wanted = {str(one) for one in source["sha256_in_slice_order"]}
    for file in _candidates(mask, scan):
        if _digest(file) in wanted:
            return identifying_values(Source("dicom", (file,)))
    raise InputError(
        "A text is checked against the header of the mask's scan, and the scan was not found"
        f"{'' if scan is None else ' there'}.",
        hint="Say where it is: --scan FILE_OR_FOLDER. A coded reason alone needs no scan.",
    )


def _candidates(mask: MaskFile, scan: Path | None) -> Iterator[Path]:
    if scan is not None:
        return iter((scan,)) if scan.is_file() else _files(scan)
    saved = mask.path.resolve().parent.parent
    return islice(_files(saved.parent), _MOST) if saved.name == BESIDE else iter(())


def _files(folder: Path) -> Iterator[Path]:
    """Return the files below a folder, one folder after the other; none of saved masks."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one != BESIDE)
        yield from (Path(root, name) for name in sorted(names))


def _digest(file: Path) -> str:
    """Return the hash of a file, or nothing where it is none that can be read."""
    try:
        return sha256_file(file) if file.is_file() else ""
    except OSError:
        return ""
