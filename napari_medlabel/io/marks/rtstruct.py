"""RT structure sets (PS3.3 A.19): regions to voxels of the scan, points, and the contours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import GeometryError
from napari_medlabel.geometry.axes import FloatArray, flip_lps_ras
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.contours import fill
from napari_medlabel.io.marks.dicom import ScanImages, items, numbers, plain_text, text
from napari_medlabel.io.marks.found import (
    Contour,
    Marks,
    NameList,
    colour_of,
    counted,
    label_values,
    landmarks_of,
    overlap_warning,
)
from napari_medlabel.io.marks.place import Layers
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.model.volume import Volume

Progress = Callable[[int, int], None]
_CONTOUR_DATA: Final = 0x30060050
_GEOMETRIC_TYPE: Final = 0x30060042
_SOP_INSTANCE: Final = 0x00081155
_CLOSED: Final = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR"})
_OPEN: Final = frozenset({"OPEN_PLANAR", "OPEN_NONPLANAR"})
_FARTHEST: Final = 1e6
_BETWEEN: Final = 0.1
_AT_BORDER: Final = 0.01
_DAMAGED: Final = "{} damaged contour(|s) (no whole number of finite points) (is|are) left out."
_FLAT: Final = "{} closed contour(|s) of one or two points (encloses|enclose) nothing."
_SLANTING: Final = (
    "{} closed contour(|s) (runs|run) across the slices: shown as (a contour|contours), not "
    "filled."
)
_OUTSIDE: Final = (
    "{} closed contour(|s) (lies|lie) beyond the scan's slices and (is|are) not filled."
)
_CLIPPED: Final = (
    "{} closed contour(|s) (reaches|reach) out of the scan's slices at the sides: only what "
    "lies inside was filled."
)
_SECOND: Final = (
    "{} closed contour(|s) (is|are) not filled: others lie nearer to the same slice."
)
_TWICE: Final = (
    "{} contour(|s) (stands|stand) twice in (its|their) region and (was|were) taken once."
)
_LEAPING: Final = (
    "{} region(|s) (leaves|leave) out slices between (its|their) contours: nothing was filled "
    "in."
)
_OFF: Final = (
    "{} closed contour(|s) (lies|lie) between slices, up to MM mm off: filled on the nearest "
    "slice."
)
_HINT: Final = "Open the scan these structures were drawn on."


@dataclass
class _Region:
    """One region of interest, as it is collected."""

    value: int
    name: str
    colour: str
    closed: list[FloatArray] = field(default_factory=list)
    open: list[FloatArray] = field(default_factory=list)
    points: list[FloatArray] = field(default_factory=list)

    @property
    def is_area(self) -> bool:
        return bool(self.closed) or not (self.open or self.points)


@dataclass
class _Doubts:
    """What was left out or moved, counted over all regions."""

    damaged: int = 0
    unknown: int = 0
    flat: int = 0
    slanting: int = 0
    outside: int = 0
    clipped: int = 0
    between: int = 0
    farthest_mm: float = 0.0
    second: int = 0
    twice: int = 0
    leaping: int = 0

    def words(self) -> Iterator[str]:
        """Yield a sentence for each kind that occurred."""
        told = (
            (self.damaged, _DAMAGED),
            (self.unknown, "{} contour(|s) of an unknown kind (is|are) left out."),
            (self.flat, _FLAT),
            (self.slanting, _SLANTING),
            (self.outside, _OUTSIDE),
            (self.clipped, _CLIPPED),
            (self.second, _SECOND),
            (self.twice, _TWICE),
            (self.leaping, _LEAPING),
            (self.between, _OFF.replace("MM", f"{self.farthest_mm:.2g}")),
        )
        yield from (counted(n, sentence) for n, sentence in told if n)


def read_rtstruct(dataset: Any, volume: Volume, progress: Progress | None) -> Marks:
    """Fill the regions of a structure set on its scan.

    A voxel belongs to a region when its centre lies inside, by the even-odd rule over all the
    closed contours on its slice; see `napari_medlabel.io.marks.contours`.

    Parameters
    ----------
    dataset : pydicom Dataset
        Of the class RT Structure Set.
    volume : Volume
        The scan.
    progress : callable or None
        Called with regions done and regions in all.

    Raises
    ------
    GeometryError
        When it was drawn on other images in another frame of reference, or the scan's images
        have no place in the patient.
    """
    if volume.slices == "pictures":
        raise GeometryError(
            "Structures lie in the patient; these images have no place there.",
            hint=_HINT,
        )
    warnings = list(_require_reference(dataset, volume))
    doubts = _Doubts()
    regions = _regions(dataset, doubts)
    areas = [one for one in regions if one.is_area]
    labels: tuple[LabelMap, ...] = ()
    if any(one.closed for one in areas):
        scheme = LabelScheme(
            "RT structure set",
            tuple(Label(one.value, one.name, one.colour) for one in areas),
        )
        layers = Layers(volume.grid, scheme.dtype)
        for n, one in enumerate(areas):
            _fill(one, volume.grid, layers, doubts)
            if progress is not None:
                progress(n + 1, len(areas))
        labels = layers.label_maps(scheme)
    empty = sum(not (one.closed or one.open or one.points) for one in regions)
    if empty:
        words = (
            f"{{}} of {len(regions)} region{'s' * (len(regions) > 1)} (holds|hold) no contour."
        )
        warnings.append(counted(empty, words))
    return Marks(
        "RTSTRUCT",
        labels,
        landmarks_of((one.name, p) for one in regions for p in one.points),
        tuple(_contours(regions)),
        warnings=(*warnings, *doubts.words(), *overlap_warning(labels)),
    )


def _contours(regions: list[_Region]) -> Iterator[Contour]:
    for one in regions:
        for points in one.closed:
            yield Contour(one.name, one.colour, points, is_closed=True)
        for points in one.open:
            yield Contour(one.name, one.colour, points, is_closed=False)


def _require_reference(dataset: Any, volume: Volume) -> Iterator[str]:
    images = ScanImages(volume)
    frames, named = _referenced(dataset)
    if not named & images.uids:
        for uid in _uids_of_contours(dataset):
            named.add(uid)
            if uid in images.uids:
                break
    own = volume.grid.frame_of_reference
    if named & images.uids:
        if own and frames and own not in frames:
            yield "The structures name this scan's images, but another frame of reference."
        return
    if own and own in frames:
        if images.uids and named:
            yield "The structures were drawn on other images in the same frame of reference."
        return
    if (own and frames) or (named and images.uids):
        differ = (
            "the frames of reference differ and "
            if own and frames
            else "its frame of reference is unknown and "
        )
        raise GeometryError(
            f"The structures do not lie on this scan: {differ}none of the images that they "
            "were drawn on is of this scan.",
            hint=_HINT,
        )
    yield "Nothing says that the structures were drawn on this scan: compare before use."


def _referenced(dataset: Any) -> tuple[set[str], set[str]]:
    """Return the frames of reference and the images that the structures name."""
    frames = set()
    named: set[str] = set()
    for one in items(dataset, "ReferencedFrameOfReferenceSequence"):
        frames.add(text(one, "FrameOfReferenceUID"))
        for study in items(one, "RTReferencedStudySequence"):
            for series in items(study, "RTReferencedSeriesSequence"):
                named |= _uids(items(series, "ContourImageSequence"))
    for one in items(dataset, "StructureSetROISequence"):
        frames.add(text(one, "ReferencedFrameOfReferenceUID"))
    return frames - {""}, named


def _uids(references: tuple[Any, ...]) -> set[str]:
    return {plain_text(one, _SOP_INSTANCE) for one in references} - {""}


def _uids_of_contours(dataset: Any) -> Iterator[str]:
    for region in items(dataset, "ROIContourSequence"):
        for contour in items(region, "ContourSequence"):
            yield from _uids(items(contour, "ContourImageSequence"))


def _regions(dataset: Any, doubts: _Doubts) -> list[_Region]:
    drawn: dict[str, list[Any]] = {}
    for one in items(dataset, "ROIContourSequence"):
        drawn.setdefault(text(one, "ReferencedROINumber"), []).append(one)
    described = {
        text(one, "ROINumber"): text(one, "ROIName")
        for one in items(dataset, "StructureSetROISequence")
    }
    keys = [*described, *(key for key in drawn if key not in described)]
    values = label_values([int(key) if key.isdecimal() else None for key in keys])
    names = NameList()
    regions = []
    for key, value in zip(keys, values, strict=True):
        parts = drawn.get(key, [])
        rgb = numbers(parts[0], "ROIDisplayColor", 3) if parts else None
        name = names.own(described.get(key), f"Region {value}")
        region = _Region(value, name, colour_of(rgb, value))
        for part in parts:
            for contour in items(part, "ContourSequence"):
                _sort_in(region, contour, doubts)
        regions.append(region)
    return regions


def _sort_in(region: _Region, contour: Any, doubts: _Doubts) -> None:
    kind = plain_text(contour, _GEOMETRIC_TYPE).upper()
    points = _points_ras(contour)
    if points is None:
        doubts.damaged += 1
    elif kind == "POINT":
        region.points.extend(points)
    elif kind in _CLOSED:
        region.closed.append(points)
    elif kind in _OPEN:
        region.open.append(points)
    else:
        doubts.unknown += 1


def _points_ras(contour: Any) -> FloatArray | None:
    """Return a contour's points, shape (n, 3); None where they are no points."""
    if _CONTOUR_DATA not in contour:
        return None
    # The bytes themselves: pydicom would make an object of every single number.
    value = contour.get_item(_CONTOUR_DATA).value
    if isinstance(value, bytes):
        value = value.strip(b"\0 ").split(b"\\")
    try:
        flat = np.array([float(v) for v in value], dtype=np.float64)
    except (TypeError, ValueError):
        return None
    if not flat.size or flat.size % 3 or not np.isfinite(flat).all():
        return None
    return flip_lps_ras(flat.reshape(-1, 3))


def _fill(region: _Region, grid: Grid, layers: Layers, doubts: _Doubts) -> None:
    index = [_to_index(points, grid) for points in region.closed if len(points) > 2]
    doubts.flat += sum(len(points) <= 2 for points in region.closed)
    across = _across(index)
    along = [axis for axis in range(3) if axis != across]
    chosen = _on_slices(index, across, grid, doubts)
    if not chosen:
        return
    slices = sorted(chosen)
    if slices[-1] - slices[0] + 1 > len(slices):
        doubts.leaping += 1
    outlines = [(n, points[:, along]) for n, k in enumerate(slices) for points in chosen[k]]
    size = (grid.shape[along[0]], grid.shape[along[1]])
    doubts.clipped += sum(_reaches_out(points, size) for _, points in outlines)
    area = fill([points for _, points in outlines], [n for n, _ in outlines], size)
    rows, columns = area.planes.shape[1:]

    def pieces() -> Iterator[tuple[Any, Any]]:
        for n, k in enumerate(slices):
            where = [slice(k, k + 1)] * 3
            for axis, start, many in zip(along, area.corner, (columns, rows), strict=True):
                where[axis] = slice(start, start + many)
            yield tuple(where), np.expand_dims(area.planes[n].T, across)

    layers.put(region.value, pieces)


def _reaches_out(points: FloatArray, size: tuple[int, int]) -> bool:
    """Tell whether a contour goes more than a hundredth of a voxel beyond the outer voxels."""
    beyond = np.maximum(-0.5 - points.min(axis=0), points.max(axis=0) - size + 0.5)
    return bool(beyond.max() > _AT_BORDER)


def _to_index(points_ras: FloatArray, grid: Grid) -> FloatArray:
    return np.clip(grid.affine.to_index(points_ras), -_FARTHEST, _FARTHEST)


def _across(contours: list[FloatArray]) -> int:
    """Return the grid's axis across which the most contours are planar; k where it is so."""
    if not contours:
        return 2
    spread = np.array([np.ptp(points, axis=0) for points in contours])
    planar = (spread < 0.5).sum(axis=0)
    return 2 - int(np.argmax(planar[::-1]))


def _on_slices(
    contours: list[FloatArray], across: int, grid: Grid, doubts: _Doubts
) -> dict[int, list[FloatArray]]:
    """Return for each slice the contours that are filled on it: those of the nearest plane."""
    groups: dict[int, dict[float, list[FloatArray]]] = {}
    known: set[bytes] = set()
    for points in contours:
        place = float(points[:, across].mean())
        k = int(np.floor(place + 0.5))
        if np.ptp(points[:, across]) >= 0.5:
            doubts.slanting += 1
        elif not 0 <= k < grid.shape[across]:
            doubts.outside += 1
        elif (content := points.tobytes()) in known:
            doubts.twice += 1
        else:
            known.add(content)
            groups.setdefault(k, {}).setdefault(round(place, 2), []).append(points)
    spacing = grid.affine.spacing_mm[across]
    chosen = {}
    for k, planes in groups.items():
        nearest = min(planes, key=lambda place: (abs(place - k), place))
        chosen[k] = planes[nearest]
        doubts.second += sum(len(p) for p in planes.values()) - len(planes[nearest])
        if abs(nearest - k) > _BETWEEN:
            doubts.between += len(planes[nearest])
            doubts.farthest_mm = max(doubts.farthest_mm, abs(nearest - k) * spacing)
    return chosen
