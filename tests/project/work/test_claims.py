"""Claims: one holder at a time, and taken over only when silent."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, RefusedError, SaveError
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.work import claims
from napari_medlabel.project.work.claims import (
    Claimant,
    claim,
    give_back,
    read_claim,
    take_over,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CASE = CaseId("001")
ANNA, BEN = Claimant("r01", "w1-aa", 10), Claimant("r02", "w1-bb", 11)


@pytest.fixture
def study(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def test_a_slot_has_one_holder(study: Layout) -> None:
    made = claim(study, CASE, "A", ANNA, NOON)
    assert read_claim(study, CASE, "A") == made
    with pytest.raises(RefusedError, match="Somebody else is at work"):
        claim(study, CASE, "A", BEN, NOON)
    assert claim(study, CASE, "B", BEN, NOON).rater == "r02"


def test_claiming_again_is_a_sign_of_life(study: Layout) -> None:
    made = claim(study, CASE, "A", ANNA, NOON)
    again = claim(study, CASE, "A", ANNA, NOON + timedelta(hours=1))
    assert again.since == made.since
    assert again.alive > made.alive
    assert not again.is_expired(NOON + timedelta(hours=12), 11.5)
    assert again.is_expired(NOON + timedelta(hours=13), 11.5)


def test_the_same_rater_on_another_computer_is_somebody_else(study: Layout) -> None:
    claim(study, CASE, "A", ANNA, NOON)
    with pytest.raises(RefusedError, match="Somebody else"):
        claim(study, CASE, "A", Claimant("r01", "w1-cc", 5), NOON)


def test_only_the_silent_are_taken_over(study: Layout) -> None:
    claim(study, CASE, "A", ANNA, NOON)
    with pytest.raises(RefusedError, match="sign of life not long ago"):
        take_over(study, CASE, "A", BEN, NOON + timedelta(hours=11), hours=12)
    made, before = take_over(study, CASE, "A", BEN, NOON + timedelta(hours=13), hours=12)
    assert before is not None
    assert (before.rater, made.rater) == ("r01", "r02")
    assert not give_back(study, CASE, "A", ANNA)
    assert give_back(study, CASE, "A", BEN)
    assert read_claim(study, CASE, "A") is None
    assert take_over(study, CASE, "A", ANNA, NOON, hours=12)[1] is None


def test_of_many_who_claim_at_once_one_gets_it(study: Layout) -> None:
    def attempt(number: int) -> int:
        try:
            claim(study, CASE, "A", Claimant(f"r{number}", f"w1-{number}", number), NOON)
        except RefusedError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(24))) == 1


def test_of_many_who_take_over_at_once_one_gets_it(study: Layout) -> None:
    claim(study, CASE, "A", ANNA, NOON)
    late = NOON + timedelta(hours=13)

    def attempt(number: int) -> int:
        who = Claimant(f"r{number}", f"w1-{number}", number)
        try:
            take_over(study, CASE, "A", who, late, hours=12)
        except RefusedError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(10, 30))) == 1


def test_a_take_over_under_way_is_left_to_end(study: Layout) -> None:
    claim(study, CASE, "A", ANNA, NOON)
    taking = study.claim(CASE, "A").with_suffix(".taking")
    taking.touch()
    late = NOON + timedelta(hours=13)
    with pytest.raises(RefusedError, match="just taking this reading over"):
        take_over(study, CASE, "A", BEN, late, hours=12)
    os.utime(taking, (1, 1))  # its process was killed: nobody has to tidy up
    assert take_over(study, CASE, "A", BEN, late, hours=12)[0].rater == BEN.rater
    assert not taking.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"v": 1}', '{"v": 1, "case": 1}'])
def test_a_broken_claim_is_named_and_disposable(study: Layout, content: str) -> None:
    path = study.claim(CASE, "A")
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(InputError, match="claim of sub-001_ct, slot A, cannot be read"):
        claim(study, CASE, "A", ANNA, NOON)


def test_a_slot_that_does_not_exist_is_refused(study: Layout) -> None:
    with pytest.raises(InputError, match="letter from A to H"):
        claim(study, CASE, "../A", ANNA, NOON)


def test_a_share_that_is_full_or_closed_is_said(
    study: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr("os.open", closed)
    study.claims.mkdir(parents=True)
    with pytest.raises(SaveError, match="cannot be written into the study"):
        claim(study, CASE, "A", ANNA, NOON)


def test_a_claim_that_cannot_be_read_is_held_by_nobody_known(study: Layout) -> None:
    study.claim(CASE, "A").parent.mkdir(parents=True, exist_ok=True)
    study.claim(CASE, "A").write_bytes(b"")
    found = claims.holder(study, CASE, "A")
    assert found is not None
    assert (found.rater, found.is_expired(NOON, 1.0)) == ("?", False)
    assert claims.holder(study, CASE, "B") is None


def test_without_hard_links_a_claim_is_made_all_the_same(
    study: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "no links")

    monkeypatch.setattr(claims.os, "link", refuse)
    claim(study, CASE, "A", ANNA, NOON)
    with pytest.raises(RefusedError, match="at work on this reading"):
        claim(study, CASE, "A", BEN, NOON)
    assert [path.name for path in study.claims.iterdir()] == [f"{CASE}.A.json"]
