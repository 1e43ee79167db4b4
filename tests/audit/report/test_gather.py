"""Facts of a whole log: one pass, a period, the site's rules, and the bytes to check again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.audit.keys.site import Officer, Policy, Site, site_document
from napari_medlabel.audit.report.facts import Facts, Hours
from napari_medlabel.audit.report.gather import DAY_MS, facts_of, log_bytes, site_of
from napari_medlabel.errors import InputError
from tests.audit.bench import SAVE, WRITER, Bench
from tests.audit.report.lines import ANNA, PATIENT, digest

TO = {"destination": "folder"}
OPEN = Event("volume.open", (PATIENT,), detail={"format": "dicom"})
BEGIN, DONE = Event("export.begin", (PATIENT,), detail=TO), Event("export.done", detail=TO)
APPROVE = Event("review.approve", (PATIENT,), detail={"case": digest(1)})


def _facts(bench: Bench, **more: object) -> Facts:
    given: dict[str, object] = {"state": bench.state, "now_ms": bench.clock.utc, **more}
    return facts_of(bench.root, **given)  # type: ignore[arg-type]


def _write(bench: Bench, *events: Event) -> Path:
    with bench.open() as log:
        log.append_many(events)
    return log.path


def _site(root: Path, **policy: object) -> None:
    key = SigningKey(bytes(32))
    site = Site(
        "ward-3",
        1,
        1_700_000_000_000,
        officers=(Officer(key.public),),
        policy=Policy(**policy),  # type: ignore[arg-type]
    )
    root.mkdir(parents=True, exist_ok=True)
    (root / "site.json").write_bytes(site_document(site, key))


def test_a_log_gives_facts_of_every_kind(bench: Bench) -> None:
    path = _write(
        bench,
        OPEN,
        APPROVE,
        SAVE,
        BEGIN,
        DONE,
        Event("key.create", detail={"key": "install"}),
        Event("user.auth.fail"),
        Event("clock.jump", detail={"delta_ms": 5000}),
        Event("audit.review", detail={"findings": 1}),
    )
    facts = _facts(bench, names={ANNA: "Anna"})
    assert facts.verdict.events == 11
    assert facts.code is not None
    assert facts.code.listing.startswith(b"medlabel-heads/v1\nward-3\n")
    assert (facts.site_name, facts.hours, facts.review_days) == ("", Hours(), 30)
    assert [row.writer for row in facts.workstations] == [WRITER]
    assert facts.workstations[0].anchors == ("memory",)
    assert facts.workstations[0].clock_jumps == 1
    assert [fact.outcome for fact in facts.exports] == ["done"]
    assert [fact.explained for fact in facts.accesses] == ["the user reviewed it that day"]
    assert [fact.event for fact in facts.late_changes] == ["mask.save"]
    assert [fact.sessions for fact in facts.software] == [1]
    assert [fact.words for fact in facts.config_changes] == ["Key made (a workstation)."]
    assert [fact.event for fact in facts.failures] == ["user.auth.fail", "clock.jump"]
    assert [fact.findings for fact in facts.reviews] == [1]
    assert facts.counts["mask.save"] == 1
    assert sum(facts.counts.values()) == 11
    assert facts.names == {ANNA: "Anna"}
    assert facts.period[0] < facts.period[1]
    lines = path.read_bytes().split(b"\n")
    assert b'"export.begin"' in lines[facts.exports[0].line - 1]
    assert facts.exports[0].file == path.relative_to(bench.root).as_posix()


def test_an_export_is_over_with_its_session(bench: Bench) -> None:
    _write(bench, BEGIN)
    bench.clock.utc += 1000
    _write(bench, DONE)
    assert [fact.outcome for fact in _facts(bench).exports] == ["unfinished", "done"]


def test_lists_cover_the_period_and_the_rest_is_of_the_whole_log(bench: Bench) -> None:
    early = (OPEN, BEGIN, DONE, APPROVE, SAVE, Event("user.auth.fail"), Event("audit.review"))
    _write(bench, *early, Event("override.stop"))
    start = bench.clock.utc + 1
    bench.clock.utc += DAY_MS
    _write(bench, SAVE)
    facts = _facts(bench, period=(start, bench.clock.utc))
    assert facts.period == (start, bench.clock.utc)
    assert (facts.exports, facts.accesses, facts.failures) == ((), (), ())
    assert (facts.config_changes, facts.reviews) == ((), ())
    assert len(facts.late_changes) == 1  # approved before the period, changed in it
    assert facts.counts == {"mask.save": 1, "session.close": 1, "session.open": 1}
    assert facts.verdict.events == 13
    assert facts.software[0].sessions == 2
    assert facts.next_review_due is not None
    assert facts.next_review_due < start + 30 * DAY_MS


def test_the_next_review_is_counted_from_the_first_event(bench: Bench) -> None:
    begun = bench.clock.utc
    _write(bench, SAVE)
    due = _facts(bench).next_review_due
    assert due is not None
    assert begun < due - 30 * DAY_MS < bench.clock.utc
    assert not _facts(bench).review_overdue
    assert not _facts(bench, now_ms=due).review_overdue
    assert _facts(bench, now_ms=due + 1).review_overdue


@pytest.mark.parametrize(("detail", "days"), [({}, 30), ({"next_days": 5}, 5)])
def test_the_next_review_is_counted_from_the_last(
    bench: Bench, detail: dict[str, object], days: int
) -> None:
    _write(bench, Event("audit.review", detail={"next_days": 99}))
    bench.clock.utc += DAY_MS
    _write(bench, Event("audit.review", detail=detail))
    facts = _facts(bench)
    assert facts.next_review_due == facts.reviews[-1].at_ms + days * DAY_MS


def test_the_sites_rules_are_used(bench: Bench) -> None:
    _write(bench, OPEN)
    _site(
        bench.root,
        review_days=7,
        work_from=0,
        work_to=24,
        work_days=(0, 1, 2, 3, 4, 5, 6),
        utc_offset_minutes=60,
        validated=("0.1.0",),
    )
    facts = _facts(bench)
    assert (facts.site_name, facts.review_days) == ("ward-3", 7)
    assert facts.hours == Hours(0, 24, (0, 1, 2, 3, 4, 5, 6), 60)
    assert not facts.accesses[0].off_hours
    assert facts.software[0].validated
    assert [file for file, _ in log_bytes(bench.root, facts.verdict)][-1] == "site.json"


def test_a_broken_site_is_no_site(bench: Bench) -> None:
    bench.root.mkdir(parents=True)
    (bench.root / "site.json").write_bytes(b"{}")
    assert site_of(bench.root) is None


def _spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(("harm", "verdict"), [(_spoil, Verdict.RED), (_empty, None)])
def test_a_log_that_was_altered_or_holds_nothing_has_no_code(
    bench: Bench, harm: Callable[[Path], None], verdict: Verdict | None
) -> None:
    harm(_write(bench, *[SAVE] * 9))
    facts = _facts(bench, state=None)
    assert facts.code is None
    assert verdict is None or facts.verdict.verdict is verdict


def test_a_log_without_an_event_has_no_period_and_no_review(bench: Bench) -> None:
    _empty(_write(bench, SAVE))
    facts = _facts(bench, state=None)
    assert (facts.period, facts.next_review_due, facts.review_overdue) == ((0, 0), None, False)


def test_the_bytes_are_those_that_were_verified(bench: Bench) -> None:
    path = _write(bench, SAVE)
    verified = path.read_bytes()
    facts = _facts(bench)
    with path.open("ab") as stream:
        stream.write(b"later\n")
    file = path.relative_to(bench.root).as_posix()
    assert log_bytes(bench.root, facts.verdict) == [(file, verified)]


def test_a_file_under_a_strange_name_is_left_out(bench: Bench) -> None:
    path = _write(bench, SAVE)
    path.with_name("a\nb.jsonl").write_bytes(b"x")
    facts = _facts(bench)
    assert len(facts.verdict.sessions) == 2
    assert len(log_bytes(bench.root, facts.verdict)) == 1


def test_bytes_that_cannot_be_read_are_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(bench, SAVE)
    facts = _facts(bench)

    def refuse(self: Path, *args: object) -> object:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="cannot be read \\(PermissionError\\)"):
        log_bytes(bench.root, facts.verdict)


def test_only_the_latest_late_changes_have_pictures(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_medlabel.audit.report import gather

    pictured: list[int] = []
    monkeypatch.setattr(gather, "MOST_PICTURED", 2)
    monkeypatch.setattr(
        gather, "with_pictures", lambda change, root: pictured.append(change.line) or change
    )
    _write(bench, APPROVE, SAVE, SAVE, SAVE)
    facts = _facts(bench)
    assert pictured == [fact.line for fact in facts.late_changes[1:]]


def test_there_must_be_a_log(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        facts_of(tmp_path, state=None, now_ms=0)
