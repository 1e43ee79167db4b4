"""Left and right: which side a label's name or code says, and its partner on the other one."""

from __future__ import annotations

import re
from typing import Final

from napari_medlabel.model.labelmap import Label, LabelScheme

_SIDES: Final = {"left": "right", "right": "left", "lt": "rt", "rt": "lt", "l": "r", "r": "l"}
_LONG: Final = {"left": "left", "lt": "left", "right": "right", "rt": "right"}
_WORD: Final = re.compile(r"[^\W\d_]+")
"""Letters alone: "kidney_left" has the word "left", and "L1" none that says a side."""
_ALONE: Final = re.compile(r"(?<![^\W_])[^\W\d_]+(?![^\W_])")


def side_of(label: Label) -> str:
    """Return the side that a label says: ``"left"``, ``"right"``, or "" for none or both.

    Its name goes before its code: the name is what people read.
    """
    said = {_LONG[word] for one in _WORD.findall(label.name) if (word := one.lower()) in _LONG}
    if said:
        return said.pop() if len(said) == 1 else ""
    return label.code.side if label.code is not None else ""


def partner_of(scheme: LabelScheme, value: int) -> int | None:
    """Return the label that is the same on the other side; None where the scheme has none.

    It has the same name with left and right (also lt and rt, l and r) exchanged, else the same
    code with the other side.

    Parameters
    ----------
    scheme : LabelScheme
        Where to look.
    value : int
        A value of the scheme.

    Raises
    ------
    InputError
        When the scheme has no such value.
    """
    label = scheme[value]
    wanted = _ALONE.sub(_exchanged, label.name).casefold()
    if wanted != label.name.casefold():
        named = [one.value for one in scheme.labels if one.name.casefold() == wanted]
        if len(named) == 1:
            return named[0]
    code = label.code
    if code is None or not code.side:
        return None
    like = [
        one.value
        for one in scheme.labels
        if one.code is not None
        and (one.code.scheme, one.code.value) == (code.scheme, code.value)
        and one.code.side == _SIDES[code.side]
    ]
    return like[0] if len(like) == 1 else None


def _exchanged(found: re.Match[str]) -> str:
    return _SIDES.get(found[0].lower(), found[0])
