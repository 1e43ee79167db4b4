"""Masks that were replaced: they must be there, and be what they were."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.check import kept
from napari_medlabel.audit.check.verdict import LogReport, Verdict
from napari_medlabel.audit.format.event import Event, ObjectRef
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import sha256_file
from tests.audit.bench import OLD, SAVE
from tests.audit.check.ward import Ward

_CHANGE = {"labels": [1], "voxels_added": 1, "voxels_removed": 0}


def _objects(report: LogReport) -> list[tuple[str, str, int]]:
    return [
        (f.level, f.file.rsplit("/", 1)[-1][-6:], f.line)
        for f in report.findings
        if f.code == "OBJECT"
    ]


@pytest.fixture
def whole(ward: Ward) -> Ward:
    ward.session(SAVE, SAVE)
    ward.look()
    return ward


def test_a_replaced_mask_that_is_kept_is_fine(whole: Ward) -> None:
    assert whole.verify().verdict is Verdict.GREEN


def test_a_replaced_mask_that_is_gone_is_red_once_with_its_line(whole: Ward) -> None:
    path = whole.keep(OLD)
    path.with_name("notes.nii.gz").write_bytes(b"")
    path.unlink()
    report = whole.verify()
    assert _objects(report) == [("red", ".jsonl", 3)]
    assert report.verdict is Verdict.RED


def test_without_any_kept_version_one_amber_says_so(whole: Ward) -> None:
    shutil.rmtree(whole.root / "objects")
    report = whole.verify()
    assert [level for level, _, _ in _objects(report)] == ["amber"]
    assert "not here at all" in report.findings[0].text


def test_a_workstation_that_could_not_write_at_times_may_have_it_beside_the_mask(
    whole: Ward,
) -> None:
    whole.session(Event("audit.fail", detail={"error": "ENOSPC"}))
    whole.look()
    whole.keep(OLD).unlink()
    assert [level for level, _, _ in _objects(whole.verify())] == ["amber"]


def test_a_mask_that_comes_while_the_log_is_read_is_not_missed(
    whole: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "kept_names", lambda root: frozenset())
    assert whole.verify().verdict is Verdict.GREEN


def test_very_many_missing_masks_are_counted(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_MOST", 2)
    refs = [ObjectRef(f"sha256:{number:064x}", "old", "mask") for number in range(5)]
    ward.session(*(Event("mask.save", objects=(ref,), detail=_CHANGE) for ref in refs))
    ward.look()
    texts = [f.text for f in ward.verify().findings if f.code == "OBJECT"]
    assert len(texts) == 3
    assert texts[-1].startswith("3 more masks")


def _mask(folder: Path) -> tuple[Path, ObjectRef]:
    """Write a mask as the program does, and return it with its content."""
    import nibabel

    from napari_medlabel.io.nifti.reading import read_labels_nifti
    from napari_medlabel.model.labelmap import content_id

    path = folder / "mask.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones((2, 3, 4), np.uint8), np.eye(4)), path)
    array, grid = read_labels_nifti(path)
    return path, ObjectRef(content_id(grid, array), "new", "mask")


def test_kept_files_are_compared_with_what_the_log_names(ward: Ward, tmp_path: Path) -> None:
    saved, new = _mask(tmp_path)
    digest = f"sha256:{sha256_file(saved)}"
    source = ObjectRef(digest, "source", "volume")
    ward.session(Event("mask.save", objects=(source, new), detail={**_CHANGE, "file": digest}))
    ward.look()
    ward.keep(OLD).unlink()
    path = ward.keep(new)
    shutil.copyfile(saved, path)
    told: list[str] = []
    report = ward.verify(objects=True, seen=lambda file, line, record: told.append(file))
    assert report.verdict is Verdict.GREEN
    assert len(told) == report.events
    path.write_bytes(b"another mask")
    assert ward.verify().verdict is Verdict.GREEN
    assert _objects(ward.verify(objects=True)) == [("red", "nii.gz", 0)]


def test_a_kept_file_that_no_line_names_is_compared_by_its_labels(
    ward: Ward, tmp_path: Path
) -> None:
    saved, new = _mask(tmp_path)
    ward.session()
    ward.look()
    shutil.copyfile(saved, ward.keep(new))
    ward.keep(OLD).unlink()
    assert _objects(ward.verify(objects=True))[0][0] == "red"  # the one that is gone
    assert len(_objects(ward.verify(objects=True))) == 1
    ward.keep(OLD)
    (finding,) = (f for f in ward.verify(objects=True).findings if f.code == "OBJECT")
    assert (finding.level, "cannot be compared" in finding.text) == ("amber", True)
    steps: list[tuple[int, int]] = []
    kept.Files().judge(ward.root, lambda done, total: steps.append((done, total)))
    assert steps == [(1, 2), (2, 2)]


def test_a_kept_file_whose_bytes_give_its_name_is_right(ward: Ward) -> None:
    from hashlib import sha256

    ref = ObjectRef(f"sha256:{sha256(b'a mask').hexdigest()}", "old", "mask")
    ward.keep(OLD).unlink()
    ward.keep(ref)
    ward.session(Event("mask.save", objects=(ref,), detail=_CHANGE))
    ward.look()
    assert ward.verify(objects=True).verdict is Verdict.GREEN


def test_a_kept_file_that_cannot_be_read_is_an_input_error(
    whole: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> str:
        raise PermissionError

    monkeypatch.setattr("napari_medlabel.io.files.sha256_file", denied)
    with pytest.raises(InputError, match="kept version"):
        whole.verify(objects=True)
