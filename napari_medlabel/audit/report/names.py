"""A table of names for user tokens, read for one page and kept nowhere."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from napari_medlabel.audit.format.schema import USER
from napari_medlabel.errors import InputError

_LONGEST: Final = 200
_LARGEST: Final = 4 << 20


def read_names(path: Path) -> Mapping[str, str]:
    """Return the names in a CSV file of two columns, token and name.

    Parameters
    ----------
    path : Path
        UTF-8, with or without a first line of titles.

    Returns
    -------
    mapping of str to str
        Name by token.

    Raises
    ------
    InputError
        When it cannot be read, is too large, or a line is neither a token with a name nor
        the titles. The message names the line, not what it says.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise _wrong("is larger than any table of names")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise _wrong(f"cannot be read ({type(err).__name__})") from err
    names: dict[str, str] = {}
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and not USER.accepts(cells[0])):
            continue
        if len(cells) < 2 or not USER.accepts(cells[0]) or not 0 < len(cells[1]) <= _LONGEST:
            raise _wrong(f"has in line {number} no user token and name")
        names[cells[0]] = cells[1]
    return names


def _wrong(what: str) -> InputError:
    return InputError(
        f"The table of names {what}.",
        hint="Give a CSV file with two columns: the token as the log has it, u1-..., and the "
        "name.",
    )
