"""The twelve options of PS3.15 E.3: their names, their codes (CID 7050), what goes together."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from functools import cache

from napari_medlabel.deid.rules.dictionary import DATA
from napari_medlabel.errors import InputError

BASIC_CODE = "113100"
"""CID 7050 code of the Basic Application Confidentiality Profile."""


class Option(StrEnum):
    """An option of the Basic Application Level Confidentiality Profile."""

    RETAIN_UIDS = "retain-uids"
    RETAIN_DEVICE = "retain-device"
    RETAIN_INSTITUTION = "retain-institution"
    RETAIN_PATIENT_CHARACTERISTICS = "retain-patient-characteristics"
    RETAIN_DATES = "retain-dates"
    SHIFT_DATES = "shift-dates"
    RETAIN_SAFE_PRIVATE = "retain-safe-private"
    CLEAN_DESCRIPTORS = "clean-descriptors"
    CLEAN_STRUCTURED = "clean-structured"
    CLEAN_GRAPHICS = "clean-graphics"
    CLEAN_PIXELS = "clean-pixels"
    CLEAN_FACES = "clean-faces"

    @property
    def code(self) -> str:
        """Code value in CID 7050, coding scheme DCM."""
        return _CODES[self]

    @property
    def meaning(self) -> str:
        """Code meaning in CID 7050."""
        return method_meaning(self.code)


_CODES = {
    Option.CLEAN_PIXELS: "113101",
    Option.CLEAN_FACES: "113102",
    Option.CLEAN_GRAPHICS: "113103",
    Option.CLEAN_STRUCTURED: "113104",
    Option.CLEAN_DESCRIPTORS: "113105",
    Option.RETAIN_DATES: "113106",
    Option.SHIFT_DATES: "113107",
    Option.RETAIN_PATIENT_CHARACTERISTICS: "113108",
    Option.RETAIN_DEVICE: "113109",
    Option.RETAIN_UIDS: "113110",
    Option.RETAIN_SAFE_PRIVATE: "113111",
    Option.RETAIN_INSTITUTION: "113112",
}


def checked(options: Iterable[str]) -> frozenset[Option]:
    """Return options that can be carried out together.

    Parameters
    ----------
    options : iterable of str
        Names as on the command line, or `Option`.

    Raises
    ------
    InputError
        For a name that is no option, or both retain-dates and shift-dates: dates cannot be
        kept and moved at once.
    """
    names = [str(name) for name in options]
    unknown = [name for name in names if name not in Option.__members__.values()]
    if unknown:
        first = names.index(unknown[0]) + 1
        raise InputError(
            f"{len(unknown)} of {len(names)} de-identification options are not known, number "
            f"{first} for one.",
            hint=f"Use some of: {', '.join(Option)}.",
        )
    chosen = frozenset(Option(name) for name in names)
    if {Option.RETAIN_DATES, Option.SHIFT_DATES} <= chosen:
        raise InputError(
            "The options retain-dates and shift-dates exclude each other: dates are either "
            "kept as they are or moved.",
            hint="Choose retain-dates or shift-dates.",
        )
    return chosen


@cache
def _meanings() -> dict[str, str]:
    source = DATA / "methods.json"
    return dict(json.loads(source.read_text("utf-8")))


def method_meaning(code: str) -> str:
    """Return the meaning of a code of CID 7050."""
    return _meanings()[code]
