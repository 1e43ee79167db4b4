"""The compiled loops can be made ready before they are needed."""

from __future__ import annotations

import numpy as np

from napari_medlabel.edit import slice_kernels


def test_warming_compiles_what_the_tools_call() -> None:
    slice_kernels.warm()
    for kernel in (slice_kernels.flood, slice_kernels.distances):
        assert len(kernel.signatures) == 1


def test_a_flood_from_outside_the_mask_is_empty() -> None:
    mask = np.ones((4, 5), bool)
    mask[2, 2] = False
    assert not slice_kernels.flood(mask, 2, 2).any()
    assert slice_kernels.flood(mask, 0, 0).sum() == 19
