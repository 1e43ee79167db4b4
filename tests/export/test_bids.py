"""BIDS derivatives: a mask, its sidecar and the table that says what its values mean."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.export.bids import dseg_table, save_dseg, start_derivative
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.model.volume import Volume
from tests.export.leaving import FINDINGS, ORGANS, organs


def test_a_mask_comes_back_with_the_names_of_the_table(volume: Volume, tmp_path: Path) -> None:
    root = tmp_path / "d"
    start_derivative(root, "Labels by r01", ORGANS, sources=("../..",))
    labels = organs(volume.grid)
    stem = "sub-001_ses-01_desc-r01"
    saved = save_dseg(root, stem, labels, volume.source, time="2026-11-22T12:00:00Z")
    assert saved.path == root / "sub-001" / "ses-01" / "anat" / f"{stem}_dseg.nii.gz"
    saved.path.with_name(f"{stem}_dseg.json").rename(tmp_path / "aside.json")
    back = read_marks(saved.path, volume).labels[0]
    assert np.array_equal(back.array, labels.array)
    assert [(one.value, one.name, one.colour) for one in back.scheme.labels] == [
        (one.value, one.name, one.colour) for one in ORGANS.labels
    ]
    codes = [one.code for one in back.scheme.labels]
    assert codes == [ORGANS[2].code, replace(ORGANS[5].code, side=""), None]
    told = json.loads((root / "dataset_description.json").read_bytes())
    assert told["DatasetType"] == "derivative"
    assert told["SourceDatasets"] == [{"URL": "../.."}]
    with pytest.raises(SaveError, match="exists already"):
        save_dseg(root, stem, labels, volume.source, time="t")
    save_dseg(root, "sub-002", labels, volume.source, time="t")
    assert (root / "sub-002" / "anat" / "sub-002_dseg.nii.gz").is_file()


def test_the_table_has_a_row_for_each_label_and_no_cell_breaks_it() -> None:
    odd = replace(FINDINGS[7], name="A\tb\nc", code=None)
    assert dseg_table(LabelScheme("x", (*ORGANS.labels[:1], odd))) == (
        "index\tname\tabbreviation\tcolor\t"
        "type_codingscheme\ttype_codevalue\ttype_codemeaning\n"
        "2\tLiver\tL2\t#d65f5f\tSCT\t10200004\tLiver\n"
        "7\tA b c\tL7\t#ffee00\tn/a\tn/a\tn/a\n"
    )


def test_what_does_not_belong_into_a_derivative_is_refused(
    volume: Volume, tmp_path: Path
) -> None:
    labels = organs(volume.grid)
    with pytest.raises(InputError, match="no derivative"):
        save_dseg(tmp_path, "sub-001", labels, volume.source, time="t")
    start_derivative(tmp_path / "d", "Labels", FINDINGS)
    with pytest.raises(InputError, match=r"not those of the derivative's dseg\.tsv"):
        save_dseg(tmp_path / "d", "sub-001", labels, volume.source, time="t")
    for stem in ("001", "sub-0_01", "sub-001/../x", "sub-001_desc-"):
        with pytest.raises(InputError, match="made of entities"):
            save_dseg(tmp_path / "d", stem, labels, volume.source, time="t")
    with pytest.raises(SaveError, match="exists already"):
        start_derivative(tmp_path / "d", "Labels", FINDINGS)
