"""napari looks among young objects only while a case's layers leave."""

from __future__ import annotations

import gc
import sys
from types import SimpleNamespace

import pytest

from napari_medlabel.plugin.garbage import young_garbage


@pytest.fixture
def canvas(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Give a module in the place of napari's canvas, and count how it collects."""
    made = SimpleNamespace(gc=gc)
    monkeypatch.setitem(sys.modules, "napari._vispy.canvas", made)
    return made


def test_garbage_is_looked_for_among_the_young_and_as_ever_afterwards(
    canvas: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda generation=2: asked.append(generation))
    with young_garbage("linux"):
        canvas.gc.collect()
        with young_garbage("linux"):
            canvas.gc.collect()
        canvas.gc.collect()
    assert asked == [1, 1, 1]
    with pytest.raises(ZeroDivisionError), young_garbage("linux"):
        raise ZeroDivisionError
    assert canvas.gc is gc


def test_drivers_that_need_it_get_it(canvas: SimpleNamespace) -> None:
    with young_garbage("win32"):
        assert canvas.gc is gc
