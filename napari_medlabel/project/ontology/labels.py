"""Labels of a study: names and codes, and the rules by which an answer is plausible."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import Code, Label

Laterality = Literal["", "left", "right", "both"]
LATERALITIES: Final = ("", "left", "right", "both")
PARTS: Final = ("category", "type", "modifier", "region", "region_modifier")
_SIDES: Final[Mapping[str, Laterality]] = {
    "7771000": "left",
    "24028007": "right",
    "51440002": "both",
}
"""SNOMED CT: Left, Right, Right and left."""
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def require_id(text: str, what: str) -> str:
    """Return an id when it is one: it never changes, whatever the name becomes.

    Raises
    ------
    InputError
        When it is none.
    """
    if not _ID.fullmatch(text):
        raise InputError(
            f"The id of a {what} is small letters, digits and underscores, a letter first.",
            hint="Ids stand in masks' sidecars for ever; the name may be anything.",
        )
    return text


def is_same_code(one: Code | None, other: Code | None) -> bool:
    """Tell whether two codes are one concept: scheme and value say it, the meaning does not."""
    if one is None or other is None:
        return one is other
    return (one.scheme, one.value) == (other.scheme, other.value)


@dataclass(frozen=True)
class Coding:
    """What a label is, as DICOM SEG and Slicer say it (PS3.3 C.8.20.4).

    Parameters
    ----------
    category, type : Code
        Segmented Property Category and Type.
    modifier : Code or None
        For instance the side.
    region, region_modifier : Code or None
        Anatomic Region, where the type is a finding and not a structure.
    """

    category: Code
    type: Code
    modifier: Code | None = None
    region: Code | None = None
    region_modifier: Code | None = None

    @property
    def side(self) -> Laterality:
        """The side that its modifier says; empty for none."""
        return "" if self.modifier is None else _SIDES.get(self.modifier.value, "")

    def is_alike(self, other: Coding | None, *parts: str) -> bool:
        """Tell whether another has the same codes, whatever words stand beside them.

        Parameters
        ----------
        other : Coding or None
            The other.
        parts : str
            Which parts count: ``category``, ``type``, ...; all by default.
        """
        return other is not None and all(
            is_same_code(getattr(self, part), getattr(other, part)) for part in parts or PARTS
        )


@dataclass(frozen=True)
class OntologyLabel:
    """One class that is painted.

    Parameters
    ----------
    id : str
        Never changes.
    value : int
        The number in masks; never changes.
    name : str
        What people call it.
    colour : str
        ``#rrggbb``.
    coding : Coding or None
        What it is.
    layer : int
        Labels of one layer never overlap; those of different layers may.
    hu_range : tuple of float or None
        Least and largest value of its voxels, both inside, as a rule has it.
    smallest_mm3 : float
        Least size of a part; 0 for no rule.
    most_parts : int
        Most connected parts; 0 for no rule.
    laterality : str
        On which side of the body it lies: ``left``, ``right``, ``both`` or empty.
    guide : str
        Heading in the guidelines under which it is explained.

    Raises
    ------
    InputError
        When a part is not valid.
    """

    id: str
    value: int
    name: str
    colour: str
    coding: Coding | None = None
    layer: int = 0
    hu_range: tuple[float, float] | None = None
    smallest_mm3: float = 0.0
    most_parts: int = 0
    laterality: Laterality = ""
    guide: str = ""

    def __post_init__(self) -> None:
        require_id(self.id, "label")
        self.as_label()
        if self.hu_range is not None:
            low, high = self.hu_range
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise InputError(
                    f"The range of label {self.value} has its lower end below the upper.",
                    hint="Give two numbers, or leave it out.",
                )
        if self.layer < 0 or self.most_parts < 0 or not 0 <= self.smallest_mm3 < math.inf:
            raise InputError(
                f"Layer, size and number of parts of label {self.value} are not below 0.",
                hint="0 means: no rule.",
            )
        if self.laterality not in LATERALITIES:
            raise InputError(
                f"The side of label {self.value} is left, right, both or empty.",
                hint="Leave it empty where it is in the middle or on any side.",
            )

    def as_label(self) -> Label:
        """Return it as a label of a mask's scheme."""
        code = None if self.coding is None else self.coding.type
        return Label(self.value, self.name, self.colour, code)


@dataclass(frozen=True)
class BoxKind:
    """A class that is marked by a bounding box in 3D.

    Parameters
    ----------
    id, name, colour
        As of a label.
    coding : Coding or None
        What it is.
    """

    id: str
    name: str
    colour: str
    coding: Coding | None = None

    def __post_init__(self) -> None:
        require_id(self.id, "box")
        Label(1, self.name, self.colour)
