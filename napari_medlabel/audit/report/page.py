"""The officer's page: one file that says what happened and carries the log to check it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.audit.format.seal import to_base64
from napari_medlabel.audit.report.facts import Facts
from napari_medlabel.audit.report.page_deeds import (
    access_section,
    changes_section,
    exports_section,
)
from napari_medlabel.audit.report.page_document import document, json_block, log_blocks
from napari_medlabel.audit.report.page_downloads import (
    Download,
    blocks,
    downloads_section,
    listed,
)
from napari_medlabel.audit.report.page_markup import Markup, tag, together
from napari_medlabel.audit.report.page_upkeep import (
    events_section,
    failures_section,
    limits_section,
    review_section,
    software_section,
)
from napari_medlabel.audit.report.page_verdict import (
    code_section,
    integrity_section,
    verdict_section,
)
from napari_medlabel.audit.report.words import title_of

_PARTS: Final = (
    ("verdict", "Verdict"),
    ("code", "Code and check"),
    ("integrity", "Integrity"),
    ("exports", "What left"),
    ("access", "Access"),
    ("changes", "Changes after approval"),
    ("software", "Software"),
    ("failures", "Failures"),
    ("review", "Sign-off"),
    ("events", "All events"),
    ("downloads", "Files"),
    ("limits", "Limits"),
)


def page_of(
    facts: Facts,
    log_bytes: Iterable[tuple[str, bytes]],
    downloads: Sequence[Download] = (),
) -> bytes:
    """Return the officer's page.

    Parameters
    ----------
    facts : Facts
        What it says.
    log_bytes : iterable of (str, bytes)
        Name and bytes of every session file, and of ``site.json`` where there is one: the
        browser then checks the officer's signature and the keys of the computers too.
    downloads : sequence of Download
        Files that the page holds for saving. For those that it does not hold, it names
        the command; the log itself and a table of it need none.

    Returns
    -------
    bytes
        One HTML file that needs no other and asks for none. It holds what the facts hold:
        names of users only where `Facts.names` gives them, and no patient's.
    """
    title = f"Audit report, {facts.site_name or 'audit log'}, {facts.made[:10]}"
    sections = (
        verdict_section(facts),
        code_section(facts),
        integrity_section(facts),
        exports_section(facts),
        access_section(facts),
        changes_section(facts),
        software_section(facts),
        failures_section(facts),
        review_section(facts),
        events_section(facts),
        downloads_section(downloads),
        limits_section(),
    )
    links = (tag("li", tag("a", words, href=f"#{part}")) for part, words in _PARTS)
    body = together(
        [
            tag("a", "Skip to the content", href="#main", class_="skip"),
            tag("nav", tag("ul", *links), aria_label="Parts of this page"),
            tag("main", *sections, id="main", tabindex=-1),
        ]
    )
    return document(
        title, body, _facts_block(facts, downloads), log_blocks(log_bytes), blocks(downloads)
    )


def _facts_block(facts: Facts, downloads: Sequence[Download]) -> Markup:
    """Return what the script needs: the heads that the facts were made from, the words."""
    heads = [
        {
            "origin": session.sealed.origin,
            "size": session.sealed.size,
            "root": to_base64(session.sealed.root),
        }
        for session in facts.verdict.sessions
        if session.sealed is not None
    ]
    code = facts.code
    return json_block(
        "facts",
        {
            "code": {"listing": code.listing.decode("ascii"), "shown": code.text}
            if code is not None
            else None,
            "downloads": listed(facts, downloads),
            "heads": heads,
            "names": dict(facts.names),
            "offset": facts.hours.utc_offset_minutes,
            "titles": {name: title_of(name) for name in EVENTS},
            "verdict": facts.verdict.verdict.value,
        },
    )
