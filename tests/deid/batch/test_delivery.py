from __future__ import annotations

import csv
import json
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pydicom
import pytest

from napari_medlabel.audit.format.event import Event
from napari_medlabel.deid.batch import delivery, one_file
from napari_medlabel.deid.batch.delivery import check_places, page_of, review_beside
from napari_medlabel.deid.batch.folder import (
    Listeners,
    Settings,
    deidentify_folder,
    preview_folder,
)
from napari_medlabel.deid.report.counts import Look, PixelWork
from napari_medlabel.deid.report.review import decide, read_queue
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.errors import InputError, LogError, MissingPackageError, SaveError


class Log:
    """A log in memory that fails at one event."""

    def __init__(self, fails_at: str = "") -> None:
        self.events: list[tuple[str, dict[str, object]]] = []
        self.fails_at = fails_at

    def append(
        self,
        event: str,
        *,
        subject: tuple[str, ...] = (),
        detail: Mapping[str, object] = {},
        outcome: int | None = None,
    ) -> None:
        Event(event, subject=subject, detail=detail, outcome=outcome)
        if event == self.fails_at:
            raise LogError("The log cannot be written.")
        self.events.append((event, dict(detail)))


@pytest.fixture
def scans(tmp_path: Path, ct, as_file) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for n in range(1, 5):
        (folder / f"{n}.dcm").write_bytes(as_file(ct(n)))
    (folder / "head.nii").write_bytes(_nifti())
    return folder


def _nifti() -> bytes:
    header = bytearray(352)
    header[0:4], header[344:348] = b"\x5c\x01\0\0", b"n+1\0"
    header[40:56] = b"".join(n.to_bytes(2, "little") for n in (3, 2, 2, 2, 1, 1, 1, 1))
    header[70:74], header[108:112] = b"\x02\0\x08\0", b"\0\0\xb0\x43"
    return bytes(header) + b"12345678"


@pytest.fixture
def eyes(monkeypatch):
    """Let every second slice be one that somebody must look at."""
    original = one_file.write_clean

    def written(source, *args, **kwargs):
        made = original(source, *args, **kwargs)
        if source.stem not in {"2", "4"}:
            return made
        work = PixelWork(
            frozenset({Option.CLEAN_PIXELS}), 1, 1, {"text": 2}, frozenset({Look.ULTRASOUND})
        )
        return replace(made, report=replace(made.report, pixels=work))

    monkeypatch.setattr(one_file, "write_clean", written)


def settings_for(monkeypatch, review: Path | None, **changed: object) -> Settings:
    monkeypatch.setattr(Settings, "review_for", lambda _self, target, _profile: review)
    return Settings(review=review, **changed)


def names(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.rglob("*") if path.is_file())


def test_images_that_must_be_looked_at_do_not_leave(
    scans, tmp_path, profile, pseudonyms, eyes, monkeypatch
):
    review, log = tmp_path / "eyes", Log()
    settings = settings_for(monkeypatch, review)
    report = deidentify_folder(
        scans, tmp_path / "out", profile, pseudonyms, settings, Listeners(log)
    )
    assert [queued.position for queued in report.review] == [2, 4]
    assert (report.dicom, report.written) == (2, {"dicom": 2, "nifti": 1})
    assert report.regions == {"text": 4}
    assert report.pixel_files == {"clean-pixels": 2}
    assert names(tmp_path / "out").count(".dcm") == 2
    assert names(review) == [".dcm", ".dcm", ".html", ".json"]
    assert {each.token for each in read_queue(review)} == {q.token for q in report.review}
    (run,) = [d for e, d in log.events if e == "deid.run" and d.get("format") == "dicom"]
    assert run["review"] == 2
    assert run["frames_changed"] == 2
    assert run["burned_in"] == "not-checked"  # not all files were
    assert report.to_json()["review"][0]["look"] == ["ultrasound"]
    tokens = [each.token for each in read_queue(review)]
    decide(review, tmp_path / "out", accept=tokens)
    assert names(tmp_path / "out").count(".dcm") == 4
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("exists", [False, True])
def test_without_a_log_neither_folder_stays(
    scans, tmp_path, profile, pseudonyms, eyes, monkeypatch, exists
):
    review, mappings = tmp_path / "eyes", tmp_path / "maps"
    if exists:
        review.mkdir()
    settings = settings_for(monkeypatch, review, mappings=mappings)
    with pytest.raises(LogError):
        deidentify_folder(
            scans,
            tmp_path / "out",
            profile,
            pseudonyms,
            settings,
            Listeners(Log("export.done")),
        )
    assert not (tmp_path / "out").exists()
    assert list(mappings.iterdir()) == []
    assert list(review.iterdir()) == [] if exists else not review.exists()


def test_when_the_target_cannot_be_published_the_review_folder_goes_too(
    scans, tmp_path, profile, pseudonyms, eyes, monkeypatch
):
    review = tmp_path / "eyes"
    original = delivery.publish

    def refuse(staging, target, *, last):
        if target.name == "out":
            raise SaveError("The target could not be put in place.")
        original(staging, target, last=last)

    monkeypatch.setattr(delivery, "publish", refuse)
    settings = settings_for(monkeypatch, review)
    with pytest.raises(SaveError):
        deidentify_folder(scans, tmp_path / "out", profile, pseudonyms, settings)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_run_that_was_broken_off_finds_its_review_folder_again(
    scans, tmp_path, profile, pseudonyms, eyes, monkeypatch
):
    def stop(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    review = tmp_path / "eyes"
    settings = settings_for(monkeypatch, review, resume=True)
    with pytest.raises(KeyboardInterrupt):
        deidentify_folder(
            scans, tmp_path / "out", profile, pseudonyms, settings, Listeners(progress=stop)
        )
    said: list[str] = []
    report = deidentify_folder(
        scans, tmp_path / "out", profile, pseudonyms, settings, Listeners(say=said.append)
    )
    assert ": 3 of 5" in said[0]
    assert len(report.review) == 2
    assert names(review).count(".dcm") == 2
    assert not list(tmp_path.glob(".*"))


def test_mappings_say_which_identifier_became_which(scans, tmp_path, profile, pseudonyms):
    log, mappings = Log(), tmp_path / "maps"
    deidentify_folder(
        scans,
        tmp_path / "out",
        profile,
        pseudonyms,
        Settings(mappings=mappings),
        Listeners(log),
    )
    text = (mappings / "patid_mapping.csv").read_text("utf-8")
    rows = dict(csv.reader(text.splitlines()))
    made = next((tmp_path / "out").rglob("*.dcm"))
    assert rows["MRN5550123"] == pydicom.dcmread(made).PatientID
    assert stat.S_IMODE((mappings / "uid_mapping.csv").stat().st_mode) == 0o600
    assert [event for event, _ in log.events][-2:] == ["reid.export", "export.done"]
    assert dict(log.events)["reid.export"]["cases"] == 1
    with pytest.raises(InputError, match="holds a mapping already"):
        check_places(scans, tmp_path / "new", None, mappings)
    deidentify_folder(
        scans, tmp_path / "two", profile, pseudonyms, Settings(mappings=tmp_path / "m2")
    )
    assert (tmp_path / "m2" / "uid_mapping.csv").exists()


@pytest.mark.parametrize("where", ["in", "in/eyes", "out", "out/eyes", "full"])
def test_a_review_folder_among_others_is_refused(scans, tmp_path, where):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(InputError, match="review folder") as caught:
        check_places(scans, tmp_path / "out", tmp_path / where)
    assert "--review" in caught.value.hint


def test_a_review_folder_lies_beside_the_target_only_where_pixels_are_cleaned(tmp_path):
    assert review_beside(tmp_path / "out") == tmp_path / "out-review"
    settings = Settings()
    plain, cleaned = load_profile(), load_profile(options=["clean-pixels"])
    assert settings.review_for(tmp_path / "out", plain) is None
    assert settings.review_for(tmp_path / "out", cleaned) == tmp_path / "out-review"
    assert Settings(review=tmp_path / "x").review_for(tmp_path, cleaned) == tmp_path / "x"


def test_the_page_shows_pictures_on_request(scans, tmp_path, profile, pseudonyms):
    plain = deidentify_folder(scans, tmp_path / "one", profile, pseudonyms)
    page = (tmp_path / "one" / "deid-report.html").read_bytes()
    assert page == page_of(plain, profile)
    assert b"data:image/png" not in page
    shown = Settings(pictures=True)
    deidentify_folder(scans, tmp_path / "two", profile, pseudonyms, shown)
    assert b"data:image/png" in (tmp_path / "two" / "deid-report.html").read_bytes()


def test_faces_are_planned_for_the_whole_batch_and_go_to_the_engine(
    scans, tmp_path, pseudonyms, monkeypatch
):
    from napari_medlabel.deid.faces import brain_masks
    from napari_medlabel.deid.faces import plan as face_plan

    planned: list[tuple[int, object]] = []
    store = SimpleNamespace(series=dict)
    told: list[object] = []

    def plan(files, folder, *, brain_masks, progress):
        progress(1, 2)
        planned.append((len(list(files)), brain_masks))
        return store

    def written(*_args, faces, **_kwargs):
        told.append(faces)
        raise InputError("It is not written here.")

    monkeypatch.setattr(face_plan, "plan_faces", plan)
    monkeypatch.setattr(brain_masks, "read_masks", lambda folder: brain_masks.NO_MASKS)
    monkeypatch.setattr(one_file, "write_clean", written)
    monkeypatch.setattr(one_file, "clean_file", written)
    profile = load_profile(options=["clean-faces"])
    seen: list[tuple[int, int]] = []
    hears = Listeners(planning=lambda *numbers: seen.append(numbers))
    settings = Settings(brain_masks=tmp_path)
    report = deidentify_folder(scans, tmp_path / "out", profile, pseudonyms, settings, hears)
    preview = preview_folder(scans, profile, pseudonyms, settings, hears)
    assert planned == [(5, tmp_path)] * 2
    assert seen == [(1, 2)] * 2
    assert told == [store] * 8
    assert len(report.quarantined) == len(preview.quarantined) >= 4
    assert not (tmp_path / "out-review").exists()


def test_what_was_quarantined_is_listed_by_position(scans, tmp_path, profile, pseudonyms):
    (scans / "5.dcm").write_text("text")
    deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
    document = json.loads((tmp_path / "out" / "deid-quarantine.json").read_text())
    assert [file["position"] for file in document["files"]] == [5]
    assert "sort" in document["how"]


def test_an_option_whose_package_is_missing_is_refused_before_anything(
    scans, tmp_path, pseudonyms, monkeypatch
):
    from napari_medlabel.deid.pixels import text_boxes

    def missing() -> None:
        raise MissingPackageError("This needs a package.", hint="Install the extra [pixels].")

    monkeypatch.setattr(text_boxes, "require_detector", missing)
    log = Log()
    with pytest.raises(MissingPackageError):
        deidentify_folder(
            scans,
            tmp_path / "out",
            load_profile(options=["clean-pixels"]),
            pseudonyms,
            listeners=Listeners(log),
        )
    assert log.events == []
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
