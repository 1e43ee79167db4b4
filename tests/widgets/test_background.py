"""Work in a thread: what it says arrives, whoever has gone, and nothing else changes."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from collections.abc import Callable

import pytest
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QThread
from qtpy.QtWidgets import QApplication

from napari_medlabel.errors import InputError
from napari_medlabel.widgets.background import Background, CancelledError

pytestmark = pytest.mark.usefixtures("qapp")


def wait(what: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.002)
    assert what()


def fail(err: object) -> None:
    pytest.fail(str(err))


def test_work_is_done_elsewhere_and_its_answers_come_here() -> None:
    owner = QObject()
    background, heard = Background(owner), []
    here = threading.get_ident()
    background.progressed.connect(lambda done, total: heard.append((done, total)))

    def work() -> int:
        assert threading.get_ident() != here
        background.tell(2, 2)
        return 7

    def done(value: int) -> None:
        assert QThread.currentThread() is QApplication.instance().thread()
        heard.append(value)

    background.run(work, done, fail)
    assert background.is_busy
    wait(lambda: not background.is_busy)
    assert heard == [(2, 2), 7]


def test_errors_of_ours_are_told_and_the_next_one_has_its_turn() -> None:
    owner = QObject()
    background, heard = Background(owner), []

    def work() -> None:
        raise InputError("What is given does not fit.", hint="Give another.")

    background.run(work, fail, heard.append)
    background.when_free(lambda: heard.append("next"))
    wait(lambda: len(heard) == 2)
    assert isinstance(heard[0], InputError)
    assert heard[1] == "next"


def test_a_fault_is_shown_as_all_faults_are(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = QObject()
    background, shown = Background(owner), []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, err, _trace: shown.append(err))
    background.run(lambda: 1 / 0, fail, fail)
    wait(lambda: shown)
    assert isinstance(shown[0], ZeroDivisionError)
    assert not background.is_busy


def test_it_can_be_cancelled() -> None:
    owner = QObject()
    background, heard = Background(owner), []
    goes = threading.Event()

    def work() -> None:
        goes.wait(10)
        background.tell(1, 2)

    background.run(work, fail, fail, lambda: heard.append("cancelled"))
    background.cancel()
    goes.set()
    wait(lambda: heard)
    with pytest.raises(CancelledError):
        background.tell(1, 2)


def test_a_thread_may_speak_on_when_its_window_has_gone() -> None:
    owner = QObject()
    background, said = Background(owner), []
    goes = threading.Event()

    def work() -> None:
        goes.wait(10)
        for number in range(50):
            background.tell(50, 50)
            said.append(number)

    background.run(work, fail, fail)
    owner.deleteLater()
    QApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete.value)
    wait(lambda: not isalive(background))
    goes.set()
    wait(lambda: not background.is_busy)
    assert len(said) == 50, "it was not stopped by an object that is no more"


def test_two_at_once_leave_the_filter_of_warnings_alone() -> None:
    """With two of napari's own it stays as the second had set it."""
    owner = QObject()
    first, second = Background(owner), Background(owner)
    filters, shows = list(warnings.filters), warnings.showwarning
    one, other = threading.Event(), threading.Event()
    heard: list[object] = []
    first.run(lambda: one.wait(10), heard.append, fail)
    second.run(lambda: other.wait(10), heard.append, fail)
    for goes in (one, other):
        before = len(heard)
        goes.set()
        wait(lambda before=before: len(heard) > before)
    assert warnings.filters == filters
    assert warnings.showwarning is shows
