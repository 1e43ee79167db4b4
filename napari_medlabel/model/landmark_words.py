"""A landmark's flags as words behind its description, for files that have no place for them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from napari_medlabel.model.landmarks import ABSENCES, PLANES, Landmark

_FLAG: Final = re.compile(r"(?: |\A)\[(absent|uncertain|seen): ([^\[\]]*)\]\Z")
_RADIUS: Final = re.compile(r"([0-9.eE+-]{1,30}) mm")


def described(mark: Landmark) -> str:
    """Return the description with the flags behind it: ``"Tip [uncertain: 2.5 mm]"``.

    A file of another program keeps a description, and little else. The reason for which a
    landmark is absent, the radius and the planes that were looked at stand there in words that
    `understood` reads back exactly.
    """
    words = [mark.description] if mark.description else []
    if mark.absent:
        words.append(f"[absent: {mark.absent}]")
    if mark.uncertain_mm is not None:
        words.append(f"[uncertain: {mark.uncertain_mm!r} mm]")
    if mark.inspected:
        words.append(f"[seen: {' '.join(mark.inspected)}]")
    return " ".join(words)


def understood(mark: Landmark, text: str) -> Landmark:
    """Return a landmark with the description and the flags that a text says.

    Parameters
    ----------
    mark : Landmark
        With its position.
    text : str
        A description, perhaps with flags as `described` writes them. Words that only look like
        flags, or that contradict the position, stay words.
    """
    rest = text
    while (found := _FLAG.search(rest)) is not None:
        flagged = _flagged(mark, found[1], found[2])
        if flagged is None:
            break
        mark, rest = flagged, rest[: found.start()]
    return replace(mark, description=rest)


def _flagged(mark: Landmark, kind: str, said: str) -> Landmark | None:
    if kind == "absent":
        reason = next((key for key in ABSENCES if key == said), None)
        return None if mark.is_placed or reason is None else replace(mark, absent=reason)
    if not mark.is_placed:
        return None
    if kind == "seen":
        planes = said.split()
        if not planes or not set(planes) <= set(PLANES):
            return None
        return replace(mark, inspected=tuple(p for p in PLANES if p in planes))
    radius = _RADIUS.fullmatch(said)
    try:
        mm = float(radius[1]) if radius else 0.0
    except ValueError:
        return None
    return replace(mark, uncertain_mm=mm) if 0.0 < mm < float("inf") else None
