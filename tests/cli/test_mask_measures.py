"""``medlabel mask stats`` and ``medlabel mask compare``: what they print and refuse."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.session.case import Session
from napari_medlabel.session.saving import save

BOX = (slice(2, 8), slice(2, 7), slice(1, 4))


@pytest.fixture
def folder(session: Session) -> Path:
    """Return the folder of a saved mask: a liver of 90 voxels and nothing else."""
    session.edit(BOX, np.full((6, 5, 3), 1, np.uint8), name="Box")
    save(session)
    return session.place.folder


@pytest.fixture
def other(tmp_path: Path, make_grid: Callable[..., Grid]) -> Path:
    """Return a mask without a sidecar: the same liver, and a spot of another label."""
    grid = make_grid()
    array = np.zeros(grid.shape[::-1], np.uint8).T
    array[BOX] = 1
    array[10, 9, 5] = 3
    path = tmp_path / "other.nii.gz"
    write_mask_nifti(path, array, None, False, grid.affine)
    return path


def test_statistics_are_printed_written_and_given_as_json(
    folder: Path, scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "s.csv"
    command = ["mask", "stats", str(folder), "--scan", str(scan), "--csv", str(table)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "Liver" in printed
    assert "volume (ml)" in printed
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert (rows[0]["name"], rows[0]["voxels"], rows[0]["slices"]) == ("Liver", "90", "3")
    assert float(rows[0]["volume (ml)"]) == pytest.approx(90 * 0.8 * 0.9 * 3 / 1000, rel=1e-5)
    assert float(rows[0]["mean"]) > 0
    assert main(command) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["mask", "stats", str(folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["scheme"] == "Abdomen CT"
    assert document["labels"][0]["mean"] is None


def test_a_bare_mask_is_measured_by_its_numbers(
    other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other.with_name("other.json").write_text("[]")  # another program's
    assert main(["mask", "stats", str(other)]) == 0
    assert "Label 3" in capsys.readouterr().out
    empty = tmp_path / "empty.nii.gz"
    write_mask_nifti(empty, np.zeros((3, 3, 3), np.uint8).T, None, False, _affine(other))
    assert main(["mask", "stats", str(empty)]) == 0
    assert "holds no label" in capsys.readouterr().out
    assert main(["mask", "compare", str(empty), str(empty)]) == 0
    assert "0 empty in both" in capsys.readouterr().out


def _affine(path: Path):
    from napari_medlabel.io.nifti.reading import read_labels_nifti

    return read_labels_nifti(path)[1].affine


def test_two_masks_are_compared_and_what_one_misses_is_flagged(
    folder: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mask", "compare", str(folder), str(other), "--tolerance", "1"]) == 0
    out, err = capsys.readouterr()
    assert "NSD@1 mm" in out
    assert "surfel; labels matched by value" in out
    assert "second only, tiny" in out
    assert "diagonal" in err
    assert main(["mask", "compare", str(folder), str(other), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["flagged_missing"] == 1
    assert document["excluded_empty"] == len(document["labels"]) - 2
    assert document["mean"]["dice"] == pytest.approx(0.5)
    assert document["labels"][0]["dice"] == 1.0
    assert main(["mask", "compare", str(folder), str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["matched_by"] == "name"


def test_what_cannot_be_compared_is_refused(
    folder: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mask", "compare", str(folder), str(other), "--tolerance", "-1"]) == 2
    assert "0 mm or more" in capsys.readouterr().err
    assert main(["mask", "compare", str(folder), str(other.with_name("no.nii"))]) == 2
    assert "no mask at the path" in capsys.readouterr().err
