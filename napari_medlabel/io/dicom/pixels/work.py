"""The work of reading a series: files, or a few frames of one, done by some threads."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header.instance import Instance
from napari_medlabel.io.dicom.pixels.coding import PALETTE, Coding
from napari_medlabel.io.dicom.pixels.colour import (
    NARROWED,
    Palette,
    read_palette,
    to_rgb,
)
from napari_medlabel.io.dicom.pixels.frames import read_into
from napari_medlabel.io.dicom.pixels.scaling import apply
from napari_medlabel.io.dicom.pixels.stored import Frame, Pixels, open_pixels, unmasked
from napari_medlabel.io.dicom.pixels.values import OUTSIDE, Meaning
from napari_medlabel.io.dicom.quiet import failures, quietly, read_dataset
from napari_medlabel.io.voxels import ROUNDED, brightness

Array = npt.NDArray[Any]
Step = Callable[[], int]
_MOST_THREADS: Final = 8
_SMALL_BYTES: Final = 1 << 15
_MOST_AT_ONCE: Final = 64  # native planes that one thread reads before it asks for more
_SLOW_AT_ONCE: Final = 2
_HASHED_AT_ONCE: Final = 1 << 20
_FLOAT32_EXACT: Final = 1 << 24


class Piece(NamedTuple):
    """One plane: its number among the planes, and its place in the array."""

    number: int
    t: int
    k: int


class Work(NamedTuple):
    """All planes of one file, and how it is called in messages."""

    one: Instance
    order: int
    where: str
    frames: dict[int, list[Piece]]


@dataclass(eq=False)
class Job:
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


def in_threads(job: Job, works: Sequence[Work]) -> Generator[int, None, None]:
    """Do all work; yield how many planes each bundle of it has finished, in order."""
    bundles = list(_bundles(job, works))
    if _is_small(job, works):
        yield from (sum(step() for step in bundle) for bundle in bundles)
        return
    pool = ThreadPoolExecutor(max_workers=_threads())
    try:
        yield from pool.map(lambda bundle: sum(step() for step in bundle), bundles)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _is_small(job: Job, works: Sequence[Work]) -> bool:
    """Tell whether files are so small that threads would mostly wait for each other."""
    plane = job.out[0, 0].nbytes
    return plane <= _SMALL_BYTES and all(work.one.is_native for work in works)


def _bundles(job: Job, works: Sequence[Work]) -> Iterator[list[Step]]:
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


def _step(job: Job, work: Work) -> Step:
    return lambda: run(job, work)


def _frame_bundles(job: Job, work: Work) -> Iterator[list[Step]]:
    """Split one file by its frames; they share what says where the frames are."""
    pixels = open_pixels(work.one, work.where)
    _notice(job, work, pixels)
    is_direct = _is_direct(job, work, pixels)

    def step(frames: Sequence[int]) -> Step:
        chosen = [(n, work.frames[n]) for n in frames]
        if is_direct:
            return lambda: _run_direct(job, work, pixels, chosen)
        return lambda: _run_frames(job, work, pixels, chosen)

    if job.hashes:
        yield [lambda: _hash(job, work)]
    numbers = sorted(work.frames)
    size = _SLOW_AT_ONCE if pixels.parts else _few_at_once(len(numbers))
    for first in range(0, len(numbers), size):
        yield [step(numbers[first : first + size])]


def _hash(job: Job, work: Work) -> int:
    """Hash a file that is read in parts otherwise."""
    digest = sha256()
    buffer = np.empty(min(_HASHED_AT_ONCE, work.one.size), np.uint8)
    for at in range(0, work.one.size, len(buffer)):
        part = buffer[: min(len(buffer), work.one.size - at)]
        read_into(work.one.file, at, part, work.where)
        digest.update(part.data)
    job.digests[work.order] = digest.hexdigest()
    return 0


def run(job: Job, work: Work) -> int:
    """Read one file with all its planes; return how many they were."""
    one = work.one
    coding = job.codings[next(iter(work.frames.values()))[0].number]
    direct = _direct_piece(job, work, coding)
    if direct is not None and not job.hashes:
        _read_direct(job, work, direct, one.pixel_offset or 0, coding)
        return 1
    data = None
    if job.hashes or (not one.is_native and one.pixel_offset is not None):
        data = _read_whole(job, work)
    pixels = open_pixels(one, work.where, data)
    _notice(job, work, pixels)
    return _run_frames(job, work, pixels, work.frames.items())


def run_first(job: Job, work: Work, frame: int) -> int:
    """Read one frame of a file, before and apart from its others."""
    pixels = open_pixels(work.one, work.where)
    return _run_frames(job, work, pixels, [(frame, work.frames[frame])])


def _direct_piece(job: Job, work: Work, coding: Coding) -> Piece | None:
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


def _read_direct(job: Job, work: Work, piece: Piece, offset: int, coding: Coding) -> None:
    target = job.out[piece.t, piece.k].view(coding.dtype)
    read_into(work.one.file, offset, target, work.where)
    unmasked(target, coding, in_place=True)
    _add_offset(job, piece.number, target, coding)


def _is_direct(job: Job, work: Work, pixels: Pixels) -> bool:
    """Tell whether whole frames of a file can be read straight into their places."""
    if job.offset is None or pixels.parts or not pixels.coding.is_plain:
        return False
    if not work.one.is_native or sys.byteorder != "little":
        return False
    numbers = [piece.number for pieces in work.frames.values() for piece in pieces]
    return len(numbers) == len(work.frames) and all(
        job.planes[number].tile is None for number in numbers
    )


def _run_direct(
    job: Job, work: Work, pixels: Pixels, frames: Sequence[tuple[int, Sequence[Piece]]]
) -> int:
    size = pixels.coding.frame_bits // 8
    for number, pieces in frames:
        pixels.require_frame(number)
        _read_direct(job, work, pieces[0], pixels.start + number * size, pixels.coding)
    return len(frames)


def _read_whole(job: Job, work: Work) -> memoryview:
    """Read a file into this thread's buffer, which the next file overwrites."""
    size = work.one.size
    buffer: Array | None = getattr(job.scratch, "buffer", None)
    if buffer is None or len(buffer) < size:
        buffer = job.scratch.buffer = np.empty(size, np.uint8)
    part = buffer[:size]
    read_into(work.one.file, 0, part, work.where)
    if job.hashes:
        job.digests[work.order] = sha256(part.data).hexdigest()
    return part.data


def _notice(job: Job, work: Work, pixels: Pixels) -> None:
    if pixels.has_surplus:
        job.surplus.add(work.order)


def _run_frames(
    job: Job, work: Work, pixels: Pixels, frames: Iterable[tuple[int, Sequence[Piece]]]
) -> int:
    done = 0
    for number, pieces in frames:
        frame = pixels.frame(number)
        if frame.has_surplus:
            job.surplus.add(work.order)
        for piece in pieces:
            _place(job, pixels, frame, piece)
        done += len(pieces)
    return done


def _place(job: Job, pixels: Pixels, frame: Frame, piece: Piece) -> None:
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
        _add_offset(job, piece.number, stored, pixels.coding)
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


def _add_offset(job: Job, number: int, stored: Array, coding: Coding) -> None:
    """Add the common offset in place; note what may have run over."""
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


def _colours(job: Job, pixels: Pixels, values: Array, frame: Frame) -> npt.NDArray[np.uint8]:
    coding, palette = pixels.coding, None
    if coding.photometric == PALETTE:
        palette = job.palettes.get(id(pixels.one))
        if palette is None:
            palette = job.palettes[id(pixels.one)] = _palette(pixels)
    if (palette is not None and palette.is_narrowed) or (palette is None and coding.stored > 8):
        job.notices.add(NARROWED)
    return to_rgb(values, coding, is_rgb=frame.is_rgb, palette=palette)


def _palette(pixels: Pixels) -> Palette:
    header = read_dataset(pixels.one.path, pixels.where)
    with quietly():
        try:
            return read_palette(header, pixels.coding)
        except failures() as err:
            raise InputError(
                f"The Palette Color Lookup Tables of {pixels.where} cannot be understood.",
                hint="Export the series again as RGB.",
            ) from err
