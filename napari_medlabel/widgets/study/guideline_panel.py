"""Guidelines to read: Markdown with pictures of the study's folder, at the label in hand."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Final

from qtpy.QtCore import Qt, QTimer, QUrl, Signal
from qtpy.QtGui import (
    QTextBlock,
    QTextCursor,
    QTextDocument,
    QTextOption,
)
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.project.guidelines import Change, Guidelines
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.widgets.legible import Hints
from napari_medlabel.widgets.narrow import narrow
from napari_medlabel.widgets.rows import Rows
from napari_medlabel.widgets.study.later_pictures import LaterPictures, square

_MARKDOWN: Final = (
    QTextDocument.MarkdownFeature.MarkdownDialectGitHub
    | QTextDocument.MarkdownFeature.MarkdownNoHTML
)
_OUTSIDE: Final = frozenset({"http", "https", "mailto"})
_LEAST_PX, _EDGE_PX = 160, 24
_SOON_MS: Final = 150
_LAST_PX: Final = 60
_KINDS: Final = {"new": "New", "gone": "Taken away", "changed": "Changed"}
_IMAGE: Final = int(QTextDocument.ResourceType.ImageResource.value)


class GuidelinePanel(QWidget):
    """Shows guidelines, the rules of the label in hand, and what has changed.

    It loads nothing but pictures below the guidelines' own folder: no file from elsewhere, and
    nothing from a network.
    """

    read = Signal()
    """The person says that they have read them."""
    link_requested = Signal(str)
    """An address outside of the guidelines was clicked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(260)
        self._heading = ""
        self.news = QLabel()
        self.news.setWordWrap(True)
        self.news.setTextFormat(Qt.TextFormat.PlainText)
        self.changed_button = QPushButton("Show what changed")
        self.changed_button.setCheckable(True)
        self.changed_button.setToolTip("Show what has changed since you read them, or all")
        self.read_button = QPushButton("I have read them")
        self.read_button.setToolTip("They do not open by themselves until they change again")
        self.rules = QLabel()
        self.rules.setWordWrap(True)
        self.rules.setTextFormat(Qt.TextFormat.RichText)
        self.headings = narrow(QComboBox())
        self.headings.setToolTip("Jump to a section")
        self.follow = QCheckBox("Follow the label in hand")
        self.follow.setChecked(True)
        self.page = _Page()
        self._changes: tuple[Change, ...] = ()
        self._guidelines: Guidelines | None = None
        self._lay_out()
        Hints(self)
        self.page.anchorClicked.connect(self._on_link)
        self.page.resized.connect(self._show_again)
        self.headings.activated.connect(lambda _n: self.go_to(self.headings.currentText()))
        self.read_button.clicked.connect(self.read)
        self.changed_button.toggled.connect(lambda _on: self._show())
        self.follow.toggled.connect(lambda on: on and self.go_to(self._heading))

    def _lay_out(self) -> None:
        self.banner = QWidget()
        told = QVBoxLayout(self.banner)
        told.setContentsMargins(0, 0, 0, 0)
        told.addWidget(self.news)
        told.addWidget(Rows(self.changed_button, self.read_button, gap_px=6))
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.banner)
        column.addWidget(self.rules)
        column.addWidget(self.headings)
        column.addWidget(self.follow)
        column.addWidget(self.page, 1)
        self.banner.hide()
        self.rules.hide()

    # -- what is shown -------------------------------------------------------------------

    def show_guidelines(self, guidelines: Guidelines) -> None:
        """Show guidelines from their beginning."""
        self._guidelines = guidelines
        self.headings.clear()
        for section in guidelines.sections:
            if section.level:
                self.headings.addItem(shown_heading(section.heading))
        self.changed_button.setChecked(False)
        self._show()

    def show_news(self, words: str, changes: Iterable[Change] = ()) -> None:
        """Say that they are new, or have changed, until they are read; empty words: nothing."""
        self._changes = tuple(changes)
        self.news.setText(words)
        self.banner.setVisible(bool(words))
        self.changed_button.setVisible(bool(self._changes))
        if not self._changes:
            self.changed_button.setChecked(False)

    def show_label(self, label: OntologyLabel | None, unit: str = "") -> None:
        """Show the rules of the label in hand, and its section; None for no label.

        Parameters
        ----------
        unit : str
            Of the scan's values: ``HU``.
        """
        self.rules.setVisible(label is not None)
        if label is None:
            return
        self.rules.setText(rules_of(label, unit))
        if self._guidelines is None:
            return
        heading = self._guidelines.heading_for(label.guide, label.name)
        if heading and heading != self._heading:
            self._heading = heading
            if self.follow.isChecked():
                self.go_to(heading)

    def go_to(self, heading: str) -> bool:
        """Scroll to a heading; return whether the text has it."""
        if self.changed_button.isChecked():
            self.changed_button.setChecked(False)
        if not self.page.go_to(heading):
            return False
        self._heading = heading
        self.headings.setCurrentIndex(self.headings.findText(shown_heading(heading)))
        return True

    def _show(self) -> None:
        if self._guidelines is None:
            return
        if self.changed_button.isChecked():
            self.page.show_html(in_words(self._changes))
            self.changed_button.setText("Show all")
            return
        self.changed_button.setText("Show what changed")
        self.page.show_text(self._guidelines.text, self._guidelines.folder)
        if self._heading:
            self.page.go_to(self._heading)

    def _show_again(self) -> None:
        """Fit the pictures to another width, and stay at the section, or where one was."""
        if self.changed_button.isChecked():
            return
        at = self.page.share
        if self.page.has_pictures:
            self._show()
        if not (self.follow.isChecked() and self.page.go_to(self._heading)):
            self.page.share = at

    def _on_link(self, url: QUrl) -> None:
        target = url.toString()
        if target.startswith("#"):
            self.go_to(self._heading_of(target[1:]))
        elif url.scheme().lower() in _OUTSIDE:
            self.link_requested.emit(target)

    def _heading_of(self, anchor: str) -> str:
        """Return the heading that an anchor means, as GitHub and others make them."""
        wanted = slug(anchor)
        names = (self.headings.itemText(n) for n in range(self.headings.count()))
        return next((name for name in names if slug(name) == wanted), anchor)


class _Page(QTextBrowser):
    """A text that loads pictures of one folder alone, no wider than itself."""

    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setOpenLinks(False)
        self.setMinimumHeight(120)
        self._folder: Path | None = None
        self._width = 0
        self.has_pictures = False
        self.pictures = LaterPictures(self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._on_width)

    def show_text(self, text: str, folder: Path) -> None:
        """Show Markdown whose pictures lie in a folder or below it."""
        self._folder, self.has_pictures = folder.resolve(), False
        self._width = self._wide()
        made = QTextDocument(self)
        self.pictures.begin(made)
        made.setDefaultFont(self.font())
        # Whole before it is shown: block by block, 100 kB took 2.4 s.
        made.setMarkdown(text, _MARKDOWN)
        self._space(made)
        self.setDocument(made)  # the one before is the page's own, and goes
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        # It has gone to what was changed last, and Qt would scroll there when it is shown.
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def show_html(self, text: str) -> None:
        """Show text of our own making."""
        self._folder = None
        made = QTextDocument(self)
        self.pictures.begin(made)
        made.setDefaultFont(self.font())
        made.setHtml(text)
        self.setDocument(made)

    def _space(self, made: QTextDocument) -> None:
        """Set headings off from what stands above, and let the last one reach the top."""
        frame, view = made.rootFrame(), self.viewport()
        if frame is not None and view is not None:
            edges = frame.frameFormat()
            edges.setBottomMargin(float(max(0, view.height() - _LAST_PX)))
            frame.setFrameFormat(edges)
        all_of_it, block = QTextCursor(made), made.begin()
        all_of_it.beginEditBlock()
        while block.isValid():
            form = block.blockFormat()
            if form.headingLevel() > 0:
                form.setTopMargin(10.0)
                form.setBottomMargin(4.0)
            form.setNonBreakableLines(False)  # code breaks, too, where the dock is narrow
            QTextCursor(block).setBlockFormat(form)
            block = block.next()
        all_of_it.endEditBlock()

    def go_to(self, heading: str) -> bool:
        """Scroll until a heading stands at the top."""
        block = self._find(heading)
        layout = None if self.document() is None else self.document().documentLayout()
        bar = self.verticalScrollBar()
        if block is None or layout is None or bar is None:
            return False
        bar.setValue(round(layout.blockBoundingRect(block).top()))
        return True

    @property
    def share(self) -> float:
        """How far down it is scrolled, from 0 to 1."""
        bar = self.verticalScrollBar()
        return 0.0 if bar is None or not bar.maximum() else bar.value() / bar.maximum()

    @share.setter
    def share(self, share: float) -> None:
        bar = self.verticalScrollBar()
        if bar is not None:
            bar.setValue(round(share * bar.maximum()))

    def _find(self, heading: str) -> QTextBlock | None:
        wanted, made = _plain(heading), self.document()
        block = made.begin() if made is not None else None
        while block is not None and block.isValid():
            if block.blockFormat().headingLevel() > 0 and _plain(block.text()) == wanted:
                return block
            block = block.next()
        return None

    def loadResource(self, kind: int, name: QUrl) -> Any:
        """Load a picture of the folder; a grey square stands for everything else."""
        if int(kind) != _IMAGE:
            return None
        path = self._path_of(name)
        if path is None:
            return square()  # without any, Qt would look for the file by itself
        self.has_pictures = True
        return self.pictures.hold(name, path, self._wide())

    def _path_of(self, name: QUrl) -> Path | None:
        if self._folder is None or name.scheme() or name.host():
            return None
        relative = PurePosixPath(name.path())
        if relative.is_absolute() or ".." in relative.parts:
            return None
        path = self._folder.joinpath(*relative.parts)
        try:
            inside = path.resolve().is_relative_to(self._folder)  # a link may lead out
        except OSError:
            return None
        return path if inside and path.is_file() else None

    def _wide(self) -> int:
        view = self.viewport()
        wide = int(self.width() if view is None else view.width())
        return max(_LEAST_PX, wide - _EDGE_PX)

    def resizeEvent(self, event: Any) -> None:
        """Let pictures follow the width, a moment later."""
        super().resizeEvent(event)
        if self._wide() != self._width:
            self._soon.start()

    def _on_width(self) -> None:
        if self._wide() != self._width:
            self._width = self._wide()
            self.resized.emit()


def rules_of(label: OntologyLabel, unit: str = "") -> str:
    """Return the rules of a label as a small table."""
    rows = [("Value", str(label.value))]
    if label.coding is not None:
        codes = (label.coding.type, label.coding.modifier, label.coding.region)
        said = ", ".join(f"{c.meaning} ({c.scheme} {c.value})" for c in codes if c is not None)
        rows.append(("Code", said))
    if label.hu_range is not None:
        low, high = label.hu_range
        rows.append(("Values", f"{low:g} to {high:g} {unit}".rstrip()))
    if label.smallest_mm3:
        rows.append(("Smallest part", _volume(label.smallest_mm3)))
    if label.most_parts:
        rows.append(("Parts", f"at most {label.most_parts}"))
    if label.laterality:
        sides = "on both sides" if label.laterality == "both" else f"on the {label.laterality}"
        rows.append(("Side", sides))
    if label.layer:
        rows.append(("Layer", f"{label.layer}: may overlap labels of other layers"))
    cells = "".join(
        f'<tr><td style="padding-right:8px">{html.escape(name)}</td>'
        f"<td>{html.escape(words)}</td></tr>"
        for name, words in rows
    )
    dot = f'<span style="color:{html.escape(label.colour)}">&#9632;</span>'
    return f"{dot} <b>{html.escape(label.name)}</b><table>{cells}</table>"


def in_words(changes: Iterable[Change]) -> str:
    """Return changes as text to read: what came is bold, what went is struck out."""
    parts = []
    for change in changes:
        heading = html.escape(change.heading or "Beginning")
        parts.append(f"<h3>{_KINDS[change.kind]}: {heading}</h3>")
        for line in change.lines:
            words = html.escape(line[2:])
            came = line.startswith("+ ")
            parts.append(f"<p>+ <b>{words}</b></p>" if came else f"<p>- <s>{words}</s></p>")
    return "".join(parts)


def slug(text: str) -> str:
    """Return a heading as an anchor: small letters, blanks as dashes, no punctuation."""
    return re.sub(r"[^\w-]", "", _plain(text).replace(" ", "-"))


def shown_heading(text: str) -> str:
    """Return a heading as Markdown shows it."""
    bare = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*_`]", "", bare).split())


def _plain(text: str) -> str:
    return shown_heading(text).casefold()


def _volume(mm3: float) -> str:
    return f"{mm3 / 1000:g} ml" if mm3 >= 1000 else f"{mm3:g} mm³"
