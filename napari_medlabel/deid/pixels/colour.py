"""Black of each kind of pixels, and frames as the text detector is shown them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.pixels.text_views import Tone
from napari_medlabel.deid.refusal import PARSE_ERRORS, QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.coding import PALETTE, Coding
from napari_medlabel.io.dicom.pixels.colour import Palette, is_colour, read_palette, to_rgb

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
_LUMINANCE = np.array([0.299, 0.587, 0.114])
_PARTIAL = frozenset({"YBR_PARTIAL_420", "YBR_PARTIAL_422"})
_BLACK_OF_PARTIAL = 16


@dataclass(frozen=True, eq=False)
class Display:
    """How pixels look.

    Parameters
    ----------
    coding : Coding
        How they are coded.
    is_rgb : bool or None
        What the code streams say of three samples.
    palette : Palette or None
        Of palette colours.
    tone : Tone
        Of grey values.
    """

    coding: Coding
    is_rgb: bool | None
    palette: Palette | None
    tone: Tone

    def shown(self, frame: Array) -> Array:
        """Return a frame for the detector: red, green and blue, or its stored values."""
        if is_colour(self.coding):
            return to_rgb(frame, self.coding, is_rgb=self.is_rgb, palette=self.palette)
        return frame

    def black(self, frames: Callable[[int], Array]) -> tuple[float, ...]:
        """Return the stored value of black for each sample.

        Parameters
        ----------
        frames : callable
            Returns a frame of stored values by number: of signed and floating point values
            the darkest that the image has is black.
        """
        if self.palette is not None:
            return (float(self._darkest_entry(self.palette)),)
        if self.coding.samples == 3:
            return self._black_colour()
        return (self._darkest(frames),)

    def _darkest_entry(self, palette: Palette) -> int:
        """Return the index of the darkest colour among those that the bits can say."""
        low, high = self.coding.ends
        first = max(low, palette.first)
        last = min(high, palette.first + len(palette.entries) - 1)
        entries = palette.entries[first - palette.first : last - palette.first + 1]
        if not len(entries):
            return low
        return first + int(np.argmin(entries @ _LUMINANCE))

    def _black_colour(self) -> tuple[float, ...]:
        if self.is_rgb or not self.coding.photometric.startswith("YBR"):
            return 0.0, 0.0, 0.0
        if self.coding.photometric in {"YBR_RCT", "YBR_ICT"}:
            return 0.0, 0.0, 0.0  # decoding gives red, green and blue
        middle = float(1 << self.coding.stored - 1)
        bright = _BLACK_OF_PARTIAL if self.coding.photometric in _PARTIAL else 0
        return float(bright), middle, middle

    def _darkest(self, frames: Callable[[int], Array]) -> float:
        low, high = self.coding.ends if not self.coding.floats else (0, 0)
        if not self.coding.floats and not self.coding.signed:
            return float(high if self.tone.inverted else low)
        ends = []
        for number in range(self.coding.frames):
            values = frames(number)
            values = values[np.isfinite(values)]
            if values.size:
                ends.append(float(values.max() if self.tone.inverted else values.min()))
        if self.tone.inverted:
            return max([0.0, *ends])
        return min([0.0, *ends])


def display_of(dataset: Dataset, coding: Coding, *, is_rgb: bool | None) -> Display:
    """Return how the pixels of a data set look.

    Raises
    ------
    QuarantineError
        When palette colours have no table that can be read.
    """
    palette = None
    if coding.photometric == PALETTE:
        try:
            palette = read_palette(dataset, coding)
        except (InputError, *PARSE_ERRORS) as err:
            raise QuarantineError(Reason.PIXELS_UNDESCRIBED) from err
    return Display(coding, is_rgb, palette, _tone(dataset, coding))


def _tone(dataset: Dataset, coding: Coding) -> Tone:
    inverted = coding.photometric == "MONOCHROME1"
    slope, intercept = _first(dataset, "RescaleSlope", 1.0), _first(dataset, "RescaleIntercept")
    centre, width = _first(dataset, "WindowCenter"), _first(dataset, "WindowWidth")
    slope, intercept = slope or 1.0, intercept or 0.0
    if centre is None or not width or width <= 1:
        return Tone(inverted ^ (slope < 0))
    ends = ((centre + side * width / 2 - intercept) / slope for side in (-1, 1))
    low, high = sorted(ends)
    return Tone(inverted ^ (slope < 0), (low, high))


def _first(dataset: Dataset, keyword: str, default: float | None = None) -> float | None:
    """Return the first value of a number written as text."""
    try:
        value = dataset.get(keyword)
        if value is None or value == "":
            return default
        return float(value if isinstance(value, str | int | float) else value[0])
    except PARSE_ERRORS:
        return default
