"""Where each frame of a DICOM segmentation lies on its scan (PS3.3 C.7.6.16, C.8.20)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.dicom import (
    AGAIN,
    ScanImages,
    first,
    items,
    numbers,
    plane_matrix_ras,
    text,
    whole,
)
from napari_medlabel.io.marks.frames import Array, Frames
from napari_medlabel.io.marks.place import Spot, find_spot, is_inside, tolerance
from napari_medlabel.model.volume import Volume

_ROUNDED: Final = 0.25
_UNEVEN_MM: Final = 0.1
ELSEWHERE: Final = (
    "Open the scan this segmentation was made on. It is never resampled silently."
)


@dataclass(frozen=True)
class SegFrame:
    """A frame of a segmentation.

    Parameters
    ----------
    number : int
        Counted from 0.
    segment : int
        Number of the segment it belongs to; 0 in label maps.
    spot : Spot
        Where it lies on the scan, one voxel thick.
    """

    number: int
    segment: int
    spot: Spot


class Places:
    """Where each frame lies: by its plane's position, else by the image it was drawn on.

    ``by_name`` counts the frames that lie a little beside the image that they name.
    """

    def __init__(self, dataset: Any, volume: Volume, pixels: Frames) -> None:
        self.by_name = 0
        self._shared = first(dataset, "SharedFunctionalGroupsSequence")
        self._groups = items(dataset, "PerFrameFunctionalGroupsSequence")
        self._images = ScanImages(volume)
        self._grid = volume.grid
        self._tolerance = tolerance(volume.grid)
        self._is_picture = volume.slices == "pictures"
        self._in_patient = volume.grid.frame_of_reference is not None and (
            text(dataset, "FrameOfReferenceUID") == volume.grid.frame_of_reference
        )
        self._pixels = pixels
        if self._groups and len(self._groups) != pixels.count:
            raise InputError(
                f"The header places {len(self._groups)} frames and says that there are "
                f"{pixels.count}.",
                hint=AGAIN,
            )

    def frames(self, *, with_segment: bool) -> list[SegFrame]:
        """Return every frame that lies on the scan, with its segment and its place."""
        found = []
        for n in range(self._pixels.count):
            segment = self._segment(n) if with_segment else 0
            spot = self._spot(n)
            if spot is not None:
                found.append(SegFrame(n, segment, spot))
        if not found:
            raise GeometryError(
                "The segmentation does not lie on this scan: all its frames lie beyond the "
                "scan's slices.",
                hint=ELSEWHERE,
            )
        return found

    def _macro(self, number: int, keyword: str) -> Any:
        group = self._groups[number] if self._groups else None
        found = first(group, keyword)
        return found if found is not None else first(self._shared, keyword)

    def _segment(self, number: int) -> int:
        item = self._macro(number, "SegmentIdentificationSequence")
        value = 0 if item is None else whole(item, "ReferencedSegmentNumber", 0)
        if value < 1:
            raise InputError(f"{self._name(number)} names no segment.", hint=AGAIN)
        return value

    def _name(self, number: int) -> str:
        return f"Frame {number + 1} of {self._pixels.count}"

    def _spot(self, number: int) -> Spot | None:
        """Return where a frame lies; None for one beyond the slices of the same stack."""
        matrix = None if self._is_picture else self._matrix(number)
        if matrix is None:
            return self._on_image(number, self._referenced(number))
        shape = (self._pixels.columns, self._pixels.rows, 1)
        spot, apart = find_spot(self._grid, matrix, shape)
        if spot is None:
            raise self._elsewhere(number, "its pixels have another direction than the scan's")
        if self._is_beyond(spot, apart):
            return None
        if np.any(apart > self._tolerance):
            spot = self._by_reference(number, matrix, spot, apart)
        if spot is None:
            raise self._elsewhere(number, _beside(apart, self._grid))
        if not is_inside(self._grid, spot.where):
            raise self._elsewhere(number, "it reaches out of the scan")
        return spot

    def _is_beyond(self, spot: Spot, apart: Array) -> bool:
        """Tell whether a frame lies on a slice that was left out of this part of the scan."""
        k = spot.where[2].start
        is_stack = self._in_patient and spot.axes[2] == 2 and not 0 <= k < self._grid.shape[2]
        return bool(
            is_stack
            and np.all(apart[:2] <= self._tolerance[:2])
            and is_inside(self._grid, (*spot.where[:2], slice(0, 1)))
        )

    def _by_reference(
        self, number: int, matrix: FloatArray, spot: Spot, apart: Array
    ) -> Spot | None:
        """Trust the image that is named where a slice is uneven or a pixel spacing rounded.

        A scan's own slices may lie as unevenly as its reader allows. What a rounded spacing
        adds up to is forgiven too. The frame must have all pixels of the image.
        """
        columns, rows, _ = self._grid.shape
        start = np.linalg.solve(self._grid.affine.matrix, matrix[:, 3])[:3]
        off_mm = (start - np.rint(start)) * np.array(self._grid.affine.spacing_mm)
        is_whole = (self._pixels.columns, self._pixels.rows) == (columns, rows)
        is_near = (
            is_whole
            and float(np.linalg.norm(off_mm)) < _UNEVEN_MM
            and bool(np.all(apart < _ROUNDED))
        )
        if spot.axes[2] != 2 or not is_near:
            return None
        if self._referenced(number) != {spot.where[2].start}:
            return None
        self.by_name += 1
        return spot

    def _on_image(self, number: int, slices: set[int]) -> Spot:
        if len(slices) != 1:
            raise GeometryError(
                f"{self._name(number)} says neither where it lies nor on which image of this "
                "scan it was drawn.",
                hint=ELSEWHERE,
            )
        columns, rows, _ = self._grid.shape
        if (self._pixels.columns, self._pixels.rows) != (columns, rows):
            raise GeometryError(
                f"The segmentation does not lie on this scan: {columns} x {rows} pixels are "
                f"expected, {self._pixels.columns} x {self._pixels.rows} came.",
                hint=ELSEWHERE,
            )
        k = next(iter(slices))
        whole_image = (slice(0, columns), slice(0, rows), slice(k, k + 1))
        return Spot((0, 1, 2), (False, False, False), whole_image)

    def _matrix(self, number: int) -> Any:
        position = numbers(
            self._macro(number, "PlanePositionSequence"), "ImagePositionPatient", 3
        )
        orientation = numbers(
            self._macro(number, "PlaneOrientationSequence"), "ImageOrientationPatient", 6
        )
        spacing = numbers(self._macro(number, "PixelMeasuresSequence"), "PixelSpacing", 2)
        if position is None or orientation is None or spacing is None:
            return None
        matrix = plane_matrix_ras(position, orientation, spacing)
        if matrix is None:
            raise InputError(
                f"{self._name(number)} has directions or a pixel spacing that cannot be.",
                hint=AGAIN,
            )
        # One voxel thick: the third axis is the scan's own, so that a tilted stack is found.
        return self._across(matrix)

    def _across(self, matrix: Any) -> Any:
        affine = self._grid.affine.matrix[:3, :3]
        along = np.abs(np.linalg.solve(affine, matrix[:3, :2])).argmax(axis=0)
        rest = ({0, 1, 2} - {int(a) for a in along}) or {2}
        matrix[:3, 2] = affine[:, next(iter(rest))]
        return matrix

    def _referenced(self, number: int) -> set[int]:
        found: set[int] = set()
        group = self._groups[number] if self._groups else None
        for source in (group, self._shared):
            for derivation in items(source, "DerivationImageSequence"):
                for image in items(derivation, "SourceImageSequence"):
                    found |= self._images.slices_of(image)
            if found:
                break
        return found

    def _elsewhere(self, number: int, reason: str) -> GeometryError:
        return GeometryError(
            f"The segmentation does not lie on this scan: of {self._name(number).lower()} "
            f"{reason}.",
            hint=ELSEWHERE,
        )


def _beside(apart: Array, grid: Grid) -> str:
    apart_mm = float(np.linalg.norm(np.minimum(apart, 1e6) * np.array(grid.affine.spacing_mm)))
    return f"the corners lie up to {apart_mm:.3g} mm beside the scan's voxels"
