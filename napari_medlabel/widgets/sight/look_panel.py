"""How the scan is looked at: outlines, slabs, cine, and the reading room's colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.widgets.narrow import narrow
from napari_medlabel.widgets.rows import Rows

_RATE: Final = 10
_TIMES: Final = "Times"


class LookPanel(QWidget):
    """Asks how to show the scan; knows neither napari nor the session.

    Parameters
    ----------
    kinds : sequence of str
        Kinds of slabs, the first one is a single slice.
    ways : sequence of str
        Ways of playing.
    thickest_mm : float
        Of a slab.
    """

    outline_requested = Signal()
    invert_requested = Signal()
    slab_requested = Signal(str, float)
    cine_requested = Signal()
    theme_requested = Signal(bool)

    def __init__(
        self,
        kinds: Sequence[str],
        ways: Sequence[str],
        thickest_mm: float,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.window_line = QLabel()
        self.window_line.setAccessibleName("Window and level")
        self.invert_button = QPushButton("Invert")
        self.outline_button = QPushButton("Outlines")
        self.outline_button.setCheckable(True)
        self.slab_box = QComboBox()
        self.slab_box.addItems(list(kinds))
        self.slab_box.setAccessibleName("Slab")
        self.thick = QDoubleSpinBox()
        self.thick.setDecimals(1)
        self.thick.setRange(0.5, thickest_mm)
        self.thick.setValue(10.0)
        self.thick.setSuffix(" mm")
        self.thick.setAccessibleName("Thickness of the slab")
        self.thick.setKeyboardTracking(False)
        self.slab_line = QLabel()
        self.slab_line.setWordWrap(True)
        self.slab_line.hide()
        self.cine_button = QPushButton("Play")
        self.cine_button.setCheckable(True)
        self.through_box = QComboBox()
        self.through_box.addItems(["Slices", _TIMES])
        self.through_box.setAccessibleName("Play through")
        self.way_box = QComboBox()
        self.way_box.addItems(list(ways))
        self.way_box.setAccessibleName("Direction of play")
        self.rate = QSpinBox()
        self.rate.setRange(1, 30)
        self.rate.setValue(_RATE)
        self.rate.setSuffix(" /s")
        self.rate.setAccessibleName("Speed of play")
        self.theme_box = QCheckBox("Reading room")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        for box in (self.slab_box, self.through_box, self.way_box):
            narrow(box)
        self.window_line.setWordWrap(True)
        first = QHBoxLayout()
        first.addWidget(self.window_line, 1)
        first.addWidget(self.invert_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(first)
        column.addWidget(Rows(self.slab_box, self.thick, gap_px=6))
        column.addWidget(self.slab_line)
        played = self.cine_button, self.through_box, self.way_box, self.rate
        column.addWidget(Rows(*played, gap_px=6))
        column.addWidget(Rows(self.outline_button, self.theme_box, gap_px=6))

    def _connect(self) -> None:
        self.outline_button.clicked.connect(lambda _on: self.outline_requested.emit())
        self.invert_button.clicked.connect(lambda _on: self.invert_requested.emit())
        self.slab_box.activated.connect(lambda _index: self._ask_slab())
        self.thick.valueChanged.connect(lambda _mm: self._ask_slab())
        self.cine_button.clicked.connect(lambda _on: self.cine_requested.emit())
        self.theme_box.clicked.connect(self.theme_requested)

    def _ask_slab(self) -> None:
        self.slab_requested.emit(self.slab_box.currentText(), self.thick.value())

    @property
    def interval_ms(self) -> int:
        """Milliseconds between two pictures of the cine."""
        rate: int = self.rate.value()
        return round(1000 / rate)

    @property
    def through_time(self) -> bool:
        """Whether times are to be played, not slices."""
        return bool(self.through_box.currentText() == _TIMES)

    def offer(self, keys: dict[str, str], *, colour: bool, times: bool, slabs: bool) -> None:
        """Offer what makes sense for the open scan.

        Parameters
        ----------
        keys : dict
            Keys of ``window``, ``invert``, ``outline``, ``slab``, ``cine``; empty for none.
        colour : bool
            Whether it has colours: then there is no window, and no slab of values.
        times : bool
            Whether it has several volumes.
        slabs : bool
            Whether its slices lie beside each other in the patient.
        """
        self.invert_button.setEnabled(not colour)
        self.invert_button.setText(_with_key("Invert", keys["invert"]))
        self.invert_button.setToolTip(
            "Colours are shown as they are" if colour else "Black for white, and back"
        )
        pull = f", or hold {keys['window']} and move the mouse" if keys["window"] else ""
        self.window_line.setToolTip(
            "Colours have no window"
            if colour
            else f"Drag with the right button{pull}: to the right wider, downwards higher"
        )
        self.outline_button.setText(_with_key("Outlines", keys["outline"]))
        self.outline_button.setToolTip("Segments as outlines, or filled, in all views")
        why = "" if slabs and not colour else "Needs slices of grey values in the patient"
        for part in (self.slab_box, self.thick):
            part.setEnabled(not why)
        slab_key = f" ({keys['slab']})" if keys["slab"] else ""
        self.slab_box.setToolTip(why or f"Several slices as one picture, all views{slab_key}")
        self.thick.setToolTip(why or "How thick, across each plane")
        self.cine_button.setToolTip("Goes on by itself; any edit stops it")
        self.cine_button.setText(_with_key("Play", keys["cine"]))
        self.through_box.setEnabled(times)
        self.through_box.setToolTip(
            "Slices of the view under the mouse, or times"
            if times
            else "This scan has one volume: there are no times to play"
        )
        if not times:
            self.through_box.setCurrentIndex(0)
        self.way_box.setToolTip("Which way")
        self.rate.setToolTip("Pictures in a second; fewer where drawing takes longer")

    def offer_theme(self, reason: str) -> None:
        """Offer the reading room's colours; with a reason they are refused."""
        self.theme_box.setEnabled(not reason)
        self.theme_box.setToolTip(
            reason or "Nearly black, with little blue light: for a dark room"
        )

    def show_window(self, words: str) -> None:
        """Show window and level as numbers."""
        self.window_line.setText(words)

    def show_outline(self, outlined: bool) -> None:
        """Mark whether segments are outlines."""
        self.outline_button.setChecked(outlined)

    def show_slab(self, kind: str, thickness_mm: float, resting: str) -> None:
        """Mark the slab that is wanted, and why it is not shown now; empty when it is."""
        self.slab_box.setCurrentText(kind)
        blocked = self.thick.blockSignals(True)
        self.thick.setValue(thickness_mm)
        self.thick.blockSignals(blocked)
        self.slab_line.setText(resting)
        self.slab_line.setVisible(bool(resting))

    def show_playing(self, playing: bool) -> None:
        """Mark whether the cine plays."""
        self.cine_button.setChecked(playing)

    def show_theme(self, chosen: bool) -> None:
        """Mark whether the reading room's colours are in use."""
        self.theme_box.setChecked(chosen)


def _with_key(words: str, key: str) -> str:
    return f"{words} ({key})" if key else words
