"""NRRD, NHDR, MHA and MHD: geometry through SimpleITK, the only file that names it.

SimpleITK fills the missing end of a cut file with zeros, so the voxels of raw and compressed
files are read here, against the length that the header promises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import sha256_file
from napari_medlabel.io.gzip_stream import LARGEST_RATIO, GzipReader
from napari_medlabel.io.itk_header import Layout, layout
from napari_medlabel.io.voxels import (
    as_labels,
    require_promise,
    require_room,
    smallest_exact,
    turned,
)
from napari_medlabel.model.volume import Format, Source, Volume

Progress = Callable[[int, int], None]
_AGAIN: Final = "The file is damaged or of an unknown kind; export it again from its source."


@dataclass(frozen=True)
class ItkHeader:
    """What a header says, checked.

    Parameters
    ----------
    format : str
        ``"nrrd"`` or ``"mha"``.
    grid : Grid
        Shape and affine.
    dtype : dtype
        Of the voxels, native.
    layout : Layout
        Where the voxels lie and how they are packed.
    warnings : tuple of str
        Doubts in words.
    """

    format: Format
    grid: Grid
    dtype: np.dtype[Any]
    layout: Layout
    warnings: tuple[str, ...]


def inspect(path: Path) -> ItkHeader:
    """Read and check the header alone.

    Raises
    ------
    InputError
        When it cannot be read or used.
    """
    import SimpleITK as sitk  # noqa: N813 - the name everybody knows

    packed = layout(path)
    sitk.ProcessObject.SetGlobalWarningDisplay(False)  # its warnings quote paths and headers
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as err:
        raise InputError(
            "The header cannot be read as NRRD or MetaImage.", hint=_AGAIN
        ) from err
    if reader.GetDimension() != 3:
        raise InputError(
            f"One volume is expected; the file has {reader.GetDimension()} dimensions, which "
            "come with a later version.",
            hint="Split it into one file per volume.",
        )
    if reader.GetNumberOfComponents() != 1:
        raise InputError(
            f"Grey values are expected; each voxel holds {reader.GetNumberOfComponents()} "
            "numbers, which come with a later version.",
            hint="Convert it to one grey value per voxel.",
        )
    affine = _affine(reader)
    warnings = () if packed.has_orientation else (_UNORIENTED,)
    return ItkHeader(
        format=packed.format,
        grid=Grid(reader.GetSize(), affine),
        dtype=_dtype(sitk, reader.GetPixelID()),
        layout=packed,
        warnings=warnings + turned(affine),
    )


_UNORIENTED: Final = "Orientation unknown: left and right cannot be told."


def _affine(reader: Any) -> Affine:
    matrix_lps = np.eye(4)
    direction = np.array(reader.GetDirection()).reshape(3, 3)
    matrix_lps[:3, :3] = direction * np.array(reader.GetSpacing())
    matrix_lps[:3, 3] = reader.GetOrigin()
    try:
        return Affine.from_lps(matrix_lps)
    except GeometryError as err:
        raise InputError(
            "The header's spacing or directions are not finite or span no volume.", hint=_AGAIN
        ) from err


def _dtype(sitk: Any, pixel: int) -> np.dtype[Any]:
    kinds = {
        sitk.sitkUInt8: np.uint8,
        sitk.sitkInt8: np.int8,
        sitk.sitkUInt16: np.uint16,
        sitk.sitkInt16: np.int16,
        sitk.sitkUInt32: np.uint32,
        sitk.sitkInt32: np.int32,
        sitk.sitkUInt64: np.uint64,
        sitk.sitkInt64: np.int64,
        sitk.sitkFloat32: np.float32,
        sitk.sitkFloat64: np.float64,
    }
    if pixel not in kinds:
        raise InputError(
            "Grey values are expected; the file holds another kind of voxel.",
            hint="Convert it to integers or float32.",
        )
    return np.dtype(kinds[pixel])


def load(path: Path, *, progress: Progress | None = None, hashes: bool = True) -> Volume:
    """Read a volume.

    Parameters
    ----------
    path : Path
        A .nrrd, .nhdr, .mha or .mhd file.
    progress : callable, optional
        Called with bytes read and bytes in all.
    hashes : bool
        Whether to compute the SHA-256 of the file, and of the data file beside a header.

    Raises
    ------
    InputError
        When the file is damaged, cut off, too large, or not a single grey volume.
    """
    header = inspect(path)
    array, doubts = smallest_exact(_voxels(path, header, progress))
    files = (path,) if header.layout.data == path else (path, header.layout.data)
    digests = tuple(_digest(file) for file in files) if hashes else ()
    source = Source(format=header.format, files=files, sha256=digests)
    return Volume(header.grid, array.T, source, warnings=header.warnings + doubts)


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
        When the values are no labels, or as for `load`.
    """
    header = inspect(path)
    return as_labels(_voxels(path, header, None)).T, header.grid


def _voxels(path: Path, header: ItkHeader, progress: Progress | None) -> npt.NDArray[Any]:
    """Return the voxels, shape (k, j, i), native."""
    packed = header.layout
    needed = header.grid.size * header.dtype.itemsize
    require_room(needed)
    if packed.packing == "other":
        return _through_simpleitk(path)
    size = _size(packed.data)
    ratio = LARGEST_RATIO if packed.packing in ("gzip", "zlib") else 1
    require_promise(needed, max(size - packed.offset, 0), ratio)
    order = ">" if packed.big_endian else "<"
    out = np.empty(header.grid.shape[::-1], np.dtype(order + header.dtype.str[1:]))
    try:
        with packed.data.open("rb", buffering=0) as stream:
            done = _unpack(stream, packed, out, size, progress)
    except OSError as err:
        raise _unreadable() from err
    if done != out.nbytes:
        raise InputError(
            "The file is cut off: it holds fewer voxels than its header says.",
            hint="The copy was interrupted; copy or export the file again.",
        )
    return out if out.dtype.isnative else out.byteswap().view(header.dtype)


def _unpack(
    stream: IO[bytes],
    packed: Layout,
    out: npt.NDArray[Any],
    size: int,
    progress: Progress | None,
) -> int:
    seen = packed.offset

    def see(block: bytes | memoryview) -> None:
        nonlocal seen
        seen += len(block)
        if progress is not None:
            progress(min(seen, size), size)

    # A negative offset: the voxels are the last bytes of the file.
    stream.seek(packed.offset if packed.offset >= 0 else size - out.nbytes)
    reader = GzipReader(
        stream,
        compressed=packed.packing != "raw",
        see=see,
        wbits=15 if packed.packing == "zlib" else 31,
    )
    done = reader.read_into(out.view(np.uint8).data.cast("B"))
    if packed.packing != "raw":
        reader.finish()
    return done


def _through_simpleitk(path: Path) -> npt.NDArray[Any]:
    """Read text and bzip2, whose end SimpleITK checks itself."""
    import SimpleITK as sitk  # noqa: N813

    try:
        return np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
    except RuntimeError as err:
        raise InputError("The voxels cannot be read.", hint=_AGAIN) from err


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as err:
        raise _unreadable() from err


def _digest(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as err:
        raise _unreadable() from err


def _unreadable() -> InputError:
    return InputError(
        "The file, or the data file that its header names, cannot be opened.",
        hint="Keep both files together, under the names they had.",
    )
