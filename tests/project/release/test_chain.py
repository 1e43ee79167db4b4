"""A chain reads as it was written, proves its lines, and finds what is missing in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.merkle import inclusion_proof, leaf_hash, root_from_proof
from napari_medlabel.audit.format.seal import Head, SessionKey
from napari_medlabel.errors import InputError
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.release.chain import (
    CaseChain,
    Chain,
    Cleaning,
    Link,
    Sealed,
    parse_chain,
)
from napari_medlabel.project.release.chain_check import check_chain
from napari_medlabel.project.release.manifest import tree_root
from napari_medlabel.project.release.proofs import Proofs
from tests.project.release.released import digest

ORIGIN = "medlabel.local/ward/w3d190ffe4586f372/20261123T042158Z-01M83A7AGW6BMXVDR70GXXN89T"
MASK, SCAN = digest("mask"), digest("scan")


@settings(deadline=None, max_examples=30)
@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40))
def test_proofs_of_many_lines_are_those_of_rfc_9162(lines):
    proofs, leaves = Proofs(lines), [leaf_hash(line) for line in lines]
    root = tree_root(lines)
    for index in range(len(lines)):
        assert list(proofs.proof(index)) == inclusion_proof(leaves, index)
        proof = proofs.proof(index)
        assert root_from_proof(proofs.leaf(index), index, len(lines), proof) == root


def whole(*told: tuple[str, str, str, int, str]) -> tuple[Chain, Head]:
    """Return a chain of one case: (event, by, slot, step, content) of each line."""
    lines = [f"{number} {one}".encode() for number, one in enumerate(told)]
    head = Head(ORIGIN, len(lines), tree_root(lines))
    proofs = Proofs(lines)
    links = tuple(
        Link(event, by, f"2026-11-22T12:00:{index:02d}.000Z", ORIGIN, index,
             proofs.leaf(index), proofs.proof(index), slot, step, content,
             detail={"version": 1, "readings": 2} if content else {})
        for index, (event, by, slot, step, content) in enumerate(told)
    )  # fmt: skip
    key = SessionKey(ORIGIN, bytes(32))
    slot = "consensus" if any(link.event == "study.consensus" for link in links) else "A"
    case = CaseChain(CaseId("001"), SCAN, SCAN, (digest("raw"),), Cleaning(digest("report")),
                     1, slot, MASK, 1, {"scan": "a", "mask": "b"}, links)  # fmt: skip
    return Chain((Sealed(head, key.sign(head), key.public),), (case,)), head


ADDED = ("study.case", "m1", "", 0, SCAN)
START, SUBMIT = ("study.start", "r01", "A", 1, ""), ("review.submit", "r01", "A", 2, MASK)
BEGIN, APPROVE = ("review.begin", "r02", "A", 3, ""), ("review.approve", "r02", "A", 4, "")
SOUND = (ADDED, START, SUBMIT, BEGIN, APPROVE)


def found(chain: Chain, head: Head) -> set[tuple[str, str]]:
    return {(one.level, one.rule) for one in check_chain(chain, [head])}


def test_a_sound_chain_has_no_findings_and_reads_as_it_was_written():
    chain, head = whole(*SOUND)
    assert found(chain, head) == set()
    assert parse_chain(chain.to_bytes()) == chain


@pytest.mark.parametrize(
    ("told", "expected"),
    [((ADDED, START, SUBMIT), ("warning", "reviewed")),
     ((ADDED, START, SUBMIT, APPROVE), ("error", "reviewed")),
     (SOUND[1:], ("error", "raw")),
     ((ADDED, START), ("error", "read")),
     ((*SOUND, ("review.unlock", "r02", "A", 5, "")), ("error", "reviewed")),
     ((*SOUND[:4], ("review.approve", "r01", "A", 4, "")), ("error", "reviewed")),
     ((*SOUND[:4], ("review.reject", "r02", "A", 4, "")), ("error", "reviewed")),
     ((*SOUND[:4], ("review.correct", "r02", "A", 4, MASK)), ("warning", "reviewed")),
     ((*SOUND, ("study.consensus", "m1", "", 0, MASK)), ("error", "agreed")),
     ((*SOUND, ("study.consensus", "m1", "", 0, SCAN)), ("error", "agreed")),
     ((*SOUND, ("review.approve", "r03", "A", 4, "")), ("error", "read"))],
)  # fmt: skip
def test_what_is_missing_or_contradicts_is_found(told, expected):
    chain, head = whole(*told)
    assert expected in found(chain, head)


def test_a_line_under_another_head_or_of_no_session_is_found():
    chain, head = whole(*SOUND)
    other = replace(head, root=bytes(32))
    assert ("error", "log") in found(chain, other)
    assert ("error", "raw") in found(replace(chain, sessions=()), head)
    seal = replace(chain.sessions[0], seal=bytes(68))
    assert ("error", "log") in found(replace(chain, sessions=(seal,)), head)


def test_a_case_that_stands_twice_is_found():
    chain, head = whole(*SOUND)
    assert ("error", "file") in found(replace(chain, cases=chain.cases * 2), head)


def test_what_nobody_knows_of_the_beginning_is_amber():
    chain, head = whole(*SOUND)
    bare = replace(chain.cases[0], originals=(), cleaning=None)
    levels = found(replace(chain, cases=(bare,)), head)
    assert levels == {("warning", "raw"), ("warning", "cleaned")}


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"medlabel":"chain","v":1}'])
def test_what_is_no_chain_is_refused(data):
    with pytest.raises(InputError, match="chain of custody"):
        parse_chain(data)


def test_a_chain_of_a_later_version_is_refused():
    found = canonical.decode(whole(*SOUND)[0].to_bytes())
    with pytest.raises(InputError, match="another version"):
        parse_chain(canonical.encode({**found, "v": 2}))
    with pytest.raises(InputError, match="cannot be read"):
        parse_chain(canonical.encode({**found, "more": 1}))


OF_B = (("study.start", "r03", "B", 1, ""), ("review.submit", "r03", "B", 2, MASK))
AGREED = ("study.consensus", "m1", "", 0, MASK)


def made_of(chain: Chain, *slots: dict[str, object]) -> Chain:
    """Let the consensus of a chain's case be made of readings."""
    (one,) = chain.cases
    link = next(link for link in one.links if link.event == "study.consensus")
    told = replace(link, detail={**link.detail, "made_of": list(slots)})
    links = tuple(told if other is link else other for other in one.links)
    return replace(chain, cases=(replace(one, links=links),))


def of(slot: str, step: int) -> dict[str, object]:
    return {"slot": slot, "step": step, "content": MASK, "whole": digest("whole")}


def test_a_consensus_of_other_versions_than_count_is_found_and_clocks_are_not_asked():
    sound, head = whole(ADDED, START, SUBMIT, BEGIN, APPROVE, *OF_B, AGREED)
    assert ("error", "agreed") not in found(made_of(sound, of("A", 4), of("B", 2)), head)
    assert ("error", "agreed") in found(made_of(sound, of("A", 4)), head)
    later = (("study.withdraw", "r03", "B", 3, ""),
             ("review.submit", "r03", "B", 4, digest("another")))  # fmt: skip
    changed, head = whole(ADDED, START, SUBMIT, BEGIN, APPROVE, *OF_B, *later, AGREED)
    assert ("error", "agreed") in found(made_of(changed, of("A", 4), of("B", 2)), head)


@pytest.mark.parametrize("wrong", [3, ["A"], [{"slot": "A"}]])
def test_a_chain_whose_consensus_names_readings_in_another_form_is_refused(wrong):
    chain = made_of(whole(ADDED, START, SUBMIT, AGREED)[0])
    assert parse_chain(chain.to_bytes()) == chain
    told = canonical.decode(chain.to_bytes())
    told["cases"][0]["links"][-1]["detail"]["made_of"] = wrong
    with pytest.raises(InputError, match="chain of custody"):
        parse_chain(canonical.encode(told))
