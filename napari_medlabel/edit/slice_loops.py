"""The compiled loops over a slice once they are ready: until then callers go another way."""

from __future__ import annotations

import threading
from functools import cache
from types import ModuleType
from typing import Final

_loaded: Final[list[ModuleType]] = []


def ready() -> ModuleType | None:
    """Return `slice_kernels` when it is compiled, else None; the first call begins compiling.

    Compiling takes some seconds the first time on a machine and some tenths later: a thread
    does it while the mouse is served by scipy, with the same results.
    """
    if _loader().is_alive():
        return None
    return _loaded[0] if _loaded else None


def wait() -> bool:
    """Wait until the loops are ready; return whether there is a compiler at all."""
    _loader().join()
    return bool(_loaded)


@cache
def _loader() -> threading.Thread:
    thread = threading.Thread(target=_load, name="compile-slice-loops", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    try:
        from napari_medlabel.edit import slice_kernels
    except ImportError:  # numba is optional
        return
    slice_kernels.warm()
    _loaded.append(slice_kernels)
