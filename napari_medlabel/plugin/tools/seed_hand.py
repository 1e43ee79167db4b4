"""Seeds: strokes that are no labels yet, and what grows from them while one paints."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from napari_medlabel.edit.brush import Mark
from napari_medlabel.edit.patch import Box, Patch
from napari_medlabel.edit.scene import Tick
from napari_medlabel.errors import MedlabelError
from napari_medlabel.plugin.layers import metadata
from napari_medlabel.plugin.pointing import Pointer
from napari_medlabel.plugin.tools.brush_hand import mark_of, union
from napari_medlabel.plugin.tools.hand import LEFT, RIGHT, QuietHand
from napari_medlabel.plugin.tools.kit import Kit
from napari_medlabel.plugin.tools.sketch import ROLE, add_aside
from napari_medlabel.session.growing import Growing
from napari_medlabel.session.grown import BACKGROUND

_BACKGROUND_COLOUR: Final = (0.62, 0.79, 0.88, 1.0)
_COARSE_ABOVE: Final = 4 << 20  # voxels: smaller regions have their full answer at once


class SeedLayer:
    """Shows the strokes, over the whole scan; only what is painted takes memory.

    Parameters
    ----------
    kit : Kit
        Whose case it is.
    mark : int
        What stands for background; no label has this value.
    """

    def __init__(self, kit: Kit, mark: int) -> None:
        from napari.layers import Labels

        self._kit = kit
        binding = kit.binding
        self._mark = mark
        self.array = np.zeros(kit.shape[::-1], np.min_scalar_type(mark)).T
        table: dict[int | None, Any] = {
            value: colour
            for value, colour in binding.labels.colormap.color_dict.items()
            if value is not None
        }
        table |= {None: (0, 0, 0, 0), 0: (0, 0, 0, 0), mark: _BACKGROUND_COLOUR}
        display = binding.display
        self.layer = Labels(
            display.show(self.array),
            name="Seeds",
            opacity=1.0,
            colormap=table,
            metadata=metadata(display, ROLE, kit.session.place.case),
            **display.geometry(),
        )
        add_aside(binding.viewer, self.layer)

    def paint(self, mark: Mark, value: int) -> None:
        """Show a part of a stroke in the making."""
        box, region = mark
        self.array[box][region] = value or self._mark
        self._refresh()

    def show(self, growing: Growing, box: Box) -> None:
        """Show the strokes that there are in a box."""
        self.array[box] = growing.painted(box)
        self._refresh()

    def remove(self) -> None:
        """Take the layer away."""
        layers = self._kit.binding.viewer.layers
        if self.layer in layers:
            active = layers.selection.active
            layers.remove(self.layer)
            layers.selection.active = active

    def _refresh(self) -> None:
        self.layer.refresh(thumbnail=False, highlight=False, extent=False)


class Seeds(QuietHand):
    """Paints seeds; after each stroke everything grows anew as far as it must."""

    circle = True
    paints = True

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self.growing = Growing(kit.bench, kit.skew_mm)
        self._layer = SeedLayer(kit, self.growing.background_mark)
        self._marks: list[Mark] = []
        self._last: Pointer | None = None
        self._value = 0
        self.growing.seeds_changed.connect(self._on_seeds)
        kit.say(self.growing.words)

    @property
    def is_busy(self) -> bool:
        """Whether a stroke is under way."""
        return bool(self._marks)

    def press(self, pointer: Pointer) -> bool:
        """Begin a stroke, or take the one under the mouse back with the right button."""
        if pointer.button not in {LEFT, RIGHT} or pointer.axis < 0:
            return False
        if pointer.button == RIGHT:
            if not self._marks:
                self._take_back(pointer)
            return True
        try:
            back = self.kit.options["seed"] == "back"
            self._value = BACKGROUND if back else self.kit.free_label()
        except MedlabelError as err:
            self.kit.fail(err)
            return True
        self._last = pointer
        self._put(pointer)
        return True

    def drag(self, pointer: Pointer) -> None:
        """Paint on; a view that turned 3D ends the stroke."""
        if pointer.axis < 0:
            self.release(pointer)
        elif self._last is not None:
            self._put(pointer)

    def release(self, _pointer: Pointer) -> None:
        """Make a seed of the stroke, and let it grow."""
        marks, self._marks, self._last = self._marks, [], None
        if marks:
            self.growing.add(*union(marks), self._value)
            self.grow()

    def wheel(self, pointer: Pointer, steps: float) -> bool:
        """Change the size with Shift."""
        if "Shift" not in pointer.modifiers or not steps:
            return False
        self.kit.resize(1.0 if steps > 0 else -1.0)
        return True

    def step_back(self) -> bool:
        """Take the latest stroke back."""
        if self.growing.remove_last() is None:
            return False
        self.grow()
        return True

    def cancel(self) -> bool:
        """Forget the stroke in the making."""
        marks, self._marks, self._last = self._marks, [], None
        for box, _ in marks:
            self._layer.show(self.growing, box)
        return bool(marks)

    def accept(self) -> Patch | None:
        """Make what has grown one step; the seeds are done."""
        return self.growing.accept()

    def leave(self) -> None:
        """Put the tool down: seeds and what grew from them are forgotten."""
        self.cancel()
        self.growing.seeds_changed.disconnect(self._on_seeds)
        self.growing.cancel()
        self._layer.remove()

    def retune(self, option: str) -> None:
        """Grow anew when how it grows was changed."""
        if option in {"mode", "gradient_mm"} and self.growing.seeds:
            self.grow()

    def look_anew(self) -> None:
        """Grow anew, on the volume that is shown now."""
        if self.growing.seeds:
            self.grow()

    def grow(self) -> None:
        """Bring what is shown in line with the strokes, in the background."""
        chosen = self.kit.options
        self.growing.use(chosen["mode"], float(chosen["gradient_mm"]) or None)
        missing = self.growing.words
        if missing:
            self.kit.bench.show(None)
            self.kit.say(missing)
            return
        growing = self.growing
        region = growing.region
        first = growing.gradient_mm is None and region is not None
        voxels = 1 if region is None else int(np.prod([s.stop - s.start for s in region]))

        def update(tick: Tick) -> Any:
            return growing.update(tick=tick)

        def sketch(tick: Tick) -> Any:
            return growing.first_answer(tick=tick)

        if first and voxels > _COARSE_ABOVE:
            self.kit.ask("Growing, first roughly …", sketch, update)
        else:
            self.kit.ask("Growing …", update)

    def _put(self, pointer: Pointer) -> None:
        before, self._last = self._last or pointer, pointer
        mark = mark_of(self.kit, before, pointer)
        if mark is not None:
            self._marks.append(mark)
            self._layer.paint(mark, self._value)

    def _take_back(self, pointer: Pointer) -> None:
        for seed in reversed(self.growing.seeds):
            at = pointer.voxel
            inside = all(s.start <= v < s.stop for s, v in zip(seed.box, at, strict=True))
            if (
                inside
                and seed.region[tuple(v - s.start for s, v in zip(seed.box, at, strict=True))]
            ):
                self.growing.remove(seed.number)
                self.grow()
                return
        self.kit.say("There is no stroke here: click on one, or Backspace for the latest.")

    def _on_seeds(self, box: Box) -> None:
        self._layer.show(self.growing, box)
