from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.deid.batch.kinds import Kind, described, stem_of
from napari_medlabel.deid.report.counts import Reason, Skip

NIFTI = struct.pack("<i", 348) + bytes(340) + b"n+1\0"
PAIR = struct.pack("<i", 348) + bytes(340) + b"ni1\0"
DICOM = bytes(128) + b"DICM" + bytes(200)
NRRD = b"NRRD0004\ntype: short\n"
META = b"ObjectType = Image\nNDims = 3\n"


def told(folder: Path, name: str, content: bytes):
    path = folder / name
    path.write_bytes(content)
    return described(7, path, folder)


@pytest.mark.parametrize(
    ("name", "content", "kind", "suffix"),
    [
        ("a", DICOM, Kind.DICOM, ""),
        ("a.nii", NIFTI, Kind.NIFTI, ".nii"),
        ("A.NII.GZ", gzip.compress(NIFTI, mtime=0), Kind.NIFTI, ".nii.gz"),
        ("a.nii", gzip.compress(NIFTI, mtime=0), Kind.NIFTI, ".nii.gz"),
        ("a.txt", NIFTI, Kind.NIFTI, ".nii"),
        ("a.dcm.gz", gzip.compress(DICOM, mtime=0), Skip.NOT_AN_IMAGE, ""),
        ("a.dcm", b"just text", Reason.NOT_WHAT_IT_SAYS, ""),
        ("a.nii.gz", b"\x1f\x8bbroken", Reason.NOT_WHAT_IT_SAYS, ""),
        ("a.hdr", struct.pack("<i", 348) + bytes(344), Reason.NIFTI_BROKEN, ""),
        ("a.hdr", PAIR, Reason.NIFTI_INCOMPLETE, ".nii"),
        ("a.img", b"voxels", Skip.NOT_AN_IMAGE, ""),
        ("a.nrrd", NRRD, Kind.NRRD, ".nrrd"),
        ("a.nhdr", NRRD, Kind.NRRD, ".nrrd"),
        ("a.Seg.nrrd", NRRD, Kind.NRRD, ".seg.nrrd"),
        ("a.nrrd", b"NRRD", Reason.NOT_WHAT_IT_SAYS, ""),
        ("a.nrrd.gz", gzip.compress(NRRD, mtime=0), Skip.NOT_AN_IMAGE, ""),
        ("a.mha", META, Kind.META_IMAGE, ".mha"),
        ("a.mhd", b"Comment = x\nNDims = 3\n", Kind.META_IMAGE, ".mha"),
        ("a", META, Kind.META_IMAGE, ".mha"),
        ("a.txt", b"Comment = just text", Skip.NOT_AN_IMAGE, ""),
        ("a.mha", b"text", Reason.NOT_WHAT_IT_SAYS, ""),
        ("a.json", b"{}", Skip.SIDECAR, ""),
        ("a.tsv", b"participant_id", Skip.SIDECAR, ""),
        ("a.raw", b"voxels", Skip.NOT_AN_IMAGE, ""),
        ("empty", b"", Skip.NOT_AN_IMAGE, ""),
    ],
)
def test_a_file_is_what_its_content_says(tmp_path, name, content, kind, suffix):
    file = told(tmp_path, name, content)
    assert (file.kind, file.suffix, file.voxels) == (kind, suffix, None)
    assert (file.position, file.relative) == (7, name)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_pair_is_one_image(tmp_path, suffix):
    pack = gzip.compress if suffix else bytes
    (tmp_path / f"a.img{suffix}").write_bytes(pack(b"voxels"))
    header = told(tmp_path, f"a.hdr{suffix}", pack(PAIR))
    assert (header.kind, header.suffix) == (Kind.NIFTI, f".nii{suffix}")
    assert header.voxels == tmp_path / f"a.img{suffix}"
    voxels = told(tmp_path, f"a.img{suffix}", pack(b"voxels"))
    assert voxels.kind is Skip.VOXELS_OF_A_PAIR


@pytest.mark.parametrize("name", ["a.raw", "a.raw.gz", "a.zraw"])
@pytest.mark.parametrize("header", ["a.nhdr", "a.mhd"])
def test_voxels_of_a_header_beside_are_known(tmp_path, name, header):
    (tmp_path / header).write_bytes(NRRD)
    assert told(tmp_path, name, b"voxels").kind is Skip.VOXELS_OF_A_PAIR


@pytest.mark.parametrize("name", ["a.json", "a.BVAL", "a.bvec"])
@pytest.mark.parametrize(
    ("scan", "content"),
    [
        ("a.nii", NIFTI),
        ("a.nii.gz", gzip.compress(NIFTI, mtime=0)),
        ("a.nrrd", NRRD),
        ("a.mhd", META),
    ],
)
def test_a_sidecar_goes_with_its_scan(tmp_path, name, scan, content):
    (tmp_path / scan).write_bytes(content)
    file = told(tmp_path, name, b"{}")
    assert (file.kind, file.suffix) == (Kind.SIDECAR, name[1:].lower())


def test_a_sidecar_of_no_scan_is_left_out(tmp_path, monkeypatch):
    (tmp_path / "a.nii").write_bytes(b"text")
    (tmp_path / "b.nii").write_bytes(NIFTI)
    (tmp_path / "a.nrrd").symlink_to(tmp_path / "b.nii")
    assert told(tmp_path, "a.json", b"{}").kind is Skip.SIDECAR
    (tmp_path / "a.mha").write_bytes(META)
    original = Path.open

    def refuse(self, *args, **kwargs):
        if self.suffix == ".mha":
            raise PermissionError(13, "Permission denied")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    assert told(tmp_path, "a.json", b"{}").kind is Skip.SIDECAR
    assert described(1, tmp_path / "a.mha", tmp_path).kind is Reason.UNREADABLE


def test_a_stem_is_what_a_scan_and_its_sidecars_share():
    names = ("a/b.nii.gz", "a/b.NII", "a/b.json", "a/b.bvec", "a/b.nrrd", "a/b.mhd", "a/b")
    assert {stem_of(name) for name in names} == {"a/b"}
    assert stem_of("a.txt") == "a.txt"


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(["a", "a.nii.gz", "a.img", "a.raw", "a.json", "a.mhd", "a.nrrd", "a.tsv"]),
    st.sampled_from([b"", NIFTI, PAIR, DICOM, NRRD, META, b"\x1f\x8b"]),
    st.binary(max_size=64),
)
def test_any_bytes_are_something(tmp_path_factory, name, start, rest):
    path = tmp_path_factory.mktemp("a") / name
    path.write_bytes(start + rest)
    file = described(1, path, path.parent)
    assert isinstance(file.kind, Kind | Reason | Skip)
    assert bool(file.suffix) == (
        isinstance(file.kind, Kind) and file.kind is not Kind.DICOM
    ) or (file.kind is Reason.NIFTI_INCOMPLETE)
