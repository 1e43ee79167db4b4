"""The longest stretch in which a real window answers nothing, for each act of a working day."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from _measure import Side, Work, main, nothing
from alive_study import material, prepare
from alive_watch import LONG_S, Watch
from open import can_show

TOLD: dict[str, float] = {}
"""All rows come from one process: act -> seconds."""
ACTS = (
    "open a scan",
    "another plane",
    "scroll",
    "paint",
    "undo and redo a stroke",
    "undo and redo a step of the whole volume",
    "save",
    "open linked views",
    "scroll in linked views",
    "segments in 3D",
    "close linked views",
    "open a second scan",
    "close it",
    "sit down at a study",
    "open a reading",
    "back to the list",
)


class Day:
    """A window, and what is done in it.

    Parameters
    ----------
    folder : Path
        That `prepare` has filled.
    """

    def __init__(self, folder: Path) -> None:
        from qtpy.QtWidgets import QMessageBox

        from napari_medlabel.widgets import closing
        from napari_medlabel.widgets.window import make_window

        closing.ask_to_save = lambda _parent: QMessageBox.StandardButton.Discard
        self.own = Path(mkdtemp(dir=folder))
        self.given = material(folder)
        self.viewer, self.dock = make_window()
        self.desk = self.dock.desk
        self.watch = Watch()
        self.rest(3.0)

    def rest(self, seconds: float, until: Callable[[], object] = lambda: True) -> None:
        """Let the window live, at least so long, until something is so."""
        from qtpy.QtTest import QTest

        begun = time.monotonic()
        while (gone := time.monotonic() - begun) < seconds or not until():
            if gone > 120.0:
                raise SystemExit(f"{self.watch.act}: it did not end.")
            QTest.qWait(10)

    def do(
        self,
        act: str,
        *deeds: Callable[[], object],
        until: Callable[[], object] = lambda: True,
        seconds: float = 0.5,
    ) -> None:
        """Do things one after the other, and watch."""
        with self.watch.during(act):
            for deed in deeds:
                deed()
                self.rest(seconds, until)

    def scan(self) -> None:
        """Work on a scan with ten labels."""
        dock, desk = self.dock, self.desk
        mask = self.given.mask
        first = partial(dock.open_paths, [self.given.scan], folder=self.own / "a", mask=mask)
        self.do("open a scan", first, until=lambda: desk.session is not None, seconds=2.0)
        session = desk.session
        planes = ("Coronal", "Sagittal", "Axial")
        self.do("another plane", *(partial(dock.views.plane_requested.emit, p) for p in planes))
        self.do("scroll", *(partial(self.show, k) for k in range(140, 160)), seconds=0.05)
        self.do("paint", *(partial(self.stroke, n) for n in range(10)), seconds=0.05)
        self.do("undo and redo a stroke", desk.undo, desk.redo)
        after = session.labels.array.T.copy().T
        after[:] = 3
        session.edit((slice(None),) * 3, after, name="All")
        self.do("undo and redo a step of the whole volume", desk.undo, desk.redo, desk.undo)
        self.do("save", desk.save, until=lambda: not desk.background.is_busy)
        sight = dock.sight_desk
        self.do("open linked views", partial(sight.choose_layout, "Four"), seconds=3.0)
        ks = range(140, 150)
        self.do("scroll in linked views", *(partial(self.show, k) for k in ks), seconds=0.1)
        self.do("segments in 3D", sight.show_solid, seconds=6.0)
        self.do("close linked views", partial(sight.choose_layout, "One"), seconds=1.0)
        second = partial(dock.open_paths, [self.given.other], folder=self.own / "b")
        self.do(
            "open a second scan",
            second,
            until=lambda: desk.session not in (None, session),
            seconds=2.0,
        )
        self.do("close it", desk.close_case, seconds=1.0)

    def show(self, k: int) -> None:
        """Show a slice."""
        self.viewer.dims.set_current_step(0, k)

    def stroke(self, number: int) -> None:
        """Paint once with napari's brush."""
        layer = self.desk.binding.labels
        layer.brush_size = 20
        layer.paint((150.0, 200.0 + 5 * number, 200.0 + 5 * number), 1)

    def study(self) -> None:
        """Read a case of a study."""
        study = self.dock.study_desk
        sit = partial(study.open_study, self.given.study)
        self.do("sit down at a study", sit, until=lambda: study.work.listing is not None)
        begun = study.work.begin_next
        self.do("open a reading", begun, until=lambda: study.reading is not None, seconds=2.0)
        self.do("back to the list", study.work.back, seconds=1.0)


def watched(folder: Path) -> Watch:
    """Go through a day and return what was seen."""
    day = Day(folder)
    day.scan()
    day.study()
    day.watch.end()
    return day.watch


def side(act: str, folder: Path) -> Side:
    """Return one act of a day in a process of its own."""

    def run(_number: int) -> float:
        if not TOLD:
            TOLD.update(_day(folder))
        return TOLD[act]

    return Side(run)


def _day(folder: Path) -> dict[str, float]:
    environment = {
        **os.environ,
        "NAPARI_CONFIG": str(folder / "napari.yaml"),
        "XDG_DATA_HOME": str(folder / "data"),
        "MEDLABEL_AUDIT_DIR": str(folder / "audit"),
        "MEDLABEL_STATE_DIR": str(folder / "state"),
    }
    command = [sys.executable, __file__, "--day", "--folder", str(folder)]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, timeout=900, env=environment
    )
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


WORKS = tuple(
    Work(
        act,
        partial(side, act),
        "the limit",
        lambda _folder: Side(lambda _number: LONG_S),
        1.0,
        1,
        inside=nothing,
    )
    for act in ACTS
)


def be_watched() -> None:
    """Be the process that `_day` starts: each stall with its place goes to stderr."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--day", action="store_true")
    parser.add_argument("--folder", type=Path, required=True)
    seen: Any = watched(parser.parse_args().folder)
    for stall in seen.stalls:
        print(stall, file=sys.stderr)
    print("\n" + json.dumps(seen.longest), flush=True)
    # What a window does when it closes is not measured.
    os._exit(0)


if __name__ == "__main__":
    if "--day" in sys.argv:
        be_watched()
    else:
        main(__file__, WORKS, prepare, unable=can_show())
