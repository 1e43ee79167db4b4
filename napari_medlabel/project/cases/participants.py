"""The list of patients: ``participants.tsv``, a line for each code, no date and no name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError

ID: Final = "participant_id"
SPLIT: Final = "split"
MISSING: Final = "n/a"
COLUMNS: Final[Mapping[str, Mapping[str, object]]] = {
    "sex": {
        "Description": "Sex as the scan's header had it, where the de-identification keeps it",
        "Levels": {"F": "female", "M": "male", "O": "other"},
    },
    "age": {
        "Description": "Age at the first scan, where the de-identification keeps it; "
        "89 stands for 89 and more",
        "Units": "year",
    },
}
"""Columns beside the code, as ``participants.json`` explains them."""
_OLDEST: Final = 89
_AGE: Final = re.compile(r"([0-9]{3})([DWMY])")
_CODE: Final = re.compile(r"[A-Za-z]{0,4}[0-9]{1,4}|[A-Za-z]")
_BAND: Final = re.compile(r"[1-7]?0-[1-7]?9|80\+")
_LEAVES: Final[Mapping[str, re.Pattern[str]]] = {
    "sex": re.compile("[FMO]"),
    "age": re.compile(rf"[0-8]?[0-9]|0[0-8][0-9]Y?|{_BAND.pattern}"),
    "age band": _BAND,
    "site": _CODE,
    "vendor": _CODE,
    "group": _CODE,
    SPLIT: re.compile("train|val|test"),
}
"""Columns that may leave, and what may stand in them beside ``n/a``; no other words do."""
_AS_CODE: Final = "Give codes there, such as s01, for names."
_FORMS: Final = {
    "sex": "It is F, M, O or n/a.",
    "age": "It is in years up to 89, such as 63 or 063Y, or ten of them, such as 60-69.",
    "age band": "It is ten years, such as 60-69, or 80+.",
    SPLIT: "It is train, val or test.",
}
Rows = dict[str, dict[str, str]]


def read_participants(path: Path) -> Rows:
    """Return the cells of each patient by code (without ``sub-``), in the file's order.

    Raises
    ------
    InputError
        When the file is there and is no such table.
    """
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise _broken() from err
    head = lines[0].split("\t") if lines else []
    if head[:1] != [ID] or len(set(head)) != len(head):
        raise _broken()
    rows: Rows = {}
    for line in filter(None, lines[1:]):
        cells = line.split("\t")
        code = cells[0].removeprefix("sub-")
        if len(cells) != len(head) or code == cells[0] or code in rows:
            raise _broken()
        rows[code] = dict(zip(head[1:], cells[1:], strict=True))
    return rows


def to_tsv(rows: Mapping[str, Mapping[str, str]]) -> bytes:
    """Return the table; what a patient has no value for is ``n/a``."""
    columns = list(COLUMNS)
    columns += [key for row in rows.values() for key in row if key not in columns]
    names = list(dict.fromkeys(columns))
    lines = ["\t".join((ID, *names))]
    for code, row in rows.items():
        lines.append("\t".join((f"sub-{code}", *(row.get(key) or MISSING for key in names))))
    return ("\n".join(lines) + "\n").encode()


def with_patient(rows: Rows, code: str, facts: Mapping[str, str]) -> Rows:
    """Return the table with a patient: what is known of them stays, what was not is added."""
    before = rows.get(code, {})
    known = {key: value for key, value in before.items() if value not in ("", MISSING)}
    return {**rows, code: {**before, **facts, **known}}


def sex_and_age(sex: str, age: str) -> dict[str, str]:
    """Return the cells that DICOM's PatientSex and PatientAge say; other text says nothing.

    Parameters
    ----------
    sex : str
        ``F``, ``M`` or ``O``.
    age : str
        As in ``063Y``; of a child in years, rounded down. 90 and more are 89 (45 CFR 164.514
        b 2 i C: all ages over 89 are one).
    """
    cells = {}
    if sex in ("F", "M", "O"):
        cells["sex"] = sex
    found = _AGE.fullmatch(age)
    if found:
        days = {"D": 1, "W": 7, "M": 30.4375, "Y": 365.25}[found[2]]
        years = int(found[1]) if found[2] == "Y" else int(int(found[1]) * days / 365.25)
        cells["age"] = str(min(years, _OLDEST))
    return cells


def splits(rows: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the split of each patient that has one."""
    found = {code: row.get(SPLIT, MISSING) for code, row in rows.items()}
    return {code: split for code, split in found.items() if split not in ("", MISSING)}


def against_leaving(rows: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Return what of a table does not leave: in sentences, without a name or a value of it.

    Parameters
    ----------
    rows : mapping
        Cells of each patient who is to leave, by code.
    """
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    strange = [n for n, key in enumerate(columns, start=2) if key not in _LEAVES]
    found = []
    if strange:
        found.append(
            f"participants.tsv has columns that do not leave: {len(strange)} "
            f"({_numbered(strange)}). Those that do: {', '.join((ID, *_LEAVES))}."
        )
    for number, key in enumerate(columns, start=2):
        form = _LEAVES.get(key)
        values = (row.get(key) or MISSING for row in rows.values())
        wrong = sum(v != MISSING and not form.fullmatch(v) for v in values) if form else 0
        if wrong:
            found.append(
                f"Column {number} of participants.tsv, {key}, has cells of another form than "
                f"may leave: {wrong}. {_FORMS.get(key, _AS_CODE)}"
            )
    return tuple(found)


def _numbered(columns: Iterable[int]) -> str:
    return ", ".join(f"column {number}" for number in columns)


def subjects_without_row(rows: Mapping[str, object], codes: Iterable[str]) -> tuple[str, ...]:
    """Return codes that the table lacks, sorted."""
    return tuple(sorted(set(codes) - set(rows)))


def _broken() -> InputError:
    return InputError(
        "participants.tsv is no table of patients: each line has a code such as sub-001 once, "
        "and as many cells as the head.",
        hint="Mend it, or take it from a backup.",
    )
