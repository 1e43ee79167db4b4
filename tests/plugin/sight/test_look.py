"""Window and level by hand, slabs and cine, without a window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import Source, Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.sight.cine import WAYS, Cine
from napari_medlabel.plugin.sight.slab import KINDS, ONE, Slab
from napari_medlabel.plugin.sight.view import View
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.sight.windowing import drag_window, window_words
from napari_medlabel.plugin.windows import is_inverted, offered_windows
from napari_medlabel.session.case import Session

Open = Callable[[Volume], Session]
SOURCE = Source("dicom", (Path("scan.dcm"),), ("ab" * 32,))
MIP, MINIP, MEAN = list(KINDS)[1:]


@pytest.fixture
def views(make_grid: Callable[..., Grid], open_volume: Open, viewer: ViewerModel) -> Views:
    grid = make_grid("LPS", shape=(12, 10, 9), spacing=(2.0, 2.0, 3.0))
    array = np.random.default_rng(5).permutation(grid.size).astype(np.int16)
    session = open_volume(Volume(grid, array.reshape(grid.shape), SOURCE, modality="MR"))
    bound = Binding(session, viewer)
    made = Views(session, bound)
    made.open_planes()
    yield made
    made.detach()
    bound.detach()


def drawn(view: View) -> np.ndarray:
    """Return the slice that the scan shows now in a view."""
    return np.asarray(view.image._slice.image.raw)


def mouse(view: View, views: Views, **words: Any) -> SimpleNamespace:
    known = {
        "type": "mouse_press",
        "button": 2,
        "modifiers": (),
        "pos": (50, 50),
        "handled": False,
        "position": views.cross.world,
    }
    return SimpleNamespace(**{**known, **words})


@given(
    st.floats(-2000, 2000),
    st.floats(1, 4000),
    st.tuples(st.floats(-900, 900), st.floats(-900, 900)),
    st.booleans(),
)
def test_a_window_stays_a_window_however_it_is_pulled(
    low: float, width: float, moved: tuple[float, float], whole: bool
) -> None:
    new = drag_window((low, low + width), moved, (-1024.0, 3071.0), whole=whole)
    assert 0 < new[1] - new[0] <= 2 * 4095 + 1e-6
    assert -1024 <= (new[0] + new[1]) / 2 <= 3071
    if moved == (0.0, 0.0) and not whole and -1024 <= low + width / 2 <= 3071:
        assert np.allclose(new, (low, low + width))


def test_to_the_right_widens_and_downwards_darkens_at_the_scan_s_own_speed() -> None:
    window, reach = (-160.0, 240.0), (-1024.0, 3071.0)
    wider = drag_window(window, (300, 0), reach, whole=True)
    assert wider == (-360.0, 440.0)
    assert drag_window(window, (0, 75), reach, whole=True) == (-60.0, 340.0)
    # Uptake values between 0 and 20 and raw numbers of a million: the same hand.
    assert np.allclose(drag_window((0, 5), (60, 60), (0, 20)), (0.5, 6.5))
    assert np.allclose(drag_window((0, 1e6), (-150, 0), (0, 4e6)), (0.25e6, 0.75e6))
    assert drag_window((0, 1), (-5000, 0), (0, 4000), whole=True)[0] < 1
    assert window_words((-160.0, 240.0), "HU") == "W 400  L 40 HU"
    assert window_words((0.0, 5.0), "SUVbw g/ml") == "W 5  L 2.5 g/ml"


def test_a_wide_window_is_said_in_plain_digits_and_its_unit_whole() -> None:
    assert window_words((0.0, 40000.0)) == "W 40000  L 20000"
    assert window_words((100.0, 12445.0)) == "W 12345  L 6272.5"
    assert window_words((0.0, 10.0), "optical density / 1000") == "W 10  L 5"
    assert window_words((0.0, 10.0), "SUVlbm g/ml (James)") == "W 10  L 5 g/ml"


def test_the_right_button_pulls_at_the_window_of_all_views(views: Views) -> None:
    said: list[str] = []
    views.windowing.changed.connect(said.append)
    before = tuple(views.first.image.contrast_limits)
    side = views.sides[0]
    event = mouse(side, views)
    pull = views._mice[id(side)]._press(side.model, event)
    next(pull)
    assert event.handled, "the camera must not zoom"
    event.type, event.pos = "mouse_move", (110, 50)
    next(pull)
    event.type = "mouse_release"
    assert next(pull, "done") == "done"
    after = tuple(views.first.image.contrast_limits)
    assert after[1] - after[0] > before[1] - before[0]
    assert [tuple(view.image.contrast_limits) for view in views.all] == [after] * 3
    assert said[-1].startswith("W ")
    # A tool keeps its right button; the key that is held takes any.
    views.binding.pointing.hand = SimpleNamespace()
    assert list(views._mice[id(side)]._press(side.model, mouse(side, views))) == []
    views.windowing.hold()
    hover = views._mice[id(side)]._hover
    hover(side.model, mouse(side, views, pos=(10, 10)))
    hover(side.model, mouse(side, views, pos=(10, 90)))
    assert tuple(side.image.contrast_limits) != after
    views.windowing.release()
    hover(side.model, mouse(side, views, pos=(10, 10)))
    views.binding.pointing.hand = None


def test_colours_have_no_window_to_pull_at(
    colour_scan: Volume, open_volume: Open, viewer: ViewerModel
) -> None:
    bound = Binding(open_volume(colour_scan), viewer)
    views = Views(bound.session, bound)
    said: list[str] = []
    views.windowing.changed.connect(said.append)
    assert not views.windowing.begin(views.first, (1, 1))
    views.windowing.move((50, 50))
    assert said == ["Colours are shown as they are: they have no window."]
    views.detach()
    bound.detach()


def test_each_kind_of_scan_has_windows_of_its_own(make_grid: Callable[..., Grid]) -> None:
    grid = make_grid()
    array = np.linspace(0, 20, grid.size, dtype=np.float32).reshape(grid.shape)
    pet = Volume(grid, array, SOURCE, modality="PT", quantity="SUVbw g/ml")
    found = {window.name: window for window in offered_windows(pet)}
    assert list(found)[:3] == ["SUV 0-10", "SUV 0-5", "SUV 0-15"]
    assert is_inverted(found["SUV 0-10"])
    names = [w.name for w in offered_windows(replace(pet, quantity=""))]
    assert names == ["Automatic", "Full"]
    mr = offered_windows(replace(pet, modality="MR", quantity=""))
    assert [w.name for w in mr][-2:] == ["Dark tissue", "Full"]
    assert all(w.low < w.high for w in mr)
    flat = replace(pet, array=np.zeros(grid.shape, np.float32), modality="MR")
    assert [w.name for w in offered_windows(replace(flat, quantity=""))] == [
        "Automatic",
        "Full",
    ]


@pytest.mark.parametrize(("kind", "least"), [(MIP, np.max), (MINIP, np.min), (MEAN, np.mean)])
def test_a_slab_is_that_of_the_slices_within_its_millimetres(
    views: Views, kind: str, least: Callable[..., Any]
) -> None:
    slab = Slab(views)
    slab.choose(kind, 9.0)
    for view in views.all:
        axis, at = view.axis, views.cross.voxel_zyx[view.axis]
        mm = views.display.scale[axis]
        inside = [n for n in range(views.display.shape[axis]) if abs(n - at) * mm <= 4.5 + 1e-9]
        wanted = least(np.take(views.first.image.data, inside, axis=axis), axis=axis)
        shown = drawn(view)
        shown = shown if shown.shape == wanted.shape else shown.T
        assert np.allclose(shown, wanted), view.plane
        assert view.words.endswith(f"{kind}, 9 mm")
    # Labels are those of the middle slice.
    views.binding.labels.data[:, :, :] = 0
    slab.detach()
    assert all(not view.note for view in views.all)


def test_another_thickness_slices_each_view_once(views: Views) -> None:
    slab = Slab(views)
    slab.choose(MIP, 6.0)
    sliced: list[int] = []
    for number, view in enumerate(views.all):
        view.image.events.set_data.connect(lambda _e, n=number: sliced.append(n))
    slab.choose(MIP, 18.0)
    assert sorted(sliced) == list(range(len(views.all)))
    slab.detach()


def test_landmarks_fade_as_before_and_in_a_slab_all_inside_are_seen(views: Views) -> None:
    points, dims = views.binding.points, views.first.model.dims
    fade = tuple(dims.thickness)
    slab = Slab(views)
    slab.choose(MIP, 6.0)
    assert str(points.projection_mode) == "all"
    z, y, x = views.cross.voxel_zyx
    for away in (-2, -1, 1, 2):
        views.session.place_landmark(
            views.session.landmarks.next_name, tuple(views.display.to_ras((z + away, y, x)))
        )
    # Slices of 3 mm: one on each side.
    assert sorted(points.data[points._view_indices][:, 0]) == [z - 1, z + 1]
    side = views.sides[0].twin_of(points)
    assert str(side.projection_mode) == "all"
    slab.choose(ONE, 6.0)
    assert tuple(dims.thickness) == fade
    assert str(points.projection_mode) == str(side.projection_mode) == "rescale_linear"
    assert str(views.first.image.projection_mode) == "none"
    slab.next_kind()
    assert slab.kind == MIP
    for kind, mm in (("Thick", 5.0), (MIP, 0.0), (MIP, 1e6)):
        with pytest.raises(InputError, match="at most 200 mm thick"):
            slab.choose(kind, mm)
    slab.detach()
    assert tuple(dims.thickness) == fade


@pytest.mark.parametrize("who", ["hand", "brush", "landmark"])
def test_what_is_marked_is_what_is_seen(views: Views, who: str) -> None:
    slab, binding = Slab(views), views.binding
    slab.choose(MIP, 30.0)

    def seen() -> list[bool]:
        return [
            np.isin(drawn(v), np.take(v.image.data, v.place(views.cross)[v.axis], v.axis)).all()
            for v in views.all
        ]

    assert not any(seen())
    if who == "hand":
        binding.pointing.hand = SimpleNamespace()
    elif who == "brush":
        binding.labels.mode = "paint"
    else:
        binding.points.mode = "add"
    assert slab.is_resting
    assert all(seen())
    binding.pointing.hand = None
    binding.labels.mode = binding.points.mode = "pan_zoom"
    assert not slab.is_resting
    assert not any(seen())
    # A view that comes later shows the slab as well.
    views.close(views.sides[0])
    views.open_planes()
    assert not any(seen())
    slab.detach()


def test_the_cine_plays_round_back_and_there_and_stops_at_any_edit(views: Views) -> None:
    cine = Cine(views)
    views.scroll(views.first, 99)
    cine.start()
    cine.step()
    assert views.cross.voxel_zyx[0] == 0
    cine.start(way=WAYS[1])
    cine.step()
    assert views.cross.voxel_zyx[0] == 8
    cine.start(way=WAYS[2])
    seen = []
    for _ in range(17):
        cine.step()
        seen.append(views.cross.voxel_zyx[0])
    assert seen == [7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 7]
    assert cine.following(0, 1) == 0
    corner = (slice(0, 1),) * 3
    views.session.edit(corner, np.ones((1, 1, 1), np.uint8), name="Square")
    assert not cine.is_playing
    cine.step()
    assert views.cross.voxel_zyx[0] == 7
    with pytest.raises(InputError, match="no time to play"):
        cine.start(through_time=True)
    cine.start()
    views.session.place_landmark(views.session.landmarks.next_name, (0.0, 0.0, 0.0))
    assert not cine.is_playing
    views.current = views.sides[0]
    cine.start()
    views.close_sides()
    assert not cine.is_playing
    views.show_plane("3D")
    with pytest.raises(InputError, match="no slices"):
        cine.start()
    cine.detach()


def test_times_are_played_in_all_views(
    scan_of_times: Callable[..., Volume], open_volume: Open, viewer: ViewerModel
) -> None:
    bound = Binding(open_volume(scan_of_times(wrap=np.asarray)), viewer)
    views = Views(bound.session, bound)
    views.open_planes()
    cine = Cine(views)
    cine.start(through_time=True)
    cine.step()
    assert bound.volume_number == 1
    assert views.sides[0].model.dims.current_step[0] == 1
    cine.detach()
    views.detach()
    bound.detach()
