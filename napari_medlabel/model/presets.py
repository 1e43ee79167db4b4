"""The schemes, templates and windows that come with the program, as data files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeVar

from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.model.landmarks import Landmark, LandmarkSet, template_from_json


@dataclass(frozen=True)
class Window:
    """A display window.

    Parameters
    ----------
    name : str
        What radiologists call it.
    low, high : float
        Values shown black and white, for CT in HU.
    """

    name: str
    low: float
    high: float

    @classmethod
    def from_centre(cls, name: str, centre: float, width: float) -> Window:
        """Build from WindowCenter and WindowWidth."""
        return cls(name, centre - width / 2.0, centre + width / 2.0)


CT_WINDOWS: Final = (
    Window.from_centre("Abdomen", 60, 400),
    Window.from_centre("Liver", 90, 150),
    Window.from_centre("Mediastinum", 40, 400),
    Window.from_centre("Lung", -600, 1500),
    Window.from_centre("Bone", 400, 1800),
    Window.from_centre("Brain", 40, 80),
    Window.from_centre("Angio", 300, 600),
)
"""Presets in common use at CT workstations, in HU."""


@cache
def _document(name: str) -> Any:
    text = resources.files("napari_medlabel.model").joinpath("presets", f"{name}.json")
    return json.loads(text.read_text(encoding="utf-8"))


@cache
def schemes() -> dict[str, LabelScheme]:
    """Return the label schemes by their short name."""
    return {key: LabelScheme.from_json(data) for key, data in _document("schemes").items()}


@cache
def templates() -> dict[str, LandmarkSet]:
    """Return the landmark templates by their short name."""
    return {key: template_from_json(data) for key, data in _document("templates").items()}


def scheme(name: str) -> LabelScheme:
    """Return a scheme by its short name.

    Raises
    ------
    InputError
        When there is none of that name.
    """
    return _pick(schemes(), name, "label scheme")


def template(name: str) -> LandmarkSet:
    """Return a landmark template by its short name.

    Raises
    ------
    InputError
        When there is none of that name.
    """
    return _pick(templates(), name, "landmark template")


def find_scheme(name: str) -> LabelScheme:
    """Return a scheme by its short name, or read one from a JSON file.

    Raises
    ------
    InputError
        When there is no such scheme, or the file is not one.
    """
    if name in schemes() or not Path(name).is_file():
        return scheme(name)
    return LabelScheme.from_json(_read_json(Path(name)))


def find_template(name: str) -> LandmarkSet:
    """Return a landmark template by its short name, or read one from a JSON file.

    Raises
    ------
    InputError
        When there is no such template, or the file is not one.
    """
    if name in templates() or not Path(name).is_file():
        return template(name)
    return template_from_json(_read_json(Path(name)))


def picture_of(mark: Landmark, template: Path) -> Path | None:
    """Return a landmark's picture, which lies beside its template's file; None for none."""
    picture = template.parent / mark.picture
    return picture if mark.picture and picture.is_file() else None


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as err:
        raise InputError(
            "The file given is not valid JSON.",
            hint="See docs/reference/files.md for an example.",
        ) from err


def usual_for(modality: str) -> tuple[str, str]:
    """Return the short names of scheme and template to begin with when nobody chose.

    Parameters
    ----------
    modality : str
        Modality (0008,0060), empty when unknown.
    """
    return ("abdomen", "abdomen") if modality == "CT" else ("regions", "points")


_Kind = TypeVar("_Kind")


def _pick(known: dict[str, _Kind], name: str, what: str) -> _Kind:
    try:
        return known[name]
    except KeyError:
        raise InputError(
            f"There is no {what} of that name.", hint=f"Choose one of: {', '.join(known)}."
        ) from None
