"""Who does the work of a batch: this process, several, or a cluster; results in one order."""

from __future__ import annotations

import os
import signal
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Thread, current_thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING, Final, Protocol

from napari_medlabel.deid.batch.codes import Codes, KnownCodes
from napari_medlabel.deid.batch.one_file import (
    Job,
    Outcome,
    Worked,
    stamp_of,
    work,
)
from napari_medlabel.deid.batch.sources import Listed
from napari_medlabel.deid.dicom.patient_of import patient_in
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.errors import SaveError

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

CHUNK: Final = 8
"""Files that are given away at once."""
_AHEAD = 4  # chunks for each process that wait or are worked on
_PATIENTS = 64  # whose codes go along with each task
_TRIES = 3  # of one file whose worker was lost: another file may have been at fault
_MOST_LOST = 3
CodeFor = Callable[[str, str], str]


class Pending(Protocol):
    """Work that was given away."""

    def done(self) -> bool:
        """Whether it is finished."""
        ...

    def result(self) -> Worked:
        """Wait for it."""
        ...


class Crew(Protocol):
    """Several workers, new ones in the place of those that are lost."""

    @property
    def lost(self) -> tuple[type[Exception], ...]:
        """What `Pending.result` raises when a worker ended before its work was done."""
        ...

    @property
    def ahead(self) -> int:
        """Count of chunks that may be given away at once."""
        ...

    def submit(self, files: Sequence[Listed], codes: Codes) -> Pending:
        """Give some files away."""
        ...

    def close(self) -> None:
        """Let everybody go; what was not begun is not done."""
        ...


@contextmanager
def outcomes_of(
    job: Job, files: Iterable[Listed], *, jobs: int, scheduler: str
) -> Iterator[Iterator[Outcome]]:
    """Let each file be cleaned, by this process, several, or a cluster.

    Parameters
    ----------
    job : Job
        Rules, key and place.
    files : iterable of Listed
        Which.
    jobs : int
        Processes; 1 works in this one.
    scheduler : str
        Address of a Dask cluster that does the work instead.

    Yields
    ------
    iterator of Outcome
        In the order of the files.

    Raises
    ------
    InputError
        When no cluster answers.
    """
    if jobs <= 1 and not scheduler:
        yield alone(job, files)
        return
    code_for = job.pseudonyms.patient_code_source
    if code_for is not None:
        told = replace(job.pseudonyms, patient_code_source=KnownCodes())
        job = replace(job, pseudonyms=told)
    with closing(_crew(job, jobs, scheduler)) as crew:
        yield together(crew, job, files, code_for)


def _crew(job: Job, jobs: int, scheduler: str) -> Crew:
    if not scheduler:
        return Processes(job, jobs)
    from napari_medlabel.deid.batch.cluster import Cluster

    return Cluster(job, scheduler)


def alone(job: Job, files: Iterable[Listed]) -> Iterator[Outcome]:
    """Each file's outcome in order, by this process.

    Raises
    ------
    SaveError
        When nothing can be written any more.
    """
    for file in files:
        worked = work(job, (file,), {})
        if worked.failure:
            raise worked.failure.error()
        yield from worked.outcomes


def together(
    crew: Crew, job: Job, files: Iterable[Listed], code_for: CodeFor | None
) -> Iterator[Outcome]:
    """Each file's outcome in order, by a crew.

    Parameters
    ----------
    crew : Crew
        Who works.
    job : Job
        What they work on; here for the tokens of files that end whoever cleans them.
    files : iterable of Listed
        Taken a bounded number at a time.
    code_for : callable, optional
        ``(issuer, patient_id) -> code``, asked in this process alone.

    Raises
    ------
    SaveError
        When nothing can be written any more, or worker after worker is lost.
    """
    waiting: deque[_Slot] = deque()
    codes = _Codes(code_for)
    chunks = _chunks(files)
    lost = 0
    while True:
        for chunk in islice(chunks, max(0, crew.ahead - len(waiting))):
            codes.announce(job, chunk)
            waiting.append(_Slot(chunk, crew.submit(chunk, codes.known)))
        if not waiting:
            return
        slot = waiting[0]
        try:
            while slot.pending is not None:
                slot.collect(crew, codes)
                for other in islice(waiting, 1, None):
                    other.collect_if_done(crew, codes)
        except crew.lost:
            for outcome in _one_by_one(crew, job, slot.left, codes):
                lost = lost + 1 if outcome.result is Reason.WORKER_ENDED else 0
                if lost >= _MOST_LOST:
                    raise _too_many(lost) from None
                slot.got.append(outcome)
        waiting.popleft()
        yield from slot.got


@dataclass
class _Slot:
    """Files that were given away, and who has them; nobody once all are done."""

    left: Sequence[Listed]
    pending: Pending | None
    got: list[Outcome] = field(default_factory=list)

    def collect(self, crew: Crew, codes: _Codes) -> None:
        """Wait for the worker; where it stopped for a patient's code, go on with it."""
        if self.pending is None:
            return
        worked = self.pending.result()
        if worked.failure:
            raise worked.failure.error()
        self.got += worked.outcomes
        self.left = self.left[len(worked.outcomes) :]
        if worked.needs:
            codes.learn(worked.needs)
        self.pending = crew.submit(self.left, codes.known) if self.left else None

    def collect_if_done(self, crew: Crew, codes: _Codes) -> None:
        """Do so without waiting; a lost worker is told when it is this one's turn."""
        if self.pending is not None and self.pending.done():
            with suppress(*crew.lost):
                self.collect(crew, codes)


class _Codes:
    """Codes of the patients met last, which go along with each task."""

    def __init__(self, code_for: CodeFor | None) -> None:
        self._code_for = code_for
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._met = self._files = 0

    @property
    def known(self) -> Codes:
        return dict(self._known)

    def learn(self, patient: tuple[str, str]) -> None:
        self._met += 1
        if self._code_for is not None:
            self._known[patient] = self._code_for(*patient)
            self._known.move_to_end(patient)
        while len(self._known) > _PATIENTS:
            self._known.popitem(last=False)

    def announce(self, job: Job, chunk: Sequence[Listed]) -> None:
        """Look whose files these are, where there have been new patients all along.

        A worker that stops for a code does its work on the file twice. With a patient for
        each file it saves a third of all CPU to look before; with few it costs.
        """
        often = self._met * CHUNK > self._files
        self._files += len(chunk)
        if self._code_for is None or not often:
            return
        for file in chunk:
            patient = patient_in(job.root / file.relative)
            if patient is not None and patient not in self._known:
                self.learn(patient)


def _chunks(files: Iterable[Listed]) -> Iterator[tuple[Listed, ...]]:
    stream = iter(files)
    while chunk := tuple(islice(stream, CHUNK)):
        yield chunk


def _one_by_one(
    crew: Crew, job: Job, files: Sequence[Listed], codes: _Codes
) -> Iterator[Outcome]:
    """Find the file that ends whoever cleans it; the others are cleaned."""
    for file in files:
        for _ in range(_TRIES):
            slot = _Slot((file,), crew.submit((file,), codes.known))
            try:
                while slot.pending is not None:
                    slot.collect(crew, codes)
            except crew.lost:
                continue
            yield from slot.got
            break
        else:
            stamp = stamp_of(job.root / file.relative)
            token = job.token(file.relative)
            yield Outcome(file.position, token, Reason.WORKER_ENDED, stamp=stamp)


def _too_many(lost: int) -> SaveError:
    return SaveError(
        f"The worker processes of {lost} files in a row ended before their work was done.",
        hint="Most often memory ran out: try again with fewer --jobs.",
    )


class Processes:
    """Processes on this computer, each with rules and key from its start.

    Parameters
    ----------
    job : Job
        What they work on.
    count : int
        How many.
    """

    def __init__(self, job: Job, count: int) -> None:
        self._job, self._count = job, count
        self._open: list[Future[Worked]] = []
        self._pool = self._started()

    @property
    def lost(self) -> tuple[type[Exception], ...]:
        """What tells that a process was lost."""
        from concurrent.futures.process import BrokenProcessPool

        return (BrokenProcessPool,)

    @property
    def ahead(self) -> int:
        """Count of chunks that may be given away at once."""
        return _AHEAD * self._count

    def submit(self, files: Sequence[Listed], codes: Codes) -> Pending:
        """Give some files away; processes that ended are replaced."""
        with _without_interrupt():
            try:
                future = self._pool.submit(_work_here, tuple(files), codes)
            except self.lost:
                self.close()
                self._pool = self._started()
                future = self._pool.submit(_work_here, tuple(files), codes)
            self._open = [other for other in self._open if not other.done()]
            self._open.append(future)
            return future

    def close(self) -> None:
        """End the processes; what they are at is lost, as it is when they are killed."""
        with _without_interrupt():
            if not all(future.done() for future in self._open):
                for process in list(self._pool._processes.values()):  # noqa: SLF001 - no other way
                    process.kill()
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._open = []

    def _started(self) -> ProcessPoolExecutor:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context, resource_tracker

        if hasattr(signal, "pthread_sigmask"):
            resource_tracker.ensure_running()  # it lets interrupts in again when it starts
        return ProcessPoolExecutor(
            max_workers=self._count,
            mp_context=get_context("spawn"),
            initializer=_begin,
            initargs=(self._job,),
        )


@contextmanager
def _without_interrupt() -> Iterator[None]:
    """Let Ctrl+C wait: processes that start inherit that, and ending them is not broken off.

    The mask is for the processes. It holds in this thread alone, so that another one may
    take the signal; what Python then does in the main thread waits in the same way.
    """
    heard: list[tuple[int, FrameType | None]] = []
    before = None
    if current_thread() is main_thread():
        before = signal.signal(signal.SIGINT, lambda *what: heard.append(what))
    has_mask = hasattr(signal, "pthread_sigmask")
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if has_mask else None
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if before is not None:
            signal.signal(signal.SIGINT, before)
        if heard and callable(before):
            before(*heard[0])


_JOBS: dict[str, Job] = {}  # of a worker process: the one it was started for


def _begin(job: Job) -> None:
    """Make ready as a worker process: the main one alone hears Ctrl+C, and none outlives it."""
    from multiprocessing import parent_process

    _JOBS["here"] = job
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()


def _follow(sentinel: int) -> None:
    """End with the main process, however it ended."""
    from multiprocessing.connection import wait

    wait([sentinel])
    os._exit(1)


def _work_here(files: tuple[Listed, ...], codes: Codes) -> Worked:
    return work(_JOBS["here"], files, codes)
