"""A batch: each worker has a session of its own, and the parent says how each ended."""

from __future__ import annotations

import errno
import json
import multiprocessing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.writer.batch import Batch, worker_session
from napari_medlabel.audit.writer.place import open_log
from napari_medlabel.errors import LogError
from tests.audit.bench import SAVE, Bench


def _work(root: Path, state: Path, reports: Any, fails: bool) -> None:
    with worker_session(partial(open_log, root, state=state), reports.put) as log:
        log.append_many([SAVE])
        if fails:
            import os

            os._exit(9)


def _closing(path: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    return next(line for line in lines if line.get("event") == "batch.close")


def _run(tmp_path: Path, fails: tuple[bool, ...]) -> tuple[Path, tuple[Head, ...]]:
    root, state = tmp_path / "audit", tmp_path / "state"
    context = multiprocessing.get_context("spawn")
    with open_log(root, state=state) as log, context.Manager() as manager:
        reports = manager.Queue()
        batch = Batch(log, len(fails))
        workers = [
            context.Process(target=_work, args=(root, state, reports, fail)) for fail in fails
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        while not reports.empty():
            batch.heard(reports.get())
        differing = batch.close()
    return log.path, differing


def test_workers_in_processes_of_their_own_end_as_they_said(tmp_path: Path) -> None:
    path, differing = _run(tmp_path, (False, False))
    assert differing == ()
    closing = _closing(path)
    assert closing["outcome"] == 0
    assert closing["detail"]["expected"] == closing["detail"]["actual"]
    assert [head["size"] for head in closing["detail"]["actual"]] == [3, 3]
    report = verify_log(tmp_path / "audit", state=tmp_path / "state")
    assert not {finding.code for finding in report.findings} & {"BATCH", "MISSING"}


def test_a_worker_that_died_is_named(tmp_path: Path) -> None:
    path, differing = _run(tmp_path, (True,))
    assert [head.size for head in differing] == [1]
    closing = _closing(path)
    assert closing["outcome"] == 8
    assert [head["size"] for head in closing["detail"]["actual"]] == [2]
    report = verify_log(tmp_path / "audit", state=tmp_path / "state")
    assert "BATCH" in {finding.code for finding in report.findings}


def test_a_worker_of_which_nothing_is_left_is_named(bench: Bench) -> None:
    with bench.steady() as parent:
        batch = Batch(parent, 1)
        with worker_session(bench.steady, batch.heard) as log:
            log.append_many([SAVE])
        (bench.root / session_file(log.origin)).unlink()
        assert [head.size for head in batch.close()] == [3]
    assert _closing(parent.path)["detail"]["actual"][0]["size"] == 0
    assert "MISSING" in bench.doubts()


def test_a_worker_whose_file_holds_nothing_that_is_sealed_is_named(bench: Bench) -> None:
    with bench.steady() as parent:
        batch = Batch(parent, 1)
        with worker_session(bench.steady, batch.heard) as log:
            pass
        (bench.root / session_file(log.origin)).write_bytes(b"x")
        assert [head.size for head in batch.close()] == [2]


def test_a_worker_that_never_reported_makes_the_batch_incomplete(bench: Bench) -> None:
    with bench.steady() as parent:
        assert Batch(parent, 1).close() == ()
    assert _closing(parent.path)["outcome"] == 8


def test_a_worker_in_the_spool_is_taken_home_first(bench: Bench) -> None:
    with bench.steady() as parent:
        batch = Batch(parent, 1)
        bench.io.broken = {bench.root: errno.EIO}
        with worker_session(bench.steady, batch.heard) as log:
            pass
        bench.io.broken = {}
        assert batch.close() == ()
    closing = _closing(parent.path)
    assert closing["outcome"] == 0
    assert closing["detail"]["actual"][0]["origin"] == log.origin


def test_a_worker_that_stays_in_the_spool_is_not_named_yet(bench: Bench) -> None:
    with bench.steady() as parent:
        batch = Batch(parent, 1)
        bench.io.broken = {bench.root: errno.EIO}
        with worker_session(bench.steady, batch.heard) as log:
            bench.io.broken = {}
            assert batch.close() == ()  # it still writes
    closing = _closing(parent.path)
    assert (closing["outcome"], closing["detail"]["expected"]) == (4, [])
    assert log.is_local
    assert bench.doubts() == set()


def test_a_batch_in_the_spool_compares_what_lies_there(bench: Bench) -> None:
    bench.io.broken = {bench.root: errno.EIO}
    with bench.steady() as parent:
        batch = Batch(parent, 1)
        with worker_session(bench.steady, batch.heard):
            pass
        assert batch.close() == ()
    assert _closing(parent.path)["outcome"] == 0


@pytest.mark.parametrize("jobs", [0, 257])
def test_a_batch_of_no_workers_or_too_many_is_refused(bench: Bench, jobs: int) -> None:
    with bench.steady() as parent, pytest.raises(LogError, match="1 to 256 workers"):
        Batch(parent, jobs)
