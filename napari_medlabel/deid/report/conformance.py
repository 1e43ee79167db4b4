"""The conformance statement that PS3.15 E.1.3 asks for, made from a profile: text and HTML."""

from __future__ import annotations

import json
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from napari_medlabel import __version__
from napari_medlabel.deid.rules.actions import DUMMIES
from napari_medlabel.deid.rules.dictionary import DATA, entry
from napari_medlabel.deid.rules.marks import plain_marks
from napari_medlabel.deid.rules.option_words import OPTION_WORDS
from napari_medlabel.deid.rules.options import BASIC_CODE, Option, method_meaning
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.deid.rules.temporal import FEWEST_DAYS, MOST_DAYS

_WIDTH = 96
_BY_TAG = ("tag", "attribute", "action", "decided by")
_OPTIONS = ("option", "code", "here", "in Table E.1-1", "meaning")
_FAMILIES = {
    "50xxxxxx": ("(50xx,xxxx)", "Curve Data and all of its attributes"),
    "60xx3000": ("(60xx,3000)", "Overlay Data"),
    "60xx4000": ("(60xx,4000)", "Overlay Comments"),
    "odd": ("(gggg,eeee), gggg odd", "Private attributes"),
}

_ENCRYPTED = """
None. No Encrypted Attributes Data Sets are made: what is removed is not in the file in any
form. Patients are found again only through the link table, which is encrypted, stays with the
key, and is never part of what leaves.
"""
_REMOVED = """
Besides: private attributes unless they are named as safe; attributes that the dictionary does
not know; group lengths and groups 0000, 0002, 0004 and 0006; curves and overlays as a whole;
names of people, dates, times and identifiers anywhere, by their VR; text that no rule names,
unless each of its words or terms is on a list; binary data that is not on a list; whatever
follows the pixels.
"""
_REPLACED = """
Patient's Name and Patient ID get the patient's code, a random one from the link table or,
without one, HMAC-SHA-256 with the project key. Accession Number and Study ID, where they had a
value, get a code by HMAC-SHA-256 with that key.

UIDs become 2.25. followed by a version 4 UUID whose bits are HMAC-SHA-256 of the UID with the
project key; those that the standard itself defines stay.

Sequences with action D get one item with the attributes that its kind requires, each with a
dummy value; codes are ANON of scheme 99ANON.

Codes of published schemes get the meaning that PS3.16 gives them, never the file's own; other
codes are replaced.
"""
_UIDS_KEPT = """
UIDs are kept as they are (retain-uids), so that all references hold.
"""
_UIDS = """
The same UID becomes the same new UID in every file, study, run, process and machine that uses
the same project key: references between instances, series, studies and frames of reference
hold, also when a study is processed again. With another key nothing can be joined.
"""
_PATIENTS = """
A patient, told by Issuer of Patient ID and Patient ID, has one code wherever the same link
table or, without one, the same key is used. Where an instance has no Patient ID, its study
stands for the patient.
"""
_INSERTED = """
Preamble (zero) and file meta information are written anew, with this tool's implementation
class. Into the data set are written:
"""
_RESTRICTIONS = """
Project keys have 256 bits; there are no public keys. Without a key nothing leaves.

Transfer syntaxes: implicit and explicit VR little endian, deflated, explicit VR big endian, and
encapsulated JPEG, JPEG-LS, JPEG 2000, HTJ2K and RLE. A file leaves in the syntax it came in,
unless cleaned pixels need another, lossless one. What the program cannot check, such as MPEG or
JPEG XL, is refused.

Refused, that is listed and not passed on: SOP classes that the standard does not list; pixels
that do not match their description; pixels that may show identity, unless clean-pixels is
applied; and files in which the source's own identity is found after cleaning. DICOMDIRs are
left out.
"""


@dataclass(frozen=True)
class Table:
    """A table of the statement.

    Parameters
    ----------
    caption : str
        What it lists.
    columns : tuple of str
        Headings.
    rows : tuple of tuple of str
        Cells, as many in each row as there are columns.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """One heading of the statement.

    Parameters
    ----------
    heading : str
        In the order and the sense of the list in PS3.15 E.1.3.
    paragraphs : tuple of str
        What is said under it.
    tables : tuple of Table
        What follows them.
    """

    heading: str
    paragraphs: tuple[str, ...]
    tables: tuple[Table, ...] = ()


def statement(profile: Profile) -> tuple[Section, ...]:
    """Return the sections of the statement, those of PS3.15 E.1.3 and no others.

    Parameters
    ----------
    profile : Profile
        With its options and site rules.

    Returns
    -------
    tuple of Section
        Eight, in the standard's order.
    """
    return (
        _removed(profile),
        _replaced(profile),
        Section("Attributes included in Encrypted Attributes Data Sets", _said(_ENCRYPTED)),
        _integrity(profile),
        _inserted(profile),
        Section(
            "Transfer Syntaxes supported for Encrypted Attributes Data Sets",
            ("None, since no Encrypted Attributes Data Sets are made or read.",),
        ),
        _options(profile),
        _restrictions(profile),
    )


def title(profile: Profile) -> str:
    """Return the statement's title: tool, profile and edition."""
    return (
        f"Conformance statement: {method_meaning(BASIC_CODE)}, PS3.15 {profile.edition}, "
        f"napari-medlabel {__version__}"
    )


def as_text(profile: Profile) -> str:
    """Return the statement as plain text, with all of its tables.

    Parameters
    ----------
    profile : Profile
        With its options and site rules.
    """
    lines = [title(profile), f"Profile sha256 {profile.sha256}"]
    for number, section in enumerate(statement(profile), start=1):
        heading = f"{number}. {section.heading}"
        lines += ["", heading, "-" * len(heading)]
        for paragraph in section.paragraphs:
            lines += textwrap.wrap(paragraph, _WIDTH)
        for table in section.tables:
            lines += _table(table)
    return "\n".join(lines) + "\n"


def as_html(profile: Profile) -> str:
    """Return the statement as a fragment of HTML: sections with headings of level 3.

    Parameters
    ----------
    profile : Profile
        With its options and site rules.
    """
    parts = []
    for number, section in enumerate(statement(profile), start=1):
        parts.append(f"<section><h3>{number}. {escape(section.heading)}</h3>")
        parts += [f"<p>{escape(paragraph)}</p>" for paragraph in section.paragraphs]
        parts += [_html_table(table) for table in section.tables]
        parts.append("</section>")
    return "\n".join(parts)


def _said(text: str) -> tuple[str, ...]:
    """Return the paragraphs of a text, each as one line."""
    return tuple(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def _removed(profile: Profile) -> Section:
    rows = tuple(row for row in _rows(profile) if row[2].startswith("X"))
    always = sum(row[2] == "X" for row in rows)
    counted = (
        f"{always} attributes in any case, and {len(rows) - always} where the IOD does not "
        "require them (X/Z, X/D, X/Z/D), at every depth: see the table."
    )
    return Section(
        "Attributes removed during protection",
        (counted, *_said(_REMOVED)),
        (Table("Attributes removed", _BY_TAG, rows),),
    )


def _replaced(profile: Profile) -> Section:
    rows = tuple(
        row for row in _rows(profile) if row[2] not in "KC" and not row[2].startswith("X")
    )
    dummies: dict[str, list[str]] = defaultdict(list)
    for vr, value in DUMMIES.items():
        text = f"{len(value)} zero bytes" if isinstance(value, bytes) else str(value)
        dummies[text].append(vr)
    constants = "; ".join(f"{value} for {', '.join(vrs)}" for value, vrs in dummies.items())
    counted = (
        f"{len(rows)} attributes (D, Z, Z/D, U), and those of the table above that the IOD "
        "requires: see the table. Z gives an empty value."
    )
    return Section(
        "Attributes replaced by dummy values, and how the dummy values are generated",
        (counted, f"Constants by VR: {constants}.", *_said(_REPLACED)),
        (Table("Attributes replaced or emptied", _BY_TAG, rows),),
    )


def _integrity(profile: Profile) -> Section:
    retained = Option.RETAIN_UIDS in profile.options
    paragraphs = [*_said(_UIDS_KEPT if retained else _UIDS), *_said(_PATIENTS)]
    if Option.SHIFT_DATES in profile.options:
        paragraphs.append(
            f"All dates of a patient move back by the same {FEWEST_DAYS} to {MOST_DAYS} days, "
            "which the key gives, so that intervals between a patient's dates hold."
        )
    return Section("Scope of referential integrity of replacement values", tuple(paragraphs))


def _inserted(profile: Profile) -> Section:
    rows = [("PatientName, PatientID", "the patient's code")]
    for keyword, value in plain_marks(profile).items():
        if keyword.endswith("Sequence"):
            text = ", ".join(f"{item['CodeValue']} DCM {item['CodeMeaning']}" for item in value)
        else:
            text = value if isinstance(value, str) else "; ".join(value)
        rows.append((keyword, text))
    if Option.CLEAN_PIXELS in profile.options:
        rows.append(("BurnedInAnnotation", "NO, with 113101, where it was carried out"))
    if Option.CLEAN_FACES in profile.options:
        rows.append(("RecognizableVisualFeatures", "NO, with 113102, where it was carried out"))
    return Section(
        "Attributes and Attribute Values inserted during protection",
        _said(_INSERTED),
        (Table("Values inserted", ("attribute", "value"), tuple(rows)),),
    )


def _options(profile: Profile) -> Section:
    rows = []
    for option in Option:
        cells = [cell[option] for cell in profile.cells.values() if option in cell]
        counted = f"{cells.count('K')} K, {cells.count('C')} C" if cells else "not in it"
        applied = "applied" if option in profile.options else "not applied"
        rows.append((option.value, option.code, applied, counted, option.meaning))
    tables = [Table("Options", _OPTIONS, tuple(rows))]
    kept = tuple(row for row in _rows(profile) if row[2] in {"K", "C"})
    if kept:
        tables.append(Table("Attributes kept (K) or cleaned (C)", _BY_TAG, kept))
    paragraphs = [f"All twelve are supported; {len(profile.options)} are applied here."]
    paragraphs += [
        f"{option}: {OPTION_WORDS[option].does} {OPTION_WORDS[option].risk}"
        for option in Option
        if option in profile.options
    ]
    return Section("Options supported", tuple(paragraphs), tuple(tables))


def _restrictions(profile: Profile) -> Section:
    paragraphs = [*_said(_RESTRICTIONS)]
    if profile.site is not None:
        site = profile.site
        named = len(site.actions) + len(site.paths)
        paragraphs.append(
            f"A site's rules come before options and profile: {named} rules for attributes, "
            f"{len(site.private)} safe private attributes, {len(site.keep)} lists and "
            f"{len(site.patterns)} patterns of values, {len(site.words)} words. No rule can "
            "keep names of people or the patient's numbers, addresses and birth date."
        )
    return Section("Additional restrictions", tuple(paragraphs))


def _rows(profile: Profile) -> Iterator[tuple[str, str, str, str]]:
    """Tag, name, action and what decided, for each attribute that a rule names."""
    site = profile.site.actions if profile.site else {}
    names = _names(profile.edition)
    for tag in sorted({*profile.rules, *profile.cells, *site}):
        code, option = profile.action_for(tag, entry(tag)[1]), profile.option_for(tag)
        by = "site rule" if tag in site else str(option or "profile")
        name = names.get(f"{tag:08X}") or entry(tag)[0]
        yield f"({tag >> 16:04X},{tag & 0xFFFF:04X})", name, code, by
    for family, code in sorted(profile.families.items()):
        yield (*_FAMILIES[family], code, "profile")


def _names(edition: str) -> dict[str, str]:
    """Names by tag as Table E.1-1 has them; pydicom, which knows more, takes long to start."""
    text = (DATA / f"basic_{edition}.json").read_text("utf-8")
    return {tag: name for tag, name, *_ in json.loads(text)["rules"]}


def _table(table: Table) -> list[str]:
    """Return a table as lines of text; the last column wraps."""
    lines = [table.columns, *table.rows]
    last = len(table.columns) - 1
    widths = [max(len(line[i]) for line in lines) for i in range(last)]
    result = ["", f"{table.caption}:"]
    for line in lines:
        head = "  ".join(line[i].ljust(widths[i]) for i in range(last))
        first, *rest = textwrap.wrap(line[last], max(_WIDTH - len(head) - 2, 24))
        result.append(f"{head}  {first}")
        result += [" " * (len(head) + 2) + more for more in rest]
    return result


def _html_table(table: Table) -> str:
    """Return a table with real headings, folded when it is long."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in table.rows
    )
    result = (
        f'<div class="wide"><table><caption>{table.caption}</caption><thead><tr>{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )
    if len(table.rows) <= len(Option):
        return result
    return (
        f"<details><summary>{table.caption}: {len(table.rows)} rows</summary>{result}</details>"
    )
