"""Where each voxel of an open case comes from: through undo, saving, closing and a crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.edit.patch import Origin
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.project.reading.provenance import (
    EDITED,
    HUMAN,
    INTERPOLATED,
    KEPT,
    NONE,
)
from napari_medlabel.session.case import MASK_FILE, Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.saving import finish_save, save, take_snapshot, write_snapshot
from napari_medlabel.session.trailing import ORIGINS_FILE, read_origins

Reopen = Callable[[], Session]


@pytest.fixture
def reopen(scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path) -> Iterator[Reopen]:
    opened: list[Session] = []

    def again() -> Session:
        wanted = replace(wishes, follows=True)
        opened.append(open_case([scan], desk, wanted, fallback=tmp_path))
        return opened[-1]

    yield again
    for one in opened:
        one.close()


def put(session: Session, i: int, value: int, origin: Origin = "human", k: int = 0) -> None:
    box = (slice(i, i + 1), slice(0, 1), slice(k, k + 1))
    session.edit(box, np.full((1, 1, 1), value, np.uint8), name="Dot", origin=origin)


def row(session: Session, k: int = 0) -> list[int]:
    assert session.trail is not None
    return session.trail.trail.map()[:6, 0, k].tolist()


def draw(session: Session) -> list[int]:
    """Draw one voxel of each kind, and return what is to be known of them."""
    put(session, 0, 1)
    put(session, 1, 1, "assisted")
    put(session, 2, 1, "assisted")
    put(session, 2, 2)
    put(session, 3, 1, "assisted")
    put(session, 3, 0)
    put(session, 4, 1, "interpolated")
    return [HUMAN, KEPT, EDITED, EDITED, INTERPOLATED, NONE]


def crash(session: Session) -> None:
    session.keeper.sweep()
    session.keeper.close(discard=False)


def test_undo_gives_origins_back_and_redo_takes_them_again(reopen: Reopen) -> None:
    session = reopen()
    known = draw(session)
    assert row(session) == known
    states = [known]
    while session.undo() is not None:
        states.append(row(session))
    assert states[-1] == [NONE] * 6
    assert states[2] == [HUMAN, KEPT, EDITED, KEPT, NONE, NONE]
    for state in reversed(states[:-1]):
        session.redo()
        assert row(session) == state


def test_origins_are_saved_with_the_mask_and_go_on_at_the_next_opening(reopen: Reopen) -> None:
    first = reopen()
    known = draw(first)
    save(first)
    first.close()
    second = reopen()
    assert row(second) == known
    put(second, 1, 3)
    assert row(second)[1] == EDITED
    second.undo()
    assert row(second) == known
    folder = second.place.folder
    before = (folder / MASK_FILE).stat().st_mtime_ns
    put(second, 1, 0)
    put(second, 1, 1)  # the same mask, and no longer the machine's alone
    assert save(second).files == ()
    assert (folder / MASK_FILE).stat().st_mtime_ns == before
    second.close()
    assert row(reopen())[1] == EDITED


def test_a_save_writes_the_origins_of_its_own_moment(reopen: Reopen) -> None:
    session = reopen()
    known = draw(session)
    snapshot = take_snapshot(session)
    session.undo()
    put(session, 5, 1)
    report = write_snapshot(session, snapshot)
    finish_save(session, snapshot, report)
    grid, content = session.labels.grid, report.mask.content_id
    found, words = read_origins(session.place.folder, grid, content)
    assert found is not None
    assert (found[:6, 0, 0].tolist(), words) == (known, "")
    assert row(session) == [HUMAN, KEPT, EDITED, EDITED, NONE, HUMAN]
    crash(session)
    again = reopen()
    again.recover(again.recoveries[0], None)
    assert row(again) == [HUMAN, KEPT, EDITED, EDITED, NONE, HUMAN]


def test_work_of_a_crash_comes_back_with_its_origins(reopen: Reopen) -> None:
    first = reopen()
    put(first, 5, 1, "assisted", k=3)
    save(first)
    known = draw(first)
    first.labels.array[5, 0, 0] = 1  # a stroke that is not done yet
    crash(first)
    second = reopen()
    assert row(second) == [NONE] * 6
    second.recover(second.recoveries[0], None)
    assert row(second) == known
    assert row(second, k=3)[5] == KEPT
    second.undo()
    assert row(second) == [NONE] * 6
    second.redo()
    assert row(second) == known
    put(second, 1, 2)
    assert row(second)[1] == EDITED


def test_origins_of_another_mask_are_not_believed_and_it_is_said(
    reopen: Reopen, desk: Desk, scan: Path, wishes: Wishes, tmp_path: Path
) -> None:
    first = reopen()
    draw(first)
    save(first)
    first.close()
    plain = open_case([scan], desk, wishes, fallback=tmp_path)
    assert plain.trail is None
    put(plain, 0, 2)
    save(plain)
    plain.close()
    second = reopen()
    assert row(second) == [NONE] * 6
    assert "nothing is known of the origin" in second.found
    save(second)
    second.close()
    third = reopen()
    assert (row(third), third.found) == ([NONE] * 6, "")
    (third.place.folder / ORIGINS_FILE).write_bytes(b"napari-medlabel origins 1\n{}\nx")
    third.close()
    assert "is damaged" in reopen().found


def test_what_the_history_has_dropped_is_worked_in_for_good(reopen: Reopen) -> None:
    session = reopen()
    session.history.limit_bytes = 1
    known = draw(session)
    assert session.history.dropped
    assert row(session) == known
    assert session.trail is not None
    held = session.trail.trail.nbytes - session.labels.array.size
    assert held < 1000
    session.undo()
    assert row(session) == [*known[:4], NONE, NONE]


def test_a_plain_session_saves_no_origins(
    desk: Desk, scan: Path, wishes: Wishes, tmp_path: Path
) -> None:
    session = open_case([scan], desk, wishes, fallback=tmp_path)
    put(session, 0, 1)
    save(session)
    session.close()
    assert not (session.place.folder / ORIGINS_FILE).exists()
    assert load(session.place.mask).grid.shape == session.labels.grid.shape
