"""Outlines: drawn by dragging or corner by corner, closed, and filled or cut out."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import numpy as np

from napari_medlabel.edit.scene import Proposal
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.plugin.pointing import Pointer
from napari_medlabel.plugin.tools.hand import LEFT, RIGHT, QuietHand
from napari_medlabel.plugin.tools.kit import Kit, Plane
from napari_medlabel.plugin.tools.sketch import Sketch
from napari_medlabel.plugin.tools.waiting import waits
from napari_medlabel.session.drafts import Draft, Place

_STEP: Final = 0.5  # voxels: nearer points of a drag are one


class Outline(QuietHand):
    """Fills what an outline encloses.

    A drag draws it free-hand and closes it by letting go; clicks set its corners, and Enter, a
    double click or the right button close it. A drag with the right button erases.

    What is begun waits on its slice: it is there again when slice and tool come back, and
    Escape forgets it there.
    """

    paints = True
    tool = "outline"
    """Whose outlines it goes on with."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self._sketch = Sketch(kit.binding)
        self._points: list[FloatArray] = []
        self._at: Plane | None = None
        self._view: Any = None
        self._pressed = 0
        self._dragged = False
        self._erases = False
        self._in_hand = True
        self._take_up_seen()

    @property
    def is_busy(self) -> bool:
        """Whether an outline is begun on the slice that is seen."""
        return bool(self._points) and (bool(self._pressed) or self._at == self._seen())

    @property
    def held(self) -> Place | None:
        """Which of the begun outlines is drawn by this hand; None for none."""
        return (self.tool, self._at.axis, self._at.index) if self._at is not None else None

    def press(self, pointer: Pointer) -> bool:
        """Begin an outline, set a corner, or close it with the right button."""
        if pointer.button not in {LEFT, RIGHT} or pointer.axis < 0:
            return False
        self._go_to(pointer)
        if pointer.button == RIGHT and self._points:
            self.close()
            return True
        self._pressed, self._dragged = pointer.button, False
        self._begin_at(pointer)
        self._points.append(pointer.index_ijk)
        self._keep()
        self._show()
        return True

    def drag(self, pointer: Pointer) -> None:
        """Draw on; a view that turned 3D ends the drag."""
        if pointer.axis < 0:
            self.release(pointer)
            return
        if not self._pressed or not self._points:
            return
        if float(np.abs(pointer.index_ijk - self._points[-1]).max()) >= _STEP:
            self._points.append(pointer.index_ijk)
            self._dragged = True
            self._show()

    def release(self, _pointer: Pointer) -> None:
        """Close what was drawn by a drag; after a click wait for the next corner."""
        button, self._pressed = self._pressed, 0
        if not button or not self._points:
            return
        if self._dragged and len(self._points) > 3:
            self._finish(erase=button == RIGHT)
        elif button == RIGHT:
            self.cancel()
        else:
            self._keep()

    def hover(self, pointer: Pointer) -> None:
        """Show the line to the next corner; one that waits on this slice is taken up."""
        if pointer.axis >= 0 and not self._is_here(pointer):
            place = (self.tool, *_plane_of(pointer))
            if self.kit.session.drafts.at(place) is None:
                return
            self._go_to(pointer)
        if self._points and self._is_here(pointer):
            self._view = pointer.view
            self._show(pointer.index_ijk)

    def double_click(self, pointer: Pointer) -> bool:
        """Close the outline."""
        return self._is_here(pointer) and self.close()

    def close(self) -> bool:
        """Close the outline; return whether one was begun."""
        if not self._points or not self.is_busy:
            return False
        if len(self._closed()) < 3:
            self.kit.say("An outline needs three corners.")
            return True
        self._finish(erase=self._erases)
        return True

    def step_back(self) -> bool:
        """Take the last corner back."""
        if not self.is_busy:
            return False
        self._points.pop()
        if self._points:
            self._keep()
            self._show()
        else:
            self.cancel()
        return True

    def cancel(self) -> bool:
        """Forget the outline."""
        had = bool(self._points)
        place = self.held
        self.put_aside()
        if place is not None:
            self.kit.session.drafts.drop(place)
        return had

    def leave(self) -> None:
        """Put the tool down: what is begun waits on its slice."""
        self._in_hand = False
        self._wait()

    def _wait(self) -> bool:
        """Let the outline wait where it is; one click alone is nothing to wait for."""
        if len(self._points) < 2:
            self.cancel()
            return False
        self._keep()
        self.put_aside()
        return True

    def put_aside(self) -> None:
        """Let go of the outline; it waits where it is."""
        self._points, self._pressed, self._at, self._erases = [], 0, None, False
        self._sketch.clear()

    # -- which slice ---------------------------------------------------------------------

    def _seen(self) -> Plane | None:
        try:
            return self.kit.plane()
        except InputError:
            return None  # in 3D no slice is seen

    def _go_to(self, pointer: Pointer) -> None:
        """Let an outline of another slice wait there, and take up the one that waits here."""
        if self._at is not None and not self._is_here(pointer):
            at = self._at
            if self._wait():
                self.kit.say(f"{waits(self.kit, at)} Come back to it and go on.")
        if self._at is None:
            self._view = pointer.view
            self._take_up(Plane(*_plane_of(pointer)))

    def _take_up_seen(self) -> None:
        """Go on with the outline that waits on the slice that is seen."""
        seen = self._seen()
        if seen is not None:
            self._view = self.kit.view
            self._take_up(seen)

    def _take_up(self, plane: Plane) -> None:
        draft = self.kit.session.drafts.at((self.tool, plane.axis, plane.index))
        if draft is None:
            return
        self._at = plane
        self._points = [np.array(point) for point in draft.points]
        self._erases = draft.erases
        self._resume(draft)
        self.kit.session.drafts.changed.emit()  # it is drawn by this hand from now on
        self._show()

    def _resume(self, draft: Draft) -> None:
        """Go on where a kept outline ended."""

    def _begin_at(self, pointer: Pointer) -> None:
        self._at, self._view = Plane(*_plane_of(pointer)), pointer.view

    def _keep(self) -> None:
        """Keep what is drawn so far, in the recovery journal too."""
        if self._at is not None and self._points:
            self.kit.session.drafts.put(self._draft(self._at, erases=self._erases))

    def _draft(self, at: Plane, *, erases: bool) -> Draft:
        points = tuple((float(i), float(j), float(k)) for i, j, k in self._points)
        return Draft(self.tool, at.axis, at.index, points, self._clicked(), erases)

    def _closed(self) -> list[FloatArray]:
        """Return the points of the outline as it is closed."""
        return self._points

    def _clicked(self) -> tuple[int, ...]:
        """Return how many points there were at each click, where that is not one for each."""
        return ()

    def _is_here(self, pointer: Pointer) -> bool:
        at = self._at
        return at is not None and (at.axis, at.index) == _plane_of(pointer)

    def _show(self, tip: FloatArray | None = None) -> None:
        if self._at is None or not self._points:
            return
        points = [*self._points] if tip is None else [*self._points, tip]
        self._sketch.show(self._view, [np.array([*points, points[0]])])

    def _finish(self, *, erase: bool) -> None:
        at = self._at
        if at is None:
            return
        points, draft = np.array(self._closed()), self._draft(at, erases=erase)
        self.cancel()
        self.kit.apply(
            lambda: self._propose(points, at.axis, erase=erase), partial(self._refused, draft)
        )

    def _refused(self, draft: Draft, words: str) -> None:
        """Let an outline that could not become a step wait as it was: no drawing is lost."""
        drafts, at = self.kit.session.drafts, Plane(draft.axis, draft.index)
        if drafts.at(draft.place) is None:
            drafts.put(draft)
        if self._in_hand and self._at is None and self._seen() == at:
            self._take_up(at)
        doing = "Enter erases with it again" if draft.erases else "Enter closes it again"
        said = f"{waits(self.kit, at)} {doing}, Escape forgets it."
        self.kit.say(f"{words} {said}" if words else said)

    def _propose(self, points: FloatArray, axis: int, *, erase: bool) -> Proposal | None:
        from napari_medlabel.edit.outline import fill_outline

        kit = self.kit
        value = kit.free_label()
        return fill_outline(kit.scene(), points, axis, value, slices=kit.slices, erase=erase)


class Scissors(Outline):
    """Cuts through the slices of the tool's extent what an outline encloses."""

    tool = "scissors"

    def _propose(self, points: FloatArray, axis: int, *, erase: bool) -> Proposal | None:
        from napari_medlabel.edit.scissors import Cut, cut

        kit = self.kit
        mode: Cut = "erase_inside" if erase else kit.options["mode"]
        plane = Plane(axis, round(float(np.median(points[:, axis]))))
        value = kit.free_label() if mode == "fill_inside" else kit.label
        return cut(
            kit.scene(),
            kit.box(plane),
            points,
            axis,
            mode=mode,
            value=value,
            values=kit.values(),
        )


def _plane_of(pointer: Pointer) -> tuple[int, int]:
    """Return the voxel axis across the slice under the mouse, and which slice."""
    return pointer.voxel_axis, pointer.voxel[pointer.voxel_axis]
