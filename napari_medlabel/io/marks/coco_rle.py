"""Run lengths as COCO has them: counted down the columns, plain or packed into letters.

The packing is that of the COCO API's masks: each count as the difference from the count before
the last, in groups of five bits, 48 added to each (T.-Y. Lin, P. Dollar, maskApi.c).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError

_BITS: Final = 5
_MORE: Final = 0x20
_SIGN: Final = 0x10
_FIRST: Final = 48
_LONGEST: Final = 13  # groups of five bits in a count of 63 bits
_DAMAGED: Final = "The run lengths of a COCO mask are damaged."
_HINT: Final = "Export the masks again."


def to_counts(mask: npt.NDArray[np.bool_]) -> list[int]:
    """Return the run lengths of a mask: background first, then by turns.

    Parameters
    ----------
    mask : ndarray of bool, shape (columns, rows)
        A slice (i, j): rows run fastest, as COCO counts.
    """
    flat = np.ascontiguousarray(mask).reshape(-1)
    ends = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts = [0] if flat.size and flat[0] else []
    edges = np.concatenate([np.array([0, *starts], np.int64), ends, [flat.size]])
    counts: list[int] = np.diff(edges).tolist()
    return counts


def from_counts(counts: Sequence[int], columns: int, rows: int) -> npt.NDArray[np.bool_]:
    """Return the mask of run lengths, shape (columns, rows).

    Raises
    ------
    InputError
        When they do not fill the picture exactly.
    """
    size = columns * rows
    try:
        runs = np.array(counts, dtype=np.int64)
    except (ValueError, TypeError, OverflowError) as err:
        raise InputError(_DAMAGED, hint=_HINT) from err
    is_sane = runs.ndim == 1 and 0 < len(runs) <= size + 1 and 0 <= runs.min() <= runs.max()
    if not is_sane or int(runs.max()) > size or int(runs.sum()) != size:
        raise InputError(_DAMAGED, hint=_HINT)
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(columns, rows)


def pack(counts: Sequence[int]) -> str:
    """Return run lengths as letters."""
    letters = bytearray()
    for n, count in enumerate(counts):
        value = count - counts[n - 2] if n > 2 else count
        while True:
            group = value & 0x1F
            value >>= _BITS
            more = value != -1 if group & _SIGN else value != 0
            letters.append(group + _FIRST + (_MORE if more else 0))
            if not more:
                break
    return letters.decode("ascii")


def unpack(letters: str) -> list[int]:
    """Return the run lengths that letters stand for.

    Raises
    ------
    InputError
        When a letter is none of them, or the last count is cut off.
    """
    counts: list[int] = []
    value = shift = 0
    for letter in letters:
        group = ord(letter) - _FIRST
        if not 0 <= group < 2 * _MORE or shift > _BITS * _LONGEST:
            raise InputError(_DAMAGED, hint=_HINT)
        value |= (group & 0x1F) << shift
        shift += _BITS
        if group & _MORE:
            continue
        if group & _SIGN:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise InputError(_DAMAGED, hint=_HINT)
    return counts
