"""Saving: whole, compared, logged; nothing saved is ever lost."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.errors import InputError, LogError, SaveError
from napari_medlabel.export.landmarks import load_landmarks
from napari_medlabel.export.mask import load_mask, save_mask
from napari_medlabel.io.files import Staging
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.saving import (
    Moment,
    finish_save,
    save,
    take_snapshot,
    write_snapshot,
)

BOX = (slice(1, 3), slice(2, 4), slice(0, 1))


def events(desk: Desk) -> list[dict]:
    lines = [
        json.loads(line)
        for path in sorted(desk.audit_root.rglob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return [line for line in lines if "event" in line]


def paint(session: Session, value: int = 1) -> None:
    session.edit(BOX, np.full((2, 2, 1), value, np.uint8), name="Square")


def test_mask_and_landmarks_load_again_exactly(session: Session) -> None:
    paint(session)
    session.place_landmark("Liver dome", (1.25, -2.5, 3.75))
    report = save(session)
    again = load_mask(report.mask.path, session.volume.grid, scheme=session.labels.scheme)
    assert np.array_equal(again.array, session.labels.array)
    assert again.scheme == session.labels.scheme
    assert load_landmarks(session.place.landmarks) == session.landmarks
    table = load_landmarks(session.place.folder / "landmarks.csv")
    assert [m.point_ras for m in table] == [m.point_ras for m in session.landmarks]
    # A table has no place for sides and planes: they are the template's.
    assert table.merged_into(session.landmarks) == session.landmarks
    assert not session.is_dirty
    assert (report.voxels_added, report.voxels_removed) == (4, 0)


def test_the_mask_lies_on_its_scan_bit_for_bit(session: Session, scan: Path) -> None:
    paint(session)
    save(session)
    mask, source = nib.load(session.place.mask), nib.load(scan)
    assert mask.affine.tobytes() == source.affine.tobytes()
    for field in ("sform_code", "qform_code", "pixdim", "xyzt_units", "srow_x", "quatern_b"):
        assert np.array_equal(mask.header[field], source.header[field]), field
    assert mask.get_data_dtype() == np.uint8


def test_the_sidecar_names_scheme_source_and_software(session: Session) -> None:
    paint(session)
    report = save(session)
    sidecar = json.loads((session.place.folder / "mask.json").read_text())
    assert sidecar["software"]["name"] == "napari-medlabel"
    assert sidecar["source"]["sha256_in_slice_order"] == list(session.volume.source.sha256)
    assert sidecar["mask"]["content_id"] == report.mask.content_id
    assert sidecar["scheme"]["labels"][0]["name"] == "Liver"
    assert sidecar["measured"] == [
        {"value": 1, "voxels": 4, "volume_ml": pytest.approx(4 * 0.8 * 0.9 * 3 / 1000)}
    ]


def test_every_earlier_version_is_kept(session: Session) -> None:
    paint(session, 1)
    first = save(session).mask.content_id
    state = session.labels.array.copy()
    paint(session, 2)
    second = save(session).mask.content_id
    kept = session.versions.read(first)
    assert kept is not None
    assert np.array_equal(kept, state)
    paint(session, 3)
    save(session)
    assert session.versions.read(second) is not None


def test_a_mask_that_another_program_wrote_is_kept_before_it_is_replaced(
    session: Session,
) -> None:
    session.place.mask.write_bytes(b"not a mask at all")
    paint(session)
    save(session)
    kept = [p for p in session.desk.objects.rglob("*") if p.is_file()]
    assert b"not a mask at all" in {p.read_bytes() for p in kept}


def test_each_save_is_in_the_log_with_old_and_new(session: Session) -> None:
    paint(session, 1)
    first = save(session).mask.content_id
    paint(session, 2)
    save(session)
    saves = [e for e in events(session.desk) if e["event"].startswith("mask.")]
    assert [e["event"] for e in saves] == ["mask.create", "mask.save"]
    assert [e["action"] for e in saves] == ["C", "U"]
    assert {e["detail"]["case"] for e in saves} == {session.place.case}
    assert saves[1]["object"][0] == {"id": first, "role": "old", "type": "mask"}
    assert saves[1]["detail"]["voxels_changed"] == 4
    assert saves[1]["detail"]["slices"] == "0"


def test_a_second_save_of_the_same_writes_nothing_and_says_so(session: Session) -> None:
    paint(session)
    session.place_landmark("Liver dome", (1, 2, 3))
    first = save(session)
    assert len(first.files) == 4
    files = {path: (path.read_bytes(), path.stat().st_ino) for path in first.files}
    count = len(events(session.desk))
    second = save(session)
    assert (second.files, second.mask) == ((), first.mask)
    assert {path: (path.read_bytes(), path.stat().st_ino) for path in first.files} == files
    assert len(events(session.desk)) == count
    assert not session.is_dirty


def test_landmarks_that_nobody_placed_make_no_file(session: Session) -> None:
    paint(session)
    save(session)
    assert not list(session.place.folder.glob("landmarks*"))


def test_a_list_of_landmarks_that_was_changed_is_saved_before_one_is_placed(
    session: Session,
) -> None:
    marks = LandmarkSet((*session.landmarks, Landmark("Own")))
    session.set_landmarks(marks)
    save(session)
    assert load_landmarks(session.place.landmarks) == marks


@pytest.mark.parametrize("damage", ["rewritten", "sidecar", "scheme"])
def test_a_mask_that_is_not_as_it_was_saved_is_saved_again(
    session: Session, damage: str
) -> None:
    paint(session)
    save(session)
    beside = session.place.folder / "mask.json"
    if damage == "rewritten":  # the same labels in other bytes
        data = gzip.decompress(session.place.mask.read_bytes())
        session.place.mask.write_bytes(gzip.compress(data, 1))
    elif damage == "sidecar":
        beside.write_text("{")
    else:
        document = json.loads(beside.read_bytes())
        document["scheme"]["labels"][0]["name"] = "Spleen"
        beside.write_text(json.dumps(document))
    report = save(session)
    assert [path.name for path in report.files] == ["mask.nii.gz", "mask.json"]
    assert json.loads(beside.read_bytes())["mask"]["sha256"] == report.mask.sha256
    (last,) = [e for e in events(session.desk) if e["event"] == "mask.save"]
    assert last["detail"]["voxels_changed"] == 0


def test_a_save_of_nothing_new_tells_the_log_what_it_had_missed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_keywords: object) -> None:
        raise LogError("The log cannot be written.", hint="Free some space.")

    paint(session)
    with monkeypatch.context() as patched:
        patched.setattr(session.desk.log, "append", broken)
        save(session)
    report = save(session)
    assert (report.files, report.unlogged) == ((), None)
    assert [e["event"] for e in events(session.desk)].count("mask.create") == 1


def test_the_present_version_is_kept_too(session: Session) -> None:
    paint(session)
    assert session.versions.find(save(session).mask.content_id) is not None


def test_unannounced_changes_are_logged_at_the_save(session: Session) -> None:
    session.labels.array[0, 0, 3] = 5
    save(session)
    save(session)
    found = [e for e in events(session.desk) if e["event"] == "edit.unattributed"]
    assert len(found) == 1
    assert found[0]["detail"]["slices"] == "3"


def test_painting_may_go_on_while_a_snapshot_is_written(session: Session) -> None:
    paint(session, 1)
    snapshot = take_snapshot(session)
    paint(session, 2)
    report = write_snapshot(session, snapshot)
    finish_save(session, snapshot, report)
    assert session.is_dirty
    saved = load_mask(report.mask.path, session.volume.grid, scheme=session.labels.scheme)
    assert saved.voxel_counts() == {1: 4}
    session.keeper.sweep()
    assert list(session.desk.journals.glob("*.journal"))


@pytest.mark.parametrize("seed", range(12))
def test_a_copy_made_while_the_painting_goes_on_holds_the_moment(
    session: Session, seed: int
) -> None:
    random = np.random.default_rng(seed)

    def change() -> None:
        what = random.integers(6)
        if what < 2:
            (session.undo, session.redo)[what]()
            return
        ends = [sorted(random.integers(0, n + 1, 2)) for n in session.known.shape]
        box = tuple(slice(int(low), int(high) + 1) for low, high in ends)
        value = int(random.integers(4))
        session.labels.array[box] = value  # as a brush does, which tells afterwards
        session.absorb(box if what < 5 else (slice(None),) * 3, name="Paint")

    for _ in range(4):
        change()
    moment, wanted = Moment(session), session.labels.array.copy()
    states = [session.known.copy()]
    for _ in range(int(random.integers(1, 7))):
        change()
        states.append(session.known.copy())
    # A thread may have seen each voxel as it was before or after any of the changes.
    seen = np.choose(random.integers(0, len(states), wanted.shape), states)
    moment._known = np.asfortranarray(seen.astype(wanted.dtype))
    np.testing.assert_array_equal(moment.copy().labels.array, wanted)
    session.labels.array[0, 0, 0] += 1
    session.reconcile()
    assert len(moment._changes) < 8, "it is told of nothing more"
    assert not session.history._copies


def test_a_step_that_does_not_fit_is_told_to_no_copy(session: Session) -> None:
    paint(session, 1)
    patch = session.history.back()
    wanted = session.known.copy()
    changes = session.history.begin_copy()
    with pytest.raises(InputError, match="not in the state"):
        session.history.apply(
            patch.inverse(), session.labels.array, session.known, starts=False
        )
    assert changes == []
    np.testing.assert_array_equal(session.known, wanted)


def test_a_log_that_fails_does_not_lose_the_save(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_keywords: object) -> None:
        raise LogError("The log cannot be written.", hint="Free some space.")

    paint(session)
    with monkeypatch.context() as patched:
        patched.setattr(session.desk.log, "append", broken)
        report = save(session)
    assert report.unlogged is not None
    assert report.mask.path.is_file()


def test_a_full_disk_leaves_the_earlier_mask(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint(session, 1)
    save(session)
    before = session.place.mask.read_bytes()
    paint(session, 2)

    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_medlabel.io.files.sync_file", full)
    with pytest.raises(SaveError, match="disk is full"):
        save(session)
    assert session.place.mask.read_bytes() == before
    assert session.is_dirty
    assert not [p for p in session.place.folder.iterdir() if ".part." in p.name]


def test_a_mask_that_does_not_read_back_never_takes_the_name(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = __import__("napari_medlabel.export.mask", fromlist=["x"]).write_mask_nifti

    def lossy(path: Path, array: np.ndarray, *rest: object) -> None:
        real(path, np.zeros_like(array), *rest)

    paint(session)
    monkeypatch.setattr("napari_medlabel.export.mask.write_mask_nifti", lossy)
    with pytest.raises(SaveError, match="did not read back"):
        save(session)
    assert not session.place.mask.exists()


def test_overwriting_the_file_that_was_loaded_is_safe(
    scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    first = open_case([scan], desk, wishes, fallback=tmp_path)
    paint(first, 1)
    save(first)
    first.close()
    second = open_case([scan], desk, wishes, fallback=tmp_path)
    assert second.labels.voxel_counts() == {1: 4}
    paint(second, 3)
    save(second)
    second.close()
    third = open_case([scan], desk, wishes, fallback=tmp_path)
    assert third.labels.voxel_counts() == {3: 4}
    third.close()


def test_the_log_of_a_whole_case_is_whole(session: Session) -> None:
    paint(session)
    session.place_landmark("Liver dome", (1, 2, 3))
    save(session)
    session.close()
    session.desk.log.close()
    report = verify_log(session.desk.audit_root, state=session.desk.state)
    # A workstation that no officer knows is amber by itself.
    assert {f.code for f in report.findings} <= {"UNCERTIFIED"}, report.findings


def test_a_save_over_somebody_elses_says_so_and_keeps_theirs(
    scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> None:
    first = open_case([scan], desk, wishes, fallback=tmp_path)
    second = open_case([scan], desk, wishes, fallback=tmp_path)
    paint(first, 1)
    theirs = save(first)
    assert theirs.replaced is None
    paint(second, 2)
    report = save(second)
    assert report.replaced == theirs.mask.content_id
    assert second.versions.read(theirs.mask.content_id) is not None
    paint(second, 3)
    assert save(second).replaced is None
    first.close()
    second.close()


def test_a_scan_is_never_written_over(
    tmp_path: Path, volume, desk: Desk, wishes: Wishes
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    scan = folder / "mask.nii.gz"
    scan.write_bytes(volume.source.files[0].read_bytes())
    before = scan.read_bytes()
    with pytest.raises(SaveError, match="never written over"):
        open_case([scan], desk, replace(wishes, folder=folder), fallback=tmp_path)
    (tmp_path / "link.nii.gz").symlink_to(scan)
    labels = LabelMap.empty(volume.grid, wishes.scheme)
    source = replace(volume.source, files=(scan,))
    with pytest.raises(SaveError, match="never written over"):
        save_mask(tmp_path / "link.nii.gz", labels, source, time="t")
    assert scan.read_bytes() == before


def test_a_disk_that_fills_up_half_way_leaves_every_file_as_it_was(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    paint(session, 1)
    save(session)
    before = {p.name: p.read_bytes() for p in session.place.folder.iterdir()}
    paint(session, 2)
    session.place_landmark("Liver dome", (1, 2, 3))
    real = Staging.add_bytes

    def full(self, path: Path, data: bytes, **words: object) -> None:
        if path.suffix == ".csv":
            raise SaveError("The disk is full; nothing was written.", hint="Free some space.")
        real(self, path, data, **words)

    monkeypatch.setattr(Staging, "add_bytes", full)
    with pytest.raises(SaveError, match="disk is full"):
        save(session)
    assert {p.name: p.read_bytes() for p in session.place.folder.iterdir()} == before


def test_where_the_logs_disk_is_full_the_earlier_version_is_kept_beside_the_mask(
    session: Session,
) -> None:
    paint(session, 1)
    first = save(session).mask.content_id
    shutil.rmtree(session.desk.audit_root / "objects")
    session.desk.audit_root.joinpath("objects").write_text("in the way")
    paint(session, 2)
    save(session)
    assert session.versions.read(first) is not None
    assert list((session.place.folder / "versions").iterdir())


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="mounting a tmpfs needs root"
)
def test_a_real_full_disk_leaves_the_save_before_as_it_was(session: Session) -> None:
    folder = session.place.folder
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        paint(session, 1)
        save(session)
        before = {p.name: p.read_bytes() for p in folder.iterdir()}
        with contextlib.suppress(OSError), (folder / "filler").open("wb") as filler:
            while True:
                filler.write(bytes(1024))
                filler.flush()
        paint(session, 2)
        with pytest.raises(SaveError, match="disk is full"):
            save(session)
        assert session.is_dirty
        after = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "filler"}
        assert after == before
        (folder / "filler").unlink()
        save(session)
        assert not session.is_dirty
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
