"""What a header says of its volumes, whatever the format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from napari_medlabel.geometry.grid import Grid

UNORIENTED: Final = "Orientation unknown: left and right cannot be told."
NOT_SCALED: Final = (1.0, 0.0)


@dataclass(frozen=True)
class Description:
    """What a header says of its volumes, whatever the format.

    Parameters
    ----------
    grid : Grid
        Shape and affine.
    axis : tuple of str, str, tuple of float, or None
        What several volumes differ in: name, unit, a value for each.
    scaling : tuple of float
        Slope and intercept that turn what is stored into values.
    warnings : tuple of str
        Doubts in words.
    slices : str
        As in `Volume`.
    """

    grid: Grid
    axis: tuple[str, str, tuple[float, ...]] | None = None
    scaling: tuple[float, float] = NOT_SCALED
    warnings: tuple[str, ...] = ()
    slices: Literal["places", "pictures"] = "places"

    @property
    def is_oriented(self) -> bool:
        """Whether the header says which side is left."""
        return UNORIENTED not in self.warnings

    @property
    def is_colour(self) -> bool:
        """Whether the voxels are colours: never, where this is all that a header says."""
        return False

    @property
    def volumes(self) -> int:
        """How many volumes there are."""
        return 1 if self.axis is None else len(self.axis[2])

    @property
    def further(self) -> tuple[str, str, int] | None:
        """Name and unit of what several volumes differ in, and how many there are."""
        return None if self.axis is None else (*self.axis[:2], self.volumes)


class Described:
    """What every header tells of its description, for those that ask headers of any format."""

    said: Description

    @property
    def grid(self) -> Grid:
        """Shape and affine."""
        return self.said.grid

    @property
    def warnings(self) -> tuple[str, ...]:
        """Doubts in words."""
        return self.said.warnings

    @property
    def further(self) -> tuple[str, str, int] | None:
        """Name and unit of what several volumes differ in, and how many there are."""
        return self.said.further

    @property
    def is_oriented(self) -> bool:
        """Whether the header says which side is left."""
        return self.said.is_oriented
