"""The events of a case: newest first, of one patient, whatever else the log holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.report import case_events as module
from napari_medlabel.audit.report.case_events import case_events
from napari_medlabel.errors import InputError
from tests.audit.bench import SAVE, Bench
from tests.audit.report.lines import OTHER, PATIENT, digest

_OPEN = Event("volume.open", (PATIENT,), detail={"format": "dicom"})


def test_the_newest_session_comes_first_with_words(bench: Bench) -> None:
    with bench.open() as log:
        log.append_many([_OPEN])
    first = log.path
    bench.clock.utc += 3_600_000
    with bench.open() as log:
        log.append_many([SAVE, Event("volume.open", (OTHER,), detail={"format": "dicom"})])
    saved, opened = case_events(bench.root, PATIENT)
    assert saved.event == "mask.save"
    assert saved.words.startswith("Mask saved: 18 voxels added")
    assert (saved.user, saved.role, saved.outcome) == (bench.actor.user, "annotator", 0)
    assert opened.file == first.relative_to(bench.root).as_posix()
    lines = first.read_bytes().split(b"\n")
    assert b"volume.open" in lines[opened.line - 1]


def test_no_more_sessions_are_read_than_are_needed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = bench.session(events=1)
    bench.clock.utc += 3_600_000
    newer = bench.session(events=3)
    read: list[Path] = []
    plain = Path.read_bytes

    def remember(self: Path) -> bytes:
        read.append(self)
        return plain(self)

    monkeypatch.setattr(Path, "read_bytes", remember)
    assert len(case_events(bench.root, PATIENT, limit=2)) == 2
    assert newer in read
    assert older not in read


def test_a_case_leaves_out_what_names_another(bench: Bench) -> None:
    approve = Event("review.approve", (PATIENT,), detail={"case": digest(1)})
    with bench.open() as log:
        log.append_many(
            [approve, Event("review.submit", (PATIENT,), detail={"case": digest(2)})]
        )
        log.append_many([_OPEN])
    events = [one.event for one in case_events(bench.root, PATIENT, case=digest(1))]
    assert events == ["volume.open", "review.approve"]


def test_a_token_in_another_place_than_the_subject_is_not_the_patient(bench: Bench) -> None:
    path = bench.session(events=1)
    data = path.read_bytes().replace(b'"seal"', f'"{OTHER}"'.encode())
    path.write_bytes(data + f"[{OTHER!r}]\n".encode() + f'["{OTHER}"]\n'.encode())
    assert case_events(bench.root, OTHER) == ()


def test_there_may_be_no_log_yet(tmp_path: Path) -> None:
    assert case_events(tmp_path / "none", PATIENT) == ()


def test_years_of_sessions_are_not_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        bench.session(events=1)
        bench.clock.utc += 3_600_000
    monkeypatch.setattr(module, "MOST_SESSIONS", 2)
    assert len(case_events(bench.root, PATIENT)) == 2


def test_a_file_that_cannot_be_read_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.session(events=1)

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match="cannot be read \\(PermissionError\\)"):
        case_events(bench.root, PATIENT)
