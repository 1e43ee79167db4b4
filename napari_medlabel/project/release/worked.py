"""Who worked on what is released, and how far, counted from the chain and nothing else.

A reading beyond the study's own (gold, repeat, calibration) tests its reader: nobody made or
reviewed with it what leaves, so it is not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from napari_medlabel.project.cases.version import Pins
from napari_medlabel.project.layout import CONSENSUS
from napari_medlabel.project.release.chain import ADDED, AGREED, MAKES, CaseChain, Chain, Link

_LETTERS: Final = "ABCDEFGH"
_REVIEWS: Final = frozenset({"review.approve", "review.reject", "review.correct"})


@dataclass(frozen=True)
class Worked:
    """The work on the cases of a release, over the study's own readings and the consensus.

    Parameters
    ----------
    raters : int
        People who submitted a mask, or corrected one. One with a new account is one; those who
        are on no list are one, for nobody can tell them apart.
    reviewers : int
        People who approved, rejected or corrected a mask, likewise.
    states : mapping of str to int
        Readings in each state.
    older_rules : int
        Readings with a mask that were made, or confirmed, under other rules.
    """

    raters: int = 0
    reviewers: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    older_rules: int = 0


def own_slots(one: CaseChain) -> tuple[str, ...]:
    """Return the readings that a case was to have, by its lines of the log.

    What leaves is one of them, and so are all that its consensus was made of, where the study
    got more readings since the case was added.
    """
    counts = [int(link.detail.get("slots", 0)) for link in one.of_event(ADDED)]
    counts += [int(link.detail.get("readings", 0)) for link in one.of_event(AGREED)]
    return tuple(_LETTERS[: max((*counts, _LETTERS.find(one.slot) + 1))])


def own_links(one: CaseChain) -> Iterator[Link]:
    """Yield the lines about a case's own readings and its consensus: those of no test."""
    counted = {*own_slots(one), CONSENSUS}
    return (link for link in one.links if link.slot in counted)


def worked_on(chain: Chain, pins: Pins) -> Worked:
    """Return what a chain tells of the work on its cases.

    Parameters
    ----------
    chain : Chain
        Of the release.
    pins : Pins
        Digests of the rules at the release.
    """
    links = [link for one in chain.cases for link in own_links(one)]
    states: Counter[str] = Counter()
    older = 0
    for one in chain.cases:
        for slot in (*own_slots(one), *({CONSENSUS} & set(one.slots))):
            now = one.state(slot)
            states[now.state] += 1
            rules = (now.ontology, now.guideline)
            # A consensus is made under no rules of its own: its readings tell theirs.
            older += slot != CONSENSUS and bool(now.content) and rules != _told(pins)
    return Worked(
        len({link.by for link in links if link.event in MAKES and link.content}),
        len({link.by for link in links if link.event in _REVIEWS}),
        dict(sorted(states.items())),
        older,
    )


def _told(pins: Pins) -> tuple[str, str]:
    return pins.ontology, pins.guideline
