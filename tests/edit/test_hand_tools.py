"""What all tools of the hand promise: rules are obeyed, and undo gives the bytes back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.brush import swept
from napari_medlabel.edit.edge_brush import edge_aware
from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.outline import fill_outline
from napari_medlabel.edit.patch import Patch
from napari_medlabel.edit.scene import Proposal, Scene, slab, whole
from napari_medlabel.edit.scissors import cut
from napari_medlabel.edit.threshold import Likeness, local_threshold, threshold_box
from napari_medlabel.errors import InputError

TOOLS = (
    *("brush", "edge brush", "outline", "erased outline"),
    *("erase_inside", "erase_outside", "fill_inside", "threshold", "local threshold"),
)
values = st.integers(1, 3)
maskings = st.builds(
    Masking,
    area=st.sampled_from(("everywhere", "inside", "outside")),
    segments=st.frozensets(values, min_size=1, max_size=2),
    low=st.sampled_from((None, 40)),
    high=st.sampled_from((None, 160)),
    overwrite=st.sampled_from(("all", "visible", "none")),
    hidden=st.frozensets(values, max_size=1),
    locked=st.frozensets(values, max_size=2),
)
shapes = st.tuples(st.integers(3, 9), st.integers(3, 9), st.integers(1, 6))
spacings = st.tuples(*[st.sampled_from((0.5, 1.0, 4.0))] * 3)


def paint(scene: Scene, at, axis: int, value: int, *, to_edges: bool) -> Proposal | None:
    mark = swept(scene.shape, at, at[::-1], None if value == 1 else axis, 2.0, scene.spacing_mm)
    if mark is None:
        return None
    box, region = mark
    middle = tuple(min(max(x, s.start), s.stop - 1) for x, s in zip(at, box, strict=True))
    if to_edges:
        region = edge_aware(scene, box, region, middle)
    after = np.where(region, np.uint8(value), scene.labels[box])
    return scene.propose(box, after, name="Paint", values=(value,))


def proposed(scene: Scene, tool: str, at, axis: int, value: int) -> Proposal | None:
    u, v = (a for a in range(3) if a != axis)
    around = np.array([at] * 3)
    around[:, u] += (-2, -2, 3)
    around[:, v] += (-2, 3, 1)
    box = whole(scene.shape) if value == 1 else slab(scene.shape, axis, at[axis])
    match tool:
        case "brush" | "edge brush":
            return paint(scene, at, axis, value, to_edges=tool == "edge brush")
        case "outline" | "erased outline":
            return fill_outline(scene, around, axis, value, erase=tool != "outline")
        case "erase_inside" | "erase_outside" | "fill_inside":
            return cut(scene, box, around, axis, mode=tool, value=value, values=(value,))
        case "threshold":
            return threshold_box(scene, box, 50, 130, value)
        case _:
            return local_threshold(scene, box, at, value, radius_mm=5, like=Likeness(low=20))


@given(
    st.sampled_from(TOOLS),
    shapes,
    spacings,
    maskings,
    st.integers(0, 2),
    values,
    st.integers(0, 10**6),
)
@settings(max_examples=40)
def test_rules_are_obeyed_and_undo_gives_the_bytes_back(
    tool, shape, spacing, masking, axis, value, seed
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, shape[::-1], dtype=np.uint8).T
    image = rng.integers(0, 200, shape[::-1]).astype(np.int16).T
    scene = Scene(labels, image, spacing, masking)
    at = tuple(int(rng.integers(0, n)) for n in shape)
    first_bytes = labels.T.tobytes()
    try:
        proposal = proposed(scene, tool, at, axis, value)
    except InputError:
        proposal = None
    assert labels.T.tobytes() == first_bytes  # tools never write
    if proposal is None:
        return
    after = labels.T.copy().T
    after[proposal.box] = proposal.after
    changed = after != labels
    assert changed.any()
    assert not (changed & ~masking.editable(labels, image, (value,))).any()
    assert not any((changed & ((labels == v) | (after == v))).any() for v in masking.locked)
    patch = Patch.between(labels, after, name=proposal.name)
    assert patch is not None
    patch.apply(labels)
    assert np.array_equal(labels, after)
    patch.inverse().apply(labels)
    assert labels.T.tobytes() == first_bytes
