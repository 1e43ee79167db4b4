"""Begun outlines: a crash and a case that is left keep them, and they are no change."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.drafts import Draft, Drafts
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.saving import save

ONE = Draft("wire", 2, 3, ((1.5, 2.0, 3.0), (4.0, 2.0, 3.0)), (0, 1))
OTHER = Draft("outline", 0, 4, ((4.0, 2.0, 3.0), (4.0, 5.0, 3.0)))


def test_there_is_one_for_each_tool_and_slice_and_all_go_through_json() -> None:
    drafts, seen = Drafts(), []
    drafts.changed.connect(lambda: seen.append(len(drafts)))
    drafts.put(OTHER)
    drafts.put(ONE)
    drafts.put(ONE)
    assert seen == [1, 2]
    document = json.loads(json.dumps(drafts.document()))
    again = Drafts()
    again.put(Draft("wire", 2, 3, ((0.0, 0.0, 3.0),)))
    again.load(document)
    assert again.all[1] == OTHER
    assert again.at(ONE.place) != ONE  # what was begun since stays
    assert drafts.drop(ONE.place)
    assert not drafts.drop(ONE.place)


@pytest.mark.parametrize("crashes", [True, False])
def test_outlines_wait_again_when_the_case_is_opened_next(
    session: Session, scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path, crashes: bool
) -> None:
    session.drafts.put(ONE)
    assert not session.is_dirty
    assert session.history.undo_name is None
    if crashes:
        session.keeper.sweep()
        session.keeper.close(discard=False)
    else:
        save(session)
        session.close()
    again = open_case([scan], desk, wishes, fallback=tmp_path)
    assert again.recoveries == ()
    assert again.drafts.all == (ONE,)
    assert len(list(desk.journals.glob("*.journal"))) == 1
    again.drafts.drop(ONE.place)
    again.close()
    assert not list(desk.journals.glob("*.journal"))


def test_they_come_back_with_work_that_a_crash_left_and_go_with_what_is_given_up(
    session: Session, scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    box = (slice(2, 4), slice(2, 4), slice(1, 2))
    session.edit(box, np.ones((2, 2, 1), np.uint8), name="Square")
    session.drafts.put(ONE)
    session.keeper.sweep()
    session.keeper.close(discard=False)
    again = open_case([scan], desk, wishes, fallback=tmp_path)
    (found,) = again.recoveries
    assert (found.slices, found.landmarks) == (1, None)
    assert len(again.drafts) == 0
    again.recover(found, None)
    assert again.drafts.all == (ONE,)
    again.close(discard=True)
    last = open_case([scan], desk, wishes, fallback=tmp_path)
    assert len(last.drafts) == 0
    last.close()
