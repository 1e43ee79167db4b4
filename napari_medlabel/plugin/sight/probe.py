"""What lies at a point of a view: its place, the scan's value and the label, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.sight.view import SideView, View
from napari_medlabel.plugin.sight.words import is_inside, status_words
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

    def point_zyx(self, position: Any) -> Any:
        """Turn a napari world position into displayed data coordinates, fractional voxels."""
        world = np.asarray(position, dtype=np.float64)[-3:]
        return (world - self._display.translate) / np.array(self._display.scale)

    def words(self, view: View, position: Any) -> str:
        """Say what is at a world position of a view."""
        point, volume = self.point_zyx(position), self._session.volume
        return status_words(
            self._display,
            self._session.labels,
            point,
            self.value(view, position, point),
            quantity=volume.quantity,
            oriented=volume.is_oriented,
        )

    def value(self, view: View, position: Any, point_zyx: Any) -> Any:
        """Return the scan's value at a point, of the volume that is shown; None outside.

        Parameters
        ----------
        view : View
            Where it is looked at.
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
        return None if image is None else image.get_value(position, world=True)
