"""What the dock does about views: linked planes, windows and comparison."""

from __future__ import annotations

from typing import Any, Final

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_medlabel.errors import MedlabelError
from napari_medlabel.model import presets
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.sight.view import SideView
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.plugin.sight.words import label_words, mm_words, value_words
from napari_medlabel.plugin.windows import offered_windows
from napari_medlabel.session.case import Session
from napari_medlabel.widgets.sight.beside_desk import BesideDesk
from napari_medlabel.widgets.sight.canvas import side_panels
from napari_medlabel.widgets.sight.fourth import Fourth
from napari_medlabel.widgets.sight.layout_panel import LayoutPanel
from napari_medlabel.widgets.sight.look_desk import LookDesk
from napari_medlabel.widgets.sight.ortho import GRID, LAYOUTS, PAIR, SINGLE, Ortho
from napari_medlabel.widgets.sight.remembered import recall, remember
from napari_medlabel.widgets.sight.solid_desk import SolidDesk

_GROUP: Final = "Views"
_LAYOUT: Final = "Next layout of the views"
_LARGE: Final = "Enlarge this view, and back"
_HERE: Final = "Cross-hair to the mouse"
_PANELS: Final = "Show or hide napari's panels"
_SOLID: Final = "Segments in 3D"
_LINES: Final = "Show or hide the cross-hair"
_MOUSE: Final = (
    ("Click", "cross-hair here"),
    ("Right button + drag", "window and level"),
    ("Shift + drag", "cross-hair along"),
    ("Wheel", "slices"),
    ("Ctrl + wheel", "zoom"),
    ("Double click", "this view alone, and back"),
)


class SightDesk(QObject):
    """One of the desks of the dock; see `napari_medlabel.widgets.dock`.

    Parameters
    ----------
    dock : MedlabelDock
        Whose desk it is.

    Attributes
    ----------
    views : Views or None
        The views of the open case: their cross-hair, planes and slices.
    ortho : Ortho or None
        How they are laid out; None without a window, or in a napari that lays out otherwise.
    """

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self.dock = dock
        self.layout_panel = LayoutPanel(LAYOUTS)
        self.look = LookDesk(self)
        self.panel = QWidget()
        column = QVBoxLayout(self.panel)
        column.setContentsMargins(0, 0, 0, 0)
        self.solid = SolidDesk(self)
        self.beside = BesideDesk(self)
        for part in (
            self.layout_panel,
            self.look.panel,
            self.beside.panel,
            self.beside.progress,
            self.solid.progress,
        ):
            column.addWidget(part)
        self.panel.hide()
        self.session: Session | None = None
        self.binding: Binding | None = None
        self.views: Views | None = None
        self.ortho: Ortho | None = None
        self._fourth: Fourth | None = None
        self.layout_panel.layout_requested.connect(self.choose_layout)
        self.layout_panel.lines_requested.connect(self.show_lines)
        self.layout_panel.panels_requested.connect(self.show_panels)

    # -- the case ------------------------------------------------------------------------

    def case_opened(self, session: Session, binding: Binding) -> None:
        """Begin to serve a case that has just been shown."""
        self.session, self.binding = session, binding
        self.views = Views(session, binding)
        self.views.moved.connect(self._on_moved)
        self.look.case_opened(self.views)
        self.solid.case_opened(self.views)
        self.beside.case_opened(self.views)
        self.dock.views.show_window_keys(self.look.keys_of_windows())
        self.panel.show()
        if getattr(self.dock.viewer, "window", None) is None:
            self.layout_panel.refuse("Further views need a window.")
            return
        try:
            self.ortho = Ortho(self.views, self.dock.viewer)
        except MedlabelError as err:
            self.layout_panel.refuse(err.message)
            self.dock.show_error(err)
            return
        self.ortho.layout_changed.connect(self._on_layout)
        self.ortho.window_closing.connect(self.case_closed)
        self._bind_keys(binding)
        if recall("panels", True) is False:
            self.show_panels(False, keep=False)
        if session.volume.slices == "pictures":
            self.layout_panel.refuse("Pictures without a place have no other planes.")
            return
        self.layout_panel.offer(*(binding.keys.key_of(w) for w in (_LAYOUT, _LINES, _PANELS)))
        wanted = recall("layout", SINGLE)
        self._on_layout(SINGLE)
        self.show_lines(recall("lines", True) is not False, keep=False)
        if wanted in LAYOUTS and wanted != SINGLE:
            self.choose_layout(wanted, keep=False)

    def case_closed(self) -> None:
        """Let go of the case; its layers are still there."""
        if self.ortho is not None:
            self.show_panels(True, keep=False)
        if self.ortho is not None:
            self.ortho.detach()
        if self.views is not None:
            self.beside.case_closed()
            self.look.case_closed(self.views)
            self.solid.case_closed()
            self.views.moved.disconnect(self._on_moved)
            self.views.detach()
        self.ortho = self.views = self._fourth = None
        self.session = self.binding = None
        self.panel.hide()

    def _bind_keys(self, binding: Binding) -> None:
        taken = {known.key for known in binding.keys.listed}
        for keys, words, do in (
            ("F4", _LAYOUT, self.next_layout),
            ("F6", _LARGE, self.enlarge),
            ("F7", _LINES, self.toggle_lines),
            ("F8", _PANELS, self.toggle_panels),
            ("C F9", _HERE, self.cross_to_mouse),
            ("Alt-B", _SOLID, self.show_solid),
        ):
            # A tool that came first keeps its key: then the next one, or the mouse alone.
            free = next((key for key in keys.split() if key not in taken), None)
            if free is not None:
                binding.keys.bind(free, words, do, group=_GROUP)

    # -- layout --------------------------------------------------------------------------

    def choose_layout(self, name: str, *, keep: bool = True) -> None:
        """Lay the views out, and remember it for the next case."""
        if self.ortho is None or self._is_of_pictures():
            return
        if name == PAIR and self.beside.volume is None:
            self.layout_panel.show_layout(self.ortho.layout_name)
            self.layout_panel.say_pair()
            return
        try:
            self.ortho.set_layout(name)
            if name in (PAIR, GRID):
                self.beside.open_view()
                self.ortho.show_again()
        except MedlabelError as err:
            self.dock.show_error(err)
            return
        keep = keep and name != PAIR
        if keep:
            self.keep("layout", name)

    def show_beside(self) -> None:
        """Show the view of another scan: to the right of the first one, or in a square."""
        if self.views is None:
            return
        if self.ortho is None:
            self.beside.open_view()
        elif self.ortho.layout_name == GRID:
            self.beside.open_view()
            self.ortho.show_again()
        else:
            self.choose_layout(PAIR, keep=False)

    def show_again(self) -> None:
        """Lay the views out anew: one of them has gone."""
        if self.ortho is not None and self.ortho.layout_name == PAIR:
            self.choose_layout(SINGLE, keep=False)
        elif self.ortho is not None:
            self.ortho.show_again()

    def next_layout(self) -> None:
        """Go to the next layout."""
        if self.ortho is not None:
            known = [name for name in LAYOUTS if name != PAIR or self.beside.volume]
            at = known.index(self.ortho.layout_name) + 1
            self.choose_layout(known[at % len(known)])

    def enlarge(self) -> None:
        """Let the view under the mouse fill the place of all, or go back."""
        if self.ortho is not None and self.views is not None:
            self.ortho.toggle_large(self.views.current)

    def show_lines(self, shown: bool, *, keep: bool = True) -> None:
        """Show or hide the lines of the cross-hair, and remember it."""
        if self.ortho is None:
            return
        self.ortho.shows_lines = shown
        self.layout_panel.show_lines(shown)
        if keep:
            self.keep("lines", shown)

    def show_panels(self, shown: bool, *, keep: bool = True) -> None:
        """Show or hide napari's list of layers and their controls, and remember it."""
        for panel in side_panels(self.dock.viewer):
            panel.setVisible(shown)
        self.layout_panel.show_panels(shown)
        if keep:
            self.keep("panels", shown)

    def toggle_panels(self) -> None:
        """Show napari's panels where they are hidden, and hide them where not."""
        self.show_panels(not self.layout_panel.panels_box.isChecked())

    def keep(self, name: str, value: object) -> None:
        """Remember a choice for the next case."""
        try:
            remember(name, value)
        except MedlabelError as err:
            self.dock.show_error(err)

    def toggle_lines(self) -> None:
        """Show the lines of the cross-hair where they are hidden, and hide them where not."""
        if self.ortho is not None:
            self.show_lines(not self.ortho.shows_lines)

    def cross_to_mouse(self) -> None:
        """Set the cross-hair to where the mouse is, whatever tool is in hand."""
        if self.views is not None:
            self.views.point_at_mouse()

    def _is_of_pictures(self) -> bool:
        return self.session is not None and self.session.volume.slices == "pictures"

    def _on_layout(self, name: str) -> None:
        self.layout_panel.show_layout(name)
        if self.ortho is None or self.binding is None or name == SINGLE:
            return
        if self._fourth is None:
            self._fourth = Fourth()
            self._fourth.solid_requested.connect(self.show_solid)
            keys = [(key.key, key.words.lower()) for key in self.binding.keys.listed]
            ours = [
                key.words.lower() for key in self.binding.keys.listed if key.group == _GROUP
            ]
            self._fourth.show_keys([*_MOUSE, *(row for row in keys if row[1] in ours)])
            self.ortho.set_fourth(self._fourth)
        self._on_moved()

    def show_solid(self) -> SideView | None:
        """Show the segments in 3D, in the fourth square."""
        if self.views is None or self.ortho is None or self._is_of_pictures():
            return None
        if self.ortho.layout_name != GRID:
            self.choose_layout(GRID, keep=False)
        side = self.solid.show()
        self.ortho.show_again()
        return side

    def _on_moved(self) -> None:
        """Say what is at the cross-hair; the plane's button follows napari's own keys too."""
        views, session, binding = self.views, self.session, self.binding
        if views is None or session is None or binding is None:
            return
        self.dock.views.show_plane(binding.orientation.plane)
        if self._fourth is None or not self._fourth.isVisible():
            return
        voxel, volume = views.cross.voxel_ijk, session.volume
        lines = [mm_words(views.cross.point_ras)] if volume.is_oriented else []
        lines.append("voxel {}, {}, {}".format(*voxel))
        value = views.value_at_cross()
        lines += [value_words(value, volume.quantity), label_words(session.labels, voxel)]
        self._fourth.show_words([line for line in lines if line])

    # -- what the view panel asks --------------------------------------------------------

    def show_plane(self, plane: str) -> None:
        """Show a plane in the first view, or the volume in 3D."""
        if self.views is None or self.binding is None:
            return
        self.views.show_plane(plane)
        self.binding.viewer.reset_view()
        self.dock.views.show_plane(plane)

    def set_convention(self, radiological: bool) -> None:
        """Choose radiological or neurological display, for all views."""
        if self.views is not None:
            self.views.set_radiological(radiological)

    def windows(self) -> list[presets.Window]:
        """Return the windows to offer for this scan; the first is in use."""
        return [] if self.session is None else offered_windows(self.session.volume)

    def set_window(self, name: str) -> None:
        """Show values through a window, in all views."""
        for window in self.windows():
            if window.name == name:
                self.look.set_window(window)
