"""Adding scans: through de-identification, in exactly their place, whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.errors import InputError, LogError, RefusedError
from napari_medlabel.io import files
from napari_medlabel.io.files import Staging, sha256_file
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.io.registry import read_volume
from napari_medlabel.project.cases.record import all_records, read_record
from napari_medlabel.project.cases.sidecar import sidecar_path
from napari_medlabel.project.checks.validate import validate
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.session.deid_run import DeidJob, deidentify_logged
from napari_medlabel.session.desk import Desk, open_desk
from napari_medlabel.session.opening import case_id
from napari_medlabel.session.outbox import Outbox, Parcel
from napari_medlabel.session.study import adding
from napari_medlabel.session.study.adding import Added, Naming, add_scans
from napari_medlabel.session.study.originals import find_originals
from tests.io.scans import orientation_of, voxels, write_series
from tests.session.study.a_study import cleaning, events, set_up

OBLIQUE = (0.96, 0.28, 0.0, -0.28, 0.96, 0.0)


@pytest.fixture
def study(tmp_path: Path) -> Iterator[tuple[Layout, Desk]]:
    layout, desk = set_up(tmp_path / "study")
    yield layout, desk
    desk.log.close()


@pytest.fixture
def series(tmp_path: Path) -> Path:
    write_series(tmp_path / "in" / "a", voxels(3), orientation=OBLIQUE)
    return tmp_path / "in" / "a"


def tree(layout: Layout) -> set[str]:
    """Return all files of a study but those of its log."""
    return {
        layout.relative(path)
        for path in layout.root.rglob("*")
        if path.is_file() and not path.is_relative_to(layout.audit)
    }


def told(layout: Layout) -> list[str]:
    return [one["event"] for one in events(layout) if one["event"] == "study.case"]


def nifti(path: Path, seed: int = 3) -> Path:
    array = np.random.default_rng(seed).integers(0, 99, (6, 5, 4)).astype(np.int16)
    nib.save(nib.Nifti1Image(array, np.diag([2.0, 2.0, 3.0, 1.0])), path)
    return path


def test_a_dicom_series_becomes_a_case_in_exactly_its_place(
    study: tuple[Layout, Desk], series: Path
) -> None:
    layout, desk = study
    before = read_volume(series)
    added = add_scans(layout, series, desk, cleaning())
    assert added == Added((CaseId("001"),), faces=3)
    scan = load(layout.scan(CaseId("001")))
    assert np.array_equal(scan.array, before.array)
    assert np.allclose(scan.grid.affine.matrix, before.grid.affine.matrix, atol=1e-6)
    record = read_record(layout.case_file(CaseId("001")))
    assert record.content == case_id(scan)
    assert record.file == f"sha256:{sha256_file(layout.scan(CaseId('001')))}"
    assert list(record.originals) == sorted(
        f"sha256:{sha256_file(path)}" for path in series.iterdir()
    )
    assert record.modality == "CT"
    assert record.subject == desk.tokens.subject_token("HOUSE", "INVENTED-7")
    report = layout.cleanings / f"{record.manifest.removeprefix('sha256:')}.json"
    assert json.loads(report.read_text())["dicom"] == 3
    assert layout.participants.read_text().splitlines()[1].startswith("sub-001\t")


def test_the_log_tells_of_cleaning_and_case_and_of_nobody(
    study: tuple[Layout, Desk], series: Path
) -> None:
    layout, desk = study
    add_scans(layout, series, desk, cleaning())
    names = [one["event"] for one in events(layout)][3:]
    assert names == ["export.begin", "deid.run", "export.done", "study.case"]
    last = events(layout)[-1]
    record = all_records(layout)[0]
    assert last["detail"] == {
        "case": record.content,
        "slots": 2,
        "file": record.file,
        "sidecar": record.sidecar,
    }
    beside = sidecar_path(layout, record.case)
    assert record.sidecar == f"sha256:{sha256_file(beside)}"
    assert [one["id"] for one in last["object"]] == [record.file]
    assert list(layout.outbox.iterdir()) == []


def test_a_session_opens_the_added_scan_under_its_records_content_id(
    study: tuple[Layout, Desk], series: Path
) -> None:
    layout, desk = study
    add_scans(layout, series, desk, cleaning())
    record = all_records(layout)[0]
    scan = read_volume(layout.scan(record.case))
    assert case_id(scan) == record.content
    assert scan.grid.shape == record.shape


def test_a_patient_has_one_code_and_each_scan_a_name(
    study: tuple[Layout, Desk], series: Path, tmp_path: Path
) -> None:
    layout, desk = study
    again, other = tmp_path / "in" / "b", tmp_path / "in" / "c"
    write_series(again, voxels(3) + 1, series="2")
    write_series(other, voxels(3) + 2, series="3", PatientID="INVENTED-8")
    how = cleaning()
    cases = [add_scans(layout, one, desk, how).cases for one in (series, again, other)]
    assert [str(one) for (one,) in cases] == ["sub-001_ct", "sub-001_run-2_ct", "sub-002_ct"]
    third = tmp_path / "in" / "d"
    write_series(third, voxels(3) + 3, series="4")
    added = add_scans(layout, third, desk, how, Naming(session="02", kind="pet"))
    assert [str(one) for one in added.cases] == ["sub-001_ses-02_pet"]
    report = validate(layout, state=desk.state)
    assert report.errors == 0, report.findings


def test_what_was_cleaned_before_is_of_the_same_patient(
    study: tuple[Layout, Desk], series: Path, tmp_path: Path
) -> None:
    layout, desk = study
    how = cleaning()
    write_series(tmp_path / "raw", voxels(3) + 1, series="2")
    clean = tmp_path / "clean"
    other = open_desk(tmp_path / "other-log")
    try:
        job = DeidJob(tmp_path / "raw", clean, how.profile, how.key)
        deidentify_logged(job, how.codes, other)
    finally:
        other.log.close()
    cases = [str(add_scans(layout, one, desk, how).cases[0]) for one in (series, clean)]
    assert cases == ["sub-001_ct", "sub-001_run-2_ct"]
    assert len({record.link for record in all_records(layout)}) == 1


def test_several_series_of_a_folder_have_their_own_originals(
    study: tuple[Layout, Desk], series: Path
) -> None:
    layout, desk = study
    write_series(series.parent / "b", voxels(4) + 1, series="2", SOPInstanceUID=None)
    for k, path in enumerate(sorted((series.parent / "b").iterdir())):
        import pydicom

        ds = pydicom.dcmread(path)
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{k + 1}"
        ds.save_as(path)
    added = add_scans(layout, series.parent, desk, cleaning())
    assert [str(one) for one in added.cases] == ["sub-001_ct", "sub-001_run-2_ct"]
    first, second = (set(one.originals) for one in all_records(layout))
    assert {len(first), len(second)} == {3, 4}
    assert not first & second


def test_the_same_voxels_are_refused_by_the_name_of_the_case(
    study: tuple[Layout, Desk], series: Path, tmp_path: Path
) -> None:
    layout, desk = study
    add_scans(layout, series, desk, cleaning())
    before = tree(layout)
    write_series(tmp_path / "in" / "e", voxels(3), series="7", PatientID="ANOTHER-1")
    for source in (series, tmp_path / "in" / "e"):
        with pytest.raises(RefusedError, match="has this scan already, as sub-001_ct"):
            add_scans(layout, source, desk, cleaning())
    assert tree(layout) == before
    assert told(layout) == ["study.case"]
    write_series(series.parent / "b", voxels(3), series="8", PatientID="ANOTHER-2")
    with pytest.raises(RefusedError, match="None of 3 series was added"):
        add_scans(layout, series.parent, desk, cleaning())


def test_of_a_source_with_one_file_that_cannot_be_cleaned_nothing_is_added(
    study: tuple[Layout, Desk], series: Path
) -> None:
    layout, desk = study
    before = tree(layout)
    whole = (series / "000.dcm").read_bytes()
    (series / "Muster.dcm").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RefusedError, match="1 of 4 files could not be de-identified") as err:
        add_scans(layout, series, desk, cleaning())
    assert "Muster" not in f"{err.value.message}{err.value.hint}"
    assert tree(layout) - before == {"medlabel/.adding.lock"}
    assert told(layout) == []


def test_nifti_files_come_one_by_one_and_each_is_a_patient_unless_said(
    study: tuple[Layout, Desk], tmp_path: Path
) -> None:
    layout, desk = study
    (tmp_path / "in").mkdir()
    one = nifti(tmp_path / "in" / "muster_erika.nii.gz", 1)
    two = nifti(tmp_path / "in" / "two.nii.gz", 2)
    three = nifti(tmp_path / "in" / "three.nii", 3)
    with pytest.raises(InputError, match="NIfTI files lie in this one"):
        add_scans(layout, tmp_path / "in", desk, cleaning())
    how = cleaning()
    names = (Naming(kind="T1w"), Naming(), Naming(subject="001", session="2"))
    cases = [
        str(add_scans(layout, path, desk, how, name).cases[0])
        for path, name in zip((one, two, three), names, strict=True)
    ]
    assert cases == ["sub-001_T1w", "sub-002_scan", "sub-001_ses-2_scan"]
    records = {str(record.case): record for record in all_records(layout)}
    assert records["sub-001_T1w"].subject == records["sub-001_ses-2_scan"].subject
    assert records["sub-001_T1w"].modality == "MR"
    assert records["sub-001_T1w"].originals == (f"sha256:{sha256_file(one)}",)
    mine = nib.load(layout.scan(CaseId("001", suffix="T1w")))
    assert np.array_equal(mine.affine, nib.load(one).affine)
    assert np.array_equal(np.asarray(mine.dataobj), np.asarray(nib.load(one).dataobj))
    assert validate(layout, state=desk.state).errors == 0


def test_another_project_key_would_make_two_codes_and_is_refused(
    study: tuple[Layout, Desk], series: Path, tmp_path: Path
) -> None:
    layout, desk = study
    add_scans(layout, series, desk, cleaning(0))
    write_series(tmp_path / "in" / "b", voxels(3) + 1, series="2")
    with pytest.raises(RefusedError, match="linked by the project key"):
        add_scans(layout, tmp_path / "in" / "b", desk, cleaning(1))
    with pytest.raises(RefusedError, match="is sub-001 in the study already"):
        add_scans(layout, tmp_path / "in" / "b", desk, cleaning(), Naming(subject="009"))


def test_a_code_that_tells_whose_it_is_is_found_before_it_is_a_name(
    study: tuple[Layout, Desk], tmp_path: Path
) -> None:
    layout, desk = study
    before = tree(layout)
    write_series(tmp_path / "in", voxels(3), PatientID="abcd1234")
    with pytest.raises(RefusedError, match="Identity may be in what would be added") as err:
        add_scans(layout, tmp_path / "in", desk, cleaning(), Naming(subject="abcd1234"))
    assert "abcd" not in err.value.message
    assert {name for name in tree(layout) - before if "sub-" in name} == set()


def test_originals_are_kept_under_numbers_when_asked(
    study: tuple[Layout, Desk], tmp_path: Path
) -> None:
    layout, desk = study
    write_series(tmp_path / "in", voxels(3), names=["Muster1.dcm", "Muster2", "Muster3.IMA"])
    add_scans(layout, tmp_path / "in", desk, cleaning(), Naming(keep_original=True))
    kept = sorted((layout.originals / "sub-001" / "sub-001_ct").iterdir())
    assert [path.name for path in kept] == ["0001.dcm", "0002.dcm", "0003.dcm"]
    digests = sorted(f"sha256:{sha256_file(path)}" for path in kept)
    assert tuple(digests) == all_records(layout)[0].originals
    assert layout.originals.stat().st_mode & 0o077 == 0
    last = events(layout)[-2:]
    assert [one["event"] for one in last] == ["export.begin", "export.done"]
    assert [one["detail"]["deidentified"] for one in last] == [False, False]


def test_a_source_in_the_study_or_around_it_is_refused(
    study: tuple[Layout, Desk], tmp_path: Path
) -> None:
    layout, desk = study
    for source in (layout.root, layout.root / "sourcedata", tmp_path):
        with pytest.raises(InputError, match="lie outside the study's folder"):
            add_scans(layout, source, desk, cleaning())


def test_only_a_manager_adds(
    study: tuple[Layout, Desk], series: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, desk = study
    for name, value in (("account_name", lambda: "other"), ("own_tokens", lambda _: [])):
        monkeypatch.setattr(f"napari_medlabel.session.study.setting_up.{name}", value)
    with pytest.raises(RefusedError, match="not on the list"):
        add_scans(layout, series, desk, cleaning())


def test_what_is_no_single_volume_is_left_out_and_said(
    study: tuple[Layout, Desk], series: Path
) -> None:
    layout, desk = study
    for name in ("000.dcm", "001.dcm", "002.dcm"):
        (series.parent / "b").mkdir(exist_ok=True)
        shutil.copy(series / name, series.parent / "b" / name)
    shutil.rmtree(series)
    image = np.zeros((4, 4, 3, 5), np.int16)
    image[..., 1] = 7
    nib.save(nib.Nifti1Image(image, np.diag([2.0, 2.0, 3.0, 1.0])), series.parent / "t.nii")
    with pytest.raises(InputError, match="5 volumes on one grid"):
        add_scans(layout, series.parent / "t.nii", desk, cleaning())
    (series.parent / "empty").mkdir()
    with pytest.raises(InputError):
        add_scans(layout, series.parent / "empty", desk, cleaning())
    (series.parent / "empty" / "letter.txt").write_text("Muster")
    with pytest.raises(InputError, match=r"Scans .* were expected"):
        add_scans(layout, series.parent / "empty", desk, cleaning())


def test_the_cleaned_images_are_kept_beside_a_scan_and_watched(
    study: tuple[Layout, Desk], series: Path
) -> None:
    layout, desk = study
    (case,) = add_scans(layout, series, desk, cleaning()).cases
    record = read_record(layout.case_file(case))
    images = layout.dicom_files(case, len(record.dicom))
    assert [f"sha256:{sha256_file(path)}" for path in images] == list(record.dicom)
    kept, scan = read_volume(images[0].parent), load(layout.scan(case))
    assert kept.grid.difference(scan.grid) == ""
    assert np.array_equal(kept.array, scan.array)
    assert not any(b"INVENTED" in path.read_bytes() for path in images)
    images[0].write_bytes(b"other")
    images[1].rename(images[1].with_name("x.dcm"))
    found = {one.words for one in validate(layout, state=desk.state).findings}
    assert found >= {
        "A kept DICOM image is not the one that was added.",
        "A kept DICOM image is missing.",
        "No record tells of this DICOM image: it did not come through adding.",
    }


def test_images_are_kept_only_where_somebody_wants_them(
    study: tuple[Layout, Desk], series: Path
) -> None:
    layout, desk = study
    (case,) = add_scans(layout, series, desk, cleaning(), Naming(keep_dicom=False)).cases
    assert read_record(layout.case_file(case)).dicom == ()
    assert b'"dicom"' not in layout.case_file(case).read_bytes()  # as it was before
    assert not layout.dicoms.exists()


class Killed(BaseException):
    """Stands for the end of the process."""


KILLS = ["before any name", "after the scan", "before the record", "before the log"]


@pytest.mark.parametrize("moment", KILLS)
def test_an_adding_that_is_killed_leaves_nothing_half(
    study: tuple[Layout, Desk], series: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    layout, desk = study
    parcels: list[Parcel] = []
    real_link, real_announce = files._link_new, Outbox.announce

    def announce(self: Outbox, *args: object, **kwargs: object) -> Parcel:
        parcels.append(real_announce(self, *args, **kwargs))  # type: ignore[arg-type]
        return parcels[-1]

    names = iter(KILLS)

    def link(aside: Path, path: Path) -> None:
        if path.suffix != ".dcm" and next(names) == moment:  # images between scan and sidecar
            raise Killed
        real_link(aside, path)

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "announce", announce)
        patch.setattr(files, "_link_new", link)
        patch.setattr(Staging, "__exit__", lambda *_: None)
        patch.setattr(adding.shutil, "rmtree", lambda *_args, **_kwargs: None)
        if moment == "before the log":
            patch.setattr(Outbox, "deliver", die)
        with pytest.raises(Killed):
            add_scans(layout, series, desk, cleaning())
    for parcel in parcels:
        parcel.release()  # as the system does when a process ends
    assert told(layout) == []
    if moment == "before the log":
        with pytest.raises(RefusedError, match="as sub-001_ct"):
            add_scans(layout, series, desk, cleaning())
    else:
        add_scans(layout, series, desk, cleaning())
    assert told(layout) == ["study.case"]
    assert [str(record.case) for record in all_records(layout)] == ["sub-001_ct"]
    assert not any(".part." in name or "/.adding/" in name for name in tree(layout))
    assert list(layout.outbox.iterdir()) == []
    report = validate(layout, state=desk.state)
    assert report.findings == ()


def test_a_scan_that_somebody_put_there_is_never_taken_away(
    study: tuple[Layout, Desk], series: Path
) -> None:
    layout, desk = study
    theirs = layout.scan(CaseId("001"))
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    (theirs.parent / "MUSTER.nii.gz").write_bytes(b"theirs")
    added = add_scans(layout, series, desk, cleaning())
    assert [str(one) for one in added.cases] == ["sub-001_run-2_ct"]
    assert theirs.read_bytes() == b"theirs"


def test_a_log_that_fails_at_the_end_hears_of_the_case_at_the_next_adding(
    study: tuple[Layout, Desk], series: Path, tmp_path: Path
) -> None:
    layout, desk = study

    class Failing:
        """A log that takes all but the case."""

        def append(self, event: str, **kwargs: object) -> object:
            if event == "study.case":
                raise LogError("full")
            return desk.log.append(event, **kwargs)

    added = add_scans(layout, series, replace(desk, log=Failing()), cleaning())
    assert isinstance(added.unlogged, LogError)
    assert told(layout) == []
    write_series(tmp_path / "in" / "b", voxels(3) + 1, series="2")
    add_scans(layout, tmp_path / "in" / "b", desk, cleaning())
    assert told(layout) == ["study.case", "study.case"]


def test_without_a_log_nothing_is_added(study: tuple[Layout, Desk], series: Path) -> None:
    layout, desk = study

    class Full:
        def append(self, *_: object, **__: object) -> object:
            raise LogError("full")

    before = tree(layout)
    with pytest.raises(LogError):
        add_scans(layout, series, replace(desk, log=Full()), cleaning())
    assert tree(layout) - before <= {"medlabel/.adding.lock"}


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"subject": "muster"}, "code of a patient"),
        ({"session": "20261122"}, "code of a visit"),
        ({"kind": "muster"}, "no such kind"),
    ],
)
def test_names_are_codes(wish: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Naming(**wish)


def test_a_scan_of_unknown_origin_is_refused(series: Path) -> None:
    originals = find_originals(series, Pseudonyms(bytes(32)))
    made = read_volume(series).source
    assert len(originals.of(made)) == 3
    with pytest.raises(InputError, match="could not be told from the others"):
        originals.of(replace(made, sop_instance_uids=("1.2.3",)))
    with pytest.raises(InputError, match="could not be told from the others"):
        originals.of(replace(made, format="nifti"))
    assert str(series) not in repr(originals)


def test_every_orientation_lands_where_it_was(
    study: tuple[Layout, Desk], tmp_path: Path
) -> None:
    layout, desk = study
    how = cleaning()
    for n, codes in enumerate(("LPS", "RPS", "PSL")):
        source = tmp_path / "in" / codes
        orientation = orientation_of(codes)
        write_series(source, voxels(3) + n, orientation=orientation, series=str(n + 1))
        case = add_scans(layout, source, desk, how).cases[0]
        was, now = read_volume(source), load(layout.scan(case))
        corners = was.grid.corners_ras() - now.grid.corners_ras()
        assert np.abs(corners).max() < 1e-3
        assert np.array_equal(was.array, now.array)
