"""Keys: on every layer of a case, none twice, and let go at the end."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_medlabel.errors import InputError
from napari_medlabel.plugin.keys import Key, Keys


def pressed(layer: object, key: str) -> None:
    found = [f for k, f in layer.keymap.items() if str(k) == key]
    found[0](layer)


def test_a_key_works_on_layers_from_before_and_after() -> None:
    keys, done = Keys(), []
    first = Image(np.zeros((2, 2)), contrast_limits=(0, 1))
    second = Labels(np.zeros((2, 2), np.uint8))
    keys.attach(first)
    keys.bind("F2", "Save", lambda: done.append("saved"), group="Case")
    keys.attach(second)
    for layer in (first, second):
        pressed(layer, "F2")
    assert done == ["saved", "saved"]
    assert keys.listed == (Key("F2", "Save", "Case"),)
    assert keys.key_of("Save") == "F2"
    assert keys.key_of("Dance") == ""


def test_a_key_that_is_taken_is_refused() -> None:
    keys = Keys()
    keys.bind("F2", "Save", lambda: None, group="Case")
    with pytest.raises(InputError, match="F2 does something already"):
        keys.bind("F2", "Dance", lambda: None, group="Case")


def test_keys_are_let_go() -> None:
    keys = Keys()
    layer = Image(np.zeros((2, 2)), contrast_limits=(0, 1))
    keys.attach(layer)
    keys.bind("F2", "Save", lambda: None, group="Case")
    keys.bind("F6", "Dance", lambda: None, group="Case")
    keys.free("F2")
    assert [str(k) for k, f in layer.keymap.items() if f is not None] == ["F6"]
    keys.detach(layer)
    assert not [k for k, f in layer.keymap.items() if f is not None]
    keys.bind("F7", "Sing", lambda: None, group="Case")
    assert "F7" not in {str(k) for k in layer.keymap}
