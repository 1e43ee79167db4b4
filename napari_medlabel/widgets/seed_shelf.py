"""The seed shelf: strokes of seeds are undone one by one, and wait for their tool to return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from napari_medlabel.edit.patch import Box
from napari_medlabel.plugin.tools.hand import QuietHand
from napari_medlabel.plugin.tools.seed_hand import Seeds
from napari_medlabel.session.growing import Growing
from napari_medlabel.session.grown import Seed

STROKE: Final = "Seed stroke"
"""What undo and redo call a stroke."""


class SeedShelf:
    """Knows the strokes in hand, those taken back, and those of a tool put down.

    Parameters
    ----------
    changed : callable
        Told when what undo and redo would do may have changed.
    """

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self._hand: Seeds | None = None
        self._kept: tuple[Seed, ...] = ()
        self._undone: list[Seed] = []
        self._after = 0  # steps of the labels undone since the last stroke was
        self._own = self._warned = False

    @property
    def growing(self) -> Growing | None:
        """The strokes in hand; None without that tool."""
        return None if self._hand is None else self._hand.growing

    # -- taking up and putting down ------------------------------------------------------

    def take(self, hand: QuietHand) -> None:
        """Go on with the strokes that were kept, when seeds are taken up again."""
        if not isinstance(hand, Seeds):
            return
        self._hand = hand
        kept, self._kept = self._kept, ()
        known = hand.kit.session.labels.scheme.values
        growing = hand.growing
        for seed in kept:
            if not seed.value or seed.value in known:  # the segment may be gone meanwhile
                growing.add(seed.box, seed.region, seed.value)
        growing.seeds_changed.connect(self._on_seeds)
        if growing.seeds:
            hand.grow()
        self._changed()

    def put_down(self) -> None:
        """Keep the strokes of the tool that is about to be put down."""
        hand, self._hand = self._hand, None
        if hand is None:
            return
        hand.growing.seeds_changed.disconnect(self._on_seeds)
        self._kept = hand.growing.seeds
        self._undone.clear()
        self._after, self._warned = 0, False
        self._changed()

    def forget(self) -> bool:
        """Forget the strokes that were kept; return whether there were any."""
        had, self._kept = bool(self._kept), ()
        return had

    @property
    def words(self) -> str:
        """What a person should know of strokes that wait; empty when none do."""
        if not self._kept:
            return ""
        return f"{_count(self._kept)} kept: Grow seeds (G) goes on with them."

    def warn(self) -> str:
        """Return a warning before the strokes in hand are forgotten, empty the second time."""
        growing = self.growing
        if growing is None or not growing.seeds or self._warned:
            return ""
        self._warned = True
        return f"Escape once more forgets {_count(growing.seeds)}; G puts them aside."

    # -- undo and redo -------------------------------------------------------------------

    @property
    def undo_name(self) -> str:
        """What undo takes back here, empty where it is a step of the labels."""
        growing = self.growing
        return STROKE if growing is not None and growing.seeds else ""

    @property
    def redo_name(self) -> str:
        """What redo brings back here, empty where it is a step of the labels."""
        return STROKE if self._undone and not self._after else ""

    def undo(self) -> bool:
        """Take the latest stroke back, or the one in the making; False where there is none."""
        hand = self._hand
        if hand is None:
            return False
        if hand.is_busy:
            return hand.cancel()
        if not hand.growing.seeds:
            self._after += 1 if self._undone else 0
            return False
        self._undone.append(hand.growing.seeds[-1])
        self._after = 0
        self._alone(hand.step_back)
        return True

    def redo(self, *, has_step: bool) -> bool:
        """Bring the stroke back that was taken back last; False where there is none.

        Parameters
        ----------
        has_step : bool
            Whether the labels have a step to redo: it goes first where it was undone later.
        """
        hand = self._hand
        if hand is None or not self._undone:
            return False
        if self._after and has_step:
            self._after -= 1
            return False
        self._after = 0
        seed = self._undone.pop()
        self._alone(lambda: hand.growing.add(seed.box, seed.region, seed.value))
        hand.grow()
        return True

    def _alone(self, do: Callable[[], object]) -> None:
        """Change the strokes without ending what can be redone."""
        self._own = True
        try:
            do()
        finally:
            self._own = False
        self._changed()

    def _on_seeds(self, _box: Box) -> None:
        self._warned = False
        if not self._own:
            self._undone.clear()
            self._after = 0
            self._changed()


def _count(seeds: tuple[Seed, ...]) -> str:
    return "1 seed stroke" if len(seeds) == 1 else f"{len(seeds)} seed strokes"
