"""What people did, exceptions first: what left, who looked, what changed after approval."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from napari_medlabel.audit.report.deeds import DATA_SET
from napari_medlabel.audit.report.facts import AccessFact, ExportFact, Facts, LateChange
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

MOST_ROWS: Final = 300
"""Most rows of a list that are written out; the list of all events has the rest."""

_PICTURE: Final = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+={0,2}")
_OUTCOME: Final = {"done": "green", "failed": "amber", "unfinished": "red"}


def rest(listed: int, written: int, what: str) -> Markup:
    """Return what is said about rows that are not written out."""
    if listed <= written:
        return Markup("")
    more = f"{number(listed - written)} more {what} are in the list of all events below."
    return tag("p", more, class_="quiet")


def exports_section(facts: Facts) -> Markup:
    """Return what left the building; kept identifiers are red chips."""
    exports = sorted(facts.exports, key=_harmless)
    loud = [fact for fact in exports if not _quiet(fact)]
    quiet = [fact for fact in exports if _quiet(fact)]
    kept = sum(1 for fact in exports if fact.retained)
    unsaid = sum(1 for fact in exports if fact.retained is None)
    summary = (
        chip(counted(kept, "export", "exports") + " with retained identifiers", "red")
        if kept
        else chip("0 retained", "green")
        if not unsaid
        else ""
    )
    unknown = (
        chip(counted(unsaid, "export", "exports") + " not de-identified, or not said", "amber")
        if unsaid
        else ""
    )
    return tag(
        "section",
        tag("h2", "What left the building"),
        tag("p", counted(len(exports), "export", "exports"), ". ", summary, " ", unknown)
        if exports
        else tag("p", "Nothing left in this period.", class_="none"),
        *(_export(fact, facts) for fact in loud[:MOST_ROWS]),
        rest(len(loud), MOST_ROWS, "exports"),
        _quiet_exports(quiet, facts) if quiet else "",
        id="exports",
    )


def _harmless(fact: ExportFact) -> tuple[bool, bool, bool, int]:
    return (not fact.retained, not fact.overrides, fact.retained is not None, fact.begin_ms)


def _quiet(fact: ExportFact) -> bool:
    """Return whether an export needs no more than a line."""
    return fact.retained == 0 and not fact.overrides and fact.outcome == "done"


def _quiet_exports(listed: Sequence[ExportFact], facts: Facts) -> Markup:
    offset, names = facts.hours.utc_offset_minutes, dict(facts.names)
    rows = [
        (
            moment(fact.begin_ms, offset),
            token(fact.user, names),
            f"{fact.what}, {fact.format}" if fact.format else fact.what,
            fact.destination or "not said",
            number(fact.files),
            " ".join(part for part in (fact.profile, fact.edition) if part) or "none",
            chip("0 retained", "green"),
            token(fact.manifest),
            place(fact.file, fact.line),
        )
        for fact in listed[:MOST_ROWS]
    ]
    heads = ("Time", "Who", "What", "To", "Files", "Profile", "Identifiers", "Manifest", "Line")
    shown = table("Exports with nothing retained", heads, rows, "")
    return together([shown, rest(len(listed), MOST_ROWS, "exports")])


def _retained(fact: ExportFact) -> Markup:
    if fact.retained is None:
        if fact.deidentified is False:
            return chip("not de-identified", "red")
        return chip("retained identifiers: the log does not say", "amber")
    if fact.retained == 0:
        return chip("0 retained", "green")
    listed = [chip(tag_, "red") for tag_ in fact.retained_tags]
    return together([chip(f"{number(fact.retained)} retained", "red"), " ", *_spaced(listed)])


def _spaced(parts: Sequence[Content]) -> list[Content]:
    return [item for part in parts for item in (part, " ")]


def _receipt(fact: ExportFact) -> list[tuple[str, Content]]:
    """Return where the receipt is: it is made after the last line about an export."""
    if fact.receipt:
        return [("Receipt", token(fact.receipt))]
    has_one = fact.outcome == "done" and fact.what == DATA_SET
    return [("Receipt", "beside the data")] if has_one and fact.manifest else []


def _export(fact: ExportFact, facts: Facts) -> Markup:
    offset, names = facts.hours.utc_offset_minutes, dict(facts.names)
    profile = " ".join(part for part in (fact.profile, fact.edition) if part) or "none"
    overrides = [
        together(
            [
                chip(f"{override.tag}: {override.reason}", "red"),
                " by ",
                token(override.user, names),
                ", ",
                moment(override.at_ms, offset),
                " ",
            ]
        )
        for override in fact.overrides
    ]
    pairs: list[tuple[str, Content]] = [
        ("Retained identifiers", _retained(fact)),
        ("Who", token(fact.user, names)),
        ("To", fact.destination or "not said"),
        ("Files", number(fact.files)),
        ("Patients", together(_spaced([token(one) for one in fact.subjects[:12]])) or "—"),
        ("Profile", together([profile, " ", token(fact.profile_hash)])),
        ("Options", ", ".join(fact.options) or "none"),
        ("Rules set aside", together(overrides) or "none"),
        ("Manifest", token(fact.manifest)),
        *_receipt(fact),
        ("Line", place(fact.file, fact.line)),
    ]
    if len(fact.subjects) > 12:
        pairs[4] = ("Patients", number(len(fact.subjects)))
    if fact.cause:
        pairs.insert(1, ("Failed because", fact.cause))
    what = f"{fact.what}, {fact.format}" if fact.format else fact.what
    ended = {"done": "done", "failed": "failed", "unfinished": "no end in the log"}
    head = tag(
        "h3",
        moment(fact.begin_ms, offset), " ", what, " ",
        chip(ended.get(fact.outcome, fact.outcome), _OUTCOME.get(fact.outcome, "plain")),
    )  # fmt: skip
    listed = [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs]
    return tag("article", head, tag("dl", *listed), class_="export card")


def access_section(facts: Facts) -> Markup:
    """Return the box for a patient, then accesses that nothing explains, then off hours."""
    unexplained = [fact for fact in facts.accesses if not fact.explained]
    late = [fact for fact in facts.accesses if fact.explained and fact.off_hours]
    said = (
        f"{counted(len(facts.accesses), 'access', 'accesses')}: {number(len(unexplained))} "
        f"unexplained, {number(len(late))} explained but outside working hours. The others "
        "are explained by an assignment or by the work that the same person did."
    )
    return tag(
        "section",
        tag("h2", "Access to patients"),
        _patient_box(),
        tag("p", said, class_="lead"),
        tag("h3", "Unexplained"),
        _accesses(unexplained, facts, "Unexplained accesses", "No access is unexplained."),
        tag("h3", "Outside working hours"),
        _accesses(late, facts, "Accesses outside working hours", "There are no others."),
        id="access",
    )


def _patient_box() -> Markup:
    fields = (
        ("Key file", "patient-key", "input", {"type": "file"}),
        ("Patient ID", "patient-id", "input", {"type": "text"}),
        ("Issuers of the ID, one a line, if any", "patient-issuer", "textarea", {"rows": 1}),
    )
    boxes = [
        tag(
            "label",
            label,
            tag(kind, id=name, autocomplete="off", spellcheck="false", **more),
        )
        for label, name, kind, more in fields
    ]
    return tag(
        "form",
        tag("h3", "Who opened the record of one patient?"),
        tag(
            "p",
            "The log holds no patient number. With the token key this page computes which "
            "token the number has. An issuer is written as in Issuer of Patient ID "
            "(0010,0021); the number is looked for without one, too. Neither key nor number is "
            "stored or sent anywhere; closing the page forgets both.",
        ),
        tag("div", *boxes, class_="fields"),
        tag("p", tag("button", "Show who", type="submit"), " ",
            tag("button", "Forget", type="reset", class_="second")),
        tag("div", id="patient-result", role="status", aria_live="polite"),
        tag("div", id="patient-events"),
        class_="card needs-script",
        id="patient",
        autocomplete="off",
    )  # fmt: skip


def _accesses(listed: Sequence[AccessFact], facts: Facts, caption: str, empty: str) -> Markup:
    offset, names = facts.hours.utc_offset_minutes, dict(facts.names)
    rows = [
        (
            moment(fact.at_ms, offset),
            token(fact.user, names),
            fact.role,
            title_of(fact.event),
            token(fact.subject),
            chip("refused", "amber") if fact.outcome else "done",
            fact.explained or chip("unexplained", "amber"),
            chip("off hours", "amber") if fact.off_hours else "",
            place(fact.file, fact.line),
        )
        for fact in listed[:MOST_ROWS]
    ]
    heads = ("Time", "Who", "As", "What", "Patient", "Outcome", "Why", "Hours", "Line")
    shown = table(caption, heads, rows, empty)
    return together([shown, rest(len(listed), MOST_ROWS, "accesses")])


def changes_section(facts: Facts) -> Markup:
    """Return changes after approval, those that nobody approved again first."""
    changes = sorted(facts.late_changes, key=lambda fact: (fact.reapproved, fact.at_ms))
    parts = [_change(fact, facts) for fact in changes[:MOST_ROWS]]
    return tag(
        "section",
        tag("h2", "Changes after approval"),
        *(parts or [tag("p", "Nothing was changed after approval.", class_="none")]),
        rest(len(changes), MOST_ROWS, "changes"),
        id="changes",
    )


def _change(fact: LateChange, facts: Facts) -> Markup:
    offset, names = facts.hours.utc_offset_minutes, dict(facts.names)
    state = (
        chip("approved again", "green")
        if fact.reapproved
        else chip("not approved again", "red")
    )
    pictures = [
        tag("img", src=uri, alt=f"Mask before and after, slice {place_ + 1} of those changed")
        for place_, uri in enumerate(fact.thumbnails)
        if _PICTURE.fullmatch(uri)
    ]
    dice = "not known" if fact.dice_milli is None else f"{fact.dice_milli / 1000:.3f}"
    pairs: tuple[tuple[str, Content], ...] = (
        ("Who", token(fact.user, names)),
        ("Patient", token(fact.subject)),
        ("Reason", fact.reason or chip("none given", "amber")),
        ("Approved before", moment(fact.approved_ms or None, offset)),
        ("Labelled voxels", f"{_voxels(fact.before)} → {_voxels(fact.after)}"),
        ("Added, removed", f"+{number(fact.voxels_added)}, −{number(fact.voxels_removed)}"),  # noqa: RUF001
        ("Overlap (Dice)", dice),
        ("Versions", together([token(fact.old), " → ", token(fact.new)])),
        ("Line", place(fact.file, fact.line)),
    )
    listed = [tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs]
    return tag(
        "article",
        tag("h3", moment(fact.at_ms, offset), " ", title_of(fact.event), " ", state),
        tag("dl", *listed),
        tag("p", *pictures, class_="pictures") if pictures else "",
        class_="card",
    )


def _voxels(count: int | None) -> str:
    return "not known" if count is None else number(count)
