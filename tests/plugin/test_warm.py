"""What is built ahead of the first scan."""

from __future__ import annotations

from napari_medlabel.plugin.warm import warm_up


def test_layers_of_each_kind_are_made_once() -> None:
    warm_up.cache_clear()
    assert warm_up() == 3
    assert warm_up() == 3
    assert warm_up.cache_info().hits == 1
