"""What changes hands, in numbers and in words."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.edit import ledger
from napari_medlabel.edit.ledger import (
    Ledger,
    chosen,
    counted,
    label_words,
    volume_words,
    with_words,
)
from napari_medlabel.edit.scene import Proposal, Scene, whole
from napari_medlabel.errors import InputError


def a_proposal() -> tuple[Scene, Proposal]:
    labels = np.array([0, 1, 1, 2, 3, 3], np.uint8).reshape(1, 1, 6)
    scene = Scene(labels, np.zeros(labels.shape), (1.0, 2.0, 3.0))
    after = np.array([1, 1, 0, 1, 1, 3], np.uint8).reshape(1, 1, 6)
    proposal = scene.propose(whole(scene.shape), after, name="Edit", values=(1,))
    assert proposal is not None
    return scene, proposal


def test_a_ledger_counts_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, proposal = a_proposal()
    monkeypatch.setattr(ledger, "_CHUNK", 2)
    found = Ledger.of(proposal, scene.voxel_mm3)
    assert found.lost == {0: 1, 1: 1, 2: 1, 3: 1}
    assert found.gained == {0: 1, 1: 3}
    assert found.voxel_mm3 == 6
    assert found.says_others((1,)) == " 12 mm3 of it is taken from labels 2 and 3."
    assert found.says_others((1, 2, 3)) == ""


def test_words_name_what_comes_goes_and_is_forbidden() -> None:
    scene, proposal = a_proposal()
    said = with_words(scene, proposal, "{lost} go, {gained} come.{others}", wanted=5)
    assert said is not None
    assert said.words == (
        "6 mm3 go, 18 mm3 come. 12 mm3 of it is taken from labels 2 and 3. "
        "Another 6 mm3 would change, but the rules for editing forbid it."
    )
    assert with_words(scene, None, "x") is None


@pytest.mark.parametrize(
    ("mm3", "words"),
    [
        (0, "0 mm3"),
        (0.735, "0.73 mm3"),
        (640, "640 mm3"),
        (12_400, "12.4 ml"),
        (1.52e6, "1.52 l"),
    ],
)
def test_volumes_are_said_as_a_person_would(mm3: float, words: str) -> None:
    assert volume_words(mm3) == words


def test_numbers_and_labels_are_said_in_words() -> None:
    assert counted(1, "part") == "1 part"
    assert counted(3120, "part") == "3,120 parts"
    assert label_words([4]) == "label 4"
    assert label_words([3, 4, 9]) == "labels 3, 4 and 9"


def test_labels_are_chosen_once_each_in_order() -> None:
    assert chosen([3, 1, 3]) == (3, 1)


@pytest.mark.parametrize("values", [[], [0], [2, 0], [-1]])
def test_without_a_segment_there_is_nothing_to_work_on(values: list[int]) -> None:
    with pytest.raises(InputError, match="one segment or more"):
        chosen(values)
