"""The writer: what returns is on the disk, what fails is over, threads and children."""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format.event import Event, Reason
from napari_medlabel.audit.writer.log import AuditLog
from napari_medlabel.errors import LogError
from tests.audit.bench import SAVE, WRITER, Bench, failing


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def _names(path: Path) -> list[object]:
    return [line.get("event", "seal") for line in _lines(path)]


def test_a_session_is_one_file_with_a_seal_after_every_write(bench: Bench) -> None:
    with bench.open() as log:
        log.append_many([SAVE, SAVE])
        log.append("header.view", detail={"tags": 3}, reason="OTHER")
        log.append_many([])
    assert _names(log.path) == [
        "session.open", "seal", "mask.save", "mask.save", "seal", "header.view", "seal",
        "session.close", "seal",
    ]  # fmt: skip
    inside = log.path.relative_to(bench.root).as_posix()
    assert inside.startswith(f"writers/{WRITER}/2026/11/20261122T")
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o640
    first = _lines(log.path)[0]
    assert first["detail"]["origin"] == log.origin  # type: ignore[index]
    assert "prev_session" not in first["detail"]  # type: ignore[operator]
    assert bench.doubts() == set()


def test_each_acknowledged_write_is_one_write_and_one_sync(bench: Bench) -> None:
    seen: list[str] = []
    with bench.open() as log:
        file = log._file._fd
        bench.io.fail = lambda call, number: seen.append(call)
        log.append_many([SAVE] * 50)
        assert seen == ["write", "sync", "write"]  # the log, then its memory without a sync
        assert file == log._file._fd
        bench.io.fail = lambda call, number: None


def test_the_memory_is_synced_at_most_once_a_second(bench: Bench) -> None:
    seen: list[str] = []
    with bench.open() as log:
        bench.clock.mono += 1_000_000_000
        bench.clock.utc += 1_000
        bench.io.fail = lambda call, number: seen.append(call)
        log.append_many([SAVE])
        log.append_many([SAVE])
        assert seen == ["write", "sync", "write", "sync", "write", "sync", "write"]
        bench.io.fail = lambda call, number: None


def test_the_next_session_names_the_one_before(bench: Bench) -> None:
    first = bench.session()
    second = bench.session()
    detail = _lines(second)[0]["detail"]
    assert detail["prev_session"]["size"] == 5  # type: ignore[index]
    assert detail["prev_session"]["origin"].endswith(first.stem)  # type: ignore[index]
    assert len(list(bench.state.glob("heads/*/*.jsonl"))) == 1


def test_sessions_at_the_same_time_name_each_other(bench: Bench) -> None:
    with bench.open() as first, bench.open() as second:
        first.append_many([SAVE])
        second.append_many([SAVE])
        with bench.open() as third:
            pass
    heads = _lines(third.path)[0]["detail"]
    assert heads["prev_session"]["origin"] == second.origin  # type: ignore[index]
    assert [head["origin"] for head in heads["peers"]] == [first.origin]  # type: ignore[index]
    bench.session()
    assert bench.doubts() == set()


def test_an_exception_inside_closes_the_session_and_says_so(bench: Bench) -> None:
    with pytest.raises(KeyError), bench.open() as log:
        raise KeyError
    last = _lines(log.path)[-2]
    assert (last["event"], last["detail"]) == ("session.close", {"end": "error"})
    assert not log.healthy
    log.close()


def test_after_the_end_nothing_is_written(bench: Bench) -> None:
    log = bench.open()
    log.close()
    with pytest.raises(LogError, match="session of the audit log is over"):
        log.append_many([SAVE])


def test_an_event_that_is_refused_leaves_the_log_alive(bench: Bench) -> None:
    with bench.open() as log:
        with pytest.raises(LogError, match="no key 'path'"):
            log.append("header.view", detail={"path": "x"})
        log.append("header.view", reason=Reason("OTHER"))
        assert log.healthy
    assert bench.doubts() == set()


def test_short_writes_are_finished(bench: Bench) -> None:
    bench.io.most = 100
    bench.session()
    assert bench.doubts() == set()


def test_a_disk_that_takes_nothing_is_an_error(bench: Bench) -> None:
    with bench.open() as log:
        bench.io.most = 0
        with pytest.raises(LogError, match="EIO"):
            log.append_many([SAVE])


@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EPIPE])
def test_after_one_failed_call_everything_is_refused(
    bench: Bench, call: int, code: int
) -> None:
    log = bench.open()
    log.append_many([SAVE])
    acknowledged = log.head.size
    bench.io.fail = failing(bench.io.calls + call, code)
    with pytest.raises(LogError) as caught:
        log.append_many([SAVE])
    assert caught.value.hint
    assert caught.value.exit_code == 3
    bench.io.fail = lambda call, number: None
    for _ in range(2):  # the disk works again: the file stays dead all the same
        with pytest.raises(LogError, match="since an earlier error"):
            log.append_many([SAVE])
    assert not log.healthy
    size = log.path.stat().st_size
    log.close()
    assert log.path.stat().st_size == size
    report = verify_log(bench.root, state=bench.state)
    assert bench.doubts() <= {"OPEN", "TAIL"}
    assert report.events >= acknowledged
    following = bench.session()
    wanted = ["session.open", "session.recover", "audit.fail", "audit.resume"]
    if call == 3:  # the log was written; its memory was not, and so could not keep the error
        assert _names(following)[:2] == wanted[:2]
    else:
        assert _names(following)[:4] == wanted
    assert bench.doubts() == set()


def test_a_short_write_before_the_error_leaves_a_torn_tail_and_no_alarm(bench: Bench) -> None:
    log = bench.open()
    bench.io.most = 60
    bench.io.fail = failing(bench.io.calls + 4, errno.ENOSPC)
    with pytest.raises(LogError, match="ENOSPC") as caught:
        log.append_many([SAVE])
    assert "full" in caught.value.hint
    log.close()
    assert bench.doubts() == {"TAIL", "OPEN"}
    bench.io.most = 1 << 30
    bench.session()
    assert bench.doubts() == set()


def test_every_call_of_opening_may_fail_and_nothing_is_blamed(bench: Bench) -> None:
    bench.session()
    before = bench.io.calls
    bench.open().close()
    needed = bench.io.calls - before
    for wanted in range(1, needed + 1):
        bench.io.fail = failing(bench.io.calls + wanted)
        with pytest.raises(LogError, match=r"audit log|memory"):
            bench.open().close()
        bench.io.fail = lambda call, number: None
        assert bench.doubts() <= {"OPEN", "STILLBORN", "TAIL", "UNREMEMBERED"}
    bench.session()
    assert bench.doubts() <= {"OPEN", "STILLBORN", "TAIL", "UNREMEMBERED"}


def test_an_interrupt_between_write_and_sync_ends_the_file(bench: Bench) -> None:
    log = bench.open()

    def interrupt(call: str, number: int) -> None:
        if call == "sync":
            raise KeyboardInterrupt

    bench.io.fail = interrupt
    with pytest.raises(KeyboardInterrupt):
        log.append_many([SAVE])
    bench.io.fail = lambda call, number: None
    with pytest.raises(LogError, match="INTERRUPTED"):
        log.append_many([SAVE])
    log.close()
    assert bench.doubts() <= {"OPEN", "TAIL"}


@pytest.mark.parametrize("names", [{"site": "Ward 3"}, {"writer": "doe"}])
def test_names_that_are_not_allowed_are_refused(bench: Bench, names: dict[str, str]) -> None:
    with pytest.raises(LogError, match="names of site and writer"):
        bench.open(**names)
    assert not bench.root.exists()


def test_threads_share_a_log(bench: Bench) -> None:
    with bench.open() as log:

        def work() -> None:
            for _ in range(20):
                log.append_many([SAVE])

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert log.head.size == 81
    assert bench.doubts() == set()


def test_a_child_process_may_not_write_its_parents_log(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = bench.open()
    size = log.path.stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 1)
        with pytest.raises(LogError, match="belongs to the process"):
            log.append_many([SAVE])
        log.close()
    assert log.path.stat().st_size == size


@pytest.mark.parametrize(("step_ms", "jumps"), [(-86_400_000, 1), (86_400_000, 1), (-1500, 0)])
def test_a_clock_that_is_set_is_noted(bench: Bench, step_ms: int, jumps: int) -> None:
    with bench.open() as log:
        bench.clock.utc += step_ms
        log.append_many([SAVE])
        log.append_many([SAVE])
    found = [line for line in _lines(log.path) if line.get("event") == "clock.jump"]
    assert len(found) == jumps
    if jumps:
        assert abs(found[0]["detail"]["delta_ms"] - step_ms) < 100  # type: ignore[index]


def test_a_clock_that_a_time_server_bends_is_not_noted(bench: Bench) -> None:
    with bench.open() as log:
        bench.clock.mono += 86_400_000_000_000
        bench.clock.utc += 86_400_000 + 20_000
        log.append_many([SAVE])
    assert "clock.jump" not in _names(log.path)


def test_lost_time_and_software_are_in_the_first_line(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    detail = _lines(bench.session())[0]["detail"]
    assert detail["platform"] == "other"  # type: ignore[index]
    assert detail["clock"] == "other"  # type: ignore[index]
    assert detail["tool"].startswith("0.")  # type: ignore[index]


def test_the_log_satisfies_what_the_session_asks_of_it(bench: Bench) -> None:
    with bench.open() as log:
        log.append("mask.save", subject=SAVE.subject, detail=SAVE.detail, objects=SAVE.objects)
        assert isinstance(log, AuditLog)
    assert Event("audit.resume").outcome == 0
