"""The manager's word after the guidelines were changed: outdated readings are marked.

``python -m tests.study.ruling STUDY``.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from napari_medlabel.project.layout import find_study
from napari_medlabel.session.desk import open_desk
from napari_medlabel.session.study.seat import sit_down
from napari_medlabel.session.study.working import mark_outdated


def main(study: Path) -> None:
    """Mark what is outdated, and name it."""
    layout = find_study(study)
    desk = open_desk(layout.audit, role="researcher")
    with closing(desk.log):
        for case, slot in mark_outdated(sit_down(desk, layout)):
            sys.stdout.write(f"{case} {slot}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
