"""NIfTI-1 and NIfTI-2, .nii and .nii.gz: volumes and masks in; out by `io.nifti_write`."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.gzip_stream import LARGEST_RATIO, MAGIC, GzipReader
from napari_medlabel.io.nifti_header import NiftiHeader, byte_order, parse
from napari_medlabel.io.nifti_write import write_mask_nifti
from napari_medlabel.io.voxels import as_labels, require_promise, require_room, smallest_exact
from napari_medlabel.model.volume import Source, Volume

__all__ = ["inspect", "load", "read_labels_nifti", "write_mask_nifti"]

Progress = Callable[[int, int], None]


def inspect(path: Path) -> NiftiHeader:
    """Read and check the header alone.

    Raises
    ------
    InputError
        When it cannot be read or used.
    """
    try:
        with path.open("rb") as stream:
            return _read_header(_reader(stream, lambda _: None))
    except OSError as err:
        raise _unreadable() from err


def load(path: Path, *, progress: Progress | None = None, hashes: bool = True) -> Volume:
    """Read a volume.

    Integers stay integers where the header does not scale them; everything else becomes
    float32.

    Parameters
    ----------
    path : Path
        A .nii or .nii.gz file.
    progress : callable, optional
        Called with bytes read and bytes in all.
    hashes : bool
        Whether to compute the SHA-256 of the file on the way.

    Raises
    ------
    InputError
        When the file is damaged, cut off, too large, or not a single grey volume.
    """
    header, stored, digest = _read(path, progress=progress, hashes=hashes)
    array, doubts = _values(stored, header)
    source = Source(
        format="nifti",
        files=(path,),
        sha256=(digest,) if hashes else (),
        header=header.raw,
        big_endian=header.big_endian,
    )
    return Volume(
        header.grid,
        array.T,
        source,
        warnings=header.warnings + doubts,
        is_oriented=header.is_oriented,
    )


def read_labels_nifti(path: Path) -> tuple[npt.NDArray[Any], Grid]:
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
        When the values are no labels, or as for `load`.
    """
    header, stored, _ = _read(path, progress=None, hashes=False)
    values: npt.NDArray[Any] = stored
    if (header.slope, header.intercept) != (1.0, 0.0):
        values = stored * np.float64(header.slope) + header.intercept
    return as_labels(values).T, header.grid


def _reader(stream: IO[bytes], see: Callable[[bytes | memoryview], object]) -> GzipReader:
    compressed = stream.read(2) == MAGIC
    stream.seek(0)
    return GzipReader(stream, compressed=compressed, see=see)


def _read_header(reader: GzipReader) -> NiftiHeader:
    """Read as many bytes as the first four of them ask for."""
    head = bytearray(4)
    found = byte_order(bytes(head)) if reader.read_into(memoryview(head)) == 4 else None
    if found is None:
        return parse(bytes(head))  # which refuses it
    rest = bytearray(found[0] - 4)
    got = reader.read_into(memoryview(rest))
    return parse(bytes(head + rest[:got]))


def _read(
    path: Path, *, progress: Progress | None, hashes: bool
) -> tuple[NiftiHeader, npt.NDArray[Any], str]:
    """Return header, stored values (k, j, i) in native order, and the file's digest."""
    digest, seen = sha256(), 0

    def see(block: bytes | memoryview) -> None:
        nonlocal seen
        seen += len(block)
        if hashes:
            digest.update(block)
        if progress is not None:
            progress(min(seen, size), size)

    try:
        size = path.stat().st_size
        with path.open("rb", buffering=0) as stream:
            reader = _reader(stream, see)
            header = _read_header(reader)
            needed = header.offset + header.data_bytes
            require_promise(needed, size, LARGEST_RATIO if reader.compressed else 1)
            require_room(header.data_bytes)
            reader.read_into(memoryview(bytearray(header.offset - len(header.raw))))
            stored = np.empty(header.grid.shape[::-1], header.dtype)
            done = reader.read_into(stored.view(np.uint8).data.cast("B"))
            reader.finish()
    except OSError as err:
        raise _unreadable() from err
    if done != stored.nbytes:
        raise InputError(
            "The file is cut off: it holds fewer voxels than its header says.",
            hint="The copy was interrupted; copy or export the file again.",
        )
    if not stored.dtype.isnative:
        stored = stored.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
    return header, stored, digest.hexdigest()


def _values(
    stored: npt.NDArray[Any], header: NiftiHeader
) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Scale, and choose the smallest dtype that holds the values, else float32."""
    if (header.slope, header.intercept) != (1.0, 0.0):
        out = np.empty(stored.shape, np.float32)
        for k, plane in enumerate(stored):  # float64 for one slice at a time
            np.copyto(
                out[k], plane * np.float64(header.slope) + header.intercept, casting="unsafe"
            )
        return out, ()
    return smallest_exact(stored)


def _unreadable() -> InputError:
    return InputError(
        "The file cannot be opened.", hint="Check that it exists and that you may read it."
    )
