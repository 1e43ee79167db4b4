"""A window without a window: opens one's own reading, draws into it, saves it, closes it.

``python -m tests.study.painting STUDY CASE SLOT TURN``, through what the window calls, too.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from napari_medlabel.project.layout import CaseId, find_study
from napari_medlabel.project.work.notes import WorkNotes, write_notes
from napari_medlabel.session.desk import open_desk
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.saving import save
from napari_medlabel.session.study.opening import open_to_work
from napari_medlabel.session.study.seat import sit_down
from tests.study.shapes import draw

_WHOLE = (slice(None), slice(None), slice(None))


def main(study: Path, name: str, slot: str, turn: int) -> None:
    """Draw what the script says; work that a crash left is taken back first."""
    layout, case = find_study(study), CaseId.parse(name)
    desk = open_desk(layout.audit)
    with closing(desk.log):
        seat = sit_down(desk, layout)
        opening = open_to_work(seat, case, slot)
        session = open_case(
            opening.paths, desk, opening.wishes, fallback=desk.state / "fallback"
        )
        for recovery in session.recoveries:
            session.recover(recovery, None)
        mask = draw(session.labels.grid.shape, name, seat.rater.code, turn)
        for value in (1, 2):
            stroke = session.bench.stroke("Brush", [value])
            stroke.put(_WHOLE, (mask == value) & (session.labels.array != value), value)
            stroke.finish()
        rest = session.labels.array.copy()
        rest[mask == 0] = 0
        session.edit(_WHOLE, rest, name="Erase")
        save(session)
        shown = frozenset(range(session.labels.grid.shape[2]))
        write_notes(session.place.folder, WorkNotes(30.0, shown, answers={"clear": True}))
        session.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
