"""A sheet for the record of processing (GDPR Art. 30), filled in as far as the log knows."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from typing import Final

from napari_medlabel.audit.check.verdict import LogReport
from napari_medlabel.audit.exports.csv_rows import csv_line
from napari_medlabel.audit.exports.entries import Entry, Period
from napari_medlabel.audit.keys.site import Policy

OPEN: Final = "To be filled in: "
"""Begins what only people know."""

_LEFT: Final = frozenset({"export.done", "export.screen"})
_CSS: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid; padding: .5rem .75rem; text-align: left; vertical-align: top; }
th { width: 28%; }
ul { margin: 0; padding-left: 1.2rem; }
.open { font-weight: 600; background: #fff3b0; color: #332b00; padding: .1rem .3rem; }
@media print { body { margin: 0; max-width: none; } tr { break-inside: avoid; } }
"""
_DESTINATIONS: Final = {
    "folder": "a folder on a computer of the site",
    "removable": "a removable medium",
    "network": "a network folder",
    "pacs": "an image archive (PACS)",
    "object-store": "an object store",
    "clipboard": "the clipboard",
    "printer": "a printer",
    "screen": "a picture of the screen",
}


@dataclass(slots=True)
class Seen:
    """What the events of a log say about the processing, counted as they come."""

    sites: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    days: set[str] = field(default_factory=set)
    destinations: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    profiles: Counter[str] = field(default_factory=Counter)
    retained: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    without_deid: int = 0

    def take(self, entry: Entry) -> None:
        """Count one event."""
        detail = entry.detail
        self.sites.add(entry.session.site)
        self.subjects.update(entry.subjects)
        self.users.add(entry.user)
        self.days.add(entry.record["time"][:10])
        self.counts[entry.event] += 1
        if entry.event in {*_LEFT, "deid.run"}:
            self.retained.update(detail.get("retained_tags", ()))
        if entry.event == "deid.run":
            self.profiles[f"{detail['profile']} {detail.get('edition', '')}".strip()] += 1
        if entry.event in _LEFT:
            self.destinations[str(detail.get("destination", "screen"))] += 1
            self.formats[str(detail.get("format", "image"))] += 1
            self.without_deid += detail.get("deidentified") is not True


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the sheet.

    Parameters
    ----------
    letter : str
        Of Art. 30(1).
    title : str
        What is asked for.
    known : tuple of str
        What the log says.
    missing : str
        What only people know; empty where nothing is missing.
    """

    letter: str
    title: str
    known: tuple[str, ...] = ()
    missing: str = ""


def _counted(counts: Counter[str], words: dict[str, str] | None = None) -> Iterator[str]:
    for name, count in sorted(counts.items()):
        yield f"{(words or {}).get(name, name)}: {count}"


def _purpose(seen: Seen) -> Row:
    counts = seen.counts
    work = sum(counts[name] for name in ("mask.create", "mask.save", "landmark.save"))
    known = (
        f"Scans opened: {counts['volume.open']}",
        f"Masks and landmarks saved: {work}",
        f"De-identification runs: {counts['deid.run']}",
        f"Exports: {counts['export.done'] + counts['export.screen']}",
    )
    return Row("b", "Purposes of the processing", known, "the purpose, and its legal basis")


def _categories(seen: Seen) -> Row:
    known = (
        (
            "Data subjects: patients, as images and drawings on them. Tokens of patients in "
            f"the log: {len(seen.subjects)} (a patient may have one for each year's key)"
        ),
        f"Data subjects: users of the program. Tokens of users in the log: {len(seen.users)}",
        (
            "Personal data: medical images and their headers (health data, Art. 9); masks, "
            "landmarks; what users did, and when"
        ),
    )
    return Row("c", "Categories of data subjects and of personal data", known)


def _recipients(seen: Seen) -> Row:
    known = [f"To {line}" for line in _counted(seen.destinations, _DESTINATIONS)] or [
        "Nothing left the program in this period"
    ]
    known += [f"As {line}" for line in _counted(seen.formats)]
    if seen.without_deid:
        known.append(f"Not marked as de-identified: {seen.without_deid}")
    return Row("d", "Categories of recipients", tuple(known), "who receives what was exported")


def _erasure(policy: Policy | None) -> Row:
    if policy is None:
        return Row("f", "Time limits for erasure", (), "how long the log and the data are kept")
    known = (f"The log: {policy.retention_days} days (rule of the site)",)
    return Row("f", "Time limits for erasure", known, "how long images and masks are kept")


def _safeguards(seen: Seen, report: LogReport, policy: Policy | None) -> Row:
    known = [
        f"The audit log was verified for this sheet: {report.verdict}. {report.sentence}",
        "The log holds keyed tokens, no names and no Patient IDs",
    ]
    known += [f"De-identification by profile {line}" for line in _counted(seen.profiles)]
    if seen.retained:
        known.append(
            f"Kept by de-identification (DICOM tags): {', '.join(sorted(seen.retained))}"
        )
    known.append(f"Reviews of the log: {seen.counts['audit.review']}")
    if policy is not None:
        known.append(f"The rules ask for one every {policy.review_days} days")
    return Row(
        "g",
        "Technical and organisational security measures",
        tuple(known),
        "access control, encryption of disks, training, backups",
    )


def rows_of(seen: Seen, report: LogReport, policy: Policy | None) -> tuple[Row, ...]:
    """Return the rows of the sheet, letters a to g of Art. 30(1).

    Parameters
    ----------
    seen : Seen
        What the events say.
    report : LogReport
        What they are worth.
    policy : Policy or None
        Rules of the site, where it has any.
    """
    return (
        Row(
            "a",
            "Controller",
            tuple(f"Site in the log: {site}" for site in sorted(seen.sites)),
            "name and contact of the controller, of its representative and of the data "
            "protection officer",
        ),
        _purpose(seen),
        _categories(seen),
        _recipients(seen),
        Row("e", "Transfers to third countries", (), "to which, and the safeguards, or none"),
        _erasure(policy),
        _safeguards(seen, report, policy),
    )


def _words(seen: Seen, period: Period) -> str:
    days = sorted(seen.days)
    if not days:
        return "No event in this period."
    if period.is_all:
        return f"From events of {days[0]} to {days[-1]}."
    return f"From events of {days[0]} to {days[-1]}; a period was chosen."


def sheet_html(rows: Iterable[Row], seen: Seen, period: Period) -> bytes:
    """Return the sheet as a page to be printed and filled in."""
    digest = base64.b64encode(sha256(_CSS.encode()).digest()).decode("ascii")
    body = []
    for row in rows:
        known = "".join(f"<li>{escape(line)}</li>" for line in row.known)
        cell = f"<ul>{known}</ul>" if known else ""
        if row.missing:
            cell += f'<p><span class="open">{escape(OPEN + row.missing)}</span></p>'
        body.append(
            f'<tr><th scope="row">({row.letter}) {escape(row.title)}</th><td>{cell}</td></tr>\n'
        )
    title = "Record of processing activities, GDPR Art. 30(1)"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'sha256-{digest}'\">\n"
        f"<title>{title}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f"<p>Drawn up by napari-medlabel from its audit log. {escape(_words(seen, period))} "
        "Marked cells are what no program can know.</p>\n"
        f"<table>\n{''.join(body)}</table>\n</body>\n</html>\n"
    ).encode()


def sheet_csv(rows: Iterable[Row]) -> bytes:
    """Return the sheet as a table for a spreadsheet."""
    lines = [csv_line(("Art. 30(1)", "field", "from the log", "missing"))]
    for row in rows:
        missing = OPEN + row.missing if row.missing else ""
        lines.append(csv_line((row.letter, row.title, "\n".join(row.known), missing)))
    return b"".join(lines)
