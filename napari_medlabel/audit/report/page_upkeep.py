"""The rest of the page: software, settings, failures, sign-off, all events, the limits."""

from __future__ import annotations

from typing import Final

from napari_medlabel.audit.report.facts import Facts, ReviewFact
from napari_medlabel.audit.report.page_deeds import MOST_ROWS, rest
from napari_medlabel.audit.report.page_markup import (
    Content,
    Markup,
    chip,
    counted,
    moment,
    number,
    place,
    table,
    tag,
    together,
    token,
)
from napari_medlabel.audit.report.words import title_of

_LIMITS: Final = (
    (
        "What the program never saw: another viewer, a changed copy of this plugin, a change "
        "typed into the console of napari and never saved."
    ),
    "Who really sat at an unlocked desk. The log knows the account, not the face.",
    (
        "A cut end that every keeper of it forgot or hid together: all computers, the witness, "
        "the receipts and your paper."
    ),
    (
        "That a workstation's clock was right. The order of events is certain, their times are "
        "what the computers believed."
    ),
    (
        "That this file is the one that was made: a forged page can say anything. Compare its "
        "code with your paper, or run 'medlabel audit verify' on the log itself."
    ),
    "Free text of reasons and erased material: the log holds only a commitment to them.",
)
_CONFORMANCE: Final = (
    ("HIPAA 164.312(b), 164.308(a)(1)(ii)(D)", "activity is recorded, examined and reviewed"),
    ("21 CFR 11.10(e), 11.50, 11.70", ("computer-generated, time-stamped trail; changes do not "
     "hide what was; signatures carry name, time, meaning and are bound to the object")),
    ("EU GMP Annex 11", "who, what, when, why; old and new version; printable"),
    ("GDPR Art. 5(2), 30, 32", "accountability with keyed tokens in place of identity"),
    ("ISO 27789", "user, subject of care, function and time in every record"),
    ("DICOM PS3.15 A.5, ISO 21089", "codes of events and of lifecycle"),
    ("RFC 6962, C2SP tlog-checkpoint, RFC 8032", "tree, checkpoints, Ed25519 signatures"),
)  # fmt: skip


def software_section(facts: Facts) -> Markup:
    """Return versions in use beside the validated ones, then changed settings and keys."""
    offset, names = facts.hours.utc_offset_minutes, dict(facts.names)
    versions = [
        (
            fact.version or "not said",
            fact.python or "not said",
            fact.platform or "not said",
            number(fact.sessions),
            chip("validated", "green") if fact.validated else chip("not validated", "amber"),
            token(fact.wheel),
            token(fact.lock),
            moment(fact.first_ms or None, offset),
            moment(fact.last_ms or None, offset),
        )
        for fact in sorted(facts.software, key=lambda fact: fact.validated)
    ]
    heads = (
        "Version", "Python", "System", "Sessions", "State", "Program", "Dependencies",
        "First", "Last",
    )  # fmt: skip
    changes = [
        (
            moment(fact.at_ms, offset),
            token(fact.user, names),
            fact.words,
            token(fact.old),
            token(fact.new),
            place(fact.file, fact.line),
        )
        for fact in facts.config_changes[:MOST_ROWS]
    ]
    columns = ("Time", "Who", "What", "Before", "After", "Line")
    return tag(
        "section",
        tag("h2", "Software and settings"),
        table("Versions in use", heads, versions, "No session says its version."),
        table("Changed settings and keys", columns, changes, "No setting or key was changed."),
        rest(len(facts.config_changes), MOST_ROWS, "changes"),
        id="software",
    )


def failures_section(facts: Facts) -> Markup:
    """Return what failed, was refused or was recovered."""
    offset, names = facts.hours.utc_offset_minutes, dict(facts.names)
    rows = [
        (
            moment(fact.at_ms, offset),
            title_of(fact.event),
            fact.words,
            fact.cause or "—",
            token(fact.user, names),
            place(fact.file, fact.line),
        )
        for fact in facts.failures[:MOST_ROWS]
    ]
    heads = ("Time", "Event", "In words", "Cause", "Who", "Line")
    return tag(
        "section",
        tag("h2", "Failures, refusals and recoveries"),
        table("Failures, refusals and recoveries", heads, rows, "There were none."),
        rest(len(facts.failures), MOST_ROWS, "failures"),
        id="failures",
    )


def review_section(facts: Facts) -> Markup:
    """Return the state of the review, the command that signs off, and lines for a pen."""
    offset, names = facts.hours.utc_offset_minutes, dict(facts.names)
    rows = [_review(fact, names, offset) for fact in reversed(facts.reviews)]
    heads = ("Time", "Reviewer", "Period", "Verdict", "Findings", "Signed", "Report", "Line")
    due: Content = ""
    if facts.next_review_due is not None:
        state = chip("overdue", "red") if facts.review_overdue else chip("not due yet", "green")
        due = together(
            ["The next review is due ", moment(facts.next_review_due, offset), ". ", state]
        )
    every = counted(facts.review_days, "day", "days")
    lines = [tag("div", tag("dt", name), tag("dd", "")) for name in (
        "Reviewed by", "Date", "Findings", "Signature",
    )]  # fmt: skip
    return tag(
        "section",
        tag("h2", "Review and sign-off"),
        tag("p", due, f" Policy: a review at least every {every}."),
        tag(
            "p",
            "When you have read this page, write your review into the log. It then counts as "
            "an event, with this page's digest:",
        ),
        tag("pre", tag("code", "medlabel audit review --report THIS-FILE --findings NUMBER")),
        table("Reviews so far", heads, rows, "Nobody has reviewed this log yet."),
        tag("dl", *lines, class_="pen"),
        id="review",
    )


def _review(fact: ReviewFact, names: dict[str, str], offset: int) -> tuple[Content, ...]:
    period: Content = "—"
    if fact.to_ms:
        period = together([moment(fact.from_ms, offset), " to ", moment(fact.to_ms, offset)])
    kind = fact.verdict if fact.verdict in {"green", "amber", "red"} else "plain"
    return (
        moment(fact.at_ms, offset),
        token(fact.user, names),
        period,
        chip(fact.verdict or "not said", kind),
        number(fact.findings),
        "yes" if fact.signed else "no",
        token(fact.report),
        place(fact.file, fact.line),
    )


def events_section(facts: Facts) -> Markup:
    """Return the counts by event, and the room that the script fills with all events."""
    counts = sorted(facts.counts.items(), key=lambda item: (-item[1], item[0]))
    rows = [(title_of(name), tag("code", name), number(count)) for name, count in counts]
    listed = table(
        "Events in the period", ("Event", "Name", "How many"), rows, "There is no event."
    )
    return tag(
        "section",
        tag("h2", "All events"),
        tag("details", tag("summary", "How many of each"), listed),
        tag("div", id="all-events", class_="needs-script", aria_busy="true"),
        tag("noscript", tag("p", "The list with filters and search needs JavaScript.")),
        id="events",
    )


def limits_section() -> Markup:
    """Return what the log cannot prove, and which rules it supports."""
    rules = [tag("div", tag("dt", rule), tag("dd", does)) for rule, does in _CONFORMANCE]
    return tag(
        "section",
        tag(
            "div",
            tag("h2", "What this cannot prove"),
            tag("ul", *(tag("li", limit) for limit in _LIMITS)),
            class_="card",
        ),
        tag("h2", "Conformance"),
        tag(
            "p",
            "The log is tamper-evident, not tamper-proof: a change shows, it is not made "
            "impossible. It supports these rules; complying with them takes the site's own "
            "procedures too.",
        ),
        tag("dl", *rules, class_="rules"),
        id="limits",
    )
