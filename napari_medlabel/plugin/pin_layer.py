"""Comments as pins over the scan: looked at, never moved by hand, never part of the case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import metadata

NAME: Final = "Comments"
_OPEN: Final = "#ff8a3d"
_RESOLVED: Final = "#8fa3b0"
_SIZE_MM: Final = 9.0
_CLEAR: Final = "transparent"
"""Within a pin the picture is seen: it is what the comment is about."""


@dataclass(frozen=True)
class Pin:
    """One thread in the picture.

    Parameters
    ----------
    number : int
        As the list of threads numbers it.
    point_ras : tuple of float
        Where, RAS mm.
    is_open : bool
        Whether it waits for somebody; told by form, too.
    """

    number: int
    point_ras: tuple[float, float, float]
    is_open: bool = True


class PinLayer:
    """The pins of a case, in the first view; further views show it as they show any points.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Where the layer is added, below what is active.
    display : Display
        How the scan is laid out.
    case : str
        Content id of the scan.
    """

    def __init__(self, viewer: Any, display: Display, case: str) -> None:
        self._viewer = viewer
        self._display = display
        self._case = case
        self._pins: tuple[Pin, ...] = ()
        self._busy = False
        self.layer: Any = None

    def show(self, pins: Sequence[Pin]) -> None:
        """Show pins; the layer is there only where there are some."""
        self._pins = tuple(pins)
        if not self._pins:
            self.remove()
        elif self.layer is None or self.layer not in self._viewer.layers:
            self._add()
        else:
            self._fill()

    def remove(self) -> None:
        """Take the layer away."""
        layer, self.layer = self.layer, None
        if layer is None:
            return
        layer.events.data.disconnect(self._on_hand)
        if layer in self._viewer.layers:
            self._keep_active(lambda: self._viewer.layers.remove(layer))

    @property
    def points_zyx(self) -> Any:
        """Where the pins lie, displayed data coordinates, shape (n, 3)."""
        places = np.array([pin.point_ras for pin in self._pins], dtype=np.float64)
        return self._display.from_ras(places.reshape(-1, 3))

    def _add(self) -> None:
        display = self._display

        def add() -> None:
            self.layer = self._viewer.add_points(
                self.points_zyx,
                name=NAME,
                ndim=3,
                size=_SIZE_MM / min(display.scale),
                symbol=self._symbols(),
                face_color=_CLEAR,
                border_color=self._colours(),
                border_width=0.14,
                projection_mode="rescale_linear",
                features={"words": self._words()},
                text={
                    "string": "{words}",
                    "size": 11,
                    "color": _OPEN,
                    "anchor": "upper_left",
                    "translation": np.array([0.0, 0.0, 5.0 / display.scale[2]]),
                },
                # Neither landmarks nor a scan: nothing of ours saves or exports it.
                metadata=metadata(display, "aside", self._case),
                **display.geometry(),
            )

        self._keep_active(add)
        self.layer.editable = False
        self.layer.events.data.connect(self._on_hand)

    def _fill(self) -> None:
        layer = self.layer
        self._busy = True
        try:
            layer.data = self.points_zyx
            layer.symbol = self._symbols()
            layer.face_color = _CLEAR
            layer.border_color = self._colours()
            layer.features = {"words": self._words()}
            layer.refresh()
        finally:
            self._busy = False

    def _on_hand(self, event: Any) -> None:
        """Put back what a hand moved or removed: a pin is where its comment says."""
        if not self._busy and str(event.action) in ("added", "removed", "changed"):
            self._fill()

    def _keep_active(self, do: Any) -> None:
        """Do something to the list of layers; what was in hand stays in hand."""
        selection = self._viewer.layers.selection
        active = selection.active
        do()
        if active is not None and active in self._viewer.layers:
            selection.active = active

    def _words(self) -> Any:
        said = [f"{pin.number}" if pin.is_open else f"{pin.number} ✔" for pin in self._pins]
        return np.array(said, dtype=object)

    def _symbols(self) -> list[str]:
        return ["diamond" if pin.is_open else "disc" for pin in self._pins]

    def _colours(self) -> list[str]:
        return [_OPEN if pin.is_open else _RESOLVED for pin in self._pins]
