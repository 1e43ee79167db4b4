"""Labels that overlap are compared, agreed on and adjudicated, each layer by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.project.agreement.adjudication import Decision
from napari_medlabel.project.cases.version import ORIGINS, read_provenance
from napari_medlabel.project.checks.validate import validate
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.study.adjudicating import Adjudicating
from napari_medlabel.session.study.agreeing import open_adjudication, reach, save_decisions
from napari_medlabel.session.study.comparing import compare_study
from napari_medlabel.session.study.disputes import open_to_adjudicate, prepare, ready_cases
from napari_medlabel.session.study.readings import masks_of, ready_readings
from napari_medlabel.session.study.seat import look
from tests.session.study.layered_study import (
    LESION_A,
    LESION_B,
    LIVER_A,
    LIVER_B,
    is_just,
    make_layered,
)
from tests.session.study.small_study import SmallStudy

UNRESOLVED = ORIGINS.index("unresolved")


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_layered(tmp_path)
    yield made
    made.close()


def test_agreement_has_the_labels_of_all_layers_and_the_consensus_its_sheets(study) -> None:
    seat, case, scan = study.seat("m1"), study.cases[0], study.scan()
    found = compare_study(seat)
    rows = {row.name: row for row in found.table.pairs()}
    assert rows["Liver"].dice == pytest.approx(2 * 8 / (8 + 12))
    assert rows["Lesion"].dice == pytest.approx(2 * 4 / (8 + 8))
    assert found.left_out == {}
    done = reach(seat, case, "union", scan)
    masks = masks_of(study.layout, done.version, scan.grid)
    assert is_just(masks[0], 1, LIVER_A, LIVER_B)
    assert is_just(masks[1], 7, LESION_A, LESION_B)
    assert any(one.startswith("Lesion: Union") for one in done.words)
    origins = read_provenance(study.layout, done.version, scan.grid, 1)
    both = np.s_[3:4, 2:4, 1:3]
    assert (origins[both] == ORIGINS.index("human")).all()
    assert np.count_nonzero(origins == ORIGINS.index("adjudicated")) == 8
    against = compare_study(seat, is_first=False).table.against_consensus()
    dice = {(row.first, row.name): row.dice for row in against}
    assert dice["r01", "Lesion"] == pytest.approx(2 * 8 / (8 + 12))
    assert dice["r02", "Liver"] == 1
    errors = [one for one in validate(study.layout).findings if one.level == "error"]
    assert [one for one in errors if one.rule in ("content", "files", "scheme", "hash")] == []
    assert study.is_sound()


def test_each_layer_is_adjudicated_by_itself_and_the_consensus_takes_all(study) -> None:
    seat, case, scan = study.seat("m1"), study.cases[0], study.scan()
    (ready,) = ready_cases(seat)
    assert ready.readings == 2
    opening = open_to_adjudicate(seat, case, "", 1)
    assert opening.title.endswith(", layer 1")
    assert opening.wishes.scheme.values == (7,)
    with pytest.raises(InputError, match="no labels on that layer"):
        open_to_adjudicate(seat, case, "", 2)
    session = open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
    prepared = prepare(seat, case, scan.grid, sheet=1)
    work = Adjudicating(seat, case, session, prepared)
    assert len(work.open) == 2  # the lesion of A alone, and that of B alone
    only_b = next(one for one in work.open if one.says == (0, 7))
    work.decide([only_b.number], "B")
    work.close()
    session.close()
    done = reach(study.again("m1"), case, "adjudicate", scan)
    assert (done.open, done.open_voxels) == (2, 4 + 4)
    masks = masks_of(study.layout, done.version, scan.grid)
    assert is_just(masks[0], 1, LIVER_A)
    assert is_just(masks[1], 7, LESION_B)
    origins = read_provenance(study.layout, done.version, scan.grid, 1)
    assert np.count_nonzero(origins == UNRESOLVED) == 4
    seat = study.seat("m1")
    readings = ready_readings(seat, look(seat, case, "A").row, scan.grid)
    liver, found = open_adjudication(seat, case, readings)
    assert len(found.found) == 1
    save_decisions(seat, case, liver.decide(0, Decision("B", seat.desk.time())))
    done = reach(seat, case, "adjudicate", scan)
    assert (done.open, done.version.number) == (1, 2)
    masks = masks_of(study.layout, done.version, scan.grid)
    assert is_just(masks[0], 1, LIVER_A, LIVER_B)
    assert is_just(masks[1], 7, LESION_B)
    assert study.is_sound()
