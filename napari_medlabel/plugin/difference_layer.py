"""Where readings differ, on the canvas: who gave a label alone, and what is not decided yet.

Two layers on the box of all differences: a fill in stripes, different for each reading, where
nothing is decided; and an outline of every difference, decided or not, in every plane. Colours
are told apart by everybody (Okabe and Ito 2008), stripes without any. Readings are named by
their slots.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.layers import metadata
from napari_medlabel.plugin.tools.sketch import ROLE, add_aside
from napari_medlabel.project.agreement.differences import Difference, Differences

ALONE: Final = (
    "#56b4e9",
    "#e69f00",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#ffffff",
    "#999999",
)
"""For the first reading alone, the second, ..."""
SEVERAL: Final = "#cc79a7"
"""Where several gave a label that not all gave, or different ones."""
CHOSEN: Final = "#ffffff"
_IN_HAND: Final = 255
_FEW: Final = 50
PERIOD: Final = 6
"""Voxels from stripe to stripe."""


def kind_of(one: Difference) -> int:
    """Return how a difference is drawn: 1 for the first reading alone, ...; 0 for several."""
    gave = [at for at, value in enumerate(one.says) if value]
    return gave[0] + 1 if len(gave) == 1 else 0


def colour_of(kind: int) -> str:
    """Return the colour of a kind of difference, see `kind_of`."""
    return ALONE[(kind - 1) % len(ALONE)] if kind else SEVERAL


def words_of(kind: int, readers: Sequence[str]) -> str:
    """Say what a kind of difference is, by slots."""
    if kind:
        return f"{readers[kind - 1]} only"
    return "both, differently" if len(readers) == 2 else "several, or differently"


def is_striped(kind: int, places: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
    """Return where the fill of a kind of difference is drawn.

    Parameters
    ----------
    kind : int
        See `kind_of`.
    places : sequence of ndarray
        Voxel coordinates along each axis; they are broadcast.
    """
    *further, last = places
    first = sum(further)
    if kind == 0:  # a lattice
        return ((first + last) % PERIOD < 2) | ((first - last) % PERIOD < 2)
    if kind % 2:  # stripes up
        return (first + last) % PERIOD < 3
    return (first - last) % PERIOD < 3  # stripes down


class DifferenceLayer:
    """Shows the differences of a case in its viewer; it is not painted on.

    Parameters
    ----------
    binding : Binding
        The case in its viewer.
    differences : Differences
        Of its readings.
    """

    def __init__(self, binding: Binding, differences: Differences) -> None:
        self._binding = binding
        self._differences = differences
        box = differences.box
        shape = [part.stop - part.start for part in reversed(box)]
        self._lines = np.zeros(shape, dtype=np.uint8).T
        self._fill = np.zeros(shape, dtype=np.uint8).T
        self._in_hand: int | None = None
        self._filled: frozenset[int] = frozenset()
        kinds = {one.number: kind_of(one) + 1 for one in differences.found}
        self._paint(self._lines, kinds)
        self._stripes = self._striped()
        self.fill = self._layer("Differences to decide", self._fill, 0.55, 0)
        self.lines = self._layer("Differences", self._lines, 0.9, 1)
        for layer in (self.fill, self.lines):
            add_aside(binding.viewer, layer)
            binding.keys.attach(layer)

    def show(self, is_open: Iterable[int], in_hand: int | None) -> None:
        """Fill what is not decided; outline the one in hand in white.

        Parameters
        ----------
        is_open : iterable of int
            Numbers of the differences without a decision.
        in_hand : int or None
            The one that is looked at.
        """
        found = self._differences.found
        filled = frozenset(is_open)
        turned, self._filled = filled ^ self._filled, filled
        if len(turned) > _FEW:
            self._fill[...] = 0
            self._paint(self._fill, {one: kind_of(found[one]) + 1 for one in filled})
            np.multiply(self._fill.T, self._stripes.T, out=self._fill.T)
        else:
            for number in turned:
                value = kind_of(found[number]) + 1 if number in filled else 0
                self._write(self._fill, number, value)
        if in_hand != self._in_hand:
            for at in (self._in_hand, in_hand):
                if at is not None:
                    value = _IN_HAND if at == in_hand else kind_of(found[at]) + 1
                    self._write(self._lines, at, value)
            self._in_hand = in_hand
            self._show(self.lines, self._lines)
        if turned:
            self._show(self.fill, self._fill)

    def remove(self) -> None:
        """Take both layers out of the viewer."""
        layers = self._binding.viewer.layers
        active = layers.selection.active
        for layer in (self.fill, self.lines):
            self._binding.keys.detach(layer)
            if layer in layers:
                layers.remove(layer)
        if active in layers:
            layers.selection.active = active

    def _show(self, layer: Any, array: npt.NDArray[np.uint8]) -> None:
        if layer in self._binding.viewer.layers:
            layer.data = self._binding.display.show(array)

    def _paint(self, out: npt.NDArray[np.uint8], values: dict[int, int]) -> None:
        parts = self._differences.parts
        chosen = np.isin(np.arange(len(parts)), list(values))
        becomes = np.zeros(len(parts), dtype=np.intp)
        becomes[list(values)] = list(values.values())
        i, j, k = (slice(0, n) for n in out.shape)
        parts.paint(out, (i, j, k), chosen, becomes)

    def _write(self, out: npt.NDArray[np.uint8], number: int, value: int) -> None:
        one, whole = self._differences.found[number], self._differences.box
        inner = tuple(
            slice(part.start - o.start, part.stop - o.start)
            for part, o in zip(one.box, whole, strict=True)
        )
        mask = self._differences.mask(number)
        if out is self._fill:
            mask &= self._stripes[inner]
        out[inner][mask] = value

    def _striped(self) -> npt.NDArray[np.bool_]:
        """Return the stripes of every difference, whatever is decided."""
        out = np.zeros(self._lines.shape[::-1], dtype=bool).T
        kinds = {kind_of(one) for one in self._differences.found}
        wide, high, deep = self._lines.T.shape[::-1]
        for k in range(deep):
            j, i = np.ogrid[:high, :wide]
            plane = self._lines[..., k].T
            for kind in kinds:
                # Shifted from slice to slice: stripes are seen in every plane.
                striped = is_striped(kind, (j, i + k))
                out[..., k].T[...] |= (plane == kind + 1) & striped
        return out

    def _layer(
        self, name: str, array: npt.NDArray[np.uint8], opacity: float, contour: int
    ) -> Any:
        from napari.layers import Labels

        display = self._binding.display
        readers = self._differences.readers
        table: dict[int | None, Any] = {None: (0, 0, 0, 0), 0: (0, 0, 0, 0), _IN_HAND: CHOSEN}
        names = ["", words_of(0, readers)]
        for kind in range(len(readers) + 1):
            table[kind + 1] = colour_of(kind)
        names += [words_of(kind, readers) for kind in range(1, len(readers) + 1)]
        geometry = display.geometry()
        box = self._differences.box
        ends = [[part.start for part in box], [part.stop - 1 for part in box]]
        lowest = np.min(display.points_zyx(ends), axis=0)
        geometry["translate"] = tuple(
            float(t + z * mm)
            for t, z, mm in zip(display.translate, lowest, display.scale, strict=True)
        )
        layer = Labels(
            display.show(array),
            name=name,
            opacity=opacity,
            colormap=table,
            features={
                "index": [*range(len(names)), _IN_HAND],
                "name": [*names, "in hand"],
            },
            metadata=metadata(display, ROLE, self._binding.session.place.case),
            **geometry,
        )
        layer.contour = contour
        layer.editable = False
        return layer
