"""``medlabel landmarks``: look at files of landmarks, convert them, compare readings."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.errors import InputError, RefusedError

if TYPE_CHECKING:
    from napari_medlabel.io.landmarks.found import Reading
    from napari_medlabel.measure.landmarks import Comparison
    from napari_medlabel.measure.lines import Value
    from napari_medlabel.model.landmarks import Landmark, LandmarkSet

_FILES: Final = ".mrk.json, .fcsv, .mps, .csv or .tsv"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``landmarks`` and its own subcommands to the command line."""
    parser = subparsers.add_parser(
        "landmarks",
        help="show, convert and compare files of landmarks and measurements",
        description=f"Files of landmarks ({_FILES}) of 3D Slicer, MITK and tables. All "
        "positions are told in RAS mm.",
    )
    commands = parser.add_subparsers(dest="landmarks_command", metavar="COMMAND", required=True)
    text = "list the landmarks and measurements of a file, and what to doubt"
    info = commands.add_parser("info", help=text, description=text)
    info.add_argument("path", type=Path, metavar="FILE", help=_FILES)
    info.set_defaults(run=run_info)
    text = "write landmarks in another format or other axes; nothing is overwritten"
    convert = commands.add_parser("convert", help=text, description=text)
    convert.add_argument("path", type=Path, metavar="FILE", help=_FILES)
    convert.add_argument("output", type=Path, metavar="OUT", help=f"its name says: {_FILES}")
    convert.add_argument(
        "--to",
        choices=("LPS", "RAS"),
        default="LPS",
        help="axes of the written numbers, where the format has a choice (default LPS)",
    )
    convert.set_defaults(run=run_convert)
    text = "say in mm how far several people agree, by name, and which names were mixed up"
    compare = commands.add_parser("compare", help=text, description=text)
    compare.add_argument("path", nargs="+", type=Path, metavar="FILE", help="one per person")
    compare.add_argument(
        "--outlier",
        type=float,
        default=10.0,
        metavar="MM",
        help="list points further than this from what the others say (default 10)",
    )
    compare.add_argument(
        "--limit",
        type=float,
        metavar="MM",
        help="exit with 3 where the mean distance between people is larger, or names are "
        "mixed up",
    )
    compare.set_defaults(run=run_compare)
    for command in (info, convert, compare):
        command.add_argument(
            "--frame",
            choices=("LPS", "RAS"),
            help="axes of files that do not say them themselves",
        )
        command.add_argument(
            "--template",
            metavar="NAME|FILE",
            help="names, order and definitions, for files that only number their points",
        )
        command.add_argument("--json", action="store_true", help="one JSON document")


def run_info(arguments: argparse.Namespace) -> int:
    """Print what a file holds.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    from napari_medlabel.measure.lines import values_of
    from napari_medlabel.measure.mixed_up import side_doubts

    found = _read(arguments.path, arguments)
    values = {one.name: values_of(one) for one in found.measurements}
    doubts = [
        f"{left} lies further to the patient's right than {right}."
        for left, right in side_doubts(found.landmarks)
    ]
    if arguments.json:
        document = {
            "format": found.form,
            "frame": found.frame,
            "landmarks": [_row(mark) for mark in found.landmarks],
            "measurements": [
                {
                    "name": one.name,
                    "kind": one.kind,
                    "points_ras_mm": [list(p) for p in one.long_first.points_ras],
                    "values": [_number(value) for value in values[one.name]],
                }
                for one in found.measurements
            ],
            "notes": list(found.notes),
            "doubts": doubts,
        }
        print(json.dumps(document, indent=2))
        return 0
    _print_landmarks(found.landmarks)
    for one in found.measurements:
        told = ", ".join(f"{v.name} {v.value:.2f} {v.unit}".rstrip() for v in values[one.name])
        print(f"{one.name} ({one.kind}): {told}")
    print(f"{found.form}, {found.frame} in the file; RAS mm here")
    _say(found.notes, doubts)
    return 0


def run_convert(arguments: argparse.Namespace) -> int:
    """Write landmarks in another format.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When the file cannot be read, the output is there already, or there is nothing that its
        format can hold.
    SaveError
        When it cannot be written.
    """
    from napari_medlabel.export.conversion import convert_landmarks

    found = _read(arguments.path, arguments)
    notes = convert_landmarks(found, arguments.output, frame=arguments.to)
    if arguments.json:
        document = {
            "format": found.form,
            "frame": found.frame,
            "landmarks": len(found.landmarks),
            "placed": len(found.landmarks.placed),
            "measurements": len(found.measurements),
            "notes": [*found.notes, *notes],
        }
        print(json.dumps(document, indent=2))
        return 0
    print(
        f"Written and read back: {len(found.landmarks)} landmarks, "
        f"{len(found.landmarks.placed)} of them placed, {len(found.measurements)} measurements."
    )
    _say(found.notes, notes)
    return 0


def run_compare(arguments: argparse.Namespace) -> int:
    """Print how far several readings agree.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When a file cannot be read, there are less than two, or nothing is common to two.
    RefusedError
        With a limit: when people agree less, or names are mixed up.
    """
    from napari_medlabel.measure.landmarks import compare

    readings, notes = {}, []
    for number, path in enumerate(arguments.path, 1):
        found = _read(path, arguments)
        readings[str(number)] = found.landmarks
        notes += [f"file {number}: {note}" for note in found.notes]
    result = compare(readings, outlier_mm=arguments.outlier)
    if result.deo_mm is None:
        raise InputError(
            "No landmark is placed in two of the files under one name.",
            hint="Compare the names with 'medlabel landmarks info', or give a --template.",
        )
    if arguments.json:
        print(json.dumps({**_compared(result), "notes": notes}, indent=2))
    else:
        _print_comparison(result)
        _say(notes)
    limit = arguments.limit
    if limit is not None and (result.deo_mm > limit or result.mixed_up):
        raise RefusedError(
            "The readings agree less than the limit asks for, or names are mixed up.",
            hint="Look at the landmarks listed above, and place them again.",
        )
    return 0


def _read(path: Path, arguments: argparse.Namespace) -> Reading:
    from napari_medlabel.io.landmarks.reading import read_landmarks
    from napari_medlabel.model import presets

    template = presets.find_template(arguments.template) if arguments.template else None
    return read_landmarks(path, frame=arguments.frame, template=template)


def _row(mark: Landmark) -> dict[str, Any]:
    return {
        "name": mark.name,
        "state": mark.state,
        "ras_mm": None if mark.point_ras is None else list(mark.point_ras),
        "uncertain_mm": mark.uncertain_mm,
        "absent": mark.absent or None,
        "locked": mark.locked,
        "inspected": list(mark.inspected),
        "description": mark.description,
    }


def _number(value: Value) -> dict[str, Any]:
    return {"name": value.name, "value": value.value, "unit": value.unit}


def _print_landmarks(marks: LandmarkSet) -> None:
    width = max((len(mark.name) for mark in marks), default=0)
    for mark in marks:
        place = "-"
        if mark.point_ras is not None:
            place = "  ".join(f"{v:9.2f}" for v in mark.point_ras)
        state: str = mark.absent or mark.state
        if mark.uncertain_mm is not None:
            state += f" within {mark.uncertain_mm:g} mm"
        print(f"{mark.name.ljust(width)}  {place.ljust(31)}  {state}")


def _compared(result: Comparison) -> dict[str, Any]:
    return {
        "readings": len(result.raters),
        "odm_mm": result.odm_mm,
        "deo_mm": result.deo_mm,
        "icc_2_1_ras": None if result.icc is None else list(result.icc),
        "complete_landmarks": result.complete,
        "landmarks": [
            {
                "name": one.name,
                "placed_by": [int(rater) for rater in one.placed_by],
                "mean_ras_mm": None if one.mean_ras is None else list(one.mean_ras),
                "sd_ras_mm": None if one.sd_mm is None else list(one.sd_mm),
                "odm_mm": one.odm_mm,
                "deo_mm": one.deo_mm,
                "largest_mm": one.largest_mm,
            }
            for one in result.spreads
        ],
        "outliers": [
            {"name": one.name, "file": int(one.rater), "mm": one.mm} for one in result.outliers
        ],
        "mixed_up": [
            {
                "kind": one.kind,
                "file": int(one.rater),
                "names": list(one.names),
                "meant": list(one.meant),
                "offset": one.offset,
            }
            for one in result.mixed_up
        ],
    }


def _print_comparison(result: Comparison) -> None:
    width = max(len(one.name) for one in result.spreads)
    print(
        f"{'landmark'.ljust(width)}   n     ODM     DEO  largest   SD R    SD A    SD S  (mm)"
    )
    for one in result.spreads:
        numbers = (one.odm_mm, one.deo_mm, one.largest_mm, *(one.sd_mm or (None,) * 3))
        cells = " ".join("      -" if v is None else f"{v:7.2f}" for v in numbers)
        print(f"{one.name.ljust(width)}  {len(one.placed_by):2d} {cells}")
    print(f"mean distance from the mean (ODM) {result.odm_mm:.2f} mm, ", end="")
    print(f"between people (DEO) {result.deo_mm:.2f} mm")
    if result.icc is not None:
        icc = ", ".join(f"{v:.4f}" for v in result.icc)
        print(f"ICC(2,1) along R, A, S: {icc}, over {result.complete} landmarks")
    for far in result.outliers:
        print(f"outlier: {far.name} of file {far.rater} lies {far.mm:.1f} mm away")
    for wrong in result.mixed_up:
        words = _words(wrong.names, wrong.meant)
        print(f"mixed up ({wrong.kind}), file {wrong.rater}: {words}")


def _words(names: tuple[str, ...], meant: tuple[str, ...]) -> str:
    if names == meant:
        return "all lie mirrored, as if LPS had been read as RAS"
    pairs = zip(names, meant, strict=True)
    return ", ".join(f"{name} lies at {other}" for name, other in pairs)


def _say(*notes: Any) -> None:
    for note in (one for group in notes for one in group):
        print(f"note: {note}", file=sys.stderr)
