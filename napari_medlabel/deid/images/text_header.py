"""What the text headers of NRRD and MetaImage have in common: numbers, and where voxels lie."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_medlabel.deid.images.companion_faces import itk_remover, without_face
from napari_medlabel.deid.images.voxel_copy import (
    Extent,
    copied,
    first_bytes,
    length_of,
    require_promise,
)
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import PixelWork, Reason
from napari_medlabel.errors import InputError
from napari_medlabel.io.gzip_stream import Packing
from napari_medlabel.io.itk.header import LONGEST_HEADER, data_files

if TYPE_CHECKING:
    from napari_medlabel.deid.faces.brain_masks import BrainMasks

_LARGEST: Final = 1e6
_LONGEST_TEXT: Final = 256 << 20
_MOST_DIMENSIONS: Final = 16
_LONGEST_NUMBER: Final = 32


@dataclass(frozen=True)
class Stored:
    """How the voxels of a header are stored.

    Parameters
    ----------
    files : tuple of Path
        That hold them, one part of equal size each.
    packing : str
        As in `GzipReader`, or ``"text"``.
    start : int
        Bytes of each file in front of what is packed.
    skip : int
        Unpacked bytes in front of the voxels; -1: they are the last bytes of a raw file.
    dtype : dtype
        Of one number, in the file's byte order.
    size : int
        Bytes of all voxels.
    """

    files: tuple[Path, ...]
    packing: Packing | str
    start: int
    skip: int
    dtype: np.dtype[Any]
    size: int

    def extents(self) -> list[Extent]:
        """Return where the voxels lie in each file.

        Raises
        ------
        QuarantineError
            When the parts are not equal, or the voxels are text.
        """
        part, rest = divmod(self.size, len(self.files))
        if rest or part % self.dtype.itemsize:
            raise broken()
        return [self._extent(file, part) for file in self.files]

    def _extent(self, file: Path, size: int) -> Extent:
        packing: Packing = self.packing  # type: ignore[assignment]
        skip = self.skip
        if skip < 0:
            skip = length_of(file) - self.start - size
            if skip < 0:
                raise QuarantineError(Reason.NIFTI_INCOMPLETE)
        return Extent(file, packing, self.start, skip, size)


def broken() -> QuarantineError:
    """Return the refusal of a header that is none."""
    return QuarantineError(Reason.HEADER_BROKEN)


def head_of(path: Path) -> bytes:
    """Return the first mebibyte, which holds the header.

    Raises
    ------
    QuarantineError
        When it cannot be read.
    """
    return first_bytes(path, LONGEST_HEADER, "raw")


def number(text: str) -> float:
    """Return a finite number below a million.

    Raises
    ------
    QuarantineError
        When it is none.
    """
    try:
        value = float(text) if len(text) <= _LONGEST_NUMBER else math.nan
    except ValueError as err:
        raise broken() from err
    if not abs(value) < _LARGEST:
        raise broken()
    return value


def spelled(text: str) -> str:
    """Return a number as Python spells it, whole ones without a point; see `number`."""
    return repr(number(text)).removesuffix(".0")


def row(text: str, count: int | None = None) -> str:
    """Return numbers with single blanks between them.

    Raises
    ------
    QuarantineError
        When they are none, or not so many as expected.
    """
    words = text.split()
    if not words or (count is not None and len(words) != count):
        raise broken()
    return " ".join(map(spelled, words))


def whole(text: str, low: int, high: int) -> int:
    """Return a whole number from ``low`` to ``high``.

    Raises
    ------
    QuarantineError
        When it is none.
    """
    try:
        value = int(text) if len(text) <= _LONGEST_NUMBER else low - 1
    except ValueError as err:
        raise broken() from err
    if not low <= value <= high:
        raise broken()
    return value


def sizes(text: str, count: int) -> list[int]:
    """Return the sizes of all axes.

    Raises
    ------
    QuarantineError
        When they are not so many positive whole numbers.
    """
    words = text.split()
    if len(words) != count or not 1 <= count <= _MOST_DIMENSIONS:
        raise broken()
    return [whole(word, 1, 1 << 40) for word in words]


def named_files(path: Path, spec: str, lines: list[str]) -> tuple[Path, ...]:
    """Return the data files that a header names, all beside it or below.

    Raises
    ------
    QuarantineError
        When one lies elsewhere, is a link, is missing, or is named twice.
    """
    try:
        files = data_files(path, spec, lines)
    except InputError as err:
        raise QuarantineError(Reason.NIFTI_INCOMPLETE) from err
    if any(file.is_symlink() for file in files):
        raise QuarantineError(Reason.NIFTI_INCOMPLETE)
    if len(set(files)) < len(files):
        raise broken()
    return files


def stored_voxels(
    path: Path, stored: Stored, frames: int, masks: BrainMasks | None
) -> tuple[Iterable[memoryview], PixelWork | None]:
    """Return the voxels of a header, in parts, without a face where that is asked for.

    Parameters
    ----------
    path : Path
        The header's file.
    stored : Stored
        How they are stored.
    frames : int
        Slices of all volumes.
    masks : BrainMasks, optional
        When faces are to be removed: masks of brains, or none of them.

    Returns
    -------
    voxels : iterable of memoryview
        As they lie in the file; those written as text as little-endian numbers.
    work : PixelWork or None
        What was done to them.

    Raises
    ------
    QuarantineError
        When they are fewer than described, or a face cannot be removed with certainty.
    """
    voxels: Iterable[memoryview] = from_text(stored)
    if stored.packing != "text":
        extents = stored.extents()
        require_promise(extents)
        voxels = copied(extents)
    if masks is None:
        return voxels, None
    blanked, work = without_face(
        voxels, stored.size, frames, itk_remover(path, stored.dtype, masks)
    )
    return (blanked,), work


def from_text(stored: Stored) -> Iterator[memoryview]:
    """Yield voxels that are written as text, as bytes in the order of ``stored.dtype``.

    Raises
    ------
    QuarantineError
        When they are no numbers of the type, too few, or longer than 256 MB.
    """
    count = stored.size // stored.dtype.itemsize // len(stored.files)
    for file in stored.files:
        length = length_of(file) - stored.start
        if length > _LONGEST_TEXT:
            raise broken()
        if length < 2 * count - 1:
            raise QuarantineError(Reason.NIFTI_INCOMPLETE)
        text = first_bytes(file, length, "raw", stored.start)
        words = text.replace(b",", b" ").split()
        if len(words) < count:
            raise QuarantineError(Reason.NIFTI_INCOMPLETE)
        yield _numbers(words[:count], stored.dtype)


def _numbers(words: list[bytes], dtype: np.dtype[Any]) -> memoryview:
    native = dtype.newbyteorder("=").type
    try:
        if dtype.kind == "f":
            values = np.array([native(word) for word in words], dtype)
        else:
            values = np.array([native(int(word)) for word in words], dtype)
    except (ValueError, OverflowError) as err:
        raise broken() from err
    return values.view(np.uint8).data
