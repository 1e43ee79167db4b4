"""Bounding boxes as a file beside a mask: JSON on the scan's grid, with sizes in mm."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.boxes import Box3D, BoxSet, Index

FILE: Final = "boxes.json"
VERSION: Final = 1
_HINT: Final = "See docs/reference/study.md for its form."


def encode_boxes(boxes: BoxSet, grid: Grid) -> bytes:
    """Return the file's content.

    Parameters
    ----------
    boxes : BoxSet
        What was drawn.
    grid : Grid
        The scan's.
    """
    document = {
        "medlabel": "boxes",
        "v": VERSION,
        "shape": list(grid.shape),
        "spacing_mm": [round(mm, 6) for mm in grid.affine.spacing_mm],
        "boxes": [
            {
                "id": box.id,
                "kind": box.kind,
                "value": box.value,
                "start": list(box.start),
                "stop": list(box.stop),
                "size_mm": [round(mm, 3) for mm in box.size_mm(grid)],
                "volume_mm3": round(box.volume_mm3(grid), 3),
                "centre_ras_mm": [round(mm, 3) for mm in box.centre_ras(grid)],
            }
            for box in boxes
        ],
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def decode_boxes(data: bytes, grid: Grid) -> BoxSet:
    """Return the boxes of a file; what it says in mm follows from the grid and is not read.

    Raises
    ------
    InputError
        When it is none, or of a later version.
    GeometryError
        When it is of another grid, or a box reaches out of the scan.
    """
    try:
        document: Mapping[str, Any] = json.loads(data)
        if (document["medlabel"], document["v"]) != ("boxes", VERSION):
            raise ValueError  # noqa: TRY301 - joins what a wrong form raises by itself
        shape = tuple(document["shape"])
        found = BoxSet(tuple(_box(row) for row in document["boxes"]))
    except InputError as err:
        raise InputError(f"In a file of boxes: {err.message}", hint=_HINT) from err
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise InputError("A file of boxes was expected, and this is none.", hint=_HINT) from err
    if shape != grid.shape or not all(box.is_within(grid.shape) for box in found):
        raise GeometryError(
            "The boxes lie on another grid than the scan's.",
            hint="Open them with the scan that they were drawn on.",
        )
    return found


def _box(row: Mapping[str, Any]) -> Box3D:
    return Box3D(
        int(row["id"]),
        str(row["kind"]),
        _index(row["start"]),
        _index(row["stop"]),
        int(row.get("value", 0)),
    )


def _index(values: Any) -> Index:
    i, j, k = values
    return i, j, k
