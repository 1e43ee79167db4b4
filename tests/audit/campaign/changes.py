"""Change a closed log in every small way, and count what verification does not notice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from napari_medlabel.audit.check.verify import verify_log
from tests.audit.bench import SAVE, Bench
from tests.audit.campaign.figure import Figure, reds

MASKS = (0x01, 0x04, 0x20, 0x80)


def _log(bench: Bench) -> Path:
    with bench.open() as log:
        for number in range(6):
            log.append_many([SAVE] * (1 + number % 3))
    return log.path


def flips(data: bytes, every: int) -> Iterator[bytes]:
    """Yield the file with one byte changed, four ways for every `every`-th byte."""
    for place in range(0, len(data), every):
        for mask in MASKS:
            changed = bytearray(data)
            changed[place] ^= mask
            yield bytes(changed)


def edits(data: bytes) -> Iterator[bytes]:
    """Yield the file with a line gone, doubled, swapped or put in, or its end cut off."""
    lines = data.splitlines(keepends=True)
    for n, line in enumerate(lines):
        before, after = lines[:n], lines[n + 1 :]
        yield b"".join(before + after)
        yield b"".join([*before, line, line, *after])
        yield b"".join([*before, line, lines[-1], *after])
        if after:
            yield b"".join([*before, after[0], line, *after[1:]])
            yield b"".join([*before, line])
    for end in range(1, len(data), 53):
        yield data[:end]


def _count(bench: Bench, path: Path, changed: Iterator[bytes], result: Figure) -> Figure:
    begun, good = time.perf_counter(), path.read_bytes()
    for data in changed:
        if data == good:
            continue
        path.write_bytes(data)
        result.runs += 1
        result.alarms += not reds(verify_log(bench.root, state=bench.state))
    path.write_bytes(good)
    result.seconds = time.perf_counter() - begun
    return result


def campaign(folder: Path, every: int = 1) -> list[Figure]:
    """Return what is not detected with this computer's memory as the only anchor."""
    bench = Bench(folder)
    path = _log(bench)
    data = path.read_bytes()
    return [
        _count(bench, path, flips(data, every), Figure("one byte changed")),
        _count(
            bench,
            path,
            edits(data),
            Figure("a line deleted, doubled, put in or swapped, or the end cut off"),
        ),
    ]


def control(folder: Path) -> Figure:
    """Cut the end off at each seal where nobody remembers it: it must go unnoticed."""
    bench = Bench(folder)
    path = _log(bench)
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    result = Figure("control: the end cut off at a seal, without any anchor", is_control=True)
    begun = time.perf_counter()
    for n, line in enumerate(lines[:-1]):
        if line.startswith(b'{"seal"'):
            path.write_bytes(b"".join(lines[: n + 1]))
            result.runs += 1
            result.alarms += not reds(verify_log(bench.root, state=None))
    result.seconds = time.perf_counter() - begun
    return result
