"""Keys of a case: bound on its layers, lent by napari for a while, listed always."""

from __future__ import annotations

import pytest
from napari.components import ViewerModel
from napari.utils.key_bindings import KeymapHandler

from napari_medlabel.errors import InputError
from napari_medlabel.plugin.keys import Keys


@pytest.fixture
def pressed(viewer: ViewerModel):
    """Return keys on a labels layer, and a function that presses one as napari does."""
    import numpy as np

    layer = viewer.add_labels(np.zeros((3, 3, 3), np.uint8))
    handler = KeymapHandler()
    handler.keymap_providers = [layer, viewer]
    keys = Keys()
    keys.attach(layer)
    return keys, handler, layer


def test_a_key_does_its_work_until_it_is_freed(pressed) -> None:
    keys, handler, _ = pressed
    done: list[str] = []
    keys.bind("W", "Brush", lambda: done.append("w"), group="Draw")
    assert handler.press_key("W")
    assert done == ["w"]
    assert not keys.is_free("W")
    assert keys.key_of("Brush") == "W"
    with pytest.raises(InputError, match="does something already"):
        keys.bind("W", "Other", lambda: None, group="Draw")
    keys.free("W")
    assert keys.is_free("W")
    assert not handler.press_key("W")


def test_a_resting_key_is_naparis_and_a_woken_one_ours(pressed) -> None:
    keys, handler, layer = pressed
    done: list[str] = []
    layer.undo = lambda: done.append("napari")
    keys.bind("Control-Z", "Ours", lambda: done.append("ours"), group="Draw", resting=True)
    assert [key.key for key in keys.listed] == ["Control-Z"]
    assert not keys.press("Control-Z")
    handler.press_key("Control-Z")
    keys.wake("Control-Z")
    handler.press_key("Control-Z")
    assert keys.press("Control-Z")
    keys.rest("Control-Z")
    handler.press_key("Control-Z")
    keys.wake("Control-Z")
    keys.free("Control-Z")
    handler.press_key("Control-Z")
    assert done == ["napari", "ours", "ours", "napari", "napari"]


def test_a_key_that_is_held_hears_that_it_is_let_go(pressed) -> None:
    keys, handler, _ = pressed
    heard: list[str] = []
    keys.bind(
        "Space",
        "Move",
        lambda: heard.append("down"),
        group="Tools",
        release=lambda: heard.append("up"),
    )
    handler.press_key("Space")
    assert heard == ["down"]
    handler.release_key("Space")
    assert heard == ["down", "up"]


def test_what_a_key_returns_is_not_called_when_it_is_let_go(pressed) -> None:
    keys, handler, _ = pressed
    called: list[int] = []
    keys.bind("W", "Brush", lambda: lambda: called.append(1), group="Draw")
    handler.press_key("W")
    handler.release_key("W")
    assert not called


def test_layers_that_come_later_have_the_keys_too(pressed, viewer: ViewerModel) -> None:
    keys, handler, _ = pressed
    done: list[str] = []
    keys.bind("W", "Brush", lambda: done.append("w"), group="Draw")
    points = viewer.add_points([[0, 0, 0]])
    keys.attach(points)
    handler.keymap_providers = [points, viewer]
    handler.press_key("W")
    assert done == ["w"]
    keys.detach(points)
    assert not handler.press_key("W")
