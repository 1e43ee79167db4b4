"""The spool and the share: a folder that lost its share is not a second log."""

from __future__ import annotations

import pytest

from napari_medlabel.audit.faults import UnwritableError
from napari_medlabel.audit.writer import spool
from napari_medlabel.audit.writer.spool import probe, require_known, require_share
from napari_medlabel.errors import LogError
from tests.audit.bench import SAVE, Bench


def _mounted(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(spool, "share_kind", lambda path: kind)


def test_the_lamp_names_the_share(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    _mounted(monkeypatch, "SMB")
    with bench.steady() as log:
        assert log.lamp.level == "green"
        assert "network share (SMB)" in log.lamp.sentence


def test_an_empty_folder_where_a_share_was_is_not_taken_for_the_log(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _mounted(monkeypatch, "NFS")
    with bench.steady() as log:
        log.append_many([SAVE])
    _mounted(monkeypatch, "")
    bench.root.rename(bench.root.with_name("server"))
    bench.root.mkdir()
    with bench.steady() as log:
        assert log.is_local
        log.beat()
        assert log.is_local
        with pytest.raises(LogError, match="not mounted"):
            probe(log._seat)
    assert list(bench.root.iterdir()) == []
    bench.root.rmdir()
    bench.root.with_name("server").rename(bench.root)
    _mounted(monkeypatch, "NFS")
    with bench.steady() as log:
        assert not log.is_local
    assert bench.doubts() == set()


def test_a_table_of_mounts_that_cannot_be_read_is_an_error_of_the_log(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: object) -> str:
        raise PermissionError(13, "no")

    monkeypatch.setattr(spool, "share_kind", broken)
    with pytest.raises(UnwritableError, match=r"cannot be used \(EACCES\)"):
        require_share(bench.seat())


def test_a_memory_that_cannot_be_read_where_the_log_is_gone_is_an_error_of_the_log(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_state: object) -> list[object]:
        raise PermissionError

    monkeypatch.setattr("napari_medlabel.audit.writer.spool.recall", denied)
    with pytest.raises(LogError, match="memory of the audit log cannot be read"):
        require_known(bench.seat())
