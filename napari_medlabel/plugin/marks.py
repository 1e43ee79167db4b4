"""Marks from files -> layers on their scan, or into the open case as steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.patch import Patch
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.io.marks.found import Contour, Marks
from napari_medlabel.io.series_info import Survey
from napari_medlabel.model.labelmap import Label, LabelScheme
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import (
    KEY,
    LayerTuple,
    labels_to_layer,
    landmarks_to_layer,
    metadata,
)
from napari_medlabel.session.case import WHOLE, Session

_LARGEST: Final = 65535


def only_marks(survey: Survey) -> InputError:
    """Say that there are marks and no scan for them to lie on."""
    return InputError(
        f"There is no scan, only what was marked on one: {survey.marks_in_words()}.",
        hint="Open the scan first, then the marks: they are put on it.",
    )


def marks_to_layers(marks: Marks, display: Display, case: str) -> list[LayerTuple]:
    """Return layers that show marks on their scan.

    Parameters
    ----------
    marks : Marks
        As read for this scan.
    display : Display
        How the scan is laid out.
    case : str
        Its content id.
    """
    made: list[LayerTuple] = []
    for number, labels in enumerate(marks.labels, start=1):
        data, keywords, kind = labels_to_layer(labels, case, pictures=display.pictures)
        part = f" {number}" if len(marks.labels) > 1 else ""
        # Names and colours go with the layer, for when it is taken into the case.
        keywords["metadata"][KEY]["scheme"] = labels.scheme.to_json()
        made.append((data, {**keywords, "name": f"{marks.kind}{part}"}, kind))
    for probability in marks.probabilities:
        keywords = {
            "name": f"{marks.kind}: {probability.name}",
            "contrast_limits": (0, probability.largest),
            "colormap": "magma",
            "blending": "additive",
            "opacity": 0.6,
            "metadata": metadata(display, "aside", case),
            **display.geometry(),
        }
        made.append((display.show(probability.array), keywords, "image"))
    if marks.landmarks.placed:
        points, keywords, kind = landmarks_to_layer(marks.landmarks, display, case)
        made.append((points, {**keywords, "name": f"{marks.kind} points"}, kind))
    if marks.contours:
        made.append(contours_to_layer(marks.contours, marks.kind, display, case))
    return made


def contours_to_layer(
    contours: Sequence[Contour], kind: str, display: Display, case: str
) -> LayerTuple:
    """Return contours as shapes, where they are in the patient."""
    shapes = [_on_slice(display.from_ras(c.points_ras), display) for c in contours]
    keywords = {
        "name": f"{kind} contours",
        "shape_type": ["polygon" if c.is_closed and len(c.points_ras) > 2 else "path"
                       for c in contours],
        "edge_color": [contour.colour for contour in contours],
        "face_color": "transparent",
        "edge_width": 1.0,
        "features": {"name": [contour.name for contour in contours]},
        "metadata": metadata(display, "aside", case),
        **display.geometry(),
    }  # fmt: skip
    return shapes, keywords, "shapes"


def _on_slice(points: FloatArray, display: Display) -> FloatArray:
    """Put a contour that lies in one slice exactly on it: napari draws it only there."""
    axis = display.order.index(2)
    along = points[:, axis]
    if np.ptp(along) < 0.5:
        points = points.copy()
        points[:, axis] = np.round(along.mean())
    return points


def take_in_marks(session: Session, marks: Marks) -> list[Patch]:
    """Make steps of the labels and points of marks; labels go where nothing is labelled yet.

    Returns
    -------
    list of Patch
        One for each label map that changed something.

    Raises
    ------
    InputError
        When the open mask cannot hold so many classes.
    """
    if marks.landmarks.placed:
        session.place.require_landmarks_here()
    steps = []
    session.outbox.tell(session.events.imported(marks.kind))
    for labels in marks.labels:
        step = take_in_labels(session, labels.array, labels.scheme, name=f"Load {marks.kind}")
        if step is not None:
            steps.append(step)
    if marks.landmarks.placed:
        session.set_landmarks(
            _with_points(session.landmarks, marks.landmarks), name=f"Load {marks.kind} points"
        )
    return steps


def take_in_labels(
    session: Session, array: npt.NDArray[Any], scheme: LabelScheme, *, name: str
) -> Patch | None:
    """Make a step of labels that come with names and colours of their own.

    A class of the same name keeps the open scheme's number; others get a free one.

    Parameters
    ----------
    session : Session
        The open case.
    array : ndarray, shape (i, j, k)
        Labels on its grid.
    scheme : LabelScheme
        What they mean.
    name : str
        What the step is called.
    """
    used = [int(v) for v in np.unique(array) if v]
    merged, numbers = merge_schemes(session.labels.scheme, scheme.with_unnamed(used), used)
    largest = int(np.iinfo(session.labels.array.dtype).max)
    if max(numbers.values(), default=0) > largest:
        raise InputError(
            f"The open mask holds classes 1 to {largest}, and with these there would be more.",
            hint="Open the scan with a scheme that has a value above 255: then it holds 65535.",
        )
    if merged != session.labels.scheme:
        session.scheming.put_along(merged)
    table = np.zeros(max(used, default=0) + 1, session.labels.array.dtype)
    for old, new in numbers.items():
        table[old] = new
    after = session.labels.array.T.copy().T
    free = (after == 0) & (array != 0)
    after[free] = table[array[free]]
    return session.edit(WHOLE, after, name=name)


def merge_schemes(
    own: LabelScheme, other: LabelScheme, used: Sequence[int]
) -> tuple[LabelScheme, dict[int, int]]:
    """Add the used classes of another scheme to ours.

    Returns
    -------
    scheme : LabelScheme
        Ours, with the classes it did not have.
    numbers : dict of int to int
        For each used value of the other scheme the value here.
    """
    by_name = {label.name.casefold(): label.value for label in own.labels}
    taken = set(own.values)
    extra: list[Label] = []
    numbers: dict[int, int] = {}
    for value in used:
        label = other[value]
        known = by_name.get(label.name.casefold())
        if known is None:
            known = value if value not in taken else _first_free(taken)
            taken.add(known)
            extra.append(replace(label, value=known))
            by_name[label.name.casefold()] = known
        numbers[value] = known
    return LabelScheme(own.name, (*own.labels, *extra)) if extra else own, numbers


def _first_free(taken: set[int]) -> int:
    for value in range(1, _LARGEST + 1):
        if value not in taken:
            return value
    raise InputError(
        f"A mask holds at most {_LARGEST} classes.", hint="Split the marks into several masks."
    )


def _with_points(own: LandmarkSet, found: LandmarkSet) -> LandmarkSet:
    """Add points; one that has the name of a placed landmark gets a number."""
    marks = own
    for mark in found.placed:
        name, number = mark.name, 1
        while name in marks and marks[name].is_placed:
            number += 1
            name = f"{mark.name} ({number})"
        marks = marks.with_point(name, mark.point_ras)
    return marks
