"""Growth of several labels from strokes: each can be added or removed, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.grow.field import INNER, Field
from napari_medlabel.edit.grow.relief import Mode, Scale, Steps, choose_scale, levels
from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.edit.scene import Shape, Tick, quiet
from napari_medlabel.edit.table import looked_up
from napari_medlabel.errors import InputError

BoolArray = npt.NDArray[np.bool_]
_MOST_STROKES: Final = int(np.iinfo(np.uint16).max)
_NOTHING: Final = (1, 0)


@dataclass(frozen=True, eq=False)
class _Sown:
    value: int
    places: npt.NDArray[np.int32]


class Growth:
    """Labels that grow from strokes until they meet.

    Every voxel belongs to the stroke that reaches it over the lowest pass (``minimax``, as a
    watershed from markers) or by the cheapest way (``additive``, as GrowCut); where two reach
    it equally, to the later stroke. That rule leaves no choice open, so a stroke added or
    removed gives what growing anew with the remaining strokes gives, bit for bit. Where two
    strokes lie on one voxel, the later one has it; the earlier one has it back when that is
    removed. A voxel without a number (NaN, infinite) counts as the lowest number of the image.

    It keeps 6 bytes for each voxel, from 256 strokes on 7. With numba it runs compiled and
    outside the interpreter's lock; without it whole fronts run in numpy, to the same result,
    several times slower.

    Parameters
    ----------
    image_crop : ndarray, shape (i, j, k)
        Intensities.
    spacing_mm : tuple of float
        Along i, j and k.
    mode : str
        ``minimax`` or ``additive``.
    gradient_mm : float or "auto"
        Standard deviation of the Gaussian before the gradient; ``auto`` chooses it from the
        noise.
    tick : callable
        Told the slices of the relief that are made; it raises to end the work.

    Raises
    ------
    InputError
        When the image is empty or no volume, a spacing or the scale is not above 0, or the
        mode is unknown.

    Notes
    -----
    Minimax and additive growth are image foresting transforms: A. X. Falcao, J. Stolfi and
    R. de Alencar Lotufo, IEEE TPAMI 26 (2004) 19; the removal of a stroke is their
    differential form: A. X. Falcao and F. P. G. Bergo, IEEE TMI 23 (2004) 1100.
    """

    def __init__(
        self,
        image_crop: npt.NDArray[Any],
        spacing_mm: tuple[float, float, float],
        *,
        mode: Mode = "minimax",
        gradient_mm: float | str = "auto",
        tick: Tick = quiet,
    ) -> None:
        by_hand = _checked(image_crop, spacing_mm, mode, gradient_mm)
        i, j, k = image_crop.shape
        self.shape: Shape = (i, j, k)
        self._field = Field(self.shape, Steps.of(spacing_mm, mode))
        self._scale: Scale = choose_scale(
            image_crop, spacing_mm, mode=mode, gradient_mm=by_hand
        )
        levels(
            image_crop, spacing_mm, self._scale, mode=mode,
            out=self._field.relief[INNER], tick=tick,
        )  # fmt: skip
        self._strokes: dict[int, _Sown] = {}
        self._values = np.zeros(1, np.uint16)
        self._next = 1
        self._is_stale = False
        self._changed: tuple[int, int] = _NOTHING
        self._wall: npt.NDArray[np.uint8] | None = None

    # -- what is known -------------------------------------------------------------------

    @property
    def gradient_mm(self) -> float:
        """The scale in use, in mm."""
        return self._scale.gradient_mm

    @property
    def nbytes(self) -> int:
        """Memory held for the voxels, in bytes."""
        return self._field.nbytes

    @property
    def strokes(self) -> tuple[int, ...]:
        """The numbers of the strokes, oldest first."""
        return tuple(self._strokes)

    @property
    def changed(self) -> slice | None:
        """The slices k outside which the last `add`, `remove` or `set_wall` changed nothing."""
        return self._field.slices(self._changed)

    @property
    def labels(self) -> LabelArray:
        """The label of each voxel, shape (i, j, k), 0 also where nothing grew: a new array."""
        return self.labels_of(slice(0, self.shape[2]))

    def labels_of(self, slices: slice) -> LabelArray:
        """Return the labels of some slices k, shape (i, j, slices), a new array."""
        table = self._values
        small = table.astype(np.uint8) if table.max(initial=0) < 256 else table
        out: LabelArray = looked_up(small, self._owners(slices).T)
        return out

    def reached_of(self, slices: slice) -> BoolArray:
        """Tell which voxels of some slices k a stroke has reached, shape (i, j, slices)."""
        reached: BoolArray = (self._owners(slices) != 0).T
        return reached

    def _owners(self, slices: slice) -> npt.NDArray[Any]:
        self._regrow_if_stale(quiet)
        owners: npt.NDArray[Any] = self._field.owner[INNER][slices]
        return owners

    # -- what is done --------------------------------------------------------------------

    def add(self, stroke: npt.NDArray[Any], value: int, *, tick: Tick = quiet) -> int:
        """Grow from one more stroke.

        Parameters
        ----------
        stroke : ndarray
            A bool array of the crop's shape (i, j, k), or flat indices of its voxels, i
            fastest, then j, then k.
        value : int
            The label that grows from it, 0 to 65535.
        tick : callable
            Told the voxels settled; it raises to end the work, and then the stroke was not
            added.

        Returns
        -------
        int
            The stroke's number, for `remove`.

        Raises
        ------
        InputError
            When the stroke has no voxel or lies outside, the value is no label, or there were
            65535 strokes before.
        """
        (number,) = self.add_all([(stroke, value)], tick=tick)
        return number

    def add_all(
        self, strokes: Sequence[tuple[npt.NDArray[Any], int]], *, tick: Tick = quiet
    ) -> tuple[int, ...]:
        """Grow from several strokes at once: as one after the other, in less time.

        Parameters
        ----------
        strokes : sequence of (ndarray, int)
            Voxels and label of each, as in `add`, oldest first.
        tick : callable
            As in `add`; when it raises, none was added.

        Returns
        -------
        tuple of int
            Their numbers.

        Raises
        ------
        InputError
            As in `add`.
        """
        sown = [_Sown(_label(value), self._places(stroke)) for stroke, value in strokes]
        if self._next + len(sown) - 1 > _MOST_STROKES:
            raise InputError(
                f"At most {_MOST_STROKES} strokes fit in one growth.",
                hint="Accept what has grown, and begin anew.",
            )
        self._regrow_if_stale(tick)
        numbers = tuple(range(self._next, self._next + len(sown)))
        self._next += len(sown)
        self._field.make_room(self._next - 1)
        self._values = np.append(self._values, np.array([s.value for s in sown], np.uint16))
        self._is_stale = True  # until all is settled
        self._changed = _NOTHING
        field = self._field
        seeds = _joined([field.plant(s.places, n) for n, s in zip(numbers, sown, strict=True)])
        extent = field.spread(seeds, tick)
        self._changed = _both(extent, _extent(seeds))
        self._strokes.update(zip(numbers, sown, strict=True))
        self._is_stale = False
        return numbers

    def remove(self, stroke_id: int, *, tick: Tick = quiet) -> None:
        """Take a stroke back, with all that grew from it.

        Parameters
        ----------
        stroke_id : int
            What `add` returned.
        tick : callable
            As in `add`; when it raises, the stroke is still there.

        Raises
        ------
        InputError
            When there is no such stroke.
        """
        if stroke_id not in self._strokes:
            raise InputError(
                "That stroke is no longer there.", hint="Choose one of the strokes shown."
            )
        self._regrow_if_stale(tick)
        self._is_stale = True
        field = self._field
        rim, gone = field.take_back(stroke_id, self._strokes[stroke_id].places)
        bare = [
            self._replant(number, sown)
            for number, sown in self._strokes.items()
            if number != stroke_id
        ]
        self._changed = _both(gone, field.spread(_joined([rim, *bare]), tick))
        del self._strokes[stroke_id]
        self._is_stale = False

    def set_wall(self, mask: BoolArray | None, *, tick: Tick = quiet) -> None:
        """Say which voxels no growth may enter, and grow anew; None for no wall.

        Seeds on the wall do not count. Give it before the first stroke: then it costs nothing.

        Parameters
        ----------
        mask : ndarray of bool, shape (i, j, k)
            The wall.
        tick : callable
            As in `add`.

        Raises
        ------
        InputError
            When it has another shape.
        """
        if mask is not None and mask.shape != self.shape:
            raise InputError(
                f"A wall has the crop's shape {self.shape}; got {mask.shape}.",
                hint="This is a fault in the program; please report it.",
            )
        self._wall = None if mask is None else np.packbits(mask.T, axis=2)
        self._regrow(tick)

    # -- the work ------------------------------------------------------------------------

    def _places(self, stroke: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        if stroke.dtype == bool:
            if stroke.shape != self.shape:
                raise InputError(
                    f"A stroke has the crop's shape {self.shape}; got {stroke.shape}.",
                    hint="This is a fault in the program; please report it.",
                )
            inner = np.flatnonzero(stroke.T)
        else:
            inner = np.unique(stroke)
        if not inner.size or inner[0] < 0 or inner[-1] >= np.prod(self.shape):
            raise InputError(
                "A stroke needs voxels, all of them inside the region.",
                hint="Draw it inside the scan.",
            )
        places: npt.NDArray[np.int32] = self._field.places(inner)
        return places

    def _replant(self, number: int, sown: _Sown) -> npt.NDArray[np.int32]:
        """Give an older stroke the seeds that a removed one had lain on."""
        owner = self._field.owner.reshape(-1)
        # A seed belongs to its stroke or to a later one: an earlier owner was planted just now.
        bare = sown.places[owner[sown.places] < number]
        planted: npt.NDArray[np.int32] = self._field.plant(bare, number)
        return planted

    def _regrow_if_stale(self, tick: Tick) -> None:
        if self._is_stale:
            self._regrow(tick)

    def _regrow(self, tick: Tick) -> None:
        """Grow all strokes anew, at once."""
        self._is_stale = True
        self._field.clear(self._wall)
        planted = [self._field.plant(s.places, n) for n, s in self._strokes.items()]
        self._field.spread(_joined(planted), tick)
        self._changed = (0, self._field.distance.size - 1)
        self._is_stale = False


def _checked(
    image: npt.NDArray[Any],
    spacing_mm: tuple[float, float, float],
    mode: str,
    gradient_mm: float | str,
) -> float | None:
    """Refuse what cannot be grown on; return the scale by hand, None for auto."""
    if image.ndim != 3 or not image.size:
        raise InputError(
            f"Growing needs a volume (i, j, k); got the shape {image.shape}.",
            hint="This is a fault in the program; please report it.",
        )
    if not all(mm > 0 for mm in spacing_mm):
        raise InputError(
            "Spacings are above 0 mm.", hint="This is a fault in the program; report it."
        )
    if mode not in ("minimax", "additive"):
        raise InputError(
            f"Growing is 'minimax' or 'additive'; got {mode!r}.", hint="Choose one of the two."
        )
    if isinstance(gradient_mm, str):
        if gradient_mm != "auto":
            raise InputError(
                f"A gradient scale is 'auto' or a length in mm; got {gradient_mm!r}.",
                hint="Type a number, for example 0.7.",
            )
        return None
    if not 0 < gradient_mm <= 20:
        raise InputError(
            f"A gradient scale lies above 0 and up to 20 mm; got {gradient_mm:g}.",
            hint="0.7 mm suits a clean CT, 1.4 mm a noisy one.",
        )
    return float(gradient_mm)


def _label(value: int) -> int:
    if not 0 <= value <= _MOST_STROKES:
        raise InputError(
            f"A label is a number from 0 to {_MOST_STROKES}; got {value}.",
            hint="Choose a segment of the scheme.",
        )
    return int(value)


def _joined(parts: Sequence[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    return np.concatenate([np.zeros(0, np.int32), *parts])


def _extent(places: npt.NDArray[np.int32]) -> tuple[int, int]:
    return (int(places.min()), int(places.max())) if places.size else _NOTHING


def _both(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    if first[1] < first[0]:
        return second
    if second[1] < second[0]:
        return first
    return min(first[0], second[0]), max(first[1], second[1])
