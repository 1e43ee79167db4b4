from __future__ import annotations

from collections.abc import Callable

import pytest
from napari.layers import Labels

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.plugin.segment_view import set_look, show_segments


@pytest.fixture
def labels(make_grid: Callable[..., Grid]) -> LabelMap:
    return LabelMap.empty(make_grid(), presets.scheme("abdomen"))


def test_hidden_segments_keep_their_colour_and_lose_their_ink(labels: LabelMap) -> None:
    layer = Labels(labels.array)
    show_segments(layer, labels, {1, 99})
    table = layer.colormap.color_dict
    assert table[1][3] == 0.0
    assert tuple(table[1][:3]) == pytest.approx(labels.scheme[1].rgb)
    assert table[2][3] == 1.0
    assert layer.features["name"][1] == "Liver"
    show_segments(layer, labels, ())
    assert layer.colormap.color_dict[1][3] == 1.0


def test_segments_are_filled_or_outlined(labels: LabelMap) -> None:
    layer = Labels(labels.array)
    set_look(layer, opacity=0.25, outline=3)
    assert (layer.opacity, layer.contour) == (0.25, 3)
    for opacity, outline in ((1.5, 0), (0.5, 99), (-0.1, 0), (0.5, -1)):
        with pytest.raises(InputError, match="cover the scan"):
            set_look(layer, opacity=opacity, outline=outline)
    assert (layer.opacity, layer.contour) == (0.25, 3)
