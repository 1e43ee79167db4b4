"""What a table holds for each voxel, plane by plane."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.edit.table import among, looked_up


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_it_is_what_indexing_gives(order: str, dtype: type) -> None:
    labels = np.random.default_rng(1).integers(0, 9, (5, 4, 3)).astype(dtype).copy(order=order)
    table = np.arange(9, dtype=np.float32) ** 2
    found = looked_up(table, labels)
    assert found.dtype == np.float32
    assert found.T.flags.c_contiguous
    assert np.array_equal(found, table[labels])
    assert np.array_equal(among(labels, (2, 7, 70_000, -1)), np.isin(labels, (2, 7)))
    assert looked_up(table, labels[:0]).shape == (0, 4, 3)
