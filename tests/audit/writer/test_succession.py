"""What a new session says about those before: its own writer's, in its own log."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.audit.bench import Bench


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def _detail(path: Path, number: int = 0) -> dict[str, object]:
    return _lines(path)[number]["detail"]  # type: ignore[return-value]


def test_a_session_of_the_same_length_with_another_end_is_noted(bench: Bench) -> None:
    first = bench.session()
    kept = first.read_bytes()
    other = Bench(bench.root.parent / "other")
    other.clock.utc += 1
    second = other.session()
    data = second.read_bytes()
    assert len(data) == len(kept)
    first.write_bytes(data)
    following = bench.session()
    found = _detail(following, 1)
    assert (_lines(following)[1]["event"], found["what"]) == ("tamper.found", "changed")


def test_sessions_of_another_writer_are_not_named(bench: Bench) -> None:
    with bench.open(writer="wfedcba9876543210"):
        pass
    assert "prev_session" not in _detail(bench.session())


def test_a_copy_of_the_log_goes_on_from_what_is_remembered_of_the_original(
    bench: Bench,
) -> None:
    first = bench.session()
    copy = bench.root.parent / "copy"
    shutil.copytree(bench.root, copy)
    original, bench.root = bench.root, copy
    second = bench.session()
    named = _detail(second)["prev_session"]
    assert named["origin"].endswith(first.stem)  # type: ignore[index]
    bench.root = original
    third = bench.session()
    named = _detail(third)["prev_session"]
    assert named["origin"].endswith(first.stem)  # type: ignore[index]
