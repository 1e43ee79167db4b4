"""NRRD, NHDR, MHA and MHD, as ITK and Slicer write them: volumes and masks in.

SimpleITK fills the missing end of a cut file with zeros and turns several volumes into odd
shapes, so headers and voxels are read here, against the length that the header promises.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.gzip_stream import LARGEST_RATIO, Packing
from napari_medlabel.io.itk.header import ItkHeader, read_head
from napari_medlabel.io.itk.meta_header import parse_meta
from napari_medlabel.io.itk.nrrd_header import parse_nrrd
from napari_medlabel.io.stored import (
    Progress,
    Watch,
    cut_off,
    labels_of,
    mapped,
    read_block,
    see_whole,
    unreadable,
    volume_of,
)
from napari_medlabel.io.voxels import (
    AT_ONCE_BYTES,
    require_no_bomb,
    require_promise,
    require_room,
)
from napari_medlabel.model.volume import Source, Volume


def inspect(path: Path) -> ItkHeader:
    """Read and check the header alone.

    Parameters
    ----------
    path : Path
        A .nrrd, .nhdr, .mha or .mhd file.

    Raises
    ------
    InputError
        When it cannot be read or used.
    """
    return parse_nrrd(path) if read_head(path).startswith(b"NRRD") else parse_meta(path)


def load(path: Path, *, progress: Progress | None = None, hashes: bool = True) -> Volume:
    """Read a volume, or several on one grid.

    Parameters
    ----------
    path : Path
        As for `inspect`.
    progress : callable, optional
        Called with bytes read and bytes in all.
    hashes : bool
        Whether to compute the SHA-256 of the file, and of the data files beside a header.

    Raises
    ------
    InputError
        When the file is damaged, cut off or too large, or its header leaves open what its axes
        are.
    """
    header, stored, digests = read_stored(path, progress=progress, hashes=hashes)
    source = Source(format=header.format, files=files_of(path, header), sha256=digests)
    return volume_of(stored, header.said, source)


def read_labels_itk(path: Path) -> tuple[npt.NDArray[Any], Grid]:
    """Read a mask.

    Returns
    -------
    array : ndarray, shape (i, j, k)
        uint8, or uint16 where a value needs it: a writable, transposed (k, j, i) C buffer.
    grid : Grid
        Where it lies.

    Raises
    ------
    InputError
        When the values are no labels, there are several volumes, or as for `load`.
    """
    header, stored, _ = read_stored(path, hashes=False, is_scan=False)
    return labels_of(stored, header.said).T, header.grid


def files_of(path: Path, header: ItkHeader) -> tuple[Path, ...]:
    """Return the header's file and the data files beside it."""
    return (path, *header.packed.files) if header.packed.is_apart else (path,)


def read_stored(
    path: Path, *, progress: Progress | None = None, hashes: bool = False, is_scan: bool = True
) -> tuple[ItkHeader, npt.NDArray[Any], tuple[str, ...]]:
    """Read what a file stores, as it stores it.

    Parameters
    ----------
    path, progress, hashes
        As for `load`.
    is_scan : bool
        Whether a file that unpacks to next to nothing but one value is refused, and a large
        one with several volumes becomes a memory map.

    Returns
    -------
    header : ItkHeader
    stored : ndarray, shape (t, k, j, i), or (t, k, j, i, 3 or 4) for colours
        Of the file's dtype and byte order.
    sha256 : tuple of str
        Of each of `files_of`.

    Raises
    ------
    InputError
        As for `load`.
    """
    header = inspect(path)
    packed, needed = header.packed, header.data_bytes
    files = files_of(path, header)
    try:
        total = sum(file.stat().st_size for file in files)
        largest = min(file.stat().st_size for file in packed.files)
    except OSError as err:
        raise unreadable() from err
    is_lazy = (
        is_scan
        and header.said.volumes > 1
        and needed > AT_ONCE_BYTES
        and packed.packing == "raw"
        and len(packed.files) == 1
    )
    require_room(needed // header.said.volumes if is_lazy else needed)
    if packed.packing != "text":
        promised = needed // len(packed.files)
        require_promise(promised, max(0, largest - packed.start), LARGEST_RATIO[packed.packing])
        if is_scan and packed.packing != "raw":
            require_no_bomb(needed, total)
    with Watch(total, progress, hashes=hashes) as watch:
        if packed.is_apart:
            see_whole(path, watch)
        if is_lazy:
            raw = _mapped(header, watch, hashes=hashes)
        else:
            raw = np.empty(header.sizes[::-1], header.dtype)
            _fill(raw, header, watch)
    return header, _arranged(raw, header), watch.digests()


def _mapped(header: ItkHeader, watch: Watch, *, hashes: bool) -> npt.NDArray[Any]:
    packed = header.packed
    file = packed.files[0]
    try:
        at = file.stat().st_size - header.data_bytes if packed.skip < 0 else packed.skip
    except OSError as err:
        raise unreadable() from err
    at += packed.start if packed.skip >= 0 else 0
    raw = mapped(file, header.dtype, at, header.sizes[::-1])
    if hashes:
        see_whole(file, watch)
    return raw


def _fill(raw: npt.NDArray[Any], header: ItkHeader, watch: Watch) -> None:
    packed = header.packed
    parts = raw.reshape(len(packed.files), -1)
    for file, part in zip(packed.files, parts, strict=True):
        if packed.packing == "text":
            part[:] = _numbers(file, packed.start, part.size, header.dtype, watch)
        else:
            packing: Packing = packed.packing
            read_block(file, packing, packed.skip, part, watch, start=packed.start)


def _numbers(
    file: Path, start: int, count: int, dtype: np.dtype[Any], watch: Watch
) -> npt.NDArray[Any]:
    """Read voxels that are written as text."""
    try:
        size = max(0, file.stat().st_size - start)
    except OSError as err:
        raise unreadable() from err
    require_promise(2 * count - 1, size, 1)  # a digit and what keeps it from the next
    require_room(size * 16)  # a word each
    text = np.empty(size, np.uint8)
    read_block(file, "raw", 0, text, watch, start=start)
    words = text.tobytes().replace(b",", b" ").split()
    if len(words) < count:
        raise cut_off()
    try:
        return np.array([_number(word, dtype) for word in words[:count]]).astype(dtype)
    except (ValueError, OverflowError) as err:
        raise InputError(
            "The voxels are written as text, and some are no numbers of the header's type.",
            hint="The file is damaged; export it again from its source.",
        ) from err


def _number(word: bytes, dtype: np.dtype[Any]) -> Any:
    native = dtype.newbyteorder("=").type
    return native(word) if dtype.kind == "f" else native(int(word))


def _arranged(raw: npt.NDArray[Any], header: ItkHeader) -> npt.NDArray[Any]:
    """Turn the file's axes into (t, k, j, i), colours behind."""
    last = len(header.sizes) - 1
    space = [last - axis for axis in reversed(header.spatial)]  # k, j, i
    others = [last - n for n in range(last + 1) if n not in header.spatial]
    moved = raw.transpose(*others, *space)
    # Of the others at most one is longer than one.
    whole = moved.reshape(-1, *moved.shape[len(others) :])
    if len(space) == 2:
        whole = whole[:, None]
    if header.role == "colour":
        return np.ascontiguousarray(np.moveaxis(whole, 0, -1))[None]
    if header.role == "complex":
        return np.asarray(whole[0] + 1j * whole[1])[None]
    is_scattered = not isinstance(whole, np.memmap) and whole.nbytes <= AT_ONCE_BYTES
    return np.ascontiguousarray(whole) if is_scattered else whole
