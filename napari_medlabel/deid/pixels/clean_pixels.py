"""Which pixels of an image are blanked: outside the scan, at a device's places, at text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.pixels.text_boxes import Found, Search, find_text
from napari_medlabel.deid.pixels.text_strokes import WHOLE, places_with_strokes
from napari_medlabel.deid.pixels.text_views import Tone, View, pictures, views
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
ROUNDS = 6
"""Searches before an image is given up; the last one must find nothing."""

FIRST = Search()
"""How an image that often has text is searched first."""

AGAIN = Search(line=True)
"""How it is searched again."""

LAST = Search(line=True, read=True)
"""How it is searched when something was found twice: what nobody can read is grain."""

STRICT = Search(line=True, read=True, tallest=0.03, strokes=True)
"""How an image that seldom has text is searched: a slice of tomography, a radiograph."""

_LOOSE = (FIRST, AGAIN, AGAIN, LAST)
_LARGE = 1_500_000


@dataclass
class Blanking:
    """What is black of each frame, and why.

    Parameters
    ----------
    all_frames : ndarray of bool, shape (rows, columns)
        Black in every frame.
    some : dict of int to ndarray of bool
        Black in one frame besides.
    texts : int
        Lines or words of text that were found.
    unsure : int
        Places that look like text, but not enough to be called so.
    """

    all_frames: Mask
    some: dict[int, Mask]
    texts: int = 0
    unsure: int = 0

    def of(self, number: int) -> Mask:
        """Return what is black of a frame."""
        more = self.some.get(number)
        return self.all_frames if more is None else self.all_frames | more

    def add(self, view: View, mask: Mask, count: int) -> bool:
        """Make more of some frames black; return whether it is more than was."""
        if len(view.frames) == count:
            fresh = bool((mask & ~self.all_frames).any())
            self.all_frames = self.all_frames | mask
            return fresh
        fresh = False
        for number in view.frames:
            before = self.of(number)
            if (mask & ~before).any():
                fresh = True
                self.some[number] = self.some.get(number, False) | mask
        return fresh


def scales_for(rows: int, columns: int, *, closely: bool) -> tuple[int, ...]:
    """Return how many times larger than it is a picture is shown to the detector.

    Twice as large shows small text, as it is shows text of low contrast. What is large is not
    enlarged, for its text is not small.
    """
    if rows * columns > _LARGE or not closely:
        return (1,)
    return (1, 2)


def blank_text(
    painted: Callable[[int, Mask], Array],
    count: int,
    tone: Tone,
    start: Mask,
    *,
    strict: bool = False,
) -> Blanking:
    """Search frames for text, blank it, and search again until nothing is found.

    Parameters
    ----------
    painted : callable
        Returns a frame by number, with a mask painted black: stored grey values, or red,
        green and blue.
    count : int
        Frames.
    tone : Tone
        How grey values are shown.
    start : ndarray of bool, shape (rows, columns)
        What is black already for other reasons.
    strict : bool
        Whether only what can be read is text.

    Returns
    -------
    Blanking
        What must be black; the last search of the frames with it found nothing.

    Raises
    ------
    QuarantineError
        When text is found again and again.
    MissingPackageError
        Without the extra.
    """
    done = Blanking(start.copy(), {})
    for attempt in range(ROUNDS):
        search = STRICT if strict else _LOOSE[min(attempt, len(_LOOSE) - 1)]
        fresh, unsure = False, 0
        for view in views(lambda number: painted(number, done.of(number)), count):
            black = done.all_frames if len(view.frames) > 1 else done.of(view.frames[0])
            found = _search(view, tone, black, search)
            unsure += found.unsure
            if found.count and done.add(view, found.mask, count):
                fresh = True
                done.texts += found.count
        if attempt == 0:
            done.unsure = unsure
        if not fresh:
            return done
    raise QuarantineError(Reason.TEXT_LEFT)


def _search(view: View, tone: Tone, black: Mask, search: Search) -> Found:
    """Search the pictures of a view at each size.

    Where a search goes by strokes, a picture without any is not shown to the detector, and only
    what is around them is enlarged.
    """
    rows, columns = black.shape
    mask, count, unsure = np.zeros_like(black), 0, 0
    for picture in pictures(view.values, tone):
        strokes = places_with_strokes(picture) if search.strokes else (WHOLE,)
        for scale in scales_for(rows, columns, closely=view.closely) if strokes else ():
            seen = 0
            for place in (WHOLE,) if scale == 1 else strokes:
                found = find_text(
                    picture[place],
                    search,
                    scale=scale,
                    ignored=black[place],
                    side=min(rows, columns),
                )
                mask[place] |= found.mask
                seen += found.count
                unsure = max(unsure, found.unsure)
            count = max(count, seen)
    return Found(mask, count, unsure)
