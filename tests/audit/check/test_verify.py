"""Verification: every change is found, and no crash is called a change."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verdict import TRUST, LogReport, SessionReport, Verdict, worst
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.format.merkle import Frontier, leaf_hash
from napari_medlabel.audit.format.record import Place, line_of
from napari_medlabel.audit.format.seal import Head, SessionKey, to_base64
from napari_medlabel.errors import InputError
from tests.audit.bench import SAVE, WRITER, Bench

_SECTOR = 512


def _verify(bench: Bench, *, memory: bool = True) -> LogReport:
    return verify_log(bench.root, state=bench.state if memory else None)


def _codes(report: LogReport | SessionReport, level: str = "") -> set[str]:
    """Return the codes of what was found; no mask is kept here, and nobody is certified."""
    return {f.code for f in _about(report) if not level or f.level == level}


def _about(report: LogReport | SessionReport) -> list[Finding]:
    return [f for f in report.findings if f.code not in {*TRUST, "OBJECT"}]


def _verdict(report: LogReport) -> Verdict:
    return worst(_about(report))


def _rewrite(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


@pytest.fixture
def crashed(bench: Bench) -> tuple[Path, bytes]:
    """A session that died: four acknowledged writes, of 1, 1, 3 and 1 events."""
    log = bench.open()
    log.append_many([SAVE])
    log.append_many([SAVE] * 3)
    log.append_many([SAVE])
    log._file.release()
    log._memory.release()
    return log.path, log.path.read_bytes()


def test_a_whole_closed_remembered_log_is_green(bench: Bench) -> None:
    bench.session()
    bench.session()
    report = _verify(bench)
    assert (_verdict(report), report.events, _about(report)) == (Verdict.GREEN, 10, [])
    assert _verdict(report).exit_code == 0
    assert "10 events in 2 sessions of 1 writer" in report.sentence
    assert "this computer's own memory and later sessions" in report.sentence
    (row,) = report.writers()
    assert row == {
        "writer": WRITER, "sessions": 2, "events": 10, "open": 0, "red": 0, "amber": 1,
    }  # fmt: skip


def test_without_a_memory_the_last_session_is_amber(bench: Bench) -> None:
    bench.session()
    last = bench.session()
    report = _verify(bench, memory=False)
    (finding,) = _about(report)
    assert (_verdict(report), finding.code) == (Verdict.AMBER, "UNREMEMBERED")
    assert finding.file.endswith(last.name)
    assert _verdict(report).exit_code == 4
    alone = Bench(bench.root.parent / "alone")
    alone.session()
    assert "nobody else remembers it" in _verify(alone, memory=False).sentence


@pytest.mark.parametrize("mask", [0x01, 0x20])
def test_every_single_changed_byte_is_found(bench: Bench, mask: int) -> None:
    path = bench.session(events=1)
    good = path.read_bytes()
    missed = []
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= mask
        path.write_bytes(bad)
        if _verdict(_verify(bench)) is not Verdict.RED:
            missed.append(place)
    assert missed == []


def test_without_a_memory_no_changed_byte_is_green(bench: Bench) -> None:
    path = bench.session(events=1)
    good = path.read_bytes()
    for place in range(0, len(good), 7):
        bad = bytearray(good)
        bad[place] ^= 0x04
        path.write_bytes(bad)
        report = check_session(path, "x")
        assert _codes(report) & {"BROKEN", "TAIL", "STILLBORN"}, place


_EDITS: dict[str, Callable[[list[bytes], int], list[bytes]]] = {
    "delete": lambda lines, n: lines[:n] + lines[n + 1 :],
    "duplicate": lambda lines, n: lines[: n + 1] + lines[n:],
    "swap with the next": lambda lines, n: (
        lines[:n] + lines[n + 1 : n + 2] + lines[n : n + 1] + lines[n + 2 :]
    ),
    "insert an old line": lambda lines, n: lines[:n] + lines[2:3] + lines[n:],
    "insert an empty line": lambda lines, n: [*lines[:n], b"\n", *lines[n:]],
    "insert a comment": lambda lines, n: [*lines[:n], b"{}\n", *lines[n:]],
    "insert a list": lambda lines, n: [*lines[:n], b"[]\n", *lines[n:]],
    "cut from here": lambda lines, n: lines[:n],
    "white space": lambda lines, n: [
        *lines[:n], lines[n].replace(b":", b": ", 1), *lines[n + 1 :],
    ],
}  # fmt: skip


@pytest.mark.parametrize("edit", _EDITS)
def test_every_edit_of_every_line_is_red(bench: Bench, edit: str) -> None:
    path = bench.session()
    good = path.read_bytes()
    lines = good.splitlines(keepends=True)
    for number in range(len(lines)):
        bad = b"".join(_EDITS[edit](lines, number))
        if bad == good:
            continue
        path.write_bytes(bad)
        assert _verdict(_verify(bench)) is Verdict.RED, number


@pytest.mark.parametrize("edit", [e for e in _EDITS if e != "cut from here"])
def test_an_edit_inside_is_red_without_any_memory(bench: Bench, edit: str) -> None:
    path = bench.session()
    good = path.read_bytes()
    lines = good.splitlines(keepends=True)
    for number in range(len(lines) - 3):  # the last write is amber: a crash looks like that
        bad = b"".join(_EDITS[edit](lines, number))
        if bad != good:
            path.write_bytes(bad)
            report = check_session(path, "x")
            assert "BROKEN" in _codes(report, "red"), number


def test_lines_after_the_end_of_a_closed_session_are_red(bench: Bench) -> None:
    path = bench.session()
    good = path.read_bytes()
    for more in (b"x", b"\n", good.splitlines(keepends=True)[2]):
        path.write_bytes(good + more)
        assert "BROKEN" in _codes(check_session(path, "x"), "red")


def test_every_file_that_is_removed_is_missed(bench: Bench) -> None:
    paths = [bench.session() for _ in range(3)]
    for path in paths:
        content = path.read_bytes()
        path.unlink()
        assert _codes(_verify(bench), "red") == {"MISSING"}
        path.write_bytes(content)
    for path in paths:
        path.unlink()
    report = _verify(bench)
    assert (_verdict(report), _codes(report)) == (Verdict.RED, {"MISSING"})
    assert report.sentence.startswith("The log was altered")


def test_a_removed_file_is_missed_on_another_computer_too_unless_it_is_the_last(
    bench: Bench,
) -> None:
    first, last = bench.session(), bench.session()
    content = first.read_bytes()
    first.unlink()
    assert _verdict(_verify(bench, memory=False)) is Verdict.RED
    first.write_bytes(content)
    last.unlink()
    assert _verdict(_verify(bench, memory=False)) is Verdict.AMBER


def test_a_copied_or_renamed_file_is_red(bench: Bench) -> None:
    path = bench.session()
    shutil.copyfile(path, path.with_name("20261122T000000Z-copy.jsonl"))
    assert _codes(_verify(bench), "red") == {"NAME"}


def test_a_file_put_back_to_an_older_state_is_red(bench: Bench) -> None:
    log = bench.open()
    log.append_many([SAVE])
    older = log.path.read_bytes()
    log.append_many([SAVE])
    log.close()
    log.path.write_bytes(older)
    assert _codes(_verify(bench), "red") == {"TRUNCATED"}
    following = bench.session()
    assert b'"event":"tamper.found"' in following.read_bytes()
    report = _verify(bench, memory=False)  # the new session remembers it for everybody
    assert _codes(report, "red") == {"TRUNCATED"}
    assert "FOUND" in _codes(report, "amber")


def _forge(path: Path, bench: Bench, *, key_seed: bytes, events: list[Event]) -> None:
    """Write a whole session anew, consistent in itself, under the same name."""
    origin = check_session(path, "x").origin
    key, tree, prev, data, sealed = SessionKey(origin, key_seed), Frontier(), bytes(32), b"", 0
    opening = Event("session.open", detail={"origin": origin, "pub": to_base64(key.public)})
    for event in (opening, *events, Event("session.close")):
        line = line_of(event, bench.actor, Place(tree.size, prev, 1_795_342_443_000, tree.size))
        prev = leaf_hash(line)
        tree.add(prev)
        head = Head(origin, tree.size, tree.root())
        seal = {
            "from": sealed, "root": to_base64(head.root), "sig": to_base64(key.sign(head)),
            "size": head.size,
        }  # fmt: skip
        sealed = head.size
        data += line + b"\n" + canonical.encode({"seal": seal}) + b"\n"
    path.write_bytes(data)


def test_a_session_written_anew_with_another_key_is_red(bench: Bench) -> None:
    path = bench.session()
    _forge(path, bench, key_seed=b"\7" * 32, events=[SAVE] * 3)
    assert check_session(path, "x").findings == []  # by itself it is perfect
    assert _codes(_verify(bench), "red") == {"FORK"}
    _forge(path, bench, key_seed=b"\7" * 32, events=[SAVE] * 9)
    assert _codes(_verify(bench), "red") == {"FORK"}
    following = bench.session()
    assert b'"what":"changed"' in following.read_bytes()


def test_a_seal_signed_by_another_key_is_red(bench: Bench) -> None:
    path = bench.session()
    origin = check_session(path, "x").origin
    tree = Frontier()

    def change(lines: list[bytes]) -> list[bytes]:
        tree.add(leaf_hash(lines[0][:-1]))
        head = Head(origin, 1, tree.root())
        signature = SessionKey(origin, b"\7" * 32).sign(head)
        seal = {
            "from": 0, "root": to_base64(head.root), "sig": to_base64(signature), "size": 1,
        }  # fmt: skip
        return [lines[0], canonical.encode({"seal": seal}) + b"\n", *lines[2:]]

    _rewrite(path, change)
    (finding,) = check_session(path, "x").findings
    assert (finding.code, finding.line) == ("BROKEN", 2)
    assert "signature" in finding.text


def test_every_prefix_of_a_dying_log_is_a_crash_and_no_change(
    bench: Bench, crashed: tuple[Path, bytes]
) -> None:
    path, data = crashed
    sizes = set()
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        report = check_session(path, "x")
        assert not _codes(report, "red"), length
        sizes.add(report.events)
    assert sizes == {0, 1, 2, 5, 6}


def test_every_lost_acknowledged_event_is_red_where_it_is_remembered(
    bench: Bench, crashed: tuple[Path, bytes]
) -> None:
    path, data = crashed
    for length in range(0, len(data), 11):
        path.write_bytes(data[:length])
        assert "TRUNCATED" in _codes(_verify(bench), "red"), length
        assert _verdict(_verify(bench, memory=False)) is Verdict.AMBER
    path.write_bytes(data)
    assert _codes(_verify(bench)) == {"OPEN"}


def test_zeros_and_missing_sectors_in_the_last_write_are_a_crash_and_no_change(
    bench: Bench, crashed: tuple[Path, bytes]
) -> None:
    path, data = crashed
    ends = [0, *(i + 1 for i in range(len(data)) if data[i : i + 1] == b"\n")]
    seals = [
        end for start, end in itertools.pairwise(ends) if data[start:].startswith(b'{"seal"')
    ]
    states = 0
    for base, end in itertools.pairwise([0, *seals]):
        for cut in range(base, end, 13):
            path.write_bytes(data[:cut] + bytes(end - cut))
            assert not _codes(check_session(path, "x"), "red"), (base, cut)
            states += 1
        sectors = range(base // _SECTOR, (end - 1) // _SECTOR + 1)
        for kept in itertools.product((True, False), repeat=len(sectors)):
            state = bytearray(data[:end])
            for sector, keep in zip(sectors, kept, strict=True):
                if not keep:
                    low, high = max(base, sector * _SECTOR), min(end, (sector + 1) * _SECTOR)
                    state[low:high] = bytes(high - low)
            path.write_bytes(state)
            assert not _codes(check_session(path, "x"), "red"), (base, kept)
            states += 1
    assert states > 250


def test_a_crash_is_cleared_by_the_next_session(
    bench: Bench, crashed: tuple[Path, bytes]
) -> None:
    path, data = crashed
    path.write_bytes(data + b'{"half')
    before = _verify(bench)
    assert (_codes(before, "amber"), _verdict(before)) == ({"OPEN", "TAIL"}, Verdict.AMBER)
    bench.session()
    after = _verify(bench)
    assert _verdict(after) is Verdict.GREEN
    assert _codes(after, "note") == {"TAIL", "RECOVERED"}
    path.write_bytes(data[: data.index(b'{"seal"') + 10])
    assert _verdict(_verify(bench)) is Verdict.RED


def test_a_crash_that_lost_acknowledged_events_is_not_cleared(
    bench: Bench, crashed: tuple[Path, bytes]
) -> None:
    path, data = crashed
    path.write_bytes(data[:-10])
    following = bench.session()
    assert b'"what":"truncated"' in following.read_bytes()
    assert "TRUNCATED" in _codes(_verify(bench), "red")


def test_a_stillborn_session_is_cleared_by_the_next(bench: Bench) -> None:
    log = bench.open()
    log._file.release()
    log._memory.release()
    log.path.write_bytes(b"")
    (memory,) = bench.state.glob("heads/*/*.jsonl")
    memory.write_bytes(memory.read_bytes().splitlines(keepends=True)[0])
    report = _verify(bench)
    assert _codes(report, "amber") == {"OPEN", "STILLBORN"}
    bench.session()
    assert _verdict(_verify(bench)) is Verdict.GREEN


def test_a_session_that_never_got_its_file_leaves_no_trace(bench: Bench) -> None:
    log = bench.open()
    log._file.release()
    log._memory.release()
    log.path.unlink()
    (memory,) = bench.state.glob("heads/*/*.jsonl")
    memory.write_bytes(memory.read_bytes().splitlines(keepends=True)[0])
    bench.session()
    assert _verdict(_verify(bench)) is Verdict.GREEN


def test_a_session_that_closed_but_could_not_remember_it_is_whole(bench: Bench) -> None:
    bench.session()
    (memory,) = bench.state.glob("heads/*/*.jsonl")
    _rewrite(memory, lambda lines: lines[:-1])
    following = bench.session()
    assert b"session.recover" not in following.read_bytes()
    assert _verdict(_verify(bench)) is Verdict.GREEN


def test_a_running_session_is_amber_in_words(bench: Bench) -> None:
    with bench.open():
        report = _verify(bench)
        assert _codes(report) == {"RUNNING"}
        assert "still being written" in _about(report)[0].text
    assert _verdict(_verify(bench)) is Verdict.GREEN


def test_a_log_that_grows_while_it_is_read_raises_no_alarm(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench.open() as log:
        path = log.path
        real = check_session
        reads: list[str] = []

        def slow(file: Path, name: str, seen: object = None, **more: bool) -> SessionReport:
            report = real(file, name, seen, **more)  # type: ignore[arg-type]
            reads.append(name)
            if file == path and len(reads) == 1:
                log.append_many([SAVE])
                bench.session()  # names a head that was not there when the file was read
            return report

        bench.session()
        monkeypatch.setattr("napari_medlabel.audit.check.verify.check_session", slow)
        paths = sorted(bench.root.rglob("*.jsonl"))
        assert paths[0] == path
        monkeypatch.setattr(
            "napari_medlabel.audit.check.verify.session_paths",
            lambda root: (yield from _listed_late(root)),
        )
        report = _verify(bench)
        assert _verdict(report) is Verdict.AMBER
        assert _codes(report, "red") == set()
        assert len(reads) == 4


def _listed_late(root: Path) -> list[Path]:
    first = min(root.rglob("*.jsonl"))
    yield first  # type: ignore[misc]
    yield from sorted(path for path in root.rglob("*.jsonl") if path != first)  # type: ignore[misc]


def test_clocks_that_were_set_back_are_amber(bench: Bench) -> None:
    with bench.open() as log:
        log.append_many([SAVE])
        bench.clock.utc -= 3_600_000
        log.append_many([SAVE])
    report = _verify(bench)
    assert _codes(report) == {"CLOCK"}
    assert _about(report)[0].line == 5
    other = Bench(bench.root.parent / "other")
    other.session()
    other.clock.utc -= 3_600_000
    other.session()
    (finding,) = _about(_verify(other))
    assert (finding.code, finding.line) == ("CLOCK", 1)
    assert "between" in finding.text


def test_a_lost_memory_shows_where_the_chain_begins_anew(bench: Bench) -> None:
    bench.session()
    shutil.rmtree(bench.state / "heads")
    bench.session()
    report = _verify(bench)
    assert _codes(report, "amber") == {"UNREMEMBERED", "CHAIN"}


def test_a_log_that_was_moved_goes_on_where_it_was(bench: Bench) -> None:
    bench.session()
    moved = bench.root.with_name("moved")
    bench.root.rename(moved)
    bench.root = moved
    assert _verdict(_verify(bench)) is Verdict.GREEN
    bench.session()
    assert _verdict(_verify(bench)) is Verdict.GREEN


def test_two_logs_of_one_computer_do_not_miss_each_others_sessions(bench: Bench) -> None:
    bench.session()
    first, bench.root = bench.root, bench.root.with_name("second")
    bench.session()
    assert _verdict(_verify(bench)) is Verdict.GREEN
    bench.root = first
    assert _verdict(_verify(bench)) is Verdict.GREEN


def test_a_session_of_another_writer_is_left_alone(bench: Bench) -> None:
    bench.session()
    with bench.open(writer="wfedcba9876543210"):
        pass
    report = _verify(bench)
    assert _verdict(report) is Verdict.GREEN
    assert len(report.writers()) == 2


def test_a_line_longer_than_the_format_allows_is_not_read_on(bench: Bench) -> None:
    path = bench.session()
    path.write_bytes(path.read_bytes() + b"x" * (1 << 20) + b"\n")
    assert "BROKEN" in _codes(check_session(path, "x"), "red")


@pytest.mark.parametrize("content", [None, "folder", "writers"])
def test_a_folder_without_a_log_is_an_input_error(bench: Bench, content: str | None) -> None:
    if content:
        (bench.root / content).mkdir(parents=True)
    with pytest.raises(InputError, match="audit log was expected") as caught:
        _verify(bench)
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_files_that_cannot_be_read_are_an_input_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.session()

    def denied(*given: object, **more: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr("napari_medlabel.audit.check.verify.check_session", denied)
        with pytest.raises(InputError, match="session file"):
            _verify(bench)
    with monkeypatch.context() as patch:
        patch.setattr("napari_medlabel.audit.check.outside.recall", denied)
        with pytest.raises(InputError, match="memory"):
            _verify(bench)


def test_names_of_files_cannot_steer_a_terminal(bench: Bench) -> None:
    path = bench.session()
    shutil.copyfile(path, path.with_name("\x1b[2J.jsonl"))
    assert all("\x1b" not in finding.file for finding in _verify(bench).findings)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (Event("session.close"), "follows the end"),
        (None, "first event and no other"),
    ],
)
def test_events_out_of_their_order_are_red_even_with_good_seals(
    bench: Bench, extra: Event | None, words: str
) -> None:
    path = bench.session()
    origin = check_session(path, "x").origin
    again = Event("session.open", detail={"origin": origin, "pub": to_base64(bytes(32))})
    _forge(path, bench, key_seed=b"\7" * 32, events=[extra or again, SAVE])
    (finding,) = check_session(path, "x").findings
    assert finding.code == "BROKEN"
    assert words in finding.text


@pytest.mark.parametrize("lost", ["closed", "crashed"])
def test_the_next_session_notes_that_a_file_is_gone(bench: Bench, lost: str) -> None:
    bench.session()
    if lost == "closed":
        path = bench.session()
    else:
        log = bench.open()
        log._file.release()
        log._memory.release()
        path = log.path
    path.unlink()
    following = bench.session()
    assert b'"what":"missing"' in following.read_bytes()
    report = _verify(bench, memory=False)
    assert _codes(report, "red") == {"MISSING"}


def test_the_next_session_notes_that_a_closed_file_was_cut(bench: Bench) -> None:
    path = bench.session()
    _rewrite(path, lambda lines: lines[:-2])
    assert b'"what":"truncated"' in bench.session().read_bytes()


def test_notes_do_not_count_in_the_table(bench: Bench, crashed: tuple[Path, bytes]) -> None:
    bench.session()
    (row,) = _verify(bench).writers()
    assert (row["open"], row["red"], row["amber"]) == (1, 0, 1)  # the amber: not certified


def test_a_session_next_to_a_running_one_of_size_nothing_names_only_what_counts(
    bench: Bench,
) -> None:
    with bench.open() as log:
        (memory,) = bench.state.glob("heads/*/*.jsonl")
        whole = memory.read_bytes()
        memory.write_bytes(whole.splitlines(keepends=True)[0])
        assert b"prev_session" not in bench.session().read_bytes()
        memory.write_bytes(whole)
        log.append_many([SAVE])


def _other_signature(path: Path, seal: int) -> None:
    """Put the signature of another key in the place of a seal's."""
    lines = path.read_bytes().splitlines(keepends=True)
    (at,) = [n for n, line in enumerate(lines) if line.startswith(b'{"seal"')][seal : seal + 1]
    found = canonical.decode(lines[at][:-1])
    assert isinstance(found, dict)
    found["seal"]["sig"] = to_base64(bytes(68))
    lines[at] = canonical.encode(found) + b"\n"
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize(("seal", "seen"), [(4, True), (1, False)])
def test_a_quick_check_looks_at_the_last_signature_of_a_session_only(
    bench: Bench, seal: int, seen: bool
) -> None:
    path = bench.session()
    assert check_session(path, "x", quick=True).findings == []
    _other_signature(path, seal)
    assert ("BROKEN" in _codes(check_session(path, "x", quick=True), "red")) is seen
    assert "BROKEN" in _codes(check_session(path, "x"), "red")
    path.write_bytes(b"")
    assert _codes(check_session(path, "x", quick=True)) == {"STILLBORN"}


def test_a_session_of_months_is_read_by_the_full_check(bench: Bench) -> None:
    with bench.open() as log:
        bench.clock.mono += 2 * 10**15
        bench.clock.utc += 2 * 10**9
        log.append_many([SAVE])
    seen: list[str] = []
    report = check_session(log.path, "x", lambda number, record: seen.append(record["event"]))
    assert report.findings == []
    assert seen == ["session.open", "mask.save", "session.close"]
    assert b'"mono":2000' in log.path.read_bytes()


def test_a_seal_with_another_key_in_it_is_red(bench: Bench) -> None:
    path = bench.session()
    path.write_bytes(path.read_bytes().replace(b'{"seal":{"from":0,', b'{"seal":{"form":0,'))
    (finding,) = check_session(path, "x").findings
    assert "not of the form" in finding.text


def test_progress_is_told_in_bytes_within_a_file_and_after_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_medlabel.audit.check import session_check

    sizes = [bench.session().stat().st_size for _ in range(2)]
    steps: list[tuple[int, int]] = []
    verify_log(bench.root, state=None, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(sizes[0], sum(sizes)), (sum(sizes), sum(sizes))]
    steps.clear()
    monkeypatch.setattr(session_check, "_STEP", 4)
    verify_log(bench.root, state=None, progress=lambda done, total: steps.append((done, total)))
    assert len(steps) > 4
    assert steps == sorted(steps)
    assert steps[-1] == (sum(sizes), sum(sizes))


def test_a_network_share_is_said_and_changes_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_medlabel.audit.check import verify

    bench.session()
    monkeypatch.setattr(verify, "share_kind", lambda root: "NFS")
    report = _verify(bench)
    assert _verdict(report) is Verdict.GREEN
    (note,) = (finding for finding in report.findings if finding.code == "SHARE")
    assert (note.level, "(NFS)" in note.text) == ("note", True)

    def unknown(root: Path) -> str:
        raise PermissionError

    monkeypatch.setattr(verify, "share_kind", unknown)
    assert "SHARE" not in _codes(_verify(bench))
