from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.deid.batch.kinds import described
from napari_medlabel.deid.faces.doubt import Doubt, FaceUnsure
from napari_medlabel.deid.images import companion_faces
from napari_medlabel.deid.images.companions import clean_companion, target_name, write_companion
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Look, Note
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.errors import SaveError

VOXELS = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
NRRD = b"NRRD0004\ntype: short\ndimension: 3\nsizes: 3 4 5\nspace: LPS\nendian: little\n"
SPACE = b"space directions: (1,0,0) (0,1,0) (0,0,2)\nspace origin: (0,0,0)\n"
META = (
    b"ObjectType = Image\nNDims = 3\nDimSize = 3 4 5\nElementSpacing = 1 1 2\nOffset = 0 0 0\n"
    b"TransformMatrix = 1 0 0 0 1 0 0 0 1\nElementType = MET_SHORT\n"
)


@pytest.fixture
def scans(tmp_path) -> Path:
    """A scan of each format in a folder named after somebody, with sidecars."""
    folder = tmp_path / "Featherstone"
    folder.mkdir()
    image = nib.Nifti1Image(VOXELS, np.diag([1, 1, 2, 1]))
    image.header["descrip"] = b"Featherstone"
    data = VOXELS.tobytes(order="F")
    nib.save(image, folder / "a.nii.gz")
    (folder / "a.json").write_text('{"PatientName": "Featherstone", "EchoTime": 0.03}')
    (folder / "a.bval").write_text("0 1000\n")
    (folder / "b.nrrd").write_bytes(NRRD + SPACE + b"encoding: raw\n\n" + data)
    (folder / "c.seg.nrrd").write_bytes(NRRD + SPACE + b"encoding: raw\n\n" + data)
    (folder / "d.mha").write_bytes(META + b"ElementDataFile = LOCAL\n" + data)
    return tmp_path


def told(root: Path, name: str):
    return described(1, root / "Featherstone" / name, root)


@pytest.mark.parametrize(
    "name", ["a.nii.gz", "a.json", "a.bval", "b.nrrd", "c.seg.nrrd", "d.mha"]
)
def test_what_is_written_is_what_is_made_in_memory(scans, name, tmp_path, profile, pseudonyms):
    file = told(scans, name)
    made = clean_companion(file, profile, pseudonyms)
    written = write_companion(file, tmp_path / "part", profile, pseudonyms)
    again = write_companion(file, tmp_path / "again", profile, pseudonyms, sync=False)
    assert (tmp_path / "part").read_bytes() == (tmp_path / "again").read_bytes() == made.content
    assert written == again
    assert (written.content, written.report, written.suffix) == (b"", made.report, made.suffix)
    assert made.suffix == file.suffix == name[1:]
    assert b"Featherstone" not in made.content


def test_a_scan_and_its_sidecars_keep_one_name(scans, pseudonyms):
    names = [target_name(told(scans, name), pseudonyms) for name in ("a.nii.gz", "a.json")]
    assert names[0][:2] == names[1][:2]
    assert names[0][0] == "nifti"
    assert names[0][2].removesuffix(".nii.gz") == names[1][2].removesuffix(".json")
    assert "eatherstone" not in repr(names)
    assert target_name(told(scans, "b.nrrd"), pseudonyms)[2][:18] != names[0][2][:18]


def test_images_that_would_share_a_name_do_not(scans, pseudonyms):
    folder = scans / "Featherstone"
    (folder / "b.nhdr").write_bytes(NRRD + b"encoding: raw\ndata file: b.raw\n")
    attached, header = (told(scans, name) for name in ("b.nrrd", "b.nhdr"))
    assert header.suffix == attached.suffix
    assert target_name(header, pseudonyms) != target_name(attached, pseudonyms)
    (folder / "b.nrrd").unlink()
    assert target_name(header, pseudonyms) == target_name(attached, pseudonyms)


def test_a_source_that_is_cut_off_leaves_no_part(scans, tmp_path, profile, pseudonyms):
    path = scans / "Featherstone" / "a.nii.gz"
    noise = np.random.default_rng(3).integers(0, 255, (90, 90, 90), np.uint8)
    nib.save(nib.Nifti1Image(noise, None), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(QuarantineError, match="unreadable"):
        write_companion(told(scans, "a.nii.gz"), tmp_path / "part", profile, pseudonyms)
    assert not (tmp_path / "part").exists()


def test_a_place_that_is_taken_stays_as_it_is(scans, tmp_path, profile, pseudonyms):
    (tmp_path / "part").write_bytes(b"mine")
    with pytest.raises(SaveError, match="could not be written"):
        write_companion(told(scans, "b.nrrd"), tmp_path / "part", profile, pseudonyms)
    assert (tmp_path / "part").read_bytes() == b"mine"


def test_a_disk_that_fails_leaves_no_part(scans, tmp_path, profile, pseudonyms, monkeypatch):
    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="No space left on device"):
        write_companion(told(scans, "b.nrrd"), tmp_path / "part", profile, pseudonyms)
    assert not (tmp_path / "part").exists()


def test_what_reads_back_as_something_else_is_refused(
    scans, tmp_path, profile, pseudonyms, monkeypatch
):
    original = os.fsync

    def spoil(handle):
        original(handle)
        os.ftruncate(handle, 9)

    monkeypatch.setattr(os, "fsync", spoil)
    with pytest.raises(SaveError, match="did not read back"):
        write_companion(told(scans, "b.nrrd"), tmp_path / "part", profile, pseudonyms)
    assert not (tmp_path / "part").exists()


@pytest.mark.parametrize("name", ["a.nii.gz", "b.nrrd", "d.mha"])
def test_a_face_is_noted_unless_it_is_removed(scans, name, profile, pseudonyms, monkeypatch):
    assert clean_companion(told(scans, name), profile, pseudonyms).report.notes == {Note.FACE}
    faces = load_profile(options={"clean-faces"})
    monkeypatch.setattr(companion_faces, "require_room", lambda _size: None)
    monkeypatch.setattr("napari_medlabel.deid.faces.voxels.THIN_MM", 0.0)
    with pytest.raises(QuarantineError, match="face could not be removed"):
        clean_companion(told(scans, name), faces, pseudonyms)


@pytest.mark.parametrize("name", ["a.nii.gz", "b.nrrd", "d.mha"])
@pytest.mark.parametrize("blanks", [True, False])
def test_only_voxels_of_a_face_change(scans, name, blanks, pseudonyms, monkeypatch):
    def blank(stored, _said, _masks):
        out = stored.copy()
        out[:, 1:3] = -1
        return out if blanks else None

    monkeypatch.setattr("napari_medlabel.deid.faces.voxels.deface_stored", blank)
    faces = load_profile(options={"clean-faces"})
    made = clean_companion(told(scans, name), faces, pseudonyms)
    work = made.report.pixels
    assert not made.report.notes
    assert work.done == {Option.CLEAN_FACES}
    assert (work.frames, work.changed) == (5, 2 if blanks else 0)
    assert work.look == ({Look.FACE} if blanks else set())
    assert work.regions == ({"face": 1} if blanks else {})
    expected = VOXELS.copy()
    if blanks:
        expected[:, :, 1:3] = -1
    content = gzip.decompress(made.content) if name == "a.nii.gz" else made.content
    assert content.endswith(expected.tobytes(order="F"))


def test_a_packed_image_without_a_face_is_packed_again(scans, pseudonyms, monkeypatch):
    import zlib

    monkeypatch.setattr("napari_medlabel.deid.faces.voxels.deface_stored", lambda *_: None)
    data = zlib.compress(VOXELS.tobytes(order="F"))
    path = scans / "Featherstone" / "d.mha"
    path.write_bytes(META + b"CompressedData = True\nElementDataFile = LOCAL\n" + data)
    faces = load_profile(options={"clean-faces"})
    content = clean_companion(told(scans, "d.mha"), faces, pseudonyms).content
    packed = content.partition(b"LOCAL\n")[2]
    assert zlib.decompress(packed) == VOXELS.tobytes(order="F")


@pytest.mark.parametrize(
    "changed",
    [
        NRRD.replace(b"dimension: 3", b"dimension: 4").replace(b"3 4 5", b"3 4 5 1")
        + b"kinds: list domain domain domain\nspace directions: none (1,0,0) (0,1,0) (0,0,2)\n",
        NRRD.replace(b"short", b"uchar").replace(b"3 4 5", b"3 8 5")
        + b"kinds: RGB-color domain domain\nspace directions: none (1,0,0) (0,1,0)\n",
        NRRD,
    ],
)
def test_a_face_in_odd_axes_is_not_looked_for(scans, changed, pseudonyms):
    path = scans / "Featherstone" / "b.nrrd"
    path.write_bytes(changed + b"encoding: raw\n\n" + VOXELS.tobytes())
    with pytest.raises(QuarantineError, match="face could not be removed"):
        clean_companion(
            told(scans, "b.nrrd"), load_profile(options={"clean-faces"}), pseudonyms
        )


def test_a_face_in_missing_voxels_is_not_looked_for(scans, pseudonyms):
    path = scans / "Featherstone" / "a.nii.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))
    with pytest.raises(QuarantineError, match="voxels shorter"):
        clean_companion(
            told(scans, "a.nii.gz"), load_profile(options={"clean-faces"}), pseudonyms
        )


def test_doubts_about_a_face_are_a_reason(scans, pseudonyms, monkeypatch):
    def doubt(*_):
        raise FaceUnsure(Doubt.NOT_A_VOLUME)

    monkeypatch.setattr("napari_medlabel.deid.faces.voxels.deface_nifti_voxels", doubt)
    with pytest.raises(QuarantineError, match="face could not be removed"):
        clean_companion(
            told(scans, "a.nii.gz"), load_profile(options={"clean-faces"}), pseudonyms
        )


def test_a_long_sidecar_is_refused(scans, profile, pseudonyms, monkeypatch):
    monkeypatch.setattr("napari_medlabel.deid.images.sidecars.LONGEST_SIDECAR", 10)
    with pytest.raises(QuarantineError, match="sidecar cannot be read"):
        clean_companion(told(scans, "a.json"), profile, pseudonyms)
    assert json.loads((scans / "Featherstone" / "a.json").read_text())["EchoTime"] == 0.03
