"""DICOM segmentations (PS3.3 A.51, A.101): binary, fractional and label map, on their scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks_dicom import (
    AGAIN,
    ScanImages,
    code,
    first,
    items,
    numbers,
    plane_matrix_ras,
    text,
    whole,
)
from napari_medlabel.io.marks_found import (
    Marks,
    NameList,
    Probability,
    colour_of,
    lab_to_rgb,
    overlap_warning,
)
from napari_medlabel.io.marks_frames import Array, Frames
from napari_medlabel.io.marks_place import Layers, Spot, find_spot, is_inside, tolerance
from napari_medlabel.io.voxels import require_room
from napari_medlabel.model.labelmap import Label, LabelScheme
from napari_medlabel.model.volume import Volume

Progress = Callable[[int, int], None]
_SCHEME: Final = "DICOM segmentation"
_HINT: Final = "Open the scan this segmentation was made on. It is never resampled silently."


@dataclass(frozen=True)
class _Frame:
    number: int
    segment: int
    spot: Spot


def read_seg(dataset: Any, volume: Volume, progress: Progress | None) -> Marks:
    """Put a segmentation on its scan.

    Parameters
    ----------
    dataset : pydicom Dataset
        Of one of the two segmentation classes.
    volume : Volume
        The scan.
    progress : callable or None
        Called with frames done and frames in all.

    Raises
    ------
    GeometryError
        When it does not lie on the scan.
    InputError
        When it is tiled, contradicts itself or is damaged.
    """
    _require_not_tiled(dataset)
    _require_frame_of_reference(dataset, volume.grid)
    pixels = Frames(dataset)
    kind = text(dataset, "SegmentationType").upper() or "BINARY"
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise InputError(
            "A segmentation is binary, fractional or a label map; this is none of them.",
            hint=AGAIN,
        )
    frames = _Places(dataset, volume, pixels).frames(with_segment=kind != "LABELMAP")
    seen = _Seen(pixels, progress)
    if kind == "LABELMAP":
        return _label_map(dataset, volume.grid, frames, seen)
    segments = _segments(dataset)
    unknown = {one.segment for one in frames} - {label.value for label in segments}
    if unknown:
        raise InputError(
            f"{len(unknown)} of the segments that frames belong to are not described.",
            hint=AGAIN,
        )
    if kind == "FRACTIONAL":
        return _fractional(dataset, volume.grid, frames, seen, segments)
    return _binary(volume.grid, frames, seen, segments)


class _Seen:
    """Decodes frames and tells how far it is."""

    def __init__(self, pixels: Frames, progress: Progress | None) -> None:
        self._pixels = pixels
        self._progress = progress
        self._done: set[int] = set()

    def frame(self, one: _Frame) -> Array:
        """Return a frame in the axes of the scan, as thick as one voxel."""
        stored = self._pixels.frame(one.number)
        self._done.add(one.number)
        if self._progress is not None:
            self._progress(len(self._done), self._pixels.count)
        return one.spot.turned(stored.T[:, :, np.newaxis])


def _require_not_tiled(dataset: Any) -> None:
    tiled = text(dataset, "DimensionOrganizationType").upper().startswith("TILED")
    if tiled or "TotalPixelMatrixColumns" in dataset:
        raise InputError(
            "This segmentation is of a whole-slide image, in tiles; volumes and single images "
            "are labelled here.",
            hint="Open it with a tool for digital pathology.",
        )


def _require_frame_of_reference(dataset: Any, grid: Grid) -> None:
    came = text(dataset, "FrameOfReferenceUID")
    if came and grid.frame_of_reference and came != grid.frame_of_reference:
        raise GeometryError(
            "The segmentation does not lie on this scan: the frames of reference differ.",
            hint=_HINT,
        )


def _segments(dataset: Any) -> list[Label]:
    names = NameList()
    labels: dict[int, Label] = {}
    for item in items(dataset, "SegmentSequence"):
        value = whole(item, "SegmentNumber", 0)
        if value == 0:
            continue  # the background of a label map
        if value in labels:
            raise InputError("Two segments have the same number.", hint=AGAIN)
        lab = numbers(item, "RecommendedDisplayCIELabValue", 3)
        labels[value] = Label(
            value,
            names.own(text(item, "SegmentLabel"), f"Segment {value}"),
            colour_of(lab_to_rgb(lab) if lab else None, value),
            code(item, "SegmentedPropertyTypeCodeSequence"),
        )
    return list(labels.values())


class _Places:
    """Where each frame lies: by its plane's position, else by the image it was drawn on."""

    def __init__(self, dataset: Any, volume: Volume, pixels: Frames) -> None:
        self._shared = first(dataset, "SharedFunctionalGroupsSequence")
        self._groups = items(dataset, "PerFrameFunctionalGroupsSequence")
        self._images = ScanImages(volume)
        self._grid = volume.grid
        self._tolerance = tolerance(volume.grid)
        self._is_picture = volume.slices == "pictures"
        self._pixels = pixels
        if self._groups and len(self._groups) != pixels.count:
            raise InputError(
                f"The header places {len(self._groups)} frames and says that there are "
                f"{pixels.count}.",
                hint=AGAIN,
            )

    def frames(self, *, with_segment: bool) -> list[_Frame]:
        """Return every frame with its segment and its place."""
        return [
            _Frame(n, self._segment(n) if with_segment else 0, self._spot(n))
            for n in range(self._pixels.count)
        ]

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

    def _spot(self, number: int) -> Spot:
        slices = self._referenced(number)
        matrix = None if self._is_picture else self._matrix(number)
        if matrix is None:
            return self._on_image(number, slices)
        shape = (self._pixels.columns, self._pixels.rows, 1)
        spot, apart = find_spot(self._grid, matrix, shape)
        if spot is None:
            raise self._elsewhere(number, "its pixels have another direction than the scan's")
        if np.any(apart > self._tolerance):
            spot = self._by_reference(spot, apart, slices)
        if spot is None:
            raise self._elsewhere(number, _beside(apart, self._grid))
        if not is_inside(self._grid, spot.where):
            raise self._elsewhere(number, "it reaches out of the scan")
        return spot

    def _by_reference(self, spot: Spot, apart: Array, slices: set[int]) -> Spot | None:
        """Trust the image that is named where a slice's own position is a little uneven."""
        across = spot.axes[2]
        inside_plane = np.delete(apart, across) <= np.delete(self._tolerance, across)
        near = spot.where[2].start
        if across == 2 and inside_plane.all() and apart[2] < 0.5 and slices == {near}:
            return spot
        return None

    def _on_image(self, number: int, slices: set[int]) -> Spot:
        if len(slices) != 1:
            raise GeometryError(
                f"{self._name(number)} says neither where it lies nor on which image of this "
                "scan it was drawn.",
                hint=_HINT,
            )
        columns, rows, _ = self._grid.shape
        if (self._pixels.columns, self._pixels.rows) != (columns, rows):
            raise GeometryError(
                f"The segmentation does not lie on this scan: {columns} x {rows} pixels are "
                f"expected, {self._pixels.columns} x {self._pixels.rows} came.",
                hint=_HINT,
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
            hint=_HINT,
        )


def _beside(apart: Array, grid: Grid) -> str:
    apart_mm = float(np.linalg.norm(np.minimum(apart, 1e6) * np.array(grid.affine.spacing_mm)))
    return f"the corners lie up to {apart_mm:.3g} mm beside the scan's voxels"


def _by_segment(frames: list[_Frame]) -> dict[int, list[_Frame]]:
    found: dict[int, list[_Frame]] = {}
    for one in frames:
        found.setdefault(one.segment, []).append(one)
    return found


def _binary(grid: Grid, frames: list[_Frame], seen: _Seen, segments: list[Label]) -> Marks:
    scheme = LabelScheme(_SCHEME, tuple(segments))
    layers = Layers(grid, scheme.dtype)
    for segment, own in _by_segment(frames).items():

        def pieces(own: list[_Frame] = own) -> Iterator[tuple[Any, Array]]:
            for one in own:
                yield one.spot.where, seen.frame(one) != 0

        layers.put(segment, pieces)
    labels = layers.label_maps(scheme)
    return Marks("SEG", labels, warnings=overlap_warning(labels))


def _fractional(
    dataset: Any, grid: Grid, frames: list[_Frame], seen: _Seen, segments: list[Label]
) -> Marks:
    largest = whole(dataset, "MaximumFractionalValue", 255)
    if not 1 <= largest <= 255:
        raise InputError("Maximum Fractional Value is not one of 1 to 255.", hint=AGAIN)
    groups = _by_segment(frames)
    require_room(len(groups) * grid.size)
    scheme = LabelScheme(_SCHEME, tuple(segments))
    layers = Layers(grid, scheme.dtype)
    is_occupancy = text(dataset, "SegmentationFractionalType").upper() == "OCCUPANCY"
    maps = []
    for segment, own in groups.items():
        array = np.zeros(grid.shape[::-1], np.uint8).T
        for one in own:
            np.maximum(array[one.spot.where], seen.frame(one), out=array[one.spot.where])
        if array.max() > largest:
            raise InputError("A fraction is larger than Maximum Fractional Value.", hint=AGAIN)

        def pieces(array: Array = array, own: list[_Frame] = own) -> Iterator[Any]:
            for one in own:
                yield one.spot.where, array[one.spot.where] >= largest / 2

        layers.put(segment, pieces)
        maps.append(Probability(scheme[segment].name, array, largest, is_occupancy))
    labels = layers.label_maps(scheme)
    said = "shares of the voxel" if is_occupancy else "probabilities"
    doubt = f"The segmentation is fractional ({said}): labels hold what is 0.5 or more."
    return Marks(
        "SEG",
        labels,
        probabilities=tuple(maps),
        warnings=(doubt, *overlap_warning(labels)),
    )


def _label_map(dataset: Any, grid: Grid, frames: list[_Frame], seen: _Seen) -> Marks:
    segments = _segments(dataset)
    background = {0}
    padding = dataset.get("PixelPaddingValue")
    if padding is not None and padding != "":
        background.add(int(padding))
        segments = [label for label in segments if label.value != int(padding)]
    array = np.zeros(grid.shape[::-1], np.uint16).T
    for one in frames:
        values = seen.frame(one)
        named = ~np.isin(values, list(background))
        view = array[one.spot.where]
        if np.any((view != 0) & named & (view != values)):
            raise InputError("Two frames of the label map claim the same voxels.", hint=AGAIN)
        np.copyto(view, values, where=named, casting="same_kind")
    present = np.flatnonzero(np.bincount(array.T.ravel(), minlength=1))
    scheme = LabelScheme(_SCHEME, tuple(segments)).with_unnamed(present)
    warnings = _zero_is_a_class(dataset)
    if scheme.dtype != array.dtype:
        array = np.array(array.T, dtype=scheme.dtype, order="C").T
    layers = Layers(grid, scheme.dtype).label_maps(scheme)[0]
    layers.array[...] = array
    return Marks("SEG", (layers,), warnings=warnings)


def _zero_is_a_class(dataset: Any) -> tuple[str, ...]:
    for item in items(dataset, "SegmentSequence"):
        if whole(item, "SegmentNumber", 1) == 0:
            kind = code(item, "SegmentedPropertyTypeCodeSequence")
            words = f"{text(item, 'SegmentLabel')} {kind.meaning if kind else ''}".lower()
            if "background" not in words:
                return ("Segment 0 is not called background and is shown as background.",)
    return ()
