"""Pixels of sorted instances -> one (k, j, i) array: read, decoded and rescaled in one pass.

Each slice is read, unmasked and rescaled while it is in the processor's cache, by a few
threads: reading, hashing, decoding and NumPy's arithmetic all release the interpreter's lock.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom_codecs import decode_frame
from napari_medlabel.io.dicom_header import Instance
from napari_medlabel.io.voxels import ROUNDED, require_room, smallest_whole

Progress = Callable[[int, int], None]
Array = npt.NDArray[Any]
_MOST_THREADS: Final = 8
_LARGEST_RATIO: Final = 1000  # bytes out per byte in, beyond which a compressed image is a bomb
_FLOAT32_EXACT: Final = 1 << 24


@dataclass(frozen=True)
class Plan:
    """How stored values become voxel values.

    Parameters
    ----------
    stored : dtype
        Of one stored slice, native.
    result : dtype
        Of the array to fill.
    offset : int or None
        A whole number to add in place to every slice; None where each slice has its own slope.
    """

    stored: np.dtype[Any]
    result: np.dtype[Any]
    offset: int | None


def make_plan(instances: Sequence[Instance]) -> Plan:
    """Choose the smallest exact dtype; where slopes are fractional or differ, float32."""
    first = instances[0]
    kinds = {(one.allocated, one.signed) for one in instances}
    if len(kinds) > 1:
        raise InputError(
            "All slices must be stored in one way; Bits Allocated or Pixel Representation "
            "differ.",
            hint="Export the series again from its source.",
        )
    stored = np.dtype(f"{'i' if first.signed else 'u'}{first.allocated // 8}")
    scalings = {(one.slope, one.intercept) for one in instances}
    if scalings == {(1.0, 0.0)}:
        return Plan(stored, stored, 0)
    if len(scalings) > 1 or not (first.slope.is_integer() and first.intercept.is_integer()):
        return Plan(stored, np.dtype(np.float32), None)
    bits = max(one.stored for one in instances)
    ends = (-(1 << bits - 1), (1 << bits - 1) - 1) if first.signed else (0, (1 << bits) - 1)
    scaled = [int(end * first.slope + first.intercept) for end in ends]
    if first.slope == 1.0 and first.allocated <= 16 and abs(first.intercept) < 1 << 15:
        # In place, into the signed type of the same size; `fill` widens what does not fit.
        return Plan(stored, np.dtype(f"i{stored.itemsize}"), int(first.intercept))
    if max(abs(value) for value in scaled) >= 1 << 31:
        return Plan(stored, np.dtype(np.float32), None)
    return Plan(stored, smallest_whole(min(scaled), max(scaled)), None)


def fill(
    instances: Sequence[Instance], *, progress: Progress | None, hashes: bool
) -> tuple[Array, tuple[str, ...], tuple[str, ...]]:
    """Read all slices.

    Parameters
    ----------
    instances : sequence of Instance
        In slice order, of one matrix.
    progress : callable or None
        Called with slices done and slices in all, in the caller's thread.
    hashes : bool
        Whether to compute each file's SHA-256 on the way.

    Returns
    -------
    array : ndarray, shape (k, j, i)
        Rescaled values, C order.
    sha256 : tuple of str
        Hex digests in slice order; empty when not asked for.
    warnings : tuple of str
        Doubts about the values.

    Raises
    ------
    InputError
        When a slice is damaged or cannot be decoded.
    """
    plan = make_plan(instances)
    out = _allocate(instances, plan.result)
    # Per slice: lowest and highest stored value, to see afterwards whether all of them fitted.
    extremes = np.zeros((len(instances), 2), dtype=np.int64)
    scratch = threading.local()

    def one_slice(k: int) -> str:
        digest, stored = _read_slice(instances, k, plan, out[k], scratch, hashes=hashes)
        extremes[k] = _unmask(stored, instances[k])
        if plan.offset is None:
            _rescale(stored, instances[k], out[k])
        elif plan.offset:
            target = out[k].view(plan.stored)
            np.add(target, np.array(plan.offset).astype(plan.stored), out=target)
        return digest

    digests = _in_threads(one_slice, len(instances), progress)
    array = _widen(out, plan, int(extremes[:, 0].min()), int(extremes[:, 1].max()))
    exact = plan.result != np.float32 or np.abs(extremes).max() <= _FLOAT32_EXACT
    doubts = () if exact else (ROUNDED,)
    return array, tuple(digests) if hashes else (), doubts


def _allocate(instances: Sequence[Instance], dtype: np.dtype[Any]) -> Array:
    """Make room for all slices, once it is certain that their files can hold as many pixels."""
    for number, one in enumerate(instances, start=1):
        if one.pixel_bytes > one.size * _LARGEST_RATIO:
            raise InputError(
                f"The matrix of slice {number} of {len(instances)} is far larger than its file "
                "can hold.",
                hint="The header is damaged; export the series again from its source.",
            )
    shape = (len(instances), instances[0].rows, instances[0].columns)
    require_room(math.prod(shape) * dtype.itemsize)
    return np.empty(shape, dtype)


def _in_threads(work: Callable[[int], str], count: int, progress: Progress | None) -> list[str]:
    results = []
    pool = ThreadPoolExecutor(max_workers=min(_MOST_THREADS, os.cpu_count() or 1))
    try:
        for done, result in enumerate(_in_order(pool, work, count), start=1):
            results.append(result)
            if progress is not None:
                progress(done, count)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return results


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[int], str], count: int
) -> Iterator[str]:
    return pool.map(work, range(count))


def _read_slice(
    instances: Sequence[Instance],
    k: int,
    plan: Plan,
    target: Array,
    scratch: threading.local,
    *,
    hashes: bool,
) -> tuple[str, Array]:
    """Return the file's digest and the stored values, in ``target`` itself where that fits."""
    one, where = instances[k], f"slice {k + 1} of {len(instances)}"
    in_place = plan.offset is not None
    native = one.is_native and sys.byteorder == "little"
    if native and in_place and not hashes:
        stored = target.view(plan.stored)
        _read_at(one.path, one.pixel_offset or 0, stored, where)
        return "", stored
    data = _read_whole(one, scratch, where)
    digest = sha256(data).hexdigest() if hashes else ""
    if native:
        count = one.rows * one.columns
        frame = np.frombuffer(data, plan.stored, count, one.pixel_offset or 0)
        frame = frame.reshape(one.rows, one.columns)
    else:
        frame = decode_frame(one, data, plan.stored, where)
    if in_place:
        stored = target.view(plan.stored)
        np.copyto(stored, frame)
        return digest, stored
    return digest, frame.copy()


def _read_at(path: Path, offset: int, target: Array, where: str) -> None:
    view = target.data.cast("B")
    try:
        with path.open("rb", buffering=0) as stream:
            stream.seek(offset)
            done = 0
            while done < len(view):
                got = stream.readinto(view[done:])
                if not got:
                    break
                done += got
    except OSError as err:
        raise _unreadable(where) from err
    if done != len(view):
        raise InputError(
            f"The series is damaged: {where} ends inside its pixel data.",
            hint="The file was cut off; copy or export the series again.",
        )


def _read_whole(one: Instance, scratch: threading.local, where: str) -> memoryview:
    """Read a file into this thread's buffer, which the next slice overwrites."""
    buffer: bytearray | None = getattr(scratch, "buffer", None)
    if buffer is None or len(buffer) < one.size:
        buffer = bytearray(one.size)
        scratch.buffer = buffer
    _read_at(one.path, 0, np.frombuffer(buffer, np.uint8, one.size), where)
    return memoryview(buffer)[: one.size]


def _unreadable(where: str) -> InputError:
    return InputError(
        f"The file of {where} cannot be read.",
        hint="Check that it still exists and that you may read it.",
    )


def _unmask(stored: Array, one: Instance) -> tuple[int, int]:
    """Clear or sign-extend the bits outside Bits Stored, in place; return the extremes."""
    # Zero is bound enough where there are no signs, and one pass less.
    low, high = int(stored.min()) if one.signed else 0, int(stored.max())
    if one.stored == one.allocated:
        return low, high
    top = 1 << (one.stored - 1 if one.signed else one.stored)
    if one.high_bit == one.stored - 1 and high < top and low >= (-top if one.signed else 0):
        return low, high
    # Shifting left drops what lies above High Bit; shifting back drops what lies below, and
    # copies the sign where the type is signed.
    np.left_shift(stored, one.allocated - 1 - one.high_bit, out=stored)
    np.right_shift(stored, one.allocated - one.stored, out=stored)
    return int(stored.min()), int(stored.max())


def _rescale(stored: Array, one: Instance, target: Array) -> None:
    scaled = stored * np.float64(one.slope) + one.intercept
    np.copyto(target, scaled, casting="unsafe")


def _widen(out: Array, plan: Plan, low: int, high: int) -> Array:
    """Undo an in-place sum that ran over, in the next larger type."""
    if not plan.offset:
        return out
    limits = np.iinfo(plan.result)
    if limits.min <= low + plan.offset and high + plan.offset <= limits.max:
        return out
    stored = out.view(plan.stored)
    np.subtract(stored, np.array(plan.offset).astype(plan.stored), out=stored)
    wide: Array = stored.astype(np.int32 if plan.stored.itemsize == 2 else np.int16)
    np.add(wide, plan.offset, out=wide)
    return wide
