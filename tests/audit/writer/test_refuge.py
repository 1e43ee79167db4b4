"""A log whose folder goes away under it: nothing acknowledged is lost, nobody is accused."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.faults import UnwritableError
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.writer.steady import SteadyLog
from napari_medlabel.errors import LogError
from tests.audit.bench import SAVE, WRITER, Bench

LEAVE = Event("export.begin", detail={"destination": "folder"})


def _away(bench: Bench) -> Path:
    return bench.root.with_name("away")


def _delete(bench: Bench) -> None:
    shutil.rmtree(bench.root)


def _rename(bench: Bench) -> None:
    bench.root.rename(_away(bench))


def _replace(bench: Bench) -> None:
    bench.root.rename(_away(bench))
    bench.root.mkdir()


def _replace_by_a_file(bench: Bench) -> None:
    _delete(bench)
    bench.root.write_bytes(b"")


def _replace_by_a_copy(bench: Bench) -> None:
    bench.root.rename(_away(bench))
    shutil.copytree(_away(bench), bench.root)


def _unmount(bench: Bench) -> None:
    bench.io.unmounted.add(bench.root)


def _put_back(bench: Bench) -> None:
    if _away(bench).exists():
        shutil.rmtree(bench.root, ignore_errors=True)
        _away(bench).rename(bench.root)
    bench.io.unmounted.clear()


LOSSES = (_delete, _rename, _replace, _replace_by_a_file, _replace_by_a_copy, _unmount)
RETURNING = (_rename, _replace, _replace_by_a_copy, _unmount)
Loss = Callable[[Bench], None]


def _names(path: Path) -> list[object]:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [line["event"] for line in lines if "event" in line]


def _sessions(folder: Path) -> list[Path]:
    return sorted(folder.glob("writers/*/*/*/*.jsonl"), key=lambda path: path.name)


def _colours(bench: Bench) -> set[str]:
    report = verify_log(bench.root, state=bench.state)
    return {finding.level for finding in report.findings}


def _lose(bench: Bench, loss: Loss) -> tuple[SteadyLog, bytes, str]:
    """Write, lose the folder; return the log, the session's bytes so far and its name."""
    log = bench.steady()
    log.append_many([SAVE])
    log.append_many([SAVE])
    data, name = log.path.read_bytes(), log.path.name
    loss(bench)
    return log, data, name


@pytest.mark.parametrize("loss", LOSSES)
def test_an_event_does_not_count_in_a_file_that_nobody_finds(bench: Bench, loss: Loss) -> None:
    log, data, name = _lose(bench, loss)
    head = log.head
    log.append_many([SAVE])
    assert log.is_local
    assert _names(log.path) == ["session.open", "audit.fail", "audit.resume", "mask.save"]
    told = json.loads(log.path.read_bytes().splitlines()[1])["detail"]
    assert told == {"error": "OTHER", "head": head.record()}
    kept = {path.name: path.read_bytes() for path in _sessions(log.folders[1])}
    assert kept[name] == data  # the new event was not even tried there
    log.close()


@pytest.mark.parametrize("loss", LOSSES)
def test_what_leaves_is_refused_and_the_lamp_is_amber(bench: Bench, loss: Loss) -> None:
    log, _, _ = _lose(bench, loss)
    for _ in range(2):
        with pytest.raises(LogError, match="must stand in the log itself") as caught:
            log.append_many([LEAVE])
        assert caught.value.exit_code == 3
    assert log.lamp.level == "amber"
    assert "not in its place (OTHER)" in log.lamp.sentence
    log.close()


def test_a_whole_copy_in_its_place_is_the_log_from_then_on(bench: Bench) -> None:
    bench.session()
    log, data, name = _lose(bench, _replace_by_a_copy)
    log.append_many([SAVE])
    log.beat()
    assert not log.is_local
    log.close()
    assert bench.doubts() == set()
    assert next(p.read_bytes() for p in _sessions(bench.root) if p.name == name) == data


@pytest.mark.parametrize("loss", [_rename, _replace, _unmount])
def test_a_folder_that_comes_back_is_gone_back_to_at_the_next_tick(
    bench: Bench, loss: Loss
) -> None:
    bench.session()
    log, data, name = _lose(bench, loss)
    log._course.tick()  # nobody writes: the thread finds out by itself
    assert log.lamp.level == "amber"
    log.append_many([SAVE])
    log._course.tick()
    assert log.is_local
    _put_back(bench)
    assert "red" not in _colours(bench)
    log._course.tick()
    assert (log.is_local, log.lamp.level) == (False, "green")
    log.append_many([LEAVE])
    log.close()
    assert bench.doubts() == set()
    home = {path.name: path.read_bytes() for path in _sessions(bench.root)}
    assert home[name] == data
    assert len(home) == 4
    assert not _sessions(log.folders[1])


@pytest.mark.parametrize("loss", RETURNING)
def test_a_folder_that_is_back_at_the_next_start_is_whole(bench: Bench, loss: Loss) -> None:
    log, data, name = _lose(bench, loss)
    log.append_many([SAVE])
    log.close()
    _put_back(bench)
    assert "red" not in _colours(bench)
    with bench.steady():
        pass
    assert bench.doubts() == set()
    assert next(p.read_bytes() for p in _sessions(bench.root) if p.name == name) == data


@pytest.mark.parametrize("loss", [_delete, _rename, _replace])
def test_a_folder_that_stays_away_is_not_begun_anew_by_a_running_program(
    bench: Bench, loss: Loss
) -> None:
    log, _, _ = _lose(bench, loss)
    log.append_many([SAVE])
    log.beat()
    with pytest.raises(UnwritableError, match="not in its place"):
        log.upload_spool()
    assert log.is_local
    assert not (bench.root / "writers").exists()
    log.close()


def test_after_a_deletion_the_next_start_brings_all_that_was_acknowledged(
    bench: Bench,
) -> None:
    log, data, name = _lose(bench, _delete)
    log.append_many([SAVE])
    log.close()
    with bench.steady():
        pass
    assert bench.doubts() == set()
    assert next(p.read_bytes() for p in _sessions(bench.root) if p.name == name) == data


def test_sessions_that_were_deleted_with_the_folder_are_missed(bench: Bench) -> None:
    bench.session()
    log, _, _ = _lose(bench, _delete)
    log.append_many([SAVE])
    log.close()
    with bench.steady():
        pass
    assert "MISSING" in bench.doubts()


def test_a_session_that_only_says_good_bye_is_saved_too(bench: Bench) -> None:
    log, data, name = _lose(bench, _delete)
    with pytest.raises(LogError, match="could not be written"):
        log.close()
    assert [path.read_bytes() for path in _sessions(log.folders[1])] == [data]
    with bench.steady() as back:
        pass
    assert _names(back.path)[:4] == [
        "session.open", "session.recover", "audit.fail", "audit.resume"
    ]  # fmt: skip
    assert name in {path.name for path in _sessions(bench.root)}
    assert bench.doubts() == set()


def test_a_folder_that_goes_between_write_and_answer_is_noticed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = bench.steady()
    sync = bench.io.sync

    def sync_and_lose(fd: int) -> None:
        monkeypatch.setattr(bench.io, "sync", sync)
        sync(fd)
        _rename(bench)

    monkeypatch.setattr(bench.io, "sync", sync_and_lose)
    log.append_many([SAVE])
    assert log.is_local
    assert _names(log.path)[-1] == "mask.save"  # it stands twice, as after any lost answer
    _put_back(bench)
    log.beat()
    log.close()
    assert bench.doubts() == set()


def test_where_the_spool_does_not_take_it_the_session_is_missed(bench: Bench) -> None:
    log, _, _ = _lose(bench, _delete)
    bench.io.broken = {bench.state / "spool": errno.EROFS}
    with pytest.raises(LogError):
        log.close()
    bench.io.broken = {}
    (bench.root / "writers" / WRITER).mkdir(parents=True)  # as `medlabel audit anew` does
    with bench.steady():
        pass
    assert "MISSING" in bench.doubts()


def test_it_is_kept_open_until_the_spool_takes_it(bench: Bench) -> None:
    log, data, _ = _lose(bench, _rename)
    bench.io.broken = {bench.state / "spool": errno.EROFS}
    with pytest.raises(LogError, match="could not be written"):
        log.append_many([SAVE])
    assert log.lamp.level == "red"
    bench.io.broken = {}
    log.beat()
    assert (log.is_local, log.lamp.level) == (True, "amber")
    assert _sessions(log.folders[1])[0].read_bytes() == data
    log.close()
    _put_back(bench)
    with bench.steady():
        pass
    assert bench.doubts() == set()


def test_a_spool_that_is_lost_has_no_refuge(bench: Bench) -> None:
    bench.io.broken = {bench.root: errno.EIO}
    log = bench.steady()
    log.path.unlink()
    with pytest.raises(LogError, match="could not be written"):
        log.append_many([SAVE])
    log.close()
    assert not _sessions(log.folders[1])


def test_a_file_that_is_lost_before_its_first_line_leaves_nothing(bench: Bench) -> None:
    bench.io.fail = lambda call, number: (
        _delete(bench) if call == "write" and (bench.root / "writers").exists() else None
    )
    with bench.steady() as log:
        assert log.is_local
    assert len(_sessions(log.folders[1])) == 1


@pytest.mark.parametrize("cut", [True, False])
def test_a_file_that_came_back_shorter_counts_if_all_that_was_promised_is_there(
    bench: Bench, cut: bool
) -> None:
    log, data, name = _lose(bench, _rename)
    log.append_many([SAVE])
    log.close()
    _put_back(bench)
    (home,) = _sessions(bench.root)
    (kept,) = [path for path in _sessions(log.folders[1]) if path.name == name]
    if cut:
        home.write_bytes(data[: len(data) // 2])
    else:
        kept.write_bytes(data + b'{"half')
    with bench.steady() as back:
        assert back.lamp.level == ("amber" if cut else "green")
    assert kept.exists() == cut
    assert ("TRUNCATED" in bench.doubts()) == cut


def test_a_file_with_the_same_bytes_is_not_the_open_file(tmp_path: Path) -> None:
    io = Bench(tmp_path).io
    path = tmp_path / "a"
    fd = io.create(path)
    io.write(fd, b"1")
    io.confirm(fd, path)
    path.rename(tmp_path / "b")
    path.write_bytes(b"1")
    with pytest.raises(FileNotFoundError, match="another file has its name"):
        io.confirm(fd, path)
    (tmp_path / "b").unlink()
    assert io.read_back(fd) == b"1"
    io.write(fd, b"2")
    assert io.read_back(fd) == b"12"
    io.close(fd)


def test_a_kept_mask_beside_the_scan_is_amber_after_a_loss(bench: Bench) -> None:
    (bench.root / "objects/sha256/00").mkdir(parents=True)
    log, _, _ = _lose(bench, _rename)
    log.append_many([SAVE])
    _put_back(bench)
    log.beat()
    log.close()
    report = verify_log(bench.root, state=bench.state)
    objects = [finding for finding in report.findings if finding.code == "OBJECT"]
    assert [finding.level for finding in objects] == ["amber"]
    assert "'versions' beside the mask" in objects[0].text
    assert "red" not in _colours(bench)
    assert WRITER in log.path.as_posix()
