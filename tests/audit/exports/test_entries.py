"""Events come with their session, in a period of days."""

from __future__ import annotations

import pytest

from napari_medlabel.audit.exports.entries import (
    Entry,
    Period,
    Reader,
    Session,
    period_of,
    read_entries,
)
from napari_medlabel.errors import InputError
from tests.audit.bench import SAVE, WRITER, Bench
from tests.audit.exports.samples import NOON_MS, PATIENT, USER, entry


def test_every_sealed_event_comes_with_its_session(bench: Bench) -> None:
    bench.session(2)
    bench.session(1)
    found: list[Entry] = []
    report, count = read_entries(bench.root, state=bench.state, take=found.append)
    assert count == len(found) == report.events
    assert {one.session.writer for one in found} == {WRITER}
    assert {one.session.site for one in found} == {"ward-3"}
    assert len({one.id for one in found}) == count
    assert found[0].session.tool
    assert [one.event for one in found][:2] == ["session.open", SAVE.event]


def test_a_period_leaves_out_other_days_and_keeps_the_sessions_name() -> None:
    found: list[Entry] = []
    reader = Reader(found.append, Period("2026-11-22", "2026-11-22"))
    opening = {
        "event": "session.open", "time": "2026-11-21T23:59:59.999Z",
        "detail": {"origin": "medlabel.local/ward-3/w1/x-Y"},
    }  # fmt: skip
    reader.seen("f", 1, opening)
    for day in ("22", "23"):
        reader.seen("f", 3, {"event": "audit.view", "time": f"2026-11-{day}T00:00:00.000Z"})
    assert reader.count == 1
    assert (found[0].session, found[0].line) == (Session("medlabel.local/ward-3/w1/x-Y"), 3)


def test_days_may_be_left_open() -> None:
    assert period_of(None, None).is_all
    assert period_of("2026-11-22", None).holds("2027-01-01T00:00:00.000Z")
    assert not period_of(None, "2026-11-22").holds("2026-11-23T00:00:00.000Z")


@pytest.mark.parametrize("day", ["2026-11-31", "22.11.2026", "2026-1-1", "", "20261122"])
def test_what_is_no_day_is_refused(day: str) -> None:
    with pytest.raises(InputError, match="A day such as"):
        period_of(day, None)
    with pytest.raises(InputError, match="A day such as"):
        period_of(None, day)


def test_days_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InputError, match="before the last"):
        period_of("2026-11-23", "2026-11-22")


def test_an_entry_says_its_parts() -> None:
    one = entry("volume.open", (PATIENT,), detail={"format": "dicom"})
    assert (one.user, one.subjects, one.reason) == (USER, (PATIENT,), "")
    assert one.detail == {"format": "dicom"}
    assert one.record["time"] == "2026-11-22T12:00:00.000Z"
    assert NOON_MS == 1_795_348_800_000
