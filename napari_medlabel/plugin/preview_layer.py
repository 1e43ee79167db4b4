"""A proposal on the canvas: what would come is solid, what would go is hatched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.scene import Proposal, around
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.layers import metadata
from napari_medlabel.plugin.tools.sketch import ROLE, add_aside

GOES: Final = 255
"""The value of what would be taken away."""

_HATCH: Final = (1.0, 1.0, 1.0, 1.0)
_PERIOD: Final = 6  # voxels from stripe to stripe
_STRIPE: Final = 3


@dataclass(frozen=True, eq=False)
class Picture:
    """What is to be shown of a proposal.

    Parameters
    ----------
    box : tuple of slice
        Where, in (i, j, k): the tightest box of all changes.
    shown : ndarray of uint8, shape of the box
        0 where nothing changes, `GOES` on the stripes of what goes, else the number of an entry
        of ``values``, from 1.
    values : tuple of int
        The labels that would come.
    """

    box: Box
    shown: npt.NDArray[np.uint8]
    values: tuple[int, ...]


def picture_of(proposal: Proposal) -> Picture | None:
    """Work out what is to be shown of a proposal; None when it changes nothing.

    Stripes run across the axes, so that they are seen in every plane; the rim of what goes is
    whole. They tell what goes from what comes without colour.
    """
    inner = around(proposal.changed)
    if inner is None:
        return None
    before, after = proposal.before[inner].T, proposal.after[inner].T  # (k, j, i)
    changed = before != after
    largest = int(np.iinfo(after.dtype).max)
    present = np.flatnonzero(np.bincount(after[changed].ravel(), minlength=largest + 1))
    values = tuple(int(v) for v in present if v)[: GOES - 1]
    number = np.zeros(largest + 1, dtype=np.uint8)
    number[list(values)] = np.arange(1, len(values) + 1)
    shown = np.where(changed, number[after], np.uint8(0))
    goes = changed & (after == 0)
    if goes.any():
        shown[goes & (_stripes(goes.shape) | _rim(goes))] = GOES
    i, j, k = (
        slice(b.start + s.start, b.start + s.stop)
        for b, s in zip(proposal.box, inner, strict=True)
    )
    return Picture((i, j, k), shown.T, values)


def _stripes(shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    k, j, i = np.ogrid[tuple(slice(0, n) for n in shape)]
    stripes: npt.NDArray[np.bool_] = (k + j + i) % _PERIOD < _STRIPE
    return stripes


def _rim(region: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the voxels of a region that have a neighbour beside it in the last two axes."""
    inside = region.copy()
    for axis in (1, 2):
        near = np.zeros_like(region)
        first: list[slice] = [slice(None)] * 3
        last: list[slice] = [slice(None)] * 3
        first[axis], last[axis] = slice(1, None), slice(None, -1)
        near[tuple(first)] = region[tuple(last)]
        inside &= near
        near = np.zeros_like(region)
        near[tuple(last)] = region[tuple(first)]
        inside &= near
    rim: npt.NDArray[np.bool_] = region & ~inside
    return rim


class PreviewLayer:
    """Shows a proposal as a layer of its own on its box; the labels stay as they are.

    Parameters
    ----------
    binding : Binding
        The case in its viewer.
    """

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self.layer: Any = None
        self._picture: Picture | None = None

    def show(self, picture: Picture | None) -> None:
        """Show a picture in place of the one before; None to show nothing."""
        known, self._picture = self._picture, picture
        if picture is not None and known is not None and self.layer is not None:
            is_alike = (picture.box, picture.values) == (known.box, known.values)
            if is_alike and self.layer in self._binding.viewer.layers:
                self.layer.data = self._binding.display.show(picture.shown)
                return
        self.clear()
        if picture is None:
            return
        self._picture = picture
        from napari.layers import Labels

        binding = self._binding
        display = binding.display
        colours = binding.labels.colormap
        table: dict[int | None, Any] = {None: (0, 0, 0, 0), 0: (0, 0, 0, 0), GOES: _HATCH}
        names = ["background"]
        scheme = binding.session.labels.scheme
        for number, value in enumerate(picture.values, 1):
            table[number] = np.asarray(colours.map(value))
            is_named = value in scheme.values
            names.append(f"proposed: {scheme[value].name if is_named else value}")
        geometry = display.geometry()
        lowest = np.min(
            display.points_zyx(
                [
                    [s.start for s in picture.box],
                    [s.stop - 1 for s in picture.box],
                ]
            ),
            axis=0,
        )
        geometry["translate"] = tuple(
            float(t + z * mm)
            for t, z, mm in zip(display.translate, lowest, display.scale, strict=True)
        )
        self.layer = Labels(
            display.show(picture.shown),
            name="Proposal",
            opacity=0.85,
            colormap=table,
            features={"index": [*range(len(names)), GOES], "name": [*names, "would go"]},
            metadata=metadata(display, ROLE, binding.session.place.case),
            **geometry,
        )
        add_aside(binding.viewer, self.layer)

    def clear(self) -> None:
        """Show nothing."""
        layer, self.layer = self.layer, None
        self._picture = None
        layers = self._binding.viewer.layers
        if layer is not None and layer in layers:
            active = layers.selection.active
            layers.remove(layer)
            layers.selection.active = active
