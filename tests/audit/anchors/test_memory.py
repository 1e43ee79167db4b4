"""The memory of ends: torn lines, foreign files, and files that go away meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medlabel.audit.anchors import memory
from napari_medlabel.audit.anchors.memory import forget, recall
from tests.audit.bench import SAVE, Bench


def _file(bench: Bench) -> Path:
    (path,) = bench.state.glob("heads/*/*.jsonl")
    return path


def test_a_closed_session_is_remembered_with_its_length(bench: Bench) -> None:
    path = bench.session()
    (entry,) = recall(bench.state)
    assert (entry.head.size, entry.closed, entry.live, entry.failed) == (5, True, False, "")
    assert entry.length == path.stat().st_size
    assert entry.session == path.stem


def test_a_running_session_is_live(bench: Bench) -> None:
    with bench.open() as log:
        log.append_many([SAVE])
        (entry,) = recall(bench.state)
        assert (entry.live, entry.closed, entry.head) == (True, False, log.head)


def test_a_torn_last_line_gives_the_one_before(bench: Bench) -> None:
    bench.session()
    path = _file(bench)
    whole = path.read_bytes()
    for length in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:length])
        (entry,) = recall(bench.state)
        assert entry.head.size == whole[:length].count(b"\n") - 1


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"not json\n", b'{"origin":"x"}\n'])
def test_a_file_without_its_first_line_promises_nothing(bench: Bench, content: bytes) -> None:
    bench.session()
    _file(bench).write_bytes(content)
    assert recall(bench.state) == []


@pytest.mark.parametrize("line", [b"[]\n", b'{"size":1}\n', b"\0\0\0\n"])
def test_lines_of_another_form_are_passed_over(bench: Bench, line: bytes) -> None:
    bench.session()
    path = _file(bench)
    path.write_bytes(path.read_bytes() + line)
    (entry,) = recall(bench.state)
    assert entry.head.size == 5


def test_a_file_that_goes_away_meanwhile_is_no_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.session()
    (entry,) = recall(bench.state)
    real = memory.is_locked

    def gone(path: Path) -> bool:
        path.unlink()
        return real(path)

    monkeypatch.setattr(memory, "is_locked", gone)
    assert recall(bench.state) == []
    forget(entry)
    assert recall(bench.state) == []
