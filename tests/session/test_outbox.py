"""What the log was not told waits on the disk, and is told or given up at the next opening."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.errors import LogError, SaveError
from napari_medlabel.io.files import Staging
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.outbox import Outbox, Parcel, Settled
from napari_medlabel.session.saving import save

CASE = "sha256:" + "ab" * 32


def names(desk: Desk) -> list[str]:
    return [e["event"] for e in events(desk)]


def events(desk: Desk) -> list[dict]:
    lines = [
        json.loads(line)
        for path in sorted(desk.audit_root.rglob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return [line for line in lines if "event" in line]


def paint(session: Session, value: int = 1) -> None:
    box = (slice(1, 3), slice(2, 4), slice(0, 1))
    session.edit(box, np.full((2, 2, 1), value, np.uint8), name="Square")


class Broken:
    """A log that takes some events more and then none, until it is mended."""

    def __init__(self, log: object, after: int = 0) -> None:
        self._log, self.left = log, after

    def append(self, event: str, **more: object) -> None:
        if self.left <= 0:
            raise LogError("The log cannot be written.", hint="Free some space.")
        self.left -= 1
        self._log.append(event, **more)  # type: ignore[attr-defined]


@pytest.fixture
def reopen(
    scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path
) -> Iterator[Callable[[], Session]]:
    opened: list[Session] = []

    def again() -> Session:
        opened.append(open_case([scan], desk, wishes, fallback=tmp_path))
        return opened[-1]

    yield again
    for one in opened:
        one.close()


def waiting(desk: Desk) -> list[Path]:
    return sorted((desk.state / "unlogged").glob("*.json"))


def test_a_save_that_went_well_leaves_nothing_waiting(reopen, desk: Desk) -> None:
    session = reopen()
    paint(session)
    save(session)
    assert waiting(desk) == []
    session.close()
    assert reopen().found == ""


def test_a_save_the_log_did_not_hear_of_is_told_at_the_next_opening(reopen, desk) -> None:
    session = reopen()
    session.outbox._log = Broken(desk.log)
    paint(session)
    report = save(session)
    assert report.unlogged is not None
    assert session.outbox.unlogged == 1
    session.close()
    assert "mask.create" not in names(desk)
    again = reopen()
    assert again.found == "1 saved changes were not in the log; they are now."
    assert names(desk)[-2:] == ["volume.open", "mask.create"]
    assert waiting(desk) == []
    assert verify_log(desk.audit_root, state=desk.state).verdict.value != "red"


def test_a_log_that_works_again_hears_of_everything_in_order_and_once(reopen, desk) -> None:
    session = reopen()
    session.outbox._log = broken = Broken(desk.log, after=1)
    session.labels.array[0, 0, 3] = 5
    assert save(session).unlogged is not None
    assert session.outbox.problem is not None
    broken.left = 100
    paint(session)
    assert save(session).unlogged is None
    assert session.outbox.problem is None
    assert [n for n in names(desk) if n.startswith(("mask", "edit"))] == [
        "edit.unattributed",
        "mask.create",
        "mask.save",
    ]
    assert waiting(desk) == []


def test_a_crash_between_rename_and_log_line_is_told_at_the_next_opening(
    reopen, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = reopen()
    paint(session)

    def killed(_outbox: Outbox, parcel: Parcel) -> None:
        parcel.release()  # as the system does for a process that is gone
        raise KeyboardInterrupt

    monkeypatch.setattr(Outbox, "deliver", killed)
    with pytest.raises(KeyboardInterrupt):
        save(session)
    monkeypatch.undo()
    assert len(waiting(desk)) == 1
    again = reopen()
    assert "not in the log" in again.found
    assert names(desk)[-1] == "mask.create"


def test_a_crash_before_the_rename_is_given_up(
    reopen, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = reopen()
    paint(session)
    save(session)
    paint(session, 2)

    publish = Staging.publish

    def killed(staging: Staging) -> None:
        if any(path.name == "mask.nii.gz" for _, path in staging._ready):
            raise SaveError("The disk is full.")
        publish(staging)

    monkeypatch.setattr(Staging, "publish", killed)
    with pytest.raises(SaveError):
        save(session)
    monkeypatch.undo()
    session.close(discard=True)
    again = reopen()
    assert again.found == "1 saves were broken off before they changed anything."
    assert names(desk).count("mask.save") == 0
    assert waiting(desk) == []


def test_what_was_replaced_since_has_happened_when_it_is_kept(reopen, desk) -> None:
    session = reopen()
    session.outbox._log = Broken(desk.log)
    paint(session)
    save(session)
    session.outbox.close()
    session.outbox._log = desk.log
    paint(session, 2)
    save(session)
    session.close()
    reopen()
    assert sorted(n for n in names(desk) if n.startswith("mask")) == [
        "mask.create",
        "mask.save",
    ]


def test_another_programs_change_is_said_and_logged(reopen, desk: Desk, scan: Path) -> None:
    session = reopen()
    paint(session)
    save(session)
    first = session.place.mask.read_bytes()
    paint(session, 2)
    save(session)
    session.close()
    session.place.mask.write_bytes(first)
    again = reopen()
    assert again.found.startswith("Another program changed this mask")
    last = events(desk)[-1]
    assert last["event"] == "edit.unattributed"
    assert last["detail"]["found_at"] == "recover"
    assert [ref["role"] for ref in last["object"]] == ["old", "new"]


def test_a_changed_mask_whose_last_version_is_kept_is_counted_against_it(reopen, desk) -> None:
    session = reopen()
    paint(session)
    save(session)
    session.versions.keep(session.saved_mask, session.place.mask)
    last = session.place.mask.read_bytes()
    paint(session, 2)
    sidecar = (session.place.folder / "mask.json").read_bytes()
    save(session)
    session.close()
    assert session.place.mask.read_bytes() != last
    (session.place.folder / "mask.json").write_bytes(sidecar)
    reopen()
    detail = events(desk)[-1]["detail"]
    assert (detail["voxels_added"], detail["voxels_changed"]) == (0, 4)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"v": 2}', b'{"v": 1, "events": [{}]}'])
def test_a_damaged_note_is_set_aside_and_said(reopen, desk: Desk, content: bytes) -> None:
    session = reopen()
    session.close()
    folder = desk.state / "unlogged"
    folder.mkdir(exist_ok=True)
    short = session.place.case.removeprefix("sha256:")[:24]
    (folder / f"{short}-00.json").write_bytes(content)
    assert reopen().found == "1 notes about unlogged work cannot be read; set aside."
    assert len(list(folder.glob("*.damaged"))) == 1


def test_work_goes_on_where_the_note_cannot_be_written(reopen, desk: Desk) -> None:
    session = reopen()
    (desk.state / "unlogged").write_bytes(b"in the way")
    paint(session)
    assert save(session).unlogged is None
    assert session.place.mask.is_file()


def test_work_of_a_running_program_is_left_to_it(desk: Desk) -> None:
    held = Outbox(desk.state / "unlogged", CASE, desk.log)
    parcel = held.announce([], old=None, new=CASE)
    other = Outbox(desk.state / "unlogged", CASE, desk.log)
    assert other.settle(CASE, lambda _name: True) == Settled()
    parcel.release()
    assert other.settle(CASE, lambda _name: True) == Settled(logged=1)


def test_a_decision_about_recovered_work_is_kept_when_the_log_fails(reopen, desk) -> None:
    session = reopen()
    session.outbox._log = broken = Broken(desk.log)
    box = np.zeros(session.labels.array.shape[::-1], bool).T
    box[1:3, 1:3, 1] = True
    assert session.bench.fill_region(box, 1, name="Grow") is not None
    assert session.outbox.unlogged == 1
    broken.left = 100
    paint(session, 2)
    save(session)
    assert names(desk)[-2:] == ["assist.run", "mask.create"]
