"""Make what a table tells of patients coarser, until enough of them share each of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.cases.participants import SPLIT
from napari_medlabel.project.release.balance import Rows, age_band, cells_of, published

_AGE: Final = "age"


def coarsen(rows: Rows, least: int) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """Return a table in which groups are large enough, and the columns that were touched.

    Ages become bands of ten years first; then columns are left out, the last one first, sex
    and age at the end.

    Parameters
    ----------
    rows : mapping
        Cells of each patient by code.
    least : int
        The k of k-anonymity: how many patients are to share each combination of values.

    Raises
    ------
    InputError
        When fewer than two are to share one.
    RefusedError
        When there are fewer patients than that.
    """
    if least < 2:
        raise InputError(
            "The smallest group of patients has two or more of them; less came.",
            hint="Usual are 5 to 11.",
        )
    if len(rows) < least:
        raise RefusedError(
            f"At least {least} patients were to share what is told of them, and {len(rows)} "
            "are released.",
            hint="Release more cases, or ask for a smaller group.",
        )
    found = {code: dict(row) for code, row in rows.items()}
    touched: list[str] = []
    while not _is_large_enough(found, least):
        column = _next(found, touched)
        touched.append(column)
        for row in found.values():
            if column == _AGE and touched.count(_AGE) == 1:
                row[_AGE] = age_band(row.get(_AGE, ""))
            else:
                row.pop(column, None)
    return found, tuple(dict.fromkeys(touched))


def _is_large_enough(rows: Mapping[str, Mapping[str, str]], least: int) -> bool:
    columns = published(rows)
    return not columns or cells_of(rows, columns)[0].patients >= least


def _next(rows: Rows, touched: list[str]) -> str:
    columns = [column for column in published(rows) if column != SPLIT]
    if _AGE in columns and _AGE not in touched:
        return _AGE
    others = [column for column in columns if column not in (_AGE, "sex")]
    return others[-1] if others else (_AGE if _AGE in columns else columns[-1])
