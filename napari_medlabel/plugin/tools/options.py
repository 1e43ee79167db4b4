"""What a tool is to a person: name, key, where it works, and what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Extent = Literal["slice", "slab", "3D"]
"""Where a tool works: the slice that is seen, some slices around it, or the whole scan."""

Values = Mapping[str, Any]
"""What the person chose for a tool's options, by their names."""


@dataclass(frozen=True)
class Number:
    """A number that a tool asks for.

    Parameters
    ----------
    name : str
        By which the tool finds it.
    words : str
        What stands before the field.
    value, low, high, step : float
        At first, its ends, and how far one turn of the wheel goes.
    unit : str
        Written after it.
    decimals : int
        Digits after the point; 0 for a whole number.
    tip : str
        What it does.
    only : tuple of str, optional
        Name and value of a choice: shown only while that is chosen.
    """

    name: str
    words: str
    value: float
    low: float
    high: float
    step: float = 1.0
    unit: str = ""
    decimals: int = 1
    tip: str = ""
    only: tuple[str, str] | None = None


@dataclass(frozen=True)
class Choice:
    """One of some answers; ``choices`` are pairs of value and words, the first at first."""

    name: str
    words: str
    choices: tuple[tuple[str, str], ...]
    tip: str = ""

    @property
    def value(self) -> str:
        """What is chosen at first."""
        return self.choices[0][0]


@dataclass(frozen=True)
class Toggle:
    """A yes or no."""

    name: str
    words: str
    value: bool = False
    tip: str = ""


@dataclass(frozen=True)
class Segment:
    """Another segment that a tool needs; the value is its label, 0 for none.

    Parameters
    ----------
    name, words, tip : str
        As in `Number`.
    none : str
        What stands for none: that one is to be chosen, or what holds without one.
    regions : bool
        Whether it may be a region, too: a range of values, a label of another layer. Its value
        is then a string.
    """

    name: str
    words: str
    tip: str = ""
    none: str = "choose …"
    regions: bool = False

    @property
    def value(self) -> int:
        """None is chosen at first."""
        return 0


Option = Number | Choice | Toggle | Segment


@dataclass(frozen=True)
class Tool:
    """One tool of the box.

    Parameters
    ----------
    name : str
        By which the program finds it.
    title : str
        What stands on its button.
    words : str
        What it does and how, in a sentence or two.
    group : str
        Under which heading it stands.
    key : str
        As napari writes it; empty for none.
    extents : tuple of str
        Where it can work, the usual one first; empty when that says itself.
    options : tuple of Option
        What it asks for.
    is_hand : bool
        Whether it works with the mouse; else with a button.
    is_live : bool
        Whether its preview follows its options.
    apply : str
        What stands on that button.
    """

    name: str
    title: str
    words: str
    group: str
    key: str = ""
    extents: tuple[Extent, ...] = ()
    options: tuple[Option, ...] = ()
    is_hand: bool = False
    is_live: bool = False
    apply: str = "Preview"

    def defaults(self) -> dict[str, Any]:
        """Return what is chosen at first."""
        return {option.name: option.value for option in self.options}
