"""No cell of the table runs in a spreadsheet, and the table is RFC 4180."""

from __future__ import annotations

import csv
import io

import pytest

from napari_medlabel.audit.exports.csv_rows import (
    COLUMNS,
    csv_header,
    csv_line,
    csv_row,
    defused,
)
from tests.audit.exports.samples import NEW, OLD, PATIENT, SET, USER, entry, every_event


def cells(data: bytes) -> list[str]:
    (row,) = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    return row


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x",
     "  =1", "\u200b=1", "\ufeff@x", "\xa0=1"],
)  # fmt: skip
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", " ", "a=1", "1-2", "{}", "'=1", "日本"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert defused(text) == text


def test_quotes_commas_and_breaks_are_quoted() -> None:
    assert csv_line(('a"b', "c,d", "e\r\nf", "g;h", "i")) == (
        b'"a""b","c,d","e\r\nf","g;h",i\r\n'
    )


def test_every_event_is_a_row_of_all_columns_in_which_nothing_runs() -> None:
    assert cells(csv_header()) == list(COLUMNS)
    for one in every_event():
        row = cells(csv_row(one))
        assert len(row) == len(COLUMNS)
        assert all(cell[:1] not in "=+-@" or not cell for cell in row)


def test_a_row_says_who_did_what_to_whom() -> None:
    one = entry(
        "mask.save", (PATIENT,), (OLD, NEW, SET),
        {"labels": [1], "voxels_added": 2, "voxels_removed": 3}, reason=_reason(),
    )  # fmt: skip
    row = dict(zip(COLUMNS, cells(csv_row(one, {USER: "=cmd|x"})), strict=True))
    assert row["time"] == "2026-11-22T12:00:00.000Z"
    assert (row["event"], row["action"], row["reason"]) == ("mask.save", "U", "CORRECTION")
    assert (row["user"], row["user_name"]) == (USER, "'=cmd|x")
    assert (row["object_old"], row["object_new"]) == (OLD.id, NEW.id)
    assert row["objects_other"] == f"manifest {SET.id}"
    assert row["detail"] == '{"labels": [1], "voxels_added": 2, "voxels_removed": 3}'
    assert (row["site"], row["seq"], row["line"]) == ("ward-3", "7", "9")


def _reason() -> object:
    from napari_medlabel.audit.format.event import Reason

    return Reason("CORRECTION")
