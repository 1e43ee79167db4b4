"""COCO masks (2D, run lengths) of a scan's slices: put on its grid where they say their place.

cocodataset.org, "Data format". A COCO file knows pictures and no patient; the files that this
program writes also say, in ``info``, on which grid the slices lie. Others are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.coco_rle import from_counts, unpack
from napari_medlabel.io.marks.found import (
    Marks,
    NameList,
    colour_of,
    label_values,
    overlap_warning,
)
from napari_medlabel.io.marks.place import Layers
from napari_medlabel.model.labelmap import Label, LabelScheme
from napari_medlabel.model.volume import Volume

KEY: Final = "medlabel"
VERSION: Final = 1
BOX: Final = "box"
"""Marks an annotation that is a box in 3D on one of its slices, and categories of such."""
_LARGEST_FILE: Final = 512 << 20
_LISTS: Final = re.compile(rb'"(?:images|annotations|categories)"\s*:\s*\[')
_INFO: Final = re.compile(rb'"info"\s*:\s*\{.*"medlabel"', re.DOTALL)
_AGAIN: Final = "Export the masks again."
_OTHER_NAME: Final = (
    "The file calls its case otherwise than the scan's file is called: it alone lies on this "
    "grid. Compare before use."
)


@dataclass(frozen=True)
class _Mask:
    category: int
    slice: int
    counts: Any


def is_coco(head: bytes) -> bool:
    """Tell by a file's first bytes whether it may be a COCO file."""
    plain = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return plain.startswith(b"{") and bool(_LISTS.search(head) or _INFO.search(head))


def read_coco(path: Path, volume: Volume, case: str = "") -> Marks:
    """Put the masks of a scan's slices on the scan.

    Parameters
    ----------
    path : Path
        A JSON file with images, annotations and categories. Boxes without a mask are passed by.
    volume : Volume
        The scan.
    case : str
        Name of the case in the file; empty for the one that is called as the scan's file is.

    Raises
    ------
    GeometryError
        When that case, or none of its cases, lies on the scan, or it does not say where its
        pictures lie.
    InputError
        When it is damaged, it has other cases alone, several without that name lie on the
        scan, or its masks are polygons.
    """
    document = _document(path)
    case, doubts = _case_of(document, volume, case)
    try:
        slices = dict(_slices(document["images"], case, volume.grid))
        labels = _labels(document["categories"])
        masks = list(_masks(document["annotations"], slices))
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise InputError("The COCO file lacks what its format asks for.", hint=_AGAIN) from err
    if {one.category for one in masks} - set(labels):
        raise InputError("A mask is of a category that is not described.", hint=_AGAIN)
    scheme = LabelScheme("COCO", tuple(labels.values()))
    layers = Layers(volume.grid, scheme.dtype)
    for category, label in labels.items():
        own = [one for one in masks if one.category == category]
        if own:
            layers.put(label.value, _Pieces(own, volume.grid))
    found = layers.label_maps(scheme)
    return Marks("COCO", found, warnings=(*doubts, *overlap_warning(found)))


class _Pieces:
    """The slices of a category, decoded whenever they are asked for."""

    def __init__(self, masks: list[_Mask], grid: Grid) -> None:
        self._masks = masks
        self._grid = grid

    def __call__(self) -> Iterator[tuple[Any, npt.NDArray[Any]]]:
        columns, rows, _ = self._grid.shape
        for one in self._masks:
            runs = unpack(one.counts) if isinstance(one.counts, str) else one.counts
            mask = from_counts(runs, columns, rows)
            where = (slice(0, columns), slice(0, rows), slice(one.slice, one.slice + 1))
            yield where, mask[:, :, np.newaxis]


def _document(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InputError(
                f"A COCO file of at most {_LARGEST_FILE >> 20} MiB is read; this one is "
                "larger.",
                hint="Split it by case.",
            )
        document = json.loads(path.read_bytes())
    except OSError as err:
        raise InputError(
            "The file cannot be opened.", hint="Check that it exists and that you may read it."
        ) from err
    except (ValueError, RecursionError) as err:
        raise InputError("The COCO file is no JSON, or cut off.", hint=_AGAIN) from err
    if not isinstance(document, dict):
        raise InputError("A COCO file is a JSON object; this is none.", hint=_AGAIN)
    return document


def _case_of(
    document: Mapping[str, Any], volume: Volume, named: str
) -> tuple[str, tuple[str, ...]]:
    """Return the case that is a scan's, and doubts: scans of many patients share a grid."""
    grids = _grids(document)
    place = Grid(volume.grid.shape, volume.grid.affine)
    own = named or _name_of(volume)
    if own in grids:
        place.require_same(grids[own], what="COCO file's case of that name")
        return own, ()
    # A file of another origin calls cases as it likes; two names of one form contradict.
    if named or (_is_case(own) and all(map(_is_case, grids))):
        raise InputError(
            f"None of the {len(grids)} cases of the COCO file has the name of this one.",
            hint="Masks of another case are not taken in. Where one is meant all the same, "
            "call the scan's file as the COCO file calls it; in a study name it: "
            "medlabel project import ... --from-case NAME",
        )
    fitting = [name for name, one in grids.items() if not place.difference(one)]
    if not fitting:
        if len(grids) == 1:
            place.require_same(next(iter(grids.values())), what="COCO file")
        raise GeometryError(
            f"None of the {len(grids)} cases of the COCO file lies on this scan.",
            hint="Open the scan these masks were made on. A mask is never resampled silently.",
        )
    if len(fitting) > 1:
        raise InputError(
            f"{len(fitting)} cases of the COCO file lie on a grid like this scan's: which of "
            "them is meant cannot be said.",
            hint="Call the scan's file as the file calls its case, or export the case alone.",
        )
    return fitting[0], (_OTHER_NAME,)


def _grids(document: Mapping[str, Any]) -> dict[str, Grid]:
    """Return the grid of each case of a file, by name."""
    info = document.get("info")
    told = info.get(KEY) if isinstance(info, dict) else None
    if not isinstance(told, dict) or told.get("version") != VERSION:
        raise GeometryError(
            "The COCO file does not say on which slices of which scan its pictures lie.",
            hint="Files written by this program say it; bring others as NIfTI masks.",
        )
    try:
        return {
            str(name): Grid(tuple(one["shape_ijk"]), Affine(np.array(one["affine_ras_mm"])))
            for name, one in told["cases"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise InputError("The COCO file's grids are damaged.", hint=_AGAIN) from err


def _name_of(volume: Volume) -> str:
    """Return what a scan's file is called, without its endings; empty where it has none."""
    files = volume.source.files
    return files[0].name.partition(".")[0] if files else ""


def _is_case(name: str) -> bool:
    """Tell whether a name is one that a study or a BIDS data set gives a case."""
    return name.startswith("sub-")


def _slices(images: Any, case: str, grid: Grid) -> Iterator[tuple[Any, int]]:
    """Yield the number of each picture of a case and the slice (k) that it is."""
    columns, rows, count = grid.shape
    seen: set[int] = set()
    for image in images:
        said = image.get(KEY)
        if not isinstance(said, dict) or said.get("case") != case:
            continue
        k = int(said["slice"])
        size = (image["width"], image["height"])
        if not 0 <= k < count or k in seen or size != (columns, rows):
            raise GeometryError(
                "A picture of the COCO file is no slice of this scan, or one stands twice.",
                hint=_AGAIN,
            )
        seen.add(k)
        yield image["id"], k


def _labels(categories: Any) -> dict[int, Label]:
    rows = [row for row in categories if row.get("supercategory") != BOX]
    numbers = [int(row["id"]) for row in rows]
    if len(set(numbers)) != len(numbers):
        raise InputError("Two categories have the same number.", hint=_AGAIN)
    names = NameList()
    labels = {}
    for row, number, value in zip(rows, numbers, label_values(numbers), strict=True):
        name = names.own(row.get("name"), f"Category {value}")
        labels[number] = Label(value, name, colour_of(row.get("color"), value))
    return labels


def _masks(annotations: Any, slices: Mapping[Any, int]) -> Iterator[_Mask]:
    for one in annotations:
        k = slices.get(one["image_id"])
        if k is None:
            continue
        if BOX in (one.get(KEY) or ()):
            continue  # it has no mask
        runs = one["segmentation"]
        if isinstance(runs, list):
            raise InputError(
                "The masks of the COCO file are polygons, which do not say which voxels they "
                "hold; run lengths are read.",
                hint="Export them as RLE.",
            )
        yield _Mask(int(one["category_id"]), k, runs["counts"])
