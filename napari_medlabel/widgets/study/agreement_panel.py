"""How well the readings of a study agree: a table with its rules, plots, and the cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.project.agreement.bootstrap import Interval
from napari_medlabel.project.agreement.gallery import Plot
from napari_medlabel.project.agreement.report import Summary
from napari_medlabel.project.agreement.report_words import interval_words
from napari_medlabel.project.agreement.summary import Figure, LabelSummary
from napari_medlabel.session.study.disputes import Ready
from napari_medlabel.widgets.legible import Hints
from napari_medlabel.widgets.notice import Notice
from napari_medlabel.widgets.progress_row import ProgressRow
from napari_medlabel.widgets.study.plot_view import PlotView

_STAR: Final = "*"
_INTERVAL: Final = "mean over cases, with its 95 % interval"
_CASES: Final = "Cases whose readings are all there. Click one to settle it."
_GREY: Final = "Those in grey you have read: by this study's rules somebody else settles them."
_COLUMNS: Final = (
    ("Label", "What is compared"),
    ("Dice", _INTERVAL),
    ("Volume\nml", f"Second less first: {_INTERVAL}"),
    ("HD95\nmm", _INTERVAL),
    ("ASSD\nmm", _INTERVAL),
    ("NSD", _INTERVAL),
    ("ICC", "ICC(2,1) of the volumes"),
    ("Pairs", "Comparisons that count"),
    ("Missed", "Of these, so many in which one of the two left it empty"),
    ("Empty", "Comparisons that both left empty: excluded"),
)


class AgreementPanel(QWidget):
    """Shows a comparison and asks for one; knows neither napari nor the session."""

    compare_requested = Signal(bool, bool)
    """Whether first submissions are compared, and whether STAPLE is computed too."""
    export_requested = Signal()
    case_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plots: tuple[Plot, ...] = ()
        self.which = QComboBox()
        self.which.addItem("First submissions, made blind", True)
        self.which.addItem("What counts now", False)
        self.staple = QCheckBox("STAPLE")
        self.staple.setToolTip(
            "Sensitivity and specificity of each rater, of cases with three readings or more."
        )
        self.compare = QPushButton("Compare")
        self.export = QPushButton("Export…")
        self.export.setEnabled(False)
        self.export.setToolTip("Compare first; then the report, tables and plots can be saved.")
        self.progress, self.notice = ProgressRow(), Notice()
        self.tabs = QTabWidget()
        self.summary = QLabel("Nothing was compared yet.")
        self.summary.setWordWrap(True)
        self.table = QTableWidget(0, len(_COLUMNS))
        self.further = QLabel()
        self.rules = QLabel()
        self.plot_list, self.plot = QComboBox(), PlotView()
        self.cases, self.cases_note = QTableWidget(0, 3), QLabel(_CASES)
        self._lay_out()
        Hints(self)
        self.compare.clicked.connect(self._ask)
        self.export.clicked.connect(self.export_requested)
        self.plot_list.currentIndexChanged.connect(self._show_plot)
        self.plot.case_clicked.connect(self.case_wanted)
        self.cases.cellActivated.connect(self._on_case)
        self.cases.cellClicked.connect(self._on_case)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.which, 1)
        for part in (self.staple, self.compare, self.export):
            top.addWidget(part)
        for table in (self.table, self.cases):
            table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
            table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
            table.verticalHeader().hide()
            table.setShowGrid(False)
        for at, (name, tip) in enumerate(_COLUMNS):
            item = QTableWidgetItem(name)
            item.setToolTip(tip)
            self.table.setHorizontalHeaderItem(at, item)
        head = self.table.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.cases.setHorizontalHeaderLabels(("Case", "Readings", "Consensus"))
        self.cases.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for words in (self.further, self.rules):
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        below = QWidget()
        column = QVBoxLayout(below)
        column.addWidget(self.further)
        column.addWidget(self.rules)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(below)
        self.tabs.addTab(_page(self.summary, self.table, scroll), "Table")
        self.tabs.addTab(_page(self.plot_list, self.plot), "Plots")
        self.cases_note.setWordWrap(True)
        self.cases_page = _page(self.cases_note, self.cases)
        self.tabs.addTab(self.cases_page, "Cases")
        outer = QVBoxLayout(self)
        outer.addLayout(top)
        for widget in (self.progress, self.notice, self.tabs):
            outer.addWidget(widget)

    # -- what is shown -------------------------------------------------------------------

    def begin(self, words: str) -> None:
        """Show that something is under way."""
        self.progress.begin(words)
        self.compare.setEnabled(False)
        self.export.setEnabled(False)

    def end(self, *, has_result: bool) -> None:
        """Show that it is over."""
        self.progress.end()
        self.compare.setEnabled(True)
        self.export.setEnabled(has_result)
        if has_result:
            self.export.setToolTip("Save report (GRRAS), tables and plots into a folder.")

    def show_summary(self, summary: Summary, cases: int, left_out: Sequence[str]) -> None:
        """Show numbers.

        Parameters
        ----------
        summary : Summary
            The numbers.
        cases : int
            In the study.
        left_out : sequence of str
            How many cases were not compared, and why, in words.
        """
        table = summary.table
        said = f"{len(table.cases)} of {cases} cases, {len(table.raters)} raters."
        if left_out:
            said += f" Not compared: {'; '.join(left_out)}."
        self.summary.setText(said)
        rows = [(one, one.name) for one in summary.between]
        rows += [(one, f"{one.name} - consensus") for one in summary.against]
        self.table.setRowCount(len(rows))
        for at, (one, name) in enumerate(rows):
            for column, words in enumerate((name, *_cells(one))):
                item = QTableWidgetItem(words)
                if column:
                    item.setTextAlignment(int(Qt.AlignmentFlag.AlignCenter))
                self.table.setItem(at, column, item)
        self.table.resizeRowsToContents()
        nsd = self.table.horizontalHeaderItem(5)
        if nsd is not None:
            nsd.setText(f"NSD\n{table.tolerance_mm:g} mm")
        self.further.setText("\n".join(_further(summary)))
        self.further.setVisible(bool(self.further.text()))
        rules = (*table.rules, *interval_words(_intervals(summary), mark=_STAR))
        self.rules.setText("\n".join(f"• {rule}" for rule in rules))

    def show_plots(self, plots: Sequence[Plot]) -> None:
        """Show plots; the one in sight stays, where it is still there."""
        name = self.plot_list.currentData()
        self._plots = tuple(plots)
        self.plot_list.blockSignals(True)
        self.plot_list.clear()
        for one in plots:
            self.plot_list.addItem(one.title, one.name)
        self.plot_list.setCurrentIndex(max(self.plot_list.findData(name), 0))
        self.plot_list.blockSignals(False)
        self._show_plot(self.plot_list.currentIndex())

    def show_cases(self, cases: Sequence[Ready]) -> None:
        """Show the cases that can be settled."""
        greyed = any(one.why_not for one in cases)
        self.cases_note.setText(f"{_CASES} {_GREY}" if greyed else _CASES)
        self.cases.setRowCount(len(cases))
        for row, one in enumerate(cases):
            consensus = f"version {one.versions}" if one.versions else "none yet"
            if one.why_not:
                consensus += ", not yours to settle"
            for column, words in enumerate((str(one.case), str(one.readings), consensus)):
                item = QTableWidgetItem(words)
                item.setToolTip(one.why_not or words)
                if one.why_not:
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
                self.cases.setItem(row, column, item)

    def _show_plot(self, at: int) -> None:
        plot = self._plots[at] if 0 <= at < len(self._plots) else None
        self.plot.show_drawing(
            None if plot is None else plot.drawing, plot.title if plot else ""
        )

    def _ask(self) -> None:
        self.compare_requested.emit(bool(self.which.currentData()), self.staple.isChecked())

    def _on_case(self, row: int, _column: int) -> None:
        item = self.cases.item(row, 0)
        if item is None:
            return
        if item.flags() & Qt.ItemFlag.ItemIsEnabled:
            self.case_wanted.emit(item.text())


def _cells(one: LabelSummary) -> tuple[str, ...]:
    measures = ("dice", "difference_ml", "hd95_mm", "assd_mm", "nsd")
    icc = "-" if one.icc is None else f"{one.icc:.3f}"
    counts = (one.pairs, one.flagged, one.excluded)
    return (*(_figure(one.figures.get(name)) for name in measures), icc, *map(str, counts))


def _figure(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    said = f"{figure.mean:.3g}"
    if figure.interval is not None:
        said += f"\n{figure.interval.low:.3g} to {figure.interval.high:.3g}"
        said += "" if figure.interval.method == "bca" else f" {_STAR}"
    return said


def _intervals(summary: Summary) -> list[Interval]:
    """Return the intervals of all means that are shown."""
    figures = [
        figure
        for one in (*summary.between, *summary.against)
        for figure in one.figures.values()
    ]
    figures += [one.figure for one in summary.marks if one.figure is not None]
    return [one.interval for one in figures if one.interval is not None]


def _further(summary: Summary) -> list[str]:
    out = []
    for mark in summary.marks:
        mm = "no distance" if mark.figure is None else f"{_figure(mark.figure)} mm"
        line = f"Landmark {mark.name}: {mm}".replace("\n", ", 95 % ")
        out.append(f"{line}; not placed by both: {mark.missing}" if mark.missing else line)
    for answer in summary.answers:
        said = []
        for coefficient, pair in zip(answer.coefficients, answer.pairs, strict=True):
            value = "undefined" if coefficient.value is None else f"{coefficient.value:.3f}"
            who = f" ({' - '.join(pair)})" if pair else ""
            said.append(f"{coefficient.name}{who} {value}")
        out.append(f"Question {answer.question}: {'; '.join(said)}")
    return out


def _page(*parts: QWidget) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    for part in parts:
        column.addWidget(part, 0 if isinstance(part, QLabel | QComboBox) else 1)
    return page
