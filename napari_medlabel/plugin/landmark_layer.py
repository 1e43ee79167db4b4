"""The landmarks as napari points: what is placed by hand goes to the session, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from psygnal import Signal

from napari_medlabel.errors import InputError
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import landmark_points, landmarks_to_layer
from napari_medlabel.plugin.within_scan import within_scan
from napari_medlabel.session.case import Session


class LandmarkLayer:
    """Ties the landmarks of a session to a points layer.

    Parameters
    ----------
    session : Session
        The open case.
    viewer : napari.components.ViewerModel
        Where the layer is added.
    display : Display
        How the scan is laid out.
    """

    refused = Signal(object)
    """What a hand did to the points may not be (an InputError): they are as before."""

    def __init__(self, session: Session, viewer: Any, display: Display) -> None:
        self.session = session
        self.display = display
        self._syncing = False
        points, keywords, _ = landmarks_to_layer(session.landmarks, display, session.place.case)
        keywords["text"]["string"] = "{shown}"
        keywords["features"] = _features(session.landmarks)
        keywords["symbol"] = _symbols(session.landmarks) or "cross"
        self.layer = viewer.add_layer(within_scan("Points", display)(points, **keywords))

    def connect(self) -> None:
        """Begin to follow both sides."""
        self.layer.events.data.connect(self._on_points)
        self.session.landmarks_changed.connect(self._on_landmarks)

    def detach(self) -> None:
        """Let go of both."""
        self.layer.events.data.disconnect(self._on_points)
        self.session.landmarks_changed.disconnect(self._on_landmarks)

    def _on_points(self, event: Any) -> None:
        action = str(event.action)
        if self._syncing or action not in ("added", "removed", "changed"):
            return
        points = self.display.to_ras(np.asarray(self.layer.data).reshape(-1, 3))
        names = [str(n) for n in self.layer.features["name"]]
        if action == "added":
            # napari copies the features of the selected point: the name is ours to give.
            added = len(names) - len(self.session.landmarks.placed)
            names = self._name_new(names[: len(names) - added], added)
        placed = {
            name: (float(p[0]), float(p[1]), float(p[2]))
            for name, p in zip(names, points, strict=True)
        }
        verb = {"added": "Place", "removed": "Remove", "changed": "Move"}[action]
        try:
            self.session.set_landmarks(self._merge(placed), name=f"{verb} landmark")
            if action == "added" and self.session.marking.mode != "free":
                self.session.marking.go_on()
        except InputError as err:
            self._on_landmarks(self.session.landmarks)
            self.refused.emit(err)

    def _name_new(self, names: list[str], count: int) -> list[str]:
        """Return the names with new ones behind: first of all the one shown as the next."""
        marking, marks = self.session.marking, self.session.landmarks
        shown = marking.current
        if count == 1 and shown is not None:
            return [*names, shown.name]  # of one that is placed the last point counts: a move
        for _ in range(count):
            free = [m.name for m in marks if m.name not in names]
            unplaced = next((n for n in free if marks[n].is_open), None)
            if marking.mode == "free":
                unplaced = None
            number = len(names) + 1
            while unplaced is None:
                candidate = f"Point {number}"
                unplaced = None if candidate in names else candidate
                number += 1
            names.append(unplaced)
        return names

    def _merge(self, placed: dict[str, tuple[float, float, float]]) -> LandmarkSet:
        """Return the landmarks with these positions, and all else that was said of them.

        A move within rounding is none. A locked one refuses to be moved or removed.
        """
        marks = []
        for mark in self.session.landmarks:
            point = placed.pop(mark.name, None)
            old = mark.point_ras
            if point == old or (point and old and np.allclose(point, old, rtol=0, atol=1e-9)):
                marks.append(mark)
            elif point is None:
                # Absent ones have no point here, and stay absent: their old point is None.
                marks.append(mark.at(None))
            else:
                marks.append(mark.at(point) if old is None else mark.moved(point))
        marks.extend(Landmark(name, point) for name, point in placed.items())
        return LandmarkSet(tuple(marks))

    def _on_landmarks(self, marks: LandmarkSet) -> None:
        points, names = landmark_points(marks, self.display)
        self._syncing = True
        try:
            if len(points) != len(self.layer.data) or not np.allclose(points, self.layer.data):
                self.layer.data = points
            if names:
                self.layer.symbol = _symbols(marks)
            self.layer.features = _features(marks)
            self.layer.refresh()
        finally:
            self._syncing = False


def shown_name(mark: Landmark) -> str:
    """Return what stands beside a landmark: its name, and in words how certain it is."""
    words = mark.name if mark.uncertain_mm is None else f"{mark.name} ±{mark.uncertain_mm:g} mm"
    return f"{words} (locked)" if mark.locked else words


def _features(marks: LandmarkSet) -> dict[str, Any]:
    placed = marks.placed
    return {
        "name": np.array([mark.name for mark in placed], dtype=object),
        "shown": np.array([shown_name(mark) for mark in placed], dtype=object),
    }


def _symbols(marks: LandmarkSet) -> list[str]:
    """Return a form for each placed landmark: what is uncertain is seen without colour."""
    return ["ring" if mark.state == "uncertain" else "cross" for mark in marks.placed]
