"""Where passphrases come from: files, variables, people; none stands in a message."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.secret.asking import (
    at_terminal,
    from_file,
    from_variable,
    given,
    new_at_terminal,
)


def _file(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def test_the_first_line_of_a_file_counts(tmp_path: Path) -> None:
    assert from_file(_file(tmp_path / "a", "some words \r\nmore\n")) == "some words "


@pytest.mark.parametrize("text", ["", "\nwords\n"])
def test_an_empty_first_line_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="that line is empty"):
        from_file(_file(tmp_path / "a", text))


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="its mode is 644") as caught:
        from_file(_file(tmp_path / "a", "some words", 0o644))
    assert "knows the passphrase" in caught.value.hint


def test_an_option_goes_before_a_variable(tmp_path: Path) -> None:
    option = _file(tmp_path / "option", "of the option")
    environ = {"WORDS": str(_file(tmp_path / "variable", "of the variable"))}
    assert given(option, "WORDS", environ) == "of the option"
    assert given(None, "WORDS", environ) == "of the variable"
    assert given(None, "WORDS", {}) is None
    assert from_variable("WORDS", {"WORDS": ""}) is None


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(InputError, match="no terminal") as caught:
        at_terminal("Passphrase: ", "Give a file.")
    assert caught.value.hint == "Give a file."


def _typing(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    typed = iter(words)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(typed))


def test_a_new_passphrase_is_typed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    _typing(monkeypatch, "several words", "several words")
    assert new_at_terminal("New: ", "") == "several words"
    _typing(monkeypatch, "several words", "other words")
    with pytest.raises(InputError, match="differ"):
        new_at_terminal("New: ", "")
    _typing(monkeypatch, "short")
    with pytest.raises(InputError, match="at least 8"):
        new_at_terminal("New: ", "")
