"""What a killed process left is taken away by the next, and nothing that the log tells of."""

from __future__ import annotations

import os
from pathlib import Path

from napari_medlabel.project.cases.version import MASK, SIDECAR, next_version
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.session.study.sweeping import sweep_old, sweep_versions

CASE = CaseId("001")


def put(layout: Layout, number: int, *kinds: str, aside: bool = False) -> list[Path]:
    paths = [layout.version("r01", CASE, number, kind) for kind in kinds]
    if aside:
        paths = [path.with_name(f".0123abcd.part.{path.name}") for path in paths]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return paths


def test_a_version_without_a_sidecar_goes_and_its_number_is_free_again(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    whole = put(layout, 1, MASK, SIDECAR)
    never = put(layout, 2, MASK) + put(layout, 2, MASK, SIDECAR, aside=True)
    assert sweep_versions(layout, "r01", CASE, ()) == 3
    assert all(path.is_file() for path in whole)
    assert not any(path.exists() for path in never)
    assert next_version(layout, "r01", CASE) == 2


def test_of_what_the_log_has_nothing_is_taken_away(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    told = put(layout, 1, MASK)
    assert sweep_versions(layout, "r01", CASE, {1}) == 0
    assert told[0].is_file()


def test_files_of_other_cases_and_of_nobody_stay(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    folder = put(layout, 1, SIDECAR)[0].parent
    strange = [folder / ".0123abcd.part.notes.txt", folder / ".hidden", folder / "notes.txt"]
    other = layout.version("r01", CaseId("001", run=2), 1, MASK)
    for path in (*strange, other):
        path.write_bytes(b"x")
    assert sweep_versions(layout, "r01", CASE, ()) == 0
    assert sweep_versions(layout, "r02", CASE, ()) == 0


def test_of_open_work_only_what_is_old_goes(tmp_path: Path) -> None:
    old, young, mask = (
        tmp_path / name
        for name in (".0123abcd.part.mask.nii.gz", ".89abcdef.part.mask.json", "mask.nii.gz")
    )
    for path in (old, young, mask):
        path.write_bytes(b"x")
        os.utime(path, (1, 1))
    os.utime(young)
    assert sweep_old(tmp_path) == 1
    assert not old.exists()
    assert young.exists()
    assert mask.exists()
    claim = tmp_path / ".sub-001_ct.A.json.4711-0123abcd"
    claim.write_bytes(b"")
    os.utime(claim, (1, 1))
    assert sweep_old(tmp_path) == 1
    assert sweep_old(tmp_path / "none") == 0
