"""A view of another scan beside the case: on its own grid, led by the patient's millimetres."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import Volume
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import volume_to_layer
from napari_medlabel.plugin.orientation import Orientation
from napari_medlabel.plugin.sight.crosshair import CrossHair
from napari_medlabel.plugin.sight.view import View
from napari_medlabel.plugin.windows import initial_window, value_range
from napari_medlabel.plugin.workplace import WORKPLACE

_LETTERS = 12
_TURNED_DEG = 0.01


class BesideView(View):
    """Shows another scan as it is, never resampled.

    Its cross-hair is the voxel of its own grid that is nearest to the case's, through both true
    affines: however the two scans are turned and spaced. Where one of them does not reach, that
    is said.

    Parameters
    ----------
    first : View
        The first view of the case.
    volume : Volume
        The other scan.
    case : str
        Its content id.

    Raises
    ------
    InputError
        When one of the two has no place in a patient.
    """

    def __init__(self, first: View, volume: Volume, case: str) -> None:
        from napari.components import ViewerModel

        require_places(first.display, volume)
        display = Display.of(volume)
        window = initial_window(volume)
        data, keywords, _ = volume_to_layer(volume, case, (window.low, window.high))
        model = ViewerModel(title=f"{volume.modality or 'Scan'} beside")
        model.theme = first.model.theme
        image = model.add_image(data, **keywords)
        if volume.colour is None:
            image.contrast_limits_range = value_range(volume, window)
        self.volume = volume
        self.case = case
        self.twins: dict[Any, Any] = {}
        self.cross = CrossHair(display)
        self.is_outside = False
        orientation = Orientation(
            model,
            radiological=first.orientation.radiological,
            named=volume.is_oriented,
            letter_size=_LETTERS,
        )
        super().__init__(model, display, orientation, oriented=volume.is_oriented)
        self.show_scan(image, volume.quantity)
        WORKPLACE.beside.append(image)
        orientation.show_plane(first.plane if first.axis >= 0 else display.plane)
        model.canvas.overlays["scale_bar"].visible = display.has_length

    def twin_of(self, _layer: Any) -> None:
        """Return None: nothing of the case is shown here, that would be resampling."""

    def own_cross(self, _cross: CrossHair) -> CrossHair:
        """Return the cross-hair on the other scan's own grid."""
        return self.cross

    def place(self, _cross: CrossHair) -> dict[int, int]:
        """Return the index, along the displayed axes it does not show, of its slice."""
        return super().place(self.cross)

    def follow(self, cross: CrossHair, _further: tuple[float, ...] = ()) -> None:
        """Show the slice nearest to the case's cross-hair."""
        point = self.display.from_ras(cross.point_ras)
        edge = np.array(self.display.shape) - 0.5
        self.is_outside = bool(np.any(point < -0.5) or np.any(point > edge))
        self.cross.go_to_ras(cross.point_ras)
        self.show_own()

    def show_own(self) -> None:
        """Show the slice of its own cross-hair."""
        super().follow(self.cross, ())

    def reveal(self, _cross: CrossHair) -> bool:
        """Bring its own cross-hair to the middle where it is off the canvas."""
        return super().reveal(self.cross)

    def show_words(self, _cross: CrossHair) -> None:
        """Say which slice is shown, of which scan, and where the case's does not reach."""
        self.title = f"{self.volume.modality or 'Scan'} beside"
        if self.is_outside:
            self.title += ": the cross-hair is outside of it"
        super().show_words(self.cross)

    def shows(self, _shown: tuple[slice, slice, slice], _cross: CrossHair) -> bool:
        """Tell that no label is shown here."""
        return False

    def detach(self) -> None:
        """Let go of the view."""
        WORKPLACE.beside = [one for one in WORKPLACE.beside if one is not self.image]
        self.orientation.detach()
        super().detach()


def require_places(display: Display, volume: Volume) -> None:
    """Refuse scans without a place in a patient.

    Raises
    ------
    InputError
        When one of the two is a set of pictures.
    """
    if display.pictures or volume.slices == "pictures":
        raise InputError(
            "Two scans are compared by their place in the patient, and one of these is "
            "pictures without a place.",
            hint="Open it by itself in another window.",
        )


def relation_words(first: Grid, second: Grid) -> list[str]:
    """Say how two scans lie to each other: frame of reference, turn and voxels.

    Parameters
    ----------
    first, second : Grid
        Of the case, and of the other scan.
    """
    frames = first.frame_of_reference, second.frame_of_reference
    if None in frames:
        said = (
            "The files do not both name a frame of reference: whether the two scans lie in one "
            "is not known. Each is placed by its own affine; nothing is registered."
        )
    elif frames[0] == frames[1]:
        said = "One frame of reference: both are placed by their affines."
    else:
        said = (
            "Two frames of reference: the patient may lie otherwise. Each is placed by its own "
            "affine; nothing is registered."
        )
    words = [said]
    if is_same_grid(first, second):
        return [*words, "One grid: voxel lies on voxel."]
    turned = turned_deg(first, second)
    if turned > _TURNED_DEG:
        words.append(f"Their slices are turned by {turned:.1f}° against each other.")
    return words


def is_same_grid(first: Grid, second: Grid) -> bool:
    """Tell whether voxel lies on voxel, whatever frame of reference is named."""
    return first.shape == second.shape and bool(
        np.allclose(first.affine.matrix, second.affine.matrix, rtol=0.0, atol=1e-4)
    )


def turned_deg(first: Grid, second: Grid) -> float:
    """Return by how many degrees two scans' displayed axes are turned, the largest of three."""
    worst = 0.0
    bases = []
    for grid in (first, second):
        display = Display(grid)
        unit = grid.affine.matrix[:3, :3] / np.array(grid.affine.spacing_mm)
        bases.append(unit @ display.to_voxel[:3, :3])
    for axis in range(3):
        one, other = bases[0][:, axis], bases[1][:, axis]
        # atan2 keeps small angles exact where acos would round them to zero
        sine = float(np.linalg.norm(np.cross(one, other)))
        worst = max(worst, float(np.degrees(np.arctan2(sine, float(one @ other)))))
    return worst
