"""The README's help is the program's help."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medlabel.cli.main import build_parser

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- medlabel --help: begin", "<!-- medlabel --help: end -->"


def test_the_help_in_the_readme_is_what_the_program_prints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")  # Python 3.14 colours its help
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.partition(BEGIN)[2].partition(END)[0].partition("-->")[2]
    # Without white space: where lines break is Python's affair, and changes with it.
    shown = "".join(block.replace("```", "").split())
    assert shown == "".join(build_parser().format_help().split())


def test_the_readme_begins_with_one_sentence_and_one_picture() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    screen = readme.partition("\n## ")[0]
    assert screen.count("![") == 1
    assert "not a medical device" in screen
    assert "make demo" in screen
    assert "make test" in screen
