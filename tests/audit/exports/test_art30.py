"""The sheet says what the log knows, and marks what nobody but people know."""

from __future__ import annotations

import csv
import io
import re

from napari_medlabel.audit.exports.art30 import OPEN, Seen, rows_of, sheet_csv, sheet_html
from napari_medlabel.audit.exports.entries import Period
from napari_medlabel.audit.keys.site import Policy
from tests.audit.bench import Bench
from tests.audit.exports import trusted
from tests.audit.exports.samples import PATIENT, entry

LEFT = {
    "destination": "removable", "format": "dicom", "deidentified": True,
    "retained_tags": ["00100040"],
}  # fmt: skip


def seen(*entries: object) -> Seen:
    found = Seen()
    for one in entries:
        found.take(one)  # type: ignore[arg-type]
    return found


def some() -> Seen:
    run = {"profile": "basic", "profile_hash": "sha256:" + "ab" * 32, "files": 1,
           "edition": "2026c"}  # fmt: skip
    return seen(
        entry("volume.open", (PATIENT,), detail={"format": "dicom"}),
        entry("deid.run", (PATIENT,), detail=run),
        entry("export.done", (PATIENT,), detail=LEFT),
        entry("export.screen", detail={"kind": "print"}),
        entry("audit.review"),
    )


def texts(found: Seen, bench: Bench, policy: Policy | None) -> dict[str, tuple[str, str]]:
    trusted.write_log(bench, 1)
    rows = rows_of(found, trusted.verify(bench), policy)
    return {row.letter: ("\n".join(row.known), row.missing) for row in rows}


def test_all_letters_of_the_article_are_there(bench: Bench) -> None:
    said = texts(some(), bench, Policy())
    assert list(said) == ["a", "b", "c", "d", "e", "f", "g"]
    assert "ward-3" in said["a"][0]
    assert "Exports: 2" in said["b"][0]
    assert "patients" in said["c"][0]
    assert "To a removable medium: 1" in said["d"][0]
    assert "To a picture of the screen: 1" in said["d"][0]
    assert "Not marked as de-identified: 1" in said["d"][0]
    assert "2190 days" in said["f"][0]
    assert "profile basic 2026c: 1" in said["g"][0]
    assert "00100040" in said["g"][0]
    assert "every 30 days" in said["g"][0]
    assert [letter for letter, row in said.items() if not row[1]] == ["c"]


def test_a_log_of_nothing_says_so(bench: Bench) -> None:
    said = texts(Seen(), bench, None)
    assert said["f"] == ("", "how long the log and the data are kept")
    assert "Nothing left" in said["d"][0]
    assert b"No event in this period." in sheet_html((), Seen(), Period())


def test_the_page_runs_nothing_asks_for_nothing_and_marks_what_is_open(bench: Bench) -> None:
    found = some()
    found.sites.add("<b>&")
    trusted.write_log(bench, 1)
    rows = rows_of(found, trusted.verify(bench), Policy())
    page = sheet_html(rows, found, Period()).decode()
    assert page.count(f'<span class="open">{OPEN}') == 6
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)\s*=", page)
    assert "a period was chosen" not in page
    assert "a period was chosen" in sheet_html(rows, found, Period("2026-11-22")).decode()


def test_the_table_has_the_same_rows(bench: Bench) -> None:
    trusted.write_log(bench, 1)
    rows = rows_of(some(), trusted.verify(bench), Policy())
    table = list(csv.reader(io.StringIO(sheet_csv(rows).decode(), newline="")))
    assert table[0] == ["Art. 30(1)", "field", "from the log", "missing"]
    assert [row[0] for row in table[1:]] == ["a", "b", "c", "d", "e", "f", "g"]
    assert table[1][3].startswith(OPEN)
