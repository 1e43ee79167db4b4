"""Several processes on one folder, one of them killed at random: nothing lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.project.cases.version import read_version, whole_versions
from napari_medlabel.project.work.copies import conflicted_copies
from napari_medlabel.session.study.seat import worklist
from tests.session.study.small_study import make_study

PEOPLE = ("m1", "r01", "r02")
CASES = 5
ROOT = Path(__file__).parents[3]


def begin(tmp: Path, code: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.session.study.one_reader", str(tmp), code],
        env=environment,
        cwd=tmp,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_some_time(process: subprocess.Popen[str], wait_s: float) -> bool:
    """Kill a process so long after it sat down; return whether it was still at work."""
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(wait_s)
    at_work = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    process.stdout.close()
    if process.stderr is not None:
        process.stderr.close()
    return at_work


@pytest.mark.skipif(os.name == "nt", reason="there is no such signal")
def test_two_read_at_once_and_one_is_killed_and_comes_back(tmp_path: Path) -> None:
    study = make_study(tmp_path, cases=CASES, readings=2, people=PEOPLE)
    study.close()
    seed = int(os.environ.get("MEDLABEL_KILL_SEED", "7"))
    wait_s = np.random.default_rng(seed).uniform(0.0, 0.4)
    running = [begin(tmp_path, code) for code in PEOPLE[1:]]
    kill_some_time(running.pop(), wait_s)
    running.append(begin(tmp_path, PEOPLE[-1]))
    for process in running:
        _, said = process.communicate(timeout=50)
        assert process.returncode == 0, said
    seat = study.seat("m1")
    now = worklist(seat)
    # Nothing is lost: every reading is there, and so are its files.
    assert now.counts() == {"submitted": 2 * CASES}
    assert not now.strangers
    for row in now.rows:
        assert len({slot.user for slot in row.slots.values()}) == 2
        for slot in row.slots.values():
            code = seat.code_of(slot.user)
            assert slot.gaps + slot.unheard + slot.rivals == ()
            # Nothing is doubled: one version, which is the one in the log.
            assert whole_versions(study.layout, code, row.case) == (1,)
            assert read_version(study.layout, code, row.case, 1).content == slot.content
    steps = Counter((one.case, one.slot, one.action) for one in seat.reader.read())
    assert set(steps.values()) == {1}
    assert conflicted_copies(study.layout) == ()
    # The killed session was cut off, which the log says; nothing in it is broken.
    found = {(one.level, one.code) for one in study.findings()}
    assert not [code for level, code in found if level == "red"]
