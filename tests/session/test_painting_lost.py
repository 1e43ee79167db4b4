"""A real kill -9 in the middle of steady painting, with the program's own timing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.session.desk import Desk
from napari_medlabel.session.keeper import BUSY_S
from napari_medlabel.session.opening import Wishes, open_case

PROMISED_S = 20.0
PAINTER = """
import sys, time
from pathlib import Path
from napari_medlabel.model import presets
from napari_medlabel.session.desk import open_desk
from napari_medlabel.session.opening import Wishes, open_case

scan, out = map(Path, sys.argv[1:])
wishes = Wishes(presets.scheme("abdomen"), presets.template("abdomen"), folder=out)
session = open_case([scan], open_desk(), wishes, fallback=out)
n = 0
while True:
    session.labels.array[n % 12, n // 12 % 10, n // 120 % 6] = 1
    session.absorb(name="Paint")
    n += 1
    print(n, flush=True)
    time.sleep(0.1)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_at_most_twenty_seconds_of_steady_painting_are_lost_to_kill_9(
    scan: Path,
    desk: Desk,
    wishes: Wishes,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    rounds = max(1, int(os.environ.get("MEDLABEL_KILLS", "3")) // 100)
    losses = []
    for number in range(rounds):
        # After the first writing, at any moment before the next.
        paint_s = BUSY_S + 1.5 + number * 0.7 % BUSY_S
        losses.append(_loss(scan, desk, wishes, tmp_path / f"case-{number}", paint_s))
    record_property("most seconds of painting lost", round(max(losses), 1))
    assert max(losses) <= PROMISED_S


def _loss(scan: Path, desk: Desk, wishes: Wishes, out: Path, paint_s: float) -> float:
    """Paint, kill, recover; return how many seconds of painting are gone."""
    script = out.with_suffix(".py")
    script.write_text(PAINTER)
    times: list[float] = []
    command = [sys.executable, str(script), str(scan), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as painter:

        def listen() -> None:
            assert painter.stdout is not None
            times.extend(time.monotonic() for _line in painter.stdout)

        listener = threading.Thread(target=listen)
        listener.start()
        until = time.monotonic() + 60
        while not times and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(paint_s)
        painter.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        listener.join()
    case = open_case(
        [scan], desk, Wishes(wishes.scheme, wishes.template, folder=out), fallback=out
    )
    try:
        (found,) = case.recoveries
        case.recover(found, None)
        kept = int(np.count_nonzero(case.labels.array))
    finally:
        case.close(discard=True)
    assert 0 < kept <= len(times) + 1
    return killed - times[kept] if kept < len(times) else 0.0
