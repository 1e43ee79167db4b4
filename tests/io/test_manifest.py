"""The manifest of a data set: the same as common tools make, whatever the number of files."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io import manifest
from napari_medlabel.io.manifest import manifest_of, manifest_of_files

_COMMAND = (
    "find . -type f ! -path ./audit_receipt.json -printf '%P\\0' "
    "| xargs -0 sha256sum | LC_ALL=C sort | sha256sum"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    for number in range(9):
        path = data / f"P{number % 3}" / f"{number} of 9.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]))
    (data / "deid-report.json").write_text("{}")
    return data


def _by_hand(folder: Path) -> str:
    lines = sorted(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n"
        for path in folder.rglob("*")
        if path.is_file()
    )
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def test_it_is_the_digest_of_the_sorted_lines(folder: Path) -> None:
    assert manifest_of(folder) == _by_hand(folder)


@pytest.mark.parametrize("most", [1, 2, 3, 10, 11])
def test_it_is_the_same_when_lines_are_sorted_in_runs_on_the_disk(
    folder: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "_RUN", most)
    assert manifest_of(folder) == _by_hand(folder)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum and find")
def test_common_tools_make_the_same(folder: Path) -> None:
    (folder / "audit_receipt.json").write_text("x")
    done = subprocess.run(
        ["sh", "-c", _COMMAND], cwd=folder, check=True, capture_output=True, text=True
    )
    assert manifest_of(folder) == f"sha256:{done.stdout.split()[0]}"


def test_the_receipt_at_the_top_is_no_part_of_it_and_any_other_is(folder: Path) -> None:
    before = manifest_of(folder)
    (folder / "audit_receipt.json").write_text("x")
    assert manifest_of(folder) == before
    (folder / "P0" / "audit_receipt.json").write_text("x")
    assert manifest_of(folder) != before


def test_a_changed_a_new_a_lost_and_a_renamed_file_each_change_it(folder: Path) -> None:
    seen = {manifest_of(folder)}
    (folder / "new").write_text("x")
    seen.add(manifest_of(folder))
    (folder / "new").write_text("y")
    seen.add(manifest_of(folder))
    (folder / "new").rename(folder / "newer")
    seen.add(manifest_of(folder))
    (folder / "deid-report.json").unlink()
    seen.add(manifest_of(folder))
    assert len(seen) == 5


def test_a_folder_without_files_has_one(tmp_path: Path) -> None:
    assert manifest_of(tmp_path) == "sha256:" + hashlib.sha256().hexdigest()


def test_a_few_files_have_one_under_their_own_names(folder: Path, tmp_path: Path) -> None:
    files = [folder / "P0" / "0 of 9.dcm", folder / "deid-report.json"]
    assert manifest_of_files(files) == manifest_of_files(files[::-1])
    for path in files:
        shutil.copyfile(path, tmp_path / path.name)
    shutil.rmtree(folder)
    assert manifest_of_files([tmp_path / path.name for path in files]) == manifest_of(tmp_path)


def test_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is none"):
        manifest_of(tmp_path / "none")


def test_a_file_that_cannot_be_read_is_said(folder: Path) -> None:
    (folder / "away").symlink_to(folder / "nowhere")
    with pytest.raises(InputError, match="cannot be read \\(FileNotFoundError\\)"):
        manifest_of(folder)


def test_a_folder_that_cannot_be_listed_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> object:
        raise PermissionError(13, "no")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(InputError, match="cannot be read \\(PermissionError\\)"):
        manifest_of(folder)
