"""A hand that does nothing: what every tool begins from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_medlabel.edit.patch import Patch
from napari_medlabel.plugin.pointing import Pointer

if TYPE_CHECKING:
    from napari_medlabel.plugin.tools.kit import Kit

LEFT, RIGHT = 1, 2


class QuietHand:
    """Takes no event; tools override what they need.

    Parameters
    ----------
    kit : Kit
        What it works with.
    """

    circle = False
    """Whether the brush's circle shows at the mouse."""
    paints = False
    """Whether a double click that it leaves is a press: the second of two quick strokes."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    @property
    def is_busy(self) -> bool:
        """Whether something is begun that Escape would take back."""
        return False

    def press(self, _pointer: Pointer, /) -> bool:
        """Leave a button going down to napari."""
        return False

    def drag(self, _pointer: Pointer, /) -> None:
        """Do nothing."""

    def release(self, _pointer: Pointer, /) -> None:
        """Do nothing."""

    def hover(self, _pointer: Pointer, /) -> None:
        """Do nothing."""

    def double_click(self, _pointer: Pointer, /) -> bool:
        """Leave a double click to napari."""
        return False

    def wheel(self, _pointer: Pointer, _steps: float, /) -> bool:
        """Leave the wheel to napari."""
        return False

    def close(self) -> bool:
        """Finish what is begun (Enter); return whether there was anything."""
        return False

    def step_back(self) -> bool:
        """Take the last corner back (Backspace); return whether there was one."""
        return False

    def cancel(self) -> bool:
        """Take back what is begun (Escape); return whether there was anything."""
        return False

    def retune(self, _option: str, /) -> None:
        """Hear that the person chose another value for an option of the tool."""

    def look_anew(self) -> None:
        """Hear that the slider rests on another volume of the scan."""

    def accept(self) -> Patch | None:
        """Make what is proposed a step."""
        return self.kit.bench.accept()

    def leave(self) -> None:
        """Put the tool down: what is begun is taken back."""
        self.cancel()
