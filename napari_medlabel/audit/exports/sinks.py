"""One file in each format, out of events that come one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from napari_medlabel.audit.check.verdict import LogReport
from napari_medlabel.audit.exports.art30 import Seen, rows_of, sheet_csv, sheet_html
from napari_medlabel.audit.exports.csv_rows import BOM, csv_header, csv_row
from napari_medlabel.audit.exports.dicom_xml import XML_END, Naming, xml_head, xml_lines
from napari_medlabel.audit.exports.entries import Entry, Period
from napari_medlabel.audit.exports.fhir import fhir_lines
from napari_medlabel.audit.exports.ocsf import ocsf_line
from napari_medlabel.audit.keys.site import Policy

FileFormat = Literal["csv", "fhir", "dicom", "ocsf", "art30"]
FILE_FORMATS: Final = ("csv", "fhir", "dicom", "ocsf", "art30")


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants exported, and how.

    Parameters
    ----------
    period : Period
        Which events.
    naming : Naming
        Names and Patient IDs that the officer gave.
    bom : bool
        Whether a table begins with the mark that some spreadsheets need.
    as_table : bool
        Whether the sheet for Art. 30 is a table instead of a page.
    """

    period: Period = field(default_factory=Period)
    naming: Naming = field(default_factory=Naming)
    bom: bool = False
    as_table: bool = False


@dataclass(frozen=True, slots=True)
class Sink:
    """What makes the bytes of a file.

    Parameters
    ----------
    head : bytes
        Before the first event.
    lines : callable
        Gives the bytes for one event.
    tail : callable
        Gives what comes last, when it is known what the log is worth.
    """

    head: bytes
    lines: Callable[[Entry], Iterable[bytes]]
    tail: Callable[[LogReport], bytes]


def _nothing(_report: LogReport) -> bytes:
    return b""


def _sheet(wish: Wish, policy: Policy | None) -> Sink:
    seen = Seen()

    def take(entry: Entry) -> Iterable[bytes]:
        seen.take(entry)
        return ()

    def tail(report: LogReport) -> bytes:
        rows = rows_of(seen, report, policy)
        return sheet_csv(rows) if wish.as_table else sheet_html(rows, seen, wish.period)

    return Sink(BOM if wish.as_table and wish.bom else b"", take, tail)


def sink_of(kind: FileFormat, wish: Wish, policy: Policy | None = None) -> Sink:
    """Return what makes a file of a format.

    Parameters
    ----------
    kind : str
        csv, fhir, dicom, ocsf or art30.
    wish : Wish
        How.
    policy : Policy, optional
        Rules of the site; only the sheet for Art. 30 says them.
    """
    naming = wish.naming
    if kind == "csv":
        head = (BOM if wish.bom else b"") + csv_header()
        return Sink(head, lambda entry: (csv_row(entry, naming.users),), _nothing)
    if kind == "fhir":
        return Sink(b"", lambda entry: fhir_lines(entry, naming.users), _nothing)
    if kind == "ocsf":
        return Sink(b"", lambda entry: (ocsf_line(entry, naming.users),), _nothing)
    if kind == "dicom":
        return Sink(
            xml_head(naming), lambda entry: xml_lines(entry, naming), lambda _report: XML_END
        )
    return _sheet(wish, policy)


def suffix_says_table(target: Path) -> bool:
    """Return whether a file's name asks for a table."""
    return target.suffix.lower() == ".csv"
