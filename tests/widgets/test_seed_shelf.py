"""Strokes of seeds are undone one by one, and wait while another tool is in hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_medlabel.plugin.tools.hand import QuietHand
from napari_medlabel.plugin.tools.seed_hand import Seeds
from napari_medlabel.session.growing import Growing
from napari_medlabel.widgets.seed_shelf import STROKE, SeedShelf

BOX = (slice(1, 3), slice(1, 3), slice(1, 2))
OTHER = (slice(3, 5), slice(1, 3), slice(1, 2))
ALL = np.ones((2, 2, 1), bool)


class Hand(Seeds):
    """Seeds without a viewer: growth is counted, not computed."""

    def __init__(self, session: Any) -> None:
        QuietHand.__init__(self, SimpleNamespace(session=session))  # type: ignore[arg-type]
        self.growing = Growing(session.bench)
        self.grown = 0
        self._marks = []

    def grow(self) -> None:
        self.grown += 1


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def shelf(told: list[str]) -> SeedShelf:
    return SeedShelf(lambda: told.append(""))


def test_undo_takes_the_last_stroke_and_redo_brings_it_back(
    session: Any, shelf: SeedShelf, told: list[str]
) -> None:
    hand = Hand(session)
    shelf.take(hand)
    assert not shelf.undo()  # then it is a step of the labels
    hand.growing.add(BOX, ALL, 1)
    hand.growing.add(OTHER, ALL, 0)
    assert (shelf.undo_name, shelf.redo_name) == (STROKE, "")
    told.clear()
    assert shelf.undo()
    assert told
    assert [s.value for s in hand.growing.seeds] == [1]
    assert shelf.redo_name == STROKE
    assert shelf.redo(has_step=True)
    assert [s.value for s in hand.growing.seeds] == [1, 0]
    assert hand.growing.seeds[-1].box == OTHER
    assert not shelf.redo(has_step=True)
    assert hand.grown == 2


def test_a_step_of_the_labels_undone_later_is_redone_first(
    session: Any, shelf: SeedShelf
) -> None:
    hand = Hand(session)
    shelf.take(hand)
    hand.growing.add(BOX, ALL, 1)
    assert shelf.undo()
    assert not shelf.undo()
    assert shelf.redo_name == ""
    assert not shelf.redo(has_step=True)
    assert shelf.redo(has_step=True)
    assert len(hand.growing.seeds) == 1


def test_a_new_stroke_ends_what_can_be_redone(session: Any, shelf: SeedShelf) -> None:
    hand = Hand(session)
    shelf.take(hand)
    hand.growing.add(BOX, ALL, 1)
    assert shelf.undo()
    hand.growing.add(OTHER, ALL, 1)
    assert shelf.redo_name == ""
    assert not shelf.redo(has_step=False)


def test_strokes_wait_while_another_tool_is_in_hand(session: Any, shelf: SeedShelf) -> None:
    hand = Hand(session)
    shelf.take(hand)
    hand.growing.add(BOX, ALL, 1)
    hand.growing.add(OTHER, ALL, 0)
    shelf.put_down()
    hand.growing.cancel()
    assert shelf.words == "2 seed strokes kept: Grow seeds (G) goes on with them."
    assert shelf.undo_name == ""
    again = Hand(session)
    shelf.take(again)
    assert [(s.box, s.value) for s in again.growing.seeds] == [(BOX, 1), (OTHER, 0)]
    assert again.grown == 1
    assert shelf.words == ""


def test_strokes_are_forgotten_only_after_a_warning(session: Any, shelf: SeedShelf) -> None:
    hand = Hand(session)
    shelf.take(hand)
    assert shelf.warn() == ""
    hand.growing.add(BOX, ALL, 1)
    assert shelf.warn() == "Escape once more forgets 1 seed stroke; G puts them aside."
    assert shelf.warn() == ""
    shelf.put_down()
    assert shelf.forget()
    assert not shelf.forget()


def test_strokes_of_a_segment_that_is_gone_are_left_out(session: Any, shelf: SeedShelf) -> None:
    hand = Hand(session)
    shelf.take(hand)
    hand.growing.add(BOX, ALL, 1)
    hand.growing.add(OTHER, ALL, 0)
    shelf.put_down()
    scheme = session.labels.scheme
    session.set_scheme(replace(scheme, labels=scheme.labels[1:]))
    again = Hand(session)
    shelf.take(again)
    assert [s.value for s in again.growing.seeds] == [0]
