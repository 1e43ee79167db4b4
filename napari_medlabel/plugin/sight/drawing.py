"""What is to be drawn anew in the further views: where labels changed, and not at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_medlabel.edit.patch import Box, Patch
from napari_medlabel.plugin.atoms import Shown
from napari_medlabel.plugin.sight.boxes import shown_box, stroke_box
from napari_medlabel.plugin.sight.twin import Twin

if TYPE_CHECKING:
    from napari_medlabel.plugin.sight.views import Views


class Drawing:
    """Collects stale twins until they are drawn: the hand never waits for it.

    Parameters
    ----------
    views : Views
        The views of the case.
    """

    def __init__(self, views: Views) -> None:
        self._views = views
        self._waiting: dict[int, Twin] = {}
        session = views.session
        session.step_done.connect(self.on_step)
        session.history_changed.connect(self.on_history)
        session.bench.painted.connect(self.on_painted)
        views.binding.labels.events.labels_update.connect(self.on_first_stroke)

    def detach(self) -> None:
        """Let go of the case."""
        session = self._views.session
        session.step_done.disconnect(self.on_step)
        session.history_changed.disconnect(self.on_history)
        session.bench.painted.disconnect(self.on_painted)
        self._views.binding.labels.events.labels_update.disconnect(self.on_first_stroke)

    def forget(self, twin: Twin) -> None:
        """Draw a twin no more."""
        self._waiting.pop(id(twin), None)

    def mark(self, twin: Twin) -> None:
        """Remember that a twin is to be drawn anew."""
        self._waiting[id(twin)] = twin
        self._views.stale.emit()

    def flush(self) -> None:
        """Draw anew what is not as the data are any more."""
        waiting, self._waiting = self._waiting, {}
        for twin in waiting.values():
            twin.refresh()

    def _touch(self, shown: Shown, *, but: Any = None) -> None:
        """Mark the labels of the views in which a box of displayed voxels is seen."""
        for side in self._views.sides:
            twin = side.twins.get(self._views.binding.labels)
            if twin is None or twin.layer is but or side.axis < 0:
                continue
            if side.shows(shown, self._views.cross):
                self.mark(twin)

    def on_painted(self, box: Box) -> None:
        """Follow a stroke in the making."""
        if self._views.sides:
            self._touch(shown_box(self._views.display, box))

    def on_step(self, step: object) -> None:
        """Follow a step of the history."""
        if self._views.sides and isinstance(step, Patch):
            self._touch(shown_box(self._views.display, step.box))

    def on_history(self) -> None:
        """Mark 3D at whole steps only: all of the volume goes to the graphics card."""
        for side in self._views.sides:
            if side.axis < 0 and self._views.binding.labels in side.twins:
                self.mark(side.twins[self._views.binding.labels])

    def on_first_stroke(self, event: Any) -> None:
        """Follow napari's own brush in the first view: nobody else says where it is."""
        if self._views.sides:
            self._touch(
                stroke_box(
                    self._views.first, self._views.cross, self._views.binding.labels, event
                )
            )

    def on_twin_stroke(self, event: Any) -> None:
        """Follow napari's own brush in a further view."""
        self._views.session.keeper.touch()
        layer = event.source
        for side in self._views.sides:
            if side.twin_of(self._views.binding.labels) is layer:
                shown = stroke_box(side, self._views.cross, layer, event)
                self._touch(shown, but=layer)
                if self._views.first.shows(shown, self._views.cross):
                    self._views.binding.labels.refresh(
                        thumbnail=False, highlight=False, extent=False
                    )
