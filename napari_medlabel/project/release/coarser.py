"""Make what a table tells of patients coarser, until enough of them share each of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.release.balance import Rows, age_band, cells_of, published

_AGE: Final = "age"


def coarsen(rows: Rows, least: int) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """Return a table in which groups are large enough, and the columns that were touched.

    Ages become bands of ten years first; then, each time, the column is left out without which
    the smallest group is largest, the last of several.

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
    while _smallest(found) < least:
        column = _next(found, touched)
        touched.append(column)
        for row in found.values():
            if column == _AGE and touched.count(_AGE) == 1:
                row[_AGE] = age_band(row.get(_AGE, ""))
            else:
                row.pop(column, None)
    return found, tuple(dict.fromkeys(touched))


def _smallest(rows: Mapping[str, Mapping[str, str]]) -> int:
    """Return how few share what a table tells; all, where it tells nothing of anybody."""
    columns = published(rows)
    return cells_of(rows, columns)[0].patients if columns else len(rows)


def _next(rows: Rows, touched: list[str]) -> str:
    columns = published(rows)
    if _AGE in columns and _AGE not in touched:
        return _AGE
    left: dict[str, int] = {}
    for column in reversed(columns):
        without = {code: _but(row, column) for code, row in rows.items()}
        left[column] = _smallest(without)
    return max(left, key=left.__getitem__)


def _but(row: Mapping[str, str], column: str) -> dict[str, str]:
    return {key: value for key, value in row.items() if key != column}
