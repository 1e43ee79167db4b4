"""``medlabel audit review``: an event of the reviewed log, of a page as it was made."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.keys import people
from napari_medlabel.audit.keys.people import find_statements, user_key_path
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.audit.keys.site import Officer, Policy, Site, site_document
from napari_medlabel.audit.keys.tokens import account_name, load_token_key
from napari_medlabel.audit.writer.place import default_root, default_state, open_log
from napari_medlabel.cli import audit
from napari_medlabel.cli import audit_review as module
from napari_medlabel.errors import InputError
from napari_medlabel.secret.passphrase import PassphraseError


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    audit.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["audit", *arguments])
    code: int = parsed.run(parsed)
    return code


def _events(name: str, root: Path | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def seen(file: str, line: int, record: Any) -> None:
        if record["event"] == name:
            found.append(record)

    verify_log(root or default_root(), state=None, seen=seen)
    return found


@pytest.fixture
def page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Write a small log and its page."""
    with open_log() as log:
        log.append("volume.open", subject=("s1-" + "3b" * 16,), detail={"format": "dicom"})
    path = tmp_path / "report.html"
    _run("report", "-o", str(path))
    capsys.readouterr()
    return path


def _due(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def test_a_sign_off_takes_over_what_the_page_said(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("review", "--report", str(page), "--findings", "2") == 0
    out = capsys.readouterr().out
    assert out.startswith("Reviewed, 2 finding(s); noted without a signature.")
    assert _due(30) in out
    (made,), (reviewed,) = _events("audit.report"), _events("audit.review")
    assert reviewed["detail"] == {**made["detail"], "findings": 2, "next_days": 30}
    assert reviewed["actor"]["role"] == "officer"


def test_the_days_are_ones_own_or_the_sites(page: Path) -> None:
    key = SigningKey(bytes(32))
    site = Site("ward", 1, 1, officers=(Officer(key.public),), policy=Policy(review_days=7))
    (default_root() / "site.json").write_bytes(site_document(site, key))
    _run("review", "--report", str(page), "--findings", "0")
    _run("review", "--report", str(page), "--findings", "0", "--next-days", "90")
    days = [event["detail"]["next_days"] for event in _events("audit.review")]
    assert days == [7, 90]


def test_json_is_one_document(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run("review", "--report", str(page), "--findings", "1", "--json")
    shown = json.loads(capsys.readouterr().out)
    assert shown["findings"] == 1
    assert shown["next_review"] == _due(30)
    assert shown["signed"] is False


def test_a_page_that_was_changed_is_refused(page: Path) -> None:
    page.write_bytes(page.read_bytes() + b" ")
    with pytest.raises(InputError, match="it was changed, or made elsewhere"):
        _run("review", "--report", str(page), "--findings", "0")
    assert _events("audit.review") == []


def test_a_page_of_another_log_is_known_by_the_own_log(page: Path, tmp_path: Path) -> None:
    other = tmp_path / "share"
    with open_log(other):
        pass
    second = tmp_path / "second.html"
    _run("report", str(other), "-o", str(second))
    _run("review", str(other), "--report", str(second), "--findings", "0")
    assert len(_events("audit.review", other)) == 1
    assert _events("audit.review") == []


def test_without_an_own_log_the_reviewed_one_alone_counts(
    page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = default_root()
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "none"))
    _run("review", str(root), "--report", str(page), "--findings", "0")
    assert len(_events("audit.review", root)) == 1


def test_a_page_that_is_not_there_is_refused(page: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read \\(FileNotFoundError\\)"):
        _run("review", "--report", str(tmp_path / "none"), "--findings", "0")


def test_a_file_larger_than_any_page_is_refused(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGEST", 10)
    with pytest.raises(InputError, match="made elsewhere"):
        _run("review", "--report", str(page), "--findings", "0")


@pytest.mark.parametrize("count", ["-1", "two", "1234567", "\u0663"])
def test_findings_are_a_number(
    page: Path, count: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _run("review", "--report", str(page), f"--findings={count}")
    assert "a whole number from 0 was expected" in capsys.readouterr().err


@pytest.fixture
def signer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give this account a signing key, and return the file with its passphrase."""
    state = default_state()
    token = load_token_key(state).user_token(account_name())
    path = user_key_path(state, token)
    path.parent.mkdir(parents=True)
    path.touch()

    def open_key(place: Path, purpose: str, ask: Any) -> SigningKey | None:
        if place != path or not path.exists():
            return None
        if ask() != "correct horse battery":
            raise PassphraseError("It is another one.", hint="Try again.")
        return SigningKey(bytes(32))

    monkeypatch.setattr(people, "open_key", open_key)
    phrase = tmp_path / "phrase"
    phrase.touch(mode=0o600)
    phrase.write_text("correct horse battery\n")
    return phrase


def _sign(page: Path, phrase: Path, *more: str) -> int:
    return _run(
        "review", "--report", str(page), "--findings", "0", "--passphrase-file", str(phrase),
        *more,
    )  # fmt: skip


def test_who_has_a_key_signs(
    page: Path, signer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _sign(page, signer, "--name", "Olga Officer")
    assert "signed with your key" in capsys.readouterr().out
    (event,) = _events("audit.review")
    (statement,) = find_statements(default_root(), event["detail"]["report"]).statements
    assert statement.digest == event["detail"]["statement"]
    assert (statement.said.name, statement.said.meaning) == ("Olga Officer", "reviewed")
    assert event["detail"]["pub"]
    assert event["detail"]["signature"]
    log = b"".join(path.read_bytes() for path in (default_root() / "writers").rglob("*.jsonl"))
    assert b"Olga" not in log


def test_a_name_is_needed_beside_a_signature(page: Path, signer: Path) -> None:
    with pytest.raises(InputError, match="A name to be printed"):
        _sign(page, signer)
    assert _events("audit.review") == []


def test_a_wrong_passphrase_is_noted_and_nothing_is_signed_off(
    page: Path, signer: Path
) -> None:
    signer.write_text("another one\n")
    with pytest.raises(PassphraseError):
        _sign(page, signer, "--name", "Olga Officer")
    assert len(_events("sign.fail")) == 1
    assert _events("audit.review") == []


def test_a_key_that_goes_away_meanwhile_signs_nothing(
    page: Path, signer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "open_key", lambda *_: None)
    _sign(page, signer, "--name", "Olga Officer")
    assert "signature" not in _events("audit.review")[0]["detail"]
