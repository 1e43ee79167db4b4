"""``medlabel audit``: exit codes, the sentence first, JSON alone on stdout, its own trace."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pytest

from napari_medlabel.audit.writer.place import default_root, default_state, open_log
from napari_medlabel.cli import audit
from napari_medlabel.errors import InputError


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "audit"))
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def log_file() -> Path:
    with open_log() as log:
        log.append(
            "volume.open",
            subject=("s1-" + "3b" * 16,),
            detail={"format": "dicom", "slices": 40},
        )
    return log.path


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    audit.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["audit", *arguments])
    code: int = parsed.run(parsed)
    return code


def _break(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)


def test_a_good_log_without_a_site_is_amber_and_the_sentence_comes_first(
    log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("verify") == 4
    out = capsys.readouterr().out
    assert out.startswith("AMBER. Nothing is missing and nothing was altered")
    assert "1 session of 1 writer" in out.splitlines()[0]
    assert "not certified" in out
    assert "writer" in out
    assert _run("verify", "--quick") == 4
    assert "only the last signature" in capsys.readouterr().out.splitlines()[0]


def test_a_code_a_receipt_and_the_officers_letters_that_do_not_fit_are_refused_or_red(
    log_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="mistyped"):
        _run("verify", "--expect", "K7QF-2M9D")
    (tmp_path / "x.json").write_bytes(b"{}")
    with pytest.raises(InputError, match="receipt"):
        _run("verify", "--receipt", str(tmp_path / "x.json"))
    assert _run("verify", "--officer", "K7QF-2M9D") == 5
    assert "officer's document was expected" in capsys.readouterr().out
    assert _run("verify", "--objects") == 4


def test_a_changed_byte_is_red_with_file_and_line(
    log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _break(log_file)
    assert _run("verify") == 5
    out = capsys.readouterr().out
    assert out.startswith("RED. ")
    assert f"{log_file.name}:1\n" in out
    assert "The log was changed here" in out


def test_a_running_session_is_amber(capsys: pytest.CaptureFixture[str]) -> None:
    with open_log():
        assert _run("verify") == 4
    out = capsys.readouterr().out
    assert out.startswith("AMBER. Nothing shows that the log was altered")


def test_json_is_one_document(log_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _break(log_file)
    assert _run("verify", str(default_root()), "--json") == 5
    shown = json.loads(capsys.readouterr().out)
    assert shown["verdict"] == "red"
    assert shown["findings"][0]["line"] == 1
    assert shown["writers"][0]["red"] == 1


@pytest.mark.parametrize("command", ["verify", "show", "demo"])
def test_no_log_is_an_input_error(tmp_path: Path, command: str) -> None:
    (tmp_path / "empty").mkdir()
    for root in ("missing", "empty"):
        with pytest.raises(InputError) as caught:
            _run(command, str(tmp_path / root))
        assert caught.value.exit_code == 2
    assert not default_root().exists()


def test_show_prints_a_line_for_each_event(
    log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("show") == 4
    lines = capsys.readouterr().out.splitlines()
    (opened,) = [line for line in lines if "volume.open" in line]
    assert "s1-3b3b3b3b" in opened
    assert "format=dicom slices=40" in opened
    assert "s1-" + "3b" * 16 not in opened
    assert len(lines) == 3 + 4


def test_show_json_has_the_records(log_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("show", "--json") == 4
    shown = json.loads(capsys.readouterr().out)
    assert [event["event"] for event in shown["events"]] == [
        "session.open", "key.create", "volume.open", "session.close",
    ]  # fmt: skip
    assert shown["events"][2]["line"] == 5


@pytest.mark.parametrize(
    ("command", "event"), [("verify", "audit.verify"), ("show", "audit.view")]
)
def test_looking_at_the_log_is_itself_in_the_log(
    log_file: Path, capsys: pytest.CaptureFixture[str], command: str, event: str
) -> None:
    for _ in range(3):
        assert _run(command) == 4
    capsys.readouterr()
    assert _run("show", "--json") == 4
    shown = json.loads(capsys.readouterr().out)
    assert [e["event"] for e in shown["events"]].count(event) == 3


def test_where_nothing_can_be_written_the_verdict_is_still_given(
    log_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "file" / "audit"))
    shutil.rmtree(default_state() / "spool")
    (default_state() / "spool").write_bytes(b"")  # nor where the log would go instead
    assert _run("verify", str(tmp_path / "audit"), "--json") == 4
    captured = capsys.readouterr()
    assert json.loads(captured.out)["whole"] == "green"
    assert "not noted in the log" in captured.err


def test_the_demo_shows_a_whole_log_then_red_and_leaves_the_log_alone(
    log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = log_file.read_bytes()
    assert _run("demo") == 0
    out = capsys.readouterr().out
    assert out.index("AMBER. ") < out.index("RED. ")
    assert log_file.read_bytes() == before
    assert _run("demo", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["before"]["whole"], shown["after"]["whole"]) == ("green", "red")
    assert shown["example"] is False


def test_the_demo_makes_a_log_where_there_is_none_yet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _run("demo") == 0
    out = capsys.readouterr().out
    assert out.startswith("There is no log yet: this is an example")
    assert out.index("AMBER. ") < out.index("RED. ")
    assert not default_root().exists()


def test_the_demo_needs_an_event(log_file: Path) -> None:
    log_file.write_bytes(b"")
    with pytest.raises(InputError, match="at least one event"):
        _run("demo")


def test_a_line_of_the_log_names_the_options_and_leaves_out_what_is_long():
    from napari_medlabel.cli.audit_show import _row

    event = {
        "time": "T", "event": "deid.run", "outcome": 0, "actor": {"user": "u1"}, "subject": [],
        "detail": {"options": ["retain-dates", "retain-uids"], "many": [1], "hash": "x" * 30,
                   "n": 0},
    }  # fmt: skip
    line = _row(event)
    assert "options=retain-dates+retain-uids" in line
    assert "n=0" in line
    assert "many" not in line
    assert "hash" not in line
