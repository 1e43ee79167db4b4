"""Compiling while nobody waits."""

from __future__ import annotations

import sys

import pytest

from napari_medlabel.edit import morph_kernels, slice_loops
from napari_medlabel.edit.grow import kernels, runs
from napari_medlabel.edit.grow.warm import compile_now, warm_up


def test_it_compiles_all_versions_of_each_in_one_thread() -> None:
    thread = warm_up()
    assert warm_up() is thread
    thread.join(60)
    assert not thread.is_alive()
    for function in (kernels.load, runs._fill_plane, runs._mark):
        assert len(function.signatures) == 1
    for function in (kernels.spread, kernels.take_back):
        assert len(function.signatures) == 2  # numbers of strokes in one byte, and in two
    for function in (morph_kernels.blend, morph_kernels.render, morph_kernels.fill):
        assert len(function.signatures) >= 1
    assert slice_loops.ready() is not None


def test_without_numba_there_is_nothing_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    assert not compile_now()
