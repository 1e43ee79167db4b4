"""A mask on the disk by itself: what its sidecar says of scan, grid and content."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_medlabel.audit.format.schema import DIGEST
from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.export.mask import SIDECAR, sidecar_path
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import sha256_file
from napari_medlabel.io.nifti.reading import read_labels_nifti
from napari_medlabel.model.labelmap import LabelScheme, content_id
from napari_medlabel.session.case import MASK_FILE
from napari_medlabel.session.naming import name_case
from napari_medlabel.session.versions import as_named


@dataclass(frozen=True, eq=False)
class MaskFile:
    """A mask that was saved by this program.

    Parameters
    ----------
    path : Path
        The NIfTI file.
    sidecar : dict
        What stands beside it.
    grid : Grid
        The scan's.
    scheme : LabelScheme
        What its values mean.
    has_volumes : bool
        Whether its voxels have a volume: those of pictures have none.
    case : str
        Content id of the scan.
    source : str
        Hex SHA-256 of the scan's first file.
    present : str or None
        Content id of what is in the file now; of its bytes where it cannot be read; None where
        there is no file any more.
    array : ndarray or None
        Its labels, shape (i, j, k); None where they cannot be read.
    """

    path: Path
    sidecar: dict[str, Any]
    grid: Grid
    scheme: LabelScheme
    has_volumes: bool
    case: str
    source: str
    present: str | None
    array: LabelArray | None


def deleted_path(mask: Path) -> Path:
    """Return where the sidecar of a deleted mask lies: ``mask.deleted.json``."""
    return sidecar_path(mask).with_suffix(".deleted.json")


def find_mask(path: Path) -> MaskFile:
    """Look at a saved mask; it may be damaged, gone or deleted, its sidecar may not.

    Parameters
    ----------
    path : Path
        The mask, or the folder in which it lies.

    Raises
    ------
    InputError
        When there is no sidecar of ours, or it is damaged.
    """
    mask = path / MASK_FILE if path.is_dir() else path
    places = (sidecar_path(mask), deleted_path(mask))
    beside = next((one for one in places if one.is_file()), None)
    if beside is None:
        raise InputError(
            "A mask with its sidecar (.json) is expected, and there is no sidecar.",
            hint="Name a mask that was saved with napari-medlabel, or the folder it lies in.",
        )
    try:
        sidecar = json.loads(beside.read_bytes())
        source, last = sidecar["source"], sidecar["mask"]["content_id"]
        grid = _grid(sidecar["grid"])
        hashes = [str(one) for one in source["sha256_in_slice_order"]]
        case = name_case(grid, hashes, source.get("file_and_frame_of_slices"))
        first, form = hashes[0], sidecar["format"]
        scheme = LabelScheme.from_json(sidecar["scheme"])
        has_volumes = any(one["volume_ml"] is not None for one in sidecar["measured"])
    except (ValueError, KeyError, TypeError, IndexError, MedlabelError) as err:
        raise _strange() from err
    if form != SIDECAR or not DIGEST.accepts(last):
        raise _strange()
    present, array = _content(mask, grid, last)
    return MaskFile(mask, sidecar, grid, scheme, has_volumes, case, first, present, array)


def _strange() -> InputError:
    return InputError(
        "The mask's sidecar (.json) is damaged, or another program's.",
        hint="Open the scan with medlabel open and save the mask again.",
    )


def _grid(place: dict[str, Any]) -> Grid:
    i, j, k = (int(n) for n in place["shape_ijk"])
    return Grid((i, j, k), Affine(np.array(place["affine_ras_mm"], np.float64)))


def _content(mask: Path, grid: Grid, last: str) -> tuple[str | None, LabelArray | None]:
    if not mask.is_file():
        return None, None
    try:
        array, of_file = read_labels_nifti(mask)
        grid.require_same(of_file, what="mask")
    except InputError:
        return f"sha256:{sha256_file(mask)}", None
    named = as_named(array, grid, last)
    return (last, named) if named is not None else (content_id(grid, array), array)
