"""Frames of native pixel data: read as stored values, blanked where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.io.dicom.pixels.coding import HALVED, Coding

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


class NativeFrames:
    """The frames of native pixel data, PS3.5 8.1 and PS3.3 C.7.6.3.

    Parameters
    ----------
    value : bytes
        The element's value, at least as long as described.
    coding : Coding
        How they are coded.
    little : bool
        Whether numbers have their low byte first.
    swapped : bool
        Whether bytes lie in pairs, the second first: 8 bits as OW in big endian.
    """

    softens = False

    def __init__(
        self, value: bytes, coding: Coding, *, little: bool = True, swapped: bool = False
    ) -> None:
        self.coding = coding
        self._value = value
        self._little = little
        self._swapped = swapped
        self._raw = self._layout(self._flat(value))

    def __len__(self) -> int:
        return self.coding.frames

    def is_rgb(self) -> bool | None:
        """Return None: the header says it."""
        return None

    def frame(self, number: int) -> Array:
        """Return the stored values of a frame, colours as they are coded.

        Returns
        -------
        ndarray, shape (rows, columns) or (rows, columns, 3)
            Of the header's dtype; what is no part of the value is cleared.
        """
        coding, raw = self.coding, self._raw[number]
        if coding.photometric == HALVED:
            pairs = raw.reshape(-1, 4)
            out = np.stack((pairs[:, [0, 2, 3]], pairs[:, [1, 2, 3]]), axis=1)
            return out.reshape(coding.rows, coding.columns, 3)
        if coding.samples == 3 and coding.planar == 1:
            raw = np.moveaxis(raw, 0, 2)
        return self._values(raw)

    def covered(self, number: int, mask: Mask) -> Mask:  # noqa: ARG002 - as compressed ones
        """Return what becomes black of a frame where a mask is to: pairs that share colours."""
        if self.coding.photometric != HALVED:
            return mask
        pairs = mask.reshape(-1, 2).any(axis=1)
        return np.repeat(pairs, 2).reshape(mask.shape)

    def blanked(self, masks: Mapping[int, Mask], black: tuple[float, ...]) -> bytes:
        """Return the value with the masked pixels of some frames black.

        Parameters
        ----------
        masks : mapping of int to ndarray of bool, shape (rows, columns)
            By number of the frame.
        black : tuple of float
            A value for each sample.
        """
        coding = self.coding
        flat = self._flat(self._value).copy()
        raw = self._layout(flat)
        painted = self._words(black)
        for number, mask in masks.items():
            if coding.photometric == HALVED:
                halves = raw[number].reshape(-1, 4)
                pairs = mask.reshape(-1, 2)
                halves[:, :2][pairs] = painted[0]
                halves[:, 2:][pairs.any(axis=1)] = painted[1:]
            elif coding.samples == 3 and coding.planar == 1:
                raw[number][:, mask] = painted[:, None]
            else:
                raw[number][mask] = painted if coding.samples == 3 else painted[0]
        return self._packed(flat)

    def _flat(self, value: bytes) -> Array:
        """Return all samples in their order, as words of their size; single bits as bytes."""
        coding = self.coding
        count = coding.rows * coding.columns * coding.frames * self._samples()
        if coding.allocated == 1:
            return np.unpackbits(np.frombuffer(value, np.uint8), count=count, bitorder="little")
        if self._swapped:
            even = np.frombuffer(value[: len(value) // 2 * 2], ">u2").astype("<u2")
            return even.view(np.uint8)[:count]
        kind = "f" if coding.floats else "u"
        order = "<" if self._little else ">"
        return np.frombuffer(value, f"{order}{kind}{coding.allocated // 8}", count)

    def _packed(self, flat: Array) -> bytes:
        """Return bytes again, with those behind the last sample as they were."""
        if self.coding.allocated == 1:
            content = np.packbits(flat, bitorder="little").tobytes()
        elif self._swapped:
            even = np.concatenate((flat, np.zeros(len(flat) & 1, np.uint8)))
            content = even.view("<u2").astype(">u2").tobytes()
        else:
            content = flat.tobytes()
        return content + self._value[len(content) :]

    def _samples(self) -> int:
        return 2 if self.coding.photometric == HALVED else self.coding.samples

    def _layout(self, flat: Array) -> Array:
        """Return the same words, frame by frame."""
        coding = self.coding
        if coding.photometric == HALVED:
            return flat.reshape(coding.frames, -1)
        shape: tuple[int, ...] = (coding.rows, coding.columns)
        if coding.samples == 3:
            shape = (3, *shape) if coding.planar == 1 else (*shape, 3)
        return flat.reshape(coding.frames, *shape)

    def _shifts(self) -> tuple[int, int]:
        """Return how many bits are above and below the stored ones."""
        coding = self.coding
        return coding.allocated - 1 - coding.high_bit, coding.high_bit + 1 - coding.stored

    def _values(self, raw: Array) -> Array:
        coding = self.coding
        values = raw.astype(raw.dtype.newbyteorder("="))
        if coding.floats or coding.allocated == 1:
            return values
        above, below = self._shifts()
        values = (values << above).view(coding.dtype)
        return values >> (above + below)

    def _words(self, black: tuple[float, ...]) -> Array:
        """Return the words that say black."""
        coding = self.coding
        if coding.floats or coding.allocated == 1:
            return np.array(black)
        _, below = self._shifts()
        words = np.array(black).astype(coding.dtype) << below
        return words.view(f"u{coding.allocated // 8}")
