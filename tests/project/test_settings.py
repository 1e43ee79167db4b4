"""The rules of a study."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.settings import (
    Rater,
    Settings,
    Thresholds,
    read_settings,
    write_settings,
)

FULL = Settings(
    "Livers",
    (Rater("r01", "u1-0123456789abcdef", ("annotator", "reviewer")), Rater("r02")),
    readings=2,
    rule="majority",
    gold_share=0.1,
    thresholds=Thresholds(dice=0.9),
)


def test_settings_read_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    write_settings(path, FULL)
    assert read_settings(path) == FULL


def test_slots_are_letters() -> None:
    assert FULL.slots == ("A", "B")


def test_a_rater_is_found_by_code_and_by_account() -> None:
    assert FULL.rater("r02").roles == ("annotator",)
    assert FULL.rater_of("u1-0123456789abcdef").code == "r01"


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(InputError, match="no rater of that code"):
        FULL.rater("r09")


def test_an_account_that_is_not_on_the_list_is_refused() -> None:
    with pytest.raises(RefusedError, match="not on the list"):
        FULL.rater_of("u1-ffffffffffffffff")
    with pytest.raises(RefusedError, match="not on the list"):
        FULL.rater_of("")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"raters": (Rater("r01"), Rater("r01"))}, "one code stands twice"),
        ({"name": " "}, "has no name"),
        ({"readings": 0}, "1 to 8 raters"),
        ({"readings": 9}, "1 to 8 raters"),
        ({"gold_share": 1.5}, "share from 0 to 1"),
        ({"review_share": -0.1}, "share from 0 to 1"),
    ],
)
def test_rules_that_make_no_sense_are_refused(more: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Settings(**{"name": "Livers", **more})


@pytest.mark.parametrize("roles", [(), ("boss",)])
def test_roles_that_do_not_exist_are_refused(roles: tuple) -> None:
    with pytest.raises(InputError, match="A rater has roles of"):
        Rater("r01", roles=roles)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "not a study's"),
        ({"medlabel": "ontology"}, "not a study's"),
        ({"medlabel": "project", "v": 2}, "knows 1"),
        ({"medlabel": "project", "v": 1}, "not known, or lacks one"),
        ({"medlabel": "project", "v": 1, "name": "x", "tempo": 1}, "not known, or lacks one"),
        ({"medlabel": "project", "v": 1, "name": "x", "raters": [{}]}, "not known, or lacks"),
    ],
)
def test_files_that_are_no_projects_are_refused(
    data: object, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "project.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=words):
        read_settings(path)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_settings(tmp_path / "project.json")
    (tmp_path / "project.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        read_settings(tmp_path / "project.json")
