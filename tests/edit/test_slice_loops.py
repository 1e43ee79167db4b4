"""The compiled loops never keep anybody waiting, and do without numba."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from napari_medlabel.edit import slice_loops


def test_the_first_call_does_not_wait_for_the_compiler() -> None:
    said = run(
        """
        from napari_medlabel.edit import slice_loops
        print(slice_loops.ready())
        print(slice_loops.wait(), slice_loops.ready() is not None)
        """
    )
    assert said == ["None", "True True"]


def test_without_numba_the_tools_work_on() -> None:
    said = run(
        """
        import sys
        sys.modules["numba"] = None
        import numpy as np
        from napari_medlabel.edit import slice_loops
        from napari_medlabel.edit.livewire import LiveWire
        from napari_medlabel.edit.tracing import level_trace
        print(slice_loops.wait(), slice_loops.ready())
        print(level_trace(np.eye(4), (1, 1), tolerance=0.5).sum())
        wire = LiveWire(np.eye(9), (1, 1))
        wire.anchor((0, 0))
        print(len(wire.path_to((8, 8))))
        """
    )
    assert said[0] == "False None"
    assert len(said) == 3


def test_once_ready_it_stays_ready() -> None:
    assert slice_loops.wait()
    assert slice_loops.ready() is slice_loops.ready()


def run(program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.splitlines()
