"""Dates moved by a patient's own number of days, and ages that tell nobody's (PS3.15 E.3.6)."""

from __future__ import annotations

import re
from datetime import date, timedelta

from napari_medlabel.deid.keys.pseudonyms import Pseudonyms, identity_text

FEWEST_DAYS, MOST_DAYS = 366, 3652
OLDEST_YEARS = 89
"""45 CFR 164.514(b)(2)(i)(C): ages over 89 are one category, written 090Y."""

_DA = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_DA_ACR = re.compile(r"([0-9]{4})\.([0-9]{2})\.([0-9]{2})")
_DT = re.compile(
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})"
    r"((?:[0-9]{2}(?:[0-9]{2}(?:[0-9]{2}(?:\.[0-9]{1,6})?)?)?)?))?)?([+-][0-9]{4})?"
)
_TM = re.compile(
    r"(?:[01][0-9]|2[0-3]):?(?:[0-5][0-9]:?(?:(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?)?"
)
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:(?:[0-5][0-9]|60)(?:\..+)?)?)?")
_OFFSET = re.compile(r"[+-](?:0[0-9]|1[0-4])[0-5][0-9]")
_AGE = re.compile(r"([0-9]{3})([DWMY])")


def days_back(pseudonyms: Pseudonyms, issuer: str, patient_id: str) -> int:
    """Return by how many days a patient's dates move into the past.

    Parameters
    ----------
    pseudonyms : Pseudonyms
        Source of everything keyed.
    issuer, patient_id : str
        The patient's identity as found.

    Returns
    -------
    int
        `FEWEST_DAYS` to `MOST_DAYS`, the same for every file of the patient and unknown
        without the key.
    """
    code = pseudonyms.code("days-back", identity_text(issuer, patient_id), length=12)
    number = int.from_bytes(code.encode("ascii"), "big")
    return FEWEST_DAYS + number % (MOST_DAYS - FEWEST_DAYS + 1)


def shifted(vr: str, component: str, days: int) -> str | None:
    """Return a date or time some days earlier.

    Parameters
    ----------
    vr : str
        ``"DA"``, ``"DT"`` or ``"TM"``.
    component : str
        One value without padding.
    days : int
        How many days earlier. Whole days: times of day stay as they are, so that a date
        and its time move together, over midnight and over the change of clocks.

    Returns
    -------
    str or None
        The new value in the same precision; None for a value that is not valid or would
        lie before the year 1.
    """
    if not is_valid(vr, component):
        return None
    if vr == "TM" or not component:
        return component
    match = _DA.fullmatch(component) or _DA_ACR.fullmatch(component) or _DT.fullmatch(component)
    year, month, day = (int(part or 1) for part in (match.groups() if match else ())[:3])
    try:
        moved = date(year, month, day) - timedelta(days=days)
    except OverflowError:
        return None
    text = f"{moved.year:04d}{moved.month:02d}{moved.day:02d}"
    if vr == "DA":
        return text
    body = component[: _body(component)]
    return text[: len(body)] + component[min(len(body), 8) :]


def is_valid(vr: str, component: str) -> bool:
    """Whether a date, time, date and time, age or nothing is one that a calendar has."""
    if not component:
        return True
    if vr == "TM":
        return _TM.fullmatch(component) is not None
    if vr == "AS":
        return _AGE.fullmatch(component) is not None
    if vr == "DA":
        match = _DA.fullmatch(component) or _DA_ACR.fullmatch(component)
    else:
        match = _DT.fullmatch(component)
    if match is None:
        return False
    parts = match.groups()
    if vr == "DT" and not _rest_is_valid(parts[3], parts[4]):
        return False
    try:
        date(*(int(part or 1) for part in parts[:3]))
    except ValueError:
        return False
    return True


def is_offset(component: str) -> bool:
    """Whether a text is an offset from UTC, such as ``+0100``."""
    return _OFFSET.fullmatch(component) is not None


def capped_age(component: str) -> str | None:
    """Return an age (AS) with years over 89 as ``090Y``; None where it is no age."""
    match = _AGE.fullmatch(component)
    if match is None:
        return None
    number, unit = int(match[1]), match[2]
    return f"{OLDEST_YEARS + 1:03d}Y" if unit == "Y" and number > OLDEST_YEARS else component


def _rest_is_valid(clock: str | None, offset: str | None) -> bool:
    """Whether what follows the date in a DT is a time of day and an offset."""
    return (not clock or _CLOCK.fullmatch(clock) is not None) and (
        offset is None or is_offset(offset)
    )


def _body(component: str) -> int:
    """Length of the date part of a DT: 4, 6 or 8 digits."""
    digits = re.match(r"[0-9]{1,8}", component)
    return digits.end() if digits else 0
