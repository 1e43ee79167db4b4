"""From the bytes of a file to the arrays of a volume: whole, scaled, several, lazy."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.description import NOT_SCALED, Description
from napari_medlabel.io.gzip_stream import GzipReader, Packing, may_be_short
from napari_medlabel.io.voxels import as_labels, brightness, smallest_exact
from napari_medlabel.model.volume import FurtherAxis, Source, Volume

Progress = Callable[[int, int], None]
_UNASKED_BYTES: Final = 128 << 20  # of memory, beyond twice the file, that nobody has to save
_MAGNITUDE: Final = "Complex numbers: their magnitude is shown, as float32."
_NO_ALPHA: Final = "The colours' transparency is left out."


class Watch:
    """Counts and hashes the files of a volume while they are read; the hash in a thread.

    Parameters
    ----------
    total : int
        Bytes of all files.
    progress : callable or None
        Called with bytes read and bytes in all. What it raises ends the reading.
    hashes : bool
        Whether to compute SHA-256.
    """

    def __init__(self, total: int, progress: Progress | None, *, hashes: bool) -> None:
        self._total = total
        self._seen = 0
        self._progress = progress
        self._hashes = hashes
        self._digests: list[Any] = []
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        err: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)

    def begin(self) -> None:
        """Say that the next file begins."""
        self._digests.append(sha256())

    def see(self, block: bytes | memoryview) -> None:
        """Take note of the next bytes of a file, which must not be changed until the end."""
        self._seen += len(block)
        if self._hashes:
            self._pool.submit(self._digests[-1].update, block)
        if self._progress is not None:
            self._progress(min(self._seen, self._total), self._total)

    def digests(self) -> tuple[str, ...]:
        """Return each file's SHA-256 (hex), to be asked for at the end; () without hashes."""
        return tuple(one.hexdigest() for one in self._digests) if self._hashes else ()


def read_block(
    file: Path,
    packing: Packing,
    skip: int,
    out: npt.NDArray[Any],
    watch: Watch,
    *,
    start: int = 0,
) -> None:
    """Fill an array with bytes of a file, and see the whole of the file.

    Parameters
    ----------
    file : Path
        The file.
    packing : str
        How it is packed.
    skip : int
        Unpacked bytes in front; -1 where the voxels are the last bytes of a raw file.
    out : ndarray
        C-ordered.
    watch : Watch
        Counts and hashes.
    start : int
        Where in the file the packed bytes begin.

    Raises
    ------
    InputError
        When the file is cut off, damaged or cannot be read.
    """
    watch.begin()
    try:
        if skip < 0:
            skip = max(0, file.stat().st_size - start - out.nbytes)
        with file.open("rb", buffering=0) as stream:
            if packing == "gzip":
                _require_length(stream, start, skip + out.nbytes, file.stat().st_size)
            GzipReader(stream, packing="raw", see=watch.see).skip(start)
            reader = GzipReader(stream, packing=packing, see=watch.see)
            reader.skip(skip)
            flat = out.reshape(-1).view(np.uint8)
            done = reader.read_into(flat.data.cast("B")) if flat.size else 0
            reader.finish()
    except OSError as err:
        raise unreadable() from err
    if done != out.nbytes:
        raise cut_off()


def _require_length(stream: IO[bytes], start: int, needed: int, size: int) -> None:
    """Refuse a stream that is too short before it has filled memory many times its size.

    Where its trailer leaves that open (several members, or something behind), it is unpacked
    once into nothing.
    """
    if needed <= 2 * size + _UNASKED_BYTES or not may_be_short(stream, needed):
        return
    stream.seek(start)
    if GzipReader(stream, packing="gzip", see=lambda _: None).skip(needed) < needed:
        raise cut_off()
    stream.seek(0)


def mapped(
    file: Path, dtype: np.dtype[Any], skip: int, shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """Return a read-only memory map of a raw file's voxels.

    Raises
    ------
    InputError
        When the file is too short or cannot be read.
    """
    try:
        return np.memmap(file, dtype, mode="r", offset=skip, shape=shape)
    except ValueError as err:
        raise cut_off() from err
    except OSError as err:
        raise unreadable() from err


def see_whole(file: Path, watch: Watch) -> None:
    """Count and hash a file whose bytes are needed for nothing else."""
    read_block(file, "raw", 0, np.empty(0, np.uint8), watch)


def cut_off() -> InputError:
    """Say that a file ends too early."""
    return InputError(
        "The file is cut off: it holds fewer voxels than its header says.",
        hint="The copy was interrupted; copy or export the file again.",
    )


def unreadable() -> InputError:
    """Say that a file, or one that belongs to it, cannot be opened."""
    return InputError(
        "The file, or the data file that its header names, cannot be opened.",
        hint="Check that you may read it; keep files that belong together together, under the "
        "names they had.",
    )


class LazyVolumes:
    """Volumes on disk that become values when they are asked for.

    Parameters
    ----------
    stored : ndarray, shape (i, j, k, t)
        A view on a memory map.
    scaling : tuple of float
        Slope and intercept.
    dtype : dtype
        Of the values.
    """

    ndim = 4

    def __init__(
        self, stored: npt.NDArray[Any], scaling: tuple[float, float], dtype: np.dtype[Any]
    ) -> None:
        self._stored = stored
        self._scaling = scaling
        self.dtype = dtype
        self.shape = stored.shape

    def __getitem__(self, key: Any) -> npt.NDArray[Any]:
        with np.errstate(over="ignore"):
            return np.asarray(_scaled(self._stored[key], self._scaling)).astype(self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        whole = self[...]
        return whole if dtype is None else whole.astype(dtype)

    def __repr__(self) -> str:
        return f"LazyVolumes({self.shape[3]} volumes, {self.dtype})"


def volume_of(stored: npt.NDArray[Any], said: Description, source: Source) -> Volume:
    """Make a volume of what a file stores.

    Parameters
    ----------
    stored : ndarray, shape (t, k, j, i) or, of colours, (t, k, j, i, 3 or 4)
        Integers, floats or complex numbers of either byte order; bytes for colours. Lazy where
        it is a memory map.
    said : Description
        What the header says.
    source : Source
        The files.

    Returns
    -------
    Volume
        Integers stay integers where nothing scales them; all else becomes float32.
    """
    if stored.ndim == 5:
        return _coloured(stored, said, source)
    doubts: tuple[str, ...] = (_MAGNITUDE,) if stored.dtype.kind == "c" else ()
    values: Any
    if isinstance(stored, np.memmap):
        view = stored.transpose(3, 2, 1, 0)
        values = LazyVolumes(view, said.scaling, _lazy_dtype(stored.dtype, said.scaling))
        if values.dtype == stored.dtype and said.scaling == NOT_SCALED:
            values = view
        first = np.array(values[..., 0].T, order="C").T
    else:
        array, more = converted(stored, said.scaling)
        doubts += more
        values = array.transpose(3, 2, 1, 0)
        first = array[0].T
    return _volume(first, values, said, source, doubts)


def labels_of(stored: npt.NDArray[Any], said: Description) -> npt.NDArray[Any]:
    """Return one mask, shape (k, j, i), as `as_labels` does.

    Raises
    ------
    InputError
        When there are several volumes, colours or complex numbers, or values are no labels.
    """
    if said.volumes != 1:
        raise InputError(
            f"One mask is expected; the file holds {said.volumes} volumes.",
            hint="Split it into one file for each.",
        )
    if stored.ndim == 5 or stored.dtype.kind == "c":
        raise InputError(
            "A mask holds whole numbers; this file holds colours or complex numbers.",
            hint="Convert it to labels first.",
        )
    return as_labels(np.asarray(_scaled(stored[0], said.scaling)))


def _volume(
    first: npt.NDArray[Any],
    values: Any,
    said: Description,
    source: Source,
    doubts: tuple[str, ...],
    colour: npt.NDArray[Any] | None = None,
) -> Volume:
    return Volume(
        said.grid,
        first,
        source,
        warnings=said.warnings + doubts,
        is_oriented=said.is_oriented,
        further=None if said.axis is None else FurtherAxis(*said.axis, values),
        colour=colour,
        slices=said.slices,
    )


def _lazy_dtype(stored: np.dtype[Any], scaling: tuple[float, float]) -> np.dtype[Any]:
    if stored.kind == "f" and stored.itemsize == 8:  # float32 may not reach as far
        return np.dtype(np.float64)
    if scaling != NOT_SCALED or stored.kind not in "iu":
        return np.dtype(np.float32)
    return stored.newbyteorder("=")


def _coloured(stored: npt.NDArray[Any], said: Description, source: Source) -> Volume:
    is_clear = stored.shape[4] == 4 and stored[..., 3].min() < 255
    doubts: tuple[str, ...] = (_NO_ALPHA,) if is_clear else ()
    grey = brightness(stored.reshape(-1, *stored.shape[2:])).reshape(stored.shape[:4])
    if len(stored) > 1:
        doubts += ("The first volume's colours are shown, of the others their brightness.",)
    colour = stored[0, ..., :3].transpose(2, 1, 0, 3)
    values = grey.transpose(3, 2, 1, 0)
    return _volume(grey[0].T, values, said, source, doubts, colour)


def converted(
    stored: npt.NDArray[Any], scaling: tuple[float, float]
) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Return values in native order, in the smallest dtype that holds them or as float32.

    Where float32 does not reach as far as the values do, they become float64.

    Parameters
    ----------
    stored : ndarray, shape (t, k, j, i)
        May be overwritten.
    scaling : tuple of float
        Slope and intercept.

    Returns
    -------
    values : ndarray, shape (t, k, j, i)
    doubts : tuple of str
    """
    if not stored.dtype.isnative:
        stored = stored.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
    is_complex = stored.dtype.kind == "c"
    if scaling == NOT_SCALED and not is_complex:
        return smallest_exact(stored)
    try:
        with np.errstate(over="raise"):
            return _scaled_into(np.empty(stored.shape, np.float32), stored, scaling), ()
    except FloatingPointError:
        with np.errstate(over="ignore"):
            return _scaled_into(np.empty(stored.shape, np.float64), stored, scaling), ()


def _scaled_into(
    out: npt.NDArray[Any], stored: npt.NDArray[Any], scaling: tuple[float, float]
) -> npt.NDArray[Any]:
    for place in np.ndindex(stored.shape[:2]):  # float64 for one slice at a time
        np.copyto(out[place], _scaled(stored[place], scaling), casting="unsafe")
    return out


def _scaled(part: Any, scaling: tuple[float, float]) -> Any:
    """Scale in float64; of complex numbers both parts (nifti1.h), then take the magnitude."""
    is_complex = part.dtype.kind == "c"
    if scaling != NOT_SCALED:
        part = part * np.float64(scaling[0]) + scaling[1] * ((1 + 1j) if is_complex else 1)
    return np.abs(part) if is_complex else part
