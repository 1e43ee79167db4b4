"""The cheat sheet: every key of the case and napari's own on one page, by what one is doing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape
from math import ceil
from typing import Any, Final

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from napari_medlabel.plugin.keys import Key
from napari_medlabel.widgets.tool_palette import key_words

_COLUMNS: Final = 3
_WIDE: Final = 1240
_FRAME: Final = 48
"""Pixels that a window's own title and border take of a screen."""

MOUSE: Final = (
    ("Left button", "Paint, draw or click, by the tool in hand"),
    ("Right button", "Erase; close an outline"),
    ("Wheel", "Next or previous slice"),
    ("Ctrl + wheel", "Zoom"),
    ("Shift + wheel", "Size of the brush"),
    ("Shift + drag", "Lead the cross-hair"),
    ("Double click", "Close an outline, or enlarge a view"),
    ("Space, held", "Move the picture with a tool in hand"),
)

_NAPARI: Final = {
    "napari:activate_labels_paint_mode": "Paint",
    "napari:activate_labels_erase_mode": "Erase",
    "napari:activate_labels_fill_mode": "Fill bucket",
    "napari:activate_labels_polygon_mode": "Polygon",
    "napari:activate_labels_picker_mode": "Pick a label",
    "napari:activate_labels_pan_zoom_mode": "Move the camera",
    "napari:decrease_label_id": "Label before",
    "napari:increase_label_id": "Label after",
    "napari:swap_selected_and_background_labels": "Swap label and background",
    "napari:toggle_preserve_labels": "Preserve other labels",
    "napari:increment_dims_left": "Slice before",
    "napari:increment_dims_right": "Slice after",
    "napari:reset_view": "Whole picture",
    "napari:toggle_ndisplay": "2D or 3D",
    "napari:toggle_selected_visibility": "Show or hide the layer",
}


def napari_keys(taken: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return napari's own keys that matter here, as the person has set them.

    Parameters
    ----------
    taken : collection of str
        What means something else now, as the case's keys are written: ``"Shift-G"``.
    """
    from napari.settings import get_settings

    bound: Mapping[str, Any] = get_settings().shortcuts.shortcuts
    ours = {key.replace("Control-", "Ctrl+").replace("-", "+") for key in taken}
    rows = []
    for action, words in _NAPARI.items():
        keys = ", ".join(key for key in map(str, bound.get(action, ())) if key not in ours)
        if keys:
            rows.append((keys, words))
    return rows


class CheatSheet(QDialog):
    """Shows keys and what they do, by groups.

    Parameters
    ----------
    keys : sequence of Key
        Those of the case, in the order in which they were bound.
    napari : sequence of tuple
        napari's own, as key and words.
    """

    def __init__(
        self,
        keys: Sequence[Key],
        napari: Sequence[tuple[str, str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.page = QTextBrowser()
        self.page.setHtml(sheet_html(keys, napari))
        self.page.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.page)
        column.addWidget(buttons)
        self._fit(buttons.sizeHint().height() + 3 * 8)

    def _fit(self, below: int) -> None:
        """Be as large as the page, so far as the screen has room."""
        screen = self.screen()
        if screen is None:
            return
        room = screen.availableGeometry()
        wide = min(_WIDE, room.width() - 2 * 8)
        document = self.page.document()
        tall = room.height() - _FRAME
        if document is not None:
            document.setTextWidth(wide - 2 * 12)
            tall = min(tall, ceil(document.size().height()) + below + 2 * 8)
        self.resize(wide, tall)


def sheet_html(keys: Sequence[Key], napari: Sequence[tuple[str, str]]) -> str:
    """Return the sheet as a page with columns of tables."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for key in keys:
        groups.setdefault(key.group, []).append((key_words(key.key), key.words))
    groups["Mouse"] = list(MOUSE)
    groups["napari's own"] = list(napari)
    tables = [(len(rows), _table(title, rows)) for title, rows in groups.items()]
    columns: list[list[str]] = [[] for _ in range(_COLUMNS)]
    heights = [0] * _COLUMNS
    for rows, table in tables:
        shortest = heights.index(min(heights))
        columns[shortest].append(table)
        heights[shortest] += rows + 2
    cells = "".join(
        f"<td width='{100 // _COLUMNS}%' valign='top'>{''.join(column)}</td>"
        for column in columns
    )
    return f"<table width='100%'><tr>{cells}</tr></table>"


def _table(title: str, rows: Sequence[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td><b>{escape(key)}</b>&nbsp;&nbsp;</td><td>{escape(words)}</td></tr>"
        for key, words in rows
    )
    head = f"<tr><td colspan='2'><big><b>{escape(title)}</b></big></td></tr>"
    return f"<table cellpadding='0'>{head}{lines}<tr><td>&nbsp;</td></tr></table>"
