"""Workstations: who else remembers them, since when nobody does, and whose key it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from napari_medlabel.audit.check.verdict import LogReport, SessionReport
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format.record import time_ms
from napari_medlabel.audit.format.seal import Head, from_base64, to_base64
from napari_medlabel.audit.keys.site import Install, Site
from napari_medlabel.audit.report.facts import Workstation
from napari_medlabel.audit.report.seen import Line
from napari_medlabel.audit.report.workstations import Ends, workstations
from tests.audit.bench import WRITER, Bench
from tests.audit.report.lines import line

SECOND = "wfedcba9876543210"
MINUTE = 60_000


def _gathered(bench: Bench) -> tuple[LogReport, Ends]:
    ends = Ends()

    def seen(file: str, number: int, record: object) -> None:
        one = Line(file, number, time_ms(record["time"]), record)  # type: ignore[index]
        ends.tick(file, one.at_ms)
        if one.event in Ends.events:
            ends.take(one)

    return verify_log(bench.root, state=bench.state, seen=seen), ends


def _rows(
    bench: Bench,
    *,
    site: Site | None = None,
    outside: Iterable[tuple[str, Head]] = (),
    change: Callable[[LogReport, Ends], None] = lambda report, ends: None,
) -> tuple[Workstation, ...]:
    report, ends = _gathered(bench)
    change(report, ends)
    now_ms = bench.clock.utc + 10 * MINUTE
    return workstations(report, ends, site=site, now_ms=now_ms, outside=outside)


def test_a_lone_workstation_is_remembered_by_nobody_outside(bench: Bench) -> None:
    bench.session(events=2)
    (row,) = _rows(bench)
    assert (row.writer, row.sessions, row.events) == (WRITER, 1, 4)
    assert (row.unclosed, row.clock_jumps, row.anchors) == (0, 0, ())
    assert (row.oldest_unanchored_min, row.trust) == (10, "uncertified")
    assert row.first_ms < row.last_ms


def test_a_peer_remembers_what_it_saw_and_no_more(bench: Bench) -> None:
    bench.session(events=2)
    report, _ = _gathered(bench)
    head = report.sessions[0].sealed
    assert head is not None
    bench.clock.utc += 60 * MINUTE
    with bench.open(writer=SECOND) as log:
        detail = {"heads": [head.record()], "source": "peer"}
        log.append("anchor.observe", detail=detail)
    first, second = _rows(bench)
    assert (first.anchors, first.oldest_unanchored_min) == (("peer",), None)
    assert (second.writer, second.oldest_unanchored_min) == (SECOND, 10)
    bench.clock.utc += 60 * MINUTE
    bench.session(events=1)
    assert _rows(bench)[0].oldest_unanchored_min == 10


def test_ones_own_next_session_is_no_outside_memory(bench: Bench) -> None:
    bench.session(events=1)
    bench.session(events=1)
    (row,) = _rows(bench)
    assert row.anchors == ()
    assert row.oldest_unanchored_min is not None


def _head(bench: Bench, size: int) -> Head:
    report, _ = _gathered(bench)
    return Head(report.sessions[0].origin, size, bytes(32))


@pytest.mark.parametrize(("kind", "oldest"), [("memory", 10), ("witness", None)])
def test_others_hold_heads_too_and_the_memory_is_not_outside(
    bench: Bench, kind: str, oldest: int | None
) -> None:
    bench.session(events=1)
    (row,) = _rows(bench, outside=[(kind, _head(bench, 3))])
    assert (row.anchors, row.oldest_unanchored_min) == ((kind,), oldest)


def test_a_head_of_less_leaves_the_rest(bench: Bench) -> None:
    bench.session(events=1)
    outside = [("witness", _head(bench, 2)), ("paper", _head(bench, 1))]
    (row,) = _rows(bench, outside=outside)
    assert row.anchors == ("paper", "witness")
    assert row.oldest_unanchored_min == 10


def _certified(bench: Bench) -> Callable[[LogReport, Ends], None]:
    def change(report: LogReport, ends: Ends) -> None:
        ends.installs[report.sessions[0].file] = bytes(range(32))

    return change


@pytest.mark.parametrize(
    ("install", "trust"),
    [
        (None, "unknown"),
        (Install(WRITER, bytes(32), 0), "unknown"),
        (Install(WRITER, bytes(range(32)), 0), "trusted"),
        (Install(WRITER, bytes(range(32)), 0, revoked_ms=1), "revoked"),
    ],
)
def test_trust_is_what_the_site_says_of_the_key(
    bench: Bench, install: Install | None, trust: str
) -> None:
    bench.session(events=1)
    site = Site("ward-3", 1, 0, installs=(install,) if install else ())
    (row,) = _rows(bench, site=site, change=_certified(bench))
    assert row.trust == trust


def test_a_key_without_a_site_is_unknown_and_bare_sessions_do_not_hide_a_trusted_one(
    bench: Bench,
) -> None:
    bench.session(events=1)
    (row,) = _rows(bench, change=_certified(bench))
    assert row.trust == "unknown"
    bench.session(events=1)
    site = Site("ward-3", 1, 0, installs=(Install(WRITER, bytes(range(32)), 0),))
    (row,) = _rows(bench, site=site, change=_certified(bench))
    assert (row.trust, row.vouched, row.bare) == ("trusted", 0, 1)


def test_sessions_that_a_certified_one_vouches_for_are_counted_apart(bench: Bench) -> None:
    bench.session(events=1)
    bench.session(events=1)

    def change(report: LogReport, ends: Ends) -> None:
        report.sessions[0].vouched = True
        ends.installs[report.sessions[1].file] = bytes(range(32))

    site = Site("ward-3", 1, 0, installs=(Install(WRITER, bytes(range(32)), 0),))
    (row,) = _rows(bench, site=site, change=change)
    assert (row.trust, row.vouched, row.bare) == ("trusted", 1, 0)


def test_the_key_is_that_of_the_opening() -> None:
    ends = Ends()
    origin = f"medlabel.local/ward-3/{WRITER}/20261123T080000Z-" + "0" * 26
    public = to_base64(bytes(range(32)))
    opening = line(
        "session.open",
        1,
        subject=(),
        detail={"origin": origin, "pub": public, "install": public},
    )
    ends.take(opening)
    assert ends.installs == {opening.file: from_base64(public, 32)}


def test_an_unclosed_session_counts_until_it_is_recovered(bench: Bench) -> None:
    bench.session(events=1)

    def unclose(report: LogReport, ends: Ends) -> None:
        report.sessions[0].closed = False

    def recover(report: LogReport, ends: Ends) -> None:
        unclose(report, ends)
        report.sessions[0].add("note", "RECOVERED", "It was recovered.")

    assert _rows(bench, change=unclose)[0].unclosed == 1
    assert _rows(bench, change=recover)[0].unclosed == 0


def test_jumps_of_the_clock_are_counted_once(bench: Bench) -> None:
    bench.session(events=1)

    def jump(report: LogReport, ends: Ends) -> None:
        session: SessionReport = report.sessions[0]
        session.add("amber", "CLOCK", "It was set back.", 2)
        ends.jumps[session.file] += 1

    assert _rows(bench, change=jump)[0].clock_jumps == 1


def test_a_file_that_holds_nothing_has_no_times(bench: Bench) -> None:
    bench.session(events=1).write_bytes(b"")
    (row,) = _rows(bench)
    assert (row.events, row.first_ms, row.oldest_unanchored_min) == (0, 0, None)
    assert row.trust == "uncertified"
