"""NIfTI-1, NIfTI-2 and ANALYZE, single files and pairs: volumes and masks in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.gzip_stream import LARGEST_RATIO, MAGIC, GzipReader, Packing
from napari_medlabel.io.nifti.analyze import parse_analyze
from napari_medlabel.io.nifti.header import NiftiHeader, byte_order, is_nifti, parse
from napari_medlabel.io.nifti.pair import header_of, is_header, voxels_of
from napari_medlabel.io.nifti.write import write_mask_nifti, write_volume_nifti
from napari_medlabel.io.stored import (
    Progress,
    Watch,
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

__all__ = ["inspect", "load", "read_labels_nifti", "write_mask_nifti", "write_volume_nifti"]


def inspect(path: Path) -> NiftiHeader:
    """Read and check the header alone.

    Parameters
    ----------
    path : Path
        A .nii or .nii.gz file, or either half of a pair (.hdr and .img, each perhaps .gz).

    Raises
    ------
    InputError
        When it cannot be read or used.
    """
    file = header_of(path)
    try:
        with file.open("rb", buffering=0) as stream:
            packing = _packing(stream.read(2))
            stream.seek(0)
            reader = GzipReader(stream, packing=packing, see=lambda _: None)
            raw = bytearray(4)
            found = byte_order(bytes(raw)) if reader.read_into(memoryview(raw)) == 4 else None
            rest = bytearray(0 if found is None else found[0] - 4)
            raw += rest[: reader.read_into(memoryview(rest))]
    except OSError as err:
        raise unreadable() from err
    head = bytes(raw)
    return parse_analyze(head) if is_header(file) and not is_nifti(head) else parse(head)


def load(path: Path, *, progress: Progress | None = None, hashes: bool = True) -> Volume:
    """Read a volume, or several on one grid.

    Integers stay integers where the header does not scale them; everything else becomes
    float32. More than 512 MB of several volumes are a memory map, where the file is not
    compressed.

    Parameters
    ----------
    path : Path
        As for `inspect`.
    progress : callable, optional
        Called with bytes read and bytes in all.
    hashes : bool
        Whether to compute the SHA-256 of the files on the way.

    Raises
    ------
    InputError
        When the file is damaged, cut off or too large.
    """
    header, stored, files, digests = _read(path, progress, hashes=hashes, is_scan=True)
    source = Source(
        format=header.format,
        files=files,
        sha256=digests,
        header=header.raw,
        big_endian=header.big_endian,
    )
    return volume_of(stored, header.said, source)


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
        When the values are no labels, there are several volumes, or as for `load`.
    """
    header, stored, _, _ = _read(path, None, hashes=False, is_scan=False)
    return labels_of(stored, header.said).T, header.grid


def _packing(head: bytes) -> Packing:
    return "gzip" if head[:2] == MAGIC else "raw"


def _read(
    path: Path, progress: Progress | None, *, hashes: bool, is_scan: bool
) -> tuple[NiftiHeader, npt.NDArray[Any], tuple[Path, ...], tuple[str, ...]]:
    """Return header, stored values in the header's shape, files, and their digests."""
    header = inspect(path)
    file = header_of(path)
    files = (file,) if header.is_single else (file, voxels_of(file))
    data = files[-1]
    try:
        with data.open("rb") as stream:
            packing = _packing(stream.read(2))
        sizes = [one.stat().st_size for one in files]
    except OSError as err:
        raise unreadable() from err
    needed, size = header.data_bytes, sizes[-1]
    require_promise(header.offset + needed, size, LARGEST_RATIO[packing])
    is_lazy = packing == "raw" and header.said.volumes > 1 and needed > AT_ONCE_BYTES
    require_room(needed // header.said.volumes if is_lazy else needed)
    if is_scan and packing != "raw":
        require_no_bomb(needed, size)
    with Watch(sum(sizes), progress, hashes=hashes) as watch:
        if len(files) > 1:
            see_whole(file, watch)
        if is_lazy and is_scan:
            stored = mapped(data, header.dtype, header.offset, header.shape)
            if hashes:
                see_whole(data, watch)
        else:
            stored = np.empty(header.shape, header.dtype)
            read_block(data, packing, header.offset, stored, watch)
    return header, stored, files, watch.digests()
