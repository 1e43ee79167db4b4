"""The room for last words: it is kept once, given free when needed, and missed when gone."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from napari_medlabel.audit.disk import SystemIo
from napari_medlabel.audit.writer import reserve
from napari_medlabel.audit.writer.reserve import (
    is_low,
    keep_reserve,
    release_reserve,
    reserve_file,
)
from napari_medlabel.audit.writer.whereabouts import room_is_low
from tests.audit.bench import WRITER, Bench, FakeIo, failing


def test_room_is_kept_once_and_given_free(tmp_path: Path) -> None:
    keep_reserve(SystemIo(), tmp_path, WRITER, 4096)
    path = reserve_file(tmp_path, WRITER)
    assert path.stat().st_size == 4096
    keep_reserve(SystemIo(), tmp_path, WRITER, 8192)
    assert path.stat().st_size == 4096
    release_reserve(tmp_path, WRITER)
    release_reserve(tmp_path, WRITER)
    assert not path.exists()


def test_no_half_room_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, start: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(reserve.os, "posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match="full"):
        keep_reserve(SystemIo(), tmp_path, WRITER)
    assert not reserve_file(tmp_path, WRITER).exists()


def test_another_program_may_have_been_quicker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_reserve(SystemIo(), tmp_path, WRITER, 16)
    monkeypatch.setattr(Path, "exists", lambda self: False)
    keep_reserve(SystemIo(), tmp_path, WRITER, 32)
    assert reserve_file(tmp_path, WRITER).stat().st_size == 16


def test_a_disk_is_low_below_five_percent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type(reserve.shutil.disk_usage(tmp_path))
    for free, low in ((5, False), (4, True)):
        left = usage(100, 100 - free, free)
        monkeypatch.setattr(reserve.shutil, "disk_usage", lambda folder, left=left: left)
        assert is_low(tmp_path) is low


def test_where_there_is_not_even_that_room_it_is_low(bench: Bench) -> None:
    bench.io = FakeIo()
    bench.io.fail = failing(1, errno.ENOSPC)
    assert room_is_low(bench.seat())
    bench.io.fail = lambda call, number: None
    assert not room_is_low(bench.seat())
