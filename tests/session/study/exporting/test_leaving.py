"""Exports of a study: every format whole, read by others, told in the log; or nothing."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from napari_medlabel.errors import RefusedError
from napari_medlabel.export.nnunet import check_nnunet
from napari_medlabel.io.files import sha256_file
from napari_medlabel.io.manifest import RECEIPT_NAME, manifest_of
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.project.cases.version import read_labels
from napari_medlabel.project.checks.bids import _issues
from napari_medlabel.session.study import reviewing, submitting
from napari_medlabel.session.study.exporting import loading, typed
from napari_medlabel.session.study.exporting.leaving import Exported, write_export
from napari_medlabel.session.study.exporting.plan import ExportPlan
from napari_medlabel.session.study.exporting.planning import plan_export
from napari_medlabel.session.study.exporting.wish import FORMATS, ExportWish
from napari_medlabel.session.study.importing import import_marks
from tests.session.study.exporting.leaving_study import LABELS, READERS
from tests.session.study.small_study import SmallStudy

pytestmark = pytest.mark.usefixtures("green")
LABELLED = {3: 1, 7: 2}
"""Numbers in a training set by value."""


@pytest.fixture(scope="module")
def masks(study: SmallStudy) -> dict[str, np.ndarray]:
    """Return what was approved, by case, shape (i, j, k)."""
    found = {}
    for one in plan_export(study.seat("m1"), ExportWish()).chosen:
        scan = load(study.layout.scan(one.record.case))
        labels = read_labels(study.layout, one.version, scan.grid, LABELS.scheme())
        found[str(one.record.case)] = np.array(labels.array)
    return found


@pytest.fixture(scope="module")
def out(study: SmallStudy, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Exported]:
    """Export everything once."""
    from napari_medlabel.session.study.exporting.reasons import Grounds

    target = tmp_path_factory.mktemp("to") / "out"
    splits = {study.cases[0]: "train", study.cases[1]: "val"}
    seat = study.seat("m1")
    plan = plan_export(seat, ExportWish(FORMATS, skip=True, scans=True, splits=splits))
    seen: list[tuple[int, int]] = []
    done = write_export(
        seat,
        plan,
        target,
        grounds=Grounds("PROTOCOL"),
        progress=lambda *now: seen.append(now),
    )
    assert seen[0] == (0, 15)
    assert seen[-1] == (15, 15)
    return target, done


def last(study: SmallStudy, name: str) -> dict:
    paths = study.layout.audit.glob("writers/*/*/*/*.jsonl")
    lines = (json.loads(x) for path in paths for x in path.read_text().splitlines())
    found = [
        x
        for x in lines
        if x.get("event") == name and x["detail"].keys() & {"format", "formats"}
    ]
    return max(found, key=lambda x: x["time"])


def test_every_file_is_in_the_manifest_that_the_log_has(
    study: SmallStudy, out: tuple[Path, Exported]
) -> None:
    folder, done = out
    assert done.cases == 2
    assert manifest_of(folder) == done.manifest
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert there == {*done.files, RECEIPT_NAME}
    assert all(sha256_file(folder / f) == d[7:] for f, d in done.files.items())
    event = last(study, "export.done")
    assert event["detail"]["manifest"] == done.manifest
    assert event["detail"]["cases"] == 2
    assert event["detail"]["formats"] == sorted({*FORMATS, "bids"} - {"nifti"})
    assert event["reason"]["code"] == "PROTOCOL"
    receipt = json.loads((folder / RECEIPT_NAME).read_text())
    assert done.manifest in json.dumps(receipt)
    begun = last(study, "export.begin")
    plan = plan_export(study.seat("m1"), ExportWish())
    assert {one["id"] for one in begun["object"]} == {c.version.content for c in plan.chosen}


def test_nothing_that_leaves_names_anybody(out: tuple[Path, Exported]) -> None:
    folder, done = out
    codes = ("r01", "r04", "u1-", "s1-")
    for name in done.files:
        data = (folder / name).read_bytes()
        assert b"INVENTED" not in data
        assert not any(code in name for code in codes)
        if name.endswith((".json", ".csv", ".tsv", ".md")):  # in others these letters may be
            assert not any(code.encode() in data for code in codes), name


def test_nibabel_and_simpleitk_read_the_approved_masks_where_the_scans_lie(
    out: tuple[Path, Exported], masks: dict[str, np.ndarray]
) -> None:
    sitk = pytest.importorskip("SimpleITK")
    folder = out[0] / "nifti" / "derivatives" / "labels"
    for case, mask in masks.items():
        subject = case.removesuffix("_ct")
        scan = nib.load(out[0] / "nifti" / subject / "anat" / f"{case}.nii.gz")
        path = folder / subject / "anat" / f"{subject}_desc-ct_dseg.nii.gz"
        image = nib.load(path)
        assert np.array_equal(np.asarray(image.dataobj), mask)
        assert np.array_equal(image.affine, scan.affine)
        ours = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        assert np.array_equal(ours, mask.T)
        nrrd = sitk.ReadImage(str(out[0] / "seg-nrrd" / f"{case}.seg.nrrd"))
        assert np.array_equal(sitk.GetArrayFromImage(nrrd), mask.T)
    assert "Liver" in (folder / "dseg.tsv").read_text()


def test_training_sets_have_consecutive_labels_and_the_wanted_splits(
    out: tuple[Path, Exported], masks: dict[str, np.ndarray]
) -> None:
    folder = out[0] / "nnunet" / "Dataset001_Smallstudy"
    assert check_nnunet(folder) == ()
    splits = json.loads((folder / "splits_final.json").read_text())
    assert splits == [{"train": ["sub-001_ct"], "val": ["sub-002_ct"]}]
    datalist = json.loads((out[0] / "monai" / "dataset.json").read_text())
    assert [one["fold"] for one in datalist["training"]] == [1, 0]
    for case, mask in masks.items():
        wanted = np.zeros_like(mask)
        for value, number in LABELLED.items():
            wanted[mask == value] = number
        for each in (folder, out[0] / "monai"):
            image = nib.load(each / "labelsTr" / f"{case}.nii.gz")
            assert np.array_equal(np.asarray(image.dataobj), wanted)


def test_nnunets_own_verifier_accepts_the_data_set(out: tuple[Path, Exported]) -> None:
    verifier = pytest.importorskip("nnunetv2.experiment_planning.verify_dataset_integrity")
    folder = out[0] / "nnunet" / "Dataset001_Smallstudy"
    verifier.verify_dataset_integrity(str(folder), num_processes=1)


def test_monai_loads_the_datalist(out: tuple[Path, Exported]) -> None:
    data = pytest.importorskip("monai.data")
    found = data.load_decathlon_datalist(
        str(out[0] / "monai" / "dataset.json"), True, "training"
    )
    assert [Path(one["label"]).name for one in found] == [
        "sub-001_ct.nii.gz",
        "sub-002_ct.nii.gz",
    ]


def test_highdicom_reads_the_segmentation_on_the_images_that_left_with_it(
    out: tuple[Path, Exported], masks: dict[str, np.ndarray]
) -> None:
    highdicom = pytest.importorskip("highdicom")
    seg = highdicom.seg.segread(out[0] / "dicom-seg" / "sub-001_ct.dcm")
    assert [seg.get_segment_description(n).segment_label for n in (1, 2)] == ["Liver", "Spleen"]
    images = sorted((out[0] / "dicom" / "sub-001_ct").iterdir())
    uids = [pydicom.dcmread(path).SOPInstanceUID for path in images]
    pixels = seg.get_pixels_by_source_instance(uids, assert_missing_frames_are_empty=True)
    mask = masks["sub-001_ct"]
    for number, value in enumerate(LABELLED, 1):
        assert np.array_equal(pixels[..., number - 1], (mask == value).T)
    first = pydicom.dcmread(images[0])
    for kind in ("dicom-seg", "rtstruct", "sr"):
        made = pydicom.dcmread(out[0] / kind / "sub-001_ct.dcm")
        assert made.StudyInstanceUID == first.StudyInstanceUID
        assert made.PatientID == first.PatientID


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_pycocotools_fills_the_same_slices(
    out: tuple[Path, Exported], masks: dict[str, np.ndarray]
) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    read = coco.COCO(str(out[0] / "coco" / "annotations.json"))
    found = {case: np.zeros_like(mask) for case, mask in masks.items()}
    for one in read.loadAnns(read.getAnnIds()):
        case, k = Path(read.imgs[one["image_id"]]["file_name"]).stem.rsplit("_k", 1)
        found[case][..., int(k)][read.annToMask(one).T > 0] = one["category_id"]
    assert all(np.array_equal(found[case], mask) for case, mask in masks.items())


def test_boxes_are_annotations_on_their_slices_and_masks_stay_what_they_are(
    out: tuple[Path, Exported],
) -> None:
    document = json.loads((out[0] / "coco" / "annotations.json").read_bytes())
    names = {one["id"]: (one["name"], one["supercategory"]) for one in document["categories"]}
    assert names == {3: ("Liver", "label"), 7: ("Spleen", "label"), 8: ("Lesion", "box")}
    pictures = {one["id"]: one["medlabel"] for one in document["images"]}
    found = {
        (one["medlabel"]["box"], one["category_id"], pictures[one["image_id"]]["slice"]): one
        for one in document["annotations"]
        if pictures[one["image_id"]]["case"] == "sub-001_ct" and "medlabel" in one
    }
    assert set(found) == {(1, 8, 1), (1, 8, 2), (4, 3, 0)}
    assert found[1, 8, 2]["bbox"] == [1, 0, 2, 4]
    assert found[1, 8, 2]["area"] == 8


def test_tables_have_boxes_and_answers_but_nothing_that_somebody_typed(
    out: tuple[Path, Exported],
) -> None:
    folder = out[0] / "csv"
    answers = (folder / "answers.csv").read_text().splitlines()
    assert answers[0] == "case,unresolved_voxels,question,place,answer"
    assert answers[1:3] == ["sub-001_ct,0,clear,,yes", "sub-001_ct,0,focal,k1,a b"]
    assert len(answers) == 5
    boxes = list(csv.DictReader((folder / "boxes.csv").read_text().splitlines()))
    assert [one["kind"] for one in boxes] == ["lesion", "liver"] * 2
    assert (boxes[0]["first j"], boxes[0]["last j"], boxes[0]["last k"]) == ("0", "3", "2")
    assert boxes[2]["i (mm)"] == "4.0"
    assert not [
        one for one in out[0].rglob("*") if one.is_file() and b"typed by" in one.read_bytes()
    ]


@pytest.mark.filterwarnings("ignore")
def test_rt_utils_names_the_same_regions(
    out: tuple[Path, Exported], masks: dict[str, np.ndarray]
) -> None:
    rt_utils = pytest.importorskip("rt_utils")
    images, path = out[0] / "dicom" / "sub-001_ct", out[0] / "rtstruct" / "sub-001_ct.dcm"
    read = rt_utils.RTStructBuilder.create_from(str(images), str(path))
    assert set(read.get_roi_names()) == {"Liver", "Spleen"}


def test_who_read_what_is_told_by_code_and_only_when_asked(
    read_twice: SmallStudy, tmp_path: Path
) -> None:
    seat = read_twice.seat("m1")
    wish = ExportWish(FORMATS, by_rater=True, skip=True)
    plan = plan_export(seat, wish)
    seen: list[tuple[int, int]] = []
    write_export(seat, plan, tmp_path / "out", progress=lambda *now: seen.append(now))
    assert seen[-1][0] == seen[-1][1] == len(seen) - 1
    _check_folders_of_raters(read_twice, plan, tmp_path / "out")
    folder = tmp_path / "out" / "nifti" / "sub-001" / "anat"
    stem = "sub-001_desc-ct"
    one, two, both = (
        np.asarray(nib.load(folder / f"{stem}{code}_dseg.nii.gz").dataobj)
        for code in ("r01", "r02", "")
    )
    share = np.asarray(nib.load(folder / "sub-001_label-L3_desc-ct_probseg.nii.gz").dataobj)
    assert np.array_equal(share, ((one == 3) * 0.5 + (two == 3) * 0.5).astype(np.float32))
    apart = np.asarray(nib.load(folder / f"{stem}disagreement_map.nii.gz").dataobj)
    assert np.array_equal(apart > 0, one != two)
    still = np.asarray(nib.load(folder / f"{stem}unresolved_mask.nii.gz").dataobj)
    assert still.any()
    assert not both[still > 0].any()
    for table in ("volumes.csv", "boxes.csv", "answers.csv"):
        rows = (tmp_path / "out" / "csv" / table).read_text()
        assert all(f",{code}," in rows for code in ("r01", "r02"))
    assert ",consensus," in rows
    boxes = json.loads((folder / f"{stem}_boxes.json").read_bytes())["boxes"]
    assert [(one["id"], one["kind"]) for one in boxes] == [(1, "lesion"), (2, "liver")]
    # What nobody decided is `ignore` for a training; a rater's own mask has nothing undecided.
    raw = tmp_path / "out" / "nnunet" / "Dataset001_Smallstudy"
    trained = np.asarray(nib.load(raw / "labelsTr" / "sub-001_ct.nii.gz").dataobj)
    assert np.array_equal(trained == 3, still > 0)
    assert json.loads((raw / "dataset.json").read_text())["labels"]["ignore"] == 3


def _check_folders_of_raters(study: SmallStudy, plan: ExportPlan, out: Path) -> None:
    """Compare every format's folder of each rater with that rater's own reading."""
    for code in READERS:
        for one in plan.chosen:
            case, scan = str(one.record.case), load(study.layout.scan(one.record.case))
            (version,) = (each for each in one.readings if each.rater == code)
            mask = read_labels(study.layout, version, scan.grid, LABELS.scheme()).array
            made = {}
            for kind in ("seg-nrrd", "dicom-seg", "rtstruct"):
                end = "seg.nrrd" if kind == "seg-nrrd" else "dcm"
                path = out / kind / "raters" / code / f"{case}.{end}"
                left = one in plan.of_format(kind)
                assert path.is_file() == left, (kind, case)
                if left:
                    made[kind] = read_marks(path, scan).labels[0].array
            raw = out / "nnunet" / "raters" / code / "Dataset001_Smallstudy"
            made["nnunet"] = np.asarray(nib.load(raw / "labelsTr" / f"{case}.nii.gz").dataobj)
            for kind, array in made.items():
                values = (1, 2) if kind in {"nnunet", "dicom-seg"} else (3, 7)
                for value, written in zip((3, 7), values, strict=True):
                    assert np.array_equal(array == written, mask == value), (kind, code)
        assert check_nnunet(raw) == ()
    assert not list(out.glob("*/raters/*/raters"))
    told = json.loads((out / "export.json").read_bytes())["cases"]
    wanted = [{each.rater: each.content for each in one.readings} for one in plan.chosen]
    assert [one["readings"] for one in told] == wanted
    begun = last(study, "export.begin")
    assert begun["detail"]["by_rater"] is True
    assert {one["id"] for one in begun["object"]} >= {x for one in wanted for x in one.values()}


def test_dicom_objects_of_a_rater_say_whose_they_are_by_code(
    study: SmallStudy, tmp_path: Path, masks: dict[str, np.ndarray]
) -> None:
    case = study.cases[0]
    wish = ExportWish(("dicom-seg", "sr"), by_rater=True, cases=(case,))
    seat = study.seat("m1")
    write_export(seat, plan_export(seat, wish), tmp_path / "out")
    uids = set()
    for kind, words in (("dicom-seg", "Segmentation"), ("sr", "Landmarks")):
        for place, told in ((".", words), ("raters/r01", f"{words} r01")):
            made = pydicom.dcmread(tmp_path / "out" / kind / place / f"{case}.dcm")
            assert made.SeriesDescription == told
            uids |= {made.SeriesInstanceUID, made.SOPInstanceUID}
    assert len(uids) == 8
    path = tmp_path / "out" / "dicom-seg" / "raters" / "r01" / f"{case}.dcm"
    found = read_marks(path, load(study.layout.scan(case))).labels[0].array
    for number, value in enumerate(LABELLED, 1):
        assert np.array_equal(found == number, masks[str(case)] == value)


def test_what_somebody_typed_leaves_when_it_is_wanted_and_no_word_may_be_a_name(
    study: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {study.cases[0]: "Large liver cyst, 12 mm?", study.cases[1]: "As Muster said"}
    for module in (typed, loading):
        monkeypatch.setattr(
            module, "read_answers", lambda _, version: {"note": given[version.case]}
        )
    seat = study.seat("m1")
    assert plan_export(seat, ExportWish(("nifti",))).typed == (0, 0)
    assert plan_export(seat, ExportWish(("csv",))).typed == (0, 2)
    plan = plan_export(seat, ExportWish(("csv",), typed=True))
    assert plan.typed == (1, 1)
    write_export(seat, plan, tmp_path / "out")
    rows = (tmp_path / "out" / "csv" / "answers.csv").read_text().splitlines()[1:]
    assert rows == ['sub-001_ct,0,note,,"Large liver cyst, 12 mm?"']
    told = json.loads((tmp_path / "out" / "export.json").read_bytes())
    assert told["typed_answers"] == {"leaving": 1, "staying": 1}
    assert last(study, "export.done")["detail"]["typed"] == 1


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("bids_validator_deno") is None, reason="needs the extra [bids]"
)
def test_the_nifti_folder_is_valid_bids(read_twice: SmallStudy, tmp_path: Path) -> None:
    seat = read_twice.seat("m1")
    wish = ExportWish(("nifti",), by_rater=True, scans=True)
    write_export(seat, plan_export(seat, wish), tmp_path / "out")
    folder = tmp_path / "out" / "nifti"
    for each in (folder, folder / "derivatives" / "labels"):
        assert [one for one in _issues(each) if one.get("severity") == "error"] == []


def test_unresolved_voxels_do_not_become_background_unsaid(read_twice: SmallStudy) -> None:
    plan = plan_export(read_twice.seat("m1"), ExportWish(("monai", "coco", "nifti")))
    assert {(one.gate, one.format) for one in plan.findings} == {
        ("format", "monai"),
        ("format", "coco"),
    }
    assert {one.case for one in plan.findings} == {read_twice.cases[0]}


def test_a_consensus_that_a_reading_has_passed_by_does_not_leave(
    read_twice: SmallStudy,
) -> None:
    case = read_twice.cases[1]
    reviewing.unlock(read_twice.seat("r04"), case, "B", reason="QA_FEEDBACK")
    plan = plan_export(read_twice.seat("m1"), ExportWish())
    words = [one.words for one in plan.findings if one.case == case]
    assert words == ["It has a consensus, and its reading B is in progress."]


class StopError(Exception):
    """Somebody pressed cancel."""


def _stop(*_: object) -> None:
    raise StopError


def _leak(_job: object, _kind: str, folder: Path) -> None:
    folder.mkdir()
    (folder / "note.json").write_text(json.dumps({"PatientName": "Muster^Max"}))


BREAKS: dict[str, tuple[object, type[Exception]]] = {
    "cancelled": (_stop, StopError),
    "a leak": (_leak, RefusedError),
}


@pytest.mark.parametrize("how", BREAKS)
def test_of_an_export_that_is_broken_off_nothing_stays_but_its_event(
    study: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    from napari_medlabel.session.study.exporting import leaving

    does, error = BREAKS[how]
    monkeypatch.setattr(leaving, "write_format", does)
    seat = study.seat("m1")
    plan = plan_export(seat, ExportWish(("nifti", "csv")))
    with pytest.raises(error):
        write_export(seat, plan, tmp_path / "out")
    assert not list(tmp_path.iterdir())
    cause = {"cancelled": "cancelled", "a leak": "identity"}[how]
    assert last(study, "export.fail")["detail"]["cause"] == cause


def test_the_next_run_names_what_a_killed_one_left(study: SmallStudy, tmp_path: Path) -> None:
    (tmp_path / ".out.4711.partial" / "tree").mkdir(parents=True)
    seat = study.seat("m1")
    done = write_export(seat, plan_export(seat, ExportWish(("csv",))), tmp_path / "out")
    assert done.leftovers == (".out.4711.partial",)
    assert (tmp_path / "out" / "csv" / "volumes.csv").is_file()


IMPORTED = {
    "dicom-seg": "dicom-seg/sub-001_ct.dcm",
    "rtstruct": "rtstruct/sub-001_ct.dcm",
    "seg.nrrd": "seg-nrrd/sub-001_ct.seg.nrrd",
    "coco": "coco/annotations.json",
    "nifti": "nifti/derivatives/labels/sub-001/anat/sub-001_desc-ct_dseg.nii.gz",
}


def test_what_left_comes_back_as_it_was(
    study: SmallStudy, out: tuple[Path, Exported], masks: dict[str, np.ndarray]
) -> None:
    case = study.cases[0]
    reviewing.unlock(study.seat("r04"), case, "A", reason="QA_FEEDBACK")
    seat = study.seat("r01")
    scan = load(study.layout.scan(case))
    for file in IMPORTED.values():
        done = import_marks(seat, case, "A", out[0] / file, replaces=True)
        assert set(done.labels) == {"Liver", "Spleen"}
        work = submitting.open_work(study.layout, "r01", case, scan)
        assert np.array_equal(work.labelled.labels.array, masks[str(case)])
    done = import_marks(seat, case, "A", out[0] / "sr" / "sub-001_ct.dcm")
    assert (done.kind, done.landmarks, done.labels) == ("SR", 1, ())
    with pytest.raises(RefusedError, match="labelled in this reading already"):
        import_marks(seat, case, "A", out[0] / IMPORTED["nifti"])
