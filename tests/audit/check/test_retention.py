"""What is old enough to go: closed, not the last, and older than the site's days."""

from __future__ import annotations

from napari_medlabel.audit.check.retention import in_lots, overdue
from tests.audit.check.ward import HOUR_MS, Ward


def test_only_closed_sessions_that_are_old_and_not_the_last_are_overdue(ward: Ward) -> None:
    crashed = ward.open()
    crashed._file.release()
    crashed._memory.release()
    old = ward.head(ward.session())
    ward.bench.clock.utc += 48 * HOUR_MS
    ward.session()
    ward.session()
    now_ms = ward.bench.clock.utc
    recovered = ward.head(crashed.path)
    assert overdue(ward.verify(), 1, now_ms) == (recovered, old)
    assert overdue(ward.verify(), 3, now_ms) == ()
    running = ward.open()
    assert len(overdue(ward.verify(), 0, now_ms + HOUR_MS)) == 4
    running.close()


def test_lots_hold_as_many_as_one_event_may_name(ward: Ward) -> None:
    head = ward.head(ward.session())
    assert [len(lot) for lot in in_lots([head] * 5, 2)] == [2, 2, 1]
    assert in_lots([], 2) == []
