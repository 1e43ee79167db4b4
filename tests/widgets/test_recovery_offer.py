"""The offer of unsaved work names all that it holds, and says what each answer does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_medlabel.session.journaled import changed_marks
from napari_medlabel.session.recovery import Recovery
from napari_medlabel.widgets.recovery_offer import describe

PLAIN = Recovery(
    Path("a.journal"), np.zeros((2, 2, 2), np.uint8), None, "2026-01-02T03:04:05Z", 1, True
)
END = "Taking it back can be undone; leaving it sets all of it aside, in a file."


def test_one_slice_is_one_slice() -> None:
    assert describe(PLAIN) == (
        f"Unsaved work from 2026-01-02 03:04:05 UTC was found: 1 slice. {END}"
    )


def test_all_that_a_journal_holds_is_named() -> None:
    full = replace(
        PLAIN, slices=3, landmarks={}, changed=("landmarks", "measurements"),
        scheme={}, drafts=[{}, {}], base_matches=False,
    )  # fmt: skip
    words = describe(full)
    assert (
        "3 slices, landmarks, measurements, the list of segments (names, colours, codes) and "
        "2 begun outlines. The mask has been saved since;"
    ) in words
    assert words.endswith(END)
    assert "found: 1 slice and 1 begun outline." in describe(replace(PLAIN, drafts=[{}]))


def test_landmarks_and_measurements_are_told_apart() -> None:
    point, line = {"type": "Fiducial", "n": 1}, {"type": "Line"}
    both = {"markups": [point, line]}
    assert changed_marks(both, both) == ()
    assert changed_marks(both, {"markups": [point]}) == ("measurements",)
    assert changed_marks(both, {"markups": [{**point, "n": 2}, line]}) == ("landmarks",)
    assert changed_marks(both, None) == ("landmarks", "measurements")
