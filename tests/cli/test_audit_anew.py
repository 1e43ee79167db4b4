from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import pytest

from napari_medlabel.audit.writer.place import default_root, default_state, open_log
from napari_medlabel.cli import audit
from napari_medlabel.errors import InputError, LogError


def _run() -> int:
    parser = argparse.ArgumentParser()
    audit.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["audit", "anew"])
    code: int = parsed.run(parsed)
    return code


def _events() -> str:
    return "".join(path.read_text() for path in default_root().rglob("*.jsonl"))


def test_a_log_that_is_gone_is_not_begun_again_unasked() -> None:
    with open_log() as log:
        assert not log.is_local
    away = default_root().with_name("away")
    default_root().rename(away)
    with open_log() as log:
        assert log.is_local
        assert "not in its place" in log.lamp.sentence
        with pytest.raises(LogError):
            log.append("export.begin", detail={"destination": "folder"})
    assert not default_root().exists()
    away.rename(default_root())
    with open_log() as log:
        assert not log.is_local
    assert '"event":"tamper.found"' not in _events()


def test_asked_it_is_begun_again_and_says_what_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    open_log().close()
    shutil.rmtree(default_root())
    assert _run() == 0
    assert "begun again" in capsys.readouterr().out
    assert '"event":"tamper.found"' in _events()


def test_a_log_in_its_place_is_left_alone() -> None:
    open_log().close()
    with pytest.raises(InputError, match="in its place"):
        _run()


def test_a_folder_that_cannot_be_made_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_log().close()
    shutil.rmtree(default_root())
    default_root().write_text("a file stands here")
    with pytest.raises(LogError, match="could not be made"):
        _run()
    assert default_state().is_dir()
