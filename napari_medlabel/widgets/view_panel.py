"""The view: planes, display convention and window presets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QPushButton, QWidget

from napari_medlabel.model.presets import Window

_OWN: Final = "By hand"
"""A window that is none of those offered."""

PLANES = ("Axial", "Coronal", "Sagittal", "3D")


class ViewPanel(QWidget):
    """Asks for planes, sides and windows; knows neither napari nor the session."""

    plane_requested = Signal(str)
    convention_requested = Signal(bool)
    window_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = False
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.plane_buttons: dict[str, QPushButton] = {}
        for column, plane in enumerate(PLANES):
            button = QPushButton(plane)
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, p=plane: self.plane_requested.emit(p))
            self.plane_buttons[plane] = button
            layout.addWidget(button, 0, column)
        self.convention_box = QComboBox()
        self.convention_box.addItems(["Radiological", "Neurological"])
        self.convention_box.setToolTip(
            "Radiological: the patient's left is on the right of the screen"
        )
        self.convention_box.activated.connect(
            lambda index: self.convention_requested.emit(index == 0)
        )
        self.window_box = QComboBox()
        self.window_box.activated.connect(
            lambda index: self.window_requested.emit(self.window_box.itemData(index))
        )
        self.window_box.setAccessibleName("Window")
        self.convention_box.setAccessibleName("Display convention")
        for box in (self.convention_box, self.window_box):
            # No wider than the dock, however long a name is.
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(8)
        layout.addWidget(QLabel("Display"), 1, 0)
        layout.addWidget(self.convention_box, 1, 1, 1, 3)
        layout.addWidget(QLabel("Window"), 2, 0)
        layout.addWidget(self.window_box, 2, 1, 1, 3)

    def offer(self, *, pictures: bool = False, colour: bool = False) -> None:
        """Offer what makes sense for the open scan.

        Parameters
        ----------
        pictures : bool
            Whether it has no place in the patient: then there is one plane and no side.
        colour : bool
            Whether it has colours: they are shown as they are, without a window.
        """
        for plane, button in self.plane_buttons.items():
            button.setVisible(not pictures or plane == PLANES[0])
            if plane == PLANES[0]:
                button.setText("As stored" if pictures else plane)
        self.convention_box.setEnabled(not pictures)
        self._colour = colour
        self.window_box.setEnabled(not colour)
        self.window_box.setToolTip(
            "Colours are shown as they are"
            if colour
            else "Which values are black and white; by hand: drag with the right button"
        )
        if pictures:
            self.convention_box.setToolTip("Pictures without a place have no sides")

    def show_windows(self, windows: Sequence[Window]) -> None:
        """Offer windows; the first is the one in use."""
        self.window_box.clear()
        if self._colour:
            self.window_box.addItem("Colours, as they are")
        for window in windows:
            self.window_box.addItem(window.name, window.name)

    def show_window_keys(self, keys: Mapping[str, str]) -> None:
        """Write on each window the key that chooses it."""
        for index in range(self.window_box.count()):
            name = self.window_box.itemData(index)
            if name in keys:
                self.window_box.setItemText(index, f"{name}   {keys[name]}")

    def show_window(self, name: str) -> None:
        """Mark the window in use; an empty name is one that was set by hand."""
        own = self.window_box.findData("")
        if name:
            self.window_box.setCurrentIndex(self.window_box.findData(name))
            if own >= 0:
                self.window_box.removeItem(own)
            return
        if own < 0:
            self.window_box.addItem(_OWN, "")
            own = self.window_box.count() - 1
        self.window_box.setCurrentIndex(own)

    def show_plane(self, plane: str) -> None:
        """Mark the plane that is shown."""
        for name, button in self.plane_buttons.items():
            button.setChecked(name == plane)
