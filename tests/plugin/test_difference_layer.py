"""Differences on the canvas lie where the labels do, and tell slots apart without colour."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.difference_layer import DifferenceLayer, is_striped, words_of
from napari_medlabel.project.agreement.differences import find_differences
from napari_medlabel.session.opening import open_case


@pytest.mark.parametrize("codes", ["LPS", "RAS", "PIR"])
def test_each_difference_lies_on_its_voxels_and_the_one_in_hand_is_white(
    make_grid: Callable[..., Grid], wishes, desk, tmp_path, codes: str
) -> None:
    grid = make_grid(codes)
    path = tmp_path / f"{codes}.nii.gz"
    write_mask_nifti(path, np.zeros(grid.shape, np.uint16, order="F"), None, False, grid.affine)
    session = open_case([path], desk, wishes, fallback=tmp_path)
    scheme = session.labels.scheme
    a, b = (LabelMap.empty(session.volume.grid, scheme) for _ in range(2))
    a.array[2:9, 2:9, 2:5] = 1
    b.array[5:11, 2:9, 1:5] = 1
    differences = find_differences({"A": a, "B": b})
    viewer = ViewerModel()
    binding = Binding(session, viewer)
    active = viewer.layers.selection.active
    shown = DifferenceLayer(binding, differences)
    assert viewer.layers.selection.active is active
    alone, other = (
        next(one for one in differences.found if one.kind("AB") == f"{slot} only")
        for slot in "AB"
    )
    shown.show([other.number], alone.number)
    for one, value in ((alone, 255), (other, 3)):
        at = binding.display.from_ras(one.place_ras)
        world = np.array(binding.display.translate) + at * np.array(binding.display.scale)
        assert shown.lines.get_value(world, world=True) == value
    fill = np.asarray(shown.fill.data)
    assert set(np.unique(fill)) == {0, 3}, "what is decided is not filled"
    assert 0 < np.count_nonzero(fill) < other.voxels, "it is striped"
    shown.show([], None)
    assert not np.any(shown.fill.data)
    assert set(np.unique(shown.lines.data)) == {0, 2, 3}
    shown.remove()
    assert [layer.name for layer in viewer.layers if "Diff" in layer.name] == []
    binding.detach()
    session.close()


def test_stripes_tell_readings_apart_without_colour_and_words_name_slots() -> None:
    places = np.ogrid[:12, :12]
    patterns = [is_striped(kind, places) for kind in (1, 2, 0)]
    for at, one in enumerate(patterns):
        assert one.any()
        assert not one.all()
        for other in patterns[at + 1 :]:
            assert not np.array_equal(one, other)
    assert [words_of(kind, "AB") for kind in (1, 2, 0)] == [
        "A only",
        "B only",
        "both, differently",
    ]
