"""What waits for eyes: an image by itself, the slices of a head together."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medlabel.deid.report.counts import Look, Queued
from napari_medlabel.deid.report.waiting import (
    Held,
    Waiting,
    entries_of,
    rows_of,
    together,
)

FACE, TEXT = frozenset({Look.FACE}), frozenset({Look.FACE, Look.LOW_CONTRAST})


def queued(number: int, series: str, look: frozenset[Look] = FACE) -> Queued:
    name = ("P-1", "ST-1", series, f"I-{number}.dcm")
    return Queued(number, f"F-000{number}", name, look)


def test_slices_of_a_head_are_one_and_another_reason_stands_alone():
    first, other, text, last = (
        queued(1, "SE-1"),
        queued(2, "SE-2"),
        queued(3, "SE-1", TEXT),
        queued(4, "SE-1"),
    )
    assert together([first, other, text, last]) == ((first, last), (other,), (text,))


def test_images_of_a_nifti_folder_are_not_slices_of_one():
    several = [Queued(n, f"F-000{n}", ("nifti", "G-1", f"N-{n}.nii"), FACE) for n in (1, 2)]
    assert together(several) == ((several[0],), (several[1],))


def entry(count: int, look: str = Look.FACE.value) -> Waiting:
    names = [("P-1", "ST-1", "SE-1", f"I-{n}.dcm") for n in range(count)]
    return Waiting("F-AAAA", (look,), tuple(Held(name, "0" * 64) for name in names))


def test_entries_come_back_from_their_rows():
    other = Waiting("F-BBBB", ("ultrasound",), (Held(("P-2", "I.dcm"), "1" * 64),))
    entries = (entry(3), other)
    rows = rows_of(entries)
    assert [row["token"] for row in rows] == ["F-AAAA"] * 3 + ["F-BBBB"]
    assert entries_of(rows) == entries


def test_an_entry_lies_at_its_file_or_in_the_folder_of_its_files():
    assert entry(1).path(Path("x")) == Path("x/P-1/ST-1/SE-1/I-0.dcm")
    assert entry(2).path(Path("x")) == Path("x/P-1/ST-1/SE-1")
    assert entry(2).shows_head
    assert not entry(1, "ultrasound").shows_head


@pytest.mark.parametrize("spoilt", ["folder", "look", "reason"])
def test_rows_of_one_token_that_do_not_belong_together_are_refused(spoilt: str):
    rows = rows_of([entry(2, "ultrasound" if spoilt == "reason" else Look.FACE.value)])
    if spoilt == "folder":
        rows[1]["name"] = ["P-1", "ST-1", "SE-2", "I-9.dcm"]
    if spoilt == "look":
        rows[1]["look"] = []
    with pytest.raises(ValueError):  # noqa: PT011 - the reader of the list says what is wrong
        entries_of(rows)
