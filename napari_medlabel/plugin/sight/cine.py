"""Cine: goes on by itself through slices or times, until something is edited."""

from __future__ import annotations

from typing import Final

from psygnal import Signal

from napari_medlabel.errors import InputError
from napari_medlabel.plugin.sight.view import View
from napari_medlabel.plugin.sight.views import Views

WAYS: Final = ("Forwards", "Backwards", "There and back")


class Cine:
    """Takes one step at a time; who calls it keeps the time.

    Parameters
    ----------
    views : Views
        The views of the case.
    """

    changed = Signal()
    """It plays, or no longer."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._view: View = views.first
        self._through_time = False
        self._way = WAYS[0]
        self._forward = True
        self.is_playing = False
        session = views.session
        session.step_done.connect(self._on_edit)
        session.bench.painted.connect(self._on_edit)
        session.landmarks_changed.connect(self._on_edit)
        views.closing.connect(self._on_closing)

    @property
    def has_times(self) -> bool:
        """Whether there are several volumes to play through."""
        return int(self._views.binding.viewer.dims.ndim) > 3

    def start(self, *, through_time: bool = False, way: str = WAYS[0]) -> None:
        """Begin in the view that the mouse was in last.

        Parameters
        ----------
        through_time : bool
            Through the volumes instead of the slices.
        way : str
            One of `WAYS`.

        Raises
        ------
        InputError
            When there is nothing to play.
        """
        view = self._views.current
        self._view = self._views.first if view.axis < 0 else view
        if way not in WAYS or (through_time and not self.has_times):
            raise InputError(
                "This scan has one volume: there is no time to play.",
                hint="Play through its slices.",
            )
        if not through_time and self._view.axis < 0:
            raise InputError(
                "A body in 3D has no slices to play.", hint="Choose a plane for this view."
            )
        self._through_time, self._way = through_time, way
        self._forward = way != WAYS[1]
        self.is_playing = True
        self.changed.emit()

    def stop(self) -> None:
        """Stay where it is."""
        if self.is_playing:
            self.is_playing = False
            self.changed.emit()

    def step(self) -> None:
        """Go one further; after the last comes the first, or the way back."""
        if not self.is_playing or (self._view.axis < 0 and not self._through_time):
            self.stop()
            return
        at, count = self._place()
        self._go(self.following(at, count) - at)

    def following(self, at: int, count: int) -> int:
        """Return the place after one of several, and turn round where it must."""
        if count < 2:
            return at
        if self._way == WAYS[2] and at in (0, count - 1):
            self._forward = at == 0
        return (at + (1 if self._forward else -1)) % count

    def _place(self) -> tuple[int, int]:
        if self._through_time:
            dims = self._views.binding.viewer.dims
            return int(dims.current_step[0]), int(dims.nsteps[0])
        return self._view.slice_number(self._views.cross)

    def _go(self, by: int) -> None:
        if self._through_time:
            dims = self._views.binding.viewer.dims
            dims.set_current_step(0, int(dims.current_step[0]) + by)
        elif by:
            self._views.scroll(self._view, by)

    def _on_edit(self, *_what: object) -> None:
        self.stop()

    def _on_closing(self, view: View) -> None:
        if view is self._view:
            self.stop()
            self._view = self._views.first

    def detach(self) -> None:
        """Let go of the case."""
        self.stop()
        session = self._views.session
        session.step_done.disconnect(self._on_edit)
        session.bench.painted.disconnect(self._on_edit)
        session.landmarks_changed.disconnect(self._on_edit)
        self._views.closing.disconnect(self._on_closing)
