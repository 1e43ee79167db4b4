"""The log that goes on: it changes to the spool and back, and lets nothing leave meanwhile."""

from __future__ import annotations

import errno
import json
import threading
from pathlib import Path

import pytest

from napari_medlabel.audit.faults import UnwritableError
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.writer import course
from napari_medlabel.audit.writer.lamp import Lamp
from napari_medlabel.audit.writer.log import AuditLog
from napari_medlabel.audit.writer.reserve import reserve_file
from napari_medlabel.audit.writer.seat import Identity
from napari_medlabel.audit.writer.steady import SteadyLog
from napari_medlabel.audit.writer.whereabouts import begin_anywhere
from napari_medlabel.errors import LogError
from tests.audit.bench import SAVE, WRITER, Bench, failing

LEAVE = Event("export.begin", detail={"destination": "folder"})
FAILED = Event("export.fail", detail={"destination": "folder", "cause": "log"})


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def _names(path: Path) -> list[object]:
    return [line["event"] for line in _lines(path) if "event" in line]


def _first(path: Path, event: str) -> dict[str, object]:
    found = next(line for line in _lines(path) if line.get("event") == event)
    return found["detail"]  # type: ignore[return-value]


def _sessions(folder: Path) -> list[Path]:
    return sorted(folder.glob("writers/*/*/*/*.jsonl"), key=lambda path: path.name)


def _gone(bench: Bench, code: int = errno.EIO) -> None:
    bench.io.broken = {bench.root: code}


def _all_gone(bench: Bench, code: int = errno.EIO) -> None:
    bench.io.broken = {bench.root: code, bench.state: code}


def test_it_writes_as_one_session_does_and_is_green(bench: Bench) -> None:
    with bench.steady() as log:
        assert log.append("header.view", detail={"tags": 3}, reason="OTHER") == 1
        assert log.append_many([SAVE, SAVE]) == 3
        assert (log.head.size, log.healthy, log.is_local) == (4, True, False)
        assert log.origin.endswith(log.path.stem)
        assert log.lamp.level == "green"
        leaf, proof, head, signature = log.leaf_proof(2)
        assert (len(leaf), len(proof), head, len(signature)) == (32, 2, log.head, 68)
    assert _names(log.path)[-1] == "session.close"
    assert not log.healthy
    with pytest.raises(LogError, match="session of the audit log is over"):
        log.append_many([SAVE])
    log.close()
    assert bench.doubts() == set()


@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EPIPE])
def test_after_one_failed_call_the_spool_takes_the_event_and_nothing_leaves(
    bench: Bench, call: int, code: int
) -> None:
    log = bench.steady()
    log.append_many([SAVE])
    before, head = log.path, log.head
    bench.io.fail = failing(bench.io.calls + call, code)
    log.append_many([SAVE])
    assert log.is_local
    assert log.path.is_relative_to(bench.state / "spool")
    assert log.lamp.level == "amber"
    assert "The log is local since 20" not in log.lamp.sentence
    assert "The log is local since" in log.lamp.sentence
    error = errno.errorcode[code] if code != errno.EPIPE else "OTHER"
    assert _names(log.path) == ["session.open", "audit.fail", "audit.resume", "mask.save"]
    told = _first(log.path, "audit.fail")
    assert told["error"] == error
    remembered = told["head"]
    assert remembered["size"] == head.size + (call == 3)  # type: ignore[index]
    assert _first(log.path, "audit.resume") == {"spool": True}
    assert _first(log.path, "session.open")["spool"] is True
    for _ in range(3):  # the disk works again: what leaves is refused all the same
        with pytest.raises(LogError, match="must stand in the log itself") as caught:
            log.append_many([LEAVE])
        assert caught.value.exit_code == 3
        assert caught.value.hint
    log.append_many([FAILED])
    log.close()
    assert _names(before) == ["session.open", "mask.save"] + ["mask.save"] * (call != 1)
    bench.session()
    assert bench.doubts() == set()


def test_a_gated_event_that_meets_the_failure_is_refused_itself(bench: Bench) -> None:
    log = bench.steady()
    _gone(bench)
    with pytest.raises(LogError, match="must stand in the log itself"):
        log.append("export.begin", detail={"destination": "folder"})
    assert log.is_local
    assert "export.begin" not in _names(log.path)
    log.close()


def test_where_the_site_says_that_the_spool_suffices_data_may_leave(bench: Bench) -> None:
    log = bench.steady(Identity(spool_suffices=True))
    _gone(bench)
    log.append_many([LEAVE])
    assert log.is_local
    assert "allowed by the site's rules" in log.lamp.sentence
    log.close()


def test_when_the_folder_is_back_a_beat_goes_home_with_every_byte(bench: Bench) -> None:
    told: list[Lamp] = []
    log = bench.steady()
    log.changed.append(told.append)
    log.append_many([SAVE])
    _gone(bench)
    log.append_many([SAVE])
    log.beat()
    assert log.is_local
    spooled = log.path
    bench.io.broken = {}
    beats = _names(spooled).count("anchor.observe")
    assert beats == 1
    log.beat()
    assert not log.is_local
    assert [lamp.level for lamp in told] == ["amber", "green"]
    assert _names(log.path) == [
        "session.open",
        "session.recover",
        "audit.resume",
        "anchor.observe",
    ]
    assert _first(log.path, "audit.resume") == {"spool": False}
    assert not spooled.exists()
    at_home = bench.root / spooled.relative_to(next((bench.state / "spool").iterdir()))
    assert _names(at_home)[-1] == "session.close"
    assert _first(at_home, "session.close") == {"end": "rotate"}
    log.append_many([LEAVE])
    log.close()
    assert bench.doubts() == set()
    assert len(_sessions(bench.root)) == 3


def test_a_spooled_session_comes_home_byte_for_byte_at_the_next_start(bench: Bench) -> None:
    bench.session()
    _gone(bench)
    with bench.steady() as log:
        assert log.is_local
        log.append_many([SAVE])
    kept, data = log.path, log.path.read_bytes()
    assert bench.doubts() == set()
    bench.io.broken = {}
    with bench.steady() as back:
        pass
    assert not kept.exists()
    found = [path for path in _sessions(bench.root) if path.name == kept.name]
    assert [path.read_bytes() for path in found] == [data]
    assert _names(back.path) == ["session.open", "audit.resume", "session.close"]
    opened = _first(back.path, "session.open")
    assert opened["prev_session"]["origin"] == log.origin  # type: ignore[index]
    assert bench.doubts() == set()
    assert len(list(bench.state.glob("heads/*/*.jsonl"))) == 1


def test_a_spooled_session_that_crashed_is_recovered_at_home(bench: Bench) -> None:
    bench.session()
    _gone(bench)
    log = bench.steady()
    log.append_many([SAVE])
    log._course.log._let_go()  # as the end of the process does
    _gone(bench)
    with bench.steady() as second:  # still gone: the spool looks after its own
        pass
    assert "session.recover" in _names(second.path)
    bench.io.broken = {}
    bench.session()  # opens without a look at the spool
    assert bench.doubts() == set()
    with bench.steady():
        pass
    assert bench.doubts() == set()
    assert len(_sessions(bench.root)) == 5


def test_a_spooled_session_that_somebody_deleted_is_missed(bench: Bench) -> None:
    _gone(bench)
    with bench.steady() as log:
        pass
    bench.io.broken = {}
    log.path.unlink()
    with bench.steady() as back:
        pass
    assert _first(back.path, "tamper.found")["what"] == "missing"
    assert "MISSING" in bench.doubts()


def test_a_spooled_session_that_was_cut_is_found_at_home(bench: Bench) -> None:
    _gone(bench)
    with bench.steady() as log:
        log.append_many([SAVE])
    bench.io.broken = {}
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:4]))
    with bench.steady() as back:
        pass
    assert _first(back.path, "tamper.found")["what"] == "truncated"
    assert "TRUNCATED" in bench.doubts()


def test_where_nothing_can_be_written_everything_is_refused_until_a_beat(bench: Bench) -> None:
    log = bench.steady()
    log.append_many([SAVE])
    _all_gone(bench)
    with pytest.raises(LogError, match="could not be written"):
        log.append_many([SAVE])
    assert log.lamp.level == "red"
    assert "opening, exporting and approving are refused" in log.lamp.sentence
    assert not log.healthy
    bench.io.broken = {}
    for event in (SAVE, LEAVE):
        with pytest.raises(LogError, match="since an earlier error"):
            log.append_many([event])
    log.beat()
    assert (log.healthy, log.is_local, log.lamp.level) == (True, False, "green")
    assert _names(log.path) == ["session.open", "session.recover", "anchor.observe"]
    log.append_many([LEAVE])
    log.close()
    assert bench.doubts() == set()


def test_a_beat_finds_the_spool_where_the_folder_stays_away(bench: Bench) -> None:
    log = bench.steady()
    _all_gone(bench)
    with pytest.raises(LogError):
        log.append_many([SAVE])
    log.beat()
    assert log.lamp.level == "red"
    _gone(bench)
    log.beat()
    assert (log.is_local, log.lamp.level) == (True, "amber")
    log.append_many([SAVE])
    log.close()
    bench.io.broken = {}
    with bench.steady():
        pass
    assert bench.doubts() == set()


def test_a_spool_that_fails_too_is_the_end_until_a_beat(bench: Bench) -> None:
    log = bench.steady()
    _gone(bench)
    log.append_many([SAVE])
    _all_gone(bench)
    with pytest.raises(LogError, match="could not be written"):
        log.append_many([SAVE])
    assert log.lamp.level == "red"
    bench.io.broken = {}
    log.beat()
    assert log.lamp.level == "green"
    log.append_many([LEAVE])
    log.close()
    assert bench.doubts() == set()


def test_closing_what_cannot_be_written_lets_everything_go(bench: Bench) -> None:
    log = bench.steady()
    _all_gone(bench)
    with pytest.raises(LogError):
        log.append_many([SAVE])
    log.close()
    bench.io.broken = {}
    bench.session()
    assert bench.doubts() == set()


def test_an_interrupted_write_begins_another_session_in_the_same_folder(bench: Bench) -> None:
    log = bench.steady()

    def interrupt(call: str, number: int) -> None:
        if call == "sync":
            bench.io.fail = lambda call, number: None
            raise KeyboardInterrupt

    bench.io.fail = interrupt
    with pytest.raises(KeyboardInterrupt):
        log.append_many([SAVE])
    log.append_many([LEAVE])
    assert not log.is_local
    wanted = ["session.open", "session.recover", "audit.fail", "audit.resume", "export.begin"]
    assert _names(log.path)[:5] == wanted
    log.close()
    assert bench.doubts() == set()


def test_a_full_disk_is_written_in_the_room_that_was_kept(bench: Bench) -> None:
    log = bench.steady()
    log.append_many([SAVE])
    kept = reserve_file(bench.root, WRITER), reserve_file(log._seat.spool, WRITER)
    assert [path.stat().st_size for path in kept] == [1 << 20, 1 << 20]

    def full_while_kept(call: str, number: int) -> None:
        if call == "write" and any(path.exists() for path in kept):
            raise OSError(errno.ENOSPC, "full")

    bench.io.fail = full_while_kept
    with pytest.raises(LogError, match="must stand in the log itself"):
        log.append_many([LEAVE])
    assert not any(path.exists() for path in kept)
    assert not log.is_local
    assert "room that was kept for its last words" in log.lamp.sentence
    assert _names(log.path) == ["session.open", "audit.fail", "audit.resume"]
    assert _first(log.path, "audit.resume") == {"spool": False}
    log.append_many([SAVE])
    bench.io.fail = lambda call, number: None
    log.beat()
    assert all(path.exists() for path in kept)
    log.append_many([LEAVE])
    log.close()
    assert bench.doubts() == set()


def test_a_session_lasts_a_day_at_most(bench: Bench) -> None:
    log = bench.steady()
    first = log.path
    bench.clock.mono += course.LONGEST_NS
    bench.clock.utc += course.LONGEST_NS // 1_000_000
    log.append_many([SAVE])
    assert log.path != first
    assert _first(first, "session.close") == {"end": "rotate"}
    opened = _first(log.path, "session.open")
    assert opened["prev_session"]["origin"].endswith(first.stem)  # type: ignore[index]
    log.close()
    assert bench.doubts() == set()


def test_a_gated_event_is_refused_where_the_change_of_sessions_ends_in_the_spool(
    bench: Bench,
) -> None:
    log = bench.steady()
    bench.clock.mono += course.LONGEST_NS
    bench.clock.utc += course.LONGEST_NS // 1_000_000
    _gone(bench)
    with pytest.raises(LogError, match="must stand in the log itself"):
        log.append_many([LEAVE])
    assert log.is_local
    log.close()


def test_the_spool_too_changes_its_session_after_a_day(bench: Bench) -> None:
    _gone(bench)
    log = bench.steady()
    first = log.path
    bench.clock.mono += course.LONGEST_NS
    bench.clock.utc += course.LONGEST_NS // 1_000_000
    log.append_many([SAVE])
    assert (log.path != first, log.is_local) == (True, True)
    with pytest.raises(LogError, match="must stand"):
        log.append_many([LEAVE])
    log.close()
    bench.io.broken = {}
    with bench.steady():
        pass
    assert bench.doubts() == set()


@pytest.mark.parametrize("call", range(1, 30))
def test_a_disk_that_fails_while_sessions_change_loses_nothing(bench: Bench, call: int) -> None:
    log = bench.steady()
    bench.clock.mono += course.LONGEST_NS
    bench.clock.utc += course.LONGEST_NS // 1_000_000
    bench.io.fail = failing(bench.io.calls + call)
    log.append_many([SAVE])
    bench.io.fail = lambda call, number: None
    log.close()
    with bench.steady():
        pass
    assert bench.doubts() == set()


@pytest.mark.parametrize("call", range(1, 40))
def test_a_disk_that_fails_on_the_way_home_loses_nothing(bench: Bench, call: int) -> None:
    log = bench.steady()
    _gone(bench)
    log.append_many([SAVE])
    bench.io.broken = {}
    bench.io.fail = failing(bench.io.calls + call)
    log.beat()
    bench.io.fail = lambda call, number: None
    log.beat()
    log.append_many([LEAVE])
    log.close()
    with bench.steady():
        pass
    assert bench.doubts() == set()
    assert _sessions(bench.state / "spool") == []


def test_short_writes_make_no_difference(bench: Bench) -> None:
    bench.io.most = 50
    with bench.steady() as log:
        log.append_many([SAVE, LEAVE])
    assert not log.is_local
    assert bench.doubts() == set()


def test_threads_share_it_through_a_failure(bench: Bench) -> None:
    log = bench.steady()
    done: list[int] = []

    def work() -> None:
        for _ in range(15):
            log.append_many([SAVE])
            done.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    _gone(bench)
    for thread in threads:
        thread.join()
    log.append_many([SAVE])
    assert len(done) == 60
    assert log.is_local
    bench.io.broken = {}
    log.beat()
    log.close()
    saves = sum(_names(path).count("mask.save") for path in _sessions(bench.root))
    assert saves >= 61
    assert bench.doubts() == set()


def test_a_beat_that_finds_everything_gone_says_so_by_the_lamp(bench: Bench) -> None:
    log = bench.steady()
    _all_gone(bench)
    log.beat()
    assert log.lamp.level == "red"
    log.close()


def test_a_failure_that_could_not_be_ticked_off_is_told_twice(bench: Bench) -> None:
    log = bench.steady()
    memory = log._course.log._memory.path.parent
    bench.io.broken = {bench.root: errno.EIO, memory: errno.EIO}
    log.append_many([SAVE])
    log.close()
    bench.io.broken = {}
    with bench.steady() as back:
        pass
    assert "session.recover" in _names(back.path)
    assert bench.doubts() == set()


def test_an_event_that_meets_the_change_of_sessions_goes_into_the_next(bench: Bench) -> None:
    with bench.steady() as log:
        seen: list[AuditLog] = []

        def write(session: AuditLog) -> int:
            if not seen:
                session.close(end="rotate")
                log._course.enter(begin_anywhere(log._seat, log._course._peers))
            seen.append(session)
            return session.append_many([SAVE])

        log._written(["mask.save"], write)
        assert seen[1] is log._course.log
    assert _names(seen[0].path)[-1] == "session.close"
    assert "mask.save" in _names(log.path)
    assert bench.doubts() == set()


def test_nothing_is_done_before_it_is_due(bench: Bench) -> None:
    with bench.steady() as log:
        log._course.rotate()
        log._course.tick()
        assert _names(log.path) == ["session.open"]


def test_a_beat_after_the_end_does_nothing(bench: Bench) -> None:
    with bench.steady() as log:
        pass
    data = log.path.read_bytes()
    log.beat()
    assert log.path.read_bytes() == data


def test_without_a_heart_what_is_due_is_done_after_an_event(bench: Bench) -> None:
    with bench.steady() as log:
        bench.clock.mono += course.BEAT_NS
        bench.clock.utc += course.BEAT_NS // 1_000_000
        log.append_many([SAVE])
        log.append_many([SAVE])
    wanted = ["session.open", "mask.save", "anchor.observe", "mask.save", "session.close"]
    assert _names(log.path) == wanted


def test_a_heart_beats_by_itself_until_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_medlabel.audit.writer import steady

    monkeypatch.setattr(steady, "TICK_S", 0.01)
    log = SteadyLog(bench.seat(), heartbeat=True)
    log.append_many([SAVE])
    assert _names(log.path)[-1] == "mask.save"
    bench.clock.mono += course.BEAT_NS
    bench.clock.utc += course.BEAT_NS // 1_000_000
    for _ in range(500):
        if "anchor.observe" in _names(log.path):
            break
        threading.Event().wait(0.01)
    log.close()
    assert _names(log.path) == [
        "session.open", "mask.save", "anchor.observe", "session.close"
    ]  # fmt: skip
    assert "audit-heart" not in {thread.name for thread in threading.enumerate()}


def test_a_head_that_cannot_be_shown_is_said_by_the_lamp(bench: Bench) -> None:
    log = bench.steady()
    bench.io.broken = {bench.root / "heads": errno.EACCES}
    log.append_many([LEAVE])
    assert log.lamp.level == "amber"
    assert "could not be shown to the other computers" in log.lamp.sentence
    bench.io.broken = {}
    log.append_many([LEAVE])
    assert log.lamp.level == "green"
    log.close()


def test_what_others_left_in_the_spool_can_be_taken_home_at_any_time(bench: Bench) -> None:
    log = bench.steady()
    _gone(bench)
    with bench.steady() as other:
        pass
    bench.io.broken = {}
    upload = log.upload_spool()
    assert [name.rsplit("/", 1)[1] for name in upload.moved] == [other.path.name]
    assert log.upload_spool().moved == ()
    log.close()
    bench.session()
    assert bench.doubts() == set()


def test_a_spooled_session_whose_name_is_taken_stays_and_is_said(bench: Bench) -> None:
    _gone(bench)
    with bench.steady() as log:
        pass
    bench.io.broken = {}
    taken = bench.root / log.path.relative_to(log._seat.spool)
    taken.parent.mkdir(parents=True, exist_ok=True)
    taken.write_bytes(b"other\n")
    with bench.steady() as back:
        assert back.lamp.level == "amber"
        assert "could not be taken over" in back.lamp.sentence
    assert log.path.exists()
    assert taken.read_bytes() == b"other\n"


def test_a_folder_that_does_not_take_the_spool_back_leaves_it_there(bench: Bench) -> None:
    _gone(bench)
    with bench.steady() as log:
        pass
    with pytest.raises(LogError, match="could not be taken into the audit log"):
        log.upload_spool()
    assert log.path.exists()


def test_little_room_is_said_by_the_lamp(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    usage = type(shutil.disk_usage(bench.root.parent))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(100, 96, 4))
    with bench.steady() as log:
        assert log.lamp.level == "amber"
        assert "Less than 5 %" in log.lamp.sentence


def test_a_session_names_the_rules_that_it_follows(bench: Bench) -> None:
    rules = "sha256:" + "12" * 32
    with bench.steady(Identity(policy=rules)) as log:
        pass
    assert _first(log.path, "session.open")["policy"] == rules


def test_a_second_thread_that_met_the_same_error_leaves_nothing(bench: Bench) -> None:
    with bench.steady() as log:
        course = log._course
        dead = course.log
        err = UnwritableError("The audit log could not be written (EIO).", error="EIO")
        course.leave(dead, err)
        here = course.log
        assert here is not dead
        course.leave(dead, err)
        assert course.log is here
