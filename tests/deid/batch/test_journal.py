from __future__ import annotations

import errno
from pathlib import Path

import pytest

from napari_medlabel.deid.batch import journal as journal_module
from napari_medlabel.deid.batch.journal import Journal
from napari_medlabel.deid.batch.kinds import Kind
from napari_medlabel.deid.batch.one_file import Outcome, Stamp
from napari_medlabel.deid.report.counts import DeidReport, Look, Note, PixelWork, Reason, Skip
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.errors import SaveError

WORK = PixelWork(
    frozenset({Option.CLEAN_PIXELS}), 3, 1, {"text": 2}, frozenset({Look.ULTRASOUND})
)
REPORT = DeidReport(
    {"X": 3}, 5, frozenset({Note.FACE}), "P-1", "s1-0", {"retain-device": 1}, WORK
)


def outcome(n: int, result: Kind | Reason | Skip = Kind.DICOM) -> Outcome:
    name = ("P-1", f"I-{n}.dcm") if isinstance(result, Kind) else ()
    report = REPORT if name else DeidReport()
    return Outcome(0, f"F-{n}", result, name, report, size=n, stamp=Stamp(n, n))


def begun(
    path: Path, *, boot: str = "a", clock=lambda: 0.0, keep: int = 0, **more: object
) -> Journal:
    journal = Journal(path, "settings", boot=boot, clock=clock, **more)
    journal.dropped = list(journal.begin(keep))
    return journal


def test_what_was_written_reads_back(tmp_path):
    every = [outcome(1), outcome(2, Reason.UNREADABLE), outcome(3, Skip.DICOMDIR)]
    every.append(outcome(4, Kind.NIFTI))
    journal = begun(tmp_path / "j")
    for each in every:
        journal.add(each)
    journal.close()
    again = Journal(tmp_path / "j", "settings", boot="a")
    assert again.fits()
    assert list(again.finished()) == every
    assert again.reliable() == 4
    assert not Journal(tmp_path / "j", "other", boot="a").fits()


def test_a_journal_that_is_not_there_fits_nothing(tmp_path):
    journal = Journal(tmp_path / "none", "settings")
    journal.close()
    assert not journal.fits()
    assert list(journal.finished()) == []


@pytest.mark.parametrize("torn", [b'["F-3",[1', b"\xff\n", b"null\n"])
def test_a_torn_line_ends_it_and_is_written_over(tmp_path, torn):
    journal = begun(tmp_path / "j")
    journal.add(outcome(1))
    journal.add(outcome(2))
    journal.close()
    with (tmp_path / "j").open("ab") as stream:
        stream.write(torn)
    again = begun(tmp_path / "j", keep=2)
    again.add(outcome(3))
    again.close()
    assert [each.token for each in again.finished()] == ["F-1", "F-2", "F-3"]
    assert again.dropped == []


def test_lines_that_do_not_hold_are_dropped_with_the_names_of_their_files(tmp_path):
    journal = begun(tmp_path / "j")
    for n in (1, 2, 3):
        journal.add(outcome(n))
    journal.close()
    journal = begun(tmp_path / "j", keep=3)
    journal.add(outcome(4, Skip.DICOMDIR))
    journal.close()
    again = begun(tmp_path / "j", keep=1)
    assert again.dropped == [("P-1", "I-2.dcm"), ("P-1", "I-3.dcm")]
    again.add(outcome(5))
    again.close()
    assert [each.token for each in again.finished()] == ["F-1", "F-5"]


def test_after_a_power_cut_only_what_was_synced_counts(tmp_path, monkeypatch):
    now, waited = [0.0], []
    monkeypatch.setattr(journal_module, "sync_disk_of", lambda _: waited.append(now[0]))
    journal = begun(
        tmp_path / "j", clock=lambda: now[0], before_sync=lambda: waited.append(-1.0)
    )
    for n, seconds in ((1, 10.0), (2, 400.0), (3, 500.0)):
        now[0] = seconds
        journal.add(outcome(n))
    journal.close()
    assert waited == [-1.0, 400.0]
    assert Journal(tmp_path / "j", "settings", boot="a").reliable() == 3
    assert Journal(tmp_path / "j", "settings", boot="b").reliable() == 2
    assert Journal(tmp_path / "j", "settings", boot="").reliable() == 2
    again = begun(tmp_path / "j", boot="b", keep=2)
    again.close()
    assert Journal(tmp_path / "j", "settings", boot="b").reliable() == 2


def test_the_computer_tells_which_start_it_is(tmp_path, monkeypatch):
    (tmp_path / "id").write_text("abc\n")
    monkeypatch.setattr(journal_module, "_BOOT", tmp_path / "id")
    assert journal_module._boot_id() == "abc"
    monkeypatch.setattr(journal_module, "_BOOT", tmp_path / "none")
    assert journal_module._boot_id() == ""


class Full:
    """A disk that takes no more."""

    def __init__(self, takes: int | None) -> None:
        self.takes = takes

    def write(self, _line: bytes) -> int:
        if self.takes is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.takes


@pytest.mark.parametrize("takes", [None, 3])
def test_a_full_disk_is_said(tmp_path, takes):
    journal = begun(tmp_path / "j")
    journal.close()
    journal._stream = Full(takes)
    with pytest.raises(SaveError, match="No space left") as caught:
        journal.add(outcome(1))
    assert caught.value.__cause__.errno == errno.ENOSPC


def test_a_journal_that_cannot_be_made_is_said(tmp_path):
    with pytest.raises(SaveError, match="journal"):
        begun(tmp_path / "none" / "j")


def test_before_it_is_begun_nothing_is_written(tmp_path):
    Journal(tmp_path / "j", "settings").add(outcome(1))
    assert not (tmp_path / "j").exists()
