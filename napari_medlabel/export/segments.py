"""Labels as segments: numbered, coded and coloured as DICOM and Slicer want them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.place import place
from napari_medlabel.model.labelmap import Code, Label, LabelMap
from napari_medlabel.model.terminology import concepts

TISSUE: Final = Code("SCT", "85756007", "Tissue")
"""What Slicer too calls a segment of which nothing is known, as category and as type."""
STRUCTURE: Final = Code("SCT", "123037004", "Anatomical Structure")
FINDING: Final = Code("SCT", "49755003", "Morphologically Abnormal Structure")
RIGHT: Final = Code("SCT", "24028007", "Right")
LEFT: Final = Code("SCT", "7771000", "Left")
_LARGEST: Final = 65535


class CodingLike(Protocol):
    """What a label is in full: the coding of an ontology's label (PS3.3 C.8.20.4)."""

    @property
    def category(self) -> Code:
        """Segmented Property Category."""

    @property
    def type(self) -> Code:
        """Segmented Property Type."""

    @property
    def modifier(self) -> Code | None:
        """Segmented Property Type Modifier."""

    @property
    def region(self) -> Code | None:
        """Anatomic Region."""

    @property
    def region_modifier(self) -> Code | None:
        """Anatomic Region Modifier."""


@dataclass(frozen=True)
class SegmentCoding:
    """What a segment is; see `CodingLike`."""

    category: Code = TISSUE
    type: Code = TISSUE
    modifier: Code | None = None
    region: Code | None = None
    region_modifier: Code | None = None


Codings = Mapping[int, CodingLike]


@dataclass(frozen=True)
class Segment:
    """One label on its way out.

    Parameters
    ----------
    number : int
        Its number in the file.
    label : Label
        Value in the mask, name and colour.
    layer : int
        In which of the label maps it lies.
    coding : CodingLike
        What it is.
    """

    number: int
    label: Label
    layer: int
    coding: CodingLike


def coding_of(label: Label, codings: Codings | None = None) -> CodingLike:
    """Return what a label is: as the ontology says, else by its own code, else "Tissue".

    Parameters
    ----------
    label : Label
        The label.
    codings : mapping, optional
        For each value what the ontology says.
    """
    known = None if codings is None else codings.get(label.value)
    if known is not None:
        return known
    code = label.code
    if code is None or not (code.scheme and code.value and code.meaning):
        return SegmentCoding()
    plain = Code(code.scheme, code.value, code.meaning)
    side = {"right": RIGHT, "left": LEFT}.get(code.side)
    return SegmentCoding(_category_of(plain), plain, side)


def _category_of(code: Code) -> Code:
    for concept in concepts():
        if (concept.code.scheme, concept.code.value) == (code.scheme, code.value):
            return FINDING if concept.category == "Findings" else STRUCTURE
    return TISSUE if code.value == TISSUE.value else STRUCTURE


def on_grid(layers: Sequence[LabelMap], grid: Grid) -> tuple[LabelMap, ...]:
    """Return label maps on a scan's grid: turned where their axes run otherwise.

    Parameters
    ----------
    layers : sequence of LabelMap
        One, or several where labels overlap.
    grid : Grid
        The scan's.

    Raises
    ------
    InputError
        When there is none.
    GeometryError
        When one does not lie on the scan.
    """
    if not layers:
        raise InputError(
            "A mask is expected; none came.", hint="Choose the mask that is to be written."
        )
    out = []
    for one in layers:
        array, _part = place(one.array, one.grid, grid, what="mask")
        out.append(LabelMap(grid, array, one.scheme))
    return tuple(out)


def segments_of(
    layers: Sequence[LabelMap], codings: Codings | None = None, *, keep_values: bool = False
) -> tuple[Segment, ...]:
    """Return numbered the labels of one or several label maps, in the order of their schemes.

    Labels that no voxel has are kept: that a thing was looked for and not found is an answer.

    Parameters
    ----------
    layers : sequence of LabelMap
        On one grid. A value stands for one label in all of them.
    codings : mapping, optional
        For each value what the ontology says.
    keep_values : bool
        Whether a segment's number is its value; else 1, 2, 3, ...

    Raises
    ------
    GeometryError
        When they lie on different grids.
    InputError
        When a value occurs in two maps, has no label, or there is no label at all.
    """
    for one in layers[1:]:
        layers[0].grid.require_same(one.grid, what="mask")
    counts = [one.voxel_counts() for one in layers]
    _require_apart(counts)
    owner: dict[int, tuple[Label, int]] = {}
    for n, one in enumerate(layers):
        for label in one.scheme.labels:
            if label.value not in owner or label.value in counts[n]:
                owner[label.value] = (label, n)
    unnamed = {value for found in counts for value in found} - set(owner)
    if unnamed:
        raise InputError(
            f"{len(unnamed)} values of the mask have no label.",
            hint="Choose the scheme that names every value of the mask.",
        )
    if not owner:
        raise InputError(
            "The scheme has no labels, so there is nothing to write.",
            hint="Choose the scheme that the mask was made with.",
        )
    return tuple(
        Segment(label.value if keep_values else n, label, layer, coding_of(label, codings))
        for n, (label, layer) in enumerate(owner.values(), 1)
    )


def _require_apart(counts: Sequence[Mapping[int, int]]) -> None:
    seen: set[int] = set()
    for found in counts:
        twice = seen & set(found)
        if twice:
            raise InputError(
                f"{len(twice)} values occur in two label maps of one scan: it cannot be said "
                "which label they are.",
                hint="Give labels that overlap values of their own.",
            )
        seen |= set(found)


def require_one_layer(layers: Sequence[LabelMap], what: str) -> LabelMap:
    """Return the only label map.

    Parameters
    ----------
    layers : sequence of LabelMap
        What is to be written.
    what : str
        The format, for the message.

    Raises
    ------
    InputError
        When there are several.
    """
    if len(layers) == 1:
        return layers[0]
    raise InputError(
        f"{what} holds one label for each voxel; this mask has {len(layers)} label maps that "
        "overlap.",
        hint="Write DICOM SEG (BINARY), .seg.nrrd or COCO, which hold overlapping labels, or "
        "write each label map by itself.",
    )


def renumbered(labels: LabelMap, numbers: Mapping[int, int]) -> npt.NDArray[Any]:
    """Return an array (i, j, k) with other numbers for its values, of the smallest type.

    Parameters
    ----------
    labels : LabelMap
        The mask.
    numbers : mapping of int to int
        New number for each value; what is not in it becomes 0.
    """
    largest = max(numbers.values(), default=0)
    if not 0 <= largest <= _LARGEST:
        raise GeometryError(
            f"A mask holds numbers up to {_LARGEST}; a larger one came.",
            hint="Split the labels over several masks.",
        )
    table = np.zeros(np.iinfo(labels.array.dtype).max + 1, _dtype(largest))
    for value, number in numbers.items():
        if value < len(table):
            table[value] = number
    out: npt.NDArray[Any] = table[labels.array.T].T
    return out


def _dtype(largest: int) -> npt.DTypeLike:
    return np.uint8 if largest <= 255 else np.uint16


def rgb_to_lab(rgb: Sequence[float]) -> tuple[int, int, int]:
    """Return the Recommended Display CIELab Value of an sRGB colour (PS3.3 C.10.7.1.1).

    Parameters
    ----------
    rgb : sequence of float
        Red, green and blue from 0 to 1.

    Returns
    -------
    tuple of int
        L*, a*, b* scaled to 0 to 65535, D50 white point; `lab_to_rgb` gives the colour back.
    """
    srgb = np.asarray(rgb, dtype=np.float64)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    # Linear sRGB to XYZ of D50, Bradford adapted (B. Lindbloom).
    to_xyz = np.array(
        [
            [0.4360747, 0.3850649, 0.1430804],
            [0.2225045, 0.7168786, 0.0606169],
            [0.0139322, 0.0971045, 0.7141733],
        ]
    )
    share = (to_xyz @ linear) / np.array([0.9642, 1.0, 0.8249])
    delta = 6.0 / 29.0
    f = np.where(share > delta**3, np.cbrt(share), share / (3 * delta**2) + 4.0 / 29.0)
    parts = (
        (116.0 * f[1] - 16.0) / 100.0,
        (500.0 * (f[0] - f[1]) + 128.0) / 255.0,
        (200.0 * (f[1] - f[2]) + 128.0) / 255.0,
    )
    lightness, a, b = (round(65535.0 * min(max(float(p), 0.0), 1.0)) for p in parts)
    return lightness, a, b
