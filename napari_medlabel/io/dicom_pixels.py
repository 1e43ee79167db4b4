"""Pixels of sorted planes -> one (t, k, j, i) array: read, decoded and rescaled in one pass.

Each plane is read, unmasked and rescaled while it is in the processor's cache, by a few
threads: reading, hashing, decoding and NumPy's arithmetic all release the interpreter's lock.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom_coding import PALETTE, Coding, coding_of
from napari_medlabel.io.dicom_colour import (
    NARROWED,
    Palette,
    is_colour,
    read_palette,
    to_rgb,
)
from napari_medlabel.io.dicom_frames import read_into
from napari_medlabel.io.dicom_header import Instance
from napari_medlabel.io.dicom_plane import Plane
from napari_medlabel.io.dicom_quiet import read_dataset
from napari_medlabel.io.dicom_stored import (
    SURPLUS,
    Frame,
    Pixels,
    open_pixels,
    require_possible,
    unmasked,
)
from napari_medlabel.io.dicom_values import (
    OUTSIDE,
    Linear,
    Meaning,
    apply,
    meaning_of,
    result_type,
)
from napari_medlabel.io.voxels import ROUNDED, brightness, require_room

Progress = Callable[[int, int], None]
Preview = Callable[[npt.NDArray[Any]], None]
Array = npt.NDArray[Any]
_MOST_THREADS: Final = 8
_MOST_AT_ONCE: Final = 64  # native planes that one thread reads before it asks for more
_SLOW_AT_ONCE: Final = 2
_HASHED_AT_ONCE: Final = 1 << 20
_FLOAT32_EXACT: Final = 1 << 24


@dataclass(frozen=True, eq=False)
class Filled:
    """Voxels of a series.

    Parameters
    ----------
    array : ndarray, shape (t, k, j, i)
        Values, C order, native; of colours their brightness.
    colour : ndarray of uint8, shape (k, j, i, 3), or None
        Red, green and blue of the first volume, where pixels have colours.
    sha256 : tuple of str
        Hex digest of each file, in the order in which planes first use them; empty when not
        asked for.
    warnings : tuple of str
        Doubts about the values, in words.
    quantity : str
        What the values measure, with its unit; empty where that is not known.
    """

    array: Array
    colour: npt.NDArray[np.uint8] | None
    sha256: tuple[str, ...]
    warnings: tuple[str, ...]
    quantity: str


class _Piece(NamedTuple):
    """One plane: its number among the planes, and its place in the array."""

    number: int
    t: int
    k: int


class _Work(NamedTuple):
    """All planes of one file, and how it is called in messages."""

    one: Instance
    order: int
    where: str
    frames: dict[int, list[_Piece]]


@dataclass(eq=False)
class _Job:
    """What the threads share: the result, and what they noticed."""

    planes: Sequence[Plane]
    codings: Sequence[Coding]
    meaning: Meaning
    out: Array
    colour: npt.NDArray[np.uint8] | None
    offset: int | None
    hashes: bool
    extremes: npt.NDArray[np.int64]
    digests: list[str]
    palettes: dict[int, Palette] = field(default_factory=dict)
    surplus: set[int] = field(default_factory=set)
    notices: set[str] = field(default_factory=set)
    scratch: threading.local = field(default_factory=threading.local)


def fill(  # noqa: PLR0913 - what reading asks for, each with a name
    planes: Sequence[Plane],
    *,
    volumes: int,
    slices: int,
    missing: tuple[int, ...] = (),
    progress: Progress | None,
    hashes: bool,
    values: str = "rescaled",
    preview: Preview | None = None,
) -> Filled:
    """Read all planes of a series.

    Parameters
    ----------
    planes : sequence of Plane
        Volume after volume, each in slice order, without those that are missing.
    volumes, slices : int
        Sizes of the array along t and k.
    missing : tuple of int
        Slices that no volume has. They are filled with the smallest value that the other
        slices have, which looks like background and widens no range; colours with black.
    progress : callable or None
        Called with planes done and planes in all, in the caller's thread. What it raises ends
        the reading.
    hashes : bool
        Whether to compute each file's SHA-256 on the way.
    values : str
        What values are wanted, see `io.dicom_values.meaning_of`.
    preview : callable or None
        Called once, in the caller's thread, with the array of shape (t, k, j, i) as soon as the
        middle slice of the first volume is in place. It is the array that will be returned and
        goes on filling; only where a sum overflows its type another one is returned.

    Raises
    ------
    InputError
        When a file is damaged or cannot be decoded, or does not give the values asked for.
    """
    job, works = _prepare(planes, volumes, slices, missing, values=values, hashes=hashes)
    if preview is not None:
        job.out.fill(0)
    count = len(planes)
    done = 0
    if preview is not None:
        middle = _middle(works, slices)
        done += _run(job, works[middle])
        works = [work for number, work in enumerate(works) if number != middle]
        preview(job.out)
    if progress is not None and done:
        progress(done, count)
    for finished in _in_threads(job, works):
        for _ in range(finished):
            done += 1
            if progress is not None:
                progress(done, count)
    return _finish(job, missing)


def _prepare(
    planes: Sequence[Plane],
    volumes: int,
    slices: int,
    missing: tuple[int, ...],
    *,
    values: str,
    hashes: bool,
) -> tuple[_Job, list[_Work]]:
    present = [k for k in range(slices) if k not in set(missing)]
    if not planes or len(planes) != volumes * len(present):
        raise InputError(
            f"{volumes} volumes of {len(present)} slices are expected; there are {len(planes)} "
            "planes.",
            hint="This is a fault in the reader; please report it.",
        )
    codings = [coding_of(plane.instance) for plane in planes]
    works = _by_file(planes, codings, present)
    is_coloured = is_colour(codings[0])
    meaning = meaning_of(planes, "stored" if is_coloured else values)
    dtype = np.dtype(np.uint8) if is_coloured else result_type(codings, meaning.scalings)
    offset = None if is_coloured else _common_offset(codings, meaning)
    if offset:
        dtype = np.dtype(f"i{codings[0].dtype.itemsize}")
    elif offset == 0:
        dtype = codings[0].dtype
    shape = (volumes, slices, planes[0].rows, planes[0].columns)
    require_room(math.prod(shape) * dtype.itemsize + 3 * math.prod(shape[1:]) * is_coloured)
    job = _Job(
        planes=planes,
        codings=codings,
        meaning=meaning,
        out=np.empty(shape, dtype),
        colour=np.zeros((*shape[1:], 3), np.uint8) if is_coloured else None,
        offset=offset,
        hashes=hashes,
        extremes=np.zeros((len(planes), 2), np.int64),
        digests=[""] * len(works),
    )
    return job, works


def _by_file(
    planes: Sequence[Plane], codings: Sequence[Coding], present: Sequence[int]
) -> list[_Work]:
    """Gather the planes of each file, in order of first use, and check their sizes."""
    works: dict[int, _Work] = {}
    first, known, count = planes[0], codings[0], len(planes)
    for number, (plane, coding) in enumerate(zip(planes, codings, strict=True)):
        one = plane.instance
        work = works.get(id(one))
        if work is None:
            where = f"slice {number + 1} of {count}"
            require_possible(one, coding, where)
            work = works[id(one)] = _Work(one, len(works), where, {})
        if not _is_like(plane, coding, first, known):
            raise InputError(
                "All slices must have one matrix and one kind of pixels; "
                f"slice {number + 1} of {len(planes)} differs from the first.",
                hint="Export the series again from its source.",
            )
        t, k = divmod(number, len(present))
        work.frames.setdefault(plane.frame, []).append(_Piece(number, t, present[k]))
    return list(works.values())


def _is_like(plane: Plane, coding: Coding, first: Plane, known: Coding) -> bool:
    """Tell whether a plane lies in its frame and has the size and kind of the first."""
    rows, columns = plane.rows, plane.columns
    if (rows, columns) != (first.rows, first.columns):
        return False
    if coding is not known and is_colour(coding) != is_colour(known):
        return False
    if plane.tile is None:
        return (rows, columns) == (coding.rows, coding.columns)
    top, left = plane.tile
    return 0 <= top <= coding.rows - rows and 0 <= left <= coding.columns - columns


def _common_offset(codings: Sequence[Coding], meaning: Meaning) -> int | None:
    """Return a whole number to add to all planes in place; None where there is no such number.

    The sum is kept in the signed type of the same size; `_finish` widens what does not fit.
    """
    first, scaling = codings[0], meaning.scalings[0]
    if any(one is not scaling for one in meaning.scalings) or not isinstance(scaling, Linear):
        return None
    dtype = first.dtype
    if any(one is not first and one.dtype != dtype for one in codings):
        return None
    if scaling.slope != 1.0 or not scaling.is_whole or dtype == np.float64:
        return None
    if scaling.intercept == 0:
        return 0
    if first.floats or first.allocated > 16 or abs(scaling.intercept) >= 1 << 15:
        return None
    return int(scaling.intercept)


def _middle(works: Sequence[_Work], slices: int) -> int:
    """Return which file holds the slice of the first volume that is nearest to the middle."""

    def distance(work: _Work) -> int:
        return min(
            abs(piece.k - slices // 2) if piece.t == 0 else 2 * slices
            for pieces in work.frames.values()
            for piece in pieces
        )

    return min(range(len(works)), key=lambda number: distance(works[number]))


def _in_threads(job: _Job, works: Sequence[_Work]) -> Iterator[int]:
    """Do all work; yield how many planes each bundle of it has finished, in order."""
    bundles = list(_bundles(job, works))
    pool = ThreadPoolExecutor(max_workers=_threads())
    try:
        yield from pool.map(lambda bundle: sum(step() for step in bundle), bundles)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


Step = Callable[[], int]


def _bundles(job: _Job, works: Sequence[_Work]) -> Iterator[list[Step]]:
    """Split the work so that threads seldom wait: many small files, or few frames, at once."""
    bundle: list[Step] = []
    few = _few_at_once(len(works))
    for work in works:
        is_quick = work.one.is_native
        if len(work.frames) > 1 and work.one.pixel_offset is not None:
            yield from _frame_bundles(job, work)
            continue
        bundle.append(_step(job, work))
        if len(bundle) >= (few if is_quick else _SLOW_AT_ONCE):
            yield bundle
            bundle = []
    if bundle:
        yield bundle


def _few_at_once(count: int) -> int:
    """Return a size of bundles that keeps all threads busy to the end."""
    return max(1, min(_MOST_AT_ONCE, count // (4 * _threads())))


def _threads() -> int:
    return min(_MOST_THREADS, os.cpu_count() or 1)


def _step(job: _Job, work: _Work) -> Step:
    return lambda: _run(job, work)


def _frame_bundles(job: _Job, work: _Work) -> Iterator[list[Step]]:
    """Split one file by its frames; they share what says where the frames are."""
    pixels = open_pixels(work.one, work.where)
    _notice(job, work, pixels)

    def step(frames: Sequence[int]) -> Step:
        return lambda: _run_frames(job, pixels, [(n, work.frames[n]) for n in frames])

    if job.hashes:
        yield [lambda: _hash(job, work)]
    numbers = sorted(work.frames)
    size = _SLOW_AT_ONCE if pixels.parts else _few_at_once(len(numbers))
    for first in range(0, len(numbers), size):
        yield [step(numbers[first : first + size])]


def _hash(job: _Job, work: _Work) -> int:
    """Hash a file that is read in parts otherwise."""
    digest = sha256()
    buffer = np.empty(min(_HASHED_AT_ONCE, work.one.size), np.uint8)
    for at in range(0, work.one.size, len(buffer)):
        part = buffer[: min(len(buffer), work.one.size - at)]
        read_into(work.one.path, at, part, work.where)
        digest.update(part.data)
    job.digests[work.order] = digest.hexdigest()
    return 0


def _run(job: _Job, work: _Work) -> int:
    """Read one file with all its planes; return how many they were."""
    one = work.one
    coding = job.codings[next(iter(work.frames.values()))[0].number]
    direct = _direct_piece(job, work, coding)
    if direct is not None and not job.hashes:
        target = job.out[direct.t, direct.k].view(coding.dtype)
        read_into(one.path, one.pixel_offset or 0, target, work.where)
        _settle(job, direct.number, target, coding)
        return 1
    data = None
    if job.hashes or (not one.is_native and one.pixel_offset is not None):
        data = _read_whole(job, work)
    pixels = open_pixels(one, work.where, data)
    _notice(job, work, pixels)
    return _run_frames(job, pixels, work.frames.items())


def _direct_piece(job: _Job, work: _Work, coding: Coding) -> _Piece | None:
    """Return the only plane of a file that can be read straight into its place."""
    one = work.one
    if job.offset is None or len(work.frames) != 1 or not coding.is_plain:
        return None
    needed = coding.frame_bits // 8
    if not one.is_native or coding.frames != 1 or sys.byteorder != "little":
        return None
    if not needed <= one.pixel_length <= needed + 1:
        return None
    pieces = work.frames.get(0, [])
    if len(pieces) != 1 or job.planes[pieces[0].number].tile is not None:
        return None
    return pieces[0]


def _read_whole(job: _Job, work: _Work) -> memoryview:
    """Read a file into this thread's buffer, which the next file overwrites."""
    size = work.one.size
    buffer: Array | None = getattr(job.scratch, "buffer", None)
    if buffer is None or len(buffer) < size:
        buffer = job.scratch.buffer = np.empty(size, np.uint8)
    part = buffer[:size]
    read_into(work.one.path, 0, part, work.where)
    if job.hashes:
        job.digests[work.order] = sha256(part.data).hexdigest()
    return part.data


def _notice(job: _Job, work: _Work, pixels: Pixels) -> None:
    if pixels.has_surplus:
        job.surplus.add(work.order)


def _run_frames(
    job: _Job, pixels: Pixels, frames: Iterable[tuple[int, Sequence[_Piece]]]
) -> int:
    done = 0
    for number, pieces in frames:
        frame = pixels.frame(number)
        for piece in pieces:
            _place(job, pixels, frame, piece)
        done += len(pieces)
    return done


def _place(job: _Job, pixels: Pixels, frame: Frame, piece: _Piece) -> None:
    """Put one plane of a decoded frame into its place."""
    plane, target = job.planes[piece.number], job.out[piece.t, piece.k]
    values = frame.values
    if plane.tile is not None:
        top, left = plane.tile
        values = values[top : top + plane.rows, left : left + plane.columns]
    if job.colour is not None:
        colours = _colours(job, pixels, values, frame)
        target[...] = brightness(colours[np.newaxis])[0]
        if piece.t == 0:
            job.colour[piece.k] = colours
        return
    if job.offset is not None:
        stored = target.view(pixels.coding.dtype)
        np.copyto(stored, values)
        _settle(job, piece.number, stored, pixels.coding)
        return
    scaling = job.meaning.scalings[piece.number]
    if not apply(scaling, values, target):
        job.notices.add(OUTSIDE)
    if target.dtype != np.float32:
        return
    if values.dtype.kind == "f":
        if values.dtype == np.float64 and not np.array_equal(target, values, equal_nan=True):
            job.notices.add(ROUNDED)
    elif values.dtype.itemsize > 2 and max(-int(values.min()), int(values.max())) > (
        _FLOAT32_EXACT
    ):
        job.notices.add(ROUNDED)


def _settle(job: _Job, number: int, stored: Array, coding: Coding) -> None:
    """Clear spare bits and add the common offset, in place; note what may have run over."""
    unmasked(stored, coding, in_place=True)
    offset = job.offset
    if not offset:
        return
    least, most = coding.ends
    limits = np.iinfo(job.out.dtype)
    if least + offset < limits.min:
        job.extremes[number, 0] = stored.min()
    if most + offset > limits.max:
        job.extremes[number, 1] = stored.max()
    np.add(stored, np.array(offset).astype(stored.dtype), out=stored)


def _colours(job: _Job, pixels: Pixels, values: Array, frame: Frame) -> npt.NDArray[np.uint8]:
    coding, palette = pixels.coding, None
    if coding.photometric == PALETTE:
        palette = job.palettes.get(id(pixels.one))
        if palette is None:
            header = read_dataset(pixels.one.path, pixels.where)
            palette = job.palettes[id(pixels.one)] = read_palette(header, coding)
    if (palette is not None and palette.is_narrowed) or (palette is None and coding.stored > 8):
        job.notices.add(NARROWED)
    return to_rgb(values, coding, is_rgb=frame.is_rgb, palette=palette)


def _finish(job: _Job, missing: Sequence[int]) -> Filled:
    array = _widen(job)
    if missing:
        kept = [k for k in range(array.shape[1]) if k not in set(missing)]
        lowest = min(np.fmin.reduce(array[:, k], axis=None) for k in kept)
        array[:, list(missing)] = lowest
    doubts = list(job.meaning.warnings) + sorted(job.notices)
    if job.surplus:
        doubts.append(SURPLUS.format(len(job.surplus)))
    return Filled(
        array,
        job.colour,
        tuple(job.digests) if job.hashes else (),
        tuple(doubts),
        job.meaning.quantity,
    )


def _widen(job: _Job) -> Array:
    """Undo in-place sums that ran over, in the next larger type."""
    out, offset = job.out, job.offset
    if not offset:
        return out
    limits = np.iinfo(out.dtype)
    low, high = int(job.extremes[:, 0].min()), int(job.extremes[:, 1].max())
    if limits.min <= low + offset and high + offset <= limits.max:
        return out
    stored = out.view(job.codings[0].dtype)
    np.subtract(stored, np.array(offset).astype(stored.dtype), out=stored)
    wide: Array = stored.astype(np.int32 if stored.itemsize == 2 else np.int16)
    np.add(wide, offset, out=wide)
    return wide
