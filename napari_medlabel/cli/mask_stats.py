"""``medlabel mask stats``: size, place and intensities of every label of a mask."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.model.labelmap import LabelMap
    from napari_medlabel.model.volume import Volume

_PRINTED: Final = ("value", "name", "voxels", "slices", "volume (ml)")
_PRINTED_IF_KNOWN: Final = ("mean", "SD", "longest diameter", "long axis", "short axis")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``stats`` to the subcommands of ``mask``."""
    text = "measure every label of a mask: ml, diameters, centre, and intensities of its scan"
    parser = commands.add_parser(
        "stats",
        help=text,
        description=f"{text}. MASK is a NIfTI, NRRD or MetaImage file, or the folder of a "
        "saved mask. Without --scan nothing is read of the scan, and the log gets no line.",
    )
    parser.add_argument("path", type=Path, metavar="MASK")
    parser.add_argument(
        "--scan", type=Path, metavar="SCAN", help="the scan: a file or a folder with one series"
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="write the table to a new file"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the statistics of a mask.

    Returns
    -------
    int
        0.

    Raises
    ------
    InputError
        When mask or scan cannot be read, or the CSV file exists.
    GeometryError
        When the mask is not on the scan's grid.
    SaveError
        When the CSV file cannot be written.
    LogError
        When the reading of the scan cannot be logged; then nothing is measured.
    """
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.export.segment_statistics import save_statistics, statistics_table
    from napari_medlabel.measure.statistics import measure_labels

    if arguments.csv is not None and arguments.csv.exists():
        raise InputError(
            "The file for the table exists already, and nothing is overwritten.",
            hint="Choose another name, or move the file away.",
        )
    labels, has_place = read_labels(arguments.path)
    image, unit = None, ""
    missing: tuple[int, ...] = ()
    if arguments.scan is not None:
        volume = _scan(arguments.scan, labels, arguments.audit)
        image, unit, missing = volume.array, volume.quantity, volume.missing
        has_place = has_place and volume.slices == "places"
    rows = measure_labels(
        labels, image, has_place=has_place, missing=missing, tick=progress("measuring")
    )
    table = statistics_table(rows, labels.grid, unit=unit)
    if arguments.csv is not None:
        save_statistics(arguments.csv, table)
    if arguments.json:
        print(json.dumps({"scheme": labels.scheme.name, "labels": table}, indent=2))
    else:
        print_table([_brief(record) for record in table])
        if not table:
            print("The mask holds no label.")
    return 0


def read_labels(path: Path) -> tuple[LabelMap, bool]:
    """Read a mask by itself, with the names of its sidecar.

    Parameters
    ----------
    path : Path
        A mask, or the folder of a saved one.

    Returns
    -------
    LabelMap, bool
        And whether its voxels have a place in the patient, so far as its sidecar knows.

    Raises
    ------
    InputError
        When there is none, or it holds no labels.
    """
    from napari_medlabel.export.mask import load_mask
    from napari_medlabel.io.registry import choose, find_series
    from napari_medlabel.model.labelmap import LabelScheme
    from napari_medlabel.session.case import MASK_FILE

    mask = path / MASK_FILE if path.is_dir() else path
    if not mask.is_file():
        raise InputError(
            "There is no mask at the path given.",
            hint=f"Name a mask, or a folder that holds {MASK_FILE}.",
        )
    info = choose(find_series(mask), None)
    if info.grid is None:
        raise InputError(f"The mask cannot be read: {info.problem}", hint=info.hint)
    return load_mask(mask, info.grid, scheme=LabelScheme("Labels", ())), _has_place(mask)


def has_sidecar(path: Path) -> bool:
    """Tell whether a mask has a sidecar that names its labels."""
    from napari_medlabel.export.mask import sidecar_path
    from napari_medlabel.session.case import MASK_FILE

    mask = path / MASK_FILE if path.is_dir() else path
    try:
        return sidecar_path(mask).is_file()
    except InputError:
        return False


def _has_place(mask: Path) -> bool:
    """Ask the sidecar, where there is one: those of pictures say no volume."""
    from napari_medlabel.export.mask import SIDECAR, sidecar_path

    if not has_sidecar(mask):
        return True
    document = json.loads(sidecar_path(mask).read_bytes())
    if not isinstance(document, dict) or document.get("format") != SIDECAR:
        return True
    measured = document.get("measured") or ()
    return not measured or any(one.get("volume_ml") is not None for one in measured)


def _scan(path: Path, labels: LabelMap, audit: Path | None) -> Volume:
    """Read the scan under a mask; the log has it before a value is looked at."""
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.io.registry import read_volume
    from napari_medlabel.session.denial import denials_alone
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.opening import log_opening

    with denials_alone(path, lambda: open_desk(audit, role="researcher")):
        volume = read_volume(path, progress=progress("reading"))
        if volume.further is not None or volume.colour is not None:
            raise InputError(
                "Intensities are measured on one volume of grey values; this scan has more.",
                hint="Take one volume out of it first: medlabel convert --volume N.",
            )
        volume.grid.require_same(labels.grid, what="mask")
    desk = open_desk(audit, role="researcher")
    try:
        subject, weak = desk.subject(volume.source)
        log_opening(desk, volume, subject, weak=weak)
    finally:
        desk.log.close()
    return volume


def _brief(record: dict[str, Any]) -> dict[str, Any]:
    keep = [key for key in record if key in _PRINTED or key.startswith(_PRINTED_IF_KNOWN)]
    return {key: record[key] for key in keep}


def print_table(table: Sequence[dict[str, Any]]) -> None:
    """Print records of one form, numbers to the right; columns without any value are left out.

    Parameters
    ----------
    table : sequence of dict
        Texts and numbers by the names of the columns.
    """
    from napari_medlabel.export.segment_statistics import shown

    if not table:
        return
    names = [name for name in table[0] if any(row[name] is not None for row in table)]
    rows = [names, *([shown(row[name]) for name in names] for row in table)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(names))]
    is_text = [any(isinstance(row[name], str) for row in table) for name in names]
    for row in rows:
        cells = [
            cell.ljust(width) if text else cell.rjust(width)
            for cell, width, text in zip(row, widths, is_text, strict=True)
        ]
        print("  ".join(cells).rstrip())
