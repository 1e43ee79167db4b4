"""A release by somebody without the role is red with its study, whatever project.json says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from napari_medlabel.project.release.chain import CHAIN, parse_chain
from napari_medlabel.project.release.manifest import read_manifest
from napari_medlabel.project.settings import Role, read_settings
from napari_medlabel.session.study import roles_then
from napari_medlabel.session.study.release_check import check_release
from napari_medlabel.session.study.releasing import make_release
from napari_medlabel.session.study.setting_up import rules_in_force, set_rater
from tests.session.study.release_study import ReleaseWish, Telling, ready_study, release
from tests.session.study.small_study import SmallStudy


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    made = ready_study(tmp_path_factory.mktemp("roles"))
    yield made
    made.close()


def rules_of(study: SmallStudy, folder: Path) -> dict[str, str]:
    found = check_release(folder, layout=study.layout).findings
    return {one.words: one.level for one in found if "role" in one.words}


def test_who_releases_without_the_role_is_told_though_the_file_is_put_back(
    study: SmallStudy,
) -> None:
    assert not rules_of(study, release(study, "honest", signed=False).folder)
    seat = study.seat("r01")
    cheat = replace(seat, rater=replace(seat.rater, roles=("releaser",)))
    wish = ReleaseWish("cheat", study.tmp / "cheat", Telling(seed=3), reason="PROTOCOL")
    # As another program would, that does not look at the log.
    with (
        patch("napari_medlabel.session.study.seat.require_proven"),
        patch("napari_medlabel.session.study.releasing.require_role"),
    ):
        done = make_release(cheat, wish)
    (words,) = rules_of(study, done.folder).items()
    assert words == (
        "Who released it had no role to release, by the rules of that time.",
        "error",
    )


def test_who_agreed_or_approved_without_the_role_is_told_of_each_case(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = release(study, "steps", signed=False).folder
    chain, manifest = parse_chain((folder / CHAIN).read_bytes()), read_manifest(folder)
    before = roles_then.rules_in_force

    def with_roles(*roles: Role) -> list[tuple[str, str]]:
        def changed(*of: object) -> object:
            (only,) = before(*of)  # type: ignore[arg-type]
            raters = tuple(replace(one, roles=roles) for one in only.settings.raters)
            return (replace(only, settings=replace(only.settings, raters=raters)),)

        monkeypatch.setattr(roles_then, "rules_in_force", changed)
        found = roles_then.check_roles(study.layout, manifest, chain)
        return [(one.rule, one.where) for one in found]

    both = [("agreed", "sub-001_ct"), ("agreed", "sub-002_ct")]
    assert with_roles("reviewer", "releaser") == both
    assert with_roles("adjudicator", "releaser") == [("reviewed", "sub-003_ct")]
    assert with_roles("adjudicator", "reviewer", "manager") == []


def test_who_settled_as_a_reader_against_the_rules_of_then_is_told_with_the_study(
    study: SmallStudy,
) -> None:
    folder = release(study, "settled", signed=False).folder
    chain, manifest = parse_chain((folder / CHAIN).read_bytes()), read_manifest(folder)
    manager = read_settings(study.layout.project).rater("m1")

    def settled_as(said: str) -> list[tuple[str, str, str]]:
        """Let the manager be one of the readers, and the log's line say what was asked for."""
        cases = []
        for one in chain.cases:
            links = [
                replace(link, by="m1") if link.event == "review.submit" else link
                for link in one.links
            ]
            links = [
                replace(link, detail={**link.detail, "adjudicator": said})
                if link.event == "study.consensus"
                else link
                for link in links
            ]
            cases.append(replace(one, links=tuple(links)))
        found = roles_then.check_roles(
            study.layout, manifest, replace(chain, cases=tuple(cases))
        )
        return [(one.level, one.rule, one.where) for one in found if "read it" in one.words]

    assert "adjudicator" in manager.roles
    both = [("warning", "agreed", "sub-001_ct"), ("warning", "agreed", "sub-002_ct")]
    assert settled_as("reader") == both
    assert settled_as("independent") == [], "said by the release itself"


def test_rules_that_nobody_kept_or_proves_are_amber(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = release(study, "unkept", signed=False).folder
    ruled = rules_in_force(study.layout, study.seat("m1").reader)
    unkept = tuple(replace(one, settings=None) for one in ruled)
    for found, words in ((unkept, "has not kept the rules"), ((), "does not prove who made")):
        monkeypatch.setattr(roles_then, "rules_in_force", lambda *_, is_so=found: is_so)
        (told,) = rules_of(study, folder).items()
        assert words in told[0]
        assert told[1] == "warning"


def test_a_role_that_was_taken_away_later_counts_for_what_was_done_before(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = release(study, "before", signed=False).folder
    set_rater(study.layout, "r04", study.desk("m1"), roles=("annotator",))
    assert not rules_of(study, folder)
