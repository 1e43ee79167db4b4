"""What the views do with window and level, outlines, slabs, cine and colours of the window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from qtpy.QtCore import QObject, QTimer

from napari_medlabel.errors import MedlabelError
from napari_medlabel.model.presets import Window
from napari_medlabel.plugin.segment_view import set_look
from napari_medlabel.plugin.sight.cine import WAYS, Cine
from napari_medlabel.plugin.sight.slab import KINDS, RESTING, THICKEST_MM, Slab
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.windows import is_inverted, offered_windows
from napari_medlabel.widgets.sight.look_panel import LookPanel
from napari_medlabel.widgets.sight.remembered import recall
from napari_medlabel.widgets.sight.room import NAME as ROOM
from napari_medlabel.widgets.sight.room import has_room

if TYPE_CHECKING:
    from napari_medlabel.widgets.sight_desk import SightDesk

_WINDOW: Final = "Window and level, while held: move the mouse"
_INVERT: Final = "Invert black and white"
_OUTLINE: Final = "Segments filled or as outlines"
_SLAB: Final = "Next kind of slab"
_CINE: Final = "Play or stop"
_PRESETS: Final = 9
_OUTLINE_PX: Final = 1


class LookDesk(QObject):
    """Carries out what `LookPanel` asks for; a part of `SightDesk`.

    Parameters
    ----------
    desk : SightDesk
        Whose part it is.
    """

    def __init__(self, desk: SightDesk) -> None:
        super().__init__(desk)
        self._desk = desk
        self.panel = LookPanel(list(KINDS), WAYS, THICKEST_MM)
        self.slab: Slab | None = None
        self.cine: Cine | None = None
        self._theme_before = ""
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.timeout.connect(self._tick)
        panel = self.panel
        panel.outline_requested.connect(self.toggle_outline)
        panel.invert_requested.connect(self.invert)
        panel.slab_requested.connect(self.choose_slab)
        panel.cine_requested.connect(self.toggle_cine)
        panel.theme_requested.connect(self.choose_theme)

    # -- the case ------------------------------------------------------------------------

    def case_opened(self, views: Views) -> None:
        """Begin to serve a case."""
        volume, binding = views.session.volume, views.binding
        self.slab, self.cine = Slab(views), Cine(views)
        self.slab.changed.connect(self._show_slab)
        self.cine.changed.connect(self._show_cine)
        views.windowing.changed.connect(self._say_window)
        binding.labels.events.contour.connect(self._show_outline)
        if volume.colour is None:
            binding.image.events.contrast_limits.connect(self._show_window)
        self._bind_keys(views)
        words = {"window": _WINDOW, "invert": _INVERT, "outline": _OUTLINE}
        words |= {"slab": _SLAB, "cine": _CINE}
        self.panel.offer(
            {name: binding.keys.key_of(known) for name, known in words.items()},
            colour=volume.colour is not None,
            times=volume.further is not None,
            slabs=volume.slices != "pictures" and min(volume.grid.shape) > 1,
        )
        viewer = binding.viewer
        self.panel.offer_theme("" if has_room() else "napari does not know these colours.")
        self._theme_before = str(viewer.theme)
        if recall("room", False) is True and has_room():
            viewer.theme = ROOM
        self._show_theme()
        viewer.events.theme.connect(self._on_theme)
        self._show_slab()
        self._show_outline()
        self._show_window()

    def case_closed(self, views: Views) -> None:
        """Let go of the case."""
        self._clock.stop()
        binding = views.binding
        if self.slab is not None and self.cine is not None:
            self.slab.changed.disconnect(self._show_slab)
            self.cine.changed.disconnect(self._show_cine)
            self.slab.detach()
            self.cine.detach()
            views.windowing.changed.disconnect(self._say_window)
            binding.viewer.events.theme.disconnect(self._on_theme)
            binding.labels.events.contour.disconnect(self._show_outline)
            if views.session.volume.colour is None:
                binding.image.events.contrast_limits.disconnect(self._show_window)
        self.slab = self.cine = None
        self.panel.show_playing(False)

    def _bind_keys(self, views: Views) -> None:
        keys, windowing = views.binding.keys, views.windowing
        for key, words, do in (
            ("F5", _OUTLINE, self.toggle_outline),
            ("Alt-I", _INVERT, self.invert),
            ("F10", _SLAB, self.next_slab),
            ("F12", _CINE, self.toggle_cine),
        ):
            if keys.is_free(key):
                keys.bind(key, words, do, group="Views")
        if keys.is_free("F3"):
            keys.bind("F3", _WINDOW, windowing.hold, release=windowing.release, group="Views")
        # napari has the plain digits; Alt with a digit reaches the picture.
        for number, window in enumerate(offered_windows(views.session.volume)[:_PRESETS], 1):
            key = f"Alt-{number}"
            if keys.is_free(key):
                keys.bind(
                    key,
                    f"Window {window.name}",
                    partial(self.set_window, window),
                    group="Windows",
                )

    def keys_of_windows(self) -> dict[str, str]:
        """Return the key of each window that has one, by its name."""
        views = self._desk.views
        if views is None:
            return {}
        names = (window.name for window in offered_windows(views.session.volume))
        found = {name: views.binding.keys.key_of(f"Window {name}") for name in names}
        return {name: key for name, key in found.items() if key}

    # -- window and level ----------------------------------------------------------------

    def set_window(self, window: Window) -> None:
        """Show values through a window, in all views."""
        views = self._desk.views
        if views is None:
            return
        views.binding.set_window(window)
        if is_inverted(window):
            views.binding.image.colormap = "gray_r"
        self._desk.dock.views.show_window(window.name)

    def invert(self) -> None:
        """Show black for white, and back."""
        views = self._desk.views
        if views is None or views.session.volume.colour is not None:
            return
        image = views.binding.image
        image.colormap = "gray" if image.colormap.name == "gray_r" else "gray_r"

    def _say_window(self, words: str) -> None:
        """Show the numbers under the hand, in the line below the views."""
        views = self._desk.views
        if views is not None:
            views.pointed.emit(words)
            self._desk.dock.views.show_window("")

    def _show_window(self, _event: object = None) -> None:
        views = self._desk.views
        if views is not None:
            self.panel.show_window(views.windowing.words(views.first))

    # -- outlines ------------------------------------------------------------------------

    def toggle_outline(self) -> None:
        """Show segments as outlines where they are filled, and filled where not."""
        views = self._desk.views
        if views is None:
            return
        labels = views.binding.labels
        outline = 0 if int(labels.contour) else _OUTLINE_PX
        set_look(labels, opacity=float(labels.opacity), outline=outline)
        self._desk.dock.label_panel.show_look(float(labels.opacity), outline)
        self._show_outline()

    def _show_outline(self, _event: object = None) -> None:
        views = self._desk.views
        if views is not None:
            self.panel.show_outline(int(views.binding.labels.contour) > 0)

    # -- slabs ---------------------------------------------------------------------------

    def choose_slab(self, kind: str, thickness_mm: float) -> None:
        """Show slabs, or single slices."""
        slab = self.slab
        if slab is not None:
            self._try(lambda: slab.choose(kind, thickness_mm))

    def next_slab(self) -> None:
        """Go to the next kind of slab."""
        if self.slab is not None and self.panel.slab_box.isEnabled():
            self._try(self.slab.next_kind)

    def _show_slab(self) -> None:
        if self.slab is not None:
            resting = RESTING if self.slab.is_resting else ""
            self.panel.show_slab(self.slab.kind, self.slab.thickness_mm, resting)

    # -- cine ----------------------------------------------------------------------------

    def toggle_cine(self) -> None:
        """Play, or stop."""
        cine, panel = self.cine, self.panel
        if cine is None:
            return
        if cine.is_playing:
            cine.stop()
            return
        way = panel.way_box.currentText()
        self._try(lambda: cine.start(through_time=panel.through_time, way=way))
        panel.show_playing(cine.is_playing)

    def _show_cine(self) -> None:
        playing = self.cine is not None and self.cine.is_playing
        self.panel.show_playing(playing)
        if playing:
            self._clock.start(self.panel.interval_ms)
        else:
            self._clock.stop()

    def _tick(self) -> None:
        """Take a step; the next one waits for the picture to be drawn."""
        if self.cine is not None and self.cine.is_playing:
            self.cine.step()
            if self.cine.is_playing:
                self._clock.start(self.panel.interval_ms)

    # -- colours of the window -----------------------------------------------------------

    def choose_theme(self, wanted: bool) -> None:
        """Take the reading room's colours, or those of before; the choice is remembered."""
        viewer: Any = self._desk.dock.viewer
        if wanted:
            if viewer.theme != ROOM:
                self._theme_before = str(viewer.theme)
            viewer.theme = ROOM
        elif viewer.theme == ROOM:
            viewer.theme = self._theme_before if self._theme_before != ROOM else "dark"
        self._desk.keep("room", wanted)
        self._show_theme()

    def _on_theme(self, _event: object = None) -> None:
        """Follow what was chosen elsewhere: in napari's settings, or by its key."""
        self._desk.keep("room", self._show_theme())

    def _show_theme(self) -> bool:
        is_room = str(self._desk.dock.viewer.theme) == ROOM
        self.panel.show_theme(is_room)
        return is_room

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except MedlabelError as err:
            self._desk.dock.show_error(err)
