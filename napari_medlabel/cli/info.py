"""``medlabel info``: the series in a folder or file, where they lie, and what to doubt."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.io.registry import SeriesInfo, Survey

_COLUMNS = (
    "no",
    "format",
    "modality",
    "series",
    "matrix",
    "slices",
    "spacing mm",
    "axes",
    "oblique",
    "more",
)
_MOST_LISTED = 12


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``info`` to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    """
    text = "list the series in folders or files, their geometry and warnings; names no patient"
    parser = subparsers.add_parser("info", help=text, description=text)
    parser.add_argument(
        "path",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a folder, a file, a zip file or a DICOMDIR",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When nothing can be read.
    """
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.io.registry import find_series, nothing_found

    survey = find_series(arguments.path, progress=progress("looking at files"))
    if not survey.series:
        raise nothing_found(survey)
    if arguments.json:
        print(json.dumps(as_json(survey), indent=2))
    else:
        _print_table(survey)
    if all(one.problem for one in survey.series):
        raise InputError(
            f"None of the {len(survey.series)} series found can be read: "
            f"{survey.series[0].problem}",
            hint=survey.series[0].hint,
        )
    return 0


def as_json(survey: Survey) -> dict[str, Any]:
    """Return the survey as plain data without identifiers.

    Parameters
    ----------
    survey : Survey
        As `find_series` returned it.

    Returns
    -------
    dict
        As docs/reference/formats.md describes it. A series' ``hash`` is the first twelve hex
        digits of the SHA-256 of its UID, to tell series apart.
    """
    return {
        "series": [_series_json(one) for one in survey.series],
        "marks": dict(sorted(Counter(mark.kind for mark in survey.marks).items())),
        "skipped": survey.skipped,
        "unreadable": survey.unreadable,
        "notes": list(survey.notes),
    }


def hash_of(series_uid: str | None) -> str | None:
    """Return what tells series apart without being an identifier."""
    return sha256(series_uid.encode()).hexdigest()[:12] if series_uid else None


def _series_json(one: SeriesInfo) -> dict[str, Any]:
    row: dict[str, Any] = {
        "series": one.key,
        "hash": hash_of(one.series_uid),
        "format": one.format,
        "modality": one.modality,
        "series_number": one.series_number,
        "words": list(one.words),
        "files": one.files,
        "geometry": None,
        "volumes": one.volumes,
        "axis": None if one.axis is None else {"name": one.axis[0], "unit": one.axis[1]},
        "slices": one.slices,
        "missing": list(one.missing),
        "colour": one.colour,
        "warnings": list(one.warnings),
        "problem": one.problem,
    }
    if one.grid is not None:
        affine = one.grid.affine
        row["geometry"] = {
            "shape_ijk": list(one.grid.shape),
            "spacing_mm": list(affine.spacing_mm),
            "axes": affine.axis_codes,
            "oblique_deg": round(affine.oblique_deg, 4),
            "shear_deg": round(affine.shear_deg, 4),
            "affine_ras": affine.matrix.tolist(),
        }
    return row


def _print_table(survey: Survey) -> None:
    rows = [_COLUMNS, *(_row(one) for one in survey.series)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_COLUMNS))]
    for row, one in zip(rows, (None, *survey.series), strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
        if one is not None:
            for warning in one.warnings:
                print(f"      note: {warning}")
            if one.missing:
                print(f"      no file holds slice {_numbers(one.missing)} (counted from 1)")
            if one.problem:
                print(f"      cannot be read: {one.problem}")
    for note in survey.notes:
        print(f"\nnote: {note}", end="")
    parts = [f"{len(survey.series)} series", survey.marks_in_words()]
    parts.append(f"{survey.skipped} other files skipped")
    parts.append(f"{survey.unreadable} unreadable" if survey.unreadable else "")
    print("\n" + ", ".join(part for part in parts if part))


def _numbers(missing: tuple[int, ...]) -> str:
    shown = ", ".join(str(k + 1) for k in missing[:_MOST_LISTED])
    more = len(missing) - _MOST_LISTED
    return f"{shown} and {more} more" if more > 0 else shown


def _row(one: SeriesInfo) -> tuple[str, ...]:
    known_as = "-" if one.series_number is None else str(one.series_number)
    start = (one.key, one.format, one.modality or "-", known_as)
    if one.grid is None:
        return (*start, "-", f"{one.files} file{'s' * (one.files != 1)}", "-", "-", "-", "")
    i, j, k = one.grid.shape
    affine, has_place = one.grid.affine, one.slices == "places"
    spacing = " x ".join(f"{mm:.4g}" for mm in affine.spacing_mm)
    return (
        *start,
        f"{i} x {j}",
        str(k),
        spacing,
        affine.axis_codes if has_place else "-",
        f"{affine.oblique_deg:.1f}°" if has_place else "-",
        one.description,
    )
