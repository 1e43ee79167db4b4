"""Outlines that wait: faint lines on their slices, and words that say where they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.display import PLANES
from napari_medlabel.plugin.tools.catalogue import tool
from napari_medlabel.plugin.tools.sketch import Sketch
from napari_medlabel.session.drafts import Place

if TYPE_CHECKING:
    from napari_medlabel.plugin.tools.kit import Kit, Plane

_FAINT: Final = 0.35


def slice_of(binding: Binding, axis: int, index: int) -> str:
    """Return what people call a slice: ``"axial slice 12"``."""
    display = binding.display
    if display.pictures:
        return f"picture {index + 1}"
    return f"{PLANES[display.order.index(axis)].lower()} slice {index + 1}"


def waits(kit: Kit, plane: Plane) -> str:
    """Say that an outline waits on a slice."""
    return f"The outline on {slice_of(kit.binding, plane.axis, plane.index)} waits."


class Waiting:
    """Shows the outlines of a case that no hand draws.

    Parameters
    ----------
    binding : Binding
        The case in its viewer.
    held : callable
        Returns which outline is in hand: it is drawn there.
    """

    def __init__(self, binding: Binding, held: Callable[[], Place | None]) -> None:
        self._binding = binding
        self._held = held
        self._sketch = Sketch(binding, name="Begun outlines", opacity=_FAINT)
        binding.session.drafts.changed.connect(self.show)
        self.show()

    def show(self) -> None:
        """Show what waits as it is now."""
        held = self._held()
        waiting = [d for d in self._binding.session.drafts.all if d.place != held]
        if waiting:
            lines = [np.array(draft.points) for draft in waiting]
            self._sketch.show(self._binding.viewer, lines)
        else:
            self._sketch.clear()

    @property
    def words(self) -> str:
        """What a person should know of outlines that wait; empty when none do."""
        held, session = self._held(), self._binding.session
        waiting = [draft for draft in session.drafts.all if draft.place != held]
        if not waiting:
            return ""
        first = waiting[0]
        known = tool(first.tool)
        where = slice_of(self._binding, first.axis, first.index)
        key = f" ({known.key})" if known.key else ""
        if len(waiting) == 1:
            return f"An outline waits on {where}: {known.title}{key} goes on with it there."
        return (
            f"{len(waiting)} outlines wait, the first on {where}: {known.title}{key} goes on "
            "with it there."
        )

    def detach(self) -> None:
        """Show nothing any more."""
        self._binding.session.drafts.changed.disconnect(self.show)
        self._sketch.clear()
