"""Threads of comments on a reading: a list to jump from, a conversation, and new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.widgets.narrow import narrow
from napari_medlabel.widgets.notice import Notice
from napari_medlabel.widgets.rows import Rows
from napari_medlabel.widgets.study.tag_row import TagRow, tag_words

_STANDINGS: Final = {"open": "◆", "answered": "◈", "resolved": "✔"}
_SNIPPET: Final = 60
_LIST_PX: Final = 120
_SAID_PX: Final = 120


@dataclass(frozen=True)
class Line:
    """One comment of a thread.

    Parameters
    ----------
    who : str
        ``You``, ``Annotator`` or ``Reviewer``: never a name or a code.
    time : str
        When, in words.
    text : str
        What is said; empty where it only resolves the thread.
    resolves : bool
        Whether it closes the thread.
    """

    who: str
    time: str
    text: str
    resolves: bool = False


@dataclass(frozen=True)
class ThreadView:
    """A thread as it is shown.

    Parameters
    ----------
    id : str
        Its id.
    number : int
        As on its pin.
    standing : str
        ``open``, ``answered`` or ``resolved``.
    lines : tuple of Line
        At least one.
    label : str
        Name of the label it is about; empty for none.
    place : str
        Where it is pinned, in words; empty for nowhere.
    tags : tuple of str
        What it is about.
    """

    id: str
    number: int
    standing: str
    lines: tuple[Line, ...]
    label: str = ""
    place: str = ""
    tags: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """Label, tags and place in one line."""
        return " · ".join(
            part for part in (self.label, tag_words(self.tags), self.place) if part
        )


class ThreadPanel(QWidget):
    """Shows threads and asks; knows neither napari nor the session."""

    jump_requested = Signal(str)
    """A thread's id."""
    next_requested = Signal()
    reply_requested = Signal(str, str)
    """A thread's id, and what to say."""
    resolve_requested = Signal(str, str)
    """A thread's id, and perhaps a last word."""
    reopen_requested = Signal(str, str)
    add_requested = Signal(str, int, object, bool)
    """What to say, the label's value, tags, and whether it is pinned to the cross-hair."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._threads: tuple[ThreadView, ...] = ()
        self._can = True
        self.banner = Notice()
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setFixedHeight(_LIST_PX)
        self.list.setToolTip("Click: go to the place of the comment")
        self.next_button = QPushButton("Next open comment")
        self.said = QTextBrowser()
        self.said.setOpenLinks(False)
        self.said.setFixedHeight(_SAID_PX)
        self.reply = QLineEdit()
        self.reply.setPlaceholderText("Answer: no names, no dates")
        self.reply_button, self.resolve_button = QPushButton("Reply"), QPushButton("Resolve")
        self.text = QLineEdit()
        self.text.setPlaceholderText("New comment: no names, no dates")
        self.label_box = narrow(QComboBox())
        self.label_box.setToolTip("Which label it is about")
        self.tags = TagRow()
        self.tags_button = QToolButton()
        self.tags_button.setText("Tags")
        self.tags_button.setCheckable(True)
        self.tags_button.toggled.connect(self.tags.setVisible)
        self.tags.hide()
        self.pin_button, self.add_button = (
            QPushButton("Pin here"),
            QPushButton("Without a place"),
        )
        self.resolved_box = QCheckBox("Show resolved ones")
        self.resolved_box.setChecked(True)
        self._lay_out()
        self._connect()
        self.show_threads(())

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.banner)
        column.addWidget(Rows(self.resolved_box, self.next_button, gap_px=6))
        column.addWidget(self.list)
        self.talk = QWidget()
        inner = QGridLayout(self.talk)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.said, 0, 0, 1, 2)
        inner.addWidget(self.reply, 1, 0, 1, 2)
        inner.addWidget(self.reply_button, 2, 0)
        inner.addWidget(self.resolve_button, 2, 1)
        column.addWidget(self.talk)
        self.new = QWidget()
        grid = QGridLayout(self.new)
        grid.setContentsMargins(0, 8, 0, 0)
        grid.addWidget(self.text, 0, 0, 1, 2)
        grid.addWidget(self.label_box, 1, 0)
        grid.addWidget(self.tags_button, 1, 1)
        grid.addWidget(self.tags, 2, 0, 1, 2)
        grid.addWidget(self.pin_button, 3, 0)
        grid.addWidget(self.add_button, 3, 1)
        column.addWidget(self.new)

    def _connect(self) -> None:
        self.list.itemClicked.connect(lambda _item: self.jump_requested.emit(self.chosen))
        self.list.currentRowChanged.connect(lambda _row: self._show_talk())
        self.next_button.clicked.connect(self.next_requested)
        self.resolved_box.toggled.connect(lambda _on: self._fill(self.chosen))
        self.reply_button.clicked.connect(self._reply)
        self.reply.returnPressed.connect(self._reply)
        self.resolve_button.clicked.connect(self._resolve)
        self.pin_button.clicked.connect(lambda: self._add(pinned=True))
        self.add_button.clicked.connect(lambda: self._add(pinned=False))
        for line in (self.reply, self.text):
            line.textChanged.connect(lambda _text: self._explain())

    # -- showing -------------------------------------------------------------------------

    def show_labels(self, names: Mapping[int, str]) -> None:
        """Offer the labels that a comment can be about."""
        self.label_box.clear()
        self.label_box.addItem("Whole reading", 0)
        for value, name in names.items():
            self.label_box.addItem(name, value)

    def show_label(self, value: int) -> None:
        """Choose the label that a new comment is about."""
        self.label_box.setCurrentIndex(max(self.label_box.findData(value), 0))

    def show_keys(self, jump: str) -> None:
        """Write on the button which key jumps from one to the next."""
        self.next_button.setText(f"Next open comment ({jump})" if jump else "Next open comment")

    def show_return(self, words: str) -> None:
        """Say what the reviewer found, where the reading came back; empty for nothing."""
        if words:
            self.banner.say("amber", words)
        else:
            self.banner.clear()

    def show_threads(self, threads: Sequence[ThreadView], *, can_write: bool = True) -> None:
        """Show threads; the one that was chosen stays chosen."""
        chosen = self.chosen
        self._threads, self._can = tuple(threads), can_write
        self._fill(chosen)

    def _fill(self, chosen: str) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for thread in self._threads:
            if thread.standing == "resolved" and not self.resolved_box.isChecked():
                continue
            text = thread.lines[0].text
            short = text if len(text) <= _SNIPPET else f"{text[:_SNIPPET]}…"
            about = f"\n{thread.about}" if thread.about else ""
            sign = _STANDINGS[thread.standing]
            item = QListWidgetItem(f"{sign} {thread.number}  {short}{about}")
            item.setData(Qt.ItemDataRole.UserRole, thread.id)
            item.setToolTip(f"{thread.standing.capitalize()}: {text}")
            if thread.standing == "resolved":
                font = item.font()
                font.setItalic(True)
                item.setFont(font)
            self.list.addItem(item)
        self.list.blockSignals(False)
        self.choose(chosen)
        self._show_talk()

    def choose(self, thread: str) -> None:
        """Choose a thread, where it is in the list."""
        for row in range(self.list.count()):
            item = self.list.item(row)
            if item is not None and item.data(Qt.ItemDataRole.UserRole) == thread:
                self.list.setCurrentRow(row)

    @property
    def chosen(self) -> str:
        """Id of the thread that is chosen; empty for none."""
        item = self.list.currentItem()
        return "" if item is None else str(item.data(Qt.ItemDataRole.UserRole))

    def clear_words(self) -> None:
        """Empty the lines, once what is in them has been said."""
        self.reply.clear()
        self.text.clear()
        self.tags.show_tags(())

    def _thread(self) -> ThreadView | None:
        return next((one for one in self._threads if one.id == self.chosen), None)

    def _show_talk(self) -> None:
        thread = self._thread()
        self.talk.setVisible(thread is not None)
        if thread is not None:
            parts = [f"<p><i>{escape(thread.about)}</i></p>"] if thread.about else []
            for line in thread.lines:
                end = "<br><i>Resolved.</i>" if line.resolves else ""
                said = escape(line.text).replace("\n", "<br>")
                head = f"<b>{escape(line.who)}</b> <small>{escape(line.time)}</small>"
                parts.append(f"<p>{head}<br>{said}{end if said else end[4:]}</p>")
            self.said.setHtml("".join(parts))
            is_done = thread.standing == "resolved"
            self.resolve_button.setText("Reopen" if is_done else "Resolve")
        self._explain()

    def _explain(self) -> None:
        """Offer what is possible; what is not says why."""
        not_yours = "" if self._can else "Comments are closed: this reading is only looked at."
        is_open = any(one.standing != "resolved" for one in self._threads)
        thread = self._thread()
        is_done = thread is not None and thread.standing == "resolved"
        for button, has, asks, does in (
            (self.reply_button, self.reply.text(), "Write an answer first.", "Say it"),
            (
                self.resolve_button,
                not is_done or self.reply.text(),
                "Say why it is opened again.",
                "Open it again" if is_done else "Close the thread: it is dealt with",
            ),
            (
                self.pin_button,
                self.text.text(),
                "Write the comment first.",
                "Pin it to the place of the cross-hair",
            ),
            (self.add_button, self.text.text(), "Write the comment first.", "Say it"),
            (self.next_button, is_open or not_yours, "No comment is open.", "Go there"),
        ):
            why = not_yours if button is not self.next_button else ""
            why = why or ("" if has else asks)
            button.setEnabled(not why)
            button.setToolTip(why or does)

    # -- asking --------------------------------------------------------------------------

    def _reply(self) -> None:
        if self.chosen and self.reply.text().strip():
            self.reply_requested.emit(self.chosen, self.reply.text().strip())

    def _resolve(self) -> None:
        thread = self._thread()
        if thread is not None:
            is_done = thread.standing == "resolved"
            wish = self.reopen_requested if is_done else self.resolve_requested
            wish.emit(thread.id, self.reply.text().strip())

    def _add(self, *, pinned: bool) -> None:
        value = int(self.label_box.currentData() or 0)
        self.add_requested.emit(self.text.text().strip(), value, self.tags.tags, pinned)
