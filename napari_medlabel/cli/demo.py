"""``medlabel demo``: the main job on the sample scans, without a screen."""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from napari_medlabel.errors import InputError, MedlabelError, SaveError

if TYPE_CHECKING:
    from napari_medlabel.cli.demo_site import DemoSite
    from napari_medlabel.session.case import Session
    from napari_medlabel.session.desk import Desk


@dataclass(frozen=True)
class Organ:
    """How the demo segments one organ.

    Parameters
    ----------
    value : int
        Its label.
    seed_ras : tuple of float
        A point inside, RAS mm.
    low, high : float
        Range in HU, after smoothing.
    opening : int
        Radius in voxels that cuts thin bridges.
    """

    value: int
    seed_ras: tuple[float, float, float]
    low: float
    high: float
    opening: int


RECIPE: Final = (
    Organ(9, (61.2, -50.2, -287.5), -1000, -500, 0),
    Organ(10, (-83.8, -37.7, -287.5), -1000, -500, 0),
    Organ(3, (72.1, -46.3, -472.5), 120, 210, 6),
    Organ(4, (-72.2, -49.4, -412.5), 120, 210, 6),
    Organ(1, (72.9, 6.8, -377.5), 80, 130, 4),
    Organ(2, (-108.0, -17.4, -412.5), 85, 136, 4),
    Organ(7, (48.8, 49.7, -417.5), -15, 40, 4),
)
"""Lungs first, so that nothing leaks into them; each organ keeps out of those before it."""

POLES: Final = (
    ("Right kidney upper pole", 3, True),
    ("Right kidney lower pole", 3, False),
    ("Left kidney upper pole", 4, True),
    ("Left kidney lower pole", 4, False),
    ("Liver dome", 1, True),
)
"""Landmarks that are the highest or lowest point of an organ."""

_SMOOTHING_VOXELS: Final = (1.2, 1.2, 0.3)


@dataclass
class Run:
    """What the demo does and finds, step by step.

    Parameters
    ----------
    say : callable
        Prints a line of progress.
    """

    say: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, words: str) -> Iterator[None]:
        """Time a step and say that it is done."""
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 3)
        self.say(f"  {words:<58}{self.seconds[name]:7.2f} s")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``demo`` to the command line."""
    text = (
        "run the main job on the sample scans without a screen: read, segment, place "
        "landmarks, save, de-identify, export, verify the log"
    )
    parser = subparsers.add_parser(
        "demo", help="the main job on sample scans", description=text
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("demo-output"),
        metavar="DIR",
        help="where each run makes a new folder (default: demo-output)",
    )
    parser.add_argument("--json", action="store_true", help="print the facts as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do the main job once.

    Returns
    -------
    int
        0, or the exit code of the log's verdict.

    Raises
    ------
    MedlabelError
        When a sample is damaged or the folder cannot be written to.
    """
    from napari_medlabel.io.files import make_numbered_folder

    target = make_numbered_folder(arguments.out, "run")
    # With --json the document alone goes to stdout.
    stream = sys.stderr if arguments.json else sys.stdout
    record = Run(lambda line: print(line, file=stream, flush=True))
    record.say(f"napari-medlabel demo, into {target}")
    try:
        code = main_job(target, record)
    except MedlabelError:
        # Half a demonstration helps nobody, least of all on a full disk.
        shutil.rmtree(target, ignore_errors=True)
        raise
    record.facts["seconds"] = record.seconds
    record.facts["written"] = record.written
    if arguments.json:
        print(json.dumps(record.facts, indent=2))
    else:
        _tell(record, target)
    return code


def main_job(target: Path, record: Run) -> int:
    """Open, segment, mark, save, de-identify, export and verify.

    Parameters
    ----------
    target : Path
        An empty folder.
    record : Run
        Receives times and facts.

    Returns
    -------
    int
        Exit code of the log's verdict: 0 green, 4 amber, 5 red.
    """
    from napari_medlabel.cli.demo_site import make_site

    # A log and keys of its own: a demonstration must not stand in the real log.
    with record.step("site", "keys of a workstation, an officer and a witness made"):
        site = make_site(target)
        desk = site.open_desk()
    try:
        session = _open(desk, target, record)
        try:
            _segment(session, record)
            _mark(session, record)
            _save(session, record)
        finally:
            session.close()
        _export(desk, session, target, record)
    finally:
        desk.log.close()
    with record.step("witness", "log looked at and cosigned by the witness"):
        site.look()
    return _verify(site, target, record)


def _open(desk: Desk, target: Path, record: Run) -> Session:
    from napari_medlabel import samples
    from napari_medlabel.model import presets
    from napari_medlabel.session.opening import Wishes, open_case

    with record.step("check samples", "sample scans compared with their hashes"):
        damaged = samples.damaged()
        if damaged:
            raise InputError(
                f"{len(damaged)} sample files are not as they were made.",
                hint="Install napari-medlabel again, or run sample_scans/make_scans.py.",
            )
    with record.step("read", "CT series read, opening logged"):
        wishes = Wishes(
            presets.scheme("abdomen"), presets.template("abdomen"), folder=target / "case"
        )
        session = open_case([samples.path("ct_abdomen")], desk, wishes, fallback=target)
    grid = session.volume.grid
    record.facts["scan"] = {
        "shape_ijk": list(grid.shape),
        "spacing_mm": [round(s, 6) for s in grid.affine.spacing_mm],
        "axes": grid.affine.axis_codes,
        "modality": session.volume.modality,
        "warnings": list(session.volume.warnings),
    }
    return session


def _segment(session: Session, record: Run) -> None:
    """Threshold and grow each organ from a seed, as steps of the session's history."""
    import numpy as np
    from skimage.filters import gaussian

    from napari_medlabel.edit.region import grow
    from napari_medlabel.io.registry import read_mask
    from napari_medlabel.measure.labels import dice, volumes_ml
    from napari_medlabel.samples import truth

    volume = session.volume
    with record.step("smooth", "noise smoothed"):
        # The transposed view is walked in memory order.
        smooth = gaussian(
            volume.array.T.astype(np.float32), _SMOOTHING_VOXELS[::-1], preserve_range=True
        ).T
    with record.step("segment", f"{len(RECIPE)} organs grown from seeds"):
        for organ in RECIPE:
            seed = np.rint(volume.grid.affine.to_index(organ.seed_ras)).astype(int)
            free = session.labels.array == 0
            region = grow(
                smooth, [seed], organ.low, organ.high, limit=free, opening=organ.opening
            )
            name = session.labels.scheme[organ.value].name
            session.bench.fill_region(region, organ.value, name=f"Grow {name}")
    real = read_mask(truth("ct_abdomen_mask.nii.gz"), volume.grid)
    volumes = volumes_ml(session.labels.voxel_counts(), volume.grid)
    record.facts["organs"] = [
        {
            "value": organ.value,
            "name": session.labels.scheme[organ.value].name,
            "volume_ml": round(volumes.get(organ.value, 0.0), 1),
            "dice": round(dice(session.labels.array == organ.value, real == organ.value), 4),
        }
        for organ in RECIPE
    ]
    # Undo and redo, as a person would: the same session, the same history.
    with record.step("undo", "last step undone and done again"):
        before = session.labels.content_id()
        session.undo()
        session.redo()
        if session.labels.content_id() != before:
            raise InputError(
                "Undo and redo did not return to the same mask.",
                hint="This is a fault in the program; please report it.",
            )


def _mark(session: Session, record: Run) -> None:
    """Place landmarks at the poles of what was segmented, and measure their error."""
    import numpy as np

    from napari_medlabel.export.landmarks import load_landmarks
    from napari_medlabel.measure.labels import pole_ras
    from napari_medlabel.samples import truth

    with record.step("landmarks", f"{len(POLES)} landmarks placed"):
        for name, value, upper in POLES:
            session.place_landmark(name, pole_ras(session.labels, value, upper=upper))
    real = load_landmarks(truth("ct_abdomen_landmarks.mrk.json"))
    record.facts["landmarks"] = []
    for name, _value, _upper in POLES:
        mark, truly = session.landmarks[name].point_ras, real[name].point_ras
        if mark is None or truly is None:
            continue
        apart = float(np.linalg.norm(np.subtract(mark, truly)))
        record.facts["landmarks"].append(
            {
                "name": name,
                "point_ras_mm": [round(v, 2) for v in mark],
                "from_truth_mm": round(apart, 2),
            }
        )


def _save(session: Session, record: Run) -> None:
    import numpy as np

    from napari_medlabel.export.landmarks import load_landmarks
    from napari_medlabel.export.mask import load_mask
    from napari_medlabel.session.saving import save

    with record.step("save", "mask and landmarks written, synced, read back"):
        report = save(session)
    if report.unlogged is not None:
        raise report.unlogged
    with record.step("reload", "both loaded again and compared"):
        again = load_mask(report.mask.path, session.volume.grid, scheme=session.labels.scheme)
        same = np.array_equal(again.array, session.labels.array)
        marks = load_landmarks(session.place.landmarks)
        if not same or marks != session.landmarks:
            raise SaveError(
                "What was saved did not load again the same.",
                hint="This is a fault in the program; please report it.",
            )
    record.written += [str(path) for path in report.files]
    record.facts["mask"] = {"content_id": report.mask.content_id, "sha256": report.mask.sha256}


def _export(desk: Desk, session: Session, target: Path, record: Run) -> None:
    """De-identify the series and lay mask and landmarks on the result."""
    from napari_medlabel.cli.project_key import new_project
    from napari_medlabel.deid.keys.key_store import FileStore
    from napari_medlabel.deid.keys.table import LinkTable
    from napari_medlabel.deid.rules.profile import basic_profile
    from napari_medlabel.export.landmarks import save_landmarks
    from napari_medlabel.export.mask import save_mask
    from napari_medlabel.io.files import make_folder
    from napari_medlabel.io.manifest import RECEIPT_NAME, manifest_of
    from napari_medlabel.io.registry import read_volume
    from napari_medlabel.model.labelmap import LabelMap
    from napari_medlabel.samples import path
    from napari_medlabel.session.deid_run import DeidJob, deidentify_logged
    from napari_medlabel.session.receipts import add_receipt

    out, scan = target / "export" / "labels", target / "export" / "scan"
    make_folder(out)
    with record.step("de-identify", "series de-identified, written bytes searched"):
        store = FileStore(target / "project.key")
        key = new_project(store, desk.log).key
        job = DeidJob(path("ct_abdomen"), scan, basic_profile(), key)
        with LinkTable(store.links, key, secrets.token_bytes) as links:
            report = deidentify_logged(job, links, desk)
    with record.step("export", "mask and landmarks laid on the de-identified series"):
        clean = read_volume(scan)
        session.volume.require_same_voxels(clean)
        labels = LabelMap(clean.grid, session.labels.array, session.labels.scheme)
        # Labels and points made on a de-identified scan: no header of a patient's is in them.
        leaves = {"destination": "folder", "format": "nifti", "files": 3, "deidentified": True}
        desk.log.append("export.begin", subject=(session.place.subject,), detail=leaves)
        saved = save_mask(out / "mask.nii.gz", labels, clean.source, time=desk.time())
        save_landmarks(out / "landmarks.mrk.json", session.landmarks)
        manifest = manifest_of(out)
        detail = {**leaves, "manifest": manifest}
        desk.log.append("export.done", subject=(session.place.subject,), detail=detail)
        add_receipt(desk.log, out / RECEIPT_NAME, manifest)
    record.written += [str(scan), str(saved.path), str(out / "landmarks.mrk.json")]
    record.facts["deid"] = report.to_json()


def _verify(site: DemoSite, target: Path, record: Run) -> int:
    page = target / "audit-report.html"
    with record.step("verify", "audit log verified, the officer's page written"):
        report = site.write_page(page)
    record.facts["audit"] = {
        "verdict": report.verdict.value,
        "events": report.events,
        "sentence": report.sentence,
    }
    record.written += [str(target / "project.key"), str(target / "audit"), str(page)]
    return report.verdict.exit_code


def _tell(record: Run, target: Path) -> None:
    """Say what was found and where it lies."""
    say = record.say
    say("\nOrgan               volume    Dice against the truth")
    for organ in record.facts["organs"]:
        say(f"  {organ['name']:<16}{organ['volume_ml']:8.1f} ml {organ['dice']:8.3f}")
    say("\nLandmark                     from the truth")
    for mark in record.facts["landmarks"]:
        say(f"  {mark['name']:<27}{mark['from_truth_mm']:6.1f} mm")
    say(f"\nAudit log: {record.facts['audit']['sentence']}")
    say("\nWritten:")
    for path in record.written:
        say(f"  {path}")
    say(f"\nTotal {sum(record.seconds.values()):.1f} s. Look at it in napari with:")
    export = target / "export"
    command = "medlabel" if shutil.which("medlabel") else sys.argv[0]
    say(f"  {command} open {export / 'scan'} --mask {export / 'labels' / 'mask.nii.gz'}")
