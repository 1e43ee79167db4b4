from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from napari_medlabel.cli.main import main
from napari_medlabel.deid.dicom.file import quiet
from napari_medlabel.deid.keys.key_file import read_key
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from tests.deid.leaks.planting import Plant, left, readable
from tests.deid.leaks.suite import plant_all

SEED = int(os.environ.get("MEDLABEL_LEAK_SEED", "20261122"))
LEAST = 150
KEPT = (
    "SOPClassUID", "Modality", "ImageType", "BodyPartExamined", "PatientPosition", "KVP",
    "SliceThickness", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "RescaleSlope", "RescaleIntercept",
    "PhotometricInterpretation", "SeriesNumber", "InstanceNumber", "Manufacturer",
)  # fmt: skip
CHANGED = {
    "misused.dcm",
    "unlisted.dcm",
    "table/top.dcm",
    "overhang.dcm",
    "jpeg.dcm",
    "rle.dcm",
}


@dataclass(frozen=True)
class Run:
    plants: list[Plant]
    source: Path
    target: Path
    pseudonyms: Pseudonyms

    def cleaned(self, source: Dataset) -> Dataset | None:
        """The file that was made of an instance."""
        uid = self.pseudonyms.uid(source.SOPInstanceUID)
        for path in self.target.rglob("I-*.dcm"):
            ds = dcmread(path)
            if ds.SOPInstanceUID == uid:
                return ds
        return None


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """All plants through the command line, once."""
    folder = tmp_path_factory.mktemp("leaks")
    source, target, key = folder / "source", folder / "target", folder / "key"
    plants = plant_all(source, SEED)
    main(["deid", str(source), str(target), "--key", str(key), "--audit", str(folder / "log")])
    return Run(plants, source, target, Pseudonyms(read_key(key)))


def test_at_least_150_identities_are_planted_in_every_class(run):
    kinds = Counter(plant.kind for plant in run.plants)
    assert sum(kinds.values()) >= LEAST
    assert set(kinds) == {
        "standard", "new rows", "private", "unlisted", "meta", "charsets", "misused VR",
        "encodings", "raw", "names", "NIfTI", "sidecars",
    }  # fmt: skip


def test_the_judge_finds_every_plant_in_the_source(run):
    assert len(left(run.plants, run.source)) == len(run.plants)


def test_nothing_planted_is_left(run):
    found = [(plant.kind, plant.file, plant.where) for plant in left(run.plants, run.target)]
    assert found == []


def test_no_file_is_refused_that_can_be_cleaned(run):
    report = json.loads((run.target / "deid-report.json").read_text("utf-8"))
    files = sorted(
        (path for path in run.source.rglob("*") if path.is_file()),
        key=lambda path: os.fsencode(path.as_posix()),
    )
    refused = {
        files[entry["position"] - 1].relative_to(run.source).as_posix()
        for entry in report["quarantined"]
    }
    assert refused == set()


def test_geometry_pixels_and_what_the_image_shows_are_kept(run):
    seen = 0
    for path in sorted(run.source.rglob("*.dcm")):
        name = path.relative_to(run.source).as_posix()
        with quiet():
            before = dcmread(path)
            if name in CHANGED or before.get("Modality") != "CT" or "Rows" not in before:
                continue
            after = run.cleaned(before)
            assert after is not None, name
            for keyword in KEPT:
                assert after.get(keyword) == before.get(keyword), (name, keyword)
            assert after.PixelData == before.PixelData, name
        seen += 1
    assert seen >= 20


def test_a_series_stays_one_with_its_references(run):
    with quiet():
        pair = [dcmread(path) for path in sorted(run.source.rglob("*_*.[12].dcm"))]
        first, second = (run.cleaned(ds) for ds in pair)
    assert first is not None
    assert second is not None
    for keyword in (
        "PatientID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "FrameOfReferenceUID",
    ):
        assert first[keyword].value == second[keyword].value
        assert first[keyword].value != pair[0][keyword].value
    reference = second.ReferencedImageSequence[0]
    assert reference.ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert reference.ReferencedSOPClassUID == first.SOPClassUID


def test_every_cleaned_file_says_so(run):
    for path in run.target.rglob("I-*.dcm"):
        ds = dcmread(path)
        assert ds.PatientIdentityRemoved == "YES"
        assert ds.LongitudinalTemporalInformationModified == "REMOVED"
        assert ds.DeidentificationMethodCodeSequence[0].CodeValue == "113100"


def test_voxels_of_other_formats_are_kept(run):
    from tests.deid.leaks.in_companions import VOXELS

    images = [
        *run.target.rglob("*.nii*"),
        *run.target.rglob("*.nrrd"),
        *run.target.rglob("*.mha"),
    ]
    assert len(images) == 5
    for path in images:
        assert readable(path.read_bytes()).endswith(VOXELS)


def test_scan_finds_nothing_in_the_result(run, capsys):
    assert main(["scan", str(run.target)]) == 0
    assert main(["scan", str(run.target), "--against", str(run.source)]) == 0
