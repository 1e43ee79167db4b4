"""What goes on and what is refused while the log's folder, or everything, is gone."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.keys.tokens import load_token_key
from napari_medlabel.deid.rules.profile import basic_profile
from napari_medlabel.errors import LogError
from napari_medlabel.export.mask import load_mask
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model.presets import scheme
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.leaving import leaving
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.session.case import Session
from napari_medlabel.session.deid_values import show_values
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.saving import save
from napari_medlabel.session.steps_back import restore_step, versions_in
from tests.audit.bench import Bench
from tests.io.scans import voxels, write_series
from tests.session.test_outbox import events

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BOX = (slice(1, 3), slice(2, 4), slice(0, 1))
AMBIENT = ("session.", "anchor.", "audit.fail", "audit.resume")


@dataclass
class Ward:
    """A case at a log that can be taken away."""

    bench: Bench
    desk: Desk
    scan: Path
    wishes: Wishes
    tmp: Path
    session: Session

    def share_gone(self) -> None:
        self.bench.io.broken = {self.bench.root: errno.EIO}

    def all_gone(self) -> None:
        self.bench.io.broken = {self.bench.root: errno.EIO, self.bench.state: errno.EIO}

    def back(self) -> None:
        self.bench.io.broken = {}
        self.desk.log.beat()  # type: ignore[attr-defined]

    def paint(self, value: int) -> None:
        self.session.edit(BOX, np.full((2, 2, 1), value, np.uint8), name="Square")

    def open(self) -> None:
        other = replace(self.wishes, folder=self.tmp / "other")
        open_case([self.scan], self.desk, other, fallback=self.tmp).close()

    def look(self) -> None:
        write_series(self.tmp / "ct", voxels(3))
        show_values(self.desk, read_volume(self.tmp / "ct"), basic_profile())

    def screenshot(self) -> None:
        layer = SimpleNamespace(metadata={KEY: {"case": self.session.place.case}})
        with leaving([layer], "screenshot", "folder", files=1):
            self.left = True

    left = False


@pytest.fixture
def ward(
    scan: Path, wishes: Wishes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ward]:
    bench = Bench(tmp_path)
    log = bench.steady()
    tokens = load_token_key(tmp_path / "own")
    # Journals and notes of unlogged work lie where the log's spool does not.
    desk = Desk(log, tokens, bench.root, tmp_path / "own", lambda: NOON)
    session = open_case([scan], desk, wishes, fallback=tmp_path)
    monkeypatch.setattr(WORKPLACE, "desk", lambda: desk)
    made = Ward(bench, desk, scan, wishes, tmp_path, session)
    for value in (1, 2):
        made.paint(value)
        save(session)
    yield made
    bench.io.broken = {}
    session.close(discard=True)
    log.close()


def names(ward: Ward) -> list[str]:
    """Return the events of the log and of the spool, the log's own left out."""
    found = [e["event"] for e in events(replace(ward.desk, audit_root=ward.tmp))]
    return [name for name in found if not name.startswith(AMBIENT)]


ALLOWED: dict[str, Callable[[Ward], object]] = {
    "open a scan": Ward.open,
    "show values of the header": Ward.look,
    "look at versions": lambda w: versions_in(w.session),
}


@pytest.mark.parametrize("action", ALLOWED)
def test_with_the_share_gone_people_look_on_and_the_log_is_local(
    ward: Ward, action: str
) -> None:
    ward.share_gone()
    ALLOWED[action](ward)
    assert ward.desk.log.lamp.level == "amber"  # type: ignore[attr-defined]
    assert "The log is local since" in ward.desk.log.lamp.sentence  # type: ignore[attr-defined]


@pytest.mark.parametrize("action", ALLOWED)
def test_with_nothing_to_write_to_nobody_looks(ward: Ward, action: str) -> None:
    ward.all_gone()
    with pytest.raises(LogError) as refusal:
        ALLOWED[action](ward)
    assert refusal.value.exit_code == 3
    assert refusal.value.hint
    assert ward.desk.log.lamp.level == "red"  # type: ignore[attr-defined]


@pytest.mark.parametrize("gone", [Ward.share_gone, Ward.all_gone])
def test_no_picture_leaves_either_way(ward: Ward, gone: Callable[[Ward], None]) -> None:
    gone(ward)
    ward.session.outbox.tell(ward.session.events.recovered("discarded", True, None))
    with pytest.raises(LogError, match="Nothing left napari"):
        ward.screenshot()
    assert not ward.left


def test_with_the_share_gone_a_save_is_logged_here(ward: Ward) -> None:
    ward.share_gone()
    ward.paint(3)
    report = save(ward.session)
    assert report.unlogged is None
    assert names(ward)[-1] == "mask.save"
    ward.back()
    ward.desk.log.close()
    report = verify_log(ward.bench.root, state=ward.bench.state)
    assert report.verdict.value != "red", report.findings


def test_with_nothing_to_write_to_painting_and_saving_go_on_and_are_told_later(
    ward: Ward,
) -> None:
    ward.all_gone()
    ward.paint(3)
    ward.session.undo()
    ward.session.redo()
    assert ward.session.keeper.sweep()
    report = save(ward.session)
    assert report.unlogged is not None
    again = load_mask(
        ward.session.place.mask, ward.session.volume.grid, scheme=scheme("abdomen")
    )
    assert again.voxel_counts() == {3: 4}
    assert ward.session.outbox.unlogged == 1
    before = len(names(ward))
    ward.session.close()
    # The program is started again, with a log that works.
    ward.bench.io.broken = {}
    log = ward.bench.steady()
    desk = replace(ward.desk, log=log)
    opened = open_case([ward.scan], desk, ward.wishes, fallback=ward.tmp)
    assert "1 saved changes were not in the log; they are now." in opened.found
    assert names(ward)[before:] == ["volume.open", "mask.save"]
    opened.close()
    log.close()


def test_a_version_can_be_put_back_without_a_log_and_is_told_later(ward: Ward) -> None:
    version = versions_in(ward.session)[0]
    ward.all_gone()
    assert restore_step(ward.session, version, reason="OTHER") is not None
    assert ward.session.outbox.unlogged == 1
    assert ward.session.outbox.problem is not None
