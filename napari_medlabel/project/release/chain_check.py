"""Whether the chain of each released case is complete and holds by itself, without the log."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final, Literal

from napari_medlabel.audit.format.merkle import root_from_proof
from napari_medlabel.audit.format.seal import Head, SealKey
from napari_medlabel.audit.keys.install import check_certificate
from napari_medlabel.project.checks.finding import Finding
from napari_medlabel.project.layout import CONSENSUS
from napari_medlabel.project.release.chain import (
    ADDED,
    AGREED,
    MAKES,
    CaseChain,
    Chain,
    Link,
    Sealed,
)
from napari_medlabel.project.release.link_words import named
from napari_medlabel.project.release.settled import doubt_of
from napari_medlabel.project.release.worked import own_slots
from napari_medlabel.project.work.fold import SlotState
from napari_medlabel.project.work.made_of import changed_since, made_of

Column = Literal["raw", "cleaned", "scan", "read", "reviewed", "agreed", "file"]
COLUMNS: Final[tuple[Column, ...]] = (
    "raw",
    "cleaned",
    "scan",
    "read",
    "reviewed",
    "agreed",
    "file",
)
"""Links of the chain, in order: rules of findings about a case."""
_OF_READER: Final = frozenset(
    {"study.start", "review.submit", "study.confirm", "study.release", "study.withdraw"}
)
_READY: Final = frozenset({"submitted", "in_review", "approved", "corrected"})
_SCHEMES: Final = frozenset({"majority", "staple", "union", "intersection", "distance"})


def column_of(link: Link) -> Column:
    """Return which part of the chain a line of the log is."""
    if link.event == ADDED:
        return "raw"
    if link.event == AGREED or link.slot == CONSENSUS:
        return "agreed"
    return "read" if link.event in _OF_READER else "reviewed"


def check_chain(chain: Chain, heads: Collection[Head]) -> Iterator[Finding]:
    """Yield what is wrong with a chain by itself.

    Parameters
    ----------
    chain : Chain
        Of the release.
    heads : collection of Head
        Those of its manifest.
    """
    sessions = {one.head.origin: one for one in chain.sessions}
    for held in chain.sessions:
        yield from _session(held, heads)
    names = [str(one.case) for one in chain.cases]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Finding("error", "file", name, "The case stands twice in the chain.")
    for one in chain.cases:
        yield from _origin(one)
        for link in one.links:
            yield from _line(one, link, sessions)
        yield from _readings(one)
        yield from _agreed(one) if one.is_agreed else _single(one)


def _session(one: Sealed, heads: Collection[Head]) -> Iterator[Finding]:
    where = f"session {one.head.origin.rpartition('/')[2]}"
    if one.head not in heads:
        words = "The chain stands on another state of the log than the manifest names."
        yield Finding("error", "log", where, words)
    if not SealKey.from_bytes(one.head.origin, one.public).signed(one.head, one.seal):
        words = "The state of the log is not signed by the session's own key."
        yield Finding("error", "log", where, words)
    if one.cert and not check_certificate(
        one.cert, one.install, one.head.origin, one.public, one.previous
    ):
        words = "The certificate of the session is not by its workstation's key."
        yield Finding("error", "log", where, words)


def _origin(one: CaseChain) -> Iterator[Finding]:
    name = str(one.case)
    if not one.originals:
        yield Finding("warning", "raw", name, "No hash of a raw file is known.")
    if one.cleaning is None:
        words = "It came de-identified: no report of a cleaning is known here."
        yield Finding("warning", "cleaned", name, words)
    if len(one.of_event(ADDED)) != 1:
        words = "The line of the log that tells of its adding is missing, or not the only one."
        yield Finding("error", "raw", name, words)


def _line(one: CaseChain, link: Link, sessions: Mapping[str, Sealed]) -> Iterator[Finding]:
    column, name = column_of(link), str(one.case)
    held = sessions.get(link.origin)
    if held is None:
        words = "A line is of a session whose state the release does not have."
        yield Finding("error", column, name, words)
        return
    try:
        root = root_from_proof(link.leaf, link.index, held.head.size, link.proof)
    except ValueError:
        root = b""
    if root != held.head.root:
        words = f"{named(link.event, link.slot)}: not proven to be in the log."
        yield Finding("error", column, name, words)


def _readings(one: CaseChain) -> Iterator[Finding]:
    name = str(one.case)
    for slot in one.slots:
        now = one.state(slot)
        if now.gaps:
            steps = ", ".join(map(str, now.gaps))
            words = f"Reading {slot}: step {steps} is missing."
            yield Finding("error", "agreed" if slot == CONSENSUS else "reviewed", name, words)
        if now.state == "conflict":
            words = f"Reading {slot}: steps contradict one another, and nobody settled it."
            yield Finding("error", "read", name, words)
    if not any(link.event == "review.submit" for link in one.links):
        yield Finding("error", "read", name, "No line tells of a submitted reading.")


def _single(one: CaseChain) -> Iterator[Finding]:
    name, now = str(one.case), one.state(one.slot)
    if (now.content, now.version) != (one.mask, one.version):
        words = "The mask that leaves is not the one that the last reading or correction made."
        yield Finding("error", "read", name, words)
    made = [
        link
        for link in one.links
        if link.slot == one.slot
        and (link.content, link.detail.get("version")) == (one.mask, one.version)
        and link.event in MAKES
    ]
    if made and made[-1].sheets != tuple(one.sheets[layer] for layer in sorted(one.sheets)):
        words = "A mask of a further layer is not the one that was read or corrected."
        yield Finding("error", "read", name, words)
    yield from _reviewed(name, now)


def _reviewed(name: str, now: SlotState) -> Iterator[Finding]:
    if now.state == "approved":
        if now.reviewer == now.maker or not now.reviewer:
            words = "Who approved the mask made it, or is not known."
            yield Finding("error", "reviewed", name, words)
    elif now.state == "corrected":
        words = "A reviewer corrected it, and nobody else approved that."
        yield Finding("warning", "reviewed", name, words)
    elif now.state in ("submitted", "in_review"):
        yield Finding("warning", "reviewed", name, "Nobody has approved it.")
    else:
        words = f"Its reading is {now.state.replace('_', ' ')}: that does not leave."
        yield Finding("error", "reviewed", name, words)


def _agreed(one: CaseChain) -> Iterator[Finding]:
    name = str(one.case)
    states = {slot: one.state(slot) for slot in one.slots if slot != CONSENSUS}
    made = one.agreed_by
    if made is None:
        words = "No line of the log tells of the consensus that leaves."
        yield Finding("error", "agreed", name, words)
        return
    told = made.detail
    # Readings beyond the study's own test their reader, and are in no consensus.
    own = own_slots(one)
    counted = {k: v for k, v in states.items() if v.state != "skipped" and k in own}
    if any(now.state not in _READY for now in counted.values()):
        words = "It is a consensus, and one of its readings is open or was sent back."
        yield Finding("error", "read", name, words)
    if int(told.get("readings", 0)) != len(counted):
        words = "The consensus was made of another number of readings than are told."
        yield Finding("error", "agreed", name, words)
    if of := made_of(told):
        steps = filter(None, (link.step(one.content) for link in one.links))
        for slot in changed_since(of, steps, counted):
            words = f"The consensus was not made of what counts of reading {slot}."
            yield Finding("error", "agreed", name, words)
    if words := doubt_of(one):
        yield Finding("warning", "agreed", name, words)
    if told.get("open"):
        words = f"{told['open']} differences between readings were not decided."
        yield Finding("warning", "agreed", name, words)
    unseen = [now for now in counted.values() if now.state in ("submitted", "in_review")]
    if told.get("rule") in _SCHEMES and unseen:
        words = "A rule made the consensus, of readings that nobody has approved."
        yield Finding("warning", "reviewed", name, words)
