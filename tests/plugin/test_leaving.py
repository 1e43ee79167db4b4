"""Pictures and layers leave a viewer past the log's gate, whoever asked for them."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import napari.plugins.io
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_medlabel.errors import LogError
from napari_medlabel.plugin import contributions, leaving
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.workplace import WORKPLACE
from tests.io.scans import voxels, write_series
from tests.plugin import fake_window


@pytest.fixture(autouse=True)
def workplace() -> Iterator[None]:
    yield
    WORKPLACE.close()


@pytest.fixture
def viewer(scan: Path) -> ViewerModel:
    model = ViewerModel()
    ((data, keywords, _),) = contributions.read_layers(str(scan))
    model.add_image(data, **keywords)
    return model


def screens() -> list[dict]:
    lines = WORKPLACE.desk().audit_root.rglob("*.jsonl")
    found = [json.loads(x) for path in lines for x in path.read_text().splitlines()]
    return [e for e in found if e.get("event") == "export.screen"]


def details() -> list[dict]:
    return [e["detail"] for e in screens()]


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch, viewer: ViewerModel) -> Any:
    """Return a window of napari's form that draws nothing."""
    fresh = importlib.reload(fake_window)  # classes that nobody has wrapped yet
    for name in ("napari._qt.qt_viewer", "napari._qt.qt_main_window", "napari._vispy.canvas"):
        monkeypatch.setitem(sys.modules, name, fresh)
    leaving.watch_leaving()
    return fresh.Window(viewer)


WAYS = {
    "to a script": (
        lambda w: w.screenshot(),
        {"kind": "screenshot", "destination": "screen", "frames": 1},
    ),
    "to a file": (
        lambda w: w.screenshot("a.png"),
        {"kind": "screenshot", "destination": "folder", "files": 1, "frames": 1},
    ),
    "to a file, with the window": (
        lambda w: w.screenshot(path="a.png", canvas_only=False),
        {"kind": "screenshot", "destination": "folder", "files": 1, "frames": 1},
    ),
    "from the menu": (
        lambda w: w._qt_viewer.screenshot("a.png"),
        {"kind": "screenshot", "destination": "folder", "files": 1, "frames": 1},
    ),
    "a figure": (
        lambda w: w.export_figure("a.png"),
        {"kind": "screenshot", "destination": "folder", "files": 1, "frames": 1},
    ),
    "regions": (
        lambda w: w.export_rois([1, 2, 3], "here"),
        {"kind": "screenshot", "destination": "folder", "files": 3, "frames": 3},
    ),
    "regions to a script": (
        lambda w: w._qt_viewer.export_rois(rois=[1, 2]),
        {"kind": "screenshot", "destination": "screen", "frames": 2},
    ),
    "to the clipboard": (
        lambda w: w._qt_viewer.clipboard(),
        {"kind": "clipboard", "destination": "clipboard", "frames": 1},
    ),
    "to the clipboard, with the window": (
        lambda w: w.clipboard(),
        {"kind": "clipboard", "destination": "clipboard", "frames": 1},
    ),
    "past the window": (
        lambda w: w._qt_viewer.canvas.screenshot(),
        {"kind": "screenshot", "destination": "screen", "frames": 1},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_for_a_picture_is_one_line(window: Any, way: str) -> None:
    act, detail = WAYS[way]
    act(window)
    assert details() == [detail]
    assert len(screens()[0]["subject"]) == 1


@pytest.mark.parametrize("way", WAYS)
def test_no_picture_leaves_when_the_log_refuses(
    window: Any, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise LogError("The log cannot be written.", hint="Free some space.")

    act, _ = WAYS[way]
    monkeypatch.setattr(WORKPLACE, "desk", refuse)
    words = "Nothing left napari, .* The log cannot be written. Free some space."
    with pytest.raises(LogError, match=words):
        act(window)
    assert window._qt_viewer.canvas.drawn == 0


def test_a_film_is_one_line_however_many_pictures_it_has(
    window: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Animation:
        viewer = window._qt_viewer.viewer

        def animate(self, filename: str) -> int:
            return len([window.screenshot() for _ in range(5)])

    window.screenshot()
    module = SimpleNamespace(Animation=Animation)
    monkeypatch.setitem(sys.modules, "napari_animation.animation", module)
    window.screenshot()  # a key frame: from now on the plugin is known
    assert Animation().animate("a.mp4") == 5
    assert [d["kind"] for d in details()] == ["screenshot", "screenshot", "animation"]


def test_a_viewer_without_a_scan_of_ours_is_left_alone(window: Any) -> None:
    window._qt_viewer.viewer.layers.clear()
    WORKPLACE.close()
    window.screenshot("a.png")
    assert details() == []


def test_a_picture_of_a_window_names_the_scan_beside_too(window: Any, tmp_path: Path) -> None:
    second = tmp_path / "second"
    write_series(second, voxels(3), PatientID="BESIDE")
    ((data, keywords, _),) = contributions.read_layers(str(second))
    WORKPLACE.beside.append(Image(data, **keywords))
    window.screenshot("a.png")
    WORKPLACE.beside.clear()
    window.screenshot("a.png")
    assert [len(line["subject"]) for line in screens()] == [2, 1]


def test_what_was_made_from_an_open_scan_is_logged_too(window: Any) -> None:
    viewer = window._qt_viewer.viewer
    made = viewer.layers[0].data * 2
    viewer.layers.clear()
    viewer.add_image(made)
    window.screenshot("a.png")
    assert len(screens()[0]["subject"]) == 1


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what napari's own writers were given, instead of files."""
    given: list[Any] = []

    def write(path: Any, layers: Any, **_: Any) -> tuple[list[str], str]:
        given.append(list(layers))
        return [str(path)], "tiff"

    monkeypatch.setattr(napari.plugins.io, "_write_layers_with_plugins", write)
    return given


def labels_on(viewer: ViewerModel) -> Any:
    where = {**viewer.layers[0].metadata[KEY], "role": "labels"}
    data = np.zeros(viewer.layers[0].data.shape, np.uint8)
    data[1, 2, 3] = 1
    return viewer.add_labels(data, metadata={KEY: where})


@pytest.mark.parametrize(
    "save",
    [
        lambda viewer: viewer.layers.save("a.tif"),
        lambda viewer: viewer.layers.save("a.tif", selected=True),
        lambda viewer: viewer.layers[1].save("a.tif"),
    ],
)
def test_each_way_of_saving_layers_is_one_line_that_names_the_mask(
    viewer: ViewerModel, saved: list, save: Callable[[ViewerModel], object]
) -> None:
    labels_on(viewer)
    save(viewer)
    (line,) = screens()
    assert line["detail"]["kind"] == "save-layer"
    assert line["detail"]["files"] == len(saved[0])
    assert [(ref["role"], ref["type"]) for ref in line["object"]] == [("output", "mask")]


def test_a_layer_with_a_scan_but_no_labels_leaves_unnamed(
    viewer: ViewerModel, saved: list
) -> None:
    layer = labels_on(viewer)
    layer.metadata[KEY]["case"] = "sha256:" + "0" * 64
    layer.save("a.tif")
    assert screens()[0]["object"] == []
    assert len(saved) == 1


def test_no_layer_leaves_when_the_log_refuses(
    viewer: ViewerModel, saved: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LogError("The log cannot be written.", hint="Free some space.")

    monkeypatch.setattr(WORKPLACE.desk().log, "append", refuse)
    with pytest.raises(LogError, match="Free some space"):
        viewer.layers.save("a.tif")
    assert saved == []


def test_our_own_writer_under_save_does_not_log_twice(
    viewer: ViewerModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(path: Any, layers: Any, **_: Any) -> tuple[list[str], str]:
        data, meta, kind = layers[0].as_layer_data_tuple()
        own = {"labels": contributions.write_labels, "points": contributions.write_points}
        return own[kind](path, data, meta), "napari-medlabel"

    monkeypatch.setattr(napari.plugins.io, "_write_layers_with_plugins", write)
    layer = labels_on(viewer)
    target = tmp_path / "mine.nii.gz"
    assert layer.save(str(target)) == [str(target)]
    where = {**layer.metadata[KEY], "role": "landmarks"}
    points = viewer.add_points(np.array([[1.0, 2.0, 3.0]]), metadata={KEY: where})
    points.save(str(tmp_path / "mine.csv"))
    assert [d["files"] for d in details()] == [1, 1]


def test_watching_twice_wraps_once(window: Any) -> None:
    leaving.watch_leaving()
    window.screenshot()
    assert len(details()) == 1
