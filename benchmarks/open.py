"""Opening the sample CT in a napari window to the first drawn slice, against plain napari."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from _measure import Side, Work, main, nothing

LIMITS = (-160.0, 240.0)
TOLD: dict[tuple[str, int], dict[str, float]] = {}
"""Both rows come from the same processes: who, number of the run -> seconds."""


def can_show() -> str:
    """Return why no window can be shown here; empty when one can."""
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        return "no display; run under xvfb-run"
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        return "the offscreen platform of Qt draws no napari window"
    return ""


def ours(folder: Path) -> tuple[float, Any]:
    """Open as ``medlabel open`` does: log, hashes, layers, dock. Return start and viewer."""
    from napari_medlabel import samples
    from napari_medlabel.model import presets
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.opening import Wishes, open_case
    from napari_medlabel.widgets.window import make_window

    own = Path(mkdtemp(dir=folder))
    viewer, dock = make_window()
    settle()
    start = time.perf_counter()
    desk = open_desk(own / "audit", state=own / "state")
    wishes = Wishes(presets.scheme("abdomen"), presets.template("abdomen"), folder=own / "case")
    session = open_case([samples.path("ct_abdomen")], desk, wishes, fallback=own)
    dock.desk.show_session(session)
    return start, viewer


def theirs(_folder: Path) -> tuple[float, Any]:
    """Read with SimpleITK and show with add_image. Return start and viewer."""
    import napari
    import SimpleITK

    from napari_medlabel import samples

    viewer = napari.Viewer()
    settle()
    start = time.perf_counter()
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    folder = next(p for p in samples.path("ct_abdomen").iterdir() if p.is_dir())
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    array = SimpleITK.GetArrayFromImage(image)
    scale = image.GetSpacing()[::-1]
    viewer.add_image(array, scale=scale, contrast_limits=LIMITS, name="CT")
    viewer.dims.set_current_step(0, array.shape[0] // 2)
    return start, viewer


def settle() -> None:
    """Let the window show itself."""
    from qtpy.QtWidgets import QApplication

    for _ in range(5):
        QApplication.processEvents()


def draw(who: str, folder: Path) -> dict[str, float]:
    """Open once; return seconds from the wish, and the moment when the slice was drawn."""
    start, viewer = (ours if who == "ours" else theirs)(folder)
    settle()
    # Reading the canvas back waits until the graphics driver has really drawn.
    picture = viewer.screenshot(canvas_only=True, flash=False)
    now = time.perf_counter()
    if picture[..., :3].std() < 5:
        raise SystemExit("The window showed no slice.")
    return {"inside": now - start, "at": time.time()}


def in_process(who: str, which: str, folder: Path) -> Side:
    """Each run is a Python of its own: a second opening in one process would be warm."""
    environment = {
        **os.environ,
        "NAPARI_CONFIG": str(folder / "napari.yaml"),
        "XDG_DATA_HOME": str(folder / "data"),
        "MEDLABEL_AUDIT_DIR": str(folder / "audit"),
        "MEDLABEL_STATE_DIR": str(folder / "state"),
    }
    command = [sys.executable, __file__, "--draw", who, "--folder", str(folder)]

    def run(number: int) -> float:
        if (who, number) not in TOLD:
            TOLD[who, number] = start()
        return TOLD[who, number][which]

    def start() -> dict[str, float]:
        begun = time.time()
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=60, env=environment
        )
        told = json.loads(done.stdout.splitlines()[-1])
        return {"inside": told["inside"], "whole": told["at"] - begun}

    return Side(run)


INSIDE = partial(draw, "ours")


def _work(name: str, which: str) -> Work:
    return Work(
        name,
        partial(in_process, "ours", which),
        "SimpleITK + napari.Viewer.add_image",
        partial(in_process, "theirs", which),
        0.5,
        3,
        inside=INSIDE,
    )


WORKS = (
    _work("in an open window: sample CT to the first drawn slice", "inside"),
    _work("from starting Python to the first drawn slice", "whole"),
)


def drawn() -> None:
    """Be one of the processes that `in_process` starts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draw", choices=["ours", "theirs"], required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    print("\n" + json.dumps(draw(arguments.draw, arguments.folder)), flush=True)
    # What a window does when it closes is not measured, and nothing of it is kept.
    os._exit(0)


if __name__ == "__main__":
    if "--draw" in sys.argv:
        drawn()
    else:
        main(__file__, WORKS, nothing, unable=can_show())
