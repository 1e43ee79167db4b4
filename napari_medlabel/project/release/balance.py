"""What a release is made of, split by split, and how few patients share what it tells.

Patients are counted by their codes, from ``participants.tsv``; scans from the records of the
cases; labels from the volumes that were measured. What nobody has stated is listed as such and
not counted as anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.cases.participants import MISSING, SPLIT
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.layout import CaseId

AGE_BAND: Final = "age band"
OF_PATIENTS: Final = ("sex", AGE_BAND, "site", "vendor")
"""Columns that are counted by patients, where `participants.tsv` has them."""
_OLDEST_BAND: Final = 80
_BANDS: Final = frozenset(
    (*(f"{low}-{low + 9}" for low in range(0, _OLDEST_BAND, 10)), f"{_OLDEST_BAND}+")
)
_EDGES_MM: Final = (1.0, 2.0, 3.0, 5.0)
Rows = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, order=True)
class Count:
    """How many there are of one value in one split.

    Parameters
    ----------
    column : str
        One of `OF_PATIENTS`, ``modality``, ``largest spacing`` or ``label``.
    value : str
        Of the column; ``n/a`` where others state one. Of a label its id.
    split : str
        Name of the split; empty where cases are in none.
    patients, cases : int
        How many codes, and how many scans of theirs.
    """

    column: str
    value: str
    split: str
    patients: int
    cases: int


@dataclass(frozen=True, order=True)
class Volume:
    """How large a label is in the cases of one split that have it.

    Parameters
    ----------
    label : str
        Its id.
    split : str
        Name of the split; empty where cases are in none.
    cases : int
        How many have it.
    measured : int
        How many were measured.
    least_ml, lower_ml, median_ml, upper_ml, most_ml : float
        Least, quartiles (linear between values) and most over the cases that have it.
    """

    label: str
    split: str
    cases: int
    measured: int
    least_ml: float
    lower_ml: float
    median_ml: float
    upper_ml: float
    most_ml: float


@dataclass(frozen=True)
class Cell:
    """The patients who have one combination of values.

    Parameters
    ----------
    columns, values : tuple of str
        Which columns, and what they hold.
    patients : int
        How many.
    """

    columns: tuple[str, ...]
    values: tuple[str, ...]
    patients: int


@dataclass(frozen=True)
class Balance:
    """What a release is made of.

    Parameters
    ----------
    counts : tuple of Count
        By column, value and split.
    volumes : tuple of Volume
        By label and split.
    smallest : Cell or None
        Fewest patients who share everything that ``participants.tsv`` tells; None where it
        tells nothing.
    not_stated : tuple of str
        Columns of `OF_PATIENTS`, and ``label volumes``, that nothing is known of.
    """

    counts: tuple[Count, ...]
    volumes: tuple[Volume, ...]
    smallest: Cell | None
    not_stated: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """Return plain data for JSON; of the smallest cell its size and columns, no values."""
        cell = self.smallest
        return {
            "counts": [dict(vars(one)) for one in self.counts],
            "volumes": [dict(vars(one)) for one in self.volumes],
            "smallest_cell": cell
            and {"columns": list(cell.columns), "patients": cell.patients},
            "not_stated": list(self.not_stated),
        }


def age_band(age: str) -> str:
    """Return the ten years that an age in years lies in, ``80+`` from 80; ``n/a`` of no age.

    A band stays what it is.
    """
    if age in _BANDS:
        return age
    if not (age.isascii() and age.isdecimal()):
        return MISSING
    low = int(age) // 10 * 10
    return f"{_OLDEST_BAND}+" if low >= _OLDEST_BAND else f"{low}-{low + 9}"


def spacing_band(spacing_mm: Sequence[float]) -> str:
    """Return what the largest distance of two voxels (mm) is called: ``2 to 3 mm`` for 3.0."""
    largest = round(max(spacing_mm), 3)
    if largest <= _EDGES_MM[0]:
        return f"up to {_EDGES_MM[0]:g} mm"
    for low, high in pairwise(_EDGES_MM):
        if largest <= high:
            return f"{low:g} to {high:g} mm"
    return f"over {_EDGES_MM[-1]:g} mm"


def with_bands(rows: Rows) -> dict[str, dict[str, str]]:
    """Return rows of patients with their ``age band`` beside what they have."""
    return {
        code: {**row, AGE_BAND: age_band(row.get("age", MISSING))} for code, row in rows.items()
    }


def strata_of(rows: Rows, columns: Sequence[str]) -> dict[str, str]:
    """Return what `splits.divide` keeps alike, by code of the patient.

    Parameters
    ----------
    rows : mapping
        Cells of each patient by code.
    columns : sequence of str
        Of the rows, or ``age band``.

    Raises
    ------
    InputError
        When no patient has one of the columns.
    """
    whole = with_bands(rows)
    _require(whole, columns)
    return {
        code: " / ".join(_cell(row, column) for column in columns)
        for code, row in whole.items()
    }


def cells_of(rows: Rows, columns: Sequence[str]) -> tuple[Cell, ...]:
    """Return the combinations of values that occur, those of the fewest patients first.

    ``n/a`` is a value of its own, as whoever reads the table sees it (L. Sweeney,
    k-anonymity, 2002).

    Parameters
    ----------
    rows : mapping
        Cells of each patient by code: of those who are released.
    columns : sequence of str
        Of the rows, or ``age band``.

    Raises
    ------
    InputError
        When no patient has one of the columns.
    """
    whole = with_bands(rows)
    _require(whole, columns)
    found = Counter(tuple(_cell(row, column) for column in columns) for row in whole.values())
    ranked = sorted(found.items(), key=lambda pair: (pair[1], pair[0]))
    return tuple(Cell(tuple(columns), values, count) for values, count in ranked)


def require_cells(rows: Rows, columns: Sequence[str], least: int) -> None:
    """Refuse a table in which too few patients share what it tells of them.

    Parameters
    ----------
    rows, columns
        See `cells_of`; without any column all patients share what is told of them: nothing.
    least : int
        The k of k-anonymity.

    Raises
    ------
    RefusedError
        Names the columns and how many combinations are too small; no value.
    InputError
        When no patient has one of the columns.
    """
    if not columns and len(rows) < least:
        raise RefusedError(
            f"At least {least} patients were to share what is told of them, and {len(rows)} "
            "are released.",
            hint="Release more cases, or ask for a smaller group.",
        )
    cells = cells_of(rows, columns) if columns else ()
    small = [cell for cell in cells if cell.patients < least]
    if small:
        raise RefusedError(
            f"At least {least} patients were to share each combination of "
            f"{', '.join(columns)}; {len(small)} combinations have fewer, the smallest "
            f"{small[0].patients}.",
            hint="Leave a column out of participants.tsv, or make its values coarser.",
        )


def published(rows: Rows) -> tuple[str, ...]:
    """Return the columns in which a patient has a value, without the split, in their order."""
    names = [key for row in rows.values() for key in row if _cell(row, key) != MISSING]
    return tuple(name for name in dict.fromkeys(names) if name != SPLIT)


def balance_of(
    records: Iterable[CaseRecord],
    rows: Rows,
    splits: Mapping[CaseId, str],
    volumes_ml: Mapping[CaseId, Mapping[str, float]],
) -> Balance:
    """Count what a release is made of.

    Parameters
    ----------
    records : iterable of CaseRecord
        The cases that are released.
    rows : mapping
        Cells of each patient by code; those of patients without a case are left out.
    splits : mapping of CaseId to str
        Split of each case; empty where there are none.
    volumes_ml : mapping of CaseId to mapping of str to float
        Volume of each label by its id, of the cases that were measured. A label that is not
        named, or of 0 ml, does not occur in that case.
    """
    records = tuple(records)
    codes = {record.case.subject for record in records}
    kept = {code: row for code, row in with_bands(rows).items() if code in codes}
    told = [c for c in OF_PATIENTS if any(_cell(r, c) != MISSING for r in kept.values())]
    counts: list[Count] = []
    for column in told:
        of_patient = {code: _cell(row, column) for code, row in kept.items()}
        counts += _count(column, records, splits, _by_code(of_patient))
    counts += _count("modality", records, splits, lambda record: (record.modality or MISSING,))
    counts += _count(
        "largest spacing", records, splits, lambda record: (spacing_band(record.spacing_mm),)
    )
    has = {case: [k for k, ml in found.items() if ml > 0] for case, found in volumes_ml.items()}
    counts += _count("label", records, splits, lambda record: has.get(record.case, ()))
    columns = published({code: rows[code] for code in kept})
    lacking = [column for column in OF_PATIENTS if column not in told]
    if not any(record.case in volumes_ml for record in records):
        lacking.append("label volumes")
    return Balance(
        tuple(counts),
        _volumes([record.case for record in records], splits, volumes_ml),
        cells_of(kept, columns)[0] if columns else None,
        tuple(lacking),
    )


def _cell(row: Mapping[str, str], column: str) -> str:
    return row.get(column) or MISSING


def _by_code(values: Mapping[str, str]) -> Callable[[CaseRecord], Sequence[str]]:
    return lambda record: (values.get(record.case.subject, MISSING),)


def _require(rows: Rows, columns: Sequence[str]) -> None:
    known = {key for row in rows.values() for key in row}
    lacking = [column for column in columns if column not in known]
    if not columns or lacking:
        raise InputError(
            "Columns that participants.tsv has were expected; of those given "
            f"({len(columns)}) it lacks {len(lacking)}.",
            hint="Choose among the columns of participants.tsv, and 'age band'.",
        )


def _count(
    column: str,
    records: Iterable[CaseRecord],
    splits: Mapping[CaseId, str],
    values: Callable[[CaseRecord], Sequence[str]],
) -> list[Count]:
    found: dict[tuple[str, str], list[str]] = {}
    for record in records:
        for value in values(record):
            key = (value, splits.get(record.case, ""))
            found.setdefault(key, []).append(record.case.subject)
    return [
        Count(column, value, split, len(set(codes)), len(codes))
        for (value, split), codes in sorted(found.items())
    ]


def _volumes(
    cases: Iterable[CaseId],
    splits: Mapping[CaseId, str],
    volumes_ml: Mapping[CaseId, Mapping[str, float]],
) -> tuple[Volume, ...]:
    found: dict[tuple[str, str], list[float]] = {}
    measured: Counter[str] = Counter()
    for case in cases:
        split = splits.get(case, "")
        measured[split] += case in volumes_ml
        for label, volume in volumes_ml.get(case, {}).items():
            if volume > 0:
                found.setdefault((label, split), []).append(volume)
    return tuple(
        Volume(label, split, len(ml), measured[split], *_spread(ml))
        for (label, split), ml in sorted(found.items())
    )


def _spread(ml: Sequence[float]) -> tuple[float, float, float, float, float]:
    a, b, c, d, e = (float(one) for one in np.percentile(ml, (0, 25, 50, 75, 100)))
    return a, b, c, d, e
