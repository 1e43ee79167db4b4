"""Whether a place that looks like text can be read: the recognizer of PP-OCRv4, no words kept.

Only how sure it is of how many characters is used. What they are is never looked up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_medlabel.deid.pixels.text_network import session

Picture = npt.NDArray[np.uint8]
_MODEL = "ch_PP-OCRv4_rec_infer.onnx"
_HEIGHT, _LEAST_WIDTH, _MOST_WIDTH = 48, 320, 960
_NARROWEST = 16
_UPRIGHT = 1.5


@dataclass(frozen=True)
class Reading:
    """How well a place can be read.

    Parameters
    ----------
    sureness : float
        0 to 1, the mean over its characters.
    characters : int
        How many there are.
    """

    sureness: float
    characters: int

    @property
    def is_text(self) -> bool:
        """Whether this is text: surely read, or many characters that are slanted or small."""
        return self.sureness >= 0.6 or (self.sureness >= 0.33 and self.characters >= 5)

    @property
    def is_doubtful(self) -> bool:
        """Whether this may be text that is hard to read."""
        return not self.is_text and self.sureness >= 0.4 and self.characters >= 2


def read_place(part: Picture) -> Reading:
    """Say how well a part of a picture can be read, lying or standing.

    Parameters
    ----------
    part : ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
        A line of text with a margin; an upright one is turned both ways.

    Raises
    ------
    MissingPackageError
        Without the extra.
    """
    if part.shape[0] <= _UPRIGHT * part.shape[1]:
        return _read(part)
    turned = (_read(np.rot90(part, quarter)) for quarter in (1, 3))
    return max(turned, key=lambda reading: reading.sureness)


def _read(part: Picture) -> Reading:
    from scipy import ndimage

    rows, columns = part.shape[:2]
    width = round(columns * _HEIGHT / rows)
    width = min(max(_NARROWEST, width), _MOST_WIDTH)
    zoom = (_HEIGHT / rows, width / columns, 1)[: part.ndim]
    values = ndimage.zoom(
        part.astype(np.float32), zoom, order=1, mode="nearest", grid_mode=True
    )
    # Channels are blue, green, red, as the network learned them.
    channels = values[None] if values.ndim == 2 else np.moveaxis(values, 2, 0)[::-1]
    inside = np.zeros((1, 3, _HEIGHT, max(_LEAST_WIDTH, values.shape[1])), np.float32)
    inside[0, :, :, : values.shape[1]] = channels / 127.5 - 1
    steps = session(_MODEL).run(None, {"x": inside})[0][0]
    return reading_of(steps)


def reading_of(steps: npt.NDArray[np.float32]) -> Reading:
    """Return what the network's answer says (CTC: 0 is no character, repeats are one).

    Parameters
    ----------
    steps : ndarray of float32, shape (steps, characters)
        Likelihood of each character from left to right.
    """
    best, sure = steps.argmax(axis=1), steps.max(axis=1)
    new = (best != 0) & np.append(True, best[1:] != best[:-1])
    if not new.any():
        return Reading(0.0, 0)
    return Reading(float(sure[new].mean()), int(new.sum()))
