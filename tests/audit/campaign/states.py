"""Every state that a crash may leave of a small log: prefixes, zeros, missing sectors."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator
from pathlib import Path

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.disk import PRIVATE
from tests.audit.bench import SAVE, Bench, FakeIo
from tests.audit.campaign.figure import Figure, reds

_SECTOR = 512
_MOST_SUBSETS = 600


class _Recorder(FakeIo):
    """Notes what was written, synced and acknowledged, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: dict[int, Path] = {}
        self.steps: list[tuple[str, Path | None, bytes | int]] = []

    def create(self, path: Path, mode: int = PRIVATE) -> int:
        fd = super().create(path, mode)
        self.paths[fd] = path
        return fd

    def write(self, fd: int, data: bytes) -> int:
        self.steps.append(("write", self.paths[fd], bytes(data)))
        return super().write(fd, data)

    def sync(self, fd: int) -> None:
        self.steps.append(("sync", self.paths[fd], 0))


def _torn(full: bytes, base: int, rng: random.Random) -> Iterator[bytes]:
    """Yield what may be there of the bytes from `base` on, which no sync has confirmed."""
    yield from (full[:end] for end in range(base, len(full) + 1))
    yield from (full[:end] + bytes(len(full) - end) for end in range(base, len(full) + 1, 7))
    sectors = range(base // _SECTOR, (len(full) - 1) // _SECTOR + 1)
    subsets = list(itertools.product((False, True), repeat=len(sectors)))
    for kept in rng.sample(subsets, min(len(subsets), _MOST_SUBSETS)):
        data = bytearray(full)
        for sector, keep in zip(sectors, kept, strict=True):
            if not keep:
                low, high = max(base, sector * _SECTOR), min(len(full), (sector + 1) * _SECTOR)
                data[low:high] = bytes(high - low)
        yield bytes(data)


def crash_states(bench: Bench) -> Iterator[tuple[Path, bytes, int]]:
    """Yield a small log's file, what a crash may leave of it, and what was promised."""
    io = _Recorder()
    log = bench.open(io=io)
    io.steps.append(("told", None, log.head.size))
    for number in range(6):
        log.append_many([SAVE] * (1 if number % 2 else 3))
        io.steps.append(("told", None, log.head.size))
    log.close()
    io.steps.append(("told", None, log.head.size))
    rng = random.Random(7)  # noqa: S311 - a sample, no secret
    durable, waiting, told = b"", b"", 0
    for kind, path, value in io.steps:
        if kind == "told":
            told = int(value)  # type: ignore[call-overload]
        if path != log.path:
            continue
        if kind == "write":
            waiting += bytes(value)  # type: ignore[arg-type]
            yield from (
                (log.path, data, told) for data in _torn(durable + waiting, len(durable), rng)
            )
        else:
            durable, waiting = durable + waiting, b""
            yield log.path, durable, told


def campaign(folder: Path, every: int = 1) -> Figure:
    """Verify each state (or each `every`-th) as a computer would that remembers nothing.

    A state in which an acknowledged event is missing would be a loss; one that is called
    changed would be a false alarm.
    """
    bench = Bench(folder)
    result = Figure("every crash state of a small log")
    begun = time.perf_counter()
    for number, (path, data, told) in enumerate(list(crash_states(bench))):
        if number % every:
            continue
        path.write_bytes(data)
        report = verify_log(bench.root, state=None)
        result.runs += 1
        result.acknowledged += told
        result.lost += max(0, told - report.events)
        result.alarms += reds(report)
    result.seconds = time.perf_counter() - begun
    return result
