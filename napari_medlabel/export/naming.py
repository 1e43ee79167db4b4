"""Names that stand in files which leave: tokens, never names of people."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from napari_medlabel.errors import InputError

_TOKEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def require_token(name: str, what: str, *, taken: Container[str] = ()) -> str:
    """Return a name that may stand in a file's name.

    Parameters
    ----------
    name : str
        Letters, digits, dash and underscore, at most 100.
    what : str
        What it names, for the message.
    taken : container of str
        Names that are given already.

    Raises
    ------
    InputError
        When it is none, or taken.
    """
    if not _TOKEN.fullmatch(name):
        raise InputError(
            f"The name of a {what} is made of letters, digits, dash and underscore.",
            hint="For example: sub-001_ct",
        )
    if name in taken:
        raise InputError(
            f"Each {what} has a name of its own; one stands twice.",
            hint="Give one of the two another name.",
        )
    return name
