"""After a crash the work is offered back; content decides, not dates."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.export.landmarks import from_markups
from napari_medlabel.io.files import explain_os_error
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.saving import save

BOX = (slice(1, 3), slice(2, 4), slice(0, 1))


def paint(session: Session, value: int = 1, k: int = 0) -> None:
    box = (slice(1, 3), slice(2, 4), slice(k, k + 1))
    session.edit(box, np.full((2, 2, 1), value, np.uint8), name="Square")


@pytest.fixture
def reopen(scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path):
    opened: list[Session] = []

    def again() -> Session:
        opened.append(open_case([scan], desk, wishes, fallback=tmp_path))
        return opened[-1]

    yield again
    for one in opened:
        one.close()


def crash(session: Session) -> None:
    """End as a killed program does: the journal stays, nothing is saved, locks are let go."""
    session.keeper.sweep()
    session.keeper.close(discard=False)


def test_what_is_saved_meanwhile_is_not_counted_as_unsaved_work(reopen) -> None:
    first = reopen()
    paint(first, 3, k=4)
    crash(first)
    for k in (0, 1, 2):
        later = reopen()
        assert [one.slices for one in later.recoveries] == [1], "neither taken nor left"
        paint(later, 1, k=k)
        save(later)
        later.close()


def test_unsaved_work_is_offered_and_taken_back(reopen) -> None:
    first = reopen()
    paint(first, 3, k=4)
    first.place_landmark("Liver dome", (1, 2, 3))
    crash(first)
    second = reopen()
    (recovery,) = second.recoveries
    assert recovery.slices == 1
    assert recovery.base_matches
    second.recover(recovery, from_markups(recovery.landmarks))
    assert second.labels.voxel_counts() == {3: 4}
    assert second.landmarks["Liver dome"].point_ras == (1, 2, 3)
    assert second.is_dirty
    second.undo()
    second.undo()
    assert second.labels.voxel_counts() == {}


def test_after_taking_back_another_crash_loses_nothing(reopen) -> None:
    first = reopen()
    paint(first, 3)
    crash(first)
    second = reopen()
    second.recover(second.recoveries[0], None)
    crash(second)
    third = reopen()
    assert len(third.recoveries) == 1
    third.recover(third.recoveries[0], None)
    assert third.labels.voxel_counts() == {3: 4}


def test_declined_work_is_not_offered_again_and_not_removed(reopen) -> None:
    first = reopen()
    paint(first)
    crash(first)
    second = reopen()
    second.decline(second.recoveries[0])
    assert second.recoveries == ()
    assert len(list(second.desk.journals.glob("*.declined"))) == 1
    assert reopen().recoveries == ()


def test_saved_work_is_not_offered(reopen) -> None:
    first = reopen()
    paint(first)
    save(first)
    crash(first)
    assert reopen().recoveries == ()


def test_work_after_a_save_is_offered_on_top_of_it(reopen) -> None:
    first = reopen()
    paint(first, 1, k=0)
    save(first)
    paint(first, 2, k=3)
    crash(first)
    second = reopen()
    assert second.labels.voxel_counts() == {1: 4}
    second.recover(second.recoveries[0], None)
    assert second.labels.voxel_counts() == {1: 4, 2: 4}


def test_a_mask_saved_since_does_not_hide_the_work_however_new_it_is(reopen) -> None:
    first = reopen()
    paint(first, 1, k=0)
    save(first)
    paint(first, 2, k=3)
    crash(first)
    second = reopen()
    paint(second, 4, k=5)
    save(second)
    second.close()
    os.utime(second.place.mask, (time.time() + 9999, time.time() + 9999))
    third = reopen()
    (recovery,) = third.recoveries
    assert not recovery.base_matches
    # It is the state as it was then: on the version that it was painted on.
    third.recover(recovery, None)
    assert third.labels.voxel_counts() == {1: 4, 2: 4}
    third.undo()
    assert third.labels.voxel_counts() == {1: 4, 4: 4}


def test_a_case_that_is_open_elsewhere_is_not_a_crash(reopen) -> None:
    first = reopen()
    paint(first)
    first.keeper.sweep()
    assert reopen().recoveries == ()


def test_unannounced_painting_reaches_the_journal(reopen) -> None:
    first = reopen()
    first.labels.array[2, 2, 2] = 8
    crash(first)
    second = reopen()
    second.recover(second.recoveries[0], None)
    assert second.labels.voxel_counts() == {8: 1}


def test_a_journal_that_cannot_be_written_is_said_and_painting_goes_on(
    reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reopen()

    def full(*_args: object, **_keywords: object) -> None:
        raise explain_os_error(OSError(28, "full"))

    monkeypatch.setattr("napari_medlabel.session.keeper.Journal", full)
    paint(first)
    assert not first.keeper.sweep()
    assert first.keeper.problem is not None
    assert "disk is full" in first.keeper.problem.message
    paint(first, 2, k=1)
    monkeypatch.undo()
    assert first.keeper.sweep()
    assert first.keeper.problem is None


def test_a_large_journal_is_written_anew_with_the_same_state(
    reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_medlabel.session.keeper._COMPACT_ABOVE", 1)
    first = reopen()
    for value in range(1, 5):
        paint(first, value, k=value)
        first.keeper.sweep()
    crash(first)
    assert len(list(first.desk.journals.glob("*.journal"))) == 1
    second = reopen()
    second.recover(second.recoveries[0], None)
    assert second.labels.voxel_counts() == {1: 4, 2: 4, 3: 4, 4: 4}


def test_the_thread_writes_after_a_pause(reopen) -> None:
    first = reopen()
    first.keeper._idle_s = 0.05
    paint(first)
    until = time.monotonic() + 10
    while not list(first.desk.journals.glob("*.journal")) and time.monotonic() < until:
        time.sleep(0.02)
    assert list(first.desk.journals.glob("*.journal"))


PAINTER = """
import sys, time
from pathlib import Path
import numpy as np
from napari_medlabel.model import presets
from napari_medlabel.session.desk import open_desk
from napari_medlabel.session.opening import Wishes, open_case

scan, out = map(Path, sys.argv[1:])
desk = open_desk()
wishes = Wishes(presets.scheme("abdomen"), presets.template("abdomen"), folder=out)
session = open_case([scan], desk, wishes, fallback=out)
session.keeper._idle_s = 0.02
n = 0
while True:
    n += 1
    session.labels.array[n % 12, n // 12 % 10, n // 120 % 6] = 1 + n // 720
    session.absorb(name="Paint")
    if session.keeper.sweep():
        print(n, flush=True)
"""


@pytest.mark.slow
def test_kill_9_in_the_middle_of_painting_loses_nothing_that_was_journaled(
    scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    script = tmp_path / "painter.py"
    script.write_text(textwrap.dedent(PAINTER))
    for round_number in range(int(os.environ.get("MEDLABEL_KILLS", "3")) // 3 or 1):
        out = tmp_path / f"case-{round_number}"
        command = [sys.executable, str(script), str(scan), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as painter:
            assert painter.stdout is not None
            last = 0
            for _ in range(40):
                last = int(painter.stdout.readline())
            painter.send_signal(signal.SIGKILL)
            last = max([last, *map(int, painter.stdout.read().split())])
        case = open_case(
            [scan],
            desk,
            Wishes(wishes.scheme, wishes.template, folder=out),
            fallback=tmp_path,
        )
        case.recover(case.recoveries[0], None)
        expected = np.zeros_like(case.labels.array)
        states = []
        for n in range(1, last + 3):
            expected[n % 12, n // 12 % 10, n // 120 % 6] = 1 + n // 720
            if n >= last:
                states.append(expected.copy())
        assert any(np.array_equal(case.labels.array, state) for state in states)
        case.close(discard=True)
