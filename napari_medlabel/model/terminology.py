"""Anatomical structures and findings to choose segments from: coded, coloured, with sides."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import Code
from napari_medlabel.model.palette import spare_colour

Side = Literal["", "right", "left"]


@dataclass(frozen=True)
class Concept:
    """One entry of the terminology.

    Parameters
    ----------
    category : str
        Under which heading it stands.
    code : Code
        SNOMED CT (scheme ``SCT``), without a side.
    colour : str
        Suggested, ``#rrggbb``, told apart by colour-blind people within its neighbourhood.
    paired : bool
        Whether there is one on each side of the body.
    """

    category: str
    code: Code
    colour: str
    paired: bool

    def matches(self, words: str) -> bool:
        """Tell whether all of some words, or the code, stand in it; case does not count."""
        text = f"{self.code.meaning} {self.code.value} {self.category}".casefold()
        return all(word in text for word in words.casefold().split())

    def named(self, side: Side = "") -> tuple[str, Code]:
        """Return its name and its code on a side of the body.

        Raises
        ------
        InputError
            When it has no sides.
        """
        if not side:
            return self.code.meaning, self.code
        if not self.paired:
            raise InputError(
                f"{self.code.meaning} has no {side} side.", hint="Choose it without a side."
            )
        meaning = self.code.meaning
        name = f"{side.capitalize()} {meaning[0].lower()}{meaning[1:]}"
        return name, Code(self.code.scheme, self.code.value, meaning, side)


@cache
def concepts() -> tuple[Concept, ...]:
    """Return all entries, by category, in the order in which they are offered."""
    text = resources.files("napari_medlabel.model").joinpath("presets", "terminology.json")
    document = json.loads(text.read_text(encoding="utf-8"))
    return tuple(
        Concept(
            category["name"],
            Code("SCT", row["code"], row["meaning"]),
            row["colour"],
            row["paired"],
        )
        for category in document["categories"]
        for row in category["entries"]
    )


def find_concepts(words: str = "", category: str = "") -> tuple[Concept, ...]:
    """Return the entries that hold all the words; those that begin with them first.

    Parameters
    ----------
    words : str
        Parts of the meaning, or the code.
    category : str
        Only of this category; empty for all.
    """
    found = [c for c in concepts() if c.matches(words) and category in ("", c.category)]
    start = words.casefold().strip()
    found.sort(key=lambda c: not c.code.meaning.casefold().startswith(start))
    return tuple(found)


def categories() -> tuple[str, ...]:
    """Return the headings, in order."""
    return tuple(dict.fromkeys(concept.category for concept in concepts()))


def colour_of(concept: Concept, taken: Iterable[str]) -> str:
    """Return the colour suggested for an entry, another one where that is taken.

    Parameters
    ----------
    concept : Concept
        What.
    taken : iterable of str
        Colours ``#rrggbb`` in use.
    """
    used = tuple(taken)
    return concept.colour if concept.colour not in used else spare_colour(used)
