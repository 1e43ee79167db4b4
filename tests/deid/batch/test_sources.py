from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_medlabel.deid.batch.sources import Kind, SourceFile, source_files
from napari_medlabel.deid.report.counts import Reason, Skip
from napari_medlabel.errors import InputError

NIFTI = struct.pack("<i", 348) + bytes(340) + b"n+1\0"
PAIR = struct.pack("<i", 348) + bytes(340) + b"ni1\0"
DICOM = bytes(128) + b"DICM" + bytes(200)


def described(folder: Path) -> Iterator[SourceFile]:
    files = source_files(folder)
    return map(files.described, files)


def kinds(folder: Path) -> dict[str, object]:
    files = source_files(folder)
    return {file.relative: files.described(file).kind for file in files}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a", DICOM, Kind.DICOM),
        ("a.nii", NIFTI, Kind.NIFTI),
        ("a.nii.gz", gzip.compress(NIFTI, mtime=0), Kind.NIFTI),
        ("a.txt", NIFTI, Kind.NIFTI),
        ("a.dcm.gz", gzip.compress(DICOM, mtime=0), Skip.NOT_AN_IMAGE),
        ("a.dcm", b"just text", Reason.NOT_WHAT_IT_SAYS),
        ("a.nii.gz", b"\x1f\x8bbroken", Reason.NOT_WHAT_IT_SAYS),
        ("a.hdr", struct.pack("<i", 348) + bytes(344), Reason.NIFTI_BROKEN),
        ("a.hdr", PAIR, Reason.NIFTI_INCOMPLETE),
        ("a.img", b"voxels", Skip.NOT_AN_IMAGE),
        ("a.json", b"{}", Skip.SIDECAR),
        ("a.pdf", b"%PDF", Skip.NOT_AN_IMAGE),
        ("empty", b"", Skip.NOT_AN_IMAGE),
    ],
)
def test_a_file_is_what_its_content_says(tmp_path, name, content, kind):
    (tmp_path / "scan").write_bytes(DICOM)
    (tmp_path / name).write_bytes(content)
    assert kinds(tmp_path)[name] is kind


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_pair_is_one_image(tmp_path, suffix):
    pack = gzip.compress if suffix else bytes
    (tmp_path / f"a.hdr{suffix}").write_bytes(pack(PAIR))
    (tmp_path / f"a.img{suffix}").write_bytes(pack(b"voxels"))
    assert kinds(tmp_path) == {
        f"a.hdr{suffix}": Kind.NIFTI,
        f"a.img{suffix}": Skip.VOXELS_OF_A_PAIR,
    }
    assert next(described(tmp_path)).voxels == tmp_path / f"a.img{suffix}"


def test_files_come_in_byte_order_of_their_paths(tmp_path):
    for name in ("b/z", "B", "a-1", "a/1", "é"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(DICOM)
    found = [file.relative for file in source_files(tmp_path)]
    assert found == sorted(found, key=os.fsencode)
    assert [file.position for file in source_files(tmp_path)] == [1, 2, 3, 4, 5]


def test_links_are_left_out(tmp_path):
    (tmp_path / "scan").write_bytes(DICOM)
    (tmp_path / "link").symlink_to(tmp_path / "scan")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert kinds(tmp_path) == {"scan": Kind.DICOM, "link": Skip.LINK, "loop": Skip.LINK}


def test_pipes_and_sockets_are_not_files(tmp_path):
    (tmp_path / "scan").write_bytes(DICOM)
    os.mkfifo(tmp_path / "pipe")
    assert set(kinds(tmp_path)) == {"scan"}


def test_one_file_is_a_source(tmp_path):
    (tmp_path / "scan").write_bytes(DICOM)
    assert kinds(tmp_path / "scan") == {"scan": Kind.DICOM}


def test_a_file_that_cannot_be_read_is_quarantined(tmp_path, monkeypatch):
    (tmp_path / "scan").write_bytes(DICOM)
    (tmp_path / "shut").write_bytes(DICOM)
    original = Path.open

    def refuse(self, *args, **kwargs):
        if self.name == "shut":
            raise PermissionError(13, "Permission denied")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    assert kinds(tmp_path)["shut"] is Reason.UNREADABLE
    with pytest.raises(InputError, match="1 files or folders of the source cannot be read"):
        source_files(tmp_path / "shut")


def test_a_source_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        source_files(tmp_path / "none")


@pytest.mark.parametrize("files", [{}, {"a.txt": b"text"}, {"a.dcm": b"text"}])
def test_a_source_without_scans_is_refused(tmp_path, files):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="none is among"):
        source_files(tmp_path)


def test_folders_that_cannot_be_listed_are_told(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(DICOM)
    (tmp_path / "shut").mkdir()
    original = os.scandir

    def refuse(folder):
        if Path(folder).name == "shut":
            raise PermissionError(13, "Permission denied")
        return original(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert kinds(tmp_path) == {"a": Kind.DICOM, "shut/": Reason.FOLDER_SHUT}
    assert source_files(tmp_path).count() == 1


def test_a_file_in_the_list_does_not_show_its_name(tmp_path):
    (tmp_path / "Featherstone").write_bytes(DICOM)
    (file,) = source_files(tmp_path)
    assert "Featherstone" not in repr(file)
