"""Measurements taken by their handles with the mouse: in each plane, view and voxel order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils._proxies import ReadOnlyWrapper
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.model.volume import Source, Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import PLANES
from napari_medlabel.plugin.measurement_grips import MeasurementGrips
from napari_medlabel.plugin.measurement_layer import MeasurementLayers
from napari_medlabel.plugin.sight.view import View
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.session.case import Session

SHAPE = (24, 20, 16)


class Table:
    """A case with its measurements in all its views, and a mouse for each of them."""

    def __init__(self, session: Session, viewer: ViewerModel) -> None:
        self.session = session
        self.binding = Binding(session, viewer)
        self.views = Views(session, self.binding)
        self.layers = MeasurementLayers(session, self.views)
        self.grips = MeasurementGrips(session, self.views, self.layers)
        self.told: list[str] = []
        self.grips.told.connect(self.told.append)

    def close(self) -> None:
        self.grips.detach()
        self.layers.detach()
        self.views.detach()
        self.binding.detach()

    def draw(self, kind: str, *zyx: tuple[float, float, float]) -> Measurement:
        """Add a measurement whose points lie at displayed data coordinates."""
        ras = self.views.display.to_ras(np.array(zyx, float))
        points = tuple(tuple(map(float, p)) for p in ras)
        one = Measurement(self.session.measurements.free_name(kind), kind, points)
        self.session.set_measurements(self.session.measurements.with_one(one), name="Draw")
        self.views.go_to_ras(one.points_ras[0])
        return one

    def zyx(self, name: str = "Line 1") -> np.ndarray:
        return self.views.display.from_ras(self.session.measurements[name].array)

    def send(self, callbacks: Any, kind: str, view: View, zyx: Any, **more: Any) -> bool:
        model = view.model
        display = self.views.display
        event = SimpleNamespace(
            type=kind,
            position=tuple(np.array(zyx) * display.scale + display.translate),
            pos=(0, 0),
            button=more.get("button", 1),
            modifiers=more.get("modifiers", ()),
            is_dragging=more.get("is_dragging", False),
            handled=False,
            view_direction=None,
            dims_displayed=list(model.dims.displayed),
        )
        told = ReadOnlyWrapper(event, exceptions=("handled",))
        callbacks(model, told)
        if model.layers.selection.active is not None:
            callbacks(model.layers.selection.active, told)
        return bool(event.handled)

    def press(self, view: View, zyx: Any, **more: Any) -> bool:
        return self.send(mouse_press_callbacks, "mouse_press", view, zyx, **more)

    def move(self, view: View, zyx: Any) -> None:
        self.send(mouse_move_callbacks, "mouse_move", view, zyx, is_dragging=True)

    def release(self, view: View, zyx: Any) -> None:
        self.send(mouse_release_callbacks, "mouse_release", view, zyx)

    def drag(self, view: View, *way: Any) -> bool:
        taken = self.press(view, way[0])
        for place in way[1:]:
            self.move(view, place)
        self.release(view, way[-1])
        return taken


@pytest.fixture
def make_table(
    make_grid: Callable[..., Grid],
    open_volume: Callable[[Volume], Session],
    viewer: ViewerModel,
) -> Iterator[Callable[..., Table]]:
    made: list[Table] = []

    def make(codes: str = "LPS") -> Table:
        grid = make_grid("LPS" if codes == "oblique" else codes, SHAPE, (1.0, 1.0, 2.0))
        if codes == "oblique":
            turn = np.eye(4)
            cos, sin = np.cos(0.3), np.sin(0.3)
            turn[1:3, 1:3] = (cos, -sin), (sin, cos)
            grid = Grid(SHAPE, Affine(turn @ grid.affine.matrix))
        array = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE[::-1]).T
        volume = Volume(grid, array, Source("nifti", (), ("cd" * 32,)), modality="CT")
        table = Table(open_volume(volume), viewer)
        made.append(table)
        return table

    yield make
    for table in made:
        table.close()


@pytest.fixture
def table(make_table: Callable[..., Table]) -> Table:
    return make_table()


def in_plane(axis: int, *places: tuple[float, float]) -> list[tuple[float, ...]]:
    """Return displayed data coordinates on slice 6 of an axis, from two across it."""
    made = []
    for u, v in places:
        rest = [u, v]
        rest.insert(axis, 6.0)
        made.append(tuple(rest))
    return made


@pytest.mark.parametrize("codes", ["RAI", "oblique"])
def test_a_line_is_dragged_by_its_end_in_three_planes_as_one_step(
    make_table: Callable[..., Table], codes: str
) -> None:
    table = make_table(codes)
    session, views = table.session, table.views
    views.open_planes()
    for axis, plane in enumerate(PLANES):
        view = next(one for one in views.all if one.plane == plane)
        start, end, target = in_plane(axis, (4, 4), (4, 9), (8, 11.5))
        line = table.draw("line", start, end)
        before = len(session.history)
        cross = views.cross.voxel_zyx
        assert table.press(view, end)
        table.move(view, np.array(target) - 1.0)
        table.move(view, target)
        assert len(session.history) == before
        # The value on the canvas and in words follows the hand.
        drawn = np.linalg.norm((np.array(target) - start) * views.display.scale)
        assert table.told[-1] == f"{drawn:.1f} mm"
        shown = table.layers.layers_of(view)[1].features["words"]
        assert next(iter(shown)).endswith(f"\n{drawn:.1f} mm")
        table.release(view, target)
        assert len(session.history) == before + 1
        assert table.zyx(line.name) == pytest.approx(np.array([start, target]))
        assert views.cross.voxel_zyx == cross
        session.undo()
        assert session.measurements[line.name] == line
        session.set_measurements(session.measurements.without(line.name))


def test_a_click_takes_hold_and_a_press_elsewhere_is_the_views(table: Table) -> None:
    view = table.views.first
    line = table.draw("line", (8, 4, 4), (8, 4, 12))
    assert not table.press(view, (8, 12, 12))
    table.release(view, (8, 12, 12))
    assert table.grips.chosen == ""
    steps = len(table.session.history)
    assert table.drag(view, (8, 4, 4))
    assert table.grips.chosen == line.name
    assert len(table.session.history) == steps
    # By its middle it is taken once it is chosen, and moved as a whole.
    assert table.drag(view, (8, 4, 8), (8, 6, 9))
    assert table.zyx() == pytest.approx(np.array([(8, 6, 5), (8, 6, 13)]))
    assert table.session.history.undo_name == "Move measurement"
    table.grips.choose("")
    assert not table.press(view, (8, 6, 9))
    for more in ({"button": 2}, {"modifiers": ("Control",)}):
        table.press(view, (8, 6, 5), **more)
        assert not table.grips.is_dragging


def test_escape_undo_and_deletion_take_a_drag_back(table: Table) -> None:
    view, session = table.views.first, table.session
    line = table.draw("line", (8, 4, 4), (8, 4, 12))
    seen: list[bool] = []
    table.grips.dragging.connect(seen.append)
    table.press(view, (8, 4, 4))
    table.move(view, (8, 9, 4))
    assert table.layers.measured[line.name] != line
    assert table.grips.cancel()
    assert table.layers.measured[line.name] == line
    assert table.layers.words_of(line.name) == "8.0 mm"
    table.move(view, (8, 10, 4))
    table.release(view, (8, 10, 4))
    assert session.measurements[line.name] == line
    assert seen == [True, False]
    table.press(view, (8, 4, 4))
    table.move(view, (8, 9, 4))
    session.undo()
    table.release(view, (8, 9, 4))
    assert not len(session.measurements)
    assert table.grips.chosen == ""
    assert not table.grips.cancel()


def test_locked_ones_and_other_tools_keep_the_mouse_from_handles(table: Table) -> None:
    view, session = table.views.first, table.session
    line = table.draw("line", (8, 4, 4), (8, 4, 12))
    pointing = table.binding.pointing
    table.grips.choose(line.name)
    pointing.hand = SimpleNamespace(press=lambda _p: True, drag=id, release=id)  # type: ignore[assignment]
    assert table.grips.chosen == ""
    table.press(view, (8, 4, 4))
    assert not table.grips.is_dragging
    pointing.hand = None
    table.binding.labels.mode = "paint"
    table.press(view, (8, 4, 4))
    assert not table.grips.is_dragging
    table.binding.labels.mode = "pan_zoom"
    locked = Measurement(line.name, "line", line.points_ras, locked=True)
    session.set_measurements(MeasurementSet((locked,)))
    assert not table.press(view, (8, 4, 4))
    table.release(view, (8, 4, 4))
    table.grips.choose(line.name)
    failed: list[InputError] = []
    table.grips.failed.connect(failed.append)
    assert table.grips.nudge(np.array((0.0, 1.0, 0.0))) is None
    assert "locked" in failed[0].message


def test_the_cursor_and_the_handles_say_what_can_be_taken(table: Table) -> None:
    view = table.views.first
    table.draw("ellipse", (8, 8, 8), (8, 8, 12), (8, 11, 8))
    words = table.layers.layers_of(view)[2]
    assert len(words.data) == 1
    style = view.model.cursor.style
    table.send(mouse_move_callbacks, "mouse_move", view, (8, 8, 12), button=0)
    assert view.model.cursor.style == "pointing"
    assert len(words.data) == 6
    sizes = np.asarray(words.size)
    assert sizes[1] > sizes[0]
    table.send(mouse_move_callbacks, "mouse_move", view, (8, 15, 15), button=0)
    assert view.model.cursor.style == style
    assert len(words.data) == 1
    table.grips.choose("Ellipse 1")
    assert len(words.data) == 6
    table.views.scroll(view, 1)
    assert len(words.data) == 0


def test_keys_nudge_the_chosen_handle_or_all_of_it(table: Table) -> None:
    view = table.views.first
    table.draw("line", (8, 4, 4), (8, 4, 12))
    assert table.grips.nudge(np.array((0.0, 1.0, 0.0))) is None
    table.drag(view, (8, 4, 12))
    at = table.grips.nudge(np.array((0.0, 1.0, 0.0)))
    assert table.views.display.from_ras(at) == pytest.approx((8, 5, 12))
    assert table.zyx() == pytest.approx(np.array([(8, 4, 4), (8, 5, 12)]))
    assert table.session.history.undo_name == "Nudge measurement"
    table.grips.choose("Line 1")
    table.grips.nudge(np.array((1.0, 0.0, 0.0)))
    assert table.zyx() == pytest.approx(np.array([(9, 4, 4), (9, 5, 12)]))


def test_a_view_that_opens_later_has_handles_and_one_that_closes_none(table: Table) -> None:
    views = table.views
    table.draw("line", (4, 8, 4), (4, 8, 12))
    side = views.open("Coronal")
    assert table.drag(side, (4, 8, 4), (2, 8, 5))
    assert table.zyx() == pytest.approx(np.array([(2, 8, 5), (4, 8, 12)]))
    callbacks = list(side.model.mouse_drag_callbacks)
    views.close(side)
    assert len(side.model.mouse_drag_callbacks) < len(callbacks)


@pytest.mark.parametrize("leave", ["slice", "plane"])
def test_a_drag_ends_when_another_slice_or_plane_is_shown(table: Table, leave: str) -> None:
    view = table.views.first
    one = table.draw("line", (8, 8, 8), (8, 8, 14))
    count = len(table.session.history)
    assert table.press(view, (8, 8, 14))
    table.move(view, (8, 9, 14))
    assert table.grips.is_dragging
    if leave == "slice":
        table.views.scroll(view, 1)
    else:
        table.views.show_plane("Coronal")
    assert not table.grips.is_dragging
    table.move(view, (8, 12, 12))
    table.release(view, (8, 12, 12))
    assert len(table.session.history) == count
    assert table.session.measurements[one.name] == one


def test_the_longer_axis_is_the_long_one_once_a_short_axis_is_pulled_beyond_it(
    table: Table,
) -> None:
    view = table.views.first
    ends = ((6, 10, 8), (6, 10, 14), (6, 8, 11), (6, 12, 11))
    drawn = table.draw("bidirectional", *ends)
    before = len(table.session.history)
    assert table.drag(view, ends[3], (6, 15, 11), (6, 18, 11))
    assert len(table.session.history) == before + 1
    expected = np.array([ends[2], (6, 18, 11), *ends[:2]])
    assert table.zyx(drawn.name) == pytest.approx(expected)
    assert table.told[-1].startswith("long 10.0 mm  short 6.0 mm")
    # The end in hand is the same one as before.
    at = table.grips.nudge(np.array((0.0, -1.0, 0.0)))
    assert table.views.display.from_ras(at) == pytest.approx((6, 17, 11))
    table.session.undo()
    table.session.undo()
    assert table.session.measurements[drawn.name] == drawn
