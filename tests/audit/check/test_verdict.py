"""Verdicts: the worst finding decides; seals are found by size."""

from __future__ import annotations

import pytest

from napari_medlabel.audit.check.columns import Seals
from napari_medlabel.audit.check.verdict import SessionReport, Verdict, worst
from napari_medlabel.audit.format.finding import Finding


def _of(*levels: str) -> list[Finding]:
    return [Finding(level, "X", "") for level in levels]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("levels", "verdict", "code"),
    [
        ((), Verdict.GREEN, 0),
        (("note",), Verdict.GREEN, 0),
        (("note", "amber"), Verdict.AMBER, 4),
        (("amber", "red", "note"), Verdict.RED, 5),
    ],
)
def test_the_worst_finding_decides(
    levels: tuple[str, ...], verdict: Verdict, code: int
) -> None:
    assert worst(_of(*levels)) is verdict
    assert verdict.exit_code == code


def test_a_seal_is_found_by_its_size_alone() -> None:
    seals = Seals()
    seals.add(1, b"a" * 32)
    seals.add(5, b"b" * 32)
    assert (seals.root(1), seals.root(5)) == (b"a" * 32, b"b" * 32)
    assert [seals.root(size) for size in (0, 2, 6)] == [None] * 3


def test_a_file_outside_any_writer_has_no_writer() -> None:
    assert SessionReport("x.jsonl").writer == ""
    assert SessionReport("writers/w1/2026/11/x.jsonl").writer == "w1"


def test_a_finding_says_all_that_it_is_in_json() -> None:
    assert Finding("red", "X", "words", "file", 3).record() == {
        "code": "X", "file": "file", "level": "red", "line": 3, "text": "words",
    }  # fmt: skip
