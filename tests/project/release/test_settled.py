"""Who settled a released case, in words: another, a reader, the study's rule, or a stranger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_medlabel.project.release.chain import CaseChain, Chain, parse_chain
from napari_medlabel.project.release.chain_check import check_chain
from napari_medlabel.project.release.making import making_of
from napari_medlabel.project.release.sentences import settled
from napari_medlabel.project.release.settled import doubt_of, settled_by, settled_words
from tests.project.release.test_chain import ADDED, MASK, START, SUBMIT, whole

OTHER = (("study.start", "r02", "B", 1, ""), ("review.submit", "r02", "B", 2, MASK))


def agreed(by: str, asked: str | None = "independent", rule: str = "adjudicate") -> CaseChain:
    """Return a case of two readings that somebody settled."""
    told = ("study.consensus", by, "", 0, MASK)
    chain, _ = whole(ADDED, START, SUBMIT, *OTHER, told)
    (one,) = chain.cases
    detail = {**one.links[-1].detail, "rule": rule}
    if asked is not None:
        detail["adjudicator"] = asked
    return replace(one, links=(*one.links[:-1], replace(one.links[-1], detail=detail)))


@pytest.mark.parametrize(
    ("by", "asked", "rule", "who", "doubt"),
    [
        ("m1", "independent", "adjudicate", "independent", ""),
        ("r01", "independent", "adjudicate", "reader", "asked for somebody who has not"),
        ("r01", "independent", "union", "rule", "asked for somebody who has not"),
        ("r01", "reader", "adjudicate", "reader", ""),
        ("m1", "reader", "adjudicate", "independent", ""),
        ("r02", "nobody", "majority", "rule", ""),
        ("r02", "nobody", "adjudicate", "reader", "does not tell whether"),
        ("", "independent", "adjudicate", "unknown", "nobody can tell whether they had"),
        ("", "nobody", "majority", "rule", ""),
        ("r02", None, "adjudicate", "", "does not tell whether the study's rules allowed"),
        ("m1", None, "adjudicate", "", ""),
    ],
)
def test_who_settled_a_case_and_whether_that_is_a_doubt(
    by: str, asked: str | None, rule: str, who: str, doubt: str
) -> None:
    one = agreed(by, asked, rule)
    assert settled_by(one) == who
    assert doubt in doubt_of(one)
    assert bool(doubt_of(one)) == bool(doubt)
    chain, head = Chain((), (one,)), whole(ADDED)[1]
    found = [f for f in check_chain(chain, [head]) if f.words == doubt_of(one)]
    assert [(f.level, f.rule) for f in found] == ([("warning", "agreed")] if doubt else [])


def test_a_corrector_is_an_author_and_a_single_reading_is_settled_by_nobody() -> None:
    chain, _ = whole(ADDED, START, SUBMIT)
    (single,) = chain.cases
    assert (settled_by(single), doubt_of(single)) == ("", "")
    corrected = (("review.begin", "r04", "A", 3, ""), ("review.correct", "r04", "A", 4, MASK))
    chain, _ = whole(ADDED, START, SUBMIT, *corrected)
    assert chain.cases[0].authors == {"r01", "r04"}


def test_facts_and_report_count_who_settled() -> None:
    by_rule = agreed("r01", "nobody", "staple")
    cases = (agreed("m1"), agreed("m1"), agreed("r01", "reader"), by_rule,
             agreed("", "reader"), agreed("m1", None))  # fmt: skip
    chain = Chain((), cases)
    making = making_of(chain)
    assert making.settled == {"independent": 2, "reader": 1, "rule": 1, "unknown": 1}
    assert settled(making.settled) == (
        "2 by an adjudicator who had not read the case; 1 by an adjudicator who had read it, "
        "too; 1 by a rule of consensus, and no person; 1 by an account that is on no list"
    )
    words = settled_words(chain)
    assert "The consensus of 2 cases was settled by m1, who had not read them." in words
    assert "The consensus of 1 case was settled by r01, who had read it, too." in words
    assert "The consensus of 1 case is by a rule: no person settled it." in words
    assert parse_chain(chain.to_bytes()) == chain
