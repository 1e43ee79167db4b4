from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from napari_medlabel.deid.batch import workers
from napari_medlabel.deid.batch.codes import KnownCodes, NeedsCodeError
from napari_medlabel.deid.batch.kinds import Kind
from napari_medlabel.deid.batch.one_file import Failure, Job, Outcome, Worked
from napari_medlabel.deid.batch.sources import Listed
from napari_medlabel.deid.batch.workers import Processes, alone, outcomes_of, together
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.rules.profile import basic_profile
from napari_medlabel.errors import SaveError


def files(count: int) -> list[Listed]:
    return [Listed(n, f"{n}.dcm") for n in range(1, count + 1)]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path, basic_profile(), Pseudonyms(bytes(32)), None)


class Done:
    """Work that is finished, or whose worker was lost."""

    def __init__(self, worked: Worked | None, *, ready: bool = True) -> None:
        self.worked, self.ready = worked, ready

    def done(self) -> bool:
        return self.ready

    def result(self) -> Worked:
        if self.worked is None:
            raise BrokenProcessPool
        return self.worked


class Crew:
    """Works at once; loses its worker at some files, and asks for codes before others."""

    lost: tuple[type[Exception], ...] = (BrokenProcessPool,)
    ahead = 3

    def __init__(
        self, *, deadly: Sequence[int] = (), patients: dict[int, str] | None = None, ready=True
    ) -> None:
        self.deadly, self.patients, self.ready = list(deadly), patients or {}, ready
        self.asked: list[tuple[int, ...]] = []
        self.sent: list[int] = []
        self.full_at = 0

    def submit(self, files, codes) -> Done:
        self.asked.append(tuple(file.position for file in files))
        self.sent.append(len(codes))
        made = []
        for file in files:
            if file.position in self.deadly:
                return Done(None, ready=self.ready)
            if file.position == self.full_at:
                failure = Failure("The disk is full.", "Free some space.", 28)
                return Done(Worked(tuple(made), failure=failure), ready=self.ready)
            patient = self.patients.get(file.position)
            if patient is not None and ("", patient) not in codes:
                return Done(Worked(tuple(made), needs=("", patient)), ready=self.ready)
            made.append(Outcome(file.position, "F", Kind.DICOM))
        return Done(Worked(tuple(made)), ready=self.ready)

    def close(self) -> None:
        self.asked.append(())


def positions(outcomes) -> list[int]:
    return [outcome.position for outcome in outcomes]


@pytest.mark.parametrize("ready", [True, False])
def test_outcomes_come_in_order_and_few_are_given_away_at_once(job, ready):
    crew = Crew(ready=ready)
    stream = together(crew, job, iter(files(60)), None)
    assert next(stream).position == 1
    assert len(crew.asked) == 3
    assert positions(stream) == list(range(2, 61))


@pytest.mark.parametrize("ready", [True, False])
def test_codes_are_made_here_and_sent_along(job, ready):
    made: list[tuple[str, str]] = []

    def code_for(issuer: str, patient: str) -> str:
        made.append((issuer, patient))
        return "P-" + patient

    patients = {n: f"{n // 10}" for n in range(1, 41)}
    crew = Crew(patients=patients, ready=ready)
    assert positions(together(crew, job, iter(files(40)), code_for)) == list(range(1, 41))
    assert sorted(set(made)) == [("", str(n)) for n in range(5)]
    many = {n: f"{n}" for n in range(1, 101)}
    crew = Crew(patients=many)
    assert positions(together(crew, job, iter(files(100)), code_for)) == list(range(1, 101))
    assert max(crew.sent) == 64


def test_where_each_file_has_a_patient_codes_are_made_before_they_are_asked_for(
    job, ct, as_file
):
    for file in files(24):
        (job.root / file.relative).write_bytes(
            as_file(ct(file.position, PatientID=f"MRN{file.position}"))
        )
    (job.root / "20.dcm").write_text("no DICOM")
    made: list[str] = []

    def code_for(_issuer: str, patient_id: str) -> str:
        made.append(patient_id)
        return f"P-{len(made):08d}"

    codes = workers._Codes(code_for)
    first, second = files(16)[:8], files(16)[8:]
    codes.announce(job, first)
    assert made == []
    for number in range(1, 9):
        codes.learn(("", f"MRN{number}"))
    codes.announce(job, [*second, *files(24)[16:]])
    assert made == [f"MRN{n}" for n in range(1, 25) if n != 20]
    assert codes.known["", "MRN24"] == "P-00000023"
    codes.announce(job, files(24))
    assert len(made) == 23
    workers._Codes(None).announce(job, first)


def test_without_a_source_of_codes_none_is_asked(job):
    codes = workers._Codes(None)
    codes.learn(("", "A"))
    assert codes.known == {}


@pytest.mark.parametrize("ready", [True, False])
def test_the_file_that_ends_its_worker_is_quarantined_and_the_others_are_not(job, ready):
    (job.root / "11.dcm").write_bytes(b"scan")
    crew = Crew(deadly=[11, 30], ready=ready)
    outcomes = list(together(crew, job, iter(files(40)), None))
    assert positions(outcomes) == list(range(1, 41))
    bad = [outcome for outcome in outcomes if outcome.result is Reason.WORKER_ENDED]
    assert positions(bad) == [11, 30]
    assert bad[0].token == job.token("11.dcm")
    assert bad[0].stamp.size == 4
    assert crew.asked.count((11,)) == 3  # another file may have been at fault


def test_a_file_whose_worker_another_one_ended_is_tried_again(job):
    class Once(Crew):
        def submit(self, files, codes):
            made = super().submit(files, codes)
            if files[0].position == 2 and len(files) == 1:
                self.deadly = [1]
            return made

    crew = Once(deadly=[1, 2])
    outcomes = list(together(crew, job, iter(files(8)), None))
    assert [o.position for o in outcomes if o.result is Reason.WORKER_ENDED] == [1]


def test_a_worker_that_stops_for_a_code_when_alone_gets_it(job):
    crew = Crew(deadly=[1], patients={2: "A"})
    outcomes = list(together(crew, job, iter(files(3)), lambda _issuer, _id: "P-A"))
    assert positions(outcomes) == [1, 2, 3]


def test_when_worker_after_worker_is_lost_the_run_ends(job):
    with pytest.raises(SaveError, match="3 files in a row") as caught:
        list(together(Crew(deadly=range(20)), job, iter(files(20)), None))
    assert "--jobs" in caught.value.hint


@pytest.mark.parametrize("ready", [True, False])
def test_a_full_disk_ends_the_run(job, ready):
    crew = Crew(ready=ready)
    crew.full_at = 12
    with pytest.raises(SaveError, match="full") as caught:
        list(together(crew, job, iter(files(40)), None))
    assert caught.value.__cause__.errno == 28


def test_one_process_works_here(job, monkeypatch):
    def full(_job, _files, _codes):
        return Worked((), failure=Failure("The disk is full.", "", None))

    (job.root / "1.dcm").write_bytes(b"text")
    with outcomes_of(job, files(2), jobs=1, scheduler="") as outcomes:
        assert [o.result for o in outcomes] == [Reason.NOT_WHAT_IT_SAYS, Reason.UNREADABLE]
    monkeypatch.setattr(workers, "work", full)
    with pytest.raises(SaveError, match="full"):
        list(alone(job, files(1)))


@pytest.mark.parametrize("coded", [False, True])
def test_a_crew_is_let_go_in_any_case(job, monkeypatch, coded):
    crew = Crew()
    seen: list[Job] = []

    def made(told: Job, _jobs: int, _scheduler: str) -> Crew:
        seen.append(told)
        return crew

    monkeypatch.setattr(workers, "_crew", made)
    if coded:
        key = Pseudonyms(bytes(32), patient_code_source=lambda _issuer, _id: "P-A")
        job = Job(job.root, job.profile, key, None)

    def stopped() -> None:
        with outcomes_of(job, files(9), jobs=2, scheduler="") as outcomes:
            next(outcomes)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert crew.asked[-1] == ()
    source = seen[0].pseudonyms.patient_code_source
    assert isinstance(source, KnownCodes) if coded else source is None


def test_a_cluster_is_asked_for_by_its_address(job, monkeypatch):
    from napari_medlabel.deid.batch import cluster

    monkeypatch.setattr(cluster, "Cluster", lambda told, address: (told, address))
    assert workers._crew(job, 1, "tcp://x") == (job, "tcp://x")
    crew = workers._crew(job, 2, "")
    crew.close()
    assert isinstance(crew, Processes)


def test_a_slot_that_is_done_is_not_waited_for(job):
    slot = workers._Slot((), None)
    slot.collect(Crew(), workers._Codes(None))
    assert slot.got == []


def test_real_processes_work_and_are_replaced_when_one_is_killed(job, ct, as_file):
    for n in range(1, 4):
        (job.root / f"{n}.dcm").write_bytes(as_file(ct(n)))
    crew = Processes(job, 1)
    try:
        assert crew.ahead == 4
        worked = crew.submit(files(1), {}).result()
        assert [outcome.result for outcome in worked.outcomes] == [Kind.DICOM]
        (pid,) = crew._pool._processes
        os.kill(pid, signal.SIGKILL)
        while not crew._pool._broken:
            time.sleep(0.01)
        again = crew.submit(files(3), {}).result()
        assert len(again.outcomes) == 3
    finally:
        crew.close()


def test_a_worker_process_remembers_its_job_and_does_not_hear_ctrl_c(job, monkeypatch):
    heard: list[object] = []
    monkeypatch.setattr(workers.signal, "signal", lambda *args: heard.append(args))
    monkeypatch.setattr(workers, "_JOBS", {})
    workers._begin(job)
    assert heard == [(signal.SIGINT, signal.SIG_IGN)]
    assert len(workers._work_here(tuple(files(2)), {}).outcomes) == 2


def test_a_worker_process_ends_with_the_main_one(job, monkeypatch):
    ended: list[int] = []
    read, write = os.pipe()
    os.close(write)
    monkeypatch.setattr(workers.os, "_exit", ended.append)
    workers._follow(read)
    os.close(read)
    assert ended == [1]

    class Parent:
        sentinel = 5

    followed: list[int] = []
    monkeypatch.setattr("multiprocessing.parent_process", Parent)
    monkeypatch.setattr(workers, "_follow", followed.append)
    monkeypatch.setattr(workers.signal, "signal", lambda *_: None)
    monkeypatch.setattr(workers, "_JOBS", {})
    threads: list[object] = []

    class Thread:
        def __init__(self, target, args, daemon):
            threads.append((target, args, daemon))

        def start(self):
            target, args, _ = threads[0]
            target(*args)

    monkeypatch.setattr(workers, "Thread", Thread)
    workers._begin(job)
    assert followed == [5]
    assert threads[0][2] is True


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_no_worker_outlives_a_killed_main_process(tmp_path, ct, as_file):
    scans = tmp_path / "in"
    scans.mkdir()
    for n in range(1, 30):
        (scans / f"{n}.dcm").write_bytes(as_file(ct(n)))
    program = (
        "from pathlib import Path\n"
        "from napari_medlabel.deid.batch.folder import *\n"
        "from napari_medlabel.deid.rules.profile import basic_profile\n"
        "from napari_medlabel.deid.keys.pseudonyms import Pseudonyms\n"
        "if __name__ == '__main__':\n"
        "    said = lambda *_: print('.', flush=True)\n"
        f"    deidentify_folder(Path({str(scans)!r}), Path({str(tmp_path / 'out')!r}),\n"
        "        basic_profile(), Pseudonyms(bytes(32)), Settings(jobs=2),\n"
        "        Listeners(progress=said))\n"
    )
    script = tmp_path / "run.py"
    script.write_text(program)
    main = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    assert main.stdout is not None
    main.stdout.readline()
    children = Path(f"/proc/{main.pid}/task/{main.pid}/children").read_text().split()
    main.kill()
    main.wait()
    main.stdout.close()
    assert len(children) >= 2
    assert all(_ends(int(pid)) for pid in children)
    assert not (tmp_path / "out").exists()


def _ends(pid: int) -> bool:
    for _ in range(200):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_task_tells_no_name_when_it_is_shown(job):
    shown = repr((job, files(1), NeedsCodeError("", "MRN")))
    assert "dcm" not in shown
    assert str(job.root) not in shown
    assert "MRN" not in shown


def test_closing_does_not_wait_for_work_that_nobody_wants_any_more(job):
    crew = Processes(job, 1)
    crew._open.append(crew._pool.submit(time.sleep, 60))
    began = time.monotonic()
    crew.close()
    assert time.monotonic() - began < 20


def test_an_interrupt_waits_while_processes_start_and_end(job, monkeypatch):
    reached: list[int] = []
    # A process that a shell began in the background ignores interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupted() -> None:
        with workers._without_interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)
            reached.append(1)

    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
    finally:
        signal.signal(signal.SIGINT, before)
    assert reached == [1]
    with ThreadPoolExecutor(1) as other:  # where Python's handlers cannot be changed
        other.submit(lambda: Processes(job, 1).close()).result()
    monkeypatch.delattr(signal, "pthread_sigmask")  # as on Windows
    with workers._without_interrupt():
        crew = Processes(job, 1)
    crew.close()
