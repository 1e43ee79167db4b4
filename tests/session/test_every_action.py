"""Each thing a person does to a case writes exactly its events: no more, no less."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.deid.rules.profile import basic_profile
from napari_medlabel.errors import MedlabelError
from napari_medlabel.export.landmarks import from_markups
from napari_medlabel.io.marks.found import Marks
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.io.registry import choose, find_series, read_volume
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import Label, LabelMap
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.plugin import contributions
from napari_medlabel.plugin.marks import take_in_marks
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.settings import Rater, read_settings, write_settings
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.session.beside import read_beside
from napari_medlabel.session.case import Session
from napari_medlabel.session.deid_values import show_values
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.open_signing import (
    Wish,
    look_before_signing,
    require_saved,
    sign_open_mask,
)
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.saving import save
from napari_medlabel.session.segments import Segments
from napari_medlabel.session.signer import make_own_key
from napari_medlabel.session.steps_back import restore_step, versions_in
from napari_medlabel.session.study.setting_up import user_of
from napari_medlabel.widgets.case_log import look_at
from tests.io.scans import voxels, write_series
from tests.session.site import found_site
from tests.session.study.small_study import make_study
from tests.session.test_outbox import events

AMBIENT = {"session.open", "session.close", "anchor.observe", "key.create"}
BOX = (slice(1, 3), slice(2, 4), slice(0, 1))


@dataclass
class World:
    """An open case, and what it takes to open another."""

    scan: Path
    desk: Desk
    wishes: Wishes
    tmp: Path
    session: Session

    def paint(self, value: int = 1) -> None:
        self.session.edit(BOX, np.full((2, 2, 1), value, np.uint8), name="Square")

    def measure(self) -> None:
        line = Measurement("Line 1", "line", ((0, 0, 0), (3, 4, 0)))
        self.session.set_measurements(MeasurementSet((line,)))

    def saved(self) -> World:
        """Save twice, so that there are versions."""
        for value in (1, 2):
            self.paint(value)
            save(self.session)
        return self

    def again(self, path: Path | None = None, **more: object) -> None:
        wishes = replace(self.wishes, **more)
        open_case([path or self.scan], self.desk, wishes, fallback=self.tmp).close()

    def refused(self, path: Path | None = None, **more: object) -> None:
        with pytest.raises(MedlabelError):
            self.again(path, **more)

    def broken(self) -> Path:
        path = self.tmp / "broken.nii"
        path.write_bytes(self.scan.read_bytes()[:40])
        return path

    def crashed(self) -> World:
        """End as a killed program does, and open the case again."""
        self.paint(3)
        self.session.keeper.sweep()
        self.session.keeper.close(discard=False)
        self.session = open_case([self.scan], self.desk, self.wishes, fallback=self.tmp)
        return self

    def small_mask(self) -> Path:
        path = self.tmp / "other.nii.gz"
        array = np.zeros(self.session.labels.array.shape[::-1], np.uint8).T
        write_mask_nifti(path, array, None, False, self.session.labels.grid.affine)
        return path

    def others_mask(self) -> None:
        """Put a reading of somebody else into a study in which this account is an annotator."""
        study = make_study(self.tmp, cases=1, people=("m1", "r01"))
        study.close()
        settings = read_settings(study.layout.project)
        me = Rater("me", user_of(self.desk))
        write_settings(study.layout.project, replace(settings, raters=(*settings.raters, me)))
        folder = study.layout.derivative("r01")
        folder.mkdir(parents=True)
        shutil.copy(self.small_mask(), folder / "x_dseg.nii.gz")

    def marks(self) -> Marks:
        labels = self.session.labels
        array = np.zeros(labels.array.shape[::-1], np.uint8).T
        array[5, 5, 1] = 1
        return Marks("SEG", (LabelMap(labels.grid, array, labels.scheme),))

    def segments(self, do: Callable[[Segments], object]) -> None:
        segments = Segments(self.session)
        do(segments)
        segments.detach()

    def region(self) -> np.ndarray:
        region = np.zeros(self.session.labels.array.shape[::-1], bool).T
        region[4:6, 4:6, 2] = True
        return region

    def series(self) -> Path:
        write_series(self.tmp / "ct", voxels(3))
        return self.tmp / "ct"

    def sign(self, meaning: str = "authored") -> None:
        content = look_before_signing(self.session).content
        sign_open_mask(self.session, content, Wish(meaning, "A. Muster", "battery staple"))

    def recovery(self, *, take: bool) -> None:
        (found,) = self.session.recoveries
        if take:
            marks = None if found.landmarks is None else from_markups(found.landmarks)
            self.session.recover(found, marks)
        else:
            self.session.decline(found)


@pytest.fixture
def world(
    scan: Path,
    desk: Desk,
    wishes: Wishes,
    tmp_path: Path,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)
    made = World(scan, desk, wishes, tmp_path, session)
    yield made
    made.session.close(discard=True)
    WORKPLACE.close()


def save_all(world: World) -> None:
    save(world.session)


Step = Callable[[World], object]
NONE: Step = lambda w: None  # noqa: E731
ACTIONS: dict[str, tuple[Step, Step, list[str]]] = {
    # nothing of this is work: no strokes, no zoom, no windows
    "painting": (NONE, lambda w: w.paint(), []),
    "undo and redo": (
        lambda w: w.paint(),
        lambda w: (w.session.undo(), w.session.redo()),
        [],
    ),
    "placing a landmark": (
        NONE,
        lambda w: w.session.place_landmark("Liver dome", (1.0, 2.0, 3.0)),
        [],
    ),
    "measuring": (NONE, lambda w: w.measure(), []),
    # A submission's sidecar has their digest; until then they are as a stroke of the brush.
    "drawing a box": (
        lambda w: w.session.boxing.open(),
        lambda w: w.session.boxing.add("lesion", (0, 0, 0), (1, 1, 1)),
        [],
    ),
    "placing with a draft, skipping and locking": (
        NONE,
        lambda w: (
            w.session.marking.click((1.0, 2.0, 3.0), "axial"),
            w.session.marking.commit(),
            w.session.marking.skip("artefact"),
            w.session.marking.lock_all(),
        ),
        [],
    ),
    "writing the recovery journal": (
        lambda w: w.paint(),
        lambda w: w.session.keeper.sweep(),
        [],
    ),
    # opening
    "opening": (NONE, lambda w: w.again(), ["volume.open"]),
    "opening another scan beside": (
        NONE,
        lambda w: read_beside(choose(find_series(w.scan), None), [w.scan], w.desk),
        ["volume.open"],
    ),
    "opening what cannot be read": (
        NONE,
        lambda w: w.refused(w.broken()),
        ["volume.open.denied"],
    ),
    "opening what is not there": (NONE, lambda w: w.refused(w.tmp / "nothing"), []),
    "opening with a mask of another grid": (
        lambda w: write_mask_nifti(
            w.tmp / "m.nii.gz",
            np.zeros((3, 4, 5), np.uint8).T,
            None,
            False,
            w.session.labels.grid.affine,
        ),
        lambda w: w.refused(mask=w.tmp / "m.nii.gz"),
        ["volume.open.denied"],
    ),
    "opening with another reader's mask of a study, blind": (
        lambda w: w.others_mask(),
        lambda w: w.refused(mask=w.tmp / "study/derivatives/medlabel-r01/x_dseg.nii.gz"),
        ["volume.open.denied"],
    ),
    "opening with a mask from elsewhere": (
        NONE,
        lambda w: w.again(mask=w.small_mask(), folder=w.tmp / "new"),
        ["volume.open", "import.convert"],
    ),
    "opening after another program changed the mask": (
        lambda w: (
            w.saved(),
            w.session.place.mask.write_bytes(
                w.session.versions.find(versions_in(w.session)[0].id).read_bytes()
            ),
        ),
        lambda w: w.again(),
        ["volume.open", "edit.unattributed"],
    ),
    "reading in napari": (
        lambda w: WORKPLACE.desk(),
        lambda w: contributions.read_layers(str(w.scan)),
        ["volume.open"],
    ),
    "reading in napari what cannot be read": (
        lambda w: WORKPLACE.desk(),
        lambda w: refused(lambda: contributions.read_layers(str(w.broken()))),
        ["volume.open.denied"],
    ),
    "sitting down at napari": (NONE, lambda w: WORKPLACE.desk(), ["user.identify"]),
    # work
    "saving for the first time": (
        lambda w: w.paint(),
        lambda w: save(w.session),
        ["mask.create"],
    ),
    "saving for the first time, with a landmark": (
        lambda w: (w.paint(), w.session.place_landmark("Liver dome", (1.0, 2.0, 3.0))),
        lambda w: save(w.session),
        ["mask.create", "landmark.save"],
    ),
    "saving what is saved": (
        lambda w: (
            w.session.place_landmark("Liver dome", (1.0, 2.0, 3.0)),
            w.saved(),
        ),
        lambda w: save(w.session),
        [],
    ),
    "saving after painting and taking it back": (
        lambda w: (w.saved(), w.paint(3), w.session.undo()),
        lambda w: save(w.session),
        [],
    ),
    "saving in another scheme": (
        lambda w: (w.saved(), w.session.set_scheme(presets.scheme("head"))),
        lambda w: save(w.session),
        ["mask.save"],
    ),
    "saving a mask whose sidecar is gone": (
        lambda w: (w.saved(), (w.session.place.folder / "mask.json").unlink()),
        lambda w: save(w.session),
        ["mask.save"],
    ),
    "saving a mask whose file is gone": (
        lambda w: (w.saved(), w.session.place.mask.unlink()),
        lambda w: save(w.session),
        ["mask.create"],
    ),
    "saving landmarks whose table is gone": (
        lambda w: (
            w.session.place_landmark("Liver dome", (1.0, 2.0, 3.0)),
            w.saved(),
            (w.session.place.folder / "landmarks.csv").unlink(),
        ),
        lambda w: save(w.session),
        ["landmark.save"],
    ),
    "saving landmarks that were taken away": (
        lambda w: (
            w.session.place_landmark("Liver dome", (1.0, 2.0, 3.0)),
            w.saved(),
            w.session.place_landmark("Liver dome", None),
        ),
        lambda w: save(w.session),
        ["landmark.save"],
    ),
    "saving again": (
        lambda w: (w.saved(), w.paint(3)),
        lambda w: save(w.session),
        ["mask.save"],
    ),
    "saving landmarks that moved": (
        lambda w: (w.saved(), w.session.place_landmark("Liver dome", (1.0, 2.0, 3.0))),
        lambda w: save(w.session),
        ["landmark.save"],
    ),
    "saving a measurement": (
        lambda w: (w.saved(), w.measure()),
        lambda w: save(w.session),
        ["landmark.save"],
    ),
    "saving a measurement that is saved": (
        lambda w: (w.measure(), w.saved()),
        lambda w: save(w.session),
        [],
    ),
    "saving what nobody said was painted": (
        lambda w: (w.saved(), w.session.labels.array.__setitem__((0, 0, 3), 5)),
        lambda w: save(w.session),
        ["edit.unattributed", "mask.save"],
    ),
    "saying yes to a region": (
        NONE,
        lambda w: w.session.bench.fill_region(w.region(), 1, name="Grow"),
        ["assist.run"],
    ),
    "loading a segmentation": (
        NONE,
        lambda w: take_in_marks(w.session, w.marks()),
        ["import.convert"],
    ),
    "choosing another scheme": (
        NONE,
        lambda w: w.session.set_scheme(presets.scheme("head")),
        ["config.change"],
    ),
    "hiding, locking and marking segments": (
        NONE,
        lambda w: w.segments(
            lambda s: (
                s.set_visible(2, False),
                s.set_locked(1, True),
                s.set_progress(1, "completed"),
                s.set_done(1, 2, True),
                s.save(),
            )
        ),
        [],
    ),
    "renaming a segment": (
        NONE,
        lambda w: w.segments(lambda s: s.change(Label(1, "Renamed", "#112233"))),
        ["config.change"],
    ),
    "moving a segment, and taking that back": (
        NONE,
        lambda w: w.segments(lambda s: (s.move(1, 1), w.session.undo())),
        ["config.change", "config.change"],
    ),
    "removing a segment with its voxels, and taking that back": (
        lambda w: w.paint(),
        lambda w: w.segments(lambda s: (s.remove(1), w.session.undo())),
        ["config.change", "config.change"],
    ),
    "choosing the same scheme": (
        NONE,
        lambda w: w.session.set_scheme(w.session.labels.scheme),
        [],
    ),
    "looking at the versions": (
        lambda w: w.saved(),
        lambda w: versions_in(w.session),
        ["audit.view"],
    ),
    "restoring a version": (
        lambda w: w.saved(),
        lambda w: restore_step(w.session, versions_in(w.session)[0], reason="OTHER"),
        ["audit.view", "mask.restore"],
    ),
    "restoring a version with a reason in words": (
        lambda w: (w.saved(), found_site(w.desk)),
        lambda w: restore_step(
            w.session, versions_in(w.session)[0], reason="OTHER", text="unclear"
        ),
        ["audit.view", "mask.restore"],
    ),
    "restoring with words that nobody could read": (
        lambda w: w.saved(),
        lambda w: refused(
            lambda: restore_step(
                w.session, versions_in(w.session)[0], reason="OTHER", text="unclear"
            )
        ),
        ["audit.view"],
    ),
    "looking at what would be signed": (
        lambda w: w.saved(),
        lambda w: (require_saved(w.session), look_before_signing(w.session)),
        [],
    ),
    "asking to sign unsaved work": (
        lambda w: (w.saved(), w.paint(3)),
        lambda w: refused(lambda: require_saved(w.session)),
        [],
    ),
    "signing": (lambda w: w.saved(), lambda w: w.sign(), ["sign.apply", "review.submit"]),
    "signing with a wrong passphrase": (
        lambda w: (w.saved(), make_own_key(w.desk, lambda: "correct horse")),
        lambda w: refused(w.sign),
        ["sign.fail"],
    ),
    "approving one's own work": (
        lambda w: w.saved(),
        lambda w: refused(lambda: w.sign("approved")),
        ["sign.fail"],
    ),
    "taking work back after a crash": (
        lambda w: w.crashed(),
        lambda w: w.recovery(take=True),
        ["autosave.recover"],
    ),
    "leaving work of a crash": (
        lambda w: w.crashed(),
        lambda w: w.recovery(take=False),
        ["autosave.recover"],
    ),
    "closing": (lambda w: w.saved(), lambda w: w.session.close(), []),
    # looking
    "looking at the log of the case": (
        NONE,
        lambda w: look_at(w.desk, w.session.place.subject, w.session.place.case),
        ["audit.view"],
    ),
    "looking at values of the header": (
        NONE,
        lambda w: show_values(w.desk, read_volume(w.series()), basic_profile()),
        ["deid.preview", "header.view"],
    ),
}


def refused(act: Callable[[], object]) -> None:
    with pytest.raises(MedlabelError):
        act()


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_writes_exactly_its_events(world: World, name: str) -> None:
    before, act, expected = ACTIONS[name]
    before(world)
    known = {(e["time"], e["prev"]) for e in events(world.desk)}
    act(world)
    new = [e for e in events(world.desk) if (e["time"], e["prev"]) not in known]
    assert [e["event"] for e in new if e["event"] not in AMBIENT] == expected


def test_no_line_holds_a_path_or_a_name(world: World) -> None:
    world.saved()
    text = json.dumps(events(world.desk))
    for word in (str(world.tmp), "scan.nii", "case", "Liver dome", "Square"):
        assert word not in text.replace('"case": "sha256:', "")
