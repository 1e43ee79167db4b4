"""Which of a scan's volumes is in use: the one shown, which tools and numbers take."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.model.volume import Volume

Voxels = npt.NDArray[Any]


class VolumeInUse:
    """The volume in use of a scan; nothing is read before somebody asks for its voxels.

    Parameters
    ----------
    volume : Volume
        The scan. Where it has one volume, or colours, there is nothing to choose: then its
        values, of colours their brightness, are in use.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._number = 0
        self._values: tuple[int, Voxels] = 0, volume.array
        self._image: tuple[int, Voxels] | None = None
        self._bridged: tuple[int, Voxels] | None = None

    @property
    def count(self) -> int:
        """How many volumes there are to choose from."""
        volume = self._volume
        if volume.further is None or volume.colour is not None:
            return 1
        return len(volume.further.values)

    @property
    def number(self) -> int:
        """Which one is in use, from 0."""
        return self._number

    @property
    def words(self) -> str:
        """Which one is in use, as a person counts: ``"5 of 12"``; empty where there is one."""
        return self._words(self._number)

    def use(self, number: int) -> bool:
        """Take another volume, from 0; return whether it is another one."""
        number = min(max(number, 0), self.count - 1)
        is_another, self._number = number != self._number, number
        return is_another

    @property
    def now(self) -> tuple[str, Voxels]:
        """The words and the values of one moment, for a thread: the person may go on."""
        number, values = self._read()
        return self._words(number), values

    @property
    def values(self) -> Voxels:
        """Its voxels, shape (i, j, k), the same object until another volume is in use.

        Slices that no file holds are blank in it: who measures leaves them out.
        """
        return self._read()[1]

    @property
    def image(self) -> Voxels:
        """What tools look at, shape (i, j, k): slices that no file holds have no number.

        A tool takes a voxel without a number for like no other, in no range and no extremum.
        """
        number, values = self._read()
        missing = list(self._volume.missing)
        if not missing or self._volume.colour is not None:
            return values
        known = self._image
        if known is None or known[0] != number:
            image = _fractions(values)
            image[missing] = np.nan
            self._image = known = number, image.T
        return known[1]

    @property
    def bridged(self) -> Voxels:
        """What follows edges looks at, shape (i, j, k): no edge stands beside a missing slice.

        A slice that no file holds is what lies between the two beside it, by their distance.
        """
        number, values = self._read()
        missing = self._volume.missing
        if not missing or self._volume.colour is not None:
            return values
        known = self._bridged
        if known is None or known[0] != number:
            image = _fractions(values)
            there = [k for k in range(len(image)) if k not in set(missing)]
            for k in missing:
                below = max((n for n in there if n < k), default=there[0])
                above = min((n for n in there if n > k), default=there[-1])
                share = (k - below) / (above - below) if below < k < above else 0.0
                image[k] = image[below] * (1.0 - share) + image[above] * share
            self._bridged = known = number, image.T
        return known[1]

    def _words(self, number: int) -> str:
        return f"{number + 1} of {self.count}" if self.count > 1 else ""

    def _read(self) -> tuple[int, Voxels]:
        """Return a number with its voxels: a thread may ask while the person goes on."""
        number, known = self._number, self._values
        if known[0] != number:
            self._values = known = number, self._voxels(number)
        return known

    def _voxels(self, number: int) -> Voxels:
        further = self._volume.further
        if number == 0 or further is None:
            return self._volume.array
        return np.asarray(further.array[..., number])


def _fractions(values: Voxels) -> Voxels:
    """Return a copy, shape (k, j, i), as fractions that hold these values exactly."""
    copy: Voxels = values.T.astype(np.result_type(values.dtype, np.float32))
    return copy
