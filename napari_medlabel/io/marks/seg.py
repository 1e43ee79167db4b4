"""DICOM segmentations (PS3.3 A.51, A.101): binary, fractional and label map, on their scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.dicom import (
    AGAIN,
    code,
    items,
    numbers,
    text,
    whole,
)
from napari_medlabel.io.marks.found import (
    Marks,
    NameList,
    Probability,
    colour_of,
    counted,
    lab_to_rgb,
    overlap_warning,
)
from napari_medlabel.io.marks.frames import Array, Frames
from napari_medlabel.io.marks.place import Layers
from napari_medlabel.io.marks.seg_places import ELSEWHERE, Places, SegFrame
from napari_medlabel.io.voxels import require_room
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.model.volume import Volume

Progress = Callable[[int, int], None]
_SCHEME: Final = "DICOM segmentation"


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
    places = Places(dataset, volume, pixels)
    frames = places.frames(with_segment=kind != "LABELMAP")
    seen = _Seen(pixels, progress)
    marks = _filled(dataset, kind, volume.grid, frames, seen)
    doubts = tuple(_doubts(pixels.count, pixels.count - len(frames), places.by_name))
    return replace(marks, warnings=marks.warnings + doubts)


def _doubts(count: int, beyond: int, by_name: int) -> Iterator[str]:
    if beyond:
        yield counted(
            beyond,
            f"{{}} of {counted(count, '{} frame(|s)')} (lies|lie) beyond the slices of this "
            "scan, which may be a part of a longer one, and (is|are) left out.",
        )
    if by_name:
        yield counted(
            by_name,
            f"{{}} of {counted(count, '{} frame(|s)')} (lies|lie) a little beside the "
            "(image that it names|images that they name), and (was|were) put there.",
        )


def _filled(dataset: Any, kind: str, grid: Grid, frames: list[SegFrame], seen: _Seen) -> Marks:
    if kind == "LABELMAP":
        return _label_map(dataset, grid, frames, seen)
    segments = _segments(dataset)
    unknown = {one.segment for one in frames} - {label.value for label in segments}
    if unknown:
        raise InputError(
            f"{len(unknown)} of the segments that frames belong to are not described.",
            hint=AGAIN,
        )
    if kind == "FRACTIONAL":
        return _fractional(dataset, grid, frames, seen, segments)
    return _binary(grid, frames, seen, segments)


class _Seen:
    """Decodes frames and tells how far it is."""

    def __init__(self, pixels: Frames, progress: Progress | None) -> None:
        self._pixels = pixels
        self._progress = progress
        self._done: set[int] = set()
        self.dtype = np.dtype(np.uint16 if pixels.bits == 16 else np.uint8)

    def frame(self, one: SegFrame) -> Array:
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
            hint=ELSEWHERE,
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


def _by_segment(frames: list[SegFrame]) -> dict[int, list[SegFrame]]:
    found: dict[int, list[SegFrame]] = {}
    for one in frames:
        found.setdefault(one.segment, []).append(one)
    return found


def _binary(grid: Grid, frames: list[SegFrame], seen: _Seen, segments: list[Label]) -> Marks:
    scheme = LabelScheme(_SCHEME, tuple(segments))
    layers = Layers(grid, scheme.dtype)
    for segment, own in _by_segment(frames).items():

        def pieces(own: list[SegFrame] = own) -> Iterator[tuple[Any, Array]]:
            for one in own:
                yield one.spot.where, seen.frame(one) != 0

        layers.put(segment, pieces)
    labels = layers.label_maps(scheme)
    return Marks("SEG", labels, warnings=overlap_warning(labels))


def _fractional(
    dataset: Any, grid: Grid, frames: list[SegFrame], seen: _Seen, segments: list[Label]
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

        def pieces(array: Array = array, own: list[SegFrame] = own) -> Iterator[Any]:
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


def _label_map(dataset: Any, grid: Grid, frames: list[SegFrame], seen: _Seen) -> Marks:
    segments = _segments(dataset)
    padding = whole(dataset, "PixelPaddingValue", 0)
    segments = [label for label in segments if label.value != padding]
    scheme = LabelScheme(_SCHEME, tuple(segments))
    array = np.zeros(grid.shape[::-1], seen.dtype).T
    counts = np.zeros(1 << (8 * array.itemsize), np.int64)
    for one in frames:
        values = seen.frame(one)
        counts += np.bincount(values.ravel(order="K"), minlength=counts.size)
        view = array[one.spot.where]
        if padding:
            values = np.where(values == padding, 0, values).astype(array.dtype)
        if view.any() and np.any((view != 0) & (values != 0) & (view != values)):
            raise InputError("Two frames of the label map claim the same voxels.", hint=AGAIN)
        np.maximum(view, values, out=view)
    present = set(np.flatnonzero(counts).tolist()) - {padding}
    scheme = scheme.with_unnamed(present)
    if scheme.dtype != array.dtype:
        array = np.array(array.T, dtype=scheme.dtype, order="C").T
    return Marks("SEG", (LabelMap(grid, array, scheme),), warnings=_zero_is_a_class(dataset))


def _zero_is_a_class(dataset: Any) -> tuple[str, ...]:
    for item in items(dataset, "SegmentSequence"):
        if whole(item, "SegmentNumber", 1) == 0:
            kind = code(item, "SegmentedPropertyTypeCodeSequence")
            words = f"{text(item, 'SegmentLabel')} {kind.meaning if kind else ''}".lower()
            if "background" not in words:
                return ("Segment 0 is not called background and is shown as background.",)
    return ()
