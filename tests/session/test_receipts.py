"""Every data set that leaves carries a receipt that is true of it and of the log."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from napari_medlabel.audit.anchors.receipt import check_receipt, read_receipt
from napari_medlabel.audit.format.event import Event
from napari_medlabel.errors import LogError, SaveError
from napari_medlabel.io import files
from napari_medlabel.session.receipts import add_receipt, receipt_beside
from tests.audit.bench import Bench

_MANIFEST = "sha256:" + "12" * 32
_DONE = Event("export.done", detail={"destination": "folder", "manifest": _MANIFEST})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "ward")


def test_the_receipt_is_of_the_event_that_the_log_took(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "receipt"
    with bench.open() as log:
        log.append_many([_DONE])
        add_receipt(log, path, _MANIFEST)
    receipt = read_receipt(path.read_bytes())
    assert check_receipt(receipt, bench.root) == []
    assert receipt.head.origin == log.origin


def test_a_log_that_keeps_no_file_gives_none(tmp_path: Path) -> None:
    add_receipt(object(), tmp_path / "receipt", _MANIFEST)
    assert not (tmp_path / "receipt").exists()


def test_an_export_that_the_log_does_not_have_gets_none(bench: Bench, tmp_path: Path) -> None:
    with bench.open() as log, pytest.raises(LogError, match="could not be made"):
        add_receipt(log, tmp_path / "receipt", _MANIFEST)


def test_a_receipt_that_cannot_be_written_is_said(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with bench.open() as log:
        log.append_many([_DONE])
        monkeypatch.setattr(files, "sync_file", full)
        with pytest.raises(SaveError, match="in the log, but without its receipt"):
            add_receipt(log, tmp_path / "receipt", _MANIFEST)
    assert not (tmp_path / "receipt").exists()


def test_a_single_file_has_its_receipt_beside_it() -> None:
    assert receipt_beside(Path("a/mask.nii.gz")) == Path("a/mask.nii.gz.audit_receipt.json")
