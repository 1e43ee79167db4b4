"""``medlabel convert SRC DST.nii.gz``: a scan, or marks on a scan, as NIfTI, logged."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.errors import GeometryError, InputError, MedlabelError

if TYPE_CHECKING:
    from napari_medlabel.geometry.grid import Grid
    from napari_medlabel.io.series_info import SeriesInfo
    from napari_medlabel.model.volume import Source, Volume
    from napari_medlabel.session.desk import Desk

VALUES: Final = (
    "rescaled",
    "stored",
    "real-world",
    "philips-precise",
    "suv-bw",
    "suv-lbm",
    "suv-bsa",
)
"""What voxels can be read as: io.registry.VALUES, which is not imported for a --help."""
_NO_SIDES: Final = (
    "A NIfTI file cannot say that images have no place: sides and positions that other "
    "programs show for it mean nothing."
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``convert`` to the command line.

    Parameters
    ----------
    subparsers : argparse subparsers
        Of ``medlabel``.
    """
    parser = subparsers.add_parser(
        "convert",
        help="write a scan as NIfTI in the same place, or marks as a mask on their scan",
        description="Write the series in SRC as NIfTI at the same millimetres. Nothing is "
        "resampled unless --straighten asks for it, and nothing is overwritten.",
    )
    parser.add_argument(
        "source", type=Path, metavar="SRC", help="a folder, a file, a zip file or a DICOMDIR"
    )
    parser.add_argument("target", type=Path, metavar="DST", help="a new .nii.gz or .nii file")
    parser.add_argument(
        "--series", metavar="N|UID", help="which series, as medlabel info lists them"
    )
    parser.add_argument(
        "--values",
        choices=VALUES,
        default="rescaled",
        help="what stored values become (default: rescaled)",
    )
    parser.add_argument(
        "--volume", type=int, metavar="N", help="one of several volumes, counted from 1"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--like",
        type=Path,
        metavar="REF",
        help="in the voxel order of another file of the same scan, by flips alone",
    )
    how.add_argument(
        "--straighten",
        action="store_true",
        help="resample a tilted or oblique scan along the patient's axes",
    )
    parser.add_argument(
        "--on",
        type=Path,
        metavar="SCAN",
        help="SRC is a segmentation, a structure set or a mask of this scan: write a mask",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--audit", type=Path, metavar="DIR", help="the audit log's folder")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Convert and say what was written.

    Returns
    -------
    int
        0.

    Raises
    ------
    MedlabelError
        For bad input, a target that cannot be written, or a log that cannot.
    """
    from napari_medlabel.export.volume import require_new
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.receipts import receipt_beside

    require_new(arguments.target)
    _require_free(receipt_beside(arguments.target), "The receipt of the target")
    _require_sense(arguments)
    job = _mask_job(arguments) if arguments.on else _volume_job(arguments)
    desk = open_desk(arguments.audit, role="researcher")
    try:
        document = _write_logged(job, desk)
    finally:
        desk.log.close()
    if arguments.json:
        print(json.dumps(document, indent=2))
    else:
        _tell(document)
    return 0


@dataclass(frozen=True)
class _Job:
    """What is to be written, read and checked before the log is opened.

    Parameters
    ----------
    scan : Volume
        The scan behind it, for the log.
    files : tuple of Path
        What will be written.
    write : callable
        Receives the time; writes and returns the document of ``--json``.
    """

    scan: Volume
    files: tuple[Path, ...]
    write: Callable[[str], dict[str, Any]]


def _require_sense(arguments: argparse.Namespace) -> None:
    if arguments.on is None:
        return
    for name, given in (
        ("--straighten", arguments.straighten),
        ("--volume", arguments.volume is not None),
        ("--values", arguments.values != "rescaled"),
    ):
        if given:
            raise InputError(
                f"{name} is for scans; with --on a mask is written, which is never resampled.",
                hint=f"Leave {name} out.",
            )


def _write_logged(job: _Job, desk: Desk) -> dict[str, Any]:
    """Write with every event in the log: no log, no export."""
    from napari_medlabel.io.manifest import manifest_of_files
    from napari_medlabel.session.logged import converted
    from napari_medlabel.session.opening import log_opening
    from napari_medlabel.session.outbox import tell
    from napari_medlabel.session.receipts import add_receipt, receipt_beside

    subject, weak = desk.subject(job.scan.source)
    log_opening(desk, job.scan, subject, weak=weak)
    tell(desk.log, converted(subject, job.scan.source.format, len(job.files)))
    leaves: Mapping[str, object] = {
        "destination": "folder",
        "format": "nifti",
        "files": len(job.files),
    }
    desk.log.append("export.begin", subject=(subject,), detail=leaves)
    try:
        document = job.write(desk.time())
        manifest = manifest_of_files(job.files)
    except MedlabelError:
        desk.log.append("export.fail", subject=(subject,), detail={**leaves, "cause": "other"})
        raise
    detail = {**leaves, "manifest": manifest}
    desk.log.append("export.done", subject=(subject,), detail=detail)
    add_receipt(desk.log, receipt_beside(job.files[0]), manifest)
    return document


def _read(
    path: Path, series: str | None, values: str, audit: Path | None
) -> tuple[SeriesInfo, Volume]:
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.io.registry import choose, find_series, read_series
    from napari_medlabel.session.denial import denials_alone
    from napari_medlabel.session.desk import open_desk

    # Nothing is written before everything is checked: no log is open yet.
    with denials_alone(path, lambda: open_desk(audit, role="researcher")):
        info = choose(find_series(path, progress=progress("looking at files")), series)
        return info, read_series(info, values=values, progress=progress("reading"))


def _volume_job(arguments: argparse.Namespace) -> _Job:
    from napari_medlabel.export.like import turn_volume
    from napari_medlabel.export.straight import is_straight, straighten
    from napari_medlabel.export.volume import pick_volume, save_volume

    info, scan = _read(arguments.source, arguments.series, arguments.values, arguments.audit)
    volume = scan if arguments.volume is None else pick_volume(scan, arguments.volume)
    notes: tuple[str, ...] = ()
    if arguments.like is not None:
        volume = turn_volume(volume, _reference(arguments.like)[0])
    elif arguments.straighten:
        if is_straight(volume.grid):
            notes = ("The axes lie along the patient's already: nothing was resampled.",)
        volume = straighten(volume)
    if volume.source.header is not None:
        notes += ("The NIfTI header was copied, with the texts in it.",)

    if volume.slices == "pictures":
        notes += (_NO_SIDES,)

    def write(_time: str) -> dict[str, Any]:
        saved = save_volume(arguments.target, volume)
        further = volume.further
        output = {
            **_place(volume.grid),
            "axes": volume.grid.affine.axis_codes if volume.is_oriented else None,
            "dtype": "rgb24" if volume.colour is not None else str(volume.array.dtype),
            "quantity": volume.quantity,
            "volumes": 1 if further is None else len(further.values),
            "axis": None
            if further is None
            else {"name": further.name, "unit": further.unit, "values": list(further.values)},
            "slices": volume.slices,
            "missing": list(volume.missing),
            "sha256": saved.sha256,
            "bytes": saved.bytes,
            "second_reader": saved.second_reader,
        }
        return _document(info, [output], (*volume.warnings, *notes))

    return _Job(scan, (arguments.target,), write)


def _mask_job(arguments: argparse.Namespace) -> _Job:
    from napari_medlabel.export.like import turn_onto
    from napari_medlabel.export.mask import save_mask, sidecar_path
    from napari_medlabel.export.volume import require_new
    from napari_medlabel.io.registry import read_marks
    from napari_medlabel.model.labelmap import LabelMap

    info, scan = _read(arguments.on, arguments.series, "rescaled", arguments.audit)
    marks = read_marks(_marks_file(arguments.source), scan)
    if not marks.labels:
        raise InputError(
            f"A mask is made of labels; these marks hold none, but {len(marks.landmarks)} "
            f"points, {len(marks.contours)} contours and {len(marks.probabilities)} "
            "probability maps.",
            hint="Open them with their scan to see them.",
        )
    labels, source = list(marks.labels), scan.source
    if arguments.like is not None:
        grid, like = _reference(arguments.like)
        turn = turn_onto(scan.grid, grid)
        labels = [LabelMap(grid, turn.apply(one.array), one.scheme) for one in labels]
        source = like or replace(source, header=None)
    targets = _numbered(arguments.target, len(labels))
    sidecars = [sidecar_path(target) for target in targets]
    for target, sidecar in zip(targets, sidecars, strict=True):
        require_new(target)
        _require_free(sidecar, "The sidecar of the target (.json)")

    def write(time: str) -> dict[str, Any]:
        outputs = []
        for target, one in zip(targets, labels, strict=True):
            saved = save_mask(target, one, source, time=time, slices=scan.slices)
            outputs.append(
                {
                    **_place(one.grid),
                    "dtype": str(one.array.dtype),
                    "labels": len(one.voxel_counts()),
                    "content_id": saved.content_id,
                    "sha256": saved.sha256,
                    "bytes": target.stat().st_size,
                }
            )
        return _document(info, outputs, (*scan.warnings, *marks.warnings))

    return _Job(scan, (*targets, *sidecars), write)


def _marks_file(path: Path) -> Path:
    """Return the one file of marks in a folder, or the file itself."""
    from napari_medlabel.io.registry import find_series

    if not path.is_dir():
        return path
    marks = find_series(path).marks
    if len(marks) != 1:
        raise InputError(
            f"One file of marks is expected in the folder; there are {len(marks)}.",
            hint="Name the file itself.",
        )
    return marks[0].path


def _reference(path: Path) -> tuple[Grid, Source | None]:
    """Return the grid of the file to follow and, for NIfTI, what its header says."""
    from napari_medlabel.io.files import sha256_file
    from napari_medlabel.io.nifti import reading as nifti
    from napari_medlabel.io.registry import choose, find_series
    from napari_medlabel.model.volume import Source

    info = choose(find_series(path), None)
    if info.grid is None:
        raise GeometryError(
            f"The file given with --like cannot be read: {info.problem}", hint=info.hint
        )
    if info.format != "nifti":
        return info.grid, None
    header = nifti.inspect(path)
    digest = sha256_file(path)
    return info.grid, Source(
        "nifti", (path,), (digest,), header=header.raw, big_endian=header.big_endian
    )


def _require_free(path: Path, what: str) -> None:
    if path.exists():
        raise InputError(
            f"{what} exists already, and nothing is overwritten.",
            hint="Choose another name, or move the file away.",
        )


def _numbered(target: Path, count: int) -> list[Path]:
    """Return a name for each mask: classes that overlap do not fit into one."""
    stem, dot, suffix = target.name.partition(".")
    more = [target.with_name(f"{stem}-{number}{dot}{suffix}") for number in range(2, count + 1)]
    return [target, *more]


def _place(grid: Grid) -> dict[str, Any]:
    return {
        "shape_ijk": list(grid.shape),
        "spacing_mm": list(grid.affine.spacing_mm),
        "axes": grid.affine.axis_codes,
        "affine_ras": grid.affine.matrix.tolist(),
    }


def _document(
    info: SeriesInfo, outputs: list[dict[str, Any]], warnings: tuple[str, ...]
) -> dict[str, Any]:
    from napari_medlabel.cli.info import hash_of

    return {
        "input": {
            "series": info.key,
            "hash": hash_of(info.series_uid),
            "format": info.format,
            "modality": info.modality,
            "files": info.files,
        },
        "output": outputs,
        "warnings": list(dict.fromkeys(warnings)),
    }


def _tell(document: Mapping[str, Any]) -> None:
    for output in document["output"]:
        shape = " x ".join(str(n) for n in output["shape_ijk"])
        spacing = " x ".join(f"{mm:.4g}" for mm in output["spacing_mm"])
        axis = output.get("axis")
        more = f", {output['volumes']} volumes ({axis['name']})" if axis else ""
        sides = output["axes"] or "sides unknown"
        print(f"NIfTI written: {shape}{more}, {spacing} mm, {sides}, {output['dtype']}")
        print(f"sha256 {output['sha256']}")
        if output.get("second_reader"):
            print(f"read back, and by {output['second_reader']}: the same values in one place")
    for warning in document["warnings"]:
        print(f"note: {warning}", file=sys.stderr)
