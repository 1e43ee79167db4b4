"""Versions of a mask: all of them listed, one of them put back, none of them lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.format.layout import object_file
from napari_medlabel.audit.keys.reasons import read_reason
from napari_medlabel.errors import (
    GeometryError,
    InputError,
    LogError,
    RefusedError,
    SaveError,
)
from napari_medlabel.export.mask import load_mask
from napari_medlabel.io.files import Staging
from napari_medlabel.model.labelmap import Label, LabelScheme
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.mask_log import Version, mask_events, versions_of
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.restoring import choose_version, history_of, restore, store_of
from napari_medlabel.session.saved_mask import MaskFile, find_mask
from napari_medlabel.session.saving import save
from tests.session.site import found_site
from tests.session.test_outbox import events

BOX = (slice(1, 3), slice(2, 4), slice(0, 1))


@pytest.fixture
def three(session: Session) -> Session:
    """Return a case whose mask was saved with value 1, then 2, then 3."""
    for value in (1, 2, 3):
        session.edit(BOX, np.full((2, 2, 1), value, np.uint8), name="Square")
        save(session)
    return session


def looked(session: Session) -> tuple[MaskFile, tuple[Version, ...]]:
    mask = find_mask(session.place.folder)
    return mask, history_of(mask, session.desk.audit_root, session.desk.objects)


def test_the_history_lists_every_version_with_who_when_and_what(three: Session) -> None:
    mask, versions = looked(three)
    assert mask.case == three.place.case
    assert [one.number for one in versions] == [1, 2, 3]
    assert [one.event for one in versions] == ["mask.create", "mask.save", "mask.save"]
    assert [one.is_current for one in versions] == [False, False, True]
    assert {one.kept for one in versions} == {"kept"}
    assert (versions[0].added, versions[0].removed, versions[0].slices) == (4, 0, "0")
    assert versions[0].user.startswith("u1-")
    assert versions[0].time.endswith("Z")
    assert set(versions[0].record()) & {"subject"} == set()


def test_a_restored_version_is_the_mask_and_the_one_before_is_kept(three: Session) -> None:
    mask, versions = looked(three)
    done = restore(three.desk, mask, choose_version(versions, "1"), reason="CORRECTION")
    assert (done.change.added, done.change.changed, done.unlogged) == (0, 4, None)
    now = load_mask(three.place.mask, three.volume.grid, scheme=three.labels.scheme)
    assert now.voxel_counts() == {1: 4}
    assert now.content_id() == versions[0].id
    assert store_of(mask, three.desk.objects).state(versions[2].id) == "kept"
    (event,) = [e for e in events(three.desk) if e["event"] == "mask.restore"]
    assert [ref["id"] for ref in event["object"]] == [versions[2].id, versions[0].id]
    assert event["reason"] == {"code": "CORRECTION"}
    assert event["detail"]["version"] == 1
    assert event["subject"] == [three.place.subject]


def test_the_sidecar_of_a_restored_mask_says_what_is_there(three: Session, scan, desk) -> None:
    mask, versions = looked(three)
    restore(desk, mask, versions[0], reason="OTHER")
    sidecar = json.loads((three.place.folder / "mask.json").read_bytes())
    assert sidecar["mask"]["content_id"] == versions[0].id
    assert [(one["value"], one["voxels"]) for one in sidecar["measured"]] == [(1, 4)]
    assert sidecar["source"] == mask.sidecar["source"]
    again = find_mask(three.place.mask)
    assert again.present == versions[0].id
    three.close(discard=True)
    opened = open_case([scan], desk, Wishes(folder=three.place.folder), fallback=scan.parent)
    opened.close()
    assert opened.found == ""
    assert opened.labels.voxel_counts() == {1: 4}


def test_a_restored_version_can_itself_be_undone_by_another(three: Session) -> None:
    mask, versions = looked(three)
    restore(three.desk, mask, versions[0], reason="OTHER")
    mask, versions = looked(three)
    assert [one.is_current for one in versions] == [True, False, False]
    restore(three.desk, mask, choose_version(versions, versions[2].id[:20]), reason="OTHER")
    assert find_mask(three.place.mask).present == versions[2].id


def test_a_damaged_mask_is_kept_by_its_bytes_and_replaced(three: Session) -> None:
    three.place.mask.write_bytes(b"not a mask")
    mask, versions = looked(three)
    assert mask.array is None
    assert versions[-1].is_current
    done = restore(three.desk, mask, versions[1], reason="OTHER")
    kept = three.desk.audit_root / object_file(done.replaced)
    assert kept.read_bytes() == b"not a mask"
    assert find_mask(three.place.mask).present == versions[1].id


def test_a_mask_that_is_gone_comes_back(three: Session) -> None:
    three.place.mask.unlink()
    mask, versions = looked(three)
    assert mask.present is None
    assert not any(one.is_current for one in versions)
    # Each is kept as soon as it is saved, the last one too.
    assert [one.kept for one in versions] == ["kept", "kept", "kept"]
    done = restore(three.desk, mask, versions[1], reason="OTHER")
    assert done.replaced is None
    assert find_mask(three.place.mask).present == versions[1].id


def test_a_text_goes_to_the_officer_and_its_commitment_into_the_log(three: Session) -> None:
    officer = found_site(three.desk)
    mask, versions = looked(three)
    restore(three.desk, mask, versions[0], reason="OTHER", text="the protocol was unclear")
    (event,) = [e for e in events(three.desk) if e["event"] == "mask.restore"]
    assert event["reason"]["code"] == "OTHER"
    ref = event["reason"]["ref"]
    assert read_reason(three.desk.audit_root, ref, officer) == "the protocol was unclear"


def test_a_text_that_is_refused_changes_nothing(three: Session) -> None:
    mask, versions = looked(three)
    before = three.place.mask.read_bytes()
    first = versions[0]
    with pytest.raises(RefusedError, match="no site with an officer"):
        restore(three.desk, mask, first, reason="OTHER", text="unclear")
    found_site(three.desk)
    with pytest.raises(RefusedError, match="of the open scan's header"):
        restore(
            three.desk, mask, first, reason="OTHER", text="ask Example", values=("Example",)
        )
    assert three.place.mask.read_bytes() == before
    assert "mask.restore" not in {e["event"] for e in events(three.desk)}
    assert not (three.desk.audit_root / "reasons").exists()


def test_a_text_survives_a_log_that_fails(three: Session, scan: Path, tmp_path: Path) -> None:
    class Broken:
        def append(self, *_: object, **__: object) -> None:
            raise LogError("The log cannot be written.")

    officer = found_site(three.desk)
    mask, versions = looked(three)
    dead = replace(three.desk, log=Broken())
    restore(dead, mask, versions[0], reason="OTHER", text="unclear")
    three.close(discard=True)
    wish = Wishes(folder=three.place.folder)
    open_case([scan], three.desk, wish, fallback=tmp_path).close()
    (event,) = [e for e in events(three.desk) if e["event"] == "mask.restore"]
    assert read_reason(three.desk.audit_root, event["reason"]["ref"], officer) == "unclear"


@pytest.mark.parametrize("wanted", ["9", "0", "abc", "ffffffffffff", "1e", ""])
def test_a_version_that_is_not_there_is_refused(three: Session, wanted: str) -> None:
    with pytest.raises(InputError, match="One version is expected, and 0 fit"):
        choose_version(looked(three)[1], wanted)


def test_the_present_version_is_refused(three: Session) -> None:
    with pytest.raises(InputError, match="on the disk already"):
        choose_version(looked(three)[1], "3")


def test_a_damaged_version_is_said_and_refused(three: Session) -> None:
    _, versions = looked(three)
    (three.desk.audit_root / object_file(versions[0].id)).write_bytes(b"\0")
    mask, versions = looked(three)
    assert versions[0].kept == "damaged"
    with pytest.raises(InputError, match="is damaged: it cannot be had back"):
        choose_version(versions, "1")
    with pytest.raises(InputError, match="not kept, or damaged"):
        restore(three.desk, mask, versions[0], reason="OTHER")


def test_a_damaged_kept_version_is_healed_when_it_is_kept_again(three: Session) -> None:
    _, versions = looked(three)
    place = three.desk.audit_root / object_file(versions[0].id)
    good = three.place.folder / "good.nii.gz"
    shutil.copyfile(place, good)
    place.write_bytes(b"\0")
    three.versions.keep(versions[0].id, good)
    assert three.versions.state(versions[0].id) == "kept"


def test_versions_kept_beside_the_mask_come_home_when_that_can_be_done(
    three: Session, scan: Path, tmp_path: Path
) -> None:
    store, spare = three.desk.objects, three.place.folder / "versions"
    kept = sorted(store.rglob("*.nii.gz"))
    spare.mkdir()
    for file in kept:
        file.rename(spare / file.name)
    (spare / "mine.nii.gz").write_bytes(b"not ours")
    shutil.rmtree(store)
    store.write_bytes(b"in the way")
    three.versions.bring_home()
    assert not store.is_dir()
    assert looked(three)[1][0].kept == "kept"
    store.unlink()
    three.close(discard=True)
    open_case([scan], three.desk, Wishes(folder=three.place.folder), fallback=tmp_path).close()
    assert sorted(store.rglob("*.nii.gz")) == kept
    assert len(list(spare.iterdir())) == len(kept) + 1


def test_a_version_of_another_grid_is_refused_and_nothing_changes(
    three: Session, make_grid: Callable
) -> None:
    mask, versions = looked(three)
    before = three.place.mask.read_bytes()
    other = replace(mask, grid=make_grid("RAS"))
    with pytest.raises((GeometryError, InputError)):
        restore(three.desk, other, versions[0], reason="OTHER")
    assert three.place.mask.read_bytes() == before
    assert "mask.restore" not in {e["event"] for e in events(three.desk)}


def test_bytes_of_another_grid_under_a_good_name_are_refused(
    three: Session, make_grid: Callable
) -> None:
    mask, versions = looked(three)
    kept = store_of(mask, three.desk.objects)
    assert kept.find(versions[0].id) is not None
    shifted = replace(mask, grid=make_grid("LPS", shape=(12, 10, 7)))
    assert store_of(shifted, three.desk.objects).state(versions[0].id) == "damaged"


def test_a_reason_that_is_no_code_is_refused(three: Session) -> None:
    mask, versions = looked(three)
    with pytest.raises(InputError, match="A reason is one of CORRECTION"):
        restore(three.desk, mask, versions[0], reason="because")


def test_a_disk_that_fails_leaves_the_mask_as_it_was(
    three: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask, versions = looked(three)
    before = three.place.mask.read_bytes()
    publish = Staging.publish

    def fail(staging: Staging) -> None:
        if any(path.name == "mask.nii.gz" for _, path in staging._ready):
            raise SaveError("The disk is full.")
        publish(staging)

    monkeypatch.setattr(Staging, "publish", fail)
    with pytest.raises(SaveError):
        restore(three.desk, mask, versions[0], reason="OTHER")
    assert three.place.mask.read_bytes() == before


def test_a_restoring_the_log_did_not_hear_of_is_told_later(
    three: Session, scan: Path, tmp_path: Path
) -> None:
    class Broken:
        def append(self, *_: object, **__: object) -> None:
            raise LogError("The log cannot be written.")

    mask, versions = looked(three)
    done = restore(replace(three.desk, log=Broken()), mask, versions[0], reason="OTHER")
    assert done.unlogged is not None
    three.close(discard=True)
    wish = Wishes(folder=three.place.folder)
    opened = open_case([scan], three.desk, wish, fallback=tmp_path)
    opened.close()
    assert "not in the log" in opened.found
    assert "mask.restore" in {e["event"] for e in events(three.desk)}


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(format="another"),
        lambda d: d["source"].update(sha256_in_slice_order=[]),
        lambda d: d.pop("grid"),
        lambda d: d["grid"].update(shape_ijk=[1, 2]),
        lambda d: d["mask"].update(content_id="1"),
        lambda d: d.update(scheme=4),
        lambda d: d.update(measured=4),
    ],
)
def test_a_strange_sidecar_is_refused(three: Session, change: Callable) -> None:
    path = three.place.folder / "mask.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match="damaged, or another program's"):
        find_mask(three.place.mask)


def test_a_mask_without_a_sidecar_is_refused(three: Session) -> None:
    (three.place.folder / "mask.json").unlink()
    with pytest.raises(InputError, match="there is no sidecar"):
        find_mask(three.place.folder)


def test_a_mask_of_a_wide_type_with_small_values_is_known_again(
    scan: Path, desk: Desk, tmp_path: Path
) -> None:
    wide = LabelScheme("Wide", (Label(1, "One", "#ff0000"), Label(700, "Many", "#00ff00")))
    opened = open_case([scan], desk, Wishes(wide, folder=tmp_path / "w"), fallback=tmp_path)
    for value in (1, 0, 1):
        opened.edit(BOX, np.full((2, 2, 1), value, np.uint16), name="Square")
        assert save(opened).replaced is None
    opened.close()
    assert find_mask(tmp_path / "w").present == opened.saved_mask


def record(event: str, old: str, new: str, time: str, **detail: object) -> dict:
    ids = [("old", old), ("new", new)]
    return {
        "event": event,
        "time": time,
        "detail": detail,
        "subject": [],
        "actor": {"user": "u1-0"},
        "object": [{"role": r, "id": i, "type": "mask"} for r, i in ids if i],
    }


def test_masks_of_other_cases_with_the_same_content_stay_apart() -> None:
    log = [
        record("mask.create", "", "empty", "1", case="ours"),
        record("mask.save", "empty", "a", "2", case="ours"),
        record("mask.create", "", "empty", "1", case="theirs"),
        record("mask.save", "empty", "b", "2", case="theirs"),
    ]
    found = versions_of(log, case="ours", present="a", state=lambda _name: "kept")
    assert [one.id for one in found] == ["empty", "a"]


def test_events_that_name_no_case_belong_by_their_contents() -> None:
    log = [
        record("mask.save", "a", "b", "2"),
        record("mask.save", "", "a", "1"),
        record("mask.save", "x", "y", "1"),
        record("mask.save", "b", "c", "3", case="ours"),
    ]
    found = versions_of(log, case="ours", present="c", state=lambda _name: "missing")
    assert [one.id for one in found] == ["a", "b", "c"]


def test_damaged_lines_are_left_to_the_verifier(three: Session) -> None:
    (path,) = three.desk.audit_root.rglob("*.jsonl")
    copy = path.parent / f"{path.stem}x.jsonl"
    copy.write_bytes(b'{"type":"mask"\n["type":"mask"]\n["a",{"type":"mask"}]\n')
    assert len(list(mask_events(three.desk.audit_root, three.desk.state))) == 3
    copy.unlink()
    copy.mkdir()
    with pytest.raises(LogError, match="cannot be read"):
        list(mask_events(three.desk.audit_root))
