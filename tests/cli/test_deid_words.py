from __future__ import annotations

import io

import pytest

from napari_medlabel.cli.deid_words import Progress, lasting, not_passed_on, paths_of, told
from napari_medlabel.deid.report.counts import BatchReport, Look, Quarantined, Queued, Reason


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def batch(**changed: object) -> BatchReport:
    facts: dict[str, object] = {
        "profile": "basic", "edition": "2026c", "profile_sha256": "0", "key_id": "00000000",
        "dry_run": False, "files": 2, "dicom": 1, "nifti": 0, "patients": 1,
        "actions": {"X": 3}, "kept": 4, "notes": {}, "skipped": {}, "quarantined": (),
    }  # fmt: skip
    return BatchReport(**{**facts, **changed})  # type: ignore[arg-type]


def test_a_terminal_gets_a_bar_with_rate_and_time_left():
    screen, clock = Terminal(), Clock()
    show = Progress(screen, clock=clock)
    show(1, 100)
    clock.now = 0.05
    show(2, 100)  # too soon to draw again
    clock.now = 4.0
    show(41, 100)
    clock.now = 10.0
    show(100, 100)
    drawn = screen.getvalue().split("\r")[1:]
    assert len(drawn) == 3
    assert drawn[0].startswith("[........................] 1/100 files\x1b")
    assert "41/100 files, 10 per second, 6 s left" in drawn[1]
    assert drawn[2].endswith("100/100 files, 10 per second\x1b[K\n")


def test_a_resumed_run_counts_its_rate_from_where_it_began():
    screen, clock = Terminal(), Clock()
    show = Progress(screen, clock=clock)
    show(501, 1000)
    clock.now = 10.0
    show(511, 1000)
    assert "1.1 per second, 7 min 25 s left" in screen.getvalue()


def test_one_line_for_each_tenth_elsewhere():
    lines = io.StringIO()
    show = Progress(lines, clock=Clock())
    for done in range(1, 101):
        show(done, 100)
    assert lines.getvalue().splitlines() == [
        f"{done} of 100 files" for done in range(10, 101, 10)
    ]


@pytest.mark.parametrize(
    ("seconds", "words"), [(3.4, "3 s"), (75, "1 min 15 s"), (3 * 3600 + 1900, "3 h 31 min")]
)
def test_times_have_one_or_two_units(seconds, words):
    assert lasting(seconds) == words


def test_options_pixels_and_other_kinds_are_told():
    text = told(
        batch(
            written={"dicom": 1, "metaimage": 3, "sidecar": 2},
            chosen=("clean-pixels", "retain-device"),
            options={"retain-device": 7},
            pixel_files={"clean-pixels": 1},
            regions={"text": 2},
        )
    )
    assert "1 DICOM, 3 MetaImage and 2 sidecar files written" in text
    assert "options: clean-pixels, retain-device 7" in text
    assert "pixels: clean-pixels done, regions blanked: text 2 (1 file)" in text


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"written": {"nrrd": 1}}, "1 NRRD file written"),
        ({"written": {"dicom": 88, "nifti": 4}}, "88 DICOM and 4 NIfTI files written"),
        ({"dicom": 0}, "no files written"),
        ({"dicom": 2, "dry_run": True}, "2 DICOM files would be written"),
    ],
)
def test_only_kinds_that_are_there_are_named(counts, words):
    assert told(batch(**counts)).startswith(f"{words}\n")


def test_quarantined_files_are_told_by_position_and_on_request_by_path(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"\x5c\x01\0\0" + bytes(340) + b"n+1\0")
    (tmp_path / "b.dcm").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path)
    report = batch(
        quarantined=(
            Quarantined(2, "F-0", Reason.NOT_WHAT_IT_SAYS),
            Quarantined(0, "F-1", Reason.FOLDER_SHUT),
        )
    )
    assert "quarantined: 1 (not what its name says), file 2" in not_passed_on(report)
    assert not [line for line in not_passed_on(report) if "b.dcm" in line]
    assert list(paths_of(report, tmp_path)) == [
        "file 2 (not what its name says): b.dcm",
        "not listed or linked: link",
    ]


def test_a_fault_of_ours_is_told_by_class_and_place():
    lines = not_passed_on(batch(faults={"NameError, _walked, line 7": 2}))
    assert lines == [
        "fault in the program (NameError, _walked, line 7): 2 files; please report it"
    ]


def test_images_that_wait_for_eyes_are_told_with_what_to_do():
    waiting = Queued(1, "F-0", ("P", "I.dcm"), frozenset({Look.ULTRASOUND}))
    (line,) = not_passed_on(batch(review=(waiting,)))
    assert line.startswith("1 cleaned image must be looked at and did not leave")
    assert "medlabel deid review DIR --into DST" in line
