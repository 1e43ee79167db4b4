"""Logical operators, voxel by voxel; and the faults of the peers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.logic import combine
from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.scene import Proposal, Scene, whole
from napari_medlabel.errors import InputError


def a_scene(labels: np.ndarray, rules: Masking | None = None) -> Scene:
    image = np.arange(labels.size).reshape(labels.shape)
    return Scene(labels, image, (1.0, 1.0, 1.0), rules or Masking())


def row(*values: int) -> np.ndarray:
    return np.array(values, np.uint8).reshape(-1, 1, 1)


def full(scene: Scene, proposal: Proposal | None) -> list[int]:
    out = scene.labels.copy()
    if proposal is not None:
        out[proposal.box] = proposal.after
    return [int(value) for value in out.ravel()]


@pytest.mark.parametrize(
    ("how", "after", "words"),
    [
        ("add", [0, 1, 1, 1, 3], "What is label 2 becomes label 1: 1 mm3."),
        ("copy", [0, 0, 0, 1, 3], "What is label 2 becomes label 1: 1 mm3."),
        ("invert", [1, 0, 0, 1, 1], "2 mm3 of label 1 go, 3 mm3 come. 2 mm3 of it is taken"),
        ("clear", [0, 0, 0, 2, 3], "2 mm3 of label 1 go."),
        ("fill", [1, 1, 1, 1, 1], "3 mm3 come to label 1. 2 mm3 of it is taken from labels "),
    ],
)
def test_a_label_is_combined_with_another(how: str, after: list[int], words: str) -> None:
    scene = a_scene(row(0, 1, 1, 2, 3))
    proposal = combine(scene, whole(scene.shape), 1, 2, how=how)  # type: ignore[arg-type]
    assert full(scene, proposal) == after
    assert proposal is not None
    assert proposal.words.startswith(words)
    assert (proposal.provider, proposal.origin) == ("", "human")


def test_two_labels_share_no_voxel_so_subtracting_one_is_refused() -> None:
    scene = a_scene(row(0, 1, 1, 2, 3))
    for how in ("subtract", "intersect"):
        with pytest.raises(InputError, match="Labels 1 and 2 share no voxel"):
            combine(scene, whole(scene.shape), 1, 2, how=how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("other", "how", "message"),
    [
        (None, "add", "a second segment or a region"),
        (1, "add", "not with itself"),
        (np.ones((2, 1, 1), bool), "subtract", "true or false on the shape"),
        (np.ones((5, 1, 1)), "subtract", "true or false on the shape"),
        (2, "xor", "no operator 'xor'"),
    ],
)
def test_what_cannot_be_combined_is_refused(other: object, how: str, message: str) -> None:
    scene = a_scene(row(0, 1, 1, 2, 3))
    with pytest.raises(InputError, match=message):
        combine(scene, whole(scene.shape), 1, other, how=how)  # type: ignore[arg-type]


def test_it_works_in_its_box_only() -> None:
    scene = a_scene(row(1, 1, 1, 1))
    box = (slice(1, 3), slice(0, 1), slice(0, 1))
    assert full(scene, combine(scene, box, 1, how="clear")) == [1, 0, 0, 1]


def test_clearing_obeys_the_rules() -> None:
    """Erasing all once ignored the mask (Slicer#5831)."""
    scene = a_scene(row(1, 1, 1, 1), Masking(low=2))
    proposal = combine(scene, whole(scene.shape), 1, how="clear")
    assert full(scene, proposal) == [1, 1, 0, 0]
    assert proposal is not None
    assert proposal.words.endswith(
        "Another 2 mm3 would change, but the rules for editing forbid it."
    )


def test_no_two_labels_are_left_on_one_voxel() -> None:
    """Overwriting the visible ones let segments overlap (Slicer#5338); hidden ones stay."""
    rules = Masking(overwrite="visible", hidden=frozenset({3}))
    scene = a_scene(row(0, 1, 2, 3), rules)
    assert full(scene, combine(scene, whole(scene.shape), 1, how="fill")) == [1, 1, 1, 3]


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 999),
    shape=st.tuples(*[st.integers(1, 5)] * 3),
    how=st.sampled_from(("add", "subtract", "intersect", "copy", "invert", "clear", "fill")),
    rules=st.sampled_from(
        (
            Masking(),
            Masking("inside", frozenset({1})),
            Masking("outside", frozenset({2}), low=10),
            Masking(overwrite="none", locked=frozenset({2})),
        )
    ),
)
def test_a_region_is_combined_voxel_by_voxel(
    seed: int, shape: tuple[int, int, int], how: str, rules: Masking
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, shape).astype(np.uint8)
    region = rng.random(shape) < 0.5
    scene = a_scene(labels, rules)
    wanted = labels.copy()
    for at in np.ndindex(shape):
        own, other = labels[at] == 1, region[at]
        gets = {
            "add": own or other,
            "subtract": own and not other,
            "intersect": own and other,
            "copy": other,
            "invert": not own,
            "clear": False,
            "fill": True,
        }[how]
        wanted[at] = 1 if gets else (0 if own else labels[at])
    proposal = combine(scene, whole(shape), 1, region, how=how)  # type: ignore[arg-type]
    expected = rules.clamp(labels, wanted, scene.image, (1,))
    assert full(scene, proposal) == expected.ravel().tolist()
