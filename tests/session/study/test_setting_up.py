"""Setting up a study: the folder, its manager, its rules; the log hears of it first."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from napari_medlabel.cli import audit
from napari_medlabel.errors import InputError, LogError, RefusedError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.project.guidelines import read_guidelines
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.document import ontology_digest, read_ontology
from napari_medlabel.project.settings import Settings, read_settings
from napari_medlabel.session.desk import Desk, open_desk
from napari_medlabel.session.study.setting_up import (
    init_study,
    prepare_study,
    require_role,
    set_rater,
    user_of,
)
from napari_medlabel.session.study.templates import find_ontology
from tests.session.study.a_study import RULES, events, set_up

OTHER = "u1-00112233445566ff"


@pytest.fixture
def study(tmp_path: Path) -> Iterator[tuple[Layout, Desk]]:
    layout, desk = set_up(tmp_path / "study")
    yield layout, desk
    desk.log.close()


def rules_told(layout: Layout) -> list[tuple[str, str, str]]:
    told = [one["detail"] for one in events(layout) if one["event"] == "study.rules"]
    return [(one["setting"], one["new"], one.get("old", "")) for one in told]


def test_who_makes_a_study_is_its_manager_and_the_log_knows_its_rules(
    study: tuple[Layout, Desk],
) -> None:
    layout, desk = study
    settings = read_settings(layout.project)
    assert [(one.code, one.user) for one in settings.raters] == [("r01", user_of(desk))]
    assert rules_told(layout) == [
        ("project", f"sha256:{sha256_file(layout.project)}", ""),
        ("ontology", ontology_digest(read_ontology(layout.ontology)), ""),
        ("guideline", read_guidelines(layout.guidelines).digest, ""),
    ]


def test_the_folder_is_a_bids_data_set_with_bare_names_to_ignore(
    study: tuple[Layout, Desk],
) -> None:
    layout, _ = study
    description = json.loads((layout.root / "dataset_description.json").read_text())
    assert (description["Name"], description["DatasetType"]) == ("Livers", "raw")
    ignored = (layout.root / ".bidsignore").read_text().split()
    assert {"medlabel", "exports", "*_ct.*"} <= set(ignored)
    assert not any("/" in line for line in ignored)
    assert layout.participants.read_text() == "participant_id\tsex\tage\n"
    assert "sourcedata" in (layout.root / ".gitignore").read_text().split()


def test_guidelines_have_a_section_for_each_label_and_no_hole(
    study: tuple[Layout, Desk],
) -> None:
    layout, _ = study
    guidelines = read_guidelines(layout.guidelines)
    for label in read_ontology(layout.ontology).labels:
        assert "Occluded" in guidelines.about(label.name)
    assert guidelines.missing_pictures == ()


def test_an_init_that_was_broken_off_can_be_done_again(tmp_path: Path) -> None:
    layout = prepare_study(tmp_path / "study")
    desk = open_desk(layout.audit)
    try:

        class Full:
            def append(self, *_: object, **__: object) -> None:
                raise LogError("no log")

        broken = Desk(Full(), desk.tokens, desk.audit_root, desk.state, desk.now)
        with pytest.raises(LogError):
            init_study(layout, RULES, find_ontology("regions"), broken)
        assert not layout.project.exists()
        layout.guidelines.write_text("# Ours\n")
        assert prepare_study(tmp_path / "study") == layout
        init_study(layout, RULES, find_ontology("regions"), desk)
        assert layout.guidelines.read_text() == "# Ours\n"
    finally:
        desk.log.close()


def test_a_study_is_set_up_once_and_nowhere_else_than_in_a_new_folder(
    study: tuple[Layout, Desk], tmp_path: Path
) -> None:
    with pytest.raises(RefusedError, match="a study in this folder already"):
        prepare_study(study[0].root)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "Muster.dcm").write_bytes(b"")
    with pytest.raises(InputError, match="files lie in this one") as err:
        prepare_study(tmp_path / "full")
    assert "Muster" not in err.value.message + err.value.hint
    with pytest.raises(InputError, match="a file came"):
        prepare_study(tmp_path / "full" / "Muster.dcm")
    (tmp_path / "git" / ".git").mkdir(parents=True)
    assert prepare_study(tmp_path / "git").own.is_dir()


def test_where_a_study_was_deleted_none_is_made_without_a_log(tmp_path: Path) -> None:
    layout, desk = set_up(tmp_path / "study")
    desk.log.close()
    shutil.rmtree(layout.root)
    with pytest.raises(RefusedError, match="remembers the log of a study") as refused:
        prepare_study(layout.root)
    assert "medlabel audit anew FOLDER/medlabel/audit" in refused.value.hint
    assert not layout.root.exists()
    assert not list(desk.state.glob("spool/**/*.jsonl"))
    set_up(tmp_path / "another")[1].log.close()
    anew = argparse.ArgumentParser()
    audit.add_parser(anew.add_subparsers())
    asked = anew.parse_args(["audit", "anew", str(layout.audit)])
    assert asked.run(asked) == 0
    layout, desk = set_up(tmp_path / "study")
    set_rater(layout, "r02", desk)
    desk.log.close()
    assert len(rules_told(layout)) == 4


def test_a_log_that_does_not_lie_in_the_study_makes_no_study(tmp_path: Path) -> None:
    layout, desk = set_up(tmp_path / "study")
    desk.log.close()
    layout.audit.rename(tmp_path / "away")
    layout.project.unlink()
    desk = open_desk(layout.audit)
    with closing(desk.log), pytest.raises(LogError, match="cannot begin in its own folder"):
        init_study(layout, RULES, find_ontology("regions"), desk)
    assert not layout.project.exists()


def test_a_rater_is_added_and_changed_and_the_log_names_both_states(
    study: tuple[Layout, Desk],
) -> None:
    layout, desk = study
    before = f"sha256:{sha256_file(layout.project)}"
    set_rater(layout, "r02", desk)
    between = f"sha256:{sha256_file(layout.project)}"
    rater = set_rater(layout, "r02", desk, roles=("reviewer", "annotator"), user=OTHER)
    after = f"sha256:{sha256_file(layout.project)}"
    assert rater == read_settings(layout.project).rater("r02")
    assert rater.roles == ("reviewer", "annotator")
    assert rules_told(layout)[3:] == [
        ("project", between, before),
        ("project", after, between),
    ]
    set_rater(layout, "r02", desk, user=OTHER)  # nothing new: nothing told
    assert len(rules_told(layout)) == 5


def test_no_log_no_change(study: tuple[Layout, Desk]) -> None:
    layout, desk = study
    before = layout.project.read_bytes()

    class Full:
        def append(self, *_: object, **__: object) -> None:
            raise LogError("no log")

    broken = Desk(Full(), desk.tokens, desk.audit_root, desk.state, desk.now)
    with pytest.raises(LogError):
        set_rater(layout, "r02", broken)
    assert layout.project.read_bytes() == before


def test_the_last_manager_stays_and_an_account_has_one_code(
    study: tuple[Layout, Desk],
) -> None:
    layout, desk = study
    with pytest.raises(RefusedError, match="Nobody would be a manager"):
        set_rater(layout, "r01", desk, roles=("annotator",))
    with pytest.raises(RefusedError, match="another rater of the study already"):
        set_rater(layout, "r02", desk, user=user_of(desk))
    with pytest.raises(InputError, match="by its token"):
        set_rater(layout, "r02", desk, user="erika")


def test_only_a_manager_changes_raters(
    study: tuple[Layout, Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, desk = study
    set_rater(layout, "r02", desk, roles=("annotator",))
    for place in ("setting_up.account_name", "setting_up.own_tokens"):
        value = (lambda: "colleague") if "account" in place else (lambda _state: [])
        monkeypatch.setattr(f"napari_medlabel.session.study.{place}", value)
    with pytest.raises(RefusedError, match="not on the list"):
        set_rater(layout, "r03", desk)
    colleague = user_of(desk)
    monkeypatch.undo()
    set_rater(layout, "r02", desk, user=colleague)
    monkeypatch.setattr(
        "napari_medlabel.session.study.setting_up.own_tokens", lambda _state: [colleague]
    )
    assert require_role(read_settings(layout.project), desk, "annotator").code == "r02"
    with pytest.raises(RefusedError, match="needs the role manager"):
        set_rater(layout, "r03", desk)


def test_a_study_without_a_manager_is_not_made(tmp_path: Path) -> None:
    layout = prepare_study(tmp_path / "study")
    desk = open_desk(layout.audit)
    try:
        with pytest.raises(RefusedError, match="not on the list"):
            init_study(layout, Settings("Livers"), find_ontology("regions"), desk)
    finally:
        desk.log.close()
    assert not layout.project.exists()
