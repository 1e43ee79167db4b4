"""Kill a writing process again and again, and ask the log what it still has."""

from __future__ import annotations

import os
import random
import signal
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.disk import SystemClock, SystemIo
from tests.audit.bench import SAVE, Bench


@dataclass
class Result:
    """What a campaign found."""

    kills: int = 0
    after_acknowledgement: int = 0
    acknowledged: int = 0
    lost: int = 0
    blamed: int = 0
    not_cleared: int = 0


def _write_until_killed(bench: Bench, pipe: int, rng: random.Random) -> None:
    log = bench.open(io=SystemIo(), clock=SystemClock())
    os.write(pipe, struct.pack("<I", log.head.size))
    while True:
        log.append_many([SAVE] * rng.choice((1, 1, 1, 5, 40)))
        os.write(pipe, struct.pack("<I", log.head.size))


def _one(bench: Bench, rng: random.Random) -> int:
    """Start a writer, kill it, return how many events it had acknowledged."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            _write_until_killed(bench, writer, rng)
        finally:
            os._exit(1)
    os.close(writer)
    time.sleep(0.002 + rng.random() * 0.04)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    return struct.unpack("<I", told[-4:])[0] if told else 0


def campaign(folder: Path, kills: int) -> Result:
    """Kill `kills` writers, each with a log of its own, and count."""
    rng, result = random.Random(7), Result()  # noqa: S311 - times to wait, no secret
    for number in range(kills):
        bench = Bench(folder / str(number))
        acknowledged = _one(bench, rng)
        result.kills += 1
        if not acknowledged:
            continue
        result.after_acknowledgement += 1
        result.acknowledged += acknowledged
        report = verify_log(bench.root, state=bench.state)
        result.lost += max(0, acknowledged - report.events)
        result.blamed += report.verdict is Verdict.RED
        bench.open(io=SystemIo(), clock=SystemClock()).close()
        cleared = verify_log(bench.root, state=bench.state)
        result.not_cleared += cleared.verdict is not Verdict.GREEN
    return result
