"""Files that were changed at random are read or refused in words, in two seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE_S = 20
SECONDS = float(os.environ.get("MEDLABEL_FUZZ_SECONDS", SUITE_S))
# The same changes each time in the suite; others by hand.
SEED = ["7"] if "MEDLABEL_FUZZ_SECONDS" not in os.environ else []


@pytest.mark.slow
@pytest.mark.timeout(SECONDS * 3 + 120)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs forks and /proc")
def test_changed_files_are_read_or_refused_in_words(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.io.fuzz", str(tmp_path), str(SECONDS), *SEED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    found = [row for row in rows if "error" in row]
    assert not found, json.dumps([rows[-1], *found], indent=1)
    tried = [row["tried"] for row in rows if "tried" in row]
    assert len(tried) >= 10
    assert min(tried) > 0
