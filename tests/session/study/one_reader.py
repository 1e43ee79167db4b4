"""A process of one reader: reads all cases that they may read, then ends."""

from __future__ import annotations

import sys
from pathlib import Path

from napari_medlabel.project.layout import Layout
from napari_medlabel.session.desk import open_desk
from napari_medlabel.session.study.seat import sit_down, worklist
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import begin_next
from tests.session.study.small_study import SmallStudy


def main(tmp: Path, code: str) -> None:
    """Read everything; say when it begins, so that somebody can kill it in time."""
    layout = Layout(tmp / "study")
    desk = open_desk(layout.audit, state=tmp / f"pc-{code}")
    sys.stdout.write("here\n")
    sys.stdout.flush()
    seat = sit_down(desk, layout)
    cases = [row.case for row in worklist(seat).rows]
    study = SmallStudy(layout, tmp, cases)
    # What somebody draws is theirs: masks of two readers differ.
    place = int(code[1:]) + 1
    while (got := begin_next(seat)) is not None:
        number = cases.index(got[0])
        submit(seat, *got, study.scan(number), study.work(1, number=number, place=place))
    desk.log.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
