"""Boxes of a reading: on the disk at once, undone and done again, and part of each version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.errors import GeometryError, InputError, RefusedError
from napari_medlabel.model.boxes import Box3D, BoxSet
from napari_medlabel.project.cases.version import read_boxes
from napari_medlabel.project.ontology.labels import BoxKind
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.session.boxing import open_boxes
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.study.correcting import correct
from napari_medlabel.session.study.made import version_shown
from napari_medlabel.session.study.opening import open_to_work
from napari_medlabel.session.study.reviewing import begin_review
from napari_medlabel.session.study.submitting import open_work, submit
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import ONTOLOGY, SmallStudy, make_study

BOXED = Ontology(
    "Boxed", ONTOLOGY.labels, boxes=(BoxKind("lesion", "Lesion", "#e69f00"),),
    questions=ONTOLOGY.questions,
)  # fmt: skip
LESION = Box3D(1, "lesion", (1, 1, 1), (4, 4, 3))


@pytest.fixture
def study(tmp_path: Path) -> SmallStudy:
    return make_study(
        tmp_path, cases=1, readings=1, people=("m1", "r01", "r04"), ontology=BOXED
    )


def test_boxes_are_kept_undone_submitted_and_corrected(  # noqa: PLR0915 - one story
    study: SmallStudy, tmp_path: Path
) -> None:
    seat, case = study.seat("r01"), study.cases[0]
    start(seat, case, "A")
    opening = open_to_work(seat, case, "A")
    session = open_case(list(opening.paths), seat.desk, opening.wishes, fallback=tmp_path)
    boxing, grid = session.boxing, session.volume.grid
    with pytest.raises(RefusedError, match="only looked at"):
        boxing.add("lesion", (0, 0, 0), (1, 1, 1))
    assert boxing.open() == BoxSet()
    assert boxing.add("lesion", LESION.start, LESION.stop) == LESION
    boxing.change(replace(LESION, stop=(5, 4, 3)))
    folder = boxing.path.parent
    assert open_boxes(folder, grid) == boxing.boxes
    session.undo()
    assert open_boxes(folder, grid) == boxing.boxes == BoxSet((LESION,))
    session.redo()
    session.undo()
    boxing.remove(1)
    session.undo()
    with pytest.raises(GeometryError, match="out of the scan"):
        boxing.add("lesion", (0, 0, 0), (99, 1, 1))
    session.close(discard=True)

    # As it lies on the disk it is submitted; the same again is no new version.
    work = open_work(study.layout, "r01", case, study.scan())
    assert work.labelled.boxes == BoxSet((LESION,))
    given = study.work(1, 2)
    given = replace(given, labelled=replace(given.labelled, boxes=work.labelled.boxes))
    assert submit(seat, case, "A", study.scan(), given).is_new
    assert not submit(seat, case, "A", study.scan(), given).is_new
    reviewer = study.seat("r04")
    version = version_shown(reviewer, case, "A")
    assert version is not None
    assert read_boxes(study.layout, version, grid) == BoxSet((LESION,))

    # A box alone is a correction; the very same is none.
    begin_review(reviewer, case, "A")
    with pytest.raises(RefusedError, match="what was submitted"):
        correct(reviewer, case, "A", study.scan(), given.labelled)
    other = replace(given.labelled, boxes=BoxSet((replace(LESION, start=(0, 1, 1)),)))
    assert correct(reviewer, case, "A", study.scan(), other).state == "corrected"
    version = version_shown(reviewer, case, "A")
    assert version is not None
    assert read_boxes(study.layout, version, grid) == other.boxes
    path = version.path(study.layout, "boxes.json")
    assert path is not None
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"lesion", b"lesiom"))
    with pytest.raises(InputError, match="not the one that was submitted"):
        read_boxes(study.layout, version, grid)
    study.close()


def test_boxes_of_strange_kinds_are_not_submitted(study: SmallStudy) -> None:
    seat, case = study.seat("r01"), study.cases[0]
    start(seat, case, "A")
    given = study.work(1, 2)
    strange = BoxSet((replace(LESION, kind="node"),))
    given = replace(given, labelled=replace(given.labelled, boxes=strange))
    with pytest.raises(InputError, match="does not have"):
        submit(seat, case, "A", study.scan(), given)
    study.close()
