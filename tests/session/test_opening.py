"""Opening: refused before anything shows, logged before pixels show."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import samples
from napari_medlabel.errors import GeometryError, InputError, LogError, SaveError
from napari_medlabel.export.landmarks import save_landmarks
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.session.desk import Desk, default_folder
from napari_medlabel.session.opening import Wishes, case_id, open_case


def test_opening_is_in_the_log_without_a_name(
    scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    session = open_case([scan], desk, wishes, fallback=tmp_path)
    session.close()
    text = "".join(p.read_text() for p in desk.audit_root.rglob("*.jsonl"))
    opened = [json.loads(x) for x in text.splitlines() if '"volume.open"' in x]
    assert opened[0]["detail"]["format"] == "nifti"
    assert opened[0]["detail"]["weak"] is True
    assert opened[0]["subject"] == [session.place.subject]
    assert "scan" not in text


def test_no_log_no_case(scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path) -> None:
    class Broken:
        def append(self, *_args: object, **_keywords: object) -> None:
            raise LogError("The log cannot be written.", hint="Free some space.")

    broken = replace(desk, log=Broken())
    with pytest.raises(LogError):
        open_case([scan], broken, wishes, fallback=tmp_path)


def test_a_mask_of_another_grid_is_refused_with_a_way_out(
    scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    other = tmp_path / "other.nii.gz"
    write_mask_nifti(
        other, np.zeros((12, 10, 6), np.uint8), None, False, Affine.from_spacing((1, 1, 1))
    )
    with pytest.raises(GeometryError, match="does not lie on this scan") as caught:
        open_case([scan], desk, replace(wishes, mask=other), fallback=tmp_path)
    assert "--out" in caught.value.hint


def test_a_missing_mask_is_refused(
    scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="mask file does not exist"):
        open_case([scan], desk, replace(wishes, mask=tmp_path / "no.nii"), fallback=tmp_path)


def test_a_folder_that_cannot_be_written_is_refused_at_once(
    scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SaveError):
        open_case(
            [scan], desk, replace(wishes, folder=tmp_path / "file" / "case"), fallback=tmp_path
        )


def test_given_landmarks_come_before_the_template(
    scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    given = tmp_path / "given.mrk.json"
    save_landmarks(
        given, LandmarkSet((Landmark("L1 top", (1, 2, 3)), Landmark("Own", (4, 5, 6))))
    )
    session = open_case([scan], desk, replace(wishes, landmarks=given), fallback=tmp_path)
    names = [m.name for m in session.landmarks]
    assert names[:3] == ["Liver dome", "Xiphoid tip", "L1 top"]
    assert names[-1] == "Own"
    assert session.landmarks["L1 top"].point_ras == (1, 2, 3)
    session.close(discard=True)


def test_the_case_is_known_by_content_wherever_it_lies(volume) -> None:
    moved = replace(volume, source=replace(volume.source, files=(Path("elsewhere"),)))
    assert case_id(volume) == case_id(moved)
    bent = replace(volume, source=replace(volume.source, sha256=("00",)))
    assert case_id(volume) != case_id(bent)


def test_two_scans_in_one_file_on_one_grid_are_two_cases(volume: Volume) -> None:
    count = volume.grid.shape[2]
    magnitude = tuple((0, k) for k in range(count))
    phase = tuple((0, k + count) for k in range(count))
    ids = {
        case_id(replace(volume, source=replace(volume.source, planes=planes)))
        for planes in (magnitude, phase)
    }
    assert len(ids) == 2


def test_a_volume_without_hashes_is_no_case(volume) -> None:
    with pytest.raises(InputError, match="hashes"):
        case_id(replace(volume, source=replace(volume.source, sha256=())))


def test_masks_go_beside_the_scan_or_to_the_user_when_that_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = "sha256:" + "ab" * 32
    beside = default_folder([tmp_path / "scan"], case, tmp_path / "user")
    assert beside == tmp_path / "medlabel" / "abababababab"
    inside = samples.path("ct_abdomen")
    kept_out = default_folder([inside], case, tmp_path / "user")
    assert kept_out == tmp_path / "user" / "cases" / "abababababab"
    monkeypatch.setattr("os.access", lambda *_: False)
    away = default_folder([tmp_path / "scan"], case, tmp_path / "user")
    assert away == tmp_path / "user" / "cases" / "abababababab"
