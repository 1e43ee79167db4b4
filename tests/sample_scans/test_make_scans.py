"""The sample scans are what the script writes, and what they say about themselves is true."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import imagecodecs
import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGLSLossless

ROOT = Path(__file__).resolve().parents[2]
SCANS = ROOT / "sample_scans"
SERIES = ("ct_abdomen", "ct_abdomen_followup")


def registry() -> dict[str, str]:
    lines = (SCANS / "registry.txt").read_text("utf-8").splitlines()
    rows = [line.split("  ", 1) for line in lines if line and not line.startswith("#")]
    return {name: digest for digest, name in rows}


def plants() -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((SCANS / "identities.json").read_text("utf-8"))
    return found


class Volume:
    """One CT series read with pydicom and imagecodecs only."""

    def __init__(self, folder: str) -> None:
        headers = [pydicom.dcmread(p) for p in sorted((SCANS / folder).rglob("*.dcm"))]
        axes = np.array(headers[0].ImageOrientationPatient, float)
        self.row, self.column = axes[:3], axes[3:]
        normal = np.cross(self.row, self.column)
        heights = [
            float(np.dot(np.array(h.ImagePositionPatient, float), normal)) for h in headers
        ]
        order = np.argsort(heights)
        self.file_order_heights = heights
        self.headers = [headers[k] for k in order]
        self.heights = np.array(heights)[order]
        first = self.headers[0]
        frames = [next(generate_frames(h.PixelData, number_of_frames=1)) for h in self.headers]
        stored = np.stack([imagecodecs.jpegls_decode(f) for f in frames])
        self.hu = stored.astype(int) * int(first.RescaleSlope) + int(first.RescaleIntercept)
        down, across = (float(v) for v in first.PixelSpacing)
        start = np.array(first.ImagePositionPatient, float)
        stop = np.array(self.headers[-1].ImagePositionPatient, float)
        lps = np.eye(4)
        lps[:3, 0], lps[:3, 1] = self.row * across, self.column * down
        lps[:3, 2] = (stop - start) / (len(headers) - 1)
        lps[:3, 3] = start
        self.affine_ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps
        self.mask = nibabel.load(SCANS / "truth" / f"{folder}_mask.nii.gz")
        self.labels = np.asarray(self.mask.dataobj)  # i, j, k


@pytest.fixture(scope="module", params=SERIES)
def volume(request: pytest.FixtureRequest) -> Volume:
    return Volume(request.param)


@pytest.fixture(scope="module")
def first() -> Volume:
    return Volume(SERIES[0])


def values() -> dict[str, int]:
    scheme = json.loads((SCANS / "truth" / "scheme.json").read_text("utf-8"))
    return {label["name"]: label["value"] for label in scheme["labels"]}


def corners(affine: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    at = [
        (i, j, k, 1)
        for i in (0, shape[0] - 1)
        for j in (0, shape[1] - 1)
        for k in (0, shape[2] - 1)
    ]
    return np.array(at) @ affine.T


def control_points(name: str) -> dict[str, np.ndarray[Any, Any]]:
    """Landmarks of a markups file in RAS mm."""
    markup = json.loads((SCANS / "truth" / name).read_text("utf-8"))["markups"][0]
    assert (markup["type"], markup["coordinateSystem"], markup["coordinateUnits"]) == (
        "Fiducial",
        "LPS",
        "mm",
    )
    return {
        p["label"]: np.array(p["position"]) * (-1, -1, 1)
        for p in markup["controlPoints"]
        if p["positionStatus"] == "defined"
    }


def near(
    labels: np.ndarray[Any, Any],
    affine: np.ndarray[Any, Any],
    point: np.ndarray[Any, Any],
    value: int,
) -> float:
    """Distance in mm from `point` to the nearest voxel with `value`."""
    at = np.argwhere(labels == value)
    ras = at @ affine[:3, :3].T + affine[:3, 3]
    return float(np.sqrt(((ras - point) ** 2).sum(1)).min())


# --- registry


def test_the_registry_names_every_file_and_its_sum() -> None:
    found = {
        p.relative_to(SCANS).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in SCANS.rglob("*")
        if p.is_file() and p.suffix in (".dcm", ".gz", ".json")
    }
    assert found == registry()
    assert list(registry()) == sorted(registry())


def test_all_sample_files_together_stay_small() -> None:
    sizes = [(SCANS / name).stat().st_size for name in registry()]
    assert 5e6 < sum(sizes) < 18e6
    total = (SCANS / "registry.txt").read_text("utf-8").splitlines()[-1]
    assert total == f"# total {len(sizes)} files {sum(sizes)} bytes"


@pytest.mark.slow
@pytest.mark.longest
def test_a_fresh_run_writes_the_registered_bytes(tmp_path: Path) -> None:
    script = str(SCANS / "make_scans.py")
    done = subprocess.run(
        [sys.executable, script, "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    fresh = {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in registry()
    }
    assert fresh == registry()
    assert (tmp_path / "registry.txt").read_bytes() == (SCANS / "registry.txt").read_bytes()


def test_check_names_what_is_missing_changed_and_unlisted(tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    truth.mkdir()
    (truth / "scheme.json").write_bytes((SCANS / "truth" / "scheme.json").read_bytes())
    (truth / "scheme_mr.json").write_text("{}")
    (truth / "more.json").write_text("{}")
    script = str(SCANS / "make_scans.py")
    done = subprocess.run(
        [sys.executable, script, "--out", str(tmp_path), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout.splitlines()
    assert done.returncode == 1
    assert "missing  us_burned_in.dcm" in said
    assert "changed  truth/scheme_mr.json" in said
    assert "unlisted truth/more.json" in said
    assert not [line for line in said if line.endswith("truth/scheme.json")]


def test_check_passes_for_the_files_on_disk() -> None:
    script = [sys.executable, str(SCANS / "make_scans.py"), "--out", str(SCANS), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "every file is as the registry says\n")


# --- CT


def test_the_ct_has_anisotropic_slices_in_jpeg_ls(volume: Volume) -> None:
    first_header = volume.headers[0]
    assert first_header.file_meta.TransferSyntaxUID == JPEGLSLossless
    assert volume.hu.shape[1:] == (512, 512)
    assert list(first_header.PixelSpacing) == [0.78, 0.78]
    assert np.allclose(np.diff(volume.heights), 5.0, atol=1e-9)
    assert {h.PatientPosition for h in volume.headers} == {"HFS"}


def test_the_names_of_the_files_are_not_in_slice_order(volume: Volume) -> None:
    steps = np.diff(volume.file_order_heights)
    assert (steps > 0).any()
    assert (steps < 0).any()


def test_instance_numbers_run_from_the_head_to_the_feet(volume: Volume) -> None:
    numbers = [int(h.InstanceNumber) for h in volume.headers]
    assert numbers == list(range(len(numbers), 0, -1))


def test_one_series_is_one_study_with_one_uid_per_slice(volume: Volume) -> None:
    assert len({h.SeriesInstanceUID for h in volume.headers}) == 1
    assert len({h.StudyInstanceUID for h in volume.headers}) == 1
    assert len({h.SOPInstanceUID for h in volume.headers}) == len(volume.headers)
    assert all(
        h.file_meta.MediaStorageSOPInstanceUID == h.SOPInstanceUID for h in volume.headers
    )


def test_the_followup_is_the_same_person_363_days_later() -> None:
    one, two = (pydicom.dcmread(next((SCANS / s).rglob("*.dcm"))) for s in SERIES)
    days = [np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in (one.StudyDate, two.StudyDate)]
    assert (days[1] - days[0]).astype(int) == 363
    assert one.PatientID == two.PatientID
    assert one.PatientName == two.PatientName
    for keyword in (
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "FrameOfReferenceUID",
        "AccessionNumber",
    ):
        assert one[keyword].value != two[keyword].value


def test_the_ct_mask_lies_on_the_slices(volume: Volume) -> None:
    assert volume.labels.dtype == np.uint8
    assert volume.labels.shape == volume.hu.shape[::-1]
    for affine in (volume.mask.affine, volume.mask.get_sform(), volume.mask.get_qform()):
        gap = corners(affine, volume.labels.shape) - corners(
            volume.affine_ras, volume.labels.shape
        )
        assert np.abs(gap).max() < 1e-4
    header = volume.mask.header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 1)
    assert header.get_xyzt_units()[0] == "mm"


RANGES = {
    "Liver": (100, 120),
    "Spleen": (108, 128),
    "Right kidney": (155, 185),
    "Left kidney": (155, 185),
    "Aorta": (150, 172),
    "Inferior vena cava": (130, 165),
    "Gallbladder": (0, 25),
    "Vertebrae": (220, 380),
    "Right lung": (-900, -750),
    "Left lung": (-900, -750),
    "Liver lesion": (45, 85),
    "Kidney cyst": (0, 20),
    "Stomach": (-200, 60),
}


@pytest.mark.parametrize("name", sorted(RANGES))
def test_the_mean_hu_under_each_label_is_its_organs(volume: Volume, name: str) -> None:
    low, high = RANGES[name]
    inside = volume.hu.T[volume.labels == values()[name]]
    assert inside.size > 1500
    assert low < inside.mean() < high


def test_every_label_of_the_scheme_is_in_the_mask_and_no_other(volume: Volume) -> None:
    assert set(np.unique(volume.labels)) == {0, *values().values()}
    assert sorted(RANGES) == sorted(values())


def test_the_noise_in_the_liver_is_that_of_a_scanner(first: Volume) -> None:
    value = values()["Liver"]
    liver = value == first.labels.T
    tiles = [
        (k, slice(j, j + 12), slice(i, i + 12))
        for k in range(first.hu.shape[0])
        for j in range(0, 504, 12)
        for i in range(0, 504, 12)
    ]
    spread = [first.hu[tile].std() for tile in tiles if liver[tile].all()]
    assert len(spread) > 200
    assert 10 < np.median(spread) < 16


def test_outside_the_reconstruction_circle_is_one_value(volume: Volume) -> None:
    n = np.arange(512) - 255.5
    outside = (n[:, None] ** 2 + n[None, :] ** 2) > 256.5**2
    assert (volume.hu[:, outside] == -1024).all()
    assert (volume.hu[:, 255, 255] > -300).any()


def centroid_ras(volume: Volume, name: str) -> np.ndarray[Any, Any]:
    at = np.argwhere(volume.labels == values()[name]).mean(0)
    point: np.ndarray[Any, Any] = volume.affine_ras[:3, :3] @ at + volume.affine_ras[:3, 3]
    return point


def test_right_is_right_and_the_spine_is_behind(volume: Volume) -> None:
    where = {name: centroid_ras(volume, name) for name in values()}
    liver, spleen, spine = where["Liver"], where["Spleen"], where["Vertebrae"]
    assert spleen[0] < 0 < liver[0]  # in RAS the patient's right is positive x
    assert where["Left kidney"][0] < 0 < where["Right kidney"][0]
    assert where["Left lung"][0] < 0 < where["Right lung"][0]
    assert where["Aorta"][0] < where["Inferior vena cava"][0]
    assert spine[1] < liver[1]
    assert spine[1] < where["Aorta"][1] < where["Stomach"][1]
    assert where["Right lung"][2] > liver[2] > where["Right kidney"][2]


def test_the_liver_lies_on_the_left_of_the_picture(volume: Volume) -> None:
    columns = np.argwhere(volume.labels == values()["Liver"])[:, 0]
    assert columns.mean() < 256


def lesions(volume: Volume) -> list[int]:
    """Voxels of each connected liver lesion, largest first."""
    image = sitk.GetImageFromArray((volume.labels == values()["Liver lesion"]).astype(np.uint8))
    parts = sitk.GetArrayFromImage(sitk.ConnectedComponent(image))
    return sorted((int(n) for n in np.bincount(parts.ravel())[1:]), reverse=True)


def test_after_a_year_one_lesion_has_grown_and_one_is_new(first: Volume) -> None:
    before, after = lesions(first), lesions(Volume(SERIES[1]))
    assert (len(before), len(after)) == (3, 4)
    assert after[0] > 1.8 * before[0]


@pytest.mark.parametrize(
    ("landmark", "organ", "within_mm"),
    [
        ("Liver dome", "Liver", 6.0),
        ("L1 top", "Vertebrae", 2.5),
        ("L3 spinous process", "Vertebrae", 4.0),
        ("Right kidney upper pole", "Right kidney", 6.0),
        ("Right kidney lower pole", "Right kidney", 6.0),
        ("Left kidney upper pole", "Left kidney", 6.0),
        ("Left kidney lower pole", "Left kidney", 6.0),
        ("Coeliac trunk", "Aorta", 3.0),
        ("Aortic bifurcation", "Aorta", 6.0),
    ],
)
def test_the_landmarks_lie_on_their_organs(
    first: Volume, landmark: str, organ: str, within_mm: float
) -> None:
    point = control_points("ct_abdomen_landmarks.mrk.json")[landmark]
    assert near(first.labels, first.affine_ras, point, values()[organ]) < within_mm


def test_poles_and_dome_are_extremes_of_their_organs(first: Volume) -> None:
    points = control_points("ct_abdomen_landmarks.mrk.json")
    for organ, side in (("Right kidney", "Right kidney"), ("Left kidney", "Left kidney")):
        k = np.argwhere(first.labels == values()[organ])[:, 2]
        assert abs(points[f"{side} upper pole"][2] - first.heights[k.max()]) < 6
        assert abs(points[f"{side} lower pole"][2] - first.heights[k.min()]) < 6
    k = np.argwhere(first.labels == values()["Liver"])[:, 2]
    assert abs(points["Liver dome"][2] - first.heights[k.max()]) < 6


def test_the_xiphoid_is_bone_in_front(first: Volume) -> None:
    point = control_points("ct_abdomen_landmarks.mrk.json")["Xiphoid tip"]
    i, j, k = np.rint(np.linalg.inv(first.affine_ras) @ [*point, 1])[:3].astype(int)
    assert first.hu[k - 1 : k + 2, j - 3 : j + 4, i - 3 : i + 4].max() > 130
    assert point[1] > centroid_ras(first, "Liver")[1]


def test_landmarks_moved_with_the_patient_between_the_visits() -> None:
    one, two = (control_points(f"{s}_landmarks.mrk.json") for s in SERIES)
    assert sorted(one) == sorted(two)
    assert len(one) >= 8
    shifts = np.array([two[name] - one[name] for name in one])
    assert np.abs(shifts - shifts[0]).max() < 1e-6
    assert np.abs(shifts[0]).max() > 3


def test_simpleitk_reads_the_same_hu(volume: Volume, recwarn: pytest.WarningsRecorder) -> None:
    folder = Path(volume.headers[0].filename).parent
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = sitk.ReadImage(names)
    assert np.array_equal(sitk.GetArrayFromImage(image), volume.hu)
    assert np.allclose(image.GetOrigin(), np.diag([-1, -1, 1]) @ volume.affine_ras[:3, 3])
    assert np.allclose(image.GetSpacing(), (0.78, 0.78, 5.0))


# --- MR


def test_the_mr_head_is_oblique_about_two_axes() -> None:
    image = nibabel.load(SCANS / "mr_head_oblique.nii.gz")
    assert image.get_data_dtype() == np.int16
    assert image.shape == (160, 192, 120)
    assert np.allclose(image.header.get_zooms(), (1.1, 1.1, 1.4))
    rotation = image.affine[:3, :3] / np.array(image.header.get_zooms())
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-6)
    c12, s12, c7, s7 = (f(np.radians(a)) for a in (12, 7) for f in (np.cos, np.sin))
    about_x = np.array([[1, 0, 0], [0, c12, -s12], [0, s12, c12]])
    about_y = np.array([[c7, 0, s7], [0, 1, 0], [-s7, 0, c7]])
    assert np.allclose(rotation, about_x @ about_y, atol=1e-6)
    assert np.abs(image.get_sform() - image.get_qform()).max() < 1e-4
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (1, 1)


def test_the_mr_mask_lies_on_the_scan_and_names_its_tissue() -> None:
    scan = nibabel.load(SCANS / "mr_head_oblique.nii.gz")
    mask = nibabel.load(SCANS / "truth" / "mr_head_oblique_mask.nii.gz")
    assert np.array_equal(scan.affine, mask.affine)
    assert np.array_equal(scan.get_qform(), mask.get_qform())
    labels, data = np.asarray(mask.dataobj), np.asarray(scan.dataobj)
    scheme = json.loads((SCANS / "truth" / "scheme_mr.json").read_text("utf-8"))["labels"]
    mean = {label["name"]: float(data[labels == label["value"]].mean()) for label in scheme}
    assert set(np.unique(labels)) == {0, *(label["value"] for label in scheme)}
    assert mean["Ventricles"] < 200 < mean["Cerebellum"] < mean["Brain"] < mean["Brainstem"]
    assert mean["Eyes"] < 220
    assert mean["Skull"] < 250


def test_the_mr_landmarks_lie_in_the_head() -> None:
    mask = nibabel.load(SCANS / "truth" / "mr_head_oblique_mask.nii.gz")
    labels, affine = np.asarray(mask.dataobj), mask.affine
    points = control_points("mr_head_landmarks.mrk.json")
    for name, value in (("AC", 1), ("PC", 1), ("Left eye", 5), ("Right eye", 5)):
        assert near(labels, affine, points[name], value) < 1.5, name
    assert points["LPA"][0] < points["AC"][0] < points["RPA"][0]
    assert 25 < points["AC"][1] - points["PC"][1] < 29
    data = np.asarray(nibabel.load(SCANS / "mr_head_oblique.nii.gz").dataobj)
    for name in ("Nasion", "LPA", "RPA"):  # on the skin: air and flesh within a few mm
        i, j, k = np.rint(np.linalg.inv(affine) @ [*points[name], 1])[:3].astype(int)
        around = data[i - 5 : i + 6, j - 5 : j + 6, k - 4 : k + 5]
        assert around.min() < 60, name
        assert around.max() > 350, name


def test_gzip_files_carry_neither_name_nor_time() -> None:
    for path in SCANS.rglob("*.nii.gz"):
        assert path.read_bytes()[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", path.name


# --- ultrasound


def test_the_ultrasound_says_that_text_is_burned_in_and_where() -> None:
    header = pydicom.dcmread(SCANS / "us_burned_in.dcm")
    assert header.SOPClassUID == "1.2.840.10008.5.1.4.1.1.6.1"
    assert header.BurnedInAnnotation == "YES"
    region = header.SequenceOfUltrasoundRegions[0]
    boxes = [p for p in plants() if p["kind"] == "pixels"]
    assert len(boxes) == 6
    inside = 0
    for plant in boxes:
        x0, y0, x1, y1 = (int(v) for v in plant["where"].split()[1:])
        part = header.pixel_array[y0 : y1 + 1, x0 : x1 + 1]
        letters = len(plant["value"].replace(" ", ""))
        assert letters * 24 < (part == 235).sum() < letters * 90
        assert not (header.pixel_array[y0 - 2 : y0, x0 : x1 + 1] == 235).any()
        inside += bool(y0 > region.RegionLocationMinY0 and y1 < region.RegionLocationMaxY1)
    assert inside == 1


# --- identities


def raw(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def test_every_planted_identity_is_really_there() -> None:
    contents: dict[str, list[tuple[str, bytes]]] = {}
    for plant in plants():
        if plant["kind"] == "pixels":
            continue
        pattern = plant["file"]
        if pattern not in contents:
            files = sorted(SCANS.glob(pattern))
            assert files, pattern
            contents[pattern] = [(p.relative_to(SCANS).as_posix(), raw(p)) for p in files]
        for name, data in contents[pattern]:
            if plant["kind"] == "path":
                assert plant["value"] in name
            else:
                coding = "utf-8" if name.endswith(".gz") else "latin-1"
                assert plant["value"].encode(coding) in data, plant


def test_the_headers_are_full_of_identities_at_every_depth() -> None:
    header = pydicom.dcmread(next((SCANS / SERIES[0]).rglob("*.dcm")))
    assert header.preamble != bytes(128)
    assert header.SpecificCharacterSet == "ISO_IR 100"
    assert sum(1 for _ in header.iterall()) > 200
    listed = [p for p in plants() if p["file"].startswith("ct_abdomen/")]
    assert len({p["where"] for p in listed}) > 150
    assert max(p["where"].count("/") for p in listed) >= 3
    assert any(not p["value"].isascii() for p in listed)
    private = [e for e in header if e.tag.is_private]
    creators = {e.value for e in private if e.tag.is_private_creator}
    assert creators == {"EXAMPLE PACS 1.0", "EXAMPLE DEVICES CT"}
    assert {"SQ", "OB", "UN"} <= {e.VR for e in private}


def test_the_headers_hold_only_values_their_types_allow() -> None:
    # a warning of pydicom is an error here
    for name in SERIES:
        header = pydicom.dcmread(next((SCANS / name).rglob("*.dcm")))
        elements = list(header.iterall())
        for element in elements:
            pydicom.DataElement(element.tag, element.VR, element.value)
        assert len(elements) > 150


def test_the_nifti_carries_identities_in_fields_and_extensions() -> None:
    header = nibabel.load(SCANS / "mr_head_oblique.nii.gz").header
    assert {e.get_code() for e in header.extensions} == {2, 4, 6, 44}
    for field in ("descrip", "aux_file", "intent_name", "db_name"):
        assert bytes(header[field]).startswith(b"EXNII"), field


# --- gzip


@pytest.mark.parametrize(
    "data",
    [
        b"a",
        bytes(1000),
        bytes(range(256)) * 9,
        b"abc"
        + b"x" * 3
        + b"y" * 4
        + b"z" * 258
        + b"w" * 259
        + b"v" * 260
        + b"u" * 261
        + b"end",
        b"\0" * 517 + b"\1" * 518 + b"\2" * 519 + b"\3" * 520,
        bytes(k * k * 31 % 251 for k in range(70000)) * 9,
    ],
    ids=["one", "zeros", "all", "runs", "long runs", "several blocks"],
)
def test_our_gzip_unpacks_to_what_went_in(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCANS))
    deflate = importlib.import_module("deflate")
    packed = deflate.gzip_bytes(data)
    assert gzip.decompress(packed) == data
    assert packed == deflate.gzip_bytes(data)
