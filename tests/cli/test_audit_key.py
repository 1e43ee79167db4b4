"""``medlabel audit key``: keys made, shown, rotated, destroyed and carried elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from keyring.backends import fail

from napari_medlabel.audit.keys.install import load_install_key, read_introduction
from napari_medlabel.audit.keys.signatures import fingerprint
from napari_medlabel.audit.keys.tokens import load_token_keys
from napari_medlabel.audit.writer.place import default_root, default_state, writer_id
from napari_medlabel.cli.main import main
from napari_medlabel.secret import passphrase as sealing
from tests.secret.rings import Ring

WORDS = "correct horse battery"
Key = Callable[..., int]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)


@pytest.fixture(autouse=True)
def no_ring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words"
    path.write_text(f"{WORDS}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def key(words: Path, monkeypatch: pytest.MonkeyPatch) -> Key:
    monkeypatch.setenv("MEDLABEL_INSTALL_PASSPHRASE_FILE", str(words))
    return lambda *arguments: main(["audit", "key", *arguments])


def _events() -> list[tuple[str, dict]]:
    lines = [
        json.loads(line)
        for path in sorted(default_root().rglob("*.jsonl"), key=lambda path: path.name)
        for line in path.read_text().splitlines()
    ]
    found = [
        (line["event"], line["detail"])
        for line in lines
        if line.get("event", "").startswith("key.")
    ]
    return found[1:]  # the first one is the token key, made at the first opening


def test_a_key_is_made_shown_and_noted(key: Key, capsys: pytest.CaptureFixture[str]) -> None:
    assert key("create") == 0
    made = load_install_key(default_state())
    writer = writer_id(default_state())
    assert made is not None
    assert capsys.readouterr().out == (
        f"writer {writer}\ncode {fingerprint(made.public)}\nkept passphrase\n"
    )
    found = read_introduction(default_root(), writer)
    assert found is not None
    assert found.public == made.public
    ((event, detail),) = _events()
    assert (event, detail["key"]) == ("key.create", "install")
    assert key("create") == 2
    assert "File exists" in capsys.readouterr().err


def test_a_key_without_a_log_is_not_made(
    key: Key, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    state = default_state()
    state.parent.mkdir(exist_ok=True)
    (state / "spool").parent.mkdir(parents=True)
    (state / "spool").write_text("")
    assert key("create", "--audit", str(tmp_path / "file" / "audit")) == 3
    assert not (state / "install.key").exists()


def test_where_there_is_a_keyring_it_keeps_the_key(
    words: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = Ring()
    keyring.set_keyring(ours)
    assert main(["audit", "key", "create"]) == 0
    assert "kept keyring" in capsys.readouterr().out
    assert [name for _, name in ours.kept] == [f"install-{writer_id(default_state())}"]
    assert load_install_key(default_state()) is not None
    assert main(["audit", "key", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept"] == "keyring"
    assert main(["audit", "key", "rotate", "--passphrase-file", str(words)]) == 0
    assert "kept passphrase" in capsys.readouterr().out


def test_without_keyring_and_file_the_passphrase_is_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["audit", "key", "create"]) == 2
    assert "no terminal" in capsys.readouterr().err
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: WORDS)
    keyring.set_keyring(Ring())
    assert main(["audit", "key", "create", "--passphrase"]) == 0
    assert "kept passphrase" in capsys.readouterr().out
    assert load_install_key(default_state(), passphrase=WORDS) is not None


def test_the_key_is_shown_again_where_the_log_lacks_it(
    key: Key, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert key("show") == 2
    assert "it has none" in capsys.readouterr().err
    key("create")
    other = tmp_path / "other"
    assert key("show", "--audit", str(other)) == 0
    assert read_introduction(other, writer_id(default_state())) is not None


def test_a_batch_machine_shows_the_key_that_its_variable_names(
    key: Key,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    private = Ed25519PrivateKey.generate()
    pem = tmp_path / "batch.pem"
    pem.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    pem.chmod(0o600)
    monkeypatch.setenv("MEDLABEL_INSTALL_KEY", str(pem))
    assert key("show", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["code"] == fingerprint(private.public_key().public_bytes_raw())
    assert shown["kept"] == "file"
    first = read_introduction(default_root(), shown["writer"])
    assert key("show") == 0
    assert read_introduction(default_root(), shown["writer"]) == first


def test_a_new_key_takes_the_place_of_the_old_one(
    key: Key, capsys: pytest.CaptureFixture[str]
) -> None:
    assert key("rotate") == 2
    key("create")
    before = load_install_key(default_state())
    assert key("rotate") == 0
    after = load_install_key(default_state())
    assert before is not None
    assert after is not None
    assert before.public != after.public
    found = read_introduction(default_root(), writer_id(default_state()))
    assert found is not None
    assert found.public == after.public
    assert [event for event, _ in _events()] == ["key.create", "key.rotate"]


def test_a_key_is_destroyed(key: Key, capsys: pytest.CaptureFixture[str]) -> None:
    assert key("revoke") == 2
    key("create")
    assert key("revoke") == 0
    assert "medlabel audit site revoke w" in capsys.readouterr().err
    assert load_install_key(default_state()) is None
    assert _events()[-1][0] == "key.revoke"


def test_token_keys_are_rotated_and_carried(
    key: Key,
    words: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert key("rotate", "tokens") == 0
    assert capsys.readouterr().out == "token key 2\n"
    file = tmp_path / "tokens"
    assert key("tokens", "--export", str(file), "--passphrase-file", str(words)) == 0
    plain = tmp_path / "plain"
    assert key("tokens", "--export", str(plain), "--plain") == 0
    assert _events()[0] == ("key.rotate", {"key": "subject-token", "kid": 2})
    assert _events()[1:3] == [
        ("key.create", {"key": "subject-token", "kid": kid, "copy": "exported"})
        for kid in (1, 2)
    ]
    keys = load_token_keys(default_state())
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "elsewhere"))
    assert key("tokens", "--import", str(plain)) == 3
    assert "--replace" in capsys.readouterr().err
    more = ("--replace", "--passphrase-file", str(words))
    assert key("tokens", "--import", str(file), *more) == 0
    assert capsys.readouterr().out == "2 token key(s) new here\n"
    assert {one.secret for one in keys} < {
        one.secret for one in load_token_keys(default_state())
    }
    count = len(_events())
    assert key("tokens", "--import", str(plain)) == 0
    assert len(_events()) == count


def test_the_passphrase_of_a_token_file_is_typed_where_none_is_named(
    key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: WORDS)
    file = str(tmp_path / "tokens")
    assert key("tokens", "--export", file) == 0
    assert key("tokens", "--import", file) == 0
