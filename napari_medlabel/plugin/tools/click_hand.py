"""Clicks that find a region: flood, local threshold, an island to keep or to remove."""

from __future__ import annotations

from abc import ABC, abstractmethod

from napari_medlabel.edit.scene import Proposal, Tick
from napari_medlabel.errors import MedlabelError
from napari_medlabel.plugin.pointing import Pointer
from napari_medlabel.plugin.tools.hand import LEFT, QuietHand
from napari_medlabel.plugin.tools.kit import Plane, Work


class Click(QuietHand, ABC):
    """Works out a region from a click, in the background, and has it shown."""

    words = "Working …"

    def press(self, pointer: Pointer) -> bool:
        """Ask for what belongs to the voxel under the mouse."""
        if pointer.button != LEFT or pointer.axis < 0 or pointer.modifiers:
            return False
        inside = zip(pointer.voxel, self.kit.shape, strict=True)
        if not all(0 <= v < n for v, n in inside):
            self.kit.say("Click inside the scan.")
            return True
        try:
            self.kit.ask(self.words, self.work(pointer))
        except MedlabelError as err:
            self.kit.fail(err)
        return True

    @abstractmethod
    def work(self, pointer: Pointer) -> Work:
        """Return what is to be computed for a click."""


class Flood(Click):
    """All voxels of about the value under the mouse, or of a range, that hang together."""

    words = "Flooding …"

    def work(self, pointer: Pointer) -> Work:
        """Return the flood from the voxel under the mouse."""
        kit = self.kit
        scene, value, seed = kit.scene().frozen(), kit.free_label(), pointer.voxel
        box = kit.box(Plane(pointer.voxel_axis, seed[pointer.voxel_axis]))
        chosen = kit.options
        tolerance = low = high = None
        if chosen["by"] == "range":
            low, high = float(chosen["low"]), float(chosen["high"])
        else:
            tolerance = float(chosen["tolerance"])
        touching = int(chosen["touching"])

        def run(tick: Tick) -> Proposal | None:
            from napari_medlabel.edit.flood import flood

            return flood(
                scene, box, seed, value, tolerance=tolerance, low=low, high=high,
                connectivity=touching, tick=tick,
            )  # fmt: skip

        return run


class LocalThreshold(Click):
    """What has the value of the clicked structure nearby, and hangs together."""

    words = "Looking for the structure …"

    def work(self, pointer: Pointer) -> Work:
        """Return the threshold around the voxel under the mouse."""
        kit = self.kit
        scene, value, seed = kit.scene().frozen(), kit.free_label(), pointer.voxel
        box = kit.box(Plane(pointer.voxel_axis, seed[pointer.voxel_axis]))
        radius, neck = float(kit.options["radius_mm"]), float(kit.options["neck_mm"])

        def run(tick: Tick) -> Proposal | None:
            from napari_medlabel.edit.threshold import Likeness, local_threshold

            like = Likeness(neck_mm=neck)
            return local_threshold(
                scene, box, seed, value, radius_mm=radius, like=like, tick=tick
            )

        return run


class Touch(Click):
    """The island that is clicked goes, or is the only one that stays."""

    words = "Looking for the island …"

    def work(self, pointer: Pointer) -> Work:
        """Return what happens to the island under the mouse."""
        kit = self.kit
        scene, seed, keep = (
            kit.scene().frozen(),
            pointer.voxel,
            kit.options["how"] == "keep",
        )
        box = kit.box(Plane(pointer.voxel_axis, seed[pointer.voxel_axis]))

        def run(_tick: Tick) -> Proposal | None:
            from napari_medlabel.edit import islands

            act = islands.keep_touched if keep else islands.remove_touched
            return act(scene, box, seed)

        return run
