"""Structured reports (PS3.3 A.35, PS3.16 TID 1500): their coordinates, placed on the scan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.axes import FloatArray, flip_lps_ras
from napari_medlabel.io.marks.dicom import ScanImages, first, items, text
from napari_medlabel.io.marks.found import (
    Contour,
    Marks,
    counted,
    fallback_colour,
    landmarks_of,
)
from napari_medlabel.model.volume import Volume

_TRACKING: Final = "112039"
_SHORT_LABEL: Final = "125309"
_FINDING: Final = "121071"
_SITES: Final = ("363698007", "G-C0E3")
# What a coordinate is called in every report says nothing about this one.
_GENERIC: Final = frozenset({"111030", "121055", "121231", "122438", "125007", "126010"})
_ROUND: Final = 64
_DEEPEST: Final = 64


@dataclass(frozen=True)
class _Found:
    name: str
    kind: str
    points_ras: FloatArray


@dataclass
class _Left:
    elsewhere: int = 0
    unknown: int = 0
    damaged: int = 0

    def words(self) -> Iterator[str]:
        """Yield a sentence for each reason for which something was left out."""
        told = (
            (self.elsewhere, "{} mark(|s) (is|are) of other images and (is|are) left out."),
            (
                self.unknown,
                "{} mark(|s) of a kind that is not shown (is|are) left out.",
            ),
            (self.damaged, "{} damaged mark(|s) (is|are) left out."),
        )
        yield from (counted(n, sentence) for n, sentence in told if n)


def read_sr(dataset: Any, volume: Volume) -> Marks:
    r"""Place a report's coordinates on its scan.

    SCOORD3D is in LPS mm; SCOORD is in pixels of an image of the scan, 0.5\0.5 being the
    centre of its first pixel (PS3.3 C.18.6.1.2).

    Parameters
    ----------
    dataset : pydicom Dataset
        Of a structured report class.
    volume : Volume
        The scan.

    Raises
    ------
    GeometryError
        When all its coordinates are on other images.
    InputError
        When it holds none.
    """
    left = _Left()
    found = list(_coordinates(dataset, _Placer(volume, left)))
    if not found:
        if left.elsewhere:
            raise GeometryError(
                "The report does not lie on this scan: all its marks are of other images.",
                hint="Open the scan this report was made on.",
            )
        raise InputError(
            "The report holds no points or outlines that can be shown.",
            hint="Reports with coordinates (SCOORD, SCOORD3D) are read, such as TID 1500.",
        )
    points = [
        (one.name, p)
        for one in found
        if one.kind in ("POINT", "MULTIPOINT")
        for p in one.points_ras
    ]
    lines = [one for one in found if one.kind not in ("POINT", "MULTIPOINT")]
    warnings = tuple(left.words())
    if volume.grid.frame_of_reference is None and not volume.source.sop_instance_uids:
        warnings = ("Nothing says that the report is of this scan: compare first.", *warnings)
    return Marks(
        "SR",
        landmarks=landmarks_of(points),
        contours=tuple(_contour(one, n) for n, one in enumerate(lines, start=1)),
        warnings=warnings,
    )


def _contour(one: _Found, number: int) -> Contour:
    points = one.points_ras
    is_closed = one.kind != "POLYLINE"
    if len(points) > 2 and np.allclose(points[0], points[-1], atol=1e-4):
        points, is_closed = points[:-1], True
    return Contour(one.name, fallback_colour(number), points, is_closed)


def _coordinates(dataset: Any, placer: _Placer) -> Iterator[_Found]:
    # What a group is called is said beside its coordinates, not in them.
    called = _name_of(dataset)
    nowhere: frozenset[int] = frozenset()
    top = reversed(items(dataset, "ContentSequence"))
    stack = [(item, called, nowhere, 0) for item in top]
    while stack:
        item, inherited, of_parent, depth = stack.pop()
        name = _name_of(item) or inherited
        slices = placer.slices_of(item) or of_parent
        kind = text(item, "ValueType").upper()
        if kind in ("SCOORD", "SCOORD3D"):
            one = placer.place(item, kind, name or _concept(item) or "Mark", slices)
            if one is not None:
                yield one
        elif kind == "NUM" and not name:
            name = _concept(item)
        if depth < _DEEPEST:
            children = reversed(items(item, "ContentSequence"))
            stack += [(child, name, slices, depth + 1) for child in children]


def _name_of(item: Any) -> str:
    """Return what an item's children call it: label, identifier, finding or site."""
    said: dict[str, str] = {}
    for child in items(item, "ContentSequence"):
        concept = text(first(child, "ConceptNameCodeSequence"), "CodeValue")
        kind = text(child, "ValueType").upper()
        if kind == "TEXT":
            value = text(child, "TextValue")
        elif kind == "CODE":
            value = text(first(child, "ConceptCodeSequence"), "CodeMeaning")
        else:
            continue
        if value and not (concept == _SHORT_LABEL and value.startswith("{")):
            said.setdefault(concept, value)
    wanted = (_SHORT_LABEL, _TRACKING, _FINDING, *_SITES)
    return next((said[concept] for concept in wanted if concept in said), "")


def _concept(item: Any) -> str:
    concept = first(item, "ConceptNameCodeSequence")
    if concept is None or text(concept, "CodeValue") in _GENERIC:
        return ""
    return text(concept, "CodeMeaning")


class _Placer:
    """Turns graphic data into points of the patient."""

    def __init__(self, volume: Volume, left: _Left) -> None:
        self._grid = volume.grid
        self._is_picture = volume.slices == "pictures"
        self._images = ScanImages(volume)
        self._left = left

    def slices_of(self, item: Any) -> frozenset[int]:
        """Return the scan's slices that an item's image references name."""
        found: set[int] = set()
        for child in items(item, "ContentSequence"):
            for reference in items(child, "ReferencedSOPSequence"):
                found |= self._images.slices_of(reference)
        return frozenset(found)

    def place(self, item: Any, kind: str, name: str, slices: frozenset[int]) -> _Found | None:
        """Return where an item lies; None, counted, where that cannot be said."""
        graphic = text(item, "GraphicType").upper()
        data = item.get("GraphicData")
        try:
            flat = np.array([float(v) for v in data or ()], dtype=np.float64)
        except (TypeError, ValueError):
            flat = np.empty(0)
        width = 3 if kind == "SCOORD3D" else 2
        if not flat.size or flat.size % width or not np.isfinite(flat).all():
            self._left.damaged += 1
            return None
        points = flat.reshape(-1, width)
        outline = _outline(graphic, points)
        if outline is None:
            self._left.unknown += 1
            return None
        placed = (
            self._in_space(item, outline) if width == 3 else self._on_image(slices, outline)
        )
        if placed is None:
            self._left.elsewhere += 1
            return None
        return _Found(name, graphic, placed)

    def _in_space(self, item: Any, points_lps: FloatArray) -> FloatArray | None:
        came = text(item, "ReferencedFrameOfReferenceUID")
        own = self._grid.frame_of_reference
        if self._is_picture or (came and own and came != own):
            return None
        return flip_lps_ras(points_lps)

    def _on_image(self, slices: frozenset[int], points: FloatArray) -> FloatArray | None:
        if len(slices) != 1:
            return None
        k = np.full(len(points), float(next(iter(slices))))
        return self._grid.affine.apply(np.column_stack([points - 0.5, k]))


def _outline(graphic: str, points: FloatArray) -> FloatArray | None:
    """Return the points to show of a graphic; None where its kind or number is not known."""
    turn = np.linspace(0.0, 2.0 * np.pi, _ROUND, endpoint=False)[:, np.newaxis]
    if graphic == "CIRCLE" and len(points) == 2 and points.shape[1] == 2:
        centre, radius = points[0], points[1] - points[0]
        quarter = radius[::-1] * (-1.0, 1.0)
        return np.asarray(centre + np.cos(turn) * radius + np.sin(turn) * quarter)
    if graphic == "ELLIPSE" and len(points) == 4:
        centre = (points[0] + points[1]) / 2.0
        along, across = (points[1] - points[0]) / 2.0, (points[3] - points[2]) / 2.0
        return np.asarray(centre + np.cos(turn) * along + np.sin(turn) * across)
    many = {"POINT": len(points) == 1, "MULTIPOINT": True}
    lines = {"POLYLINE": len(points) > 1, "POLYGON": len(points) > 2}
    return points if (many | lines).get(graphic, False) else None
