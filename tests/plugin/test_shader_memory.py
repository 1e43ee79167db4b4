"""A shader's text is searched once; what is found is the same, and nobody else's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from napari_medlabel.plugin.shader_memory import remember_shaders

VERT = "uniform mat4 place;\nattribute vec2 corner; // uniform float not_one;\nvoid main() {}"
FRAG = "uniform float widths[2];\nvarying vec4 tint;\nvoid main() {}"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give vispy's program as it is without us, and put it back."""
    from vispy.gloo import program

    now = program.Program._parse_variables_from_code
    marked = getattr(now, "__wrapped__", now)
    monkeypatch.setattr(program.Program, "_parse_variables_from_code", marked)
    return program


def test_the_second_program_of_a_text_knows_what_the_first_one_found(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = program.Program(VERT, FRAG)
    assert remember_shaders()
    assert remember_shaders(), "again does nothing more"
    first = program.Program(VERT, FRAG)
    monkeypatch.setattr(program, "re", SimpleNamespace())  # no search works from here on
    second = program.Program(VERT, FRAG)
    assert sorted(first.variables) == sorted(second.variables) == sorted(alone.variables)
    second._code_variables.clear()
    second["widths"] = (1.0, 2.0)  # of a text that was not parsed yet: it waits
    third = program.Program(VERT, FRAG)
    assert sorted(third.variables) == sorted(alone.variables)
    third["widths[0]"] = 1.0
    assert third["widths[0]"] == 1.0


def test_another_text_is_searched(program: Any) -> None:
    assert remember_shaders()
    program.Program(VERT, FRAG)
    other = program.Program(VERT.replace("place", "elsewhere"), FRAG)
    assert "elsewhere" in [name for _, _, name in other.variables]


def test_a_vispy_that_does_it_otherwise_is_left_alone(
    program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(program.Program, "_process_pending_variables")
    assert not remember_shaders()
