from __future__ import annotations

import argparse
import getpass
import io
import json
import sys
from pathlib import Path

import pytest

from napari_medlabel.cli import project_key
from napari_medlabel.cli.project_key import (
    Provisional,
    add_key_options,
    asked_passphrase,
    key_store,
    keys_folder,
    links_memory,
    open_project,
    project_files,
)
from napari_medlabel.deid.keys.key_file import make_project, reseal
from napari_medlabel.deid.keys.key_store import RingStore
from napari_medlabel.deid.keys.links_memory import StaleLinksError
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.keys.table import LinkTable
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.secret import passphrase as key_seal


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_seal, "MEMORY_KIB", 64)
    monkeypatch.setattr(key_seal, "ITERATIONS", 1)
    monkeypatch.delenv("MEDLABEL_PASSPHRASE", raising=False)


def options(*words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_key_options(parser)
    return parser.parse_args([str(word) for word in words])


def as_version_1(path: Path) -> None:
    document = json.loads(path.read_text()) | {"version": 1}
    path.write_text(json.dumps(document))
    path.with_name(path.name + ".links").unlink()


def test_a_project_is_made_once_and_opened_again(tmp_path):
    args = options("--key", tmp_path / "keys" / "a.key")
    first = open_project(args)
    code = first.codes.code_for("", "1")
    first.codes.close()
    second = open_project(args)
    assert (first.made, second.made) == (True, False)
    assert second.codes.known("", "1") == code
    second.codes.close()
    assert first.key.key == second.key.key


def test_without_a_key_named_it_is_the_users_own(tmp_path):
    assert project_files(options()) == (
        keys_folder() / "project.key",
        keys_folder() / "project.key.links",
    )
    project = open_project(options())
    project.codes.close()
    assert project.made


def test_a_dry_run_makes_neither_key_nor_table(tmp_path):
    project = open_project(options("--key", tmp_path / "a.key"), keep=False)
    code = project.codes.code_for("", "1")
    assert project.codes.code_for("", "1") == code == project.codes.known("", "1")
    assert project.codes.known("", "2") is None
    project.codes.sync()
    project.codes.close()
    assert code.startswith("P-")
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_knows_given_codes_and_keeps_no_new_ones(tmp_path):
    args = options("--key", tmp_path / "a.key")
    project = open_project(args)
    code = project.codes.code_for("", "1")
    project.codes.close()
    before = (tmp_path / "a.key.links").read_bytes()
    trial = open_project(args, keep=False)
    assert trial.codes.code_for("", "1") == code
    trial.codes.code_for("", "2")
    trial.codes.close()
    assert (tmp_path / "a.key.links").read_bytes() == before


def test_a_key_from_before_link_tables_begins_one_and_says_so(tmp_path, capsys):
    args = options("--key", tmp_path / "a.key")
    open_project(args).codes.close()
    as_version_1(tmp_path / "a.key")
    (links_memory() / f"{open_key_id(tmp_path / 'a.key')}.json").unlink()
    trial = open_project(args, keep=False)
    assert isinstance(trial.codes, Provisional)
    assert not (tmp_path / "a.key.links").exists()
    project = open_project(args)
    keyed = Pseudonyms(project.key.key).patient_code("", "1")
    assert project.codes.code_for("", "1") != keyed
    project.codes.close()
    err = capsys.readouterr().err
    assert "a link table was begun" in err
    assert "Earlier copies carry codes derived from the key" in err
    open_project(args).codes.close()
    assert "begun" not in capsys.readouterr().err


def open_key_id(path: Path) -> str:
    return str(json.loads(path.read_text())["kid"])


def test_an_old_key_whose_table_was_lost_here_does_not_begin_another(tmp_path):
    args = options("--key", tmp_path / "a.key")
    open_project(args).codes.close()
    as_version_1(tmp_path / "a.key")
    with pytest.raises(StaleLinksError, match="not beside it"):
        open_project(args)


def test_a_key_copied_to_another_computer_without_its_table_is_refused(tmp_path, monkeypatch):
    args = options("--key", tmp_path / "a.key")
    open_project(args).codes.close()
    (tmp_path / "a.key.links").unlink()
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "another"))
    with pytest.raises(StaleLinksError, match="not beside it") as caught:
        open_project(args)
    assert "copy both" in caught.value.hint


def test_a_key_and_its_table_go_on_on_another_computer(tmp_path, monkeypatch):
    args = options("--key", tmp_path / "a.key")
    project = open_project(args)
    code = project.codes.code_for("", "1")
    project.codes.close()
    there = tmp_path / "there"
    there.mkdir()
    for name in ("a.key", "a.key.links"):
        (there / name).write_bytes((tmp_path / name).read_bytes())
        (there / name).chmod(0o600)
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "another"))
    project = open_project(options("--key", there / "a.key"))
    assert project.codes.code_for("", "1") == code
    project.codes.close()


def test_a_folder_where_nothing_can_be_written_is_refused_at_once(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="could not be made"):
        open_project(options("--key", tmp_path / "file" / "a.key"))


def test_a_key_in_the_keyring_is_named_and_its_table_is_a_file(monkeypatch):
    monkeypatch.setattr("napari_medlabel.deid.keys.key_store.require_ring", lambda: None)
    args = options("--key", "keyring:trial")
    assert key_store(args.key) == RingStore("trial", keys_folder())
    assert project_files(args) == (keys_folder() / "trial.links",)


def test_a_passphrase_comes_from_a_file_then_the_environment_then_a_person(
    tmp_path, monkeypatch
):
    file = tmp_path / "words"
    file.write_text("from the file\r\nsecond line\n")
    file.chmod(0o600)
    monkeypatch.setenv("MEDLABEL_PASSPHRASE", "from the environment")
    assert asked_passphrase(file) == "from the file"
    assert asked_passphrase(None) == "from the environment"
    monkeypatch.delenv("MEDLABEL_PASSPHRASE")
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr(getpass, "getpass", lambda prompt: prompt)
    assert asked_passphrase(None) == "Passphrase of the key: "


def test_where_nobody_can_be_asked_it_is_said(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(InputError, match="no terminal") as caught:
        asked_passphrase(None)
    assert "MEDLABEL_PASSPHRASE" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (b"words", 0o640, "owner alone"),
        (b"\n", 0o600, "is empty"),
        (b"\xff\xfe", 0o600, "could not be read"),
    ],
)
def test_a_file_that_is_no_passphrase_is_refused(tmp_path, content, mode, said):
    file = tmp_path / "words"
    file.write_bytes(content)
    file.chmod(mode)
    with pytest.raises(InputError, match=said):
        asked_passphrase(file)
    with pytest.raises(InputError, match="could not be read"):
        asked_passphrase(tmp_path / "none")


def test_file_modes_are_not_asked_where_they_mean_nothing(tmp_path, monkeypatch):
    file = tmp_path / "words"
    file.write_text("words of somebody")
    file.chmod(0o644)
    monkeypatch.setattr(project_key, "os", argparse.Namespace(name="nt"))
    assert project_key._first_line(file) == "words of somebody"


def test_a_sealed_key_opens_with_the_passphrase_of_the_options(tmp_path, monkeypatch):
    store = key_store(str(tmp_path / "a.key"))
    made = make_project(store, lambda count: bytes(range(count)))
    reseal(store, made, "correct horse", bytes)
    monkeypatch.setenv("MEDLABEL_PASSPHRASE", "correct horse")
    project = open_project(options("--key", tmp_path / "a.key"))
    assert isinstance(project.codes, LinkTable)
    project.codes.close()
    assert project.key.key == made.key
    monkeypatch.setenv("MEDLABEL_PASSPHRASE", "wrong horse")
    with pytest.raises(InputError, match="does not open"):
        open_project(options("--key", tmp_path / "a.key"))
