"""Marks from files: layers on their scan, or steps of the case with names and colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from napari_medlabel.errors import InputError
from napari_medlabel.io.marks.found import Contour, Marks, Probability
from napari_medlabel.io.series_info import FoundMarks, Survey
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.marks import (
    marks_to_layers,
    merge_schemes,
    only_marks,
    take_in_marks,
)
from napari_medlabel.session.case import Session


@pytest.fixture
def marks(session: Session) -> Marks:
    grid = session.volume.grid
    scheme = LabelScheme("Found", (Label(1, "Liver", "#112233"), Label(2, "Lesion", "#445566")))
    array = np.zeros(grid.shape, np.uint8)
    array[2:4, 2:4, 1] = 1
    array[6, 6, 1] = 2
    corner = grid.affine.apply(np.array([[1.0, 1, 2], [5, 1, 2], [5, 5, 2.1], [1, 5, 2]]))
    return Marks(
        "SEG",
        (LabelMap(grid, array, scheme),),
        LandmarkSet((Landmark("Tip", (1.0, 2.0, 3.0)),)),
        (
            Contour("Rim", "#00ff00", corner, True),
            Contour("Line", "#0000ff", corner[:2], False),
        ),
        (Probability("Fat", np.zeros(grid.shape, np.uint8), 100, False),),
        ("Something is in doubt.",),
    )


def test_marks_become_layers_on_their_scan(
    marks: Marks, session: Session, viewer: ViewerModel
) -> None:
    display = Display.of(session.volume)
    made = marks_to_layers(marks, display, session.place.case)
    assert [kind for *_, kind in made] == ["labels", "image", "points", "shapes"]
    for one in made:
        layer = viewer.add_layer(Layer.create(*one))
        assert layer.metadata[KEY]["case"] == session.place.case
        assert np.allclose(layer.scale, display.scale)
        assert np.allclose(layer.translate, display.translate)
    labels, _, points, shapes = viewer.layers
    assert list(labels.features["name"]) == ["background", "Liver", "Lesion"]
    assert np.allclose(labels.get_color(1)[:3], np.array([0x11, 0x22, 0x33]) / 255)
    assert np.allclose(display.to_ras(points.data), [[1, 2, 3]])
    assert list(shapes.features["name"]) == ["Rim", "Line"]
    assert list(shapes.shape_type) == ["polygon", "path"]
    z = shapes.data[0][:, display.order.index(2)]
    assert np.all(z == np.round(z)), "a contour lies on the slice that shows it"


def test_labels_are_taken_in_with_names_and_undone_as_a_step(
    marks: Marks, session: Session
) -> None:
    own = session.labels.scheme
    liver = next(label.value for label in own.labels if label.name == "Liver")
    (step,) = take_in_marks(session, marks)
    assert step.name == "Load SEG"
    assert session.labels.array[2, 2, 1] == liver, "a class of the same name keeps its number"
    lesion = next(one for one in session.labels.scheme.labels if one.name == "Lesion")
    assert lesion.colour == "#445566"
    assert lesion.value not in own.values
    assert session.labels.array[6, 6, 1] == lesion.value
    assert session.landmarks["Tip"].point_ras == (1.0, 2.0, 3.0)
    session.undo()
    session.undo()
    assert not session.labels.array.any()
    assert not [m for m in session.landmarks.placed if m.name == "Tip"]


def test_what_is_labelled_stays(marks: Marks, session: Session) -> None:
    box = (slice(2, 3), slice(2, 3), slice(1, 2))
    session.edit(box, np.full((1, 1, 1), 3, np.uint8), name="Paint")
    take_in_marks(session, marks)
    assert session.labels.array[2, 2, 1] == 3


def test_points_of_the_same_name_are_numbered(marks: Marks, session: Session) -> None:
    take_in_marks(session, marks)
    take_in_marks(session, marks)
    assert {m.name for m in session.landmarks.placed} == {"Tip", "Tip (2)"}


def test_schemes_merge_by_name_then_by_number() -> None:
    own = LabelScheme("A", (Label(1, "Liver", "#000000"), Label(2, "Spleen", "#000001")))
    other = LabelScheme(
        "B",
        (
            Label(2, "liver", "#00000a"),
            Label(1, "Cyst", "#00000b"),
            Label(9, "Node", "#00000c"),
        ),
    )
    merged, numbers = merge_schemes(own, other, [1, 2, 9])
    assert numbers == {1: 3, 2: 1, 9: 9}
    assert [label.name for label in merged.labels] == ["Liver", "Spleen", "Cyst", "Node"]
    same, _ = merge_schemes(own, other, [2])
    assert same is own


def test_more_classes_than_the_open_mask_holds_are_refused(session: Session) -> None:
    scheme = LabelScheme("Many", tuple(Label(n, f"C{n}", "#00000a") for n in range(1, 301)))
    array = np.arange(session.labels.grid.size, dtype=np.uint16) % 301
    grid = session.labels.grid
    many = Marks("SEG", (LabelMap(grid, array.reshape(grid.shape), scheme),))
    before = session.labels.scheme
    with pytest.raises(InputError, match="holds classes 1 to 255"):
        take_in_marks(session, many)
    assert session.labels.scheme == before
    assert not session.labels.array.any()


def test_a_layer_of_marks_keeps_its_names_when_it_is_taken_in(
    marks: Marks, session: Session, viewer: ViewerModel
) -> None:
    bound = Binding(session, viewer)
    made = marks_to_layers(marks, bound.display, session.place.case)
    layer = viewer.add_layer(Layer.create(*made[0]))
    bound.take_in(layer)
    names = {label.name for label in session.labels.scheme.labels}
    assert "Lesion" in names
    bound.detach()


def test_marks_without_a_scan_say_what_to_open_first() -> None:
    survey = Survey((), 0, 0, (FoundMarks("segmentation", Path("a")),))
    err = only_marks(survey)
    assert "1 segmentation" in err.message
    assert "Open the scan first" in err.hint
