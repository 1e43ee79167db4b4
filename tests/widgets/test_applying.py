"""What was drawn through a large scan becomes a step off the thread of the window."""

from __future__ import annotations

import threading

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject

from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.widgets.applying import Applying
from napari_medlabel.widgets.progress_row import ProgressRow


class Told:
    def __init__(self, qtbot: QtBot) -> None:
        self.said: list[str] = []
        self.failed: list[MedlabelError] = []
        self.settled: list[object] = []
        self.row = ProgressRow()
        qtbot.addWidget(self.row)
        self.parent = QObject()
        self.applying = Applying(self.parent, self.row, self.said.append, self.failed.append)


@pytest.fixture
def told(qtbot: QtBot) -> Told:
    return Told(qtbot)


def test_it_is_computed_in_a_thread_with_progress_and_settled_here(
    told: Told, qtbot: QtBot
) -> None:
    go, threads = threading.Event(), []

    def make() -> str:
        go.wait(5)
        threads.append(threading.current_thread())
        return "cut"

    assert told.applying.run(make, told.settled.append)
    qtbot.waitUntil(lambda: not told.row.isHidden())
    assert not told.applying.run(make, told.settled.append)
    assert "still being applied" in told.said[-1]
    refused: list[str] = []
    assert not told.applying.run(make, told.settled.append, refused.append)
    assert "still being applied" in refused[-1]
    go.set()
    qtbot.waitUntil(lambda: told.settled == ["cut"])
    assert threads[0] is not threading.main_thread()
    assert told.row.isHidden()


def test_what_is_stopped_is_forgotten(told: Told, qtbot: QtBot) -> None:
    go = threading.Event()
    assert not told.applying.stop()
    refused: list[str] = []
    told.applying.run(lambda: go.wait(5), told.settled.append, refused.append)
    assert told.applying.stop()
    go.set()
    qtbot.waitUntil(lambda: not told.applying.stop())
    assert told.settled == []
    assert refused == [""]


def test_a_refusal_is_shown(told: Told, qtbot: QtBot) -> None:
    def make() -> None:
        raise InputError("All labels are locked.", hint="Unlock one.")

    told.applying.run(make, told.settled.append)
    qtbot.waitUntil(lambda: len(told.failed) == 1)
    assert told.settled == []
