"""Window and level by hand: the mouse pulls at the range of values that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from psygnal import Signal

from napari_medlabel.plugin.sight.words import name_and_unit, number_words

if TYPE_CHECKING:
    from napari_medlabel.plugin.sight.view import View

_ACROSS_PX: Final = 300.0
"""So many pixels to the right widen a window by its own width."""
_SLOWEST: Final = 1 / 200
"""A narrow window moves as if it were this part of the scan's range wide."""
_NARROWEST: Final = 1e-4
"""Narrowest window of values that are no whole numbers, as part of the scan's range."""

Range = tuple[float, float]


def drag_window(
    window: Range, moved_px: tuple[float, float], reach: Range, *, whole: bool = False
) -> Range:
    """Return a window after the mouse has pulled at it, as radiologists know it.

    To the right widens it, downwards raises its centre (the picture gets darker). The speed
    follows the width that it began with, so that it serves Hounsfield units, standard uptake
    values and raw numbers alike.

    Parameters
    ----------
    window : tuple of float
        Values shown black and white when the drag began.
    moved_px : tuple of float
        Pixels to the right and downwards since then.
    reach : tuple of float
        Lowest and highest value of the scan: the centre stays between them, and no window is
        wider than twice their distance.
    whole : bool
        Whether the values are whole numbers: then so are centre and width.
    """
    low, high = window
    span = max(reach[1] - reach[0], 1e-12)
    width, centre = high - low, (high + low) / 2.0
    speed = max(width, span * _SLOWEST) / _ACROSS_PX
    width += moved_px[0] * speed
    centre += moved_px[1] * speed
    if whole:
        width, centre = float(round(width)), float(round(centre))
    width = min(max(width, 1.0 if whole else span * _NARROWEST), 2.0 * span)
    centre = min(max(centre, reach[0]), reach[1])
    return centre - width / 2.0, centre + width / 2.0


def window_words(window: Range, quantity: str = "") -> str:
    """Say a window as radiologists do: ``"W 400  L 60 HU"``."""
    _, unit = name_and_unit(quantity)
    width, centre = window[1] - window[0], (window[0] + window[1]) / 2.0
    return f"W {number_words(width)}  L {number_words(centre)} {unit}".rstrip()


class Windowing:
    """Follows the mouse and sets the window of the picture that it is over.

    All views of a scan share one window: `napari_medlabel.plugin.sight.twin` sees to that.
    """

    changed = Signal(str)
    """The window, in words, while it is pulled at."""

    def __init__(self) -> None:
        self.held = False
        """Whether a key is held that gives the mouse to the window, whatever is in hand."""
        self._begun: tuple[Range, Range, bool] | None = None
        self._from: tuple[float, float] = (0.0, 0.0)
        self._view: View | None = None

    def hold(self) -> None:
        """Let the mouse move the window from now on, without a button."""
        self.held = True
        self._view = None

    def release(self) -> None:
        """Give the mouse back."""
        self.held = False
        self._view = None

    def begin(self, view: View, pos: Any) -> bool:
        """Begin to pull at a view's window; return False where it shows colours.

        Parameters
        ----------
        view : View
            What the mouse is over.
        pos : array, shape (2,)
            The mouse on its canvas, pixels.
        """
        self._view = view
        self._from = float(pos[0]), float(pos[1])
        image = view.image
        if image is None or image.rgb:
            self._begun = None
            self.changed.emit("Colours are shown as they are: they have no window.")
            return False
        low, high = (float(v) for v in image.contrast_limits)
        least, most = view.reach
        whole = getattr(image.dtype, "kind", "f") in "iu"
        self._begun = (low, high), (least, most), whole
        return True

    def move(self, pos: Any) -> None:
        """Follow the mouse to another pixel of the canvas."""
        if self._view is None or self._begun is None:
            return
        window, reach, whole = self._begun
        moved = float(pos[0]) - self._from[0], float(pos[1]) - self._from[1]
        set_window(self._view.image, drag_window(window, moved, reach, whole=whole))
        self.changed.emit(self.words(self._view))

    def hover(self, view: View, pos: Any) -> None:
        """Follow the mouse while the key is held: it begins where it is first seen."""
        if self._view is not view:
            self.begin(view, pos)
        else:
            self.move(pos)

    @staticmethod
    def words(view: View) -> str:
        """Say which window a view has; empty for colours."""
        image = view.image
        if image is None or image.rgb:
            return ""
        low, high = (float(v) for v in image.contrast_limits)
        return window_words((low, high), view.quantity)


def set_window(image: Any, window: Range) -> None:
    """Show a range of values, widening what napari's slider reaches where it must."""
    low, high = (float(v) for v in image.contrast_limits_range)
    if window[0] < low or window[1] > high:
        image.contrast_limits_range = (min(low, window[0]), max(high, window[1]))
    image.contrast_limits = window
