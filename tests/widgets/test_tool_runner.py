"""What tools compute is drawn once and shown, however large it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject

from napari_medlabel.edit.scene import Proposal, whole
from napari_medlabel.model.volume import FurtherAxis
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.tools.catalogue import MENUS, TOOLS
from napari_medlabel.plugin.tools.kit import Choices, Kit
from napari_medlabel.session.case import Session
from napari_medlabel.session.volume_in_use import VolumeInUse
from napari_medlabel.widgets import tool_runner
from napari_medlabel.widgets.tool_panel import ToolPanel
from napari_medlabel.widgets.tool_runner import ToolRunner


@pytest.fixture(params=[1 << 21, 10], ids=["at once", "in a thread"])
def runner(
    request: pytest.FixtureRequest,
    session: Session,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ToolRunner]:
    monkeypatch.setattr(tool_runner, "_AT_ONCE", request.param)
    binding = Binding(session, ViewerModel())
    panel = ToolPanel(TOOLS, MENUS)
    qtbot.addWidget(panel)
    parent = QObject(panel)
    errors: list[Any] = []
    made = ToolRunner(parent, panel, errors.append, lambda: None)
    made.open(Kit(binding, Choices(), made.ask, lambda _words: None, errors.append))
    yield made
    made.close()
    qtbot.waitUntil(lambda: not made.is_busy)
    binding.detach()
    assert errors == []


def proposal(session: Session) -> Proposal:
    scene = session.bench.scene()
    after = np.ones(scene.shape[::-1], np.uint8).T
    made = scene.propose(whole(scene.shape), after, name="Fill", values=(1,))
    assert made is not None
    return replace(made, words="Label 1 gets all; label 1 is large.")


@pytest.mark.parametrize("asked", [True, False], ids=["asked for", "shown by another"])
def test_a_proposal_with_words_is_drawn_once_and_shown_by_name(
    runner: ToolRunner,
    session: Session,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    asked: bool,
) -> None:
    drawn: list[Proposal] = []
    draw = tool_runner.picture_of
    monkeypatch.setattr(tool_runner, "picture_of", lambda p: drawn.append(p) or draw(p))
    made = proposal(session)
    if asked:
        runner.ask("Filling …", lambda _tick: made)
    else:
        session.bench.show(made)
    qtbot.waitUntil(lambda: runner.shown is not None and not runner.is_busy)
    qtbot.wait(50)
    assert drawn == [made]
    assert session.bench.preview is made
    words = runner._panel.preview.words.text()
    assert session.labels.scheme[1].name in words
    assert "abel 1 is" not in words


def test_another_volume_ends_the_work_and_the_tool_looks_anew_when_the_slider_rests(
    session: Session, qtbot: QtBot
) -> None:
    array = np.zeros((4, *session.volume.grid.shape[::-1]), np.uint16)
    further = FurtherAxis("time", "s", (0.0, 1.0, 2.0, 3.0), array.T)
    session.bench.in_use = VolumeInUse(replace(session.volume, further=further))
    binding = Binding(session, ViewerModel())
    panel = ToolPanel(TOOLS, MENUS)
    qtbot.addWidget(panel)
    said: list[str] = []
    renewed: list[int] = []
    runner = ToolRunner(QObject(panel), panel, said.append, lambda: None)
    kit = Kit(binding, Choices(), runner.ask, said.append, said.append)
    kit.renew = lambda: renewed.append(session.bench.in_use.number)
    runner.open(kit)
    runner.renew()
    assert renewed == [0]
    go = threading.Event()

    def work(tick: Any) -> Proposal:
        assert go.wait(20)
        return proposal(session)

    runner.ask("Filling …", work)
    for number in (1, 2, 3):
        session.bench.use_volume(number)
    go.set()
    qtbot.waitUntil(lambda: not runner.is_busy)
    assert session.bench.preview is None
    qtbot.waitUntil(lambda: len(renewed) == 2)
    qtbot.wait(50)
    assert renewed == [0, 3]
    assert "Another volume is shown" in said[0]
    said.clear()
    session.bench.show(proposal(session))
    session.bench.use_volume(0)
    assert runner.shown is None
    assert "Another volume is shown" in said[0]
    runner.close()
    session.bench.use_volume(1)
    assert len(said) == 1
    binding.detach()
