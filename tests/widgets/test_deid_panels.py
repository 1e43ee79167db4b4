"""Form, table and queue of de-identification: they show and ask, and do nothing themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtWidgets import QFileDialog, QInputDialog, QLabel

from napari_medlabel.cli.project_key import PASSPHRASE
from napari_medlabel.deid.keys.key_file import make_project
from napari_medlabel.deid.keys.key_store import FileStore
from napari_medlabel.deid.report.explain import Outcome, Row
from napari_medlabel.deid.report.explain_folder import Summary, SummedRow
from napari_medlabel.deid.report.pictures import Picture, png_of
from napari_medlabel.deid.report.review import Held, Waiting
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.errors import InputError
from napari_medlabel.session.deid_values import ShownRow
from napari_medlabel.widgets import deid_key
from napari_medlabel.widgets.deid_key import key_files, open_project
from napari_medlabel.widgets.deid_queue import ReviewQueue
from napari_medlabel.widgets.deid_setup import SetupForm
from napari_medlabel.widgets.deid_table import COLUMNS, PreviewTable


@pytest.fixture
def form(qtbot: QtBot) -> SetupForm:
    made = SetupForm()
    qtbot.addWidget(made)
    return made


def test_every_option_says_what_it_does_and_what_it_risks(form: SetupForm) -> None:
    assert set(form.options) == set(Option)
    for option, row in form.options.items():
        words = row.findChildren(QLabel)[0].text()
        assert "Risk:" in words
        assert option.code in row.box.toolTip()


def test_dates_are_kept_or_shifted_and_the_last_click_wins(
    form: SetupForm, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(form.changed):
        form.options[Option.RETAIN_DATES].box.setChecked(True)
    form.options[Option.SHIFT_DATES].box.setChecked(True)
    form.options[Option.RETAIN_UIDS].box.setChecked(True)
    assert form.chosen == {Option.SHIFT_DATES, Option.RETAIN_UIDS}
    assert form.profile().options == form.chosen


def test_the_form_says_what_is_missing(form: SetupForm, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="A folder to de-identify is needed"):
        form.choice(writes=False)
    form.source.line.setText(str(tmp_path))
    assert form.choice(writes=False).target is None
    with pytest.raises(InputError, match="A folder to write to is needed"):
        form.choice(writes=True)
    form.target.line.setText(str(tmp_path / "out"))
    form.key.line.setText("keyring:trial")
    form.brains.line.setText(str(tmp_path / "brains"))
    choice = form.choice(writes=True)
    assert (choice.source, choice.target) == (tmp_path, tmp_path / "out")
    assert choice.key == "keyring:trial"
    assert choice.brain_masks == tmp_path / "brains"


def test_site_rules_are_read_or_refused(form: SetupForm, tmp_path: Path) -> None:
    rules = tmp_path / "site.toml"
    rules.write_text('name = "a"\nversion = "1"\n')
    form.site.line.setText(str(rules))
    assert form.profile().site is not None
    rules.write_text("nonsense")
    with pytest.raises(InputError, match="site rules are not understood"):
        form.profile()


def test_buttons_ask_for_folders_and_files(
    form: SetupForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/data/in")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/keys/k", ""))
    form.source.button.click()
    form.key.button.click()
    assert form.source.path == Path("/data/in")
    assert form.key.path == Path("/keys/k")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    form.source.button.click()
    form.key.button.click()
    assert form.source.path == Path("/data/in")
    assert form.key.path == Path("/keys/k")


ROWS = (
    Row("PatientName", 0x00100010, "PN", "Z", "Table E.1-1: Z", Outcome.CHANGED),
    Row("StudyDate", 0x00080020, "DA", "Z", "Table E.1-1: Z", Outcome.EMPTIED),
    Row("KVP", 0x00180060, "DS", "kept", "VR DS: numbers pass", Outcome.KEPT),
)


@pytest.fixture
def table(qtbot: QtBot) -> PreviewTable:
    made = PreviewTable()
    qtbot.addWidget(made)
    return made


def cells(table: PreviewTable, row: int) -> list[str]:
    model = table.table.model()
    return [model.index(row, column).data() for column in range(len(COLUMNS))]


def test_a_summary_shows_rules_and_no_values(table: PreviewTable) -> None:
    rows = tuple(SummedRow(row, 2, 5) for row in ROWS)
    table.show_summary(Summary(rows, 2, 10, {"unreadable": 3}))
    assert table.shown == 3
    assert cells(table, 0) == ["PatientName", "replaced", "Z", "Table E.1-1: Z", "2", ""]
    assert table.table.isColumnHidden(len(COLUMNS) - 1)
    assert "Not passed on: 3 files (unreadable)." in table.words.text()
    model = table.model
    assert model.headerData(0, Qt.Orientation.Horizontal) == "Attribute"
    assert model.headerData(0, Qt.Orientation.Vertical) is None
    assert model.data(QModelIndex()) is None
    assert model.rowCount(model.index(0, 0)) == model.columnCount(model.index(0, 0)) == 0
    kept = model.data(model.index(2, 1), Qt.ItemDataRole.ForegroundRole)
    assert kept.name() == "#2e9d5f"
    assert model.data(model.index(0, 1), Qt.ItemDataRole.ForegroundRole) is None
    assert model.data(model.index(0, 0), Qt.ItemDataRole.DecorationRole) is None
    assert model.data(model.index(0, 3), Qt.ItemDataRole.ToolTipRole) == "Table E.1-1: Z"


def test_the_filter_looks_into_every_column_and_at_the_outcome(table: PreviewTable) -> None:
    table.show_summary(Summary(tuple(SummedRow(row, 1, 1) for row in ROWS), 1, 1, {}))
    table.filter.setText("e.1-1")
    assert table.shown == 2
    table.outcomes.setCurrentText("emptied")
    assert table.shown == 1
    assert cells(table, 0)[0] == "StudyDate"
    table.filter.setText("")
    table.outcomes.setCurrentIndex(0)
    assert table.shown == 3


def test_values_show_only_when_they_are_given_and_go_with_the_next_change(
    table: PreviewTable, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(table.values_requested):
        table.values_button.click()
    assert table.shown == 0
    table.show_values([ShownRow(ROWS[0], "Quincy^Jack")])
    assert cells(table, 0)[5] == "Quincy^Jack"
    assert not table.table.isColumnHidden(5)
    assert "audit log" in table.words.text()
    table.forget()
    assert table.shown == 0
    assert "preview again" in table.words.text()


WAITING = tuple(
    Waiting(f"F-{n}", ("ultrasound",), (Held(("P-1", f"{n}.dcm"), "0" * 64),))
    for n in (1, 2, 3)
)


@pytest.fixture
def queue(qtbot: QtBot) -> ReviewQueue:
    made = ReviewQueue()
    qtbot.addWidget(made)
    return made


def picture(alt: str) -> Picture:
    return Picture(png_of(np.zeros((4, 6), np.uint8)), 6, 4, alt)


def test_decisions_are_collected_and_carried_out_with_one_click(
    queue: ReviewQueue, qtbot: QtBot
) -> None:
    queue.accept_button.click()  # nothing waits yet
    assert not queue.carry_button.isEnabled()
    with qtbot.waitSignal(queue.views_requested) as asked:
        queue.show_waiting(WAITING)
    assert asked.args == [WAITING[0]]
    queue.accept_button.click()
    assert queue.current == WAITING[1]
    queue.reject_button.click()
    assert queue.carry_button.text() == "Move 1 accepted, delete 1 rejected"
    assert "✓ accept" in queue.list.item(0).text()
    queue.rest_button.click()
    with qtbot.waitSignal(queue.decided) as decided:
        queue.carry_button.click()
    assert decided.args == [["F-1", "F-3"], ["F-2"]]
    queue.show_waiting(())
    assert queue.words.text() == "Nothing waits."
    assert queue.current is None


def test_views_of_the_current_image_show_and_others_become_thumbnails(
    queue: ReviewQueue,
) -> None:
    queue.show_waiting(WAITING)
    queue.show_views("F-1", [picture("Image, as it is"), picture("Image, contrast raised")])
    shown = [label.text() for label in queue.findChildren(QLabel)]
    assert {"as it is", "contrast raised"} <= set(shown)
    queue.show_views("F-2", [picture("Image, brightest of 3 frames")])
    assert not queue.list.item(1).icon().isNull()
    assert queue.list.item(2).icon().isNull()
    texts = [label.text() for label in queue.findChildren(QLabel) if label.parent()]
    assert "brightest of 3 frames" not in texts
    queue.show_views("F-1", [])
    texts = [label.text() for label in queue.findChildren(QLabel)]
    assert any("No picture could be drawn" in text for text in texts)
    queue.show_views("F-9", [])


class Noted:
    """A log that remembers which events there were."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def append(self, event: str, **_: object) -> None:
        self.events.append(event)


def test_a_key_is_made_once_and_its_table_closed_by_the_caller(form, tmp_path: Path) -> None:
    named = str(tmp_path / "k.key")
    log = Noted()
    first = open_project(named, form, log)
    first.codes.close()
    again = open_project(named, form, log)
    again.codes.close()
    assert (first.made, again.made) == (True, False)
    assert log.events == ["key.create"]
    assert first.key.key_id == again.key.key_id
    assert all(path.exists() for path in key_files(named))
    assert len(key_files("keyring:trial")) == 1


def test_the_passphrase_is_asked_for_in_a_dialog(
    form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PASSPHRASE, raising=False)
    path = tmp_path / "k.key"
    words = "a long passphrase"
    make_project(FileStore(path), lambda n: bytes(range(n)), passphrase=words)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: (words, True))
    opened = open_project(str(path), form, Noted())
    opened.codes.close()
    assert opened.key.key == bytes(range(32))
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("", False))
    with pytest.raises(InputError, match="passphrase is needed"):
        deid_key.open_project(str(path), form, Noted())
