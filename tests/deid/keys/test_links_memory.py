from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from napari_medlabel.deid.keys.links_memory import StaleLinksError, memory_file, recall
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.keys.table import LinkTable, begin_links
from napari_medlabel.errors import SaveError

KEY = bytes(range(32))
KID = Pseudonyms(KEY).key_id


@pytest.fixture
def path(tmp_path: Path) -> Path:
    begin_links(tmp_path / "a.links", KEY, secrets.token_bytes)
    return tmp_path / "a.links"


def give(path: Path, memory: Path | None, *patients: str, trusting: bool = False) -> list[str]:
    with LinkTable(path, KEY, secrets.token_bytes, memory=memory, trusting=trusting) as table:
        return [table.code_for("", patient) for patient in patients]


def test_an_older_copy_is_refused(path, tmp_path):
    memory = tmp_path / "memory"
    give(path, memory, "1", "2")
    older = path.read_bytes()
    give(path, memory, "3")
    path.write_bytes(older)
    with pytest.raises(StaleLinksError, match="has 2 links, and this computer remembers 3"):
        give(path, memory)
    with pytest.raises(StaleLinksError, match="older copy"):
        LinkTable(path, KEY, secrets.token_bytes, writable=False, memory=memory)


def test_a_copy_that_went_another_way_is_refused(path, tmp_path):
    memory = tmp_path / "memory"
    give(path, memory, "1")
    older = path.read_bytes()
    give(path, memory, "2")
    path.write_bytes(older)
    give(path, None, "3", "4", "5")  # on another computer
    with pytest.raises(StaleLinksError, match="another way"):
        give(path, memory)


def test_a_table_that_went_on_elsewhere_is_fine(path, tmp_path):
    memory = tmp_path / "memory"
    give(path, memory, "1")
    give(path, None, "2")
    assert len(give(path, memory, "1", "2")) == 2


def test_another_table_of_the_same_key_is_refused(path, tmp_path):
    memory = tmp_path / "memory"
    give(path, memory)
    path.unlink()
    begin_links(path, KEY, secrets.token_bytes)
    with pytest.raises(StaleLinksError, match="another one"):
        give(path, memory)


def test_a_lost_last_link_is_noticed_though_it_looks_unfinished(path, tmp_path):
    memory = tmp_path / "memory"
    give(path, memory, "1", "2")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StaleLinksError, match="has 1 links"):
        give(path, memory)


def test_who_knows_that_nothing_newer_is_left_can_go_on(path, tmp_path):
    memory = tmp_path / "memory"
    give(path, memory)
    older = path.read_bytes()
    give(path, memory, "1")
    path.write_bytes(older)
    give(path, memory, trusting=True)
    assert give(path, memory, "1")


def test_the_memory_names_no_patient_and_is_for_its_owner_alone(path, tmp_path):
    memory = tmp_path / "memory"
    (code,) = give(path, memory, "MRN5550123")
    file = memory_file(memory, KID)
    assert recall(memory, KID).count == 1
    assert "5550123" not in file.read_text()
    assert code not in file.read_text()
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"salt":"a","count":"x","chain":""}'])
def test_a_memory_that_makes_no_sense_is_none(tmp_path, text):
    memory_file(tmp_path, KID).write_text(text)
    assert recall(tmp_path, KID) is None


def test_a_folder_that_cannot_be_written_to_is_said(path, tmp_path):
    (tmp_path / "memory").write_text("")
    with pytest.raises(SaveError, match="folder is expected"):
        give(path, tmp_path / "memory", "1")
    give(path, None, "1")  # the lock was let go
