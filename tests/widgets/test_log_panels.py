"""Lamp, log of the case and versions show what they are given and ask; no viewer."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from napari_medlabel.audit.report.case_events import CaseEvent
from napari_medlabel.audit.writer.lamp import Lamp
from napari_medlabel.errors import LogError
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.mask_log import Version
from napari_medlabel.widgets.audit_lamp import AuditLamp
from napari_medlabel.widgets.case_log import CaseLog, look_at, own_user
from napari_medlabel.widgets.versions_dialog import VersionsDialog


@dataclass
class Log:
    lamp: Lamp = field(default_factory=lambda: Lamp("green", "All is well.", 0))
    changed: list = field(default_factory=list)

    def become(self, level: Any, sentence: str) -> None:
        self.lamp = Lamp(level, sentence, 0)
        for told in self.changed:
            told(self.lamp)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def lamp(qtbot: QtBot, log: Log) -> AuditLamp:
    made = AuditLamp(lambda: log)
    qtbot.addWidget(made)
    return made


def test_the_lamp_says_it_in_a_sign_a_word_and_a_sentence(lamp: AuditLamp, log: Log) -> None:
    seen = {(lamp.level, lamp.button.text(), lamp.words.text())}
    for level, sentence in (("amber", "It is local."), ("red", "It cannot be written.")):
        log.become(level, sentence)
        seen.add((lamp.level, lamp.button.text(), lamp.words.text()))
        assert sentence in lamp.accessibleName()
    assert seen == {
        ("green", "✔  Log written", "All is well."),
        ("amber", "▲  Log: see to it", "It is local."),
        ("red", "✖  Log stopped", "It cannot be written."),
    }


def test_a_change_in_another_thread_is_shown_in_the_windows_own(
    lamp: AuditLamp, log: Log, qtbot: QtBot
) -> None:
    other = threading.Thread(target=log.become, args=("red", "Gone."))
    other.start()
    other.join()
    qtbot.waitUntil(lambda: lamp.level == "red", timeout=2000)


def test_a_click_says_what_to_do(lamp: AuditLamp, log: Log, qtbot: QtBot) -> None:
    log.become("red", "Gone.")
    with qtbot.waitSignal(lamp.asked) as asked:
        lamp.button.click()
    assert asked.args[0] == "red"
    assert asked.args[1].startswith("Gone. Save your work")


def test_the_lamp_follows_the_log_that_is_open(qtbot: QtBot, log: Log) -> None:
    open_now: list[Any] = []
    lamp = AuditLamp(lambda: open_now[-1] if open_now else None)
    qtbot.addWidget(lamp)
    assert lamp.level == ""
    assert lamp.button.text() == "○  No log yet"
    open_now.append(log)
    lamp.look()
    assert len(log.changed) == 1
    open_now.append(Log(Lamp("amber", "Another.", 0)))
    lamp.look()
    assert (lamp.level, log.changed) == ("amber", [])
    lamp.release()
    assert open_now[-1].changed == []


def version(number: int, **more: Any) -> Version:
    given = {
        "number": number,
        "id": "sha256:" + f"{number:x}" * 64,
        "event": "mask.save",
        "time": "2026-11-22T10:10:32.104Z",
        "user": "u1-00000000000000aa",
        "reason": "",
        "added": 3,
        "removed": None,
        "slices": "1",
        "subject": "",
        "kept": "kept",
        "is_current": False,
    }
    return Version(**{**given, **more})


@pytest.fixture
def dialog(qtbot: QtBot) -> VersionsDialog:
    found = (
        version(1, time="", user="", event=""),
        version(2, kept="damaged"),
        version(3, is_current=True),
    )
    made = VersionsDialog(found, "u1-00000000000000aa")
    qtbot.addWidget(made)
    return made


def test_versions_are_listed_the_newest_first(dialog: VersionsDialog) -> None:
    rows = [[dialog.table.item(r, c).text() for c in range(6)] for r in range(3)]
    assert rows == [
        ["3", "2026-11-22 10:10:32", "you", "3", "-", "on the disk"],
        ["2", "2026-11-22 10:10:32", "you", "3", "-", "damaged"],
        ["1", "before the log", "-", "3", "-", "kept"],
    ]


def test_only_a_kept_version_can_be_looked_at_or_restored(
    dialog: VersionsDialog, qtbot: QtBot
) -> None:
    assert not dialog.restore_button.isEnabled()
    dialog._preview()
    dialog._restore()
    dialog.table.selectRow(1)
    assert not dialog.preview_button.isEnabled()
    dialog.table.selectRow(2)
    with qtbot.waitSignal(dialog.preview_requested) as asked:
        dialog.preview_button.click()
    assert asked.args[0].number == 1
    dialog.reason.setCurrentText("Feedback of a review")
    with qtbot.waitSignal(dialog.restore_requested) as asked:
        dialog.restore_button.click()
    assert (asked.args[0].number, asked.args[1]) == (1, "QA_FEEDBACK")


def test_words_are_asked_for_with_one_reason_only(dialog: VersionsDialog, qtbot: QtBot) -> None:
    dialog.show()
    dialog.table.selectRow(2)
    dialog.text.setPlainText(" unclear ")
    for reason, shown in (("Other", True), ("Protocol", False)):
        dialog.reason.setCurrentText(reason)
        assert (dialog.text.isVisible(), dialog.warning.isVisible()) == (shown, shown)
        with qtbot.waitSignal(dialog.restore_requested) as asked:
            dialog.restore_button.click()
        assert asked.args[2] == ("unclear" if shown else "")
    assert "refused" in dialog.warning.text()


def test_a_refusal_stays_in_the_dialog_with_what_was_typed(dialog: VersionsDialog) -> None:
    dialog.show()
    dialog.text.setPlainText("unclear")
    dialog.refuse(LogError("The log cannot be written.", hint="Free some space."))
    assert dialog.notice.text.text() == "The log cannot be written.\nFree some space."
    assert (dialog.isVisible(), dialog.text.toPlainText()) == (True, "unclear")


def test_a_mask_without_versions_says_so(qtbot: QtBot) -> None:
    made = VersionsDialog(())
    qtbot.addWidget(made)
    assert made.table.rowCount() == 0


@pytest.fixture
def panel(qtbot: QtBot) -> CaseLog:
    WORKPLACE.close()
    made = CaseLog(SimpleNamespace())  # type: ignore[arg-type]
    qtbot.addWidget(made)
    return made


def test_without_a_scan_there_is_no_log_to_show(panel: CaseLog) -> None:
    assert "No scan is open" in panel.notice.text.text()
    assert panel.is_idle


def test_events_are_shown_in_words_and_ones_own_as_you(panel: CaseLog, desk: Desk) -> None:
    ours = own_user(desk)
    found = (
        CaseEvent(0, ours, "annotator", "mask.save", "Mask saved.", 0, "a.jsonl", 3),
        CaseEvent(0, "u1-0", "reviewer", "volume.open", "Scan opened.", 0, "a.jsonl", 2),
    )
    panel.show_events(found, desk)
    cells = [[panel.table.item(r, c).text() for c in (1, 2)] for r in range(2)]
    assert cells == [["you", "Mask saved."], ["u1-0", "Scan opened."]]
    assert panel.table.item(0, 2).toolTip() == "mask.save: a.jsonl, line 3"


def test_nothing_is_shown_when_the_look_cannot_be_logged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LogError("The log cannot be written.")

    monkeypatch.setattr(desk.log, "append", refuse)
    with pytest.raises(LogError):
        look_at(desk, "s1-" + "0" * 32, "")


def test_users_are_unknown_where_there_is_no_key() -> None:
    assert own_user(None) == ""


def test_the_passphrase_is_asked_for_and_may_be_withheld(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from napari_medlabel.plugin.workplace import NotGivenError
    from napari_medlabel.widgets import passphrase

    ask = passphrase.asking(lambda: None)
    answers = [("words", True), ("", True), ("words", False)]
    monkeypatch.setattr(
        passphrase.QInputDialog, "getText", lambda *_args: answers.pop(0), raising=True
    )
    assert ask() == "words"
    for _ in range(2):
        with pytest.raises(NotGivenError):
            ask()


def test_before_the_window_it_is_asked_for_at_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from napari_medlabel.plugin.workplace import NotGivenError
    from napari_medlabel.widgets import passphrase

    with pytest.raises(NotGivenError):
        passphrase.ask_before_the_window()  # no terminal
    answers = ["words", ""]
    monkeypatch.setattr(passphrase, "at_terminal", lambda *_args: answers.pop(0))
    assert passphrase.ask_before_the_window() == "words"
    with pytest.raises(NotGivenError):
        passphrase.ask_before_the_window()


def test_without_the_passphrase_the_log_opens_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from napari_medlabel.plugin import workplace

    asked: list[Any] = []

    def open_desk(*_: object, ask: Any = None, **__: object) -> Desk:
        asked.append(ask)
        if ask is not None:
            raise workplace.NotGivenError
        raise LogError("That far.")

    monkeypatch.setattr(workplace, "open_desk", open_desk)
    with pytest.raises(LogError, match="That far"):
        workplace.Workplace(ask=lambda: "").desk()
    assert len(asked) == 2
