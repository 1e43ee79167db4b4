"""``medlabel audit who``: the number comes by stdin and stays nowhere; asking is noted."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.keys.token_file import export_tokens
from napari_medlabel.audit.keys.tokens import load_token_key, load_token_keys
from napari_medlabel.audit.writer import place
from napari_medlabel.audit.writer.place import default_root, default_state, open_log
from napari_medlabel.cli import audit
from napari_medlabel.errors import InputError, LogError

NUMBER = "MRN-4711-canary"


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str, typed: str = f"{NUMBER}\n") -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    parser = argparse.ArgumentParser()
    audit.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["audit", "who", *arguments])
    code: int = parsed.run(parsed)
    return code


@pytest.fixture
def token() -> str:
    """Write a log in which the patient was opened, and return the patient's token."""
    with open_log() as log:
        found = load_token_key(default_state()).subject_token("clinic", NUMBER)
        log.append("volume.open", subject=(found,), detail={"format": "dicom"})
        log.append("volume.open", subject=("s1-" + "4c" * 16,), detail={"format": "nifti"})
    return found


def _questions() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def seen(file: str, line: int, record: Any) -> None:
        if record["event"] == "audit.view":
            found.append(record)

    verify_log(default_root(), state=None, seen=seen)
    return found


def test_the_answer_is_in_words_and_the_question_is_noted_by_token(
    token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "--issuer", "clinic") == 4
    out = capsys.readouterr().out
    assert out.startswith("1 event of this patient by 1 user.")
    assert "(annotator)  Scan opened: format DICOM." in out
    assert "NIfTI" not in out
    (question,) = _questions()
    assert token in question["subject"]
    assert question["detail"] == {"view": "who", "events": 1, "sessions": 1}
    assert question["actor"]["role"] == "officer"


def test_the_number_is_kept_nowhere(
    token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(monkeypatch, "--issuer", "clinic", "--json")
    shown = capsys.readouterr()
    assert NUMBER not in shown.out + shown.err
    for folder in (default_root(), default_state()):
        for path in folder.rglob("*"):
            assert not path.is_file() or NUMBER.encode() not in path.read_bytes()


def test_json_has_the_events_with_file_and_line(
    token: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _run(monkeypatch, "--issuer", "clinic", "--json")
    (event,) = json.loads(capsys.readouterr().out)["events"]
    assert (default_root() / event["file"]).is_file()
    assert event["words"] == "Scan opened: format DICOM."
    assert event["name"] == ""
    table = tmp_path / "names.csv"
    table.write_text(f"{event['user']},Anna\u202e Musterfrau\n", encoding="utf-8")
    _run(monkeypatch, str(default_root()), NUMBER, "--issuer", "clinic", "--names", str(table))
    assert "  Anna Musterfrau (annotator)  Scan opened" in capsys.readouterr().out


def test_without_the_issuer_a_patient_may_not_be_found_and_that_comes_first(
    token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(monkeypatch)
    out = capsys.readouterr().out
    assert out.startswith("No event under this number without an issuer. ")
    assert "--issuer, written as in Issuer of Patient ID (0010,0021)" in out
    _run(monkeypatch, "--json", "--issuer", " ")
    shown = json.loads(capsys.readouterr().out)
    assert shown["answer"].startswith("No event under this number without an issuer. ")
    _run(monkeypatch, "--issuer", "another")
    out = capsys.readouterr().out
    assert out.startswith("No event under this number, with this issuer or without one. ")
    assert "Questions like this one, UTC:" in out  # those asked without an issuer
    assert "of this patient" not in out
    _run(monkeypatch, "--issuer", "another", "--issuer", "a third", typed="17")
    out = capsys.readouterr().out
    assert out.startswith("No event under this number, with these issuers or without one. ")
    assert "Questions" not in out


def test_several_issuers_are_all_tried(
    token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(monkeypatch, "--issuer", "another", "--issuer", "clinic")
    assert capsys.readouterr().out.startswith("1 event of this patient by 1 user.")


@pytest.mark.parametrize(
    "given", [(), ("-",), ("ROOT",), ("ROOT", "-"), (NUMBER,), ("ROOT", NUMBER)]
)
def test_one_argument_that_is_no_logs_folder_is_the_number(
    token: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, ...],
) -> None:
    words = [str(default_root()) if word == "ROOT" else word for word in given]
    typed = "" if NUMBER in given else f"{NUMBER}\n"
    _run(monkeypatch, *words, "--issuer", "clinic", typed=typed)
    assert capsys.readouterr().out.startswith("1 event of this patient by 1 user.")


def test_the_officers_own_key_file_is_used(
    token: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keys = load_token_keys(default_state())
    sealed, plain, phrase = (tmp_path / name for name in ("sealed", "plain", "phrase"))
    export_tokens(sealed, keys, "correct horse battery", lambda count: b"\7" * count)
    export_tokens(plain, keys, None, lambda count: b"\7" * count)
    phrase.touch(mode=0o600)
    phrase.write_text("correct horse battery\n")
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "elsewhere"))
    given = ("--issuer", "clinic", "--key")
    _run(monkeypatch, *given, str(sealed), "--passphrase-file", str(phrase))
    assert "1 event of this patient" in capsys.readouterr().out
    _run(monkeypatch, *given, str(plain))
    assert "2 events of this patient by 2 users." in capsys.readouterr().out
    with pytest.raises(InputError, match="no terminal to ask"):
        _run(monkeypatch, *given, str(sealed))


def test_without_a_key_there_is_no_answer(
    token: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(InputError, match="this computer has none"):
        _run(monkeypatch)


@pytest.mark.parametrize("typed", ["", "\n", "x" * 300])
def test_a_number_is_expected(token: str, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    with pytest.raises(InputError, match="Patient ID was expected"):
        _run(monkeypatch, typed=typed)


def test_on_a_terminal_it_is_asked_for(
    token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(io, "StringIO", Terminal)
    _run(monkeypatch)
    assert capsys.readouterr().err.startswith("Patient ID: ")


def test_a_question_that_cannot_be_noted_is_answered_and_that_is_said(
    token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: object) -> None:
        raise LogError("The disk is full.", hint="Make room.")

    monkeypatch.setattr(place, "open_log", refuse)
    assert _run(monkeypatch, "--issuer", "clinic") == 4
    shown = capsys.readouterr()
    assert "1 event of" in shown.out
    assert shown.err == "medlabel: not noted in the log: The disk is full. Make room.\n"
