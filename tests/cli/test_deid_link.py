from __future__ import annotations

import io
import json
import secrets
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.keys.tokens import load_token_key
from napari_medlabel.audit.writer.place import default_root, default_state
from napari_medlabel.cli.main import main
from napari_medlabel.cli.project_key import links_memory
from napari_medlabel.deid.keys.key_file import make_project, read_project
from napari_medlabel.deid.keys.key_store import FileStore
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.keys.table import LinkTable

PATIENTS = [("Clinic", "MRN1"), ("", "MRN2"), ("study", "1.2.3.4"), ("", "Ã\x98rsted\x1b[2J")]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_project(FileStore(tmp_path / "trial.key"), secrets.token_bytes)
    return tmp_path / "trial.key"


def table(key: Path, *, copy: Path | None = None) -> LinkTable:
    project = read_project(FileStore(key))
    path = copy or key.with_name(key.name + ".links")
    memory = None if copy else links_memory()
    return LinkTable(path, project.key, secrets.token_bytes, memory=memory)


@pytest.fixture
def codes(key: Path) -> list[str]:
    with table(key) as links:
        return [links.code_for(*patient) for patient in PATIENTS]


@pytest.fixture
def link(key: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: object) -> tuple[int, str, str]:
        done = main(["deid", "link", *map(str, words), "--key", str(key)])
        return done, *capsys.readouterr()

    return run


def events() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if not default_root().exists():
        return found
    verify_log(
        default_root(),
        state=default_state(),
        seen=lambda file, line, record: found.append(dict(record)),
    )
    return [event for event in found if event["event"].startswith("reid.")]


def type_in(monkeypatch: pytest.MonkeyPatch, text: str, *, terminal: bool = False) -> None:
    stream = io.StringIO(text)
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", stream)


def test_a_code_tells_whose_it_is(link, codes):
    done, out, _ = link(codes[0], codes[1])
    assert done == 0
    assert out.splitlines() == [
        f"{codes[0]}  Patient ID MRN1  issuer Clinic",
        f"{codes[1]}  Patient ID MRN2",
    ]


def test_the_look_up_is_in_the_log_with_the_patients_token_and_no_identity(link, codes, key):
    link(codes[0], codes[1])
    (event,) = events()
    tokens = load_token_key(default_state())
    assert event["event"] == "reid.lookup"
    assert event["detail"] == {"codes": 2}
    assert set(event["subject"]) == {
        tokens.subject_token("Clinic", "MRN1"),
        tokens.subject_token("", "MRN2"),
    }
    logged = "".join(path.read_text("utf-8") for path in default_root().rglob("*.jsonl"))
    assert logged
    assert not any(word in logged for word in ("MRN", "Clinic", *codes))


def test_no_log_no_answer(link, codes, monkeypatch):
    from napari_medlabel.audit.writer.log import AuditLog
    from napari_medlabel.errors import LogError

    real = AuditLog.append

    def refuse(self: AuditLog, event: str, **more: Any) -> object:
        if event == "reid.lookup":
            raise LogError("full")
        return real(self, event, **more)

    monkeypatch.setattr(AuditLog, "append", refuse)
    done, out, err = link(codes[0])
    assert (done, out) == (3, "")
    assert "MRN1" not in err


def test_a_log_that_cannot_be_opened_gives_no_answer(link, codes, tmp_path):
    (tmp_path / "file").write_text("")
    done, out, err = link(codes[0], "--audit", tmp_path / "file")
    assert (done, out) == (3, "")
    assert "MRN1" not in err


def test_a_code_may_be_typed_as_it_was_read(link, codes):
    bare = codes[0].removeprefix("P-").lower().replace("0", "o").replace("1", "l")
    done, out, _ = link(bare)
    assert (done, "MRN1" in out) == (0, True)


def test_a_code_that_nobody_has_is_said_by_its_place(link, codes):
    done, out, err = link(codes[0], "P-ZZZZZZZZ")
    assert (done, "MRN1" in out) == (2, True)
    assert "code 2 of 2 is not in this table" in err
    assert len(events()) == 1


def test_patients_without_an_id_and_odd_ids_are_shown_safely(link, codes):
    _, out, _ = link(codes[2], codes[3])
    assert f"{codes[2]}  no Patient ID, study 1.2.3.4" in out
    assert "Ørsted\\x1b[2J" in out
    assert "\x1b" not in out


def test_json_is_one_document(link, codes):
    _, out, _ = link(codes[0], "--json")
    assert json.loads(out) == {
        "links": [
            {"code": codes[0], "issuer": "Clinic", "patient_id": "MRN1", "how": "current"}
        ]
    }


def test_ids_come_from_stdin_and_any_issuer_counts(link, codes, key, monkeypatch):
    with table(key) as links:
        other = links.code_for("Elsewhere", "MRN1")
    type_in(monkeypatch, "MRN1 \n\nØrsted\x1b[2J\nMRN9\n")
    done, out, err = link("--id")
    assert done == 2
    assert [line.split()[0] for line in out.splitlines()] == [codes[0], codes[3], other]
    assert "Patient ID 3 of 3 is not in this table" in err
    assert events()[0]["detail"] == {"codes": 3}


def test_a_person_at_a_terminal_is_asked_for_one_id(link, key, monkeypatch):
    with table(key) as links:
        links.code_for("", "\u00d6RN2")
    type_in(monkeypatch, "O\u0308RN2\nMRN1\n", terminal=True)
    done, out, err = link("--id")
    assert (done, len(out.splitlines())) == (0, 1)
    assert "Patient ID: " in err
    type_in(monkeypatch, "\n")
    done, out, err = link("--id")
    assert (done, out) == (2, "")
    assert "none came" in err


def test_codes_of_copies_from_before_the_table_are_told_as_such(link, codes, key):
    keyed = Pseudonyms(read_project(FileStore(key)).key).patient_code("Clinic", "MRN1")
    _, out, _ = link(keyed)
    assert out == f"{keyed}  Patient ID MRN1  issuer Clinic  (from the key)\n"


def test_a_key_from_before_the_tables_tells_the_code_of_an_id_and_no_ids_of_codes(
    link, key, monkeypatch
):
    project = read_project(FileStore(key))
    key.write_text(json.dumps(json.loads(key.read_text()) | {"version": 1}))
    key.with_name("trial.key.links").unlink()
    keyed = Pseudonyms(project.key).patient_code("", "MRN1")
    assert link(keyed)[0] == 2
    type_in(monkeypatch, "MRN1\n")
    assert link("--id")[1] == f"{keyed}  Patient ID MRN1  (from the key)\n"
    assert not key.with_name("trial.key.links").exists()
    assert len(events()) == 2


@pytest.mark.parametrize("words", [(), ("P-1", "--id"), ("--id", "--accept")])
def test_one_thing_at_a_time(link, codes, words):
    done, _, err = link(*words)
    assert done == 2
    assert "one of them" in err
    assert events() == []


def test_two_copies_that_went_apart_are_joined(link, codes, key, tmp_path):
    other = tmp_path / "copy.links"
    shutil.copy(key.with_name("trial.key.links"), other)
    with table(key, copy=other) as links:
        theirs = links.code_for("", "MRN7")
    with table(key) as links:
        links.code_for("", "MRN8")
    done, out, _ = link("--merge", other)
    assert (done, "patients added 1" in out) == (0, True)
    _, out, _ = link(theirs)
    assert "MRN7" in out
    assert [event["detail"]["codes"] for event in events()] == [5, 1]


def test_a_table_that_went_another_way_is_joined_with_the_copy_that_has_the_rest(
    link, codes, key, tmp_path
):
    here = key.with_name("trial.key.links")
    older = here.read_bytes()
    with table(key) as links:
        links.code_for("", "MRN7")
    newer = tmp_path / "newer.links"
    shutil.copy(here, newer)
    here.write_bytes(older)
    done, out, err = link(codes[0])
    assert (done, out) == (3, "")
    assert "--merge" in err
    assert "older copy" in err
    assert link("--merge", newer)[0] == 0
    assert events()[-1]["event"] == "reid.table"
    assert events()[-1]["detail"]["what"] == "merged"
    assert link(codes[0])[0] == 0


def test_a_copy_that_lacks_the_same_links_does_not_hide_that_they_are_lost(
    link, codes, key, tmp_path
):
    here = key.with_name("trial.key.links")
    older = tmp_path / "older.links"
    shutil.copy(here, older)
    with table(key) as links:
        links.code_for("", "MRN7")
    shutil.copy(older, here)
    done, out, err = link("--merge", older)
    assert (done, out) == (3, "")
    assert "older copy" in err
    assert link(codes[0])[0] == 3


def test_a_copy_with_the_others_code_of_one_patient_is_told_as_merged(
    link, codes, key, tmp_path
):
    other = tmp_path / "copy.links"
    shutil.copy(key.with_name("trial.key.links"), other)
    found = []
    for place in (None, other):
        with table(key, copy=place) as links:
            found.append(links.code_for("", "MRN7"))
    assert "further codes of known patients 1" in link("--merge", other)[1]
    assert "(of a merged table)" in link(found[1])[1]


def test_a_lost_table_is_begun_anew_only_when_somebody_says_so(link, codes, key):
    here = key.with_name("trial.key.links")
    key_id = read_project(FileStore(key)).key_id
    here.unlink()
    done, _, err = link(codes[0])
    assert done == 3
    assert "not beside it" in err
    done, out, _ = link("--accept")
    assert (done, out) == (0, "links 0\n")
    assert link(codes[0])[0] == 2
    event = events()[0]
    assert event["event"] == "reid.table"
    assert event["detail"] == {"what": "accepted", "codes": 0, "key_id": f"k-{key_id}"}


def test_an_older_table_is_accepted_only_when_somebody_says_so(link, codes, key):
    here = key.with_name("trial.key.links")
    older = here.read_bytes()
    with table(key) as links:
        links.code_for("", "MRN7")
    here.write_bytes(older)
    assert link(codes[0])[0] == 3
    assert link("--accept")[1] == "links 4\n"
    assert link(codes[0])[0] == 0
