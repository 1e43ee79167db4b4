"""Let real system calls fail under a log: EIO, ENOSPC, EDQUOT and short writes, each in turn.

A small library stands before libc (``LD_PRELOAD``) in a helper process; its children write
a log each. After an error nothing may be acknowledged that is not on the disk, and every
later gated action must be refused.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.disk import SystemClock, SystemIo
from napari_medlabel.errors import LogError
from tests.audit.bench import SAVE, Bench
from tests.audit.campaign.figure import Figure, is_cleared, reds

_WRITE, _SYNC, _SHORT = 1, 2, 0
_CODES = {
    _WRITE: (errno.EIO, errno.ENOSPC, errno.EDQUOT, _SHORT),
    _SYNC: (errno.EIO, errno.ENOSPC, errno.EDQUOT),
}
_APPENDS = 12


def why_not() -> str:
    """Return why system calls cannot be made to fail here, or nothing."""
    if not sys.platform.startswith("linux"):
        return "system calls are made to fail through LD_PRELOAD, on Linux"
    return "" if shutil.which("cc") else "there is no C compiler"


def campaign(folder: Path, calls: int = 14) -> Figure:
    """Let each of the first `calls` calls fail in every way, and count."""
    folder.mkdir(parents=True, exist_ok=True)
    library = folder / "fault.so"
    source = Path(__file__).with_name("fault.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tests.audit.campaign.faults", folder, str(calls)],
        env={**os.environ, "LD_PRELOAD": str(library)},
        cwd=Path(__file__).parents[3],
        check=True,
        capture_output=True,
        text=True,
    )
    figure = Figure(**json.loads(done.stdout))
    figure.seconds = time.perf_counter() - begun
    return figure


def _child(bench: Bench, fault: tuple[int, int, int], pipe: int) -> None:
    """Write a log while a call of its file fails; tell what was promised and allowed."""
    kind, nth, code = fault
    ctypes.CDLL(None).fault_set(kind, nth, code, b"/writers/")
    told = allowed_after = failed = 0
    try:
        log = bench.open(io=SystemIo(), clock=SystemClock())
    except LogError:
        failed, log = 1, None
    if log is not None:
        told = log.head.size
        for _ in range(_APPENDS):
            try:
                log.append_many([SAVE])
            except LogError:
                failed = 1
            else:
                allowed_after += failed
                told = log.head.size
    os.write(pipe, json.dumps([told, allowed_after, failed]).encode())


def _run(bench: Bench, fault: tuple[int, int, int]) -> tuple[int, int, int]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _child(bench, fault, writer)
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as stream:
        told, allowed, failed = json.loads(stream.read())
    return told, allowed, failed


def _all(folder: Path, calls: int) -> Figure:
    result = Figure("EIO, ENOSPC, EDQUOT and short writes, at each call")
    for kind, codes in _CODES.items():
        for code in codes:
            for nth in range(1, calls + 1):
                bench = Bench(folder / f"{kind}-{code}-{nth}")
                told, allowed, _failed = _run(bench, (kind, nth, code))
                result.runs += 1
                result.acknowledged += told
                result.alarms += allowed  # an action that was not refused
                if not told:
                    continue
                report = verify_log(bench.root, state=bench.state)
                result.lost += max(0, told - report.events)
                result.alarms += reds(report)
                bench.open(io=SystemIo(), clock=SystemClock()).close()
                result.uncleared += not is_cleared(verify_log(bench.root, state=bench.state))
    return result


if __name__ == "__main__":
    print(json.dumps(vars(_all(Path(sys.argv[1]), int(sys.argv[2])))))
