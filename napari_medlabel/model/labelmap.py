"""Label maps: whole numbers on a grid, and the scheme that says what they mean."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid

_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_LARGEST: Final = 65535


@dataclass(frozen=True)
class Code:
    """A coded concept: CodingSchemeDesignator, CodeValue, CodeMeaning (PS3.3 8.8).

    ``side`` is ``right`` or ``left`` where the concept itself does not say it; else empty.
    """

    scheme: str
    value: str
    meaning: str
    side: str = ""

    def __post_init__(self) -> None:
        if self.side not in ("", "right", "left"):
            raise InputError(
                "The side of a code is right, left or none.", hint="Leave the side out."
            )


@dataclass(frozen=True)
class Label:
    """One class of a segmentation.

    Parameters
    ----------
    value : int
        The number in the mask, 1 to 65535; 0 is the background and is not a label.
    name : str
        What people call it.
    colour : str
        ``#rrggbb``.
    code : Code or None
        The concept, for instance from SNOMED CT.

    Raises
    ------
    InputError
        When value, name or colour is not valid.
    """

    value: int
    name: str
    colour: str
    code: Code | None = None

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not 1 <= self.value <= _LARGEST:
            raise InputError(
                f"A label's value is a whole number from 1 to {_LARGEST}; got {self.value!r}.",
                hint="0 is the background and needs no label.",
            )
        if not self.name.strip():
            raise InputError(
                f"Label {self.value} has no name.",
                hint="Give every label a name to call it by.",
            )
        if not _COLOUR.fullmatch(self.colour):
            raise InputError(
                f"Label {self.value} needs a colour such as '#d65f5f'; got {self.colour!r}.",
                hint="Six hexadecimal digits in lower case after '#'.",
            )

    @property
    def rgb(self) -> tuple[float, float, float]:
        """Red, green and blue from 0 to 1."""
        red, green, blue = (int(self.colour[n : n + 2], 16) / 255.0 for n in (1, 3, 5))
        return red, green, blue


@dataclass(frozen=True)
class LabelScheme:
    """The classes of a segmentation, in the order they are shown.

    Raises
    ------
    InputError
        When two labels share a value or a name.
    """

    name: str
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        for kind, keys in (
            ("value", [label.value for label in self.labels]),
            ("name", [label.name for label in self.labels]),
        ):
            if len(set(keys)) != len(keys):
                raise InputError(
                    f"Each label of a scheme has its own {kind}; one {kind} stands twice.",
                    hint=f"Change the {kind} of one of the two labels.",
                )

    def __getitem__(self, value: int) -> Label:
        """Return the label of a value.

        Raises
        ------
        InputError
            When the scheme has no such value.
        """
        for label in self.labels:
            if label.value == value:
                return label
        raise InputError(
            f"The scheme has no label with the value {value}.",
            hint="Choose a scheme that names every value of the mask.",
        )

    def with_label(self, label: Label, at: int | None = None) -> LabelScheme:
        """Put a label in the place of the one with its value, or add it.

        Parameters
        ----------
        label : Label
            The label.
        at : int, optional
            Where to add it, from 0; at the end when None.

        Raises
        ------
        InputError
            When another label has its name.
        """
        rows = list(self.labels)
        if label.value in self.values:
            rows[self.values.index(label.value)] = label
        else:
            rows.insert(len(rows) if at is None else at, label)
        return LabelScheme(self.name, tuple(rows))

    def without(self, value: int) -> LabelScheme:
        """Leave a label out.

        Raises
        ------
        InputError
            When the scheme has no such value.
        """
        gone = self[value]
        return LabelScheme(self.name, tuple(one for one in self.labels if one is not gone))

    def moved(self, value: int, by: int) -> LabelScheme:
        """Move a label up (below 0) or down; at an end it stays.

        Raises
        ------
        InputError
            When the scheme has no such value.
        """
        label = self[value]
        at = self.values.index(value) + by
        return self.without(value).with_label(label, min(max(at, 0), len(self.labels) - 1))

    def free_label(
        self, name: str, colour: str, *, code: Code | None = None, largest: int = 255
    ) -> Label:
        """Make a label with the smallest value that the scheme does not use.

        Parameters
        ----------
        name, colour, code
            As in `Label`.
        largest : int
            The largest value that the mask can hold.

        Raises
        ------
        InputError
            When the name is taken, or no value is free.
        """
        if name in {label.name for label in self.labels}:
            raise InputError(
                "There is a label of that name already.", hint="Choose another name."
            )
        used = set(self.values)
        value = next((v for v in range(1, largest + 1) if v not in used), None)
        if value is None:
            raise InputError(
                f"All values up to {largest} are taken.",
                hint="Remove a label that is not used.",
            )
        return Label(value, name, colour, code)

    @property
    def values(self) -> tuple[int, ...]:
        """All values, in the scheme's order."""
        return tuple(label.value for label in self.labels)

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8, or uint16 when a value needs it."""
        return np.dtype(np.uint16 if max(self.values, default=0) > 255 else np.uint8)

    def with_unnamed(self, values: Iterable[int]) -> LabelScheme:
        """Add a label "Label N" for each value that the scheme does not name."""
        taken = {label.name for label in self.labels}
        extra = []
        for value in sorted({int(v) for v in values} - set(self.values) - {0}):
            name = f"Label {value}"
            while name in taken:
                name += "'"
            extra.append(Label(value, name, _spread_colour(value)))
        return LabelScheme(self.name, (*self.labels, *extra)) if extra else self

    def to_json(self) -> dict[str, Any]:
        """Return plain data for JSON; `from_json` reads it."""
        rows = []
        for label in self.labels:
            row: dict[str, Any] = {
                "value": label.value,
                "name": label.name,
                "colour": label.colour,
            }
            if label.code is not None:
                row["code"] = {
                    "scheme": label.code.scheme,
                    "value": label.code.value,
                    "meaning": label.code.meaning,
                }
                if label.code.side:
                    row["code"]["side"] = label.code.side
            rows.append(row)
        return {"name": self.name, "labels": rows}

    @classmethod
    def from_json(cls, data: object) -> LabelScheme:
        """Build from plain data.

        Raises
        ------
        InputError
            When the data is not a scheme.
        """
        try:
            if not isinstance(data, Mapping):
                raise TypeError  # noqa: TRY301 - joins what a wrong form raises by itself
            labels = tuple(_label_from_json(row) for row in data["labels"])
            return cls(str(data["name"]), labels)
        except (KeyError, TypeError) as err:
            raise InputError(
                "This is not a label scheme: expected a name and a list of labels with value, "
                "name and colour.",
                hint="See docs/reference/files.md for an example.",
            ) from err


def _label_from_json(row: Any) -> Label:
    code = row.get("code") if isinstance(row, Mapping) else None
    if isinstance(row["value"], bool) or not isinstance(row["value"], int):
        raise TypeError
    return Label(
        row["value"],
        str(row["name"]),
        str(row["colour"]).lower(),
        None
        if code is None
        else Code(
            str(code["scheme"]),
            str(code["value"]),
            str(code["meaning"]),
            str(code.get("side", "")),
        ),
    )


def _spread_colour(value: int) -> str:
    """Give a colour to a value without one: hues by the golden angle, never twice alike."""
    hue = (value * 0.61803398875) % 1.0 * 6.0
    sector, part = int(hue), hue - int(hue)
    low, high = 0.25, 0.95
    fall, rise = high - (high - low) * part, low + (high - low) * part
    red, green, blue = (
        (high, rise, low),
        (fall, high, low),
        (low, high, rise),
        (low, fall, high),
        (rise, low, high),
        (high, low, fall),
    )[sector]
    return "#" + "".join(f"{round(255 * c):02x}" for c in (red, green, blue))


@dataclass(eq=False)
class LabelMap:
    """Labels on a scan's grid. The array is painted in place; everything else is fixed.

    Parameters
    ----------
    grid : Grid
        The scan's grid.
    array : ndarray, shape (i, j, k)
        uint8 or uint16; 0 is background.
    scheme : LabelScheme
        What the values mean.

    Raises
    ------
    GeometryError
        When the array is not of the grid's shape or not uint8/uint16.
    """

    grid: Grid
    array: npt.NDArray[Any]
    scheme: LabelScheme

    def __post_init__(self) -> None:
        if self.array.shape != self.grid.shape:
            raise GeometryError(
                f"The labels must have the grid's shape {self.grid.shape}; got "
                f"{self.array.shape}.",
                hint="Open the scan this mask was made on.",
            )
        if self.array.dtype not in (np.dtype(np.uint8), np.dtype(np.uint16)):
            raise GeometryError(
                f"Labels are uint8 or uint16; got {self.array.dtype}.",
                hint="Convert the mask to whole numbers from 0 to 65535.",
            )

    @classmethod
    def empty(cls, grid: Grid, scheme: LabelScheme) -> LabelMap:
        """All background, in a (k, j, i) C-ordered buffer: the byte order of a NIfTI file."""
        buffer = np.zeros(grid.shape[::-1], dtype=scheme.dtype)
        return cls(grid, buffer.T, scheme)

    def __repr__(self) -> str:
        return f"LabelMap({self.grid!r}, {len(self.scheme.labels)} labels)"

    def voxel_counts(self) -> dict[int, int]:
        """Count the voxels of each value that occurs, background left out."""
        return count_labels(self.array)

    def content_id(self) -> str:
        """Return ``sha256:<hex>`` over shape, dtype, affine and voxels: what the mask says.

        It does not depend on the compression or the name of a file.
        """
        return content_id(self.grid, self.array)


def count_labels(array: npt.NDArray[Any]) -> dict[int, int]:
    """Count the voxels of each value of a label array (i, j, k), background left out."""
    counts = np.zeros(1, dtype=np.int64)
    # A slice at a time: bincount widens what it is given to eight bytes a voxel.
    for plane in array.T:
        found = np.bincount(plane.ravel(), minlength=counts.size)
        found[: counts.size] += counts
        counts = found
    return {v: int(n) for v, n in enumerate(counts) if v and n}


def content_id(grid: Grid, array: npt.NDArray[Any]) -> str:
    """Return the content id of labels on a grid; see `LabelMap.content_id`.

    Parameters
    ----------
    grid : Grid
        Where the labels lie.
    array : ndarray, shape (i, j, k)
        The labels.
    """
    digest = hashlib.sha256(b"medlabel-mask-1\n")
    digest.update(f"{grid.shape} {array.dtype.newbyteorder('<').str}\n".encode())
    digest.update(grid.affine.matrix.astype("<f8").tobytes())
    # One slice at a time in (k, j, i) order: no second copy of the mask.
    for plane in array.T:
        digest.update(np.ascontiguousarray(plane, dtype=array.dtype.newbyteorder("<")).data)
    return f"sha256:{digest.hexdigest()}"
