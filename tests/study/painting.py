"""A window without a window: opens one's own reading, draws into it, saves it, closes it.

``python -m tests.study.painting STUDY CASE SLOT TURN``, through what the window calls, too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from napari_medlabel.project.layout import CaseId, find_study
from napari_medlabel.project.work.notes import WorkNotes, write_notes
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import open_desk
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.saving import save
from napari_medlabel.session.study.opening import open_to_work
from napari_medlabel.session.study.seat import sit_down
from tests.study.shapes import LAYERS, LESION, LIVER, SPLEEN, Mask

_WHOLE = (slice(None), slice(None), slice(None))


def main(study: Path, name: str, slot: str, turn: int) -> None:
    """Draw what the script says; work that a crash left is taken back first."""
    layout, case = find_study(study), CaseId.parse(name)
    desk = open_desk(layout.audit)
    with closing(desk.log):
        seat = sit_down(desk, layout)
        for layer, values in ((1, (LESION,)), (0, (LIVER, SPLEEN))):
            opening = open_to_work(seat, case, slot, layer)
            session = open_case(
                opening.paths, desk, opening.wishes, fallback=desk.state / "fallback"
            )
            for recovery in session.recoveries:
                session.recover(recovery, None)
            mask = LAYERS[layer](session.labels.grid.shape, name, seat.rater.code, turn)
            paint(session, mask, values)
            save(session)
            if layer == 0:
                shown = frozenset(range(session.labels.grid.shape[2]))
                notes = WorkNotes(30.0, shown, answers={"clear": True})
                write_notes(session.place.folder, notes)
            session.close()


def paint(session: Session, mask: Mask, values: Iterable[int]) -> None:
    """Let the session's mask become another, by strokes and an eraser."""
    for value in values:
        stroke = session.bench.stroke("Brush", [value])
        stroke.put(_WHOLE, (mask == value) & (session.labels.array != value), value)
        stroke.finish()
    rest = session.labels.array.copy()
    rest[mask == 0] = 0
    session.edit(_WHOLE, rest, name="Erase")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
