"""The panel of tools: palette, the tool in hand with its options, preview, and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.plugin.tools.options import Extent, Option, Tool
from napari_medlabel.widgets.legible import ThemeWatch, tint
from napari_medlabel.widgets.masking_row import MaskingRow
from napari_medlabel.widgets.narrow import shortened
from napari_medlabel.widgets.progress_row import ProgressRow
from napari_medlabel.widgets.tool_options import ExtentRow, ToolOptions
from napari_medlabel.widgets.tool_palette import ToolPalette, key_words


class PreviewRow(QFrame):
    """What is proposed, in words, and the two answers."""

    accept_requested = Signal()
    reject_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setStyleSheet(
            "PreviewRow { border: 1px solid #ffd23f; border-radius: 3px; }"
            " PreviewRow QLabel { background: transparent; }"
        )
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.accept_button = QPushButton("Accept (Enter)")
        self.accept_button.setToolTip("Make what is shown a step that can be undone")
        self.reject_button = QPushButton("Cancel (Esc)")
        self.reject_button.setToolTip("Leave the labels as they are")
        for button in (self.accept_button, self.reject_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.accept_button.clicked.connect(self.accept_requested)
        self.reject_button.clicked.connect(self.reject_requested)
        answers = QHBoxLayout()
        answers.addWidget(self.accept_button)
        answers.addWidget(self.reject_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.addWidget(self.words)
        column.addLayout(answers)
        self.hide()

    def show_words(self, words: str) -> None:
        """Show what is proposed; empty words hide the row."""
        self.words.setText(words)
        self.setVisible(bool(words))


class ToolPanel(QWidget):
    """Shows the tools and asks for things; knows neither napari nor the session.

    Parameters
    ----------
    tools : sequence of Tool
        All of them.
    menus : sequence of str
        Groups that fold into a menu.
    """

    tool_requested = Signal(str)
    option_requested = Signal(str, object)
    extent_requested = Signal(str)
    slab_requested = Signal(int)
    apply_requested = Signal()
    range_requested = Signal()
    sheet_requested = Signal()

    def __init__(
        self, tools: Sequence[Tool], menus: Sequence[str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.palette_ = ToolPalette(tools, menus)
        self.title = QLabel()
        self.title.setWordWrap(True)
        self._tool = self._label = ""
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.sheet_button = QPushButton("Keys…")
        self.sheet_button.setToolTip("All keys on one sheet (F1)")
        self.options = ToolOptions()
        self.extent = ExtentRow()
        self.apply_button = QPushButton("Preview")
        self.range_button = QPushButton("Paint in this range only")
        self.range_button.setToolTip("Take the range as a rule for all tools: Values, below")
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        ThemeWatch(self, self._follow_theme)
        self.hint.hide()
        self.preview = PreviewRow()
        self.progress = ProgressRow()
        self.masking = MaskingRow()
        self._lay_out()
        self._connect()
        self.show_nothing()

    def _follow_theme(self) -> None:
        self.hint.setStyleSheet(f"color: {tint(self, 'mark').name()};")

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.sheet_button)
        doing = QHBoxLayout()
        doing.addWidget(self.apply_button, 1)
        doing.addWidget(self.range_button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(5)
        column.addWidget(self.palette_)
        column.addLayout(head)
        column.addWidget(self.words)
        column.addWidget(self.extent)
        column.addWidget(self.options)
        column.addLayout(doing)
        column.addWidget(self.hint)
        column.addWidget(self.preview)
        column.addWidget(self.progress)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        column.addWidget(line)
        column.addWidget(self.masking)
        for button in (self.apply_button, self.range_button, self.sheet_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _connect(self) -> None:
        self.palette_.tool_requested.connect(self.tool_requested)
        self.options.changed.connect(self.option_requested)
        self.extent.extent_requested.connect(self.extent_requested)
        self.extent.slab_requested.connect(self.slab_requested)
        self.apply_button.clicked.connect(self.apply_requested)
        self.range_button.clicked.connect(self.range_requested)
        self.sheet_button.clicked.connect(self.sheet_requested)

    def show_segments(self, segments: Sequence[tuple[int, str]]) -> None:
        """Offer labels, as value and name, to the rules and to tools that ask for another."""
        self.masking.show_segments(segments)
        self.options.show_segments(segments)

    def show_label(self, name: str, colour: str) -> None:
        """Show which label is in hand.

        Parameters
        ----------
        name : str
            Its name.
        colour : str
            As ``"#rrggbb"``.
        """
        self._label = f"<span style='color:{colour}'>&#9632;</span> {escape(shortened(name))}"
        self.title.setToolTip(escape(name))
        self._write_title()
        self.options.follow()

    def _write_title(self) -> None:
        self.title.setText(f"{self._tool} &nbsp;{self._label}" if self._tool else "")

    @property
    def lowest(self) -> QWidget:
        """The lowest part of the tool in hand that shows: its answers, button or options."""
        parts = (self.preview, self.hint, self.apply_button, self.options, self.extent)
        return next((part for part in parts if part.isVisible()), self.words)

    def say(self, words: str) -> None:
        """Show a sentence below the tool; empty for none."""
        self.hint.setText(words)
        self.hint.setVisible(bool(words))

    def show_nothing(self) -> None:
        """Show that no tool is in hand."""
        self.say("")
        self.palette_.show_tool("")
        self._tool = "<b>No tool in hand</b>"
        self._write_title()
        self.words.setText(
            "A click sets the cross-hair, a drag moves the picture. Choose a tool, or press "
            "its key."
        )
        self.options.ask((), {})
        self.extent.show_extent((), "3D", 3)
        self.apply_button.hide()
        self.range_button.hide()

    def show_tool(
        self,
        known: Tool,
        options: Sequence[Option],
        values: Mapping[str, Any],
        extent: Extent,
        slab: int,
    ) -> None:
        """Show a tool and what it asks for.

        Parameters
        ----------
        known : Tool
            The tool.
        options : sequence of Option
            What it asks for.
        values : mapping
            What is chosen now.
        extent : str
            Where it works now.
        slab : int
            Slices of a slab.
        """
        self.palette_.show_tool(known.name)
        key = f" ({key_words(known.key)})" if known.key else ""
        self._tool = f"<b>{known.title}</b>{key}"
        self._write_title()
        self.words.setText(known.words)
        self.options.ask(options, values)
        self.extent.show_extent(known.extents, extent, slab)
        self.apply_button.setVisible(not known.is_hand)
        self.apply_button.setText(known.apply)
        self.range_button.setVisible(known.name == "threshold")

    def show_busy(self, busy: bool, reason: str = "") -> None:
        """Grey out what cannot be asked for while something is computed."""
        self.apply_button.setEnabled(not busy)
        self.apply_button.setToolTip(reason if busy else "Show what it would do, to accept it")
