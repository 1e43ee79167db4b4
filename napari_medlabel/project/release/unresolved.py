"""Voxels of a released mask that have no answer: which, how many, and the mask that says so.

In the mask itself they are 0, as the background is; a mask of its own tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import explain_os_error
from napari_medlabel.io.nifti.reading import inspect, load
from napari_medlabel.io.nifti.write import write_volume_nifti
from napari_medlabel.model.labelmap import content_id
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.version import MASK, ORIGINS, Version, read_provenance
from napari_medlabel.project.layout import CONSENSUS, Layout

KIND: Final = "unresolved"
"""Kind of its file in a chain; with the layer behind it from layer 1 on."""
ENDING: Final = "unresolved_mask.nii.gz"
UNRESOLVED: Final = ORIGINS.index("unresolved")


@dataclass(frozen=True)
class Unresolved:
    """The voxels without an answer in the mask of one layer.

    Parameters
    ----------
    voxels : int
        How many.
    content : str
        Content id of the mask that holds 1 there, and 0 elsewhere.
    """

    voxels: int
    content: str


def unresolved_in(layout: Layout, version: Version) -> dict[int, npt.NDArray[np.bool_]]:
    """Return the voxels of a version without an answer, shape (i, j, k), by layer.

    Layers without any are left out.

    Parameters
    ----------
    layout : Layout
        The study.
    version : Version
        Of a consensus; any other has none.

    Raises
    ------
    InputError
        When the map of origins is not what the version's sidecar says.
    GeometryError
        When it lies on another grid than the mask.
    """
    if version.rater != CONSENSUS:
        return {}
    grid = _grid(layout, version)
    found = {}
    for layer in (0, *sorted(version.sheets)):
        origins = read_provenance(layout, version, grid, layer)
        if origins is not None and (origins == UNRESOLVED).any():
            found[layer] = origins == UNRESOLVED
    return found


def told_of(layout: Layout, version: Version) -> dict[int, Unresolved]:
    """Return how many voxels of a version have no answer, by layer; see `unresolved_in`."""
    return {
        layer: Unresolved(
            int(np.count_nonzero(one)),
            content_id(_grid(layout, version), one.astype(np.uint8)),
        )
        for layer, one in unresolved_in(layout, version).items()
    }


def write_unresolved(found: Mapping[int, npt.NDArray[np.bool_]], mask: Path) -> dict[str, Path]:
    """Write a mask for each layer beside that of the labels; 1 where there is no answer.

    Parameters
    ----------
    found : mapping of int to ndarray of bool, shape (i, j, k)
        See `unresolved_in`.
    mask : Path
        Of the labels, in the release; they lie on its grid.

    Returns
    -------
    dict of str to Path
        By the kind of file, as a chain names it.

    Raises
    ------
    SaveError
        When one cannot be written.
    """
    stem = mask.name.removesuffix(f"_{MASK}")
    written: dict[str, Path] = {}
    for layer, one in found.items():
        path = mask.with_name(f"{stem}{f'l{layer}' if layer else ''}{ENDING}")
        said = load(mask)
        try:
            write_volume_nifti(path, Volume(said.grid, one.astype(np.uint8), said.source))
        except OSError as err:
            raise explain_os_error(err) from err
        written[kind_of(layer)] = path
    return written


def _grid(layout: Layout, version: Version) -> Grid:
    path = layout.version(version.rater, version.case, version.number, MASK)
    return inspect(path).said.grid


def kind_of(layer: int) -> str:
    """Return the kind of the file of a layer, as a chain names it."""
    return f"{KIND}{layer or ''}"


def record_of(found: Mapping[int, Unresolved]) -> dict[str, Any]:
    """Return plain data for a chain."""
    return {str(layer): vars(one) for layer, one in found.items()}


def from_record(found: Any) -> dict[int, Unresolved]:
    """Return what a chain tells.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        When it has another form.
    """
    told = {int(layer): one for layer, one in found.items()}
    if any(type(one["voxels"]) is not int or one["voxels"] < 1 for one in told.values()):
        raise TypeError("a number of voxels was expected")
    return {n: Unresolved(one["voxels"], str(one["content"])) for n, one in told.items()}
