"""Pixels of sorted planes -> one (t, k, j, i) array: read, decoded and rescaled in one pass.

Each plane is read, unmasked and rescaled while it is in the processor's cache, by a few
threads: reading, hashing, decoding and NumPy's arithmetic all release the interpreter's lock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.pixels.coding import Coding, coding_of
from napari_medlabel.io.dicom.pixels.colour import is_colour
from napari_medlabel.io.dicom.pixels.scaling import Linear, result_type
from napari_medlabel.io.dicom.pixels.stored import SURPLUS, require_possible
from napari_medlabel.io.dicom.pixels.values import Meaning, meaning_of
from napari_medlabel.io.dicom.pixels.work import Job, Piece, Work, in_threads, run, run_first
from napari_medlabel.io.voxels import require_room

Progress = Callable[[int, int], None]
Preview = Callable[[npt.NDArray[Any]], None]
Array = npt.NDArray[Any]


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
        works, done = _middle_first(job, works, slices)
        preview(job.out)
    if progress is not None and done:
        progress(done, count)
    with closing(in_threads(job, works)) as bundles:
        for finished in bundles:
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
) -> tuple[Job, list[Work]]:
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
    job = Job(
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
) -> list[Work]:
    """Gather the planes of each file, in order of first use, and check their sizes."""
    works: dict[int, Work] = {}
    first, known, count = planes[0], codings[0], len(planes)
    for number, (plane, coding) in enumerate(zip(planes, codings, strict=True)):
        one = plane.instance
        work = works.get(id(one))
        if work is None:
            where = f"slice {number + 1} of {count}"
            require_possible(one, coding, where)
            work = works[id(one)] = Work(one, len(works), where, {})
        if not _is_like(plane, coding, first, known):
            raise InputError(
                "All slices must have one matrix and one kind of pixels; "
                f"slice {number + 1} of {len(planes)} differs from the first.",
                hint="Export the series again from its source.",
            )
        t, k = divmod(number, len(present))
        work.frames.setdefault(plane.frame, []).append(Piece(number, t, present[k]))
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


def _middle_first(job: Job, works: list[Work], slices: int) -> tuple[list[Work], int]:
    """Read the slice of the first volume that is nearest to the middle.

    Returns the work that is left, and the number of planes done.
    """

    def distance(place: tuple[int, int]) -> int:
        pieces = works[place[0]].frames[place[1]]
        return min(abs(one.k - slices // 2) if one.t == 0 else 2 * slices for one in pieces)

    places = ((number, frame) for number, work in enumerate(works) for frame in work.frames)
    number, frame = min(places, key=distance)
    work = works[number]
    if len(work.frames) == 1:
        done = run(job, work)
        return works[:number] + works[number + 1 :], done
    done = run_first(job, work, frame)
    others = {key: pieces for key, pieces in work.frames.items() if key != frame}
    left = work._replace(frames=others)
    return [*works[:number], left, *works[number + 1 :]], done


def _finish(job: Job, missing: Sequence[int]) -> Filled:
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


def _widen(job: Job) -> Array:
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
