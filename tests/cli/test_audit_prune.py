"""``medlabel audit prune``: only what is old, only by the officer, and nobody misses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.audit.check.retention import in_lots, overdue
from napari_medlabel.audit.check.verdict import LogReport
from napari_medlabel.audit.check.verify import session_paths, verify_log
from napari_medlabel.audit.format.layout import head_note
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.writer.place import default_root, default_state, open_log
from napari_medlabel.cli import audit_prune
from napari_medlabel.cli.main import main
from napari_medlabel.errors import SaveError
from napari_medlabel.secret import passphrase as sealing

_DAY_MS = 86_400_000


@pytest.fixture(autouse=True)
def officer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site whose officer's passphrase lies in a file, and two sessions of work."""
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)
    words = tmp_path / "words"
    words.write_text("correct horse battery\n")
    words.chmod(0o600)
    monkeypatch.setenv("MEDLABEL_OFFICER_PASSPHRASE_FILE", str(words))
    assert main(["audit", "site", "init", "ward-3"]) == 0
    for _ in range(2):
        with open_log() as log:
            log.append("volume.open", detail={"format": "dicom"})


def _later(monkeypatch: pytest.MonkeyPatch, days: int = 3000) -> None:
    now = audit_prune.now_ms()
    monkeypatch.setattr(audit_prune, "now_ms", lambda: now + days * _DAY_MS)


def _verify() -> LogReport:
    return verify_log(default_root(), state=default_state())


def test_nothing_that_is_young_is_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    before = session_paths(default_root())
    capsys.readouterr()
    assert main(["audit", "prune", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {"sessions": 0, "events": 0, "deleted": True}
    assert session_paths(default_root()) == before


def test_what_is_old_goes_and_a_note_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _later(monkeypatch)
    before = session_paths(default_root())
    capsys.readouterr()
    assert main(["audit", "prune", "--dry-run"]) == 0
    assert "2 session(s) with" in capsys.readouterr().out
    assert session_paths(default_root()) == before
    assert main(["audit", "prune"]) == 0
    assert "were deleted: older than 2190 days" in capsys.readouterr().out
    after = session_paths(default_root())
    assert [path for path in before if path not in after] == before[:2]
    report = _verify()
    assert report.whole.value == "green", report.findings
    assert {f.code for f in report.findings if f.level == "note"} >= {"PRUNED"}
    told = [path.read_bytes() for path in after if b"retention.prune" in path.read_bytes()]
    assert len(told) == 1
    assert b'"role":"officer"' in told[0]
    assert not any((default_root() / head_note(f"x/x/{p.parts[-4]}/{p.stem}")).exists()
                   for p in before[:2])  # fmt: skip


def test_a_red_log_is_kept_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _later(monkeypatch)
    path = session_paths(default_root())[0]
    path.write_bytes(path.read_bytes().replace(b'"outcome":0', b'"outcome":4', 1))
    assert main(["audit", "prune"]) == 3
    assert "is evidence" in capsys.readouterr().err
    assert path.exists()


def test_an_officer_who_was_dismissed_deletes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from napari_medlabel.audit.keys.officer import OfficerKey
    from napari_medlabel.audit.keys.signatures import SigningKey

    _later(monkeypatch)
    other = OfficerKey(SigningKey(b"z" * 32))
    monkeypatch.setattr(audit_prune, "present_officer", lambda arguments, log: other)
    before = session_paths(default_root())
    assert main(["audit", "prune"]) == 3
    assert "Only an officer whom the site names" in capsys.readouterr().err
    assert set(before) <= set(session_paths(default_root()))


def test_a_file_that_cannot_be_deleted_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _later(monkeypatch)

    def denied(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr("napari_medlabel.cli.audit_prune.Path.unlink", denied)
        with pytest.raises(SaveError, match="could not be deleted"):
            audit_prune._unlink(
                default_root(), Head("medlabel.local/a/w1/20260101T000000Z-x", 1, bytes(32))
            )


def test_the_last_session_of_a_workstation_stays_and_lots_are_small() -> None:
    report = _verify()
    heads = overdue(report, 0, report.sessions[-1].last_ms + _DAY_MS)
    assert len(heads) == len(report.sessions) - 1
    assert in_lots(heads, 2) == [tuple(heads[:2]), *([tuple(heads[2:])] if heads[2:] else [])]
    assert in_lots((), 2) == []
