"""A scan without the dock: sides, volumes and gaps are named, and a case takes over."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.notifications import notification_manager

from napari_medlabel.model.volume import FurtherAxis, Volume
from napari_medlabel.plugin import contributions, plain
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.missing import NAME
from napari_medlabel.plugin.plain import PlainView, watch
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.opening import Wishes, adopt_volume


@pytest.fixture(autouse=True)
def workplace() -> Iterator[None]:
    yield
    WORKPLACE.close()


@pytest.fixture
def add(
    viewer: ViewerModel, scan: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Volume], list[Any]]:
    """Return a function that opens a volume as napari's File > Open does."""

    def opened(volume: Volume) -> list[Any]:
        monkeypatch.setattr(contributions, "read_series", lambda *_, **__: volume)
        made = contributions.read_layers(str(scan))
        return [getattr(viewer, f"add_{kind}")(data, **kw) for data, kw, kind in made]

    return opened


def edges(view: PlainView | None) -> dict[str, str]:
    assert view is not None
    assert view.orientation is not None
    return view.orientation.letters


def test_sides_are_named_in_every_view_and_go_with_the_scan(
    viewer: ViewerModel, add: Callable[[Volume], list[Any]], volume: Volume
) -> None:
    before = viewer.scene.camera.orientation
    view = watch(viewer)
    assert watch(viewer) is view
    (layer,) = add(volume)
    axial = {"top": "A", "bottom": "P", "left": "R", "right": "L"}
    assert edges(view) == axial
    viewer.dims.order = (1, 0, 2)
    assert edges(view) == {"top": "S", "bottom": "I", "left": "R", "right": "L"}
    viewer.dims.order = (2, 0, 1)
    assert edges(view) == {"top": "S", "bottom": "I", "left": "A", "right": "P"}
    viewer.dims.ndisplay = 3
    viewer.scene.camera.angles = (0, 0, 90)
    assert edges(view)["left"] != edges(view)["right"]
    viewer.dims.ndisplay = 2
    viewer.dims.order = (0, 1, 2)
    viewer.scene.camera.orientation2d = ("down", "left")
    assert edges(view) == {"top": "A", "bottom": "P", "left": "L", "right": "R"}
    viewer.layers.remove(layer)
    assert not [key for key in viewer.canvas.overlays if key.startswith("medlabel")]
    assert viewer.scene.camera.orientation == before
    viewer.dims.order = (1, 0) if viewer.dims.ndim == 2 else (1, 0, 2)
    assert view.orientation is None


def test_a_camera_turned_by_hand_in_3d_never_mirrors(
    viewer: ViewerModel, add: Callable[[Volume], list[Any]], volume: Volume
) -> None:
    view = watch(viewer)
    add(volume)
    viewer.dims.ndisplay = 3
    wanted, letters = viewer.scene.camera.handedness, edges(view)
    viewer.scene.camera.orientation = ("towards", "down", "left")
    assert viewer.scene.camera.handedness == wanted
    assert edges(view) == letters


def test_foreign_layers_get_no_letters(viewer: ViewerModel) -> None:
    view = watch(viewer)
    viewer.add_image(np.zeros((4, 5, 6)), metadata={KEY: "no dictionary"})
    viewer.add_image(np.zeros((4, 5, 6)), metadata={KEY: {"role": "scan", "case": "?"}})
    assert view is not None
    assert view.orientation is None


def test_missing_slices_are_marked_named_and_told(
    viewer: ViewerModel, add: Callable[[Volume], list[Any]], gappy_scan: Volume
) -> None:
    watch(viewer)
    told = len(notification_manager.records)
    layer, tint = add(replace(gappy_scan, warnings=("Tilted.", "Tilted.")))
    assert tint.name == NAME
    assert tint.metadata[KEY]["role"] == "missing"
    (note,) = notification_manager.records[told:]
    assert str(note.severity) == "warning"
    assert "2 of 6 slices are missing (number 3, 5)" in note.message
    assert note.message.count("Tilted.") == 1
    assert [w in note.message for w in layer.metadata[KEY]["warnings"]] == [True, True]
    words = {}
    for step in range(6):
        viewer.dims.set_current_step(0, step)
        words[step] = str(viewer.canvas.overlays["medlabel_missing"].text)
    said = {step: text for step, text in words.items() if text}
    assert said == {
        1: "Slice 5: no image in the files",
        3: "Slice 3: no image in the files",
    }
    red = np.flatnonzero(np.asarray(tint.data).any(axis=(1, 2)))
    assert list(red) == list(said)


def test_a_larger_layer_beside_it_does_not_shift_the_numbers(
    viewer: ViewerModel, add: Callable[[Volume], list[Any]], gappy_scan: Volume
) -> None:
    watch(viewer)
    layer, _ = add(gappy_scan)
    thick = layer.scale[0]
    below = np.array(layer.translate) - (4 * thick, 0, 0)
    viewer.add_image(np.zeros((20, 10, 12)), scale=layer.scale, translate=below)
    z = int(Display.of(gappy_scan).points_zyx((0, 0, 2))[0])
    viewer.dims.set_point(0, layer.translate[0] + z * thick)
    assert viewer.dims.current_step[0] != z
    assert viewer.canvas.overlays["medlabel_missing"].text == "Slice 3: no image in the files"
    viewer.dims.set_point(0, below[0])
    assert viewer.canvas.overlays["medlabel_missing"].text == ""


def test_oblique_axes_are_told_without_alarm_and_a_plain_scan_not_at_all(
    add: Callable[[Volume], list[Any]], volume: Volume
) -> None:
    told = len(notification_manager.records)
    add(volume)
    assert len(notification_manager.records) == told
    add(replace(volume, warnings=("Oblique: the axes are turned by 8.0 degrees.",)))
    (note,) = notification_manager.records[told:]
    assert str(note.severity) == "info"


def test_the_value_of_an_irregular_axis_stands_on_the_canvas(
    viewer: ViewerModel,
    add: Callable[[Volume], list[Any]],
    scan_of_times: Callable[..., Volume],
) -> None:
    view = watch(viewer)
    volume = scan_of_times()
    assert volume.further is not None
    echoes = FurtherAxis("echo", "ms", (10.0, 14.8, 30, 31, 99), volume.further.array)
    (layer,) = add(replace(volume, further=echoes))
    assert view is not None
    viewer.dims.set_current_step(0, 0)
    assert view.words == "volume 1 of 5: echo 10 ms"
    viewer.dims.set_current_step(0, 1)
    assert view.words == "volume 2 of 5: echo 14.8 ms"
    viewer.layers.remove(layer)
    assert view.words == ""


def test_pictures_have_no_sides_and_beside_a_scan_none_are_claimed(
    viewer: ViewerModel,
    add: Callable[[Volume], list[Any]],
    pictures: Volume,
    gappy_scan: Volume,
) -> None:
    view = watch(viewer)
    add(pictures)
    assert set(edges(view).values()) == {""}
    add(gappy_scan)
    assert set(edges(view).values()) == {"?"}


def test_a_case_takes_over_and_gives_back(
    viewer: ViewerModel,
    add: Callable[[Volume], list[Any]],
    gappy_scan: Volume,
    tmp_path: Path,
) -> None:
    view = watch(viewer)
    assert view is not None
    layer, tint = add(gappy_scan)
    session = adopt_volume(
        gappy_scan, [tmp_path], WORKPLACE.desk(), Wishes(folder=tmp_path), fallback=tmp_path
    )
    bound = Binding(session, viewer, layer)
    assert bound.missing is not None
    assert bound.missing.layer is tint
    assert [one.name for one in viewer.layers].count(NAME) == 1
    assert view.orientation is None
    assert bound.orientation.letters["right"] == "L"
    bound.detach()
    assert edges(view)["right"] == "L"
    assert "medlabel_missing" in viewer.canvas.overlays
    bound.remove_layers()
    assert len(viewer.layers) == 0
    assert view.orientation is None
    session.close()


def test_a_scan_opened_beside_a_case_changes_nothing_on_the_canvas(
    viewer: ViewerModel, gappy_scan: Volume, pictures: Volume, tmp_path: Path, add: Any
) -> None:
    session = adopt_volume(
        gappy_scan, [tmp_path], WORKPLACE.desk(), Wishes(folder=tmp_path), fallback=tmp_path
    )
    bound = Binding(session, viewer)
    view = watch(viewer)
    (beside,) = add(pictures)
    assert view is not None
    assert view.orientation is None
    assert bound.orientation.letters["right"] == "L"
    bound.detach()
    bound.remove_layers()
    assert set(edges(view).values()) == {""}, "now it stands alone"
    viewer.layers.remove(beside)
    assert "medlabel_top" not in viewer.canvas.overlays
    session.close()


def test_another_napari_is_left_alone(
    viewer: ViewerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain.napari, "__version__", "0.10.0rc1")
    assert watch(viewer) is None


def test_nothing_of_it_outlives_its_viewer(volume: Volume) -> None:
    viewer = ViewerModel()
    view = weakref.ref(watch(viewer))
    gc.collect()
    assert view() is not None, "the viewer holds it"
    del viewer
    gc.collect()
    assert view() is None
