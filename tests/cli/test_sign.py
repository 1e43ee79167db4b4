"""``medlabel sign``: key, signature and its check, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.keys.pins import pin_officer
from napari_medlabel.audit.writer.place import default_root, default_state
from napari_medlabel.cli.main import main
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.session.case import Session
from napari_medlabel.session.saving import save

WORDS = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path = tmp_path / "words"
    path.write_text(f"{WORDS}\n")
    path.chmod(0o600)
    monkeypatch.setenv("MEDLABEL_OFFICER_PASSPHRASE_FILE", str(path))
    return str(path)


@pytest.fixture
def mask(session: Session) -> str:
    box = (slice(1, 3), slice(2, 4), slice(0, 1))
    session.edit(box, np.ones((2, 2, 1), np.uint8), name="Square")
    save(session)
    return str(session.place.mask)


def _sign(mask: str, words: str, *more: str) -> int:
    named = ("--name", "Dr. Jane Doe", "--passphrase-file", words)
    return main(["sign", mask, "--meaning", "authored", *named, *more])


def test_a_person_makes_a_key_signs_and_is_named_by_the_officer(
    mask: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sign", "verify", mask]) == 4
    assert "nobody signed this mask" in capsys.readouterr().out
    assert _sign(mask, words) == 2
    assert "medlabel sign key" in capsys.readouterr().err
    assert main(["sign", "key", "--passphrase-file", words]) == 0
    shown = dict(line.split(" ", 1) for line in capsys.readouterr().out.splitlines())
    assert _sign(mask, words) == 0
    assert capsys.readouterr().out.startswith("authored 20")
    assert main(["sign", "verify", mask]) == 4
    assert "AMBER the officer has not named" in capsys.readouterr().out
    assert main(["audit", "site", "init", "ward-3"]) == 0
    assert main(["audit", "site", "user", shown["user"], shown["pub"]]) == 0
    capsys.readouterr()
    assert main(["sign", "verify", mask]) == 0
    out = capsys.readouterr().out
    assert "authored  Dr. Jane Doe" in out
    assert "GREEN" in out


def test_what_was_signed_is_told_as_json(
    mask: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["sign", "key", "--passphrase-file", words])
    _sign(mask, words)
    capsys.readouterr()
    assert main(["sign", "verify", mask, "--json"]) == 4
    document = json.loads(capsys.readouterr().out)
    (one,) = document["signatures"]
    assert (one["name"], one["meaning"], one["standing"]) == (
        "Dr. Jane Doe",
        "authored",
        "unregistered",
    )
    assert document["broken"] == 0


def test_a_changed_statement_is_red(
    mask: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["sign", "key", "--passphrase-file", words])
    _sign(mask, words)
    (path,) = (default_root() / "signatures").iterdir()
    path.write_bytes(path.read_bytes().replace(b"Jane", b"Joan"))
    capsys.readouterr()
    assert main(["sign", "verify", mask]) == 5
    assert "1 statement(s) beside the log were changed" in capsys.readouterr().out


def test_a_key_is_made_once_and_renewed_on_purpose(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sign", "key", "--passphrase-file", words]) == 0
    first = capsys.readouterr().out
    assert main(["sign", "key", "--passphrase-file", words]) == 3
    assert "have a signing key already" in capsys.readouterr().err
    assert main(["sign", "key", "--renew", "--passphrase-file", words]) == 0
    assert capsys.readouterr().out != first
    lines = b"".join(path.read_bytes() for path in default_root().rglob("*.jsonl"))
    assert b'"event":"key.rotate"' in lines


def test_name_and_passphrase_are_asked_for(
    mask: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["sign", mask, "--meaning", "authored"]) == 2
    assert 'Give --name "First Last"' in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: WORDS)
    monkeypatch.setattr("builtins.input", lambda _prompt: " Dr. Jane Doe ")
    assert main(["sign", "key"]) == 0
    assert main(["sign", mask, "--meaning", "authored"]) == 0
    assert main(["sign", mask, "--meaning", "approved"]) == 3
    assert "needs somebody else" in capsys.readouterr().err


def test_a_site_that_is_not_to_be_believed_vouches_for_nobody(
    mask: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["sign", "key", "--passphrase-file", words])
    _sign(mask, words)
    assert main(["audit", "site", "init", "ward-3"]) == 0
    pin_officer(default_state(), "ward-3", b"x" * 32)
    capsys.readouterr()
    assert _sign(mask, words) == 0
    warned = capsys.readouterr().err
    assert main(["sign", "verify", mask]) == 3
    said = capsys.readouterr().err
    assert "whom this computer remembers" in said
    assert warned.removeprefix("warning: ") == said.removeprefix("medlabel: ")
