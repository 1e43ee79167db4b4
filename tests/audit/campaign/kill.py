"""Kill a writing process again and again, and ask the log what it still has."""

from __future__ import annotations

import os
import random
import shutil
import signal
import struct
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.disk import SystemClock, SystemIo
from tests.audit.bench import SAVE, Bench
from tests.audit.campaign.figure import Figure, is_cleared, reds

Write = Callable[..., None]


def write_for_ever(bench: Bench, told: Callable[[int], None], rng: random.Random) -> None:
    """Append events as the program does, and tell the number after each acknowledgement."""
    log = bench.open(io=SystemIo(), clock=SystemClock())
    told(log.head.size)
    while True:
        log.append_many([SAVE] * rng.choice((1, 1, 1, 5, 40)))
        told(log.head.size)


def write_buffered(bench: Bench, told: Callable[[int], None], rng: random.Random) -> None:
    """Append events through a buffer that nobody empties: what must not be done."""

    class Buffered(SystemIo):
        def __init__(self) -> None:
            super().__init__()
            self.kept: dict[int, bytearray] = {}

        def write(self, fd: int, data: bytes) -> int:
            waiting = self.kept.setdefault(fd, bytearray())
            waiting += data
            if len(waiting) > 8192:
                os.write(fd, waiting)
                waiting.clear()
            return len(data)

        def sync(self, fd: int) -> None:
            return

    log = bench.open(io=Buffered(), clock=SystemClock())
    told(log.head.size)
    while True:
        log.append_many([SAVE] * rng.choice((1, 1, 1, 5)))
        told(log.head.size)


def _tell(pipe: int, number: int) -> None:
    os.write(pipe, struct.pack("<I", number))


def killed(act: Callable[[Callable[[int], None]], None], wait_s: float) -> int:
    """Fork, act in the child, kill it after a while; return the last number that it told."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            act(partial(_tell, writer))
        finally:
            os._exit(1)
    os.close(writer)
    time.sleep(wait_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    whole = told[: len(told) // 4 * 4]
    return struct.unpack("<I", whole[-4:])[0] if whole else 0


def campaign(
    folder: Path, kills: int, write: Write = write_for_ever, *, control: bool = False
) -> Figure:
    """Kill `kills` writers, each with a log of its own, and count."""
    rng = random.Random(7)  # noqa: S311 - times to wait, no secret
    what = "kill -9 while events are appended"
    result = Figure(
        f"control: {what}, through a buffer" if control else what, is_control=control
    )
    begun = time.perf_counter()
    for number in range(kills):
        bench = Bench(folder / str(number))
        acknowledged = killed(
            partial(write, bench, rng=rng),
            0.002 + rng.random() * 0.04,
        )
        rng.random()
        result.runs += 1
        if acknowledged:
            _judge(bench, acknowledged, result)
        shutil.rmtree(folder / str(number), ignore_errors=True)
    result.seconds = time.perf_counter() - begun
    return result


def _judge(bench: Bench, acknowledged: int, result: Figure) -> None:
    result.acknowledged += acknowledged
    report = verify_log(bench.root, state=bench.state)
    result.lost += max(0, acknowledged - report.events)
    if result.is_control:
        return
    result.alarms += reds(report)
    bench.open(io=SystemIo(), clock=SystemClock()).close()
    cleared = verify_log(bench.root, state=bench.state)
    result.alarms += reds(cleared)
    result.uncleared += not is_cleared(cleared)
