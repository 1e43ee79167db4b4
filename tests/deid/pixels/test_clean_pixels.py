from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_medlabel.deid.pixels import clean_pixels
from napari_medlabel.deid.pixels.clean_pixels import (
    AGAIN,
    FIRST,
    ROUNDS,
    STRICT,
    blank_text,
    scales_for,
)
from napari_medlabel.deid.pixels.text_boxes import Found
from napari_medlabel.deid.pixels.text_views import Tone
from napari_medlabel.deid.refusal import QuarantineError

SHAPE = (40, 50)
NOTHING = np.zeros(SHAPE, bool)
Array = np.ndarray[Any, Any]


class Finder:
    """Takes the value 255 for text, and notes how it was asked."""

    def __init__(self) -> None:
        self.searches: list[object] = []
        self.unsure = 0

    def __call__(self, picture: Array, search: object, **_: object) -> Found:
        self.searches.append(search)
        mask = picture[..., 0] == 255
        return Found(mask, int(mask.any()), self.unsure)


@pytest.fixture
def finder(monkeypatch) -> Finder:
    made = Finder()
    monkeypatch.setattr(clean_pixels, "find_text", made)
    return made


def clip(count: int, *texts: int) -> Any:
    frames = np.zeros((count, *SHAPE, 3), np.uint8)
    frames[:, 0, :] = np.arange(50)[:, None] * 4
    for number in texts:
        frames[number, 10:14, 5:30] = 255

    def painted(number: int, mask: Array) -> Array:
        values = frames[number].copy()
        values[mask] = 0
        return values

    return painted


def test_text_is_blanked_and_then_searched_for_again(finder):
    done = blank_text(clip(1, 0), 1, Tone(), NOTHING)
    assert done.of(0)[10:14, 5:30].all()
    assert done.of(0).sum() == 100
    assert done.texts == 1
    assert set(finder.searches[:2]) == {FIRST}
    assert set(finder.searches[2:]) == {AGAIN}


def striped(value: int) -> Any:
    """A frame with strokes in it."""
    frame = np.zeros((*SHAPE, 3), np.uint8)
    frame[10:30, 5:45:5] = value
    return lambda _number, mask: np.where(mask[..., None], np.uint8(0), frame)


def test_nothing_found_is_nothing_black(finder):
    done = blank_text(striped(200), 1, Tone(), NOTHING, strict=True)
    assert not done.of(0).any()
    assert (done.texts, done.unsure) == (0, 0)
    assert set(finder.searches) == {STRICT}


def test_what_has_no_strokes_is_not_shown_to_the_detector(finder):
    assert not blank_text(clip(1), 1, Tone(), NOTHING, strict=True).of(0).any()
    assert finder.searches == []


def test_text_is_found_among_strokes(finder):
    done = blank_text(striped(255), 1, Tone(), NOTHING, strict=True)
    assert done.texts == 1
    assert done.of(0).sum() == 20 * 8


def test_what_is_black_already_stays_so(finder):
    start = NOTHING.copy()
    start[5] = True
    assert blank_text(clip(1), 1, Tone(), start).of(0)[5].all()
    assert not start[6].any()


def test_text_of_one_of_few_frames_is_blanked_there_only(finder):
    done = blank_text(clip(3, 1), 3, Tone(), NOTHING)
    assert [bool(done.of(n).any()) for n in range(3)] == [False, True, False]


def test_text_that_stays_through_a_clip_is_blanked_in_all_of_it(finder):
    done = blank_text(clip(20, *range(20)), 20, Tone(), NOTHING)
    assert all(done.of(n)[10:14, 5:30].all() for n in range(20))


def test_text_of_some_frames_is_blanked_in_all_where_the_whole_clip_shows_it(finder):
    done = blank_text(clip(20, 3), 20, Tone(), NOTHING)
    assert done.of(3)[10:14, 5:30].all()
    assert done.all_frames[12, 12]


def test_doubtful_places_are_counted_once(finder):
    finder.unsure = 2
    assert blank_text(clip(1, 0), 1, Tone(), NOTHING).unsure == 2


def test_text_that_does_not_go_away_is_refused(monkeypatch):
    calls = []

    def everywhere(picture: Array, _search: object, **_: object) -> Found:
        calls.append(1)
        mask = np.zeros(SHAPE, bool)
        mask[len(calls)] = True
        return Found(mask, 1)

    monkeypatch.setattr(clean_pixels, "find_text", everywhere)
    with pytest.raises(QuarantineError, match="text found in pixels after cleaning"):
        blank_text(clip(1), 1, Tone(), NOTHING)
    assert len(calls) == 2 * ROUNDS


def test_large_pictures_and_blocks_of_frames_are_not_enlarged():
    assert scales_for(512, 512, closely=True) == (1, 2)
    assert scales_for(512, 512, closely=False) == (1,)
    assert scales_for(3000, 2000, closely=True) == (1,)
