"""Landmarks moved by napari's own points layer: nothing that was said of them is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.errors import MedlabelError
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.session.case import Session

MARKS = LandmarkSet(
    (
        Landmark(
            "Dome",
            (5.0, -20.0, 44.0),
            "Highest point",
            "D",
            "right",
            "coronal",
            "White on black",
            uncertain_mm=2.5,
            inspected=("axial", "coronal"),
        ),
        Landmark("Tip", None, "Lowest point", "T", absent="resected"),
        Landmark("Base", (4.0, -21.0, 47.0), "Middle", locked=True),
        Landmark("Notch", None, "A dent", "N", "midline", "sagittal"),
    )
)


@pytest.fixture
def refused() -> list[MedlabelError]:
    return []


@pytest.fixture
def binding(session: Session, viewer: ViewerModel, refused: list[MedlabelError]) -> Binding:
    bound = Binding(session, viewer)
    bound.landmarks.refused.connect(refused.append)
    session.set_landmarks(MARKS)
    yield bound
    bound.detach()


def test_a_moved_point_keeps_flags_and_definitions(binding: Binding) -> None:
    points = np.array(binding.points.data)
    points[0, 1] += 1
    binding.points.data = points
    marks = binding.session.landmarks
    expected = binding.display.to_ras(points[0])
    assert marks["Dome"].point_ras == pytest.approx(tuple(expected))
    assert marks["Dome"] == replace(MARKS["Dome"], point_ras=marks["Dome"].point_ras)
    assert marks.landmarks[1:] == MARKS.landmarks[1:]


def test_an_added_point_takes_the_next_open_name_and_its_definition(binding: Binding) -> None:
    binding.points.add([2, 3, 4])
    mark = binding.session.landmarks["Notch"]
    assert mark == MARKS["Notch"].at(mark.point_ras)
    assert mark.is_placed
    assert binding.session.landmarks["Tip"] == MARKS["Tip"]


def test_a_removed_point_is_open_again_under_its_definition(binding: Binding) -> None:
    binding.points.selected_data = {0}
    binding.points.remove_selected()
    mark = binding.session.landmarks["Dome"]
    assert mark == MARKS["Dome"].at(None)
    assert mark.description == "Highest point"


def test_a_locked_point_goes_back_and_the_refusal_is_told(
    binding: Binding, refused: list[MedlabelError]
) -> None:
    before = np.array(binding.points.data)
    moved = before.copy()
    moved[1] += 1
    binding.points.data = moved
    binding.points.selected_data = {1}
    binding.points.remove_selected()
    assert [err.message for err in refused] == [
        "This landmark is locked and stays where it is."
    ] * 2
    assert np.array_equal(binding.points.data, before)
    assert binding.session.landmarks == MARKS
    assert list(binding.points.features["name"]) == ["Dome", "Base"]


def test_a_dragged_locked_point_goes_back_too(
    binding: Binding, refused: list[MedlabelError]
) -> None:
    before = np.array(binding.points.data)
    binding.points.data[1] += 2
    binding.points.events.data(
        value=binding.points.data, action="changed", data_indices=(1,), vertex_indices=((),)
    )
    assert len(refused) == 1
    assert np.array_equal(binding.points.data, before)
    assert binding.session.landmarks == MARKS


def test_a_point_added_by_napari_is_the_landmark_that_is_named_as_the_next(
    binding: Binding,
) -> None:
    session = binding.session
    session.set_landmarks(LandmarkSet(tuple(Landmark(name) for name in "abc")))
    session.marking.aim("b")
    binding.points.add([2, 3, 4])
    assert [mark.name for mark in session.landmarks.placed] == ["b"]
    assert session.marking.current == Landmark("c")
    session.marking.aim("b")
    binding.points.add([3, 4, 5])  # placed already: it moves, as with a click
    assert [mark.name for mark in session.landmarks.placed] == ["b"]
    assert session.landmarks["b"].point_ras == pytest.approx(
        tuple(binding.display.to_ras(np.array([3.0, 4.0, 5.0])))
    )
    assert len(binding.points.data) == 1
    session.marking.mode = "free"
    binding.points.add([4, 4, 4])
    assert [mark.name for mark in session.landmarks.placed] == ["b", "Point 2"]
