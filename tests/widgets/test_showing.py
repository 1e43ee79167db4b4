"""A case is shown part by part; given up at any moment, it is closed once by who has it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject

from napari_medlabel.widgets.showing import Showing, at_once

pytestmark = pytest.mark.usefixtures("qapp")


class Half:
    """A binding and its session in one; notes what is done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.turns = self.steps("layer", 2)

    def steps(self, what: str, count: int) -> Generator[None, None, None]:
        for number in range(count):
            self.done.append(f"{what} {number}")
            yield

    def abandon(self) -> None:
        self.done.append("abandoned")

    def close(self, *, discard: bool) -> None:
        assert not discard
        self.done.append("closed")


@pytest.fixture
def owner() -> QObject:
    return QObject()


ALL = ["layer 0", "layer 1", "desk 0", "desk 1"]


def test_layers_come_first_then_desks(owner: QObject, qtbot: QtBot) -> None:
    half: Any = Half()
    showing = Showing(owner)
    showing.start(half, half, lambda: half.steps("desk", 2))
    assert half.done == []
    seen: list[int] = []
    while showing.is_under_way:
        qtbot.wait(1)
        seen.append(len(half.done))
    assert half.done == ALL
    assert {1, 2, 3} <= set(seen), "the window lives between two parts"


@pytest.mark.parametrize("count", range(5))
def test_a_case_given_up_in_any_turn_is_closed_by_who_has_it(
    owner: QObject, qtbot: QtBot, count: int
) -> None:
    half: Any = Half()
    showing = Showing(owner)
    showing.start(half, half, lambda: half.steps("desk", 2))
    if count:
        qtbot.waitUntil(lambda: len(half.done) == count)
    showing.abandon()
    is_ours = count <= 2
    assert half.done == ALL[:count] + ["abandoned", "closed"] * is_ours
    assert not showing.is_under_way
    qtbot.wait(40)
    assert half.done == ALL[:count] + ["abandoned", "closed"] * is_ours


def test_a_desk_that_gives_the_case_up_in_its_turn_ends_it(
    owner: QObject, qtbot: QtBot
) -> None:
    half: Any = Half()
    showing = Showing(owner)

    def desks() -> Generator[None, None, None]:
        half.done.append("desk")
        showing.abandon()
        yield
        half.done.append("never")

    showing.start(half, half, desks)
    qtbot.waitUntil(lambda: "desk" in half.done)
    qtbot.wait(40)
    assert half.done[-1] == "desk"
    assert not showing.is_under_way


def test_turns_may_be_taken_at_once() -> None:
    half = Half()
    at_once(half.turns)
    assert half.done == ["layer 0", "layer 1"]
