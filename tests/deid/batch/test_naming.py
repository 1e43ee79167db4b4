from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_medlabel.deid.batch.journal import Journal
from napari_medlabel.deid.batch.kinds import Kind
from napari_medlabel.deid.batch.naming import Shelf, Trial
from napari_medlabel.deid.batch.one_file import Outcome
from napari_medlabel.deid.batch.staging import Staging, staged
from napari_medlabel.deid.report.counts import DeidReport, Look, PixelWork, Reason, Skip

LOOK = DeidReport(pixels=PixelWork(look=frozenset({Look.ULTRASOUND})))


@pytest.fixture
def places(tmp_path: Path):
    with staged(tmp_path / "out") as target, staged(tmp_path / "eyes") as review:
        yield target, review


@pytest.fixture
def journal(places) -> Iterator[Journal]:
    journal = Journal(places[0].journal, "settings", boot="a")
    journal.begin()
    yield journal
    journal.close()


def made(staging: Staging, n: int, content: bytes, **changed: object) -> Outcome:
    part = f"{n}.part"
    (staging.parts / part).write_bytes(content)
    facts = {"name": ("P", "I.dcm"), "part": part, "size": len(content), **changed}
    return Outcome(n, f"F-{n}", Kind.DICOM, **facts)


@pytest.mark.parametrize("first_waits", [False, True])
def test_an_instance_met_twice_is_found_wherever_the_first_lies(places, journal, first_waits):
    target, review = places
    shelf = Shelf(target, journal, review)
    report = LOOK if first_waits else DeidReport()
    first = shelf.named(made(target, 1, b"scan", report=report))
    assert first.result is Kind.DICOM
    assert shelf.holds(first)
    assert shelf.path_of(first).is_relative_to((review if first_waits else target).tree)
    assert shelf.named(made(target, 2, b"scan")).result is Skip.SAME_INSTANCE
    assert shelf.named(made(target, 3, b"other")).result is Reason.DUPLICATE
    assert list(target.parts.iterdir()) == []
    known = list(Journal(target.journal, "settings", boot="a").finished())
    assert [each.token for each in known] == ["F-1", "F-2", "F-3"]
    assert known[1].name == ()
    shelf.discard(first.name)
    assert not shelf.holds(first)


def test_without_a_review_folder_all_goes_to_the_target(places, journal):
    target, _ = places
    shelf = Shelf(target, journal, None)
    placed = shelf.named(made(target, 1, b"scan", report=LOOK))
    assert shelf.path_of(placed) == target.tree / "P" / "I.dcm"
    assert not shelf.holds(made(target, 1, b"longer"))


def test_a_line_comes_before_the_name(places, journal, monkeypatch):
    target, _ = places
    shelf = Shelf(target, journal, None)

    def killed(self, part, name):
        raise KeyboardInterrupt

    monkeypatch.setattr(Staging, "place", killed)
    with pytest.raises(KeyboardInterrupt):
        shelf.named(made(target, 1, b"scan"))
    (known,) = journal.finished()
    assert known.position == 0
    assert known.name == ("P", "I.dcm")
    assert not shelf.holds(known)


def test_what_is_no_file_has_no_line(places, journal):
    target, _ = places
    link = Outcome(0, "F-0", Skip.LINK)
    assert Shelf(target, journal, None).named(link) is link
    assert list(journal.finished()) == []


def test_a_trial_finds_the_same_and_writes_nothing():
    trial = Trial()
    facts = {"name": ("P", "I.dcm"), "sha256": "00"}
    first = Outcome(1, "F-1", Kind.DICOM, **facts)
    assert trial.named(first) is first
    assert trial.named(Outcome(2, "F-2", Kind.DICOM, **facts)).result is Skip.SAME_INSTANCE
    other = Outcome(3, "F-3", Kind.DICOM, name=("P", "I.dcm"), sha256="01")
    assert trial.named(other).result is Reason.DUPLICATE
    refused = Outcome(4, "F-4", Reason.UNREADABLE)
    assert trial.named(refused) is refused
