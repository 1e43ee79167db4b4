"""The palette: a button for each tool one reaches for often, menus for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QAction, QKeySequence
from qtpy.QtWidgets import QGridLayout, QMenu, QSizePolicy, QToolButton, QWidget

from napari_medlabel.plugin.tools.options import Tool
from napari_medlabel.widgets.legible import ThemeWatch, points_of_words, tint

_COLUMNS: Final = 3
_GAP_PX: Final = 3
_SMALLER: Final = 0.92
"""Size of a tool's words to those of the window, which a person may have set larger."""
_STYLE: Final = (
    "QToolButton { padding: 3px 0px; border-radius: 3px; font-size: %.1fpt;"
    " background: rgba(128, 128, 128, 60); }"
    "QToolButton:hover { background: rgba(128, 128, 128, 110); }"
    "QToolButton::menu-indicator { image: none; }"
    # The tool in hand is marked by a frame, not by colour alone.
    "QToolButton:checked { border: 2px solid %s; font-weight: bold; }"
)


def key_words(key: str) -> str:
    """Return a key as it stands on a button: ``"⇧D"`` for ``"Shift-D"``."""
    return key.replace("Shift-", "⇧").replace("Control-", "Ctrl+").replace("Alt-", "Alt+")


class ToolPalette(QWidget):
    """Shows the tools and asks for one; knows neither napari nor the session.

    Parameters
    ----------
    tools : sequence of Tool
        In the order in which they are shown.
    menus : sequence of str
        Groups that fold into a menu.
    """

    tool_requested = Signal(str)

    def __init__(
        self, tools: Sequence[Tool], menus: Sequence[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._tools = {known.name: known for known in tools}
        self._why: Mapping[str, str] = {}
        self.buttons: dict[str, QToolButton] = {}
        self.actions_: dict[str, QAction] = {}
        self.menu_buttons: dict[str, QToolButton] = {}
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(_GAP_PX)
        self._columns = 0
        self._parts = [self._make_button(t) for t in tools if t.group not in menus]
        for title in menus:
            self._parts.append(self._make_menu(title, [t for t in tools if t.group == title]))
        self._arrange(_COLUMNS)
        self.show_keys({known.name: known.key for known in tools})
        ThemeWatch(self, self._follow_theme, font=True)

    def _arrange(self, columns: int) -> None:
        """Put the buttons into columns of one width."""
        if columns == self._columns:
            return
        self._columns = columns
        for at, part in enumerate(self._parts):
            self._grid.addWidget(part, at // columns, at % columns)
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, int(column < columns))

    def _fit(self) -> None:
        """Take as many columns as leave the words whole."""
        wide = max(part.sizeHint().width() for part in self._parts) + _GAP_PX
        self._arrange(max(1, min(_COLUMNS, (self.width() + _GAP_PX) // wide)))

    def resizeEvent(self, event: Any) -> None:
        """Fit the columns to the width."""
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent | None) -> bool:
        """Fit the columns where words or their font have changed."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return bool(super().event(event))

    def _follow_theme(self) -> None:
        size = _SMALLER * points_of_words(self)
        self.setStyleSheet(_STYLE % (size, tint(self, "mark").name()))

    def _make_button(self, known: Tool) -> QToolButton:
        button = _button()
        button.setCheckable(True)
        button.clicked.connect(lambda _=False, n=known.name: self.tool_requested.emit(n))
        self.buttons[known.name] = button
        return button

    def _make_menu(self, title: str, tools: Sequence[Tool]) -> QToolButton:
        button = _button()
        button.setText(f"{title}  ▾")
        button.setCheckable(True)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        for known in tools:
            action = QAction(known.title, menu)
            action.setToolTip(known.words)
            action.setCheckable(True)
            action.triggered.connect(lambda _=False, n=known.name: self.tool_requested.emit(n))
            menu.addAction(action)
            self.actions_[known.name] = action
        button.setMenu(menu)
        self.menu_buttons[title] = button
        return button

    def show_keys(self, keys: Mapping[str, str]) -> None:
        """Write the keys on the buttons, those that work.

        Parameters
        ----------
        keys : mapping of str to str
            For the name of each tool its key, empty for none.
        """
        for name, known in self._tools.items():
            key = keys.get(name, "")
            if name in self.buttons:
                words = f"{known.title}  {key_words(key)}" if key else known.title
                self.buttons[name].setText(words)
            elif key:
                # Shown, not bound: the key works through the case's layers.
                shown = QKeySequence(key.replace("-", "+")).toString(
                    QKeySequence.SequenceFormat.NativeText
                )
                self.actions_[name].setText(f"{known.title}\t{shown}")
        self.show_reasons(self._why)

    def show_reasons(self, why: Mapping[str, str]) -> None:
        """Grey out tools that cannot work now; their tooltips say why.

        Parameters
        ----------
        why : mapping of str to str
            For the name of a tool the reason.
        """
        self._why = why
        for name, known in self._tools.items():
            part = self.buttons.get(name) or self.actions_[name]
            reason = why.get(name, "")
            part.setEnabled(not reason)
            part.setToolTip(f"{known.words}\n\nNot now: {reason}" if reason else known.words)

    def show_tool(self, name: str) -> None:
        """Mark the tool in hand; empty for none."""
        for known, button in self.buttons.items():
            button.setChecked(known == name)
        for known, action in self.actions_.items():
            action.setChecked(known == name)
        chosen = self._tools.get(name)
        for title, button in self.menu_buttons.items():
            mine = chosen is not None and chosen.group == title
            button.setChecked(mine)
            button.setToolTip(f"In hand: {chosen.title}" if mine and chosen else "More tools")


def _button() -> QToolButton:
    button = QToolButton()
    # By Tab only: after a click the keys must still reach the canvas.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    # Columns of one width, however narrow the dock.
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return button
