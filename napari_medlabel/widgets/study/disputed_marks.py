"""Landmarks that readings do not have in one place, as lines of a list to decide on."""

from __future__ import annotations

from napari_medlabel.project.agreement.landmarks import MIDDLE, OWN, apart_mm, places_of
from napari_medlabel.session.study.adjudicating import Adjudicating
from napari_medlabel.widgets.study.dispute_panel import Dispute


def disputed_marks(work: Adjudicating) -> list[Dispute]:
    """Return the landmarks without a place that all agree on, and those that were decided."""
    sets = [one.landmarks for one in work.readings]
    now = work.marks()
    out = []
    for mark in work.mark_rows():
        decided = work.work.marks.get(mark.name)
        places = places_of(sets, mark.name)
        if decided is None and (now[mark.name].is_placed or not any(places)):
            continue
        missing = [s for s, at in zip(work.slots, places, strict=True) if at is None]
        apart = apart_mm(places)
        words = [] if apart is None else [f"{apart:.1f} mm apart"]
        if missing:
            words.append(f"not placed by {', '.join(missing)}")
        choices = (
            ("", "left open"),
            *((slot, f"{slot}'s") for slot in work.slots),
            (MIDDLE, "middle"),
            (OWN, "own point"),
        )
        chosen = "" if decided is None else decided.choice
        out.append(Dispute(mark.name, "; ".join(words), choices, chosen))
    return out
