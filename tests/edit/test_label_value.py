"""Labels that a mask cannot hold are refused by every tool that gives one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_medlabel.edit.flood import flood
from napari_medlabel.edit.label_value import of_mask
from napari_medlabel.edit.outline import fill_outline
from napari_medlabel.edit.scene import Scene, whole
from napari_medlabel.edit.threshold import local_threshold, threshold_box
from napari_medlabel.errors import InputError

SHAPE = (5, 5, 5)
SCENE = Scene(np.zeros(SHAPE, np.uint8), np.zeros(SHAPE), (1.0, 1.0, 1.0))


def test_a_label_has_the_type_of_the_mask() -> None:
    assert of_mask(255, np.uint8).dtype == np.uint8
    assert of_mask(300, np.uint16) == 300


@pytest.mark.parametrize("value", [256, 300, -1])
@pytest.mark.parametrize(
    "give",
    [
        lambda v: threshold_box(SCENE, whole(SHAPE), -1, 1, v),
        lambda v: local_threshold(SCENE, whole(SHAPE), (2, 2, 2), v),
        lambda v: flood(SCENE, whole(SHAPE), (2, 2, 2), v, tolerance=1),
        lambda v: fill_outline(SCENE, [(0, 0, 0), (4, 0, 0), (0, 4, 0)], 2, v),
    ],
)
def test_a_label_beyond_the_mask_is_refused(give: Callable[[int], object], value: int) -> None:
    with pytest.raises(InputError, match="has labels from 0 to 255"):
        give(value)
