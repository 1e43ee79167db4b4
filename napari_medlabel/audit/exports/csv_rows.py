"""The log as a table for a spreadsheet: one row for each event, no cell that could run.

RFC 4180: commas, double quotes, CR LF. A cell that a spreadsheet would take for a formula gets
an apostrophe in front, which the spreadsheet hides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from napari_medlabel.audit.exports.entries import Entry

COLUMNS: Final = (
    "time", "event", "outcome", "action", "user", "user_name", "role", "subject", "reason",
    "object_old", "object_new", "objects_other", "detail", "site", "writer", "seq", "file",
    "line",
)  # fmt: skip
"""Headings, in order."""

BOM: Final = b"\xef\xbb\xbf"
"""Tells some spreadsheets that the file is UTF-8."""

_STARTS: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_BREAKS: Final = frozenset('",\r\n;')


def defused(text: str) -> str:
    """Return a cell's text such that no spreadsheet runs it.

    Parameters
    ----------
    text : str
        Anything.

    Returns
    -------
    str
        With an apostrophe in front where the first character, after blanks and characters
        that cannot be seen, is ``= + - @``, one of their full-width forms, a tab or a line
        break.
    """
    for letter in text:
        if letter in _STARTS:
            return f"'{text}"
        if letter.isprintable() and not letter.isspace():
            return text
    return text


def csv_line(cells: tuple[str, ...]) -> bytes:
    """Return one line of RFC 4180; every cell is made harmless first."""
    return (",".join(_quoted(defused(cell)) for cell in cells) + "\r\n").encode()


def _quoted(text: str) -> str:
    if not _BREAKS.isdisjoint(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def csv_header() -> bytes:
    """Return the first line."""
    return csv_line(COLUMNS)


def csv_row(entry: Entry, names: Mapping[str, str] | None = None) -> bytes:
    """Return the line of one event.

    Parameters
    ----------
    entry : Entry
        The event.
    names : mapping of str to str, optional
        Names of users by token.
    """
    record = entry.record
    objects: dict[str, list[str]] = {"old": [], "new": [], "other": []}
    for item in record["object"]:
        shown = item["id"] if item["role"] in {"old", "new"} else f"{item['role']} {item['id']}"
        objects[item["role"] if item["role"] in objects else "other"].append(shown)
    detail = json.dumps(record["detail"], sort_keys=True, ensure_ascii=False)
    return csv_line(
        (
            record["time"], entry.event, str(record["outcome"]), record["action"], entry.user,
            (names or {}).get(entry.user, ""), record["actor"]["role"],
            " ".join(entry.subjects), entry.reason, " ".join(objects["old"]),
            " ".join(objects["new"]), " ".join(objects["other"]), detail, entry.session.site,
            entry.session.writer, str(record["seq"]), entry.file, str(entry.line),
        )
    )  # fmt: skip
