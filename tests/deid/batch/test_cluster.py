from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.deid.batch import cluster as cluster_module
from napari_medlabel.deid.batch.cluster import Cluster
from napari_medlabel.deid.batch.folder import Listeners, Settings, deidentify_folder
from napari_medlabel.deid.batch.one_file import Job, Worked
from napari_medlabel.deid.batch.sources import Listed
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.rules.profile import basic_profile
from napari_medlabel.errors import InputError, MissingPackageError, SaveError

distributed = pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of the cluster's own shutting down
]


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """Three worker processes, which their nannies replace when they are killed."""
    with (
        distributed.LocalCluster(
            n_workers=3,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=50,
        ) as cluster,
    ):
        yield cluster


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def scans(tmp_path: Path, ct, as_file) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for n in range(1, 121):
        patient = {
            "PatientID": f"MRN{n // 20}",
            "StudyInstanceUID": f"1.3.6.1.4.1.99999.{n // 20}",
        }
        (folder / f"{n:03}.dcm").write_bytes(as_file(ct(n, **patient)))
    (folder / "bad.dcm").write_text("text")
    (folder / "again.dcm").write_bytes((folder / "001.dcm").read_bytes())
    return folder


@pytest.mark.slow
def test_a_cluster_gives_what_one_process_gives_though_a_worker_is_killed(
    local, scans, tmp_path, profile
):
    codes: dict[tuple[str, str], str] = {}

    def code_for(issuer: str, patient_id: str) -> str:
        return codes.setdefault((issuer, patient_id), f"P-{len(codes):08}")

    pseudonyms = Pseudonyms(bytes(range(32)), patient_code_source=code_for)
    serial = deidentify_folder(scans, tmp_path / "serial", profile, pseudonyms)
    killed: list[int] = []

    def kill(done: int, _total: int) -> None:
        if done == 10 and not killed:
            with distributed.Client(local, set_as_default=False) as client:
                pids = client.run(os.getpid)
            killed.append(next(iter(pids.values())))
            os.kill(killed[0], signal.SIGKILL)

    settings = Settings(scheduler=local.scheduler_address)
    report = deidentify_folder(
        scans, tmp_path / "cluster", profile, pseudonyms, settings, Listeners(progress=kill)
    )
    assert killed
    assert len(codes) == 7
    assert report == serial
    assert tree(tmp_path / "cluster") == tree(tmp_path / "serial")
    assert not list(tmp_path.glob(".*"))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path, basic_profile(), Pseudonyms(bytes(32)), None)


def test_a_cluster_says_how_much_it_takes_and_when_it_is_done(local, job):
    cluster = Cluster(job, local.scheduler_address)
    try:
        assert cluster.ahead >= 8
        pending = cluster.submit([Listed(1, "none.dcm")], {})
        assert len(pending.result().outcomes) == 1
        assert pending.done()
        assert cluster.lost[0].__name__ == "KilledWorker"
    finally:
        cluster.close()


@pytest.mark.parametrize("address", ["nonsense://x", "tcp://x:port", "free"])
def test_where_no_cluster_answers_that_is_said(job, address, monkeypatch):
    monkeypatch.setattr(cluster_module, "_CONNECT_S", 1)
    if address == "free":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(InputError, match="scheduler") as caught:
        Cluster(job, address)
    assert "dask scheduler" in caught.value.hint


def test_without_the_extra_it_is_named(job, monkeypatch):
    def missing(_name: str, *, extra: str) -> None:
        raise MissingPackageError("It is missing.", hint=f"pip install '[{extra}]'")

    monkeypatch.setattr(cluster_module, "require", missing)
    with pytest.raises(MissingPackageError) as caught:
        Cluster(job, "tcp://127.0.0.1:1")
    assert "[cluster]" in caught.value.hint


class Future:
    """A task that raises one thing after another."""

    def __init__(self, *steps: object) -> None:
        self.steps = list(steps)

    def result(self, *, timeout: float) -> object:
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, BaseException):
            raise step
        return step


class Client:
    """A client that sees so many workers."""

    def __init__(self, *seen: int) -> None:
        self.seen = list(seen)

    def ncores(self) -> dict[str, int]:
        count = self.seen.pop(0) if len(self.seen) > 1 else self.seen[0]
        return {str(n): 1 for n in range(count)}


def offline(job: Job, client: Client, seconds: list[float]) -> Cluster:
    made = object.__new__(Cluster)
    made._job, made._client, made._killed = job, client, KeyError
    made._clock = lambda: seconds.pop(0) if len(seconds) > 1 else seconds[0]
    return made


def test_as_long_as_there_are_workers_it_waits(job):
    done = Worked(())
    cluster = offline(job, Client(1, 0, 1, 0), [0.0, 100.0, 150.0, 300.0])
    future = Future(TimeoutError(), TimeoutError(), TimeoutError(), TimeoutError(), done)
    assert cluster.wait(future) is done


def test_without_workers_it_ends_after_two_minutes(job):
    cluster = offline(job, Client(0), [0.0, 60.0, 121.0])
    with pytest.raises(SaveError, match="no worker for two minutes") as caught:
        cluster.wait(Future(TimeoutError()))
    assert "--resume" in caught.value.hint


def test_a_lost_scheduler_and_a_lost_worker_are_told_apart(job):
    from concurrent.futures import CancelledError

    cluster = offline(job, Client(1), [0.0])
    for error in (OSError("gone"), CancelledError()):
        with pytest.raises(SaveError, match="was lost"):
            cluster.wait(Future(error))
    with pytest.raises(KeyError):
        cluster.wait(Future(KeyError("worker")))
