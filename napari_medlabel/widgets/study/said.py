"""What a reviewer has found so far: it outlives the switch to another layer of the reading."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_medlabel.widgets.study.review_panel import ReviewPanel
from napari_medlabel.widgets.study.review_rows import Mark

Place = tuple[float, float, float]


@dataclass
class Said:
    """What a reviewer has found and said so far, on whatever layer.

    Attributes
    ----------
    marks : dict of int to Mark
        By label; 0 for the whole.
    places : dict of int to point
        Where the cross-hair was, RAS mm.
    done : set of int
        Labels of which a thread was made: once each.
    reason, is_despite
        As chosen on the page.
    """

    marks: dict[int, Mark] = field(default_factory=dict)
    places: dict[int, Place | None] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    reason: str = ""
    is_despite: bool = False

    def take(self, panel: ReviewPanel) -> None:
        """Keep what stands on the page."""
        self.marks, self.reason = dict(panel.marks), panel.reason
        self.is_despite = panel.is_despite

    def give(self, panel: ReviewPanel) -> None:
        """Put it back onto the page."""
        for value, mark in self.marks.items():
            panel.set_mark(value, mark)
        panel.reason_box.setCurrentIndex(panel.reason_box.findData(self.reason))
        panel.despite_box.setChecked(self.is_despite)
