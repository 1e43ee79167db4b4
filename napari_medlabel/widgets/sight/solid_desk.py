"""The segments in 3D: made in the background, shown in a view of their own, kept up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QObject, QTimer

from napari_medlabel.errors import MedlabelError
from napari_medlabel.plugin.layers import metadata
from napari_medlabel.plugin.sight.solid import Body, joined, make_bodies
from napari_medlabel.plugin.sight.view import SideView
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.progress_row import ProgressRow

if TYPE_CHECKING:
    from napari_medlabel.widgets.sight_desk import SightDesk

_IDLE_MS: Final = 1200
"""So long after the last step the bodies are made anew."""


class SolidDesk(QObject):
    """Shows the segments as bodies; a part of `SightDesk`.

    Parameters
    ----------
    desk : SightDesk
        Whose part it is.
    """

    def __init__(self, desk: SightDesk) -> None:
        super().__init__(desk)
        self._desk = desk
        self.progress = ProgressRow()
        self.background = Background(self)
        self.side: SideView | None = None
        self.layer: Any = None
        self._bodies: list[Body] = []
        self._views: Views | None = None
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(_IDLE_MS)
        self._idle.timeout.connect(self.make)
        self.background.progressed.connect(self.progress.show_progress)
        self.progress.cancel_requested.connect(self.background.cancel)

    def case_opened(self, views: Views) -> None:
        """Begin to serve a case."""
        self._views = views
        views.closing.connect(self._on_closing)
        views.session.history_changed.connect(self._on_changed)
        views.session.scheme_changed.connect(self._draw)
        views.session.bench.masking_changed.connect(self._draw)

    def case_closed(self) -> None:
        """Let go of the case."""
        views, self._views = self._views, None
        self._idle.stop()
        self.background.cancel()
        self.progress.end()
        if views is None:
            return
        views.closing.disconnect(self._on_closing)
        views.session.history_changed.disconnect(self._on_changed)
        views.session.scheme_changed.disconnect(self._draw)
        views.session.bench.masking_changed.disconnect(self._draw)
        self.side, self.layer, self._bodies = None, None, []

    def show(self) -> SideView | None:
        """Open the view where there is none, and make the bodies."""
        views = self._views
        if views is None:
            return None
        if self.side is None:
            self.side = views.open("3D")
        self.make()
        return self.side

    def make(self) -> None:
        """Make the bodies from the labels as they are now."""
        views = self._views
        if views is None or self.side is None:
            return
        if self.background.is_busy:
            self._idle.start()
            return
        labels, display, tell = views.session.labels, views.display, self.background.tell
        self.progress.begin("Making the segments' bodies …")

        def done(bodies: list[Body]) -> None:
            self.progress.end()
            if self._views is views and self.side is not None:
                self._bodies = bodies
                self._draw()

        def failed(err: MedlabelError) -> None:
            self.progress.end()
            self._desk.dock.show_error(err)

        self.background.run(
            lambda: make_bodies(labels, display, tell), done, failed, self.progress.end
        )

    def _on_changed(self) -> None:
        if self.side is not None:
            self._idle.start()

    def _draw(self, _what: object = None) -> None:
        """Show the bodies in the scheme's colours, without those that are hidden."""
        views, side = self._views, self.side
        if views is None or side is None:
            return
        session = views.session
        colours = {label.value: label.rgb for label in session.labels.scheme.labels}
        made = joined(self._bodies, colours, session.bench.masking.hidden)
        side.note = "No segment to show" if made is None else ""
        side.show_words(views.cross)
        if self.layer is not None:
            self.layer.visible = made is not None
        if made is None:
            return
        points, faces, tints = made
        if self.layer is None:
            active = side.model.layers.selection.active
            self.layer = side.model.add_surface(
                (points, faces),
                vertex_colors=tints,
                name="Segments",
                shading="none",
                metadata=metadata(views.display, "aside", session.place.case),
                **views.display.geometry(),
            )
            side.model.layers.selection.active = active
            side.fit()
        else:
            # Colours and corners are as many: both at once, or napari draws neither.
            with self.layer.events.blocker_all():
                self.layer.vertex_colors = tints
            self.layer.data = (points, faces)

    def _on_closing(self, side: object) -> None:
        if side is self.side:
            self._idle.stop()
            self.background.cancel()
            self.side, self.layer, self._bodies = None, None, []
