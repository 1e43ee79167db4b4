"""The statistics of labels as a table: units in the headers, nobody's identity anywhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from napari_medlabel.geometry.axes import nearest_axes
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import Staging
from napari_medlabel.measure.intensity import PERCENTS
from napari_medlabel.measure.statistics import LabelStatistics, Shape

Cell = str | int | float | None
_SIDES: Final = ("R-L", "P-A", "I-S")
# A cell that a spreadsheet would run as a formula gets an apostrophe in front.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")


def statistics_table(
    rows: Sequence[LabelStatistics], grid: Grid, *, unit: str = "", volume: str = ""
) -> list[dict[str, Cell]]:
    """Return one record for each label, all with the same keys; what is not known is None.

    Parameters
    ----------
    rows : sequence of LabelStatistics
        As they were measured.
    grid : Grid
        Of the mask.
    unit : str
        Of the intensities, for instance ``HU``; empty when unknown.
    volume : str
        Of a scan of several volumes the one that the intensities are of, as ``"5 of 12"``;
        with it the table has a column more, and so it has where slices were left out.
    """
    has_gaps = any(row.left_out for row in rows)
    world, _ = nearest_axes(grid.affine.matrix[:3, :3])
    sides = tuple(_SIDES[axis] for axis in world)
    table: list[dict[str, Cell]] = []
    for row in rows:
        code = row.label.code
        record: dict[str, Cell] = {
            "value": row.label.value,
            "name": row.label.name,
            "code": None if code is None else f"{code.scheme}:{code.value}",
            "voxels": row.voxels,
            "slices": row.slices,
        }
        record |= _shape(row.shape, sides)
        record |= _intensities(row, f" ({unit})" if unit else "")
        if volume:
            record["scan volume"] = volume
        if has_gaps:
            record["slices without intensities"] = row.left_out
        table.append(record)
    return table


def _intensities(row: LabelStatistics, unit: str) -> dict[str, Cell]:
    found = row.intensity
    parts = None if found is None else dict(found.percentiles)
    record: dict[str, Cell] = {
        f"{name}{unit}": None if found is None else getattr(found, key)
        for name, key in (
            ("mean", "mean"),
            ("SD", "sd"),
            ("median", "median"),
            ("min", "low"),
            ("max", "high"),
        )
    }
    return record | {
        f"percentile {percent:g}{unit}": None if parts is None else parts[percent]
        for percent in PERCENTS
    }


def _shape(shape: Shape | None, sides: Sequence[str]) -> dict[str, Cell]:
    names = (
        "volume (ml)",
        "surface (mm2)",
        *(f"extent {side} (mm)" for side in sorted(sides, key=_SIDES.index)),
        *(f"centroid {axis} (mm RAS)" for axis in "RAS"),
        "longest diameter 3D (mm)",
        "long axis in slice (mm)",
        "short axis in slice (mm)",
        "slice of the axes (k, from 0)",
    )
    if shape is None:
        return dict.fromkeys(names)
    extent = dict(zip(sides, shape.extent_mm, strict=True))
    values = (
        shape.volume_ml,
        shape.surface_mm2,
        *(extent[side] for side in _SIDES),
        *shape.centroid_ras,
        shape.longest.length_mm,
        shape.axes.long.length_mm,
        shape.axes.short.length_mm,
        shape.axes.slice,
    )
    return dict(zip(names, values, strict=True))


def statistics_csv(table: Sequence[dict[str, Any]]) -> str:
    """Return a table as CSV; empty cells where nothing is known.

    Parameters
    ----------
    table : sequence of dict
        As `statistics_table` gives it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if table:
        writer.writerow(table[0])
    for record in table:
        writer.writerow([cell_text(value) for value in record.values()])
    return out.getvalue()


def save_statistics(path: Path, table: Sequence[dict[str, Any]]) -> None:
    """Write a table as a CSV file; an earlier file of that name is replaced at the last moment.

    Parameters
    ----------
    path : Path
        Where.
    table : sequence of dict
        As `statistics_table` gives it.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    with Staging() as staging:
        staging.add_bytes(path, statistics_csv(table).encode())
        staging.publish()


def shown(value: Cell) -> str:
    """Return a cell as a person reads it: numbers to six digits, blank where unknown."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def cell_text(value: Cell) -> str:
    """Return a cell for a spreadsheet: what looks like a formula gets an apostrophe."""
    text = shown(value)
    guard = isinstance(value, str) and text.startswith(_FORMULA)
    return f"'{text}" if guard else text
