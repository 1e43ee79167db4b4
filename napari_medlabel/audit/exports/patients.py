"""Patient IDs by token: a table that the officer gives for one export and keeps to herself."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from napari_medlabel.audit.format.schema import SUBJECT
from napari_medlabel.errors import InputError

_LARGEST: Final = 16 << 20


def read_patients(path: Path) -> Mapping[str, str]:
    """Return Patient IDs by token, from lines ``s1-...,id``.

    Parameters
    ----------
    path : Path
        Comma-separated, UTF-8; a heading is passed over.

    Raises
    ------
    InputError
        When it cannot be read, or a line is something else. No line is quoted.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise _refuse("the file is far too large")
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream) if row]
    except (OSError, ValueError, csv.Error) as err:
        raise _refuse(f"the file cannot be read ({type(err).__name__})") from err
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or not SUBJECT.accepts(row[0].strip()):
            if number == 1 and len(row) == 2:
                continue  # a heading
            raise _refuse(f"row {number} is something else")
        found[row[0].strip()] = row[1].strip()
    return found


def _refuse(came: str) -> InputError:
    return InputError(
        f"A table with a patient's token and Patient ID in each row was expected, and {came}.",
        hint="Save it as comma-separated values in UTF-8, two columns.",
    )
