"""Where the log lies, and the one call that opens it."""

from __future__ import annotations

import getpass
from pathlib import Path

import platformdirs
import pytest

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.keys.tokens import load_token_key
from napari_medlabel.audit.writer.place import default_root, default_state, open_log, writer_id
from napari_medlabel.errors import LogError
from tests.audit.bench import FakeIo, failing


def test_the_environment_says_where(tmp_path: Path) -> None:
    assert default_root() == tmp_path / "default" / "audit"
    assert default_state() == tmp_path / "default" / "state"


def test_else_the_users_own_folders_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDLABEL_AUDIT_DIR")
    monkeypatch.setenv("MEDLABEL_STATE_DIR", "")
    data = platformdirs.user_data_path("napari-medlabel", appauthor=False)
    assert default_root() == data / "audit"
    assert default_state() == platformdirs.user_state_path("napari-medlabel", appauthor=False)


def test_one_call_opens_the_log_and_notes_a_new_key_once() -> None:
    with open_log() as first:
        assert first.head.size == 2
    with open_log(role="officer") as second:
        assert second.head.size == 1
    assert b'"event":"key.create"' in first.path.read_bytes()
    report = verify_log(default_root(), state=default_state())
    assert report.verdict is not Verdict.RED


def test_the_user_stands_in_the_log_as_a_token_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "jane.doe")
    with open_log() as log:
        pass
    token = load_token_key(default_state()).user_token("jane.doe")
    assert token.encode() in log.path.read_bytes()
    assert b"jane" not in b"".join(
        path.read_bytes() for path in default_root().parent.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("err", [KeyError, OSError])
def test_an_account_without_a_name_can_write(
    monkeypatch: pytest.MonkeyPatch, err: type[Exception]
) -> None:
    def nobody() -> str:
        raise err

    monkeypatch.setattr(getpass, "getuser", nobody)
    with open_log() as log:
        assert log.healthy


def test_the_writer_is_the_same_at_each_start(tmp_path: Path) -> None:
    assert writer_id(tmp_path) == writer_id(tmp_path)


def test_a_spoilt_writer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "writer").write_bytes(b"jane")
    with pytest.raises(LogError, match="writer must be"):
        writer_id(tmp_path)


def test_a_writer_that_cannot_be_made_is_a_log_error(tmp_path: Path) -> None:
    io = FakeIo()
    io.fail = failing(1)
    with pytest.raises(LogError, match="name of the writer"):
        writer_id(tmp_path, io)


def test_where_neither_folder_can_be_made_there_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    state = tmp_path / "state"
    state.mkdir()
    (state / "spool").write_bytes(b"")
    with pytest.raises(LogError, match="could not be opened"):
        open_log(tmp_path / "file" / "audit", state=state)


def test_where_only_the_folder_cannot_be_made_the_spool_takes_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with open_log(tmp_path / "file" / "audit", state=tmp_path / "state") as log:
        assert log.is_local
        assert log.path.is_relative_to(tmp_path / "state" / "spool")
        assert log.lamp.level == "amber"
