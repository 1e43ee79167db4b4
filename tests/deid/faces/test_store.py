"""Verdicts and masks by instance, on disk."""

from __future__ import annotations

import pickle  # noqa: TID251 - what processes talk in
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.deid.faces.cut import FaceCut
from napari_medlabel.deid.faces.doubt import Doubt
from napari_medlabel.deid.faces.store import NAME, FaceStore, Place, Stored, Verdict, Writer

UID = "1.2.3.4"
ONE = Stored(UID, 2, 4, 5)
CUT = FaceCut(np.array([[0.0, 1, 0, 1.5]]), np.empty((0, 4)), 0.0)


def place(frame: int, top: int = 0, left: int = 0, shift: float = 0.0) -> Place:
    matrix = np.eye(4)
    matrix[1, 3] = shift
    return Place(frame, top, left, 4, 5, matrix)


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path / NAME)


def test_masks_come_back_frame_by_frame(writer: Writer) -> None:
    writer.judge(ONE, Verdict.DONE)
    number = writer.cut(CUT)
    writer.place(UID, place(0), number)
    writer.place(UID, place(1, shift=1.0), number)
    store = writer.done()
    masks = store.masks_for(UID + "\0")
    assert masks is not None
    np.testing.assert_array_equal(masks[0], (np.arange(4) > 1.5)[:, None] * np.ones(5))
    np.testing.assert_array_equal(masks[1], (np.arange(4) > 0.5)[:, None] * np.ones(5))
    assert store.verdict_for(UID) == Verdict.DONE
    assert store.doubt_for(UID) is None
    assert store.counts() == {"face can be removed": 1}


def test_tiles_of_a_mosaic_are_put_in_their_places(writer: Writer) -> None:
    writer.judge(Stored(UID, 1, 8, 5), Verdict.DONE)
    number = writer.cut(CUT)
    writer.place(UID, place(0), number)
    writer.place(UID, place(0, top=4, shift=-10.0), number)
    masks = writer.done().masks_for(UID)
    assert masks is not None
    assert masks[0].sum() == 10
    assert not masks[0, 4:].any()


def test_what_was_never_met_is_unsure(writer: Writer) -> None:
    store = writer.done()
    assert store.verdict_for("9.9") == Verdict.UNSURE == "unsure"
    assert store.doubt_for("9.9") == Doubt.UNCOVERED
    assert store.masks_for("9.9") is None


@pytest.mark.parametrize("verdict", [Verdict.NO_FACE, Verdict.NOT_A_HEAD])
def test_only_what_can_be_done_has_masks(writer: Writer, verdict: Verdict) -> None:
    writer.judge(ONE, verdict)
    store = writer.done()
    assert store.verdict_for(UID) == verdict
    assert store.masks_for(UID) is None


def test_the_weightiest_verdict_stays(writer: Writer) -> None:
    writer.judge(ONE, Verdict.NO_FACE)
    writer.judge(ONE, Verdict.UNSURE, Doubt.METAL)
    writer.judge(ONE, Verdict.NOT_A_HEAD)
    store = writer.done()
    assert store.verdict_for(UID) == Verdict.UNSURE
    assert store.doubt_for(UID) == Doubt.METAL


def test_one_instance_in_two_sizes_is_unsure(writer: Writer) -> None:
    writer.judge(ONE, Verdict.NO_FACE)
    writer.judge(Stored(UID, 2, 4, 6), Verdict.NO_FACE)
    assert writer.done().doubt_for(UID) == Doubt.COPIES


def test_one_frame_in_two_places_is_unsure(writer: Writer) -> None:
    writer.judge(Stored(UID, 1, 4, 5), Verdict.DONE)
    number = writer.cut(CUT)
    writer.place(UID, place(0), number)
    writer.place(UID, place(0, shift=3.0), number)
    store = writer.done()
    assert store.doubt_for(UID) == Doubt.COPIES
    assert store.masks_for(UID) is None


def test_a_frame_without_a_place_makes_all_unsure(writer: Writer) -> None:
    writer.judge(ONE, Verdict.DONE)
    writer.place(UID, place(0), writer.cut(CUT))
    assert writer.done().doubt_for(UID) == Doubt.UNCOVERED


def test_a_store_travels_to_another_process_and_holds_no_identifier(
    writer: Writer, tmp_path: Path
) -> None:
    writer.judge(Stored("1.3.6.1.4.1.99999.7", 1, 4, 5), Verdict.NO_FACE)
    store = writer.done()
    again = pickle.loads(pickle.dumps(store))  # noqa: S301 - our own
    assert isinstance(again, FaceStore)
    assert again.verdict_for("1.3.6.1.4.1.99999.7") == Verdict.NO_FACE
    assert b"99999" not in (tmp_path / NAME).read_bytes()
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0


def test_an_older_store_is_replaced(writer: Writer, tmp_path: Path) -> None:
    writer.judge(ONE, Verdict.NO_FACE)
    assert writer.done().verdict_for(UID) == Verdict.NO_FACE
    assert Writer(tmp_path / NAME).done().verdict_for(UID) == Verdict.UNSURE


def test_series_are_counted_with_what_is_in_doubt(writer: Writer) -> None:
    for verdict, doubt in (
        (Verdict.DONE, None),
        (Verdict.UNSURE, Doubt.NECK),
        (Verdict.UNSURE, Doubt.NECK),
        (Verdict.NOT_A_HEAD, None),
    ):
        writer.series(verdict, doubt)
    assert writer.done().series() == {
        "face can be removed": 1,
        "not a head": 1,
        "unsure: the scan reaches below the neck": 2,
    }
