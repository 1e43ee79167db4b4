"""What all tests share: no test touches the user's own folders, scans made in memory."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import orientation_matrix
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Volume
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk, open_desk
from napari_medlabel.session.opening import Wishes, open_case
from tests import screen

settings.register_profile(
    "fast",
    max_examples=50,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("nightly", parent=settings.get_profile("fast"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: their content may differ from one worker to the other."""
    return argname if isinstance(val, bytes) else None


SCREENS: list[subprocess.Popen[bytes]] = []


def pytest_configure(config: pytest.Config) -> None:
    """Give each process that tests a screen; who only hands tests out needs none."""
    works_for_another = hasattr(config, "workerinput")
    hands_out = config.getoption("numprocesses", None) and not works_for_another
    if not hands_out and screen.wanted(os.environ, several=works_for_another):
        SCREENS.append(screen.begin(os.environ))


def pytest_unconfigure() -> None:
    """Put the screens away."""
    while SCREENS:
        one = SCREENS.pop()
        one.kill()
        one.wait()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest; skip windows where there is no screen, with the reason.

    Windows of one file go to one process, those of different files to whoever is free.
    """
    items.sort(key=lambda item: "longest" not in item.keywords)
    for item in items:
        if "viewer" in item.keywords:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    if os.environ.get("DISPLAY") and os.environ.get("QT_QPA_PLATFORM") != "offscreen":
        return
    skip = pytest.mark.skip(reason="a napari window needs an X server: run under xvfb-run")
    for item in items:
        if "viewer" in item.keywords:
            item.add_marker(skip)


def pytest_collection_finish() -> None:
    """Keep the collector from what stays: walking through it took 98 of 332 s in the windows.

    Windows and viewers leave cycles by the hundred thousand, and at Python's thresholds
    rounds are many, and walk through every imported module again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test a log, a state and a data folder of its own."""
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "own-state"))
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "own-audit"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "own-data"))


@pytest.fixture(autouse=True)
def half_empty_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say that there is room on the disk: a log warns when the tests' own disk fills up."""
    half = 2**39
    usage = type(shutil.disk_usage("."))(2 * half, half, half)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)


@pytest.fixture(autouse=True)
def young_rounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let napari look for garbage among young objects only when a layer leaves a window.

    It walks through all objects, 0.2 s for each layer, against a fault of drivers of Windows.
    """
    if "viewer" in request.keywords and sys.platform == "linux":
        young = SimpleNamespace(collect=lambda: gc.collect(1))
        monkeypatch.setattr("napari._vispy.canvas.gc", young)


@pytest.fixture
def make_grid() -> Callable[..., Grid]:
    """Return a function that makes a grid of any orientation."""

    def make(
        codes: str = "LPS",
        shape: tuple[int, int, int] = (12, 10, 6),
        spacing: tuple[float, float, float] = (0.8, 0.9, 3.0),
    ) -> Grid:
        matrix = np.eye(4)
        matrix[:3, :3] = orientation_matrix(codes) * np.array(spacing)
        matrix[:3, 3] = (11.5, -23.25, 41.0)
        return Grid(shape, Affine(matrix))

    return make


@pytest.fixture
def scan(tmp_path: Path, make_grid: Callable[..., Grid]) -> Path:
    """Return a small scan on the disk: a NIfTI file whose name says nothing."""
    grid = make_grid()
    ramp = np.arange(grid.size, dtype=np.uint16).reshape(grid.shape[::-1]).T
    path = tmp_path / "scan.nii.gz"
    write_mask_nifti(path, ramp, None, False, grid.affine)
    return path


@pytest.fixture
def volume(scan: Path) -> Volume:
    """Return the small scan, read."""
    return load(scan)


@pytest.fixture
def desk() -> Desk:
    """Return a desk with a real log in the test's own folders."""
    desk = open_desk()
    yield Desk(desk.log, desk.tokens, desk.audit_root, desk.state, lambda: NOON)
    desk.log.close()


@pytest.fixture
def wishes(tmp_path: Path) -> Wishes:
    """Return what a person asks for who asks for nothing special."""
    return Wishes(
        presets.scheme("abdomen"), presets.template("abdomen"), folder=tmp_path / "case"
    )


@pytest.fixture
def session(scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path) -> Session:
    """Return the small scan, open."""
    opened = open_case([scan], desk, wishes, fallback=tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def labels(volume: Volume) -> LabelMap:
    """Return empty labels on the small scan."""
    return LabelMap.empty(volume.grid, presets.scheme("abdomen"))
