"""``medlabel convert``: the same millimetres, one document, nothing without a log line."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.audit.anchors.receipt import check_receipt, read_receipt
from napari_medlabel.cli.main import main
from napari_medlabel.io.registry import read_volume
from tests.io.scans import ROOT, orientation_of, voxels, write_series

TILT = np.deg2rad(18.5)
STEP = (0.0, 2.5 * np.sin(TILT), 2.5 * np.cos(TILT))
LEANING = (1.0, 0.0, 0.0, 0.0, float(np.cos(TILT)), float(np.sin(TILT)))


@pytest.fixture
def series(tmp_path: Path) -> Path:
    write_series(tmp_path / "ct", voxels(6), orientation=orientation_of("LPS"))
    return tmp_path / "ct"


@pytest.fixture
def tilted(tmp_path: Path) -> Path:
    write_series(
        tmp_path / "tilted", voxels(6, 12, 12), orientation=LEANING, step=(0.0, 0.0, 2.5)
    )
    return tmp_path / "tilted"


@pytest.fixture
def convert(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def run(*arguments: object) -> tuple[int, str, str]:
        code = main(["convert", *map(str, arguments), "--audit", str(tmp_path / "log")])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def events(tmp_path: Path) -> list[str]:
    lines = [
        json.loads(line)
        for path in sorted((tmp_path / "log").rglob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return [line["event"] for line in lines if "event" in line]


def test_a_series_lies_where_it_lay_and_both_ends_are_logged(series, tmp_path, convert):
    code, out, _ = convert(series, tmp_path / "a.nii.gz")
    assert code == 0
    image, volume = nib.load(tmp_path / "a.nii.gz"), read_volume(series)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), volume.array)
    np.testing.assert_allclose(image.affine, volume.grid.affine.matrix, atol=1e-5)
    assert out.startswith("NIfTI written: 4 x 5 x 6, 0.7 x 0.8 x 2.5 mm, LPS, int16\nsha256 ")
    log = "".join(p.read_text() for p in (tmp_path / "log").rglob("*.jsonl"))
    assert log.index("volume.open") < log.index("export.begin") < log.index("export.done")
    assert "INVENTED" not in log
    assert ROOT not in log


def test_a_receipt_lies_beside_what_left_and_is_true(series, tmp_path, convert):
    target, mask = tmp_path / "a.nii.gz", tmp_path / "mask.nii.gz"
    assert convert(series, target)[0] == 0
    assert receipt_faults(tmp_path, "a.nii.gz", [target]) == []
    grid = read_volume(series).grid
    labels = np.ones(grid.shape, np.uint8)
    nib.save(nib.Nifti1Image(labels, grid.affine.matrix), tmp_path / "seg.nii")
    assert convert(tmp_path / "seg.nii", mask, "--on", series)[0] == 0
    left = [mask, tmp_path / "mask.json"]
    assert receipt_faults(tmp_path, "mask.nii.gz", left) == []
    assert "INVENTED" not in (tmp_path / "a.nii.gz.audit_receipt.json").read_text()


def receipt_faults(folder: Path, name: str, data: list[Path]) -> list[object]:
    receipt = read_receipt((folder / f"{name}.audit_receipt.json").read_bytes())
    return list(check_receipt(receipt, folder / "log", data))


def test_a_receipt_that_is_there_is_not_overwritten(series, tmp_path, convert):
    (tmp_path / "a.nii.gz.audit_receipt.json").write_text("kept")
    code, _, err = convert(series, tmp_path / "a.nii.gz")
    assert code == 2
    assert "The receipt of the target exists already" in err
    assert not (tmp_path / "a.nii.gz").exists()


def test_json_is_one_document(series, tmp_path, convert):
    code, out, _ = convert(series, tmp_path / "a.nii.gz", "--json")
    assert code == 0
    document = json.loads(out)
    assert document["input"]["series"] == "1"
    assert len(document["input"]["hash"]) == 12
    (output,) = document["output"]
    assert output["shape_ijk"] == [4, 5, 6]
    assert output["spacing_mm"] == pytest.approx([0.7, 0.8, 2.5])
    assert output["axes"] == "LPS"
    assert output["dtype"] == "int16"
    assert len(output["sha256"]) == 64
    assert "INVENTED" not in out.upper()


def test_without_a_log_nothing_is_written(series, tmp_path, capsys):
    (tmp_path / "log").write_text("a file where the log should be")
    assert main(["convert", str(series), str(tmp_path / "a.nii.gz"), "--audit",
                 str(tmp_path / "log")]) in (2, 3)  # fmt: skip
    assert "hint:" in capsys.readouterr().err
    assert not (tmp_path / "a.nii.gz").exists()


def test_a_failed_export_is_logged_as_failed(series, tmp_path, convert, monkeypatch):
    from napari_medlabel.errors import SaveError

    def fail(*_: object) -> None:
        raise SaveError("The disk is full.", hint="Free some space.")

    monkeypatch.setattr("napari_medlabel.export.volume.save_volume", fail)
    code, _, err = convert(series, tmp_path / "a.nii.gz")
    assert code == 2
    assert "The disk is full" in err
    log = "".join(p.read_text() for p in (tmp_path / "log").rglob("*.jsonl"))
    assert "export.fail" in log
    assert "export.done" not in log


def test_a_reference_gives_the_voxel_order(series, tmp_path, convert):
    volume = read_volume(series)
    flipped = np.ascontiguousarray(volume.array[::-1, :, ::-1].transpose(1, 0, 2))
    move = np.array([[0, -1, 0, 3], [1, 0, 0, 0], [0, 0, -1, 5], [0, 0, 0, 1.0]])
    affine = volume.grid.affine.matrix @ move
    nib.save(nib.Nifti1Image(flipped, affine), tmp_path / "ref.nii.gz")
    code, _, _ = convert(series, tmp_path / "a.nii.gz", "--like", tmp_path / "ref.nii.gz")
    assert code == 0
    image = nib.load(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), flipped)
    np.testing.assert_allclose(image.affine, affine, atol=1e-4)
    affine[0, 3] += 0.1
    nib.save(nib.Nifti1Image(flipped, affine), tmp_path / "beside.nii.gz")
    code, _, err = convert(series, tmp_path / "b.nii.gz", "--like", tmp_path / "beside.nii.gz")
    assert code == 2
    assert "voxels beside the volume's" in err
    assert not (tmp_path / "b.nii.gz").exists()


def test_a_tilted_series_stays_sheared_unless_asked(tilted, tmp_path, convert):
    code, _, err = convert(tilted, tmp_path / "a.nii.gz")
    assert code == 0
    assert "gantry tilt" in err
    assert int(nib.load(tmp_path / "a.nii.gz").header["qform_code"]) == 0
    code, _, err = convert(tilted, tmp_path / "b.nii.gz", "--straighten")
    assert code == 0
    assert "Resampled, as asked" in err
    straight = nib.load(tmp_path / "b.nii.gz").affine[:3, :3]
    assert np.count_nonzero(np.abs(straight) > 1e-6) == 3


def test_straightening_what_is_straight_changes_nothing(series, tmp_path, convert):
    code, _, err = convert(series, tmp_path / "a.nii.gz", "--straighten")
    assert code == 0
    assert "nothing was resampled" in err
    assert nib.load(tmp_path / "a.nii.gz").shape == (4, 5, 6)


def test_one_of_several_series_is_asked_for(series, tmp_path, convert):
    write_series(series / "more", voxels(2), series="2")
    code, _, err = convert(series, tmp_path / "a.nii.gz")
    assert code == 2
    assert "2 were found" in err
    code, _, _ = convert(series, tmp_path / "a.nii.gz", "--series", "2")
    assert code == 0


def test_a_nifti_header_is_copied_and_that_is_said(tmp_path, convert):
    image = nib.Nifti1Image(np.zeros((3, 4, 5), np.int16), np.diag([2.0, 2, 2, 1]))
    image.header["descrip"] = b"as it was"
    nib.save(image, tmp_path / "a.nii")
    code, _, err = convert(tmp_path / "a.nii", tmp_path / "b.nii.gz")
    assert code == 0
    assert "The NIfTI header was copied" in err
    np.testing.assert_array_equal(nib.load(tmp_path / "b.nii.gz").affine, image.affine)


def test_a_mask_is_laid_on_its_scan_with_a_sidecar(series, tmp_path, convert):
    volume = read_volume(series)
    mask = np.zeros(volume.grid.shape, np.uint8)
    mask[1:3, 1:3, 2:4] = 2
    nib.save(nib.Nifti1Image(mask, volume.grid.affine.matrix), tmp_path / "seg.nii")
    target = tmp_path / "mask.nii.gz"
    code, out, _ = convert(tmp_path / "seg.nii", target, "--on", series, "--json")
    assert code == 0
    (output,) = json.loads(out)["output"]
    assert output["labels"] == 1
    sidecar = json.loads((tmp_path / "mask.json").read_text())
    assert sidecar["mask"]["content_id"] == output["content_id"]
    assert sidecar["source"]["files"] == 6
    np.testing.assert_array_equal(np.asanyarray(nib.load(target).dataobj), mask)
    code, _, err = convert(tmp_path / "seg.nii", tmp_path / "mask.nii", "--on", series)
    assert code == 2
    assert "sidecar of the target (.json) exists already" in err


def test_a_mask_of_another_grid_and_wishes_for_scans_are_refused(series, tmp_path, convert):
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4)), tmp_path / "seg.nii")
    code, _, err = convert(tmp_path / "seg.nii", tmp_path / "m.nii", "--on", series)
    assert code == 2
    assert "hint:" in err
    for more in (["--straighten"], ["--volume", "1"], ["--values", "stored"]):
        code, _, err = convert(tmp_path / "seg.nii", tmp_path / "m.nii", "--on", series, *more)
        assert code == 2
        assert f"{more[0]} is for scans" in err
    assert not (tmp_path / "m.nii").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.mha", "ends otherwise"), ("none/a.nii", "folder of the target"), ("ct", "ends other")],
)
def test_a_target_that_cannot_be_is_refused_before_anything_is_read(
    series, tmp_path, convert, name, message
):
    code, _, err = convert(series, tmp_path / name)
    assert code == 2
    assert message in err
    assert not (tmp_path / "log").exists()


def test_nothing_is_overwritten(series, tmp_path, convert):
    (tmp_path / "a.nii.gz").write_bytes(b"mine")
    code, _, err = convert(series, tmp_path / "a.nii.gz")
    assert code == 2
    assert "nothing is overwritten" in err
    assert (tmp_path / "a.nii.gz").read_bytes() == b"mine"


def test_the_document_has_the_keys_that_the_reference_shows(series, tmp_path, convert):
    page = Path(__file__).parents[2] / "docs" / "reference" / "formats.md"
    example = json.loads(page.read_text("utf-8").split("```json\n")[2].split("```")[0])
    _, out, _ = convert(series, tmp_path / "a.nii.gz", "--json")
    document = json.loads(out)
    assert list(document) == list(example)
    assert list(document["input"]) == list(example["input"])
    assert list(document["output"][0]) == list(example["output"][0])


def test_formats_that_the_log_does_not_name_are_logged_too(tmp_path, convert):
    path = Path(nib.__file__).parent / "tests" / "data" / "tiny.mnc"
    code, _, _ = convert(path, tmp_path / "a.nii.gz")
    assert code == 0
    log = "".join(p.read_text() for p in (tmp_path / "log").rglob("*.jsonl"))
    assert '"other"' in log


def test_a_zip_file_is_converted_like_its_folder(series, tmp_path, convert):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as package:
        for path in series.iterdir():
            package.write(path, path.name)
    assert convert(tmp_path / "a.zip", tmp_path / "a.nii.gz")[0] == 0
    assert convert(series, tmp_path / "b.nii.gz")[0] == 0
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_several_volumes_become_a_fourth_axis_or_one_of_them(tmp_path, convert):
    four = np.arange(3 * 4 * 5 * 3, dtype=np.int16).reshape(3, 4, 5, 3)
    nib.save(nib.Nifti1Image(four, np.diag([2.0, 2, 2, 1])), tmp_path / "four.nii.gz")
    code, out, _ = convert(tmp_path / "four.nii.gz", tmp_path / "a.nii.gz")
    assert code == 0
    assert "3 volumes" in out
    np.testing.assert_array_equal(np.asanyarray(nib.load(tmp_path / "a.nii.gz").dataobj), four)
    code, _, _ = convert(tmp_path / "four.nii.gz", tmp_path / "b.nii.gz", "--volume", "2")
    assert code == 0
    one = np.asanyarray(nib.load(tmp_path / "b.nii.gz").dataobj)
    np.testing.assert_array_equal(one, four[..., 1])
    code, _, err = convert(tmp_path / "four.nii.gz", tmp_path / "c.nii", "--volume", "9")
    assert code == 2
    assert "There is no volume 9" in err


def test_classes_that_overlap_become_several_masks(series, tmp_path, convert, monkeypatch):
    from napari_medlabel.io.marks.found import Marks
    from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme

    scheme = LabelScheme("Two", (Label(1, "One", "#112233"), Label(2, "Other", "#445566")))

    def two(_path, volume):
        first, second = (np.zeros(volume.grid.shape[::-1], np.uint8).T for _ in range(2))
        first[:2], second[1:3] = 1, 2
        maps = tuple(LabelMap(volume.grid, array, scheme) for array in (first, second))
        return Marks("SEG", maps, warnings=("Classes overlap.",))

    monkeypatch.setattr("napari_medlabel.io.registry.read_marks", two)
    code, out, err = convert(tmp_path / "seg.dcm", tmp_path / "m.nii.gz", "--on", series)
    assert code == 0
    assert out.count("NIfTI written") == 2
    assert "Classes overlap" in err
    names = {"m.nii.gz", "m.json", "m-2.nii.gz", "m-2.json"}
    assert names <= {path.name for path in tmp_path.iterdir()}
    monkeypatch.setattr("napari_medlabel.io.registry.read_marks", lambda *_: Marks("SR"))
    code, _, err = convert(tmp_path / "sr.dcm", tmp_path / "n.nii.gz", "--on", series)
    assert code == 2
    assert "these marks hold none, but 0 points" in err


def test_a_mask_can_be_laid_on_another_file_of_the_scan(series, tmp_path, convert):
    volume = read_volume(series)
    flip = np.diag([1.0, 1, -1, 1])
    flip[2, 3] = 5
    nib.save(
        nib.Nifti1Image(np.ascontiguousarray(volume.array[:, :, ::-1]),
                        volume.grid.affine.matrix @ flip), tmp_path / "ref.nii.gz"
    )  # fmt: skip
    mask = np.zeros(volume.grid.shape, np.uint8)
    mask[0, 0, 1] = 7
    nib.save(nib.Nifti1Image(mask, volume.grid.affine.matrix), tmp_path / "seg.nii")
    reference = tmp_path / "ref.nii.gz"
    target = tmp_path / "m.nii.gz"
    code, _, _ = convert(tmp_path / "seg.nii", target, "--on", series, "--like", reference)
    assert code == 0
    laid = nib.load(target)
    assert np.asanyarray(laid.dataobj)[0, 0, 4] == 7
    np.testing.assert_array_equal(laid.affine, nib.load(reference).affine)


def test_pictures_are_written_without_sides(tmp_path, convert):
    write_series(
        tmp_path / "us",
        voxels(2),
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
        SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1",
        Modality="US",
    )
    code, out, _ = convert(tmp_path / "us", tmp_path / "a.nii", "--json")
    assert code == 0
    assert json.loads(out)["output"][0]["axes"] is None
    assert json.loads(out)["output"][0]["slices"] == "pictures"
    assert "mean nothing" in "".join(json.loads(out)["warnings"])
    assert convert(tmp_path / "us", tmp_path / "b.nii")[1].count("sides unknown") == 1


def test_uptake_is_not_made_of_colours(tmp_path, convert):
    rgb = np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(rgb, np.eye(4)), tmp_path / "rgb.nii")
    code, _, err = convert(tmp_path / "rgb.nii", tmp_path / "a.nii", "--values", "suv-bw")
    assert code == 2
    assert "this series has colours" in err
