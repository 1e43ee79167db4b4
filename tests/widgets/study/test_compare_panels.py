"""What the adjudicator and the reader of an agreement see and can press: no window needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from qtpy.QtCore import QPointF, Qt
from qtpy.QtTest import QTest

from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.project.agreement.consensus import Performance
from napari_medlabel.project.agreement.gallery import gallery
from napari_medlabel.project.agreement.plots import DARK, LIGHT
from napari_medlabel.project.agreement.report import Facts, Summary, summarise
from napari_medlabel.project.agreement.table import Reading, compare_readings, joined
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.settings import Rater, Settings
from napari_medlabel.session.study.comparing import Compared, sees_codes, veiled
from napari_medlabel.session.study.comparing_files import write_comparison
from napari_medlabel.session.study.disputes import Ready
from napari_medlabel.widgets.study.agreement_panel import AgreementPanel
from napari_medlabel.widgets.study.agreement_window import AgreementWindow
from napari_medlabel.widgets.study.difference_panel import DifferencePanel, Entry
from napari_medlabel.widgets.study.dispute_panel import Dispute, DisputePanel
from napari_medlabel.widgets.study.plot_view import PlotView

ENTRIES = (
    Entry(0, 1, "A only", "Liver", (1,), 2.0, 1.0, ""),
    Entry(1, 2, "B only", "Liver", (1,), 1.0, 9.0, ""),
    Entry(2, 0, "both, differently", "Liver, Spleen", (1, 2), 0.5, 3.0, "A"),
)
CASES = ("sub-001_ct", "sub-002_ct", "sub-003_ct")


@pytest.fixture
def panel(qtbot) -> DifferencePanel:
    made = DifferencePanel()
    qtbot.addWidget(made)
    made.begin("AB", (1, 2, 0), {1: "Liver", 2: "Spleen"}, {"majority": "Two", "staple": "Two"})
    made.show_entries(ENTRIES, "3 differences.")
    return made


def listed(panel: DifferencePanel) -> list[int]:
    return [one.number for one in panel.model.entries]


def test_differences_are_listed_by_ml_or_mm_and_by_label(panel) -> None:
    assert listed(panel) == [0, 1, 2]
    panel.order.setCurrentIndex(1)
    assert listed(panel) == [1, 2, 0]
    panel.label.setCurrentIndex(panel.label.findData(2))
    assert listed(panel) == [2]
    panel.label.setCurrentIndex(0)
    panel.only_open.setChecked(True)
    assert listed(panel) == [1, 0]
    assert "2 stay unresolved" in panel.finish.text()


def test_walking_goes_round_and_what_is_decided_gives_way_to_the_next(panel) -> None:
    seen: list[int] = []
    panel.chosen.connect(seen.append)
    for way in (1, 1, 1, 1, -1):
        panel.step(way)
    assert seen == [0, 1, 2, 0, 2]
    panel.only_open.setChecked(True)
    panel.step(1)
    taken = replace(ENTRIES[0], taken="union")
    at = panel.in_hand.number
    panel.show_entries((taken, *ENTRIES[1:]), "")
    assert panel.in_hand.number == 1, at


def test_what_cannot_be_chosen_says_why_and_the_scope_is_asked_with_the_choice(panel) -> None:
    asked: list[tuple[str, bool]] = []
    panel.decided.connect(lambda *what: asked.append(what))
    assert not panel.choices["A"].isEnabled(), "nothing is in hand"
    panel.step(1)
    assert panel.choices["staple"].toolTip() == "Two"
    assert not panel.choices["staple"].isEnabled()
    assert not panel.back.isEnabled(), "there is nothing to take back"
    panel.choices["B"].click()
    panel.scope.setChecked(True)
    assert not panel.choices["edited"].isEnabled(), "one is drawn at a time"
    panel.choices["union"].click()
    assert asked == [("B", False), ("union", True)]


def test_disputes_offer_their_choices_and_hide_where_there_is_none(qtbot) -> None:
    panel = DisputePanel("Landmarks")
    qtbot.addWidget(panel)
    choices = (("", "left open"), ("A", "A's"), ("middle", "middle"))
    panel.show_disputes([Dispute("Tip", "4.2 mm apart", choices, "A")])
    assert not panel.isHidden()
    box = panel.table.cellWidget(0, 2)
    assert box.currentText() == "A's"
    with qtbot.waitSignal(panel.decided) as told:
        box.setCurrentIndex(2)
        box.activated.emit(2)
    assert told.args == ["Tip", "middle"]
    panel.show_disputes([])
    assert panel.isHidden()


@pytest.fixture
def found(labels: LabelMap) -> Compared:
    """Return a comparison of two raters in three cases, with all that can be in one."""
    tables = []
    for at, case in enumerate(CASES):
        readings = []
        for rater in ("r01", "r02"):
            mask = LabelMap.empty(labels.grid, labels.scheme)
            mask.array[1 : 4 + at + (rater == "r02"), 1:6, 1:4] = 1
            marks = LandmarkSet((Landmark("Tip", (float(at), 0.0, float(rater == "r02"))),))
            readings.append(Reading(rater, mask, marks))
        tables.append(compare_readings(case, readings))
    answers = {case: {"r01": {"q": True}, "r02": {"q": case == CASES[0]}} for case in CASES}
    judged = tuple(
        (case, Performance(r, 1, 0.9, 0.8)) for case in CASES for r in ("r01", "r02")
    )
    return Compared(joined(tables), answers, 4, {"with less than two readings": 1}, judged)


@pytest.fixture
def summary(found: Compared) -> Summary:
    return summarise(found.table, found.answers, seed=1)


def test_every_kind_of_plot_is_drawn_in_both_themes_and_its_dots_are_cases(
    qtbot, found, summary
) -> None:
    plots = gallery(summary, found.answers, found.performances, DARK)
    assert [one.name for one in plots] == [
        "dice-1",
        "volume-1-r01-r02",
        "landmarks",
        "answers-q",
        "staple-1",
    ]
    for one in plots[:3]:
        assert {spot.case for spot in one.drawing.spots} == set(CASES)
    assert DARK.paper in plots[0].drawing.svg
    assert LIGHT.paper in gallery(summary, found.answers)[0].drawing.svg
    view = PlotView()
    qtbot.addWidget(view)
    view.resize(700, 500)
    view.show_drawing(plots[1].drawing, plots[1].title)
    assert view.grab().toImage().pixelColor(350, 100).isValid()
    spot = plots[1].drawing.spots[2]
    with qtbot.waitSignal(view.case_clicked) as told:
        at = view.place_of(spot).toPoint()
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=at)
    assert told.args == [spot.case]
    assert view.spot_at(QPointF(1.0, 1.0)) is None


def test_the_panel_shows_numbers_rules_and_cases(qtbot, found, summary) -> None:
    panel = AgreementPanel()
    qtbot.addWidget(panel)
    panel.show_summary(summary, found.cases, ["1 with less than two readings"])
    panel.show_plots(gallery(summary, found.answers))
    panel.show_cases([Ready(CaseId.parse(CASES[0]), 2, 0)])
    assert panel.table.item(0, 1).text().startswith("0.")
    assert "3 of 4 cases" in panel.summary.text()
    assert "Landmark Tip" in panel.further.text()
    assert "excluded" in panel.rules.text()
    for at, one in enumerate(summary.between):
        for column, measure in ((1, "dice"), (2, "difference_ml"), (5, "nsd")):
            span = one.figures[measure].interval if measure in one.figures else None
            is_other = span is not None and span.method == "percentile"
            assert panel.table.item(at, column).text().endswith(" *") is is_other
    assert "percentile. Percentile where the correction is undefined, marked: *." in (
        panel.rules.text()
    )
    with qtbot.waitSignal(panel.case_wanted) as told:
        panel.cases.cellClicked.emit(0, 0)
    assert told.args == [CASES[0]]
    panel.show_cases([Ready(CaseId.parse(CASES[0]), 2, 0, "You have read this case.")])
    assert "somebody else settles them" in panel.cases_note.text()
    assert panel.cases.item(0, 2).text() == "none yet, not yours to settle"
    assert panel.cases.item(0, 0).toolTip() == "You have read this case."
    with qtbot.assertNotEmitted(panel.case_wanted):
        panel.cases.cellClicked.emit(0, 0)


def test_raters_are_named_only_for_who_may_see_whose_reading_is_whose(found) -> None:
    hidden = veiled(found, seed=3)
    assert hidden.table.raters == ("R1", "R2")
    said = repr((hidden.table, hidden.answers, hidden.performances))
    assert "r01" not in said
    assert "r02" not in said
    for role, sees in (("manager", True), ("releaser", True), ("adjudicator", False)):
        seat = SimpleNamespace(rater=Rater("r09", roles=(role,)))
        assert sees_codes(seat) is sees


def test_report_tables_and_plots_lie_in_one_folder(found, summary, tmp_path: Path) -> None:
    facts = Facts(Settings("Livers", (Rater("r01"),)), "test", 4)
    paths = write_comparison(tmp_path / "out", found, summary, facts)
    names = {path.name for path in paths}
    assert {"agreement.md", "labels.tsv", "landmarks.tsv", "staple.tsv", "rules.txt"} <= names
    report = (tmp_path / "out" / "agreement.md").read_text()
    assert "agreement-volume-1-r01-r02.svg" in report
    head = (tmp_path / "out" / "labels.tsv").read_text().splitlines()[0]
    assert head.split("\t")[:3] == ["case", "first", "second"]


@pytest.mark.parametrize(
    ("role", "purpose"), [("adjudicator", "adjudicate"), ("manager", "look")]
)
def test_a_dot_opens_its_case_for_who_looks(role: str, purpose: str) -> None:
    opened: list[tuple[object, ...]] = []
    seat = SimpleNamespace(
        rater=Rater("r09", roles=(role,)), settings=Settings("S", (Rater("r01"),), readings=2)
    )
    study = SimpleNamespace(seat=seat, open_reading=lambda *what: opened.append(what))
    AgreementWindow.open_case(SimpleNamespace(study=study), CASES[0])
    assert opened == [(purpose, CaseId.parse(CASES[0]), "A")]
