"""``medlabel audit witness``: a key, looks, refusals, and a watch that can be stopped."""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.anchors.cosigned import read_cosignatures
from napari_medlabel.audit.anchors.witness import Round, WitnessMemory
from napari_medlabel.audit.format.layout import writer_of
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.audit.writer.place import default_root, default_state, open_log
from napari_medlabel.cli import audit
from napari_medlabel.cli.audit_witness import Watcher
from napari_medlabel.errors import InputError
from tests.audit.bench import SAVE, Bench


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The witness's own account; the log that it watches is the bench's."""
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "own" / "audit"))
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "own" / "state"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "ward")


@pytest.fixture
def key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    file = tmp_path / "witness.pem"
    assert _run("--name", "server", "--new-key", "--key", str(file)) == 0
    capsys.readouterr()
    return file


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    audit.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["audit", "witness", *arguments])
    code: int = parsed.run(parsed)
    return code


def _events() -> list[dict[str, Any]]:
    """Events of this account's own log, without those of every session."""
    found = []
    for path in sorted((default_root() / "writers").rglob("*.jsonl")):
        found += [json.loads(line) for line in path.read_bytes().splitlines()]
    every = ("session.open", "session.close", "anchor.observe", "key.create")
    return [one for one in found if one.get("event", every[0]) not in every]


def test_a_new_key_is_shown_with_what_the_officer_types(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "witness.pem"
    assert _run("--name", "server", "--new-key", "--key", str(file)) == 0
    out = capsys.readouterr().out
    assert "medlabel audit site witness server " in out
    assert "fingerprint" in out
    logged = b"".join(path.read_bytes() for path in default_root().rglob("*.jsonl"))
    assert b'"event":"key.create"' in logged
    assert b'"key":"witness"' in logged


def test_a_new_key_is_one_json_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "witness.pem"
    assert _run("--name", "server", "--new-key", "--key", str(file), "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert set(shown) == {"name", "pub", "fingerprint"}


def test_a_key_under_a_passphrase_works_without_a_terminal(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tmp_path / "words"
    words.write_text("correct horse battery\n")
    words.chmod(0o600)
    monkeypatch.setenv("MEDLABEL_WITNESS_PASSPHRASE_FILE", str(words))
    bench.session()
    assert _run("--name", "server", "--new-key") == 0
    assert _run(str(bench.root), "--name", "server") == 0
    monkeypatch.delenv("MEDLABEL_WITNESS_PASSPHRASE_FILE")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(InputError, match="no terminal"):
        _run(str(bench.root), "--name", "server")


def test_a_look_cosigns_and_leaves_its_event(
    bench: Bench, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.session()
    assert _run(str(bench.root), "--name", "server", "--key", str(key)) == 0
    assert "1 new or longer and cosigned" in capsys.readouterr().out
    (event,) = _events()
    assert event["event"] == "witness.cosign"
    assert [head["size"] for head in event["detail"]["heads"]] == [5]
    assert len(read_cosignatures(bench.root, [])) == 1


def test_a_second_look_at_the_same_log_leaves_no_event(
    bench: Bench, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.session()
    for _ in range(2):
        assert _run(str(bench.root), "--name", "server", "--key", str(key), "--json") == 0
        shown = json.loads(capsys.readouterr().out)
        assert (shown["verdict"], shown["sessions"]) == ("green", 1)
    assert (len(shown["cosigned"]), shown["renewed"]) == (0, 1)
    assert len(_events()) == 1


def test_a_log_that_was_cut_is_red_and_noted(
    bench: Bench, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bench.session()
    _run(str(bench.root), "--name", "server", "--key", str(key))
    capsys.readouterr()
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))
    assert _run(str(bench.root), "--name", "server", "--key", str(key)) == 5
    out = capsys.readouterr().out
    assert out.startswith("RED   writers/")
    assert "the witness saw 5 events" in out
    assert _run(str(bench.root), "--name", "server", "--key", str(key), "--json") == 5
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["code"] == "TRUNCATED"
    event = _events()[-1]
    assert (event["event"], event["detail"]["what"]) == ("tamper.found", "truncated")
    assert event["detail"]["head"]["size"] == 5


def test_a_session_that_was_never_seen_whole_is_red_without_a_head_to_note(
    bench: Bench, key: Path
) -> None:
    path = bench.session()
    path.write_bytes(path.read_bytes().replace(b'"voxels_added":18', b'"voxels_added":19', 1))
    assert _run(str(bench.root), "--name", "server", "--key", str(key)) == 5
    assert _events() == []


def test_the_witness_does_not_note_its_own_sessions_for_ever(key: Path) -> None:
    with open_log() as log:
        writer = writer_of(log.origin)
    for _ in range(3):
        assert _run("--name", "server", "--key", str(key)) == 0
    assert _events() == []
    memory = WitnessMemory(default_state(), "server", default_root())
    assert {writer_of(head.origin) for head in memory.read().values()} == {writer}


def test_without_a_key_nothing_is_looked_at(bench: Bench) -> None:
    bench.session()
    with pytest.raises(InputError, match="there is none under this account"):
        _run(str(bench.root), "--name", "server")


def test_without_a_log_it_is_said(tmp_path: Path, key: Path) -> None:
    with pytest.raises(InputError, match="there is none"):
        _run(str(tmp_path / "none"), "--name", "server", "--key", str(key))


@pytest.mark.parametrize("name", ["", "..", "a/b", "Server", "a b"])
def test_a_name_that_is_no_name_is_refused(bench: Bench, name: str) -> None:
    with pytest.raises(InputError, match="name of a witness"):
        _run(str(bench.root), "--name", name)


@pytest.mark.parametrize("seconds", ["0", "-1", "x"])
def test_an_interval_is_a_number_of_seconds(bench: Bench, seconds: str) -> None:
    with pytest.raises(SystemExit):
        _run(str(bench.root), "--name", "server", "--watch", seconds)


def _watcher(bench: Bench, tmp_path: Path) -> Watcher:
    memory = WitnessMemory(tmp_path / "state", "server", bench.root)
    return Watcher(bench.root, memory, SigningKey(bytes(32)), steady_s=lambda: 9_000.0)


def _stopping(times: int, between: Callable[[int], None]) -> Callable[[float], None]:
    count = 0

    def wait(seconds: float) -> None:
        nonlocal count
        assert seconds == 60
        count += 1
        if count == times:
            raise KeyboardInterrupt
        between(count)

    return wait


def test_a_watch_goes_on_until_it_is_stopped(bench: Bench, tmp_path: Path) -> None:
    bench.session()
    rounds: list[Round] = []
    wait = _stopping(3, lambda _: bench.session() and None)
    assert _watcher(bench, tmp_path).watch(60, rounds.append, wait) == 0
    assert [len(one.grown) for one in rounds] == [1, 1, 1]


def test_a_watch_remembers_that_something_did_not_fit_and_notes_it_once(
    bench: Bench, tmp_path: Path
) -> None:
    path = bench.session()
    data = path.read_bytes()

    def between(count: int) -> None:
        path.write_bytes(b"" if count < 3 else data)

    rounds: list[Round] = []
    assert _watcher(bench, tmp_path).watch(60, rounds.append, _stopping(4, between)) == 5
    assert [len(one.faults) for one in rounds] == [0, 1, 1, 0]
    assert [event["event"] for event in _events()] == ["witness.cosign", "tamper.found"]


def test_a_watch_outlives_a_share_that_is_gone_for_a_while(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.session()
    away = tmp_path / "away"

    def between(count: int) -> None:
        bench.root.rename(away) if count == 1 else away.rename(bench.root)

    rounds: list[Round] = []
    assert _watcher(bench, tmp_path).watch(60, rounds.append, _stopping(3, between)) == 2
    assert [len(one.faults) for one in rounds] == [0, 0]
    said = capsys.readouterr().err
    assert said.startswith("medlabel: The folder of an audit log was expected")
    assert "\nhint: " in said


def test_a_watch_of_a_log_that_is_none_does_not_begin(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is none"):
        _watcher(bench, tmp_path).watch(60, lambda _: None, _stopping(1, lambda _: None))


def test_a_memory_that_cannot_be_locked_is_said(bench: Bench, tmp_path: Path) -> None:
    bench.session()
    watcher = _watcher(bench, tmp_path)
    (watcher.memory.folder / "lock").mkdir(parents=True)
    with pytest.raises(InputError, match="IsADirectoryError"):
        watcher.look(lambda _: None)


def test_closed_files_that_nobody_touched_are_checked_once_an_hour(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_medlabel.audit.check import session_check

    bench.session()
    real, seen = session_check.check_session, []

    def counted(path: Path, file: str) -> object:
        seen.append(file)
        return real(path, file)

    monkeypatch.setattr(session_check, "check_session", counted)
    now = [9_000.0]
    watcher = _watcher(bench, tmp_path)
    watcher.steady_s = lambda: now[0]
    with bench.open() as log:
        watcher.look(lambda _: None)
        assert len(seen) == 2
        watcher.look(lambda _: None)
        assert len(seen) == 3  # the one that is open
        log.append_many([SAVE])
        watcher.look(lambda _: None)
        assert len(seen) == 4
    now[0] += 3600
    watcher.look(lambda _: None)
    assert len(seen) == 6


def test_a_watch_ends_as_interrupted_when_it_is_terminated(
    bench: Bench,
    key: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench.session()
    before = signal.getsignal(signal.SIGTERM)

    def wait(_: float) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Watcher.watch, "__defaults__", (wait,))
    assert _run(str(bench.root), "--name", "server", "--key", str(key), "--watch", "60") == 0
    assert signal.getsignal(signal.SIGTERM) == before
    assert "1 new or longer" in capsys.readouterr().out
    assert _run(str(bench.root), "--name", "server", "--key", str(key), "--watch", "60") == 0
    assert capsys.readouterr().out == ""


def test_a_file_that_cannot_be_read_is_said(bench: Bench, tmp_path: Path) -> None:
    path = bench.session()
    watcher = _watcher(bench, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "stat", _refused)
        with pytest.raises(InputError, match="PermissionError"):
            watcher._session(path)


def _refused(*_: object, **__: object) -> None:
    raise PermissionError(13, "no")
