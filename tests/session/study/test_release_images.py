"""DICOM images that tell more of a patient than the released table does stay in the study."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_medlabel.errors import InputError
from napari_medlabel.project.cases.participants import read_participants, to_tsv
from napari_medlabel.project.release.splits import Shares
from napari_medlabel.session.study import release_images
from napari_medlabel.session.study.adding import add_scans
from napari_medlabel.session.study.exporting.plan import GatesError
from napari_medlabel.session.study.exporting.wish import ExportWish, Format
from napari_medlabel.session.study.release_check import check_release
from napari_medlabel.session.study.release_images import told_beyond
from napari_medlabel.session.study.release_papers import Telling
from napari_medlabel.session.study.releasing import Released, ReleaseWish, make_release
from tests.export.leaving import HEADER
from tests.io.scans import voxels, write_series
from tests.session.study.a_study import cleaning
from tests.session.study.exporting.leaving_study import LABELS, read
from tests.session.study.small_study import SmallStudy, make_study

KEPT = "retain-patient-characteristics"
FORMATS: tuple[Format, ...] = ("dicom-seg", "rtstruct", "sr")
TOLD = {"PatientAge", "PatientSex", "PatientSize", "PatientWeight"}
ANNA = {"PatientSex": "F", "PatientAge": "061Y", "PatientWeight": "71.5", "PatientSize": "1.68"}
BERT = {"PatientSex": "M", "PatientAge": "045Y", "PatientWeight": "80", "PatientSize": "1.8"}
ALIKE = {"PatientSex": "F", "PatientAge": "061Y"}
COARSE = Telling(Shares(1, 0, 0), smallest=2, coarser=True)


def made(tmp: Path, options: tuple[str, ...], *patients: dict[str, str]) -> SmallStudy:
    """Return a study of a DICOM series for each patient, read and approved."""
    study = make_study(tmp, cases=0, readings=1, ontology=LABELS)
    how = cleaning(0, *options)
    for number, told in enumerate(patients):
        own = {"PatientID": f"INVENTED-{number}", "StudyInstanceUID": f"2.25.7{number}"}
        header = {**HEADER, "Manufacturer": "SIEMENS", **told, **own}
        stored = voxels(4, 6, 5) + np.int16(number)
        write_series(tmp / f"in{number}", stored, series=str(number + 1), **header)
        study.cases += add_scans(study.layout, tmp / f"in{number}", study.desk("m1"), how).cases
        read(study, "r01", study.cases[-1], "A")
    return study


@pytest.fixture(scope="module")
def telling(tmp_path_factory) -> Iterator[SmallStudy]:
    """A study whose images tell of two patients who differ."""
    study = made(tmp_path_factory.mktemp("telling"), (KEPT,), ANNA, BERT)
    yield study
    study.close()


@pytest.fixture(scope="module")
def silent(tmp_path_factory) -> Iterator[SmallStudy]:
    study = made(tmp_path_factory.mktemp("silent"), (), ANNA, BERT)
    yield study
    study.close()


def wish(study: SmallStudy, name: str, telling: Telling, export: ExportWish) -> ReleaseWish:
    return ReleaseWish(name, study.tmp / name, telling, export, "PROTOCOL")


def said_in(done: Released) -> set[str]:
    """Return the keywords that any DICOM file of a release has a value of."""
    files = sorted(done.folder.rglob("*.dcm"))
    heads = [pydicom.dcmread(file, stop_before_pixels=True) for file in files]
    return {key for head in heads for key in (*TOLD, "EthnicGroup") if head.get(key)}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("coarser", [True, False])
def test_images_that_tell_more_than_the_coarse_table_stop_a_release(telling, kind, coarser):
    few = replace(COARSE, smallest=2 if coarser else 1, coarser=coarser)
    asked = wish(telling, "told", few, ExportWish((kind,)))
    with pytest.raises(GatesError) as err:
        make_release(telling.seat("m1"), asked)
    told = TOLD if coarser else {"PatientSize", "PatientWeight"}
    assert {one.format for one in err.value.findings} == {kind}
    assert {one.case for one in err.value.findings} == set(telling.cases)
    words = err.value.findings[0].words
    assert {key for key in TOLD if key in words} == told
    assert f"such as {KEPT}" in words
    assert not [value for value in ANNA.values() if value in words]
    assert not asked.target.exists()
    assert not (telling.layout.releases / asked.name).exists()


def test_with_skip_the_release_is_made_without_them(telling):
    export = ExportWish((*FORMATS, "csv"), skip=True)
    done = make_release(telling.seat("m1"), wish(telling, "skipped", COARSE, export))
    assert {(str(one.case), one.format) for one in done.plan.left_out} == {
        (str(case), kind) for case in telling.cases for kind in FORMATS
    }
    assert list(done.folder.rglob("*.dcm")) == []
    assert [path.name for path in (done.folder / "exports").iterdir()] == ["csv"]
    rows = read_participants(done.folder / "participants.tsv").values()
    assert {row[key] for row in rows for key in ("sex", "age")} == {"n/a"}
    assert not [f for f in check_release(done.folder).findings if f.level == "error"]


@pytest.mark.parametrize("vendors", [("v1", "v2"), ("v1", "v1"), ()])
def test_the_scanner_is_named_nowhere_where_its_column_was_left_out(silent, vendors):
    table = silent.layout.participants
    before = table.read_bytes()
    table.write_bytes(
        to_tsv(
            {one.subject: {"vendor": v} for one, v in zip(silent.cases, vendors, strict=False)}
        )
    )
    name = "-".join(("scanner", *vendors))
    is_hidden = len(set(vendors)) > 1
    try:
        asked = wish(silent, name, COARSE, ExportWish(("rtstruct",), skip=True))
        done = make_release(silent.seat("m1"), asked)
    finally:
        table.write_bytes(before)
    assert bool(done.plan.left_out) is is_hidden
    assert bool([*done.folder.rglob("*.dcm")]) is not is_hidden
    assert all("Manufacturer." in one.words for one in done.plan.left_out)
    for case in silent.cases:
        told = json.loads((done.folder / case.folder / f"{case}.json").read_bytes())
        assert ("Manufacturer" not in told) is is_hidden
        assert told["Modality"] == "CT"
    assert not [f for f in check_release(done.folder).findings if f.level == "error"]


def test_without_a_smallest_group_images_leave_as_they_are(telling):
    loose = replace(COARSE, smallest=0, coarser=False)
    export = ExportWish(("rtstruct",))
    done = make_release(telling.seat("m1"), wish(telling, "loose", loose, export))
    assert said_in(done) == TOLD


def test_images_that_tell_nothing_leave_in_every_format(silent):
    done = make_release(silent.seat("m1"), wish(silent, "quiet", COARSE, ExportWish(FORMATS)))
    kinds = {path.name for path in (done.folder / "exports").iterdir()}
    assert kinds == {*FORMATS, "dicom"}
    assert said_in(done) == set()


def test_images_that_tell_no_more_than_the_table_leave(tmp_path):
    study = made(tmp_path, (KEPT,), ALIKE, ALIKE)
    exact = replace(COARSE, coarser=False)
    done = make_release(study.seat("m1"), wish(study, "alike", exact, ExportWish(FORMATS)))
    study.close()
    rows = read_participants(done.folder / "participants.tsv").values()
    assert {(row["sex"], row["age"]) for row in rows} == {("F", "61")}
    assert said_in(done) == {"PatientSex", "PatientAge"}


def code() -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99X", "One"
    return item


def invented() -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = "ANON", "99ANON"
    item.CodeMeaning = "Anonymized"
    return item


@pytest.mark.parametrize(
    ("key", "value"),
    [("EthnicGroup", "A"), ("PatientBirthDate", "19650203"), ("PregnancyStatus", 4),
     ("OtherPatientIDs", ["1", "2"]), ("SmokingStatus", "YES"), ("PatientState", "Ill"),
     ("InstitutionName", "Ward"), ("StationName", "CT1"), ("PatientAge", "090Y"),
     ("EthnicGroupCodeSequence", Sequence([code()]))],
)  # fmt: skip
def test_what_is_of_a_patient_or_a_place_is_told_at_any_depth(key, value):
    header, nested = Dataset(), Dataset()
    setattr(header, key, value)
    nested.OriginalAttributesSequence = Sequence([header])
    row = {"sex": "F", "age": "89"}
    assert told_beyond(row, header) == told_beyond(row, nested) == {key}


@pytest.mark.parametrize(
    ("key", "value"),
    [("PatientName", "P-0001"), ("PatientID", "P-0001"), ("PatientBirthDate", ""),
     ("PatientBirthDate", "20000101"), ("PatientComments", "ANON"), ("PatientSex", "F"),
     ("PatientAge", "007Y"), ("StudyID", "7"), ("Manufacturer", "SIEMENS"),
     ("InstitutionCodeSequence", Sequence([invented()])),
     ("EthnicGroupCodeSequence", Sequence([])), ("PatientWeight", None)],
)  # fmt: skip
def test_codes_invented_values_and_what_the_table_says_are_not_told_beyond_it(key, value):
    header = Dataset()
    setattr(header, key, value)
    assert told_beyond({"sex": "F", "age": "7"}, header) == frozenset()


@pytest.mark.parametrize("age", ["", "n/a", "60-69", "062", "89"])
def test_an_age_leaves_in_an_image_only_where_the_table_has_that_very_age(age):
    header = Dataset()
    header.PatientAge = "061Y" if age != "89" else "089Y"
    assert told_beyond({"age": age}, header) == {"PatientAge"}


def test_an_image_that_cannot_be_read_whole_is_refused(monkeypatch):
    def broken(_: object) -> Iterator[object]:
        raise ValueError

    monkeypatch.setattr(release_images, "_every", broken)
    with pytest.raises(InputError, match="cannot be read whole"):
        told_beyond({}, Dataset())
