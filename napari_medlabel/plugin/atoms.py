"""What napari says it painted; the only file that knows the form of its paint events.

In napari 0.9 an event carries a list of named tuples with a ``slice_key``; what
``data_setitem`` announces is an older form, ``(indices, old, new)``. Both are private to
napari, so whatever is not understood means: anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Shown = tuple[slice, slice, slice]


def painted_box(atoms: object, shape: tuple[int, int, int]) -> Shown | None:
    """Return a box around all that a paint event changed.

    Parameters
    ----------
    atoms : object
        ``event.value`` of a labels layer's paint event.
    shape : tuple of int
        Shape of the displayed array (z, y, x).

    Returns
    -------
    tuple of slice or None
        In displayed (z, y, x) order; None when the event is not understood.
    """
    if not isinstance(atoms, Iterable):
        return None
    low, high = list(shape), [0, 0, 0]
    for atom in atoms:
        spans = _spans(atom, shape)
        if spans is None:
            return None
        for axis, (start, stop) in enumerate(spans):
            low[axis], high[axis] = min(low[axis], start), max(high[axis], stop)
    if any(a >= b for a, b in zip(low, high, strict=True)):
        return None
    z, y, x = (slice(a, b) for a, b in zip(low, high, strict=True))
    return z, y, x


def _spans(atom: Any, shape: tuple[int, int, int]) -> list[tuple[int, int]] | None:
    key = getattr(atom, "slice_key", None)
    if key is None and isinstance(atom, tuple) and atom:
        key = atom[0]
    if not isinstance(key, tuple) or len(key) != 3:
        return None
    spans = []
    for part, n in zip(key, shape, strict=True):
        span = _span(part, n)
        if span is None:
            return None
        spans.append(span)
    return spans


def _span(part: object, n: int) -> tuple[int, int] | None:
    if isinstance(part, slice):
        start, stop, step = part.indices(n)
        return (start, stop) if step > 0 else None
    numbers = np.asarray(part)
    if numbers.dtype.kind not in "iu" or numbers.size == 0:
        return None
    low, high = int(numbers.min()), int(numbers.max())
    return (low, high + 1) if low >= 0 and high < n else None
