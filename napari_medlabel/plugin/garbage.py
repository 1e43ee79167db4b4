"""Garbage: napari looks for it each time a layer goes, through all there is; here once, later.

napari collects before it draws without a layer, against a fault of some drivers of Windows
(see `napari._vispy.canvas`): there it is left as it is.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

_CANVAS = "napari._vispy.canvas"
_YOUNG = 1


@contextmanager
def young_garbage(platform: str = sys.platform) -> Iterator[None]:
    """Let napari look among young objects only while layers leave; the rest is for later.

    Parameters
    ----------
    platform : str
        As `sys.platform` has it: on Windows nothing changes.
    """
    canvas = sys.modules.get(_CANVAS)
    known = getattr(canvas, "gc", None)
    if platform == "win32" or known is not gc:
        yield  # no window, or another napari, or this is under way already
        return
    canvas.gc = SimpleNamespace(collect=lambda: gc.collect(_YOUNG))  # type: ignore[union-attr]
    try:
        yield
    finally:
        canvas.gc = known  # type: ignore[union-attr]
