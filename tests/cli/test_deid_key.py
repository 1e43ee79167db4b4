from __future__ import annotations

import getpass
import io
import json
import sys
from pathlib import Path

import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.writer.place import default_root, default_state
from napari_medlabel.cli.main import main
from napari_medlabel.deid.keys.key_file import read_project
from napari_medlabel.deid.keys.key_store import FileStore
from napari_medlabel.secret import passphrase as key_seal

WORDS = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with its real parameters is tried elsewhere; here it only costs time."""
    monkeypatch.setattr(key_seal, "MEMORY_KIB", 64)
    monkeypatch.setattr(key_seal, "ITERATIONS", 1)
    monkeypatch.delenv("MEDLABEL_PASSPHRASE", raising=False)


@pytest.fixture
def key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["deid", "key", "create", "--key", str(tmp_path / "trial.key")]) == 0
    return tmp_path / "trial.key"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "words"
    path.write_text(f"{WORDS}\n")
    path.chmod(0o600)
    return path


def type_in(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let somebody sit at a terminal and type."""
    prompts: list[str] = []
    left = iter(answers)

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return next(left)

    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr(getpass, "getpass", ask)
    return prompts


def test_a_key_is_made_with_a_table_and_named(key, capsys):
    out, err = capsys.readouterr()
    assert f"key {read_project(FileStore(key)).key_id}" in out
    assert "passphrase no" in out
    assert "backup" in err
    assert key.with_name("trial.key.links").exists()


def test_a_key_is_never_overwritten(key, capsys):
    before = key.read_bytes()
    assert main(["deid", "key", "create", "--key", str(key)]) == 2
    assert "never overwritten" in capsys.readouterr().err
    assert key.read_bytes() == before


def test_a_key_is_made_under_a_passphrase_that_is_typed_twice(tmp_path, monkeypatch, capsys):
    prompts = type_in(monkeypatch, WORDS, WORDS)
    path = tmp_path / "a.key"
    assert main(["deid", "key", "create", "--passphrase", "--key", str(path)]) == 0
    assert "passphrase yes" in capsys.readouterr().out
    assert len(prompts) == 2
    assert read_project(FileStore(path), lambda: WORDS).is_sealed


@pytest.mark.parametrize(
    ("typed", "said"), [((WORDS, WORDS + "x"), "differ"), (("short",), "at least 8")]
)
def test_a_passphrase_typed_wrongly_makes_no_key(tmp_path, monkeypatch, capsys, typed, said):
    type_in(monkeypatch, *typed)
    path = tmp_path / "a.key"
    assert main(["deid", "key", "create", "--passphrase", "--key", str(path)]) == 2
    assert said in capsys.readouterr().err
    assert not path.exists()


def test_show_needs_no_passphrase(key, secret, capsys):
    set_it = ["deid", "key", "passphrase", "set", "--key", str(key)]
    assert main([*set_it, "--new-passphrase-file", str(secret)]) == 0
    capsys.readouterr()
    assert main(["deid", "key", "show", "--key", str(key), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {
        "key_id": read_project(FileStore(key), lambda: WORDS).key_id,
        "version": 2,
        "passphrase": True,
        "links": True,
    }
    assert main(["deid", "key", "show", "--key", str(key)]) == 0
    assert "link table yes" in capsys.readouterr().out


def test_a_passphrase_is_set_changed_and_removed(key, secret, tmp_path, capsys):
    before = read_project(FileStore(key)).key
    other = tmp_path / "other"
    other.write_text("another passphrase")
    other.chmod(0o600)
    base = ["deid", "key", "passphrase"]
    at = ["--key", str(key)]
    assert main([*base, "set", *at, "--new-passphrase-file", str(secret)]) == 0
    assert "replace the backups" in capsys.readouterr().err
    change = [*base, "change", *at, "--passphrase-file", str(secret)]
    assert main([*change, "--new-passphrase-file", str(other)]) == 0
    assert main([*base, "remove", *at, "--passphrase-file", str(secret)]) == 2
    assert "does not open the key" in capsys.readouterr().err
    assert main([*base, "remove", *at, "--passphrase-file", str(other)]) == 0
    assert read_project(FileStore(key)).key == before


@pytest.mark.parametrize("action", ["change", "remove"])
def test_there_is_nothing_to_change_without_a_passphrase(key, action, capsys):
    assert main(["deid", "key", "passphrase", action, "--key", str(key)]) == 2
    err = capsys.readouterr().err
    assert "a passphrase, and it has none" in err
    assert "passphrase set" in err


def test_a_second_passphrase_is_not_set(key, secret, capsys):
    set_it = ["deid", "key", "passphrase", "set", "--key", str(key)]
    assert main([*set_it, "--new-passphrase-file", str(secret)]) == 0
    assert main([*set_it, "--new-passphrase-file", str(secret)]) == 2
    assert "passphrase change" in capsys.readouterr().err


def test_a_key_of_version_1_gets_a_table_with_its_passphrase(key, secret, capsys):
    document = json.loads(key.read_text()) | {"version": 1}
    key.write_text(json.dumps(document))
    key.with_name("trial.key.links").unlink()
    set_it = ["deid", "key", "passphrase", "set", "--key", str(key)]
    assert main([*set_it, "--new-passphrase-file", str(secret)]) == 0
    assert "a link table was begun" in capsys.readouterr().err
    assert key.with_name("trial.key.links").exists()


def test_a_key_in_use_is_not_changed(key, secret, capsys):
    import secrets

    from napari_medlabel.deid.keys.table import LinkTable

    project = read_project(FileStore(key))
    before = key.read_bytes()
    with LinkTable(key.with_name("trial.key.links"), project.key, secrets.token_bytes):
        set_it = ["deid", "key", "passphrase", "set", "--key", str(key)]
        assert main([*set_it, "--new-passphrase-file", str(secret)]) == 2
    assert "one at a time" in capsys.readouterr().err
    assert key.read_bytes() == before


def test_the_old_passphrase_in_the_environment_is_not_taken_for_the_new_one(
    key, secret, monkeypatch, capsys
):
    at = ["--key", str(key)]
    monkeypatch.setenv("MEDLABEL_PASSPHRASE", WORDS)
    assert main(["deid", "key", "passphrase", "set", *at]) == 0
    before = key.read_bytes()
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdin", stream)
    assert main(["deid", "key", "passphrase", "change", *at]) == 2
    assert "--new-passphrase-file" in capsys.readouterr().err
    assert key.read_bytes() == before
    type_in(monkeypatch, "another passphrase", "another passphrase")
    assert main(["deid", "key", "passphrase", "change", *at]) == 0
    assert read_project(FileStore(key), lambda: "another passphrase").is_sealed


def noted() -> list[tuple[str, dict[str, object]]]:
    """Events about project keys in the user's log, with their details."""
    found: list[tuple[str, dict[str, object]]] = []
    verify_log(
        default_root(),
        state=default_state(),
        seen=lambda _file, _line, record: found.append(
            (str(record["event"]), dict(record["detail"]))
        ),
    )
    return [
        (event, detail)
        for event, detail in found
        if detail.get("key") == "project" or event in ("key.seal", "user.auth.fail")
    ]


def test_making_and_sealing_a_key_is_in_the_log(key, secret):
    kid = f"k-{read_project(FileStore(key)).key_id}"
    words = ("deid", "key", "passphrase")
    assert main([*words, "set", "--key", str(key), "--new-passphrase-file", str(secret)]) == 0
    assert main([*words, "remove", "--key", str(key), "--passphrase-file", str(secret)]) == 0
    assert noted() == [
        ("key.create", {"key": "project", "key_id": kid}),
        ("key.seal", {"what": "set", "key_id": kid}),
        ("key.seal", {"what": "remove", "key_id": kid}),
    ]


def test_a_wrong_passphrase_is_in_the_log(key, secret, capsys):
    words = ("deid", "key", "passphrase")
    assert main([*words, "set", "--key", str(key), "--new-passphrase-file", str(secret)]) == 0
    secret.write_text("another passphrase\n")
    for command in ([*words, "remove"], ["deid", "link", "P-00000000"]):
        assert main([*command, "--key", str(key), "--passphrase-file", str(secret)]) == 2
        assert "does not open the key" in capsys.readouterr().err
    assert [event for event, _ in noted()][2:] == ["user.auth.fail"] * 2


def test_without_a_log_no_key_is_made(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    default_state().mkdir(parents=True)
    (default_state() / "spool").touch()  # nor can the log be kept on this computer
    path = tmp_path / "a.key"
    arguments = ["--key", str(path), "--audit", str(tmp_path / "file" / "audit")]
    assert main(["deid", "key", "create", *arguments]) == 3
    assert not path.exists()
    assert not path.with_name("a.key.links").exists()
