"""Files to take along: which there are, what each is for, and the ones inside the page."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from napari_medlabel.audit.report.facts import Facts
from napari_medlabel.audit.report.page_markup import Content, Markup, tag

_LEVEL: Final = 6  # of gzip: 9 takes twice as long for one per cent


@dataclass(frozen=True, slots=True)
class Kind:
    """A form in which the log can be taken along.

    Parameters
    ----------
    title : str
        Of the form.
    words : str
        What it is for.
    suffix : str
        How the name of the file ends.
    media_type : str
        Of the file.
    """

    title: str
    words: str
    suffix: str
    media_type: str


MADE_HERE: Final[Mapping[str, Kind]] = {
    "raw": Kind(
        "The log itself",
        "For your own archive: every line as it was written, in one zip file. It can be "
        "verified at any time.",
        "raw.zip",
        "application/zip",
    ),
    "csv": Kind(
        "Table",
        "For a spreadsheet: one row for each event. No cell can run as a formula.",
        "events.csv",
        "text/csv",
    ),
}
"""What the page's own script makes out of the log in it."""

EMBEDDED: Final[Mapping[str, Kind]] = {
    "bundle": Kind(
        "Evidence bundle",
        "For an inspector, a court or another hospital: the log, what vouches for it, and a "
        "short program that checks it without ours.",
        "evidence.zip",
        "application/zip",
    ),
    "fhir": Kind(
        "FHIR AuditEvent",
        "For the hospital's audit repository: one resource of FHIR R4 on each line.",
        "fhir.ndjson",
        "application/x-ndjson",
    ),
    "dicom": Kind(
        "DICOM audit messages",
        "For an archive of audit messages as DICOM PS3.15 A.5 defines them; tokens in place "
        "of Patient IDs.",
        "dicom.xml",
        "application/xml",
    ),
    "ocsf": Kind(
        "OCSF",
        "For the security team's own tools (SIEM): one event on each line.",
        "ocsf.jsonl",
        "application/x-ndjson",
    ),
    "art30": Kind(
        "Record of processing",
        "For the data protection officer: a sheet after GDPR Art. 30, to be completed by hand.",
        "art30.html",
        "text/html",
    ),
}
"""What only the program can make: in the page, or by a command."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file inside the page.

    Parameters
    ----------
    kind : str
        One of `EMBEDDED`.
    packed : bytes
        Its bytes in gzip.
    length : int
        How many bytes the file itself has.
    """

    kind: str
    packed: bytes
    length: int


class Packer:
    """Takes the bytes of a file as they come, and keeps them small.

    Parameters
    ----------
    kind : str
        One of `EMBEDDED`.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._squeeze = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
        self._packed = bytearray()
        self._length = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._packed += self._squeeze.compress(data)
        self._length += len(data)

    def close(self) -> Download:
        """Return the file; nothing can be added any more."""
        self._packed += self._squeeze.flush()
        return Download(self._kind, bytes(self._packed), self._length)


def file_name(kind: Kind, facts: Facts) -> str:
    """Return the name of a file: the day of the page, and what it is."""
    return f"audit-log-{facts.made[:10]}-{kind.suffix}"


def listed(facts: Facts, downloads: Iterable[Download]) -> dict[str, dict[str, object]]:
    """Return what the script needs to know of each file that the page can give."""
    lengths = {one.kind: one.length for one in downloads}
    kinds = {**MADE_HERE, **{key: EMBEDDED[key] for key in lengths}}
    return {
        key: {
            "length": lengths.get(key),
            "name": file_name(kind, facts),
            "type": kind.media_type,
        }
        for key, kind in kinds.items()
    }


def blocks(downloads: Iterable[Download]) -> list[tuple[str, bytes]]:
    """Return identity and base64 of the block that each file becomes."""
    return [(f"download-{one.kind}", base64.b64encode(one.packed)) for one in downloads]


def downloads_section(downloads: Sequence[Download]) -> Markup:
    """Return a list of everything that can be taken along; the rest names its command."""
    lengths = {one.kind: one.length for one in downloads}
    items = [
        *(_item(key, kind, "") for key, kind in MADE_HERE.items()),
        *(
            _item(key, kind, _size(lengths[key]) if key in lengths else None)
            for key, kind in EMBEDDED.items()
        ),
    ]
    return tag(
        "section",
        tag("h2", "Files to take along"),
        tag(
            "p",
            "Each holds the whole log up to the moment this page was made, whatever days the "
            "lists above cover. They hold tokens, and no name. Your browser saves them from "
            "inside this page: nothing is sent or fetched.",
            class_="lead",
        ),
        tag("ul", *items, class_="downloads"),
        tag("div", id="download-result", role="status", aria_live="polite"),
        id="downloads",
    )


def _item(key: str, kind: Kind, size: str | None) -> Markup:
    """Return one of the list; a size of None stands for a file that is not in the page."""
    way: Content
    if size is None:
        name = f"FILE.{kind.suffix.rsplit('.', 1)[1]}"
        way = tag("p", "Not in this page: ", tag("code", _command(key, name), class_="command"))
    else:
        save = tag(
            "button",
            "Save",
            type="button",
            class_="second",
            data_download=key,
            aria_label=f"Save: {kind.title}",
        )
        way = tag("p", save, tag("span", size, class_="quiet"), class_="needs-script")
    return tag("li", tag("h3", kind.title), tag("p", kind.words), way)


def _command(key: str, name: str) -> str:
    return f"medlabel audit export --format {key} -o {name}"


def _size(length: int) -> str:
    for unit, least in (("MB", 1_000_000), ("kB", 1_000)):
        if length >= least:
            return f"{length / least:.1f} {unit}"
    return f"{length} bytes"
