"""The volume: a grid, its voxels, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.grid import Grid

Slices = Literal["places", "pictures"]
Format = Literal["dicom", "nifti", "analyze", "nrrd", "mha", "minc", "par"]


@dataclass(frozen=True, repr=False)
class Source:
    """The files behind a volume.

    Parameters
    ----------
    format : str
        ``"dicom"``, ``"nifti"``, ``"analyze"``, ``"nrrd"``, ``"mha"``, ``"minc"`` or ``"par"``.
    files : tuple of Path
        In slice order where one file is one slice; volume after volume where there are several.
    sha256 : tuple of str
        Hex digest of each file's bytes, in the same order; empty when not asked for.
    series_uid : str or None
        SeriesInstanceUID. An identifier: never shown, never logged as it is.
    sop_instance_uids : tuple of str
        SOPInstanceUID of each slice, in slice order.
    patient_id, issuer : str or None
        PatientID and IssuerOfPatientID, kept only to make the log's keyed token.
    header : object
        What the writer needs to put a mask on exactly this grid: for NIfTI the header's bytes
        (348 or 540), for the others None.
    big_endian : bool
        Byte order of that header.
    planes : tuple of pair of int
        For DICOM, for each slice (volume after volume where there are several): which of
        ``files`` it came from and which zero-based frame of it; (-1, -1) where none holds it.
    """

    format: Format
    files: tuple[Path, ...]
    sha256: tuple[str, ...] = ()
    series_uid: str | None = None
    sop_instance_uids: tuple[str, ...] = ()
    patient_id: str | None = None
    issuer: str | None = None
    header: bytes | None = None
    big_endian: bool = False
    planes: tuple[tuple[int, int], ...] = ()

    @property
    def is_slice_by_slice(self) -> bool:
        """Whether slice k is simply the whole of file k."""
        return all(plane == (k, 0) for k, plane in enumerate(self.planes))

    def __repr__(self) -> str:
        return f"Source({self.format}, {len(self.files)} files)"


@dataclass(frozen=True, eq=False, repr=False)
class FurtherAxis:
    """The volumes of a scan that lie on one grid and differ in something other than place.

    Parameters
    ----------
    name : str
        What they differ in: ``"time"``, ``"echo"``, ``"b-value"``, ``"phase"``, ``"volume"``.
    unit : str
        Unit of the values: ``"s"``, ``"ms"``, ``"s/mm2"``; empty for plain numbers.
    values : tuple of float
        One for each volume.
    array : array, shape (i, j, k, t)
        All volumes, of the scan's dtype. May be lazy: anything with ``shape``, ``dtype`` and
        indexing that NumPy can turn into an array, for instance a memory map or a dask array.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    array: Any

    def __post_init__(self) -> None:
        if len(self.array.shape) != 4 or self.array.shape[3] != len(self.values):
            raise GeometryError(
                f"One value for each volume is expected; got {len(self.values)} for an array "
                f"of shape {tuple(self.array.shape)}.",
                hint="This is a fault in the reader; please report it.",
            )

    def __repr__(self) -> str:
        return f"FurtherAxis({self.name}, {len(self.values)} volumes)"


@dataclass(frozen=True, eq=False, repr=False)
class Volume:
    """A scan: voxels on a grid.

    Parameters
    ----------
    grid : Grid
        Shape, affine and frame of reference.
    array : ndarray, shape (i, j, k)
        Voxel values, rescaled (for CT Hounsfield units), in the smallest dtype that holds
        them exactly, else float32. Usually a transposed view on a C-ordered (k, j, i) buffer.
        Of several volumes the first one; of colours their brightness.
    source : Source
        Files and identifiers behind it.
    modality : str
        Modality (0008,0060) as in DICOM, for instance ``"CT"``; empty when unknown.
    warnings : tuple of str
        Doubts in plain words, without values of identifying attributes.
    window : tuple of float or None
        WindowCenter and WindowWidth of the source, where it has them.
    is_oriented : bool
        False when the file does not say which side is left: then no side is written anywhere.
    further : FurtherAxis or None
        All volumes, where the scan has several on this grid: times, echoes, b-values.
    colour : ndarray of uint8, shape (i, j, k, 3), or None
        Red, green and blue, where the scan has colours.
    missing : tuple of int
        Slices (k) that no file holds: they are blank and must be shown as missing.
    is_inverted : bool
        Whether low values are shown bright (MONOCHROME1); the values are as stored.
    quantity : str
        What the values measure, with its unit, where that is known: ``"HU"``, ``"SUVbw g/ml"``.
    slices : str
        ``"places"``, or ``"pictures"`` where k only counts images that have no place in the
        patient: then nothing along k is a length.
    """

    grid: Grid
    array: npt.NDArray[Any]
    source: Source
    modality: str = ""
    warnings: tuple[str, ...] = field(default=())
    window: tuple[float, float] | None = None
    is_oriented: bool = True
    further: FurtherAxis | None = None
    colour: npt.NDArray[Any] | None = None
    missing: tuple[int, ...] = ()
    is_inverted: bool = False
    quantity: str = ""
    slices: Slices = "places"

    def __post_init__(self) -> None:
        if self.array.shape != self.grid.shape:
            raise GeometryError(
                f"The voxels must have the grid's shape {self.grid.shape}; got "
                f"{self.array.shape}.",
                hint="This is a fault in the reader; please report it.",
            )
        if self.array.dtype.kind not in "iuf" or not self.array.dtype.isnative:
            raise GeometryError(
                f"Voxels are native numbers; got {np.dtype(self.array.dtype).name}.",
                hint="This is a fault in the reader; please report it.",
            )
        if self.further is not None and self.further.array.shape[:3] != self.grid.shape:
            raise GeometryError(
                "All volumes of a scan must lie on its grid; these have another shape.",
                hint="This is a fault in the reader; please report it.",
            )
        if self.colour is not None and (
            self.colour.shape != (*self.grid.shape, 3) or self.colour.dtype != np.uint8
        ):
            raise GeometryError(
                "Colours are expected as bytes, three for each voxel of the grid.",
                hint="This is a fault in the reader; please report it.",
            )

    def __repr__(self) -> str:
        return f"Volume({self.grid!r}, {self.array.dtype}, {self.modality or '?'})"

    def require_same_voxels(self, other: Volume) -> None:
        """Refuse a volume that does not hold these voxels in this place.

        Frames of reference may differ: de-identification gives new ones.

        Raises
        ------
        GeometryError
            When place or voxels differ.
        """
        place, others = (Grid(v.grid.shape, v.grid.affine) for v in (self, other))
        place.require_same(others, what="copy of the scan")
        if not np.array_equal(self.array.T, other.array.T):
            raise GeometryError(
                "The copy of the scan does not hold the scan's voxels.",
                hint="This is a fault in the program; please report it.",
            )
