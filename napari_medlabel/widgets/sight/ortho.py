"""The views of a case laid out in napari's own window, with a line of words below."""

from __future__ import annotations

from typing import Any, Final

from qtpy.QtCore import QEvent, QObject, QTimer, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from napari_medlabel.plugin.display import PLANES
from napari_medlabel.plugin.sight.view import COLOURS, SideView, View
from napari_medlabel.plugin.sight.views import Views
from napari_medlabel.widgets.drawn_apart import one_for_all
from napari_medlabel.widgets.sight.canvas import (
    CrossLines,
    canvas_native,
    close_canvas,
    end_slicing,
    main_canvas,
    make_canvas,
)

SINGLE: Final = "One"
BESIDE: Final = "Three"
GRID: Final = "Four"
PAIR: Final = "Two scans"
LAYOUTS: Final = (SINGLE, BESIDE, GRID, PAIR)

Cell = tuple[int, int, int, int]
_CELLS: Final[dict[str, tuple[Cell, ...]]] = {
    SINGLE: ((0, 0, 2, 1),),
    PAIR: ((0, 0, 2, 1), (0, 1, 2, 1)),
    BESIDE: ((0, 0, 2, 1), (0, 1, 1, 1), (1, 1, 1, 1)),
    GRID: ((0, 0, 1, 1), (0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 1, 1)),
}
"""Row, column and how many of each, for every view in turn."""
_WIDE: Final = {SINGLE: (1, 0), PAIR: (1, 1), BESIDE: (3, 2), GRID: (1, 1)}
_SMALLEST: Final = (80, 80)
"""A view's smallest size in pixels."""
_DRAW_MS: Final = 30
"""Other views than the one under the hand are drawn anew this often while it paints."""
_FRAME_MS: Final = 20
"""Between two canvases: what was made is drawn, and the mouse has its say."""


class Ortho(QObject):
    """Lays out the views; one can fill the place of all.

    napari's own canvas stays the child of the widget that it was made in: moved elsewhere it
    would be given a new OpenGL context, and layers would vanish.

    Parameters
    ----------
    views : Views
        The views of the case.
    viewer : napari.viewer.Viewer
        With the window.

    Raises
    ------
    RefusedError
        When this napari has its window otherwise.
    """

    layout_changed = Signal(str)
    enlarged = Signal(bool)
    window_closing = Signal()
    """napari closes its window with the case still open: let go of everything now."""

    def __init__(self, views: Views, viewer: Any) -> None:
        super().__init__()
        self._views = views
        self._canvas, self._outer = main_canvas(viewer)
        self._place: QWidget = self._canvas.parentWidget()
        self._canvases: dict[int, Any] = {id(views.first): self._canvas}
        self._waiting: list[View] = []
        self._drawn = one_for_all()
        self._drawn.add(canvas_native(self._canvas))
        self._unfit: list[View] = []
        self._fit_turn = QTimer(self)
        self._fit_turn.setSingleShot(True)
        self._fit_turn.setInterval(0)
        self._fit_turn.timeout.connect(self._fit_new)
        self._blanks: dict[int, QWidget] = {}
        self._make = QTimer(self)
        self._make.setSingleShot(True)
        self._make.setInterval(0)
        self._make.timeout.connect(self._make_next)
        self._lines: dict[int, CrossLines] = {}
        self._layout = SINGLE
        self._large: View | None = None
        self._shows_lines = True
        self.fourth: QWidget | None = None
        self.line = _Line(self._place)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        self._outer.removeWidget(self._canvas)
        self._outer.addLayout(self._grid)
        self._draw = QTimer(self)
        self._draw.setSingleShot(True)
        self._draw.setInterval(_DRAW_MS)
        self._draw.timeout.connect(views.flush)
        self._least = self._canvas.minimumSize()
        self._canvas.installEventFilter(self)
        self._connect()
        self._lay_out()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """See napari close its canvas: there is no other sign of it."""
        if event is not None and watched is self._canvas and event.type() == QEvent.Type.Close:
            self.window_closing.emit()
        return False

    def _connect(self) -> None:
        views = self._views
        views.opened.connect(self._on_opened)
        views.closing.connect(self._on_closing)
        views.moved.connect(self._show_lines)
        views.stale.connect(self._on_stale)
        views.pointed.connect(self._say)
        views.double_clicked.connect(self.toggle_large)
        views.first.model.scene.camera.events.zoom.connect(self._show_lines)

    # -- layouts -------------------------------------------------------------------------

    @property
    def layout_name(self) -> str:
        """Which of `LAYOUTS` is in use."""
        return self._layout

    def set_layout(self, name: str) -> None:
        """Lay the views out; further views are opened and closed as needed.

        Parameters
        ----------
        name : str
            One of `LAYOUTS`.
        """
        self._large = None
        self._layout = name
        # The sliders below a canvas would make one square wider than the others.
        self._canvas.setMinimumSize(
            *(_SMALLEST if name != SINGLE else (self._least.width(), self._least.height()))
        )
        if name in (SINGLE, PAIR):
            self._views.close_sides()
        else:
            self._views.open_planes()
        self._lay_out()
        QTimer.singleShot(0, self._fit)
        self.layout_changed.emit(name)

    def next_layout(self) -> None:
        """Go to the next layout."""
        at = LAYOUTS.index(self._layout) + 1
        self.set_layout(LAYOUTS[at % len(LAYOUTS)])

    def show_again(self) -> None:
        """Lay out anew: a view was opened or closed."""
        self._lay_out()
        QTimer.singleShot(0, self._fit)

    @property
    def large(self) -> View | None:
        """The view that fills the place of all; None for none."""
        return self._large

    def toggle_large(self, view: View) -> None:
        """Let a view fill the place of all, or go back."""
        if self._layout == SINGLE:
            return
        self._large = None if self._large is not None else view
        self._lay_out()
        QTimer.singleShot(0, self._fit)
        self.enlarged.emit(self._large is not None)

    def canvas_of(self, view: View) -> Any:
        """Return napari's widget of a view; ``.canvas.native`` is what takes the mouse.

        One that waits for its turn is made now; see `made_canvas_of`.
        """
        if view in self._waiting:
            self._make_canvas(view)
        return self._canvases[id(view)]

    def made_canvas_of(self, view: View) -> Any:
        """Return napari's widget of a view; None while it waits to be made."""
        return self._canvases.get(id(view))

    def _lay_out(self) -> None:
        # A canvas that is given another size draws at once.
        self._drawn.pause()
        for canvas in (*self._canvases.values(), *self._blanks.values()):
            self._grid.removeWidget(canvas)
        for part in (self.line, self.fourth):
            if part is not None:
                self._grid.removeWidget(part)
        views = list(self._views.all)
        if self._large is not None:
            cells = dict.fromkeys([id(self._large)], _CELLS[SINGLE][0])
        else:
            cells = {
                id(view): cell for view, cell in zip(views, _CELLS[self._layout], strict=False)
            }
        for view in views:
            canvas = self._canvases.get(id(view)) or self._blanks.get(id(view))
            if canvas is None:
                continue
            if id(view) in cells:
                self._grid.addWidget(canvas, *cells[id(view)])
            canvas.setVisible(id(view) in cells)
        self._lay_out_fourth(len(views))
        wide = _WIDE[SINGLE if self._large is not None else self._layout]
        for column, stretch in enumerate(wide):
            self._grid.setColumnStretch(column, stretch)
        alone = self._large is not None or self._layout in (SINGLE, PAIR)
        for row, stretch in enumerate((1, 0 if alone else 1)):
            self._grid.setRowStretch(row, stretch)
        self._grid.addWidget(self.line, 2, 0, 1, 2)
        self._show_lines()

    def _lay_out_fourth(self, taken: int) -> None:
        if self.fourth is None:
            return
        shown = self._layout == GRID and self._large is None and taken < len(_CELLS[GRID])
        if shown:
            self._grid.addWidget(self.fourth, *_CELLS[GRID][-1])
        self.fourth.setVisible(shown)

    def set_fourth(self, widget: QWidget | None) -> None:
        """Put a widget into the fourth square while no fourth view is there."""
        if self.fourth is not None:
            self._grid.removeWidget(self.fourth)
            self.fourth.setParent(None)
            self.fourth.deleteLater()
        self.fourth = widget
        if widget is not None:
            widget.setParent(self._place)
        self._lay_out()

    def _fit(self) -> None:
        """Fit each view to its new size."""
        self._unfit = list(self._views.all)
        self._fit_new()

    def _fit_new(self) -> None:
        """Fit views that have not been yet."""
        views, self._unfit = self._unfit, []
        for view in views:
            canvas = self._canvases.get(id(view))
            if canvas is not None and canvas.isVisible():
                view.fit()

    # -- views that come and go ----------------------------------------------------------

    def _on_opened(self, side: SideView) -> None:
        """Let a canvas wait for its turn: each is longer at work than a hand can wait."""
        blank = QWidget(self._place)
        blank.setMinimumSize(*_SMALLEST)
        self._blanks[id(side)] = blank
        self._waiting.append(side)
        side.model.scene.camera.events.zoom.connect(self._show_lines)
        self._make.start()

    def _make_next(self) -> None:
        """Make the canvas of one view; drawing it and the next one have their own turns."""
        if self._waiting and not self._drawn.is_waiting:
            self._make_canvas(self._waiting[0])
        if self._waiting:
            self._make.start(_FRAME_MS)

    def _make_canvas(self, view: View) -> None:
        self._waiting.remove(view)
        self._drop_blank(view)
        self._drawn.pause()
        canvas = make_canvas(view.model, self._place)
        self._drawn.add(canvas_native(canvas))
        canvas.setMinimumSize(*_SMALLEST)
        self._canvases[id(view)] = canvas
        self._lay_out()
        self._unfit.append(view)
        self._fit_turn.start()
        # Who watches what is on the screen looks again.
        self._views.moved.emit()

    def _drop_blank(self, view: View) -> None:
        blank = self._blanks.pop(id(view), None)
        if blank is not None:
            self._grid.removeWidget(blank)
            blank.hide()
            blank.deleteLater()

    def _on_closing(self, side: SideView) -> None:
        if self._large is side:
            self._large = None
        side.model.scene.camera.events.zoom.disconnect(self._show_lines)
        lines = self._lines.pop(id(side), None)
        if lines is not None:
            lines.detach()
        if side in self._waiting:
            self._waiting.remove(side)
            self._drop_blank(side)
            end_slicing(side.model)
            return
        canvas = self._canvases.pop(id(side))
        self._drawn.remove(canvas_native(canvas))
        self._grid.removeWidget(canvas)
        close_canvas(canvas)

    # -- lines ---------------------------------------------------------------------------

    @property
    def shows_lines(self) -> bool:
        """Whether the cross-hair's lines are drawn."""
        return self._shows_lines

    @shows_lines.setter
    def shows_lines(self, value: bool) -> None:
        self._shows_lines = value
        self._show_lines()

    def _show_lines(self, _event: object = None) -> None:
        cross = self._views.cross
        drawn = self._shows_lines and bool(self._views.sides)
        for view in self._views.all:
            canvas = self._canvases.get(id(view))
            if canvas is None or not canvas.isVisibleTo(self._place):
                continue
            view.fit_scale_bar()
            lines = self._lines.get(id(view))
            if not drawn or view.axis < 0:
                if lines is not None:
                    lines.hide()
                continue
            if lines is None:
                lines = self._lines[id(view)] = CrossLines(canvas)
            own = view.own_cross(cross)
            down, right = view.across
            colours = COLOURS[PLANES[down]], COLOURS[PLANES[right]]
            lines.show(
                (own.world[down], own.world[right]),
                float(view.model.scene.camera.zoom),
                colours,
                0.75,
            )

    def _say(self, words: str) -> None:
        self.line.setText(words or " ")

    def _on_stale(self) -> None:
        if not self._draw.isActive():
            self._draw.start()

    def detach(self) -> None:
        """Leave napari's window as it was."""
        for turn in (self._draw, self._make, self._fit_turn):
            turn.stop()
        self._canvas.removeEventFilter(self)
        self._drawn.remove(canvas_native(self._canvas))
        self._canvas.setMinimumSize(self._least)
        views = self._views
        views.close_sides()
        views.first.model.scene.camera.events.zoom.disconnect(self._show_lines)
        for signal, callback in (
            (views.opened, self._on_opened),
            (views.closing, self._on_closing),
            (views.moved, self._show_lines),
            (views.stale, self._on_stale),
            (views.pointed, self._say),
            (views.double_clicked, self.toggle_large),
        ):
            signal.disconnect(callback)
        for lines in self._lines.values():
            lines.detach()
        self._lines.clear()
        self.set_fourth(None)
        self._grid.removeWidget(self._canvas)
        self._grid.removeWidget(self.line)
        self._outer.removeItem(self._grid)
        self._outer.addWidget(self._canvas)
        self._canvas.show()
        self._canvases.clear()
        self._grid.deleteLater()
        self.line.hide()
        self.line.setParent(None)
        self.line.deleteLater()
        self.deleteLater()


class _Line(QLabel):
    """One line of words that never pushes the window wider."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setContentsMargins(6, 2, 6, 2)
        self.setAccessibleName("Under the mouse")
        self.setText(" ")
