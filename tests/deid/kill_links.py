"""Kill a process that gives out codes again and again, and ask the table what it still has."""

from __future__ import annotations

import os
import random
import secrets
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from napari_medlabel.deid.keys.table import LinkTable, begin_links

KEY = bytes(range(32))


@dataclass
class Result:
    """What a campaign found."""

    kills: int = 0
    told: int = 0
    lost: int = 0
    shared: int = 0
    torn: int = 0


def _give_until_killed(path: Path, memory: Path, pipe: int, start: int) -> None:
    with LinkTable(path, KEY, secrets.token_bytes, memory=memory) as table:
        for number in range(start, start + 1_000_000):
            code = table.code_for("Clinic", f"MRN{number}" + "x" * (number % 700))
            os.write(pipe, f"{number} {code}\n".encode())


def campaign(folder: Path, kills: int) -> Result:
    """Let processes write a table one after another, kill each; a new table every 50."""
    rng, total = random.Random(7), Result()  # noqa: S311 - times to wait, no secret
    for first in range(0, kills, 50):
        place = folder / str(first)
        place.mkdir()
        _one_table(place, min(50, kills - first), rng, total)
    return total


def _one_table(folder: Path, kills: int, rng: random.Random, result: Result) -> None:
    path, memory = folder / "key.links", folder / "memory"
    begin_links(path, KEY, secrets.token_bytes)
    for round_number in range(kills):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reader)
                _give_until_killed(path, memory, writer, round_number * 1_000_000)
            finally:
                os._exit(1)
        os.close(writer)
        time.sleep(0.002 + rng.random() * 0.06)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reader, "rb") as stream:
            lines = stream.read().decode().splitlines(keepends=True)
        whole = [line.split() for line in lines if line.endswith("\n")]
        result.told += len(whole)
        result.kills += 1
        size = path.stat().st_size
        with LinkTable(path, KEY, secrets.token_bytes, memory=memory) as table:
            result.torn += path.stat().st_size < size
            for number, code in whole:
                name = f"MRN{number}" + "x" * (int(number) % 700)
                result.lost += table.known("Clinic", name) != code
    with LinkTable(path, KEY, secrets.token_bytes, writable=False) as table:
        codes = [link.code for link in table.links()]
    result.shared += len(codes) - len(set(codes))
