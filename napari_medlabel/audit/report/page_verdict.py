"""The head of the page: the verdict, what to do, the code for paper; then each computer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.report.facts import Facts, Workstation
from napari_medlabel.audit.report.page_markup import (
    Content,
    Markup,
    chip,
    counted,
    moment,
    number,
    table,
    tag,
    together,
    token,
    zone,
)

MOST_FINDINGS: Final = 200
"""Most findings that are listed; the page stays readable when a log is in ruins."""

_WORD: Final = {
    Verdict.GREEN: "Complete and unaltered",
    Verdict.AMBER: "Nothing points to a change, but something is unconfirmed",
    Verdict.RED: "Do not rely on this log",
}
_SIGN: Final = {Verdict.GREEN: "✓", Verdict.AMBER: "!", Verdict.RED: "✕"}
_TODO: Final = {
    Verdict.GREEN: "Compare the code below with the one in your paper record. Then read what "
    "left the building and the unexplained accesses, and sign off at the end.",
    Verdict.AMBER: "Read the points below: each says what could not be confirmed and what "
    "would settle it. They do not mean that somebody changed the log. Settle what you can, "
    "then make this report again.",
    Verdict.RED: "Keep the log's folder exactly as it is, and repair nothing. Tell whoever is "
    "responsible for it. Believe nothing below that a finding concerns.",
}
_TRUST: Final = {
    "trusted": ("certified", "green"),
    "revoked": ("key revoked", "red"),
    "unknown": ("not in the site's list", "amber"),
    "uncertified": ("no key of its own", "amber"),
}
_ANCHOR: Final = {
    "memory": "its own memory",
    "peer": "other computers",
    "witness": "a witness",
    "receipt": "receipts in exports",
    "paper": "paper",
    "tsa": "a time stamp",
}


def verdict_section(facts: Facts) -> Markup:
    """Return the verdict in one sentence, what to do, and every finding."""
    report = facts.verdict
    name = facts.site_name or "this site"
    period = together(
        [
            "Covers ",
            moment(facts.period[0], facts.hours.utc_offset_minutes),
            " to ",
            moment(facts.period[1], facts.hours.utc_offset_minutes),
            (
                f". Made {facts.made[:16].replace('T', ' ')} UTC. Times are those of the site, "
                f"{zone(facts.hours.utc_offset_minutes)}."
            ),
        ]
    )
    return tag(
        "section",
        tag("p", "Audit report of ", tag("strong", name), class_="site"),
        tag(
            "h1",
            tag("span", _SIGN[report.verdict], class_="sign", aria_hidden="true"),
            tag("span", _WORD[report.verdict], id="verdict-word"),
        ),
        tag("p", report.sentence, class_="sentence", id="verdict-sentence"),
        tag("p", tag("strong", "What to do. "), _TODO[report.verdict], id="verdict-todo"),
        tag("p", period, class_="quiet"),
        _findings(report.findings),
        class_=f"verdict {report.verdict.value}",
        id="verdict",
        aria_label="Verdict",
    )


def _findings(findings: Iterable[Finding]) -> Markup:
    listed = list(findings)
    grave = [finding for finding in listed if finding.level != "note"]
    notes = [finding for finding in listed if finding.level == "note"]
    parts: list[Content] = []
    if grave:
        parts.append(tag("ol", *map(_finding, grave[:MOST_FINDINGS]), class_="findings"))
    if len(grave) > MOST_FINDINGS:
        parts.append(tag("p", f"And {number(len(grave) - MOST_FINDINGS)} more of this kind."))
    if notes:
        inner = tag("ol", *map(_finding, notes[:MOST_FINDINGS]), class_="findings")
        said = counted(len(notes), "note", "notes") + " that change nothing"
        parts.append(tag("details", tag("summary", said), inner))
    return together(parts)


def _finding(finding: Finding) -> Markup:
    words = {"red": "wrong", "amber": "unconfirmed", "note": "note"}[finding.level]
    kind = "plain" if finding.level == "note" else finding.level
    where: Content = ""
    if finding.file:
        said = f"{finding.file}, line {finding.line}" if finding.line else finding.file
        where = tag("code", said, class_="where")
    return tag("li", chip(words, kind), " ", finding.text, " ", where)


def code_section(facts: Facts) -> Markup:
    """Return the code for the paper record, with its QR code, and the check button."""
    return tag(
        "section",
        tag("h2", "Code for your paper record", id="code-title"),
        _code(facts),
        tag("h2", "Check again in this browser"),
        tag(
            "p",
            "The whole log is inside this page. Your browser can verify it anew, with a "
            "program of its own and without any network: every line, the chain, the tree, "
            "every signature, and the code above.",
        ),
        tag(
            "p",
            tag("button", "Check again in this browser", id="check", type="button"),
            class_="needs-script",
        ),
        tag("progress", id="check-progress", max=1, value=0, hidden=True, aria_label="Check"),
        tag("div", id="check-result", role="status", aria_live="polite"),
        tag(
            "noscript",
            tag("p", "This needs JavaScript. Everything else can be read without it."),
        ),
        class_="card",
        id="code",
        aria_labelledby="code-title",
    )


def _code(facts: Facts) -> Markup:
    if facts.code is None:
        why = (
            "A log that must not be relied on gets no code."
            if facts.verdict.verdict is Verdict.RED
            else "The log holds no event yet, so there is nothing to keep on paper."
        )
        return tag("p", why)
    words = (
        "Write it down, sign and file this page, or photograph the square. Later, "
        "'medlabel audit verify --expect CODE' or the next report shows whether the log "
        "still says what it said today. No later change can keep the same code."
    )
    return tag(
        "div",
        tag("div", Markup(facts.code.svg()), class_="qr", role="img", aria_label="QR code"),
        tag("div", tag("p", facts.code.text, class_="code", id="paper-code"), tag("p", words)),
        class_="paper",
    )


def integrity_section(facts: Facts) -> Markup:
    """Return the table of computers, and in plain words what is open about each."""
    rows = [_workstation(station, facts) for station in facts.workstations]
    heads = (
        "Computer", "Events", "Sessions", "Not closed", "Clock set back", "Key",
        "Its end is remembered by", "Oldest event nobody else remembers", "From", "To",
    )  # fmt: skip
    return tag(
        "section",
        tag("h2", "Integrity of each computer"),
        tag(
            "p",
            "A missing end cannot be seen in a file itself. It shows when somebody else "
            "remembers that end: another computer, a witness, a receipt or paper.",
            class_="lead",
        ),
        table("Integrity of each computer", heads, rows, "No computer has written yet."),
        id="integrity",
    )


def _workstation(station: Workstation, facts: Facts) -> tuple[Content, ...]:
    anchors = ", ".join(_ANCHOR.get(anchor, anchor) for anchor in station.anchors)
    offset = facts.hours.utc_offset_minutes
    return (
        token(station.writer),
        number(station.events),
        number(station.sessions),
        chip(number(station.unclosed), "amber") if station.unclosed else "0",
        chip(number(station.clock_jumps), "amber") if station.clock_jumps else "0",
        _key(station),
        anchors or chip("nobody", "amber"),
        _age(station.oldest_unanchored_min),
        moment(station.first_ms, offset),
        moment(station.last_ms, offset),
    )


def _key(station: Workstation) -> Markup:
    """Return whether its key is trusted, and how many sessions that key did not certify."""
    words, kind = _TRUST.get(station.trust, (station.trust, "amber"))
    if station.vouched:
        words += (
            f"; {counted(station.vouched, 'earlier session', 'earlier sessions')} vouched for"
        )
    if station.bare and station.trust != "uncertified":
        words += f"; {counted(station.bare, 'session', 'sessions')} without its key"
        kind = "amber" if kind == "green" else kind
    return chip(words, f"{kind} long" if ";" in words else kind)


def _age(minutes: int | None) -> Content:
    if minutes is None:
        return "none"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2880 else chip(f"{minutes // 1440} days", "amber")
