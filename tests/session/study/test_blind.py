"""Nobody sees another reading of a case before having submitted their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.errors import RefusedError
from napari_medlabel.io.registry import choose, find_series
from napari_medlabel.plugin.contributions import read_layers
from napari_medlabel.plugin.workplace import WORKPLACE
from napari_medlabel.project.cases.version import MASK
from napari_medlabel.project.work.steps import Step
from napari_medlabel.session.beside import read_beside
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.place import Place
from napari_medlabel.session.saving import save
from napari_medlabel.session.steps_back import versions_in
from napari_medlabel.session.study import blind
from napari_medlabel.session.study.blind import is_blind, may_see, require_may_open
from napari_medlabel.session.study.importing import import_marks
from napari_medlabel.session.study.opening import open_to_look, open_to_work
from napari_medlabel.session.study.reviewing import begin_review
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import all_to_read, start
from tests.session.study.small_study import SmallStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    """Give a study whose first reading r01 has submitted."""
    made = make_study(tmp_path, cases=1)
    start(made.seat("r01"), made.cases[0], "A")
    submit(made.seat("r01"), made.cases[0], "A", made.scan(), made.work(1))
    yield made
    made.close()


def mask_of_r01(study: SmallStudy) -> Path:
    return study.layout.version("r01", study.cases[0], 1, MASK)


def test_another_reading_is_refused_until_the_own_is_submitted(study: SmallStudy) -> None:
    case, path = study.cases[0], mask_of_r01(study)
    require_may_open(study.desk("r01"), path)
    with pytest.raises(RefusedError, match="readings are blind"):
        require_may_open(study.desk("r02"), path)
    start(study.seat("r02"), case, "B")
    for hidden in (path, path.parent, study.layout.derivative("r01"), study.layout.gold):
        with pytest.raises(RefusedError, match="you read it blind"):
            require_may_open(study.desk("r02"), hidden)
    with pytest.raises(RefusedError, match="you read it blind") as refused:
        open_to_look(study.seat("r02"), case, "A")
    assert "with Submit beside it, or: medlabel" in refused.value.hint, "window and commands"
    submit(study.seat("r02"), case, "B", study.scan(), study.work(2))
    require_may_open(study.desk("r02"), path)
    assert may_see(study.seat("r02"), case, "r01")
    with pytest.raises(RefusedError, match="readings are blind"):
        require_may_open(study.desk("r02"), study.layout.gold / "x.nii.gz")


def test_the_loader_refuses_the_mask_of_another_reader(study: SmallStudy) -> None:
    seat = study.seat("r02")
    wishes = Wishes(folder=study.tmp / "own", mask=mask_of_r01(study))
    scan = study.layout.scan(study.cases[0])
    with pytest.raises(RefusedError, match="readings are blind"):
        open_case([scan], seat.desk, wishes, fallback=study.tmp)
    inside = Wishes(folder=study.layout.work("r01", study.cases[0]))
    with pytest.raises(RefusedError, match="readings are blind"):
        open_case([scan], seat.desk, inside, fallback=study.tmp)


def test_neither_a_link_nor_a_copy_ends_blindness(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, mask = study.desk("r02"), mask_of_r01(study)
    link, copy, other = (study.tmp / f"{name}.nii.gz" for name in ("link", "copy", "other"))
    link.symlink_to(mask)
    (study.tmp / "folder").symlink_to(mask.parent)
    copy.write_bytes(mask.read_bytes())
    other.write_bytes(mask.read_bytes()[:-1] + b"x")
    for path in (link, study.tmp / "folder", study.tmp / "folder" / mask.name):
        with pytest.raises(RefusedError, match="readings are blind"):
            require_may_open(desk, path)
    start(study.seat("r02"), study.cases[0], "B")
    for path in (link, copy):
        with pytest.raises(RefusedError, match="you read it blind"):
            require_may_open(desk, path)
    require_may_open(desk, other)
    require_may_open(study.desk("r04"), copy)
    monkeypatch.setattr(WORKPLACE, "study", study.seat("r02"))
    with pytest.raises(RefusedError, match="you read it blind"):
        read_layers(str(copy))
    WORKPLACE.close()
    submit(study.seat("r02"), study.cases[0], "B", study.scan(), study.work(2))
    require_may_open(desk, link, copy)


def test_who_reviewed_a_reading_does_not_read_the_case(study: SmallStudy) -> None:
    seat, case = study.seat("r03"), study.cases[0]
    assert all_to_read(seat) == ((case, "B"),)
    begin_review(seat, case, "A")
    assert all_to_read(seat) == ()
    with pytest.raises(RefusedError, match="you are not blind"):
        start(seat, case, "B")


def test_reviewers_see_and_strangers_are_nobody_to_be_blind(
    study: SmallStudy, tmp_path: Path
) -> None:
    path = mask_of_r01(study)
    require_may_open(study.desk("r04"), path)
    require_may_open(study.desk("stranger"), path)
    require_may_open(study.desk("r02"), tmp_path / "elsewhere.nii.gz")
    require_may_open(study.desk("r02"), study.layout.scan(study.cases[0]))
    assert is_blind(study.layout)


def test_another_reading_is_no_scan_to_be_opened_either(study: SmallStudy) -> None:
    desk, mask = study.desk("r02"), mask_of_r01(study)
    for path in (mask, mask.parent, study.layout.root / "derivatives", study.layout.root):
        with pytest.raises(RefusedError, match="readings are blind"):
            open_case([path], desk, Wishes(folder=study.tmp / "own"), fallback=study.tmp)
    info = choose(find_series(mask), None)
    for given in (mask, study.tmp):  # wherever it was looked for
        with pytest.raises(RefusedError, match="readings are blind"):
            read_beside(info, [given], desk)
    exported = study.layout.exports / "nifti" / "x.nii.gz"
    with pytest.raises(RefusedError, match="readings are blind"):
        require_may_open(desk, exported)


@pytest.mark.parametrize("command", [
    "info {0}", "mask stats {0}", "mask compare {0} {0}", "mask history {0}",
    "convert {0} {1}", "convert {0} {1} --on {2}", "landmarks info {0}",
])  # fmt: skip
def test_no_command_reads_another_reading(
    study: SmallStudy,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scan, mask = study.layout.scan(study.cases[0]), mask_of_r01(study)
    words = command.format(mask, study.tmp / "out.nii.gz", scan).split()
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-r02"))
    assert main(words) == RefusedError.exit_code
    assert "readings are blind" in capsys.readouterr().err
    assert not (study.tmp / "out.nii.gz").exists()


def test_versions_in_a_study_are_those_of_ones_own_work(study: SmallStudy) -> None:
    case = study.cases[0]
    for code, slot, value in (("r02", "B", 1), ("r01", "A", 2)):
        seat = study.seat(code)
        if slot == "B":
            start(seat, case, slot)
            opening = open_to_work(seat, case, slot)
        else:
            opening = open_to_look(seat, case, slot)
        session = open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
        box = (slice(0, 2), slice(0, 2), slice(0, 1))
        session.edit(box, np.full((2, 2, 1), value, np.uint8), name="Square")
        save(session)
        assert {one.user for one in versions_in(session)} - {""} <= seat.users
        session.close()


def save_begun(study: SmallStudy, code: str, slot: str, value: int) -> Path:
    """Begin a reading and save a square in it; return the copy that the log's folder keeps."""
    seat, case = study.seat(code), study.cases[0]
    start(seat, case, slot)
    opening = open_to_work(seat, case, slot)
    with closing(
        open_case(opening.paths, seat.desk, opening.wishes, fallback=study.tmp)
    ) as session:
        box = (slice(0, 2), slice(0, 2), slice(0, 1))
        session.edit(box, np.full((2, 2, 1), value, np.uint8), name="Square")
        save(session)
        return session.versions.path(session.labels.content_id())


def test_what_the_log_keeps_of_others_is_refused_by_place_and_by_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_study(tmp_path, cases=1)
    kept = save_begun(study, "r01", "A", 1)
    copy, link = study.tmp / "c.nii.gz", study.tmp / "l.nii.gz"
    copy.write_bytes(kept.read_bytes())
    link.symlink_to(kept)
    own_copy = study.layout.derivative("r02") / "c.nii.gz"
    inside = study.layout.root / "c.nii.gz"
    assert kept.is_relative_to(study.layout.audit / "objects")
    for path in (kept, link, kept.parent, study.layout.audit / "objects"):
        with pytest.raises(RefusedError, match="readings are blind"):
            require_may_open(study.desk("r02"), path)
    own = save_begun(study, "r02", "B", 2)
    for path in (own_copy, inside):
        path.write_bytes(copy.read_bytes())
    for path in (kept, link, copy, own_copy, inside):
        with pytest.raises(RefusedError, match="you read it blind"):
            require_may_open(study.desk("r02"), path)
        with pytest.raises(RefusedError, match="you read it blind"):
            import_marks(study.seat("r02"), study.cases[0], "B", path, by_value=True)
    require_may_open(study.desk("r02"), own, study.layout.scan(study.cases[0]))
    require_may_open(study.desk("r04"), kept, copy)
    require_may_open(study.desk("stranger"), kept)
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-r02"))
    for words in (["mask", "stats", str(kept)], ["mask", "compare", str(kept), str(own)]):
        assert main(words) == RefusedError.exit_code
    assert main(["mask", "stats", str(own)]) == 0
    kept.unlink()  # what the log tells of it is enough
    with pytest.raises(RefusedError, match="you read it blind"):
        require_may_open(study.desk("r02"), copy)
    study.close()


@pytest.mark.parametrize("theirs", ["2026-11-23T08:00:00.000Z", "2026-11-23T16:00:00.000Z"])
def test_another_s_clock_does_not_say_what_came_before_one_s_own_second_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: str
) -> None:
    begun = "2026-11-23T12:00:00.000Z"
    steps = (
        Step("case", "B", 1, "start", "other", theirs),
        Step("case", "B", 3, "start", "own", begun),
    )
    monkeypatch.setattr(blind, "log_steps", lambda _root: steps)
    events = [
        {"time": time, "actor": {"user": "own"}}
        for time in ("2026-11-23T09:00:00.000Z", "2026-11-23T13:00:00.000Z")
    ]
    place = Place("case", "subject", tmp_path / "reading-B")
    assert list(blind.since_begun(place, tmp_path, events)) == events[1:]
