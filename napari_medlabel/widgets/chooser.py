"""The chooser: the series that were found, with pictures, to open one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QIcon, QImage, QPainter, QPixmap
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.errors import MedlabelError
from napari_medlabel.io.registry import thumbnail
from napari_medlabel.io.series_info import SeriesInfo, Survey, files
from napari_medlabel.widgets.background import Background
from napari_medlabel.widgets.values_box import USUAL, Reasons, ValuesBox, reasons_of

Thumbnail = npt.NDArray[np.uint8]
_SIDE: Final = 96
_SIZE: Final = (760, 620)


class SeriesChooser(QDialog):
    """Lists series with a picture each; those that cannot be read are grey, with the reason.

    Parameters
    ----------
    survey : Survey
        What was found.
    parent : QWidget, optional
        The window.
    draw : callable
        Returns the picture of a series, shape (rows, columns); called in a thread.
    values : str
        What is wanted of stored values; see `registry.VALUES`.
    """

    def __init__(
        self,
        survey: Survey,
        parent: QWidget | None = None,
        *,
        draw: Callable[[SeriesInfo], Thumbnail] = thumbnail,
        values: str = USUAL,
    ) -> None:
        super().__init__(parent)
        self._survey = survey
        self._draw = draw
        self._wanted = values
        self._reasons: dict[int, Reasons] = {}
        self._background = Background(self)
        self._background.reported.connect(self._show_found)
        self.setWindowTitle("Choose a series")
        self.resize(*_SIZE)
        self.list = QListWidget()
        self.list.setIconSize(QSize(_SIDE, _SIDE))
        self.list.setWordWrap(True)
        self.list.setSpacing(2)
        self.about = QLabel()
        self.about.setWordWrap(True)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        self.open_button = buttons.button(QDialogButtonBox.StandardButton.Open)
        column = QVBoxLayout(self)
        heading = QLabel(summary(survey))
        heading.setWordWrap(True)
        self.values = ValuesBox()
        self.values.values_requested.connect(self._want)
        for part in (heading, self.list, self.about, self.values, buttons):
            column.addWidget(part)
        column.setStretch(1, 1)
        for info in survey.series:
            self._add(info)
        self.list.currentRowChanged.connect(self._show_about)
        self.list.itemActivated.connect(lambda _item: self._accept_chosen())
        buttons.accepted.connect(self._accept_chosen)
        buttons.rejected.connect(self.reject)
        self.finished.connect(lambda _result: self._stop())
        readable = [n for n, info in enumerate(survey.series) if not info.problem]
        self._show_about(-1)
        if readable:
            self.list.setCurrentRow(readable[0])
        self.list.setFocus()
        self._begin_thumbnails()

    def _add(self, info: SeriesInfo) -> None:
        item = QListWidgetItem(blank_icon(), describe(info))
        if info.problem:
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setToolTip("\n".join((info.problem, info.hint) if info.problem else info.warnings))
        self.list.addItem(item)

    @property
    def chosen(self) -> SeriesInfo | None:
        """The series under the cursor, None when there is none that can be read."""
        row = self.list.currentRow()
        info: SeriesInfo | None = self._survey.series[row] if row >= 0 else None
        if info is None or info.problem:
            return None
        if self.values.values == USUAL:
            return info
        wanted: SeriesInfo = replace(info, values=self.values.values)
        return wanted

    def _want(self, values: str) -> None:
        self._wanted = values

    def _show_values(self, row: int) -> None:
        """Offer what the header of the series allows, once that is known."""
        reasons = self._reasons.get(row)
        if row < 0 or self._survey.series[row].problem:
            self.values.show_none("Choose a series that can be read")
        elif reasons is None:
            self.values.show_none("The header is still being looked at", self._wanted)
        else:
            self.values.show_reasons(reasons, self._wanted)

    def _show_about(self, _row: int) -> None:
        self._show_values(self.list.currentRow())
        info = self.chosen
        self.open_button.setEnabled(info is not None)
        doubts = () if info is None else info.warnings
        self.about.setText("\n".join(f"• {doubt}" for doubt in doubts))
        self.about.setVisible(bool(doubts))

    def _accept_chosen(self) -> None:
        if self.chosen is not None:
            self.accept()

    # -- pictures ------------------------------------------------------------------------

    def _begin_thumbnails(self) -> None:
        self._background.run(self._thumbnails, lambda _none: None, lambda _err: None)

    def _thumbnails(self) -> None:
        """Draw one picture after the other; in a thread."""
        series = self._survey.series
        for row, info in enumerate(series):
            self._background.tell(row, len(series))
            if info.problem:
                continue
            self._background.report((row, reasons_of(info)))
            try:
                picture = self._draw(info)
            except MedlabelError:
                # Its list entry stays without a picture; opening it says why.
                continue
            self._background.report((row, picture))

    def _show_found(self, found: tuple[int, Thumbnail | Reasons]) -> None:
        row, what = found
        item = self.list.item(row)
        if isinstance(what, np.ndarray):
            if item is not None:
                item.setIcon(icon_of(what))
        else:
            self._reasons[row] = what
            if row == self.list.currentRow():
                self._show_values(row)
        self._background.seen()

    def _stop(self) -> None:
        self._background.cancel()


def ask_series(survey: Survey, parent: QWidget | None = None) -> SeriesInfo | None:
    """Let the person choose and wait for it; None when she chose none."""
    dialog = SeriesChooser(survey, parent)
    taken = dialog.exec() == QDialog.DialogCode.Accepted
    chosen = dialog.chosen if taken else None
    dialog.deleteLater()
    return chosen


def summary(survey: Survey) -> str:
    """Say in a sentence or two what was found."""
    count = len(survey.series)
    words = f"{count} series were found. Which one should be opened?"
    if count == 1:
        words = "1 series was found. As which values should it be opened?"
    if marks := survey.marks_in_words():
        words += f" With them: {marks}."
    if survey.unreadable:
        words += f" {files(survey.unreadable)} could not be read at all."
    return words


def describe(info: SeriesInfo) -> str:
    """Describe a series in three lines: what, how large, what is doubtful."""
    kind = info.modality or info.format.upper()
    if info.series_number is not None:
        kind += f", series {info.series_number}"
    if info.grid is None:
        return f"{kind}, {files(info.files)}\nCannot be read: {info.problem}"
    i, j, k = info.grid.shape
    unit = "picture" if info.slices == "pictures" else "slice"
    spacing = " x ".join(f"{mm:.3g}" for mm in info.grid.affine.spacing_mm)
    lines = [f"{kind}   {i} x {j}, {k} {unit}{'s' * (k != 1)}", f"{spacing} mm"]
    if info.slices == "pictures":
        lines[1] = " x ".join(f"{mm:.3g}" for mm in info.grid.affine.spacing_mm[:2]) + " mm"
    if info.description:
        lines[1] += f", {info.description}"
    if info.problem:
        lines.append(f"Cannot be read: {info.problem}")
    elif info.warnings:
        more = f" (and {len(info.warnings) - 1} more)" if len(info.warnings) > 1 else ""
        lines.append(f"⚠ {info.warnings[0]}{more}")
    return "\n".join(lines)


def icon_of(picture: Thumbnail) -> QIcon:
    """Make an icon of a grey (rows, columns) or coloured (rows, columns, 3) picture."""
    form = QImage.Format.Format_Grayscale8 if picture.ndim == 2 else QImage.Format.Format_RGB888
    pixels = np.ascontiguousarray(picture)
    rows, columns = pixels.shape[:2]
    image = QImage(pixels.tobytes(), columns, rows, pixels.strides[0], form)
    scaled = QPixmap.fromImage(image).scaled(
        _SIDE,
        _SIDE,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    square = _black_square()
    painter = QPainter(square)
    painter.drawPixmap((_SIDE - scaled.width()) // 2, (_SIDE - scaled.height()) // 2, scaled)
    painter.end()
    return _icon(square)


def blank_icon() -> QIcon:
    """Return the dark square that stands until a picture has come."""
    return _icon(_black_square())


def _icon(square: QPixmap) -> QIcon:
    icon = QIcon(square)
    # Qt tints what is selected: of a scan that would be another grey.
    icon.addPixmap(square, QIcon.Mode.Selected)
    return icon


def _black_square() -> QPixmap:
    square = QPixmap(_SIDE, _SIDE)
    square.fill(Qt.GlobalColor.black)
    return square
