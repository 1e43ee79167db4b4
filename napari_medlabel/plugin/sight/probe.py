"""What lies at a point of a view: its place, the scan's value and the label, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.sight.beside import BesideView
from napari_medlabel.plugin.sight.view import SideView, View
from napari_medlabel.plugin.sight.words import is_inside, status_words, value_words
from napari_medlabel.session.case import Session


class Probe:
    """Looks at the voxels of a case.

    Parameters
    ----------
    session : Session
        The open case.
    binding : Binding
        Its layers in the first view.
    """

    def __init__(self, session: Session, binding: Binding) -> None:
        self._session = session
        self._binding = binding
        self._display = binding.display
        self.second: Volume | None = None
        """Another scan whose values are said too."""

    def words(self, view: View, position: Any) -> str:
        """Say what is at a world position of a view."""
        point_ras = view.display.to_ras(view.point_zyx(position))
        point, volume = self._display.from_ras(point_ras), self._session.volume
        own = not isinstance(view, BesideView)
        words = status_words(
            self._display,
            self._session.labels,
            point,
            self.value(view if own else None, position, point),
            quantity=volume.quantity,
            oriented=volume.is_oriented,
        )
        if self.second is None:
            return words
        other = value_beside(self.second, point_ras)
        return "   |   ".join(part for part in (words, other) if part)

    def value(self, view: View | None, position: Any, point_zyx: Any) -> Any:
        """Return the scan's value at a point, of the volume that is shown; None outside.

        Parameters
        ----------
        view : View or None
            Where it is looked at; None for no view of this scan.
        position, point_zyx : array, shape (3,)
            The point in napari's world, and in displayed data coordinates.
        """
        volume = self._session.volume
        i, j, k = (int(v) for v in np.rint(self._display.index_ijk(point_zyx)))
        if not is_inside(volume.grid.shape, (i, j, k)):
            return None
        if volume.colour is not None:
            return volume.colour[i, j, k]
        if volume.further is None:
            return volume.array[i, j, k]
        array = volume.further.array
        if isinstance(array, np.ndarray):
            return array[i, j, k, self._binding.volume_number]
        # A lazy one may have to read a file for one voxel: the slice on the screen is there.
        image = self._binding.image
        image = view.twin_of(image) if isinstance(view, SideView) else image
        return None if image is None or view is None else image.get_value(position, world=True)


def value_beside(volume: Volume, point_ras: Any) -> str:
    """Say the value of another scan's nearest voxel: ``"PT SUVbw 2.1 g/ml"``.

    Parameters
    ----------
    volume : Volume
        The other scan.
    point_ras : array, shape (3,)
        A place in the patient, RAS mm.
    """
    name = volume.modality or "second scan"
    i, j, k = (int(v) for v in np.rint(volume.grid.affine.to_index(point_ras)))
    if not is_inside(volume.grid.shape, (i, j, k)):
        return f"{name}: outside"
    array = volume.array if volume.colour is None else volume.colour
    return f"{name} {value_words(array[i, j, k], volume.quantity)}"
