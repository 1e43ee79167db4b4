"""Growing live: strokes that are no labels, a proposal that follows, one step at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.scene import Proposal, whole
from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import Label, LabelScheme
from napari_medlabel.session.case import Session
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.growing import Growing
from napari_medlabel.session.opening import Wishes, open_case
from napari_medlabel.session.volume_in_use import VolumeInUse


@pytest.fixture
def growing(session: Session) -> Growing:
    """Return a growing session on a scan of two halves along i."""
    image = np.zeros(session.labels.array.shape, np.int16, order="F")
    image[image.shape[0] // 2 :] = 200
    session.bench.in_use = VolumeInUse(replace(session.volume, array=image))
    return Growing(session.bench)


def ones(box: tuple[slice, ...]) -> np.ndarray:
    return np.ones(tuple(p.stop - p.start for p in box), bool)


def stroke(growing: Growing, at: tuple[int, int, int], value: int) -> int:
    box = (slice(at[0], at[0] + 2), slice(at[1], at[1] + 1), slice(at[2], at[2] + 1))
    return growing.add(box, ones(box), value).number


def two_halves(growing: Growing, session: Session) -> tuple[int, int]:
    growing.use_region(whole(session.bench.scene().shape))
    growing.use("minimax", 0.5)
    i = session.labels.array.shape[0]
    return stroke(growing, (1, 2, 1), 1), stroke(growing, (i - 3, 4, 2), 0)


def test_seeds_are_not_labels_and_the_answer_is_only_shown(
    session: Session, growing: Growing
) -> None:
    two_halves(growing, session)
    proposal = growing.update()
    growing.show(proposal)
    shown = session.bench.preview
    assert shown is not None
    np.testing.assert_array_equal(shown.after, proposal.after)
    assert not session.labels.array.any()
    assert proposal is not None
    half = session.labels.array.shape[0] // 2
    assert (proposal.after[:half] == 1).all()
    assert not proposal.after[half:].any()


def test_yes_is_one_step_by_region_growing_and_forgets_the_seeds(
    session: Session, growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    monkeypatch.setattr(
        type(session.events), "assisted", lambda _self, who, *_: told.append(who)
    )
    monkeypatch.setattr(session.outbox, "tell", lambda event: None)
    two_halves(growing, session)
    growing.show(growing.update())
    patch = growing.accept()
    assert patch is not None
    assert (patch.name, patch.origin) == ("Grow from seeds", "assisted")
    assert told == ["region-grow"]
    assert session.labels.voxel_counts() == {1: session.labels.array.size // 2}
    assert growing.seeds == ()
    assert session.bench.preview is None
    session.undo()
    assert not session.labels.array.any()


def test_no_leaves_everything_as_it_was(session: Session, growing: Growing) -> None:
    two_halves(growing, session)
    growing.show(growing.update())
    growing.cancel()
    assert session.bench.preview is None
    assert growing.seeds == ()
    assert growing.region is None
    assert not session.labels.array.any()
    assert session.history.undo_name is None


def test_an_answer_that_comes_after_no_is_not_shown(session: Session, growing: Growing) -> None:
    two_halves(growing, session)
    late = growing.update()
    growing.cancel()
    growing.show(late)
    assert session.bench.preview is None


def test_strokes_added_and_removed_give_what_a_new_session_gives(
    session: Session, growing: Growing
) -> None:
    rng = np.random.default_rng(6)
    image = rng.integers(0, 200, session.labels.array.shape).astype(np.int16)
    session.bench.in_use = VolumeInUse(replace(session.volume, array=np.asfortranarray(image)))
    session.labels.array[2:4] = 5  # another segment, and one that is renewed
    session.labels.array[4:5] = 1
    session.absorb(name="Paint")
    two_halves(growing, session)
    growing.update()
    extra = stroke(growing, (5, 5, 3), 2)
    growing.update()
    stroke(growing, (7, 1, 4), 1)
    growing.remove(extra)
    live = growing.update()
    anew = Growing(session.bench)
    anew.use_region(growing.region)
    anew.use("minimax", 0.5)
    for seed in growing.seeds:
        anew.add(seed.box, seed.region, seed.value)
    expected = anew.update()
    assert live is not None
    assert expected is not None
    np.testing.assert_array_equal(live.after, expected.after)
    np.testing.assert_array_equal(live.before, expected.before)
    assert live.words == expected.words


def test_the_last_stroke_can_be_taken_back(session: Session, growing: Growing) -> None:
    two_halves(growing, session)
    first = growing.update()
    stroke(growing, (5, 5, 3), 2)
    growing.update()
    assert growing.values == (1, 2)
    gone = growing.remove_last()
    assert gone is not None
    assert gone.value == 2
    again = growing.update()
    assert first is not None
    assert again is not None
    np.testing.assert_array_equal(first.after, again.after)
    growing.remove_last()
    growing.remove_last()
    assert growing.remove_last() is None


def test_an_earlier_answer_stays_as_it_was_shown(session: Session, growing: Growing) -> None:
    two_halves(growing, session)
    first = growing.update()
    assert first is not None
    kept = first.after.copy()
    stroke(growing, (5, 5, 3), 2)
    growing.update()
    np.testing.assert_array_equal(first.after, kept)


def test_the_region_follows_the_strokes_and_never_shrinks(
    session: Session, growing: Growing
) -> None:
    assert growing.region is None
    stroke(growing, (5, 5, 2), 1)
    small = growing.region
    assert small is not None
    assert small[0] == slice(2, 10)
    last = stroke(growing, (0, 0, 0), 0)
    large = growing.region
    assert large is not None
    assert large[0].start == 0
    growing.remove(last)
    assert growing.region == large


def test_a_stroke_outside_a_chosen_region_enlarges_it(
    session: Session, growing: Growing
) -> None:
    chosen = (slice(4, 9), slice(4, 8), slice(1, 4))
    growing.use_region(chosen)
    stroke(growing, (5, 5, 2), 1)
    assert growing.region == chosen
    stroke(growing, (0, 5, 2), 0)
    assert growing.region is not None
    assert growing.region == (slice(0, 10), slice(2, 9), slice(0, 6))


def test_a_coarse_answer_comes_first(session: Session, growing: Growing) -> None:
    two_halves(growing, session)
    first = growing.first_answer()
    assert isinstance(first, Proposal)
    half = session.labels.array.shape[0] // 2
    assert (first.after[: half - 2] == 1).all()
    assert not first.after[half + 2 :].any()


def test_a_range_among_the_rules_is_a_wall_that_follows_the_rules(
    session: Session, growing: Growing
) -> None:
    session.bench.masking = Masking(high=100.0)
    growing.use_region(whole(session.bench.scene().shape))
    stroke(growing, (1, 2, 1), 1)
    assert growing.words == ""
    half = session.labels.array.shape[0] // 2
    proposal = growing.update()
    assert proposal is not None
    assert (proposal.after[:half] == 1).all()
    assert not proposal.after[half:].any()
    session.bench.masking = Masking(low=-10.0)
    wider = growing.update()
    assert wider is not None
    assert (wider.after == 1).all()


def test_a_range_that_comes_later_is_a_wall_and_goes_again(
    session: Session, growing: Growing
) -> None:
    two_halves(growing, session)
    everywhere = growing.update()
    session.bench.masking = Masking(low=100.0)
    only_right = growing.update()  # the seed of label 1 lies on the wall
    assert only_right is None
    session.bench.masking = Masking()
    again = growing.update()
    assert everywhere is not None
    assert again is not None
    np.testing.assert_array_equal(again.after, everywhere.after)


def anew(growing: Growing, session: Session) -> Proposal | None:
    other = Growing(session.bench)
    other.use_region(growing.region)
    other.use("minimax", 0.5)
    for seed in growing.seeds:
        other.add(seed.box, seed.region, seed.value)
    return other.update()


def test_the_wall_follows_labels_painted_between_two_updates(
    session: Session, growing: Growing
) -> None:
    session.bench.masking = Masking(low=-10.0, high=100.0, locked=frozenset({2}))
    two_halves(growing, session)
    growing.update()
    session.labels.array[4:5] = 2
    session.absorb(name="Paint")
    live, fresh = growing.update(), anew(growing, session)
    assert live is not None
    assert fresh is not None
    np.testing.assert_array_equal(live.after, fresh.after)
    assert not live.after[5:].any()


def test_the_wall_follows_the_segments_that_grow(session: Session, growing: Growing) -> None:
    session.labels.array[4:5] = 2
    session.absorb(name="Paint")
    session.bench.masking = Masking(low=-10.0, high=100.0, overwrite="none")
    two_halves(growing, session)
    growing.update()
    stroke(growing, (4, 0, 0), 2)
    live, fresh = growing.update(), anew(growing, session)
    assert live is not None
    assert fresh is not None
    np.testing.assert_array_equal(live.after, fresh.after)


def test_an_answer_is_on_the_labels_of_its_moment(session: Session, growing: Growing) -> None:
    two_halves(growing, session)
    growing.update()
    session.labels.array[2:4, 5:7, 3:5] = 2
    session.absorb(name="Paint")
    live, fresh = growing.update(), anew(growing, session)
    assert live is not None
    assert fresh is not None
    np.testing.assert_array_equal(live.before, session.labels.array)
    np.testing.assert_array_equal(live.after, fresh.after)


def test_what_was_painted_while_it_grows_is_no_change_of_it(
    session: Session, growing: Growing
) -> None:
    session.labels.array[2:4, 5:7, 3:5] = 1
    session.absorb(name="Paint")
    two_halves(growing, session)

    def paint(_done: int, _total: int) -> None:
        session.labels.array[2:4, 5:7, 3:5] = 3

    growing.show(growing.update(tick=paint))
    growing.accept()
    assert (session.labels.array[2:4, 5:7, 3:5] == 3).all()


def test_a_late_answer_is_not_shown_for_new_seeds(session: Session, growing: Growing) -> None:
    two_halves(growing, session)
    late = growing.update()
    growing.cancel()
    two_halves(growing, session)
    growing.show(late)
    assert session.bench.preview is None
    growing.show(growing.update())
    shown = session.bench.preview
    assert shown is not None
    growing.show(late)
    assert session.bench.preview is shown


@pytest.mark.parametrize("slow", ["update", "first_answer"])
def test_work_that_is_given_up_midway_gives_no_answer(
    session: Session, growing: Growing, slow: str
) -> None:
    two_halves(growing, session)
    assert getattr(growing, slow)(tick=lambda _done, _total: growing.cancel()) is None
    assert growing.gradient_mm is None


@pytest.mark.parametrize("largest", [255, 65535])
def test_the_largest_label_grows_beside_background(
    scan: Path, desk: Desk, wishes: Wishes, tmp_path: Path, largest: int
) -> None:
    scheme = LabelScheme("S", (Label(1, "One", "#112233"), Label(largest, "Top", "#445566")))
    wish = replace(wishes, scheme=scheme, folder=tmp_path / "other")
    session = open_case([scan], desk, wish, fallback=tmp_path)
    image = np.zeros(session.labels.array.shape, np.int16, order="F")
    half = image.shape[0] // 2
    image[half:] = 200
    session.bench.in_use = VolumeInUse(replace(session.volume, array=image))
    growing = Growing(session.bench)
    first, _ = two_halves(growing, session)
    growing.remove(first)
    stroke(growing, (1, 2, 1), largest)
    shown = growing.painted(whole(session.bench.scene().shape))
    assert sorted(np.unique(shown)) == [0, largest, growing.background_mark]
    for answer in (growing.first_answer(), growing.update()):
        assert answer is not None
        assert (answer.after[: half - 2] == largest).all()
        assert not answer.after[half + 2 :].any()
    session.close()


def test_locked_segments_stay(session: Session, growing: Growing) -> None:
    session.labels.array[0:2] = 4
    session.absorb(name="Paint")
    two_halves(growing, session)
    growing.update()
    session.bench.masking = Masking(locked=frozenset({4}))
    proposal = growing.update()
    assert proposal is not None
    assert (proposal.after[0:2] == 4).all()


def test_words_say_what_is_missing(session: Session, growing: Growing) -> None:
    assert growing.words.startswith("Draw a stroke into each segment")
    with pytest.raises(InputError, match="There are no seeds"):
        growing.update()
    stroke(growing, (1, 2, 1), 1)
    assert "around the segment as background" in growing.words
    with pytest.raises(InputError, match="seeds of two segments"):
        growing.update()
    growing.remove_last()
    session.bench.masking = Masking(high=100.0)
    stroke(growing, (1, 2, 1), 0)
    assert growing.words == "Draw a stroke into the segment."
    with pytest.raises(InputError, match="Draw a stroke into the segment"):
        growing.update()


def test_seeds_can_be_shown(session: Session, growing: Growing) -> None:
    two_halves(growing, session)
    box = whole(session.bench.scene().shape)
    painted = growing.painted(box)
    i = painted.shape[0]
    assert painted[1, 2, 1] == painted[2, 2, 1] == 1
    assert painted[i - 3, 4, 2] == growing.background_mark == 256
    assert np.count_nonzero(painted) == 4
    part = growing.painted((slice(2, 5), slice(2, 4), slice(0, 3)))
    np.testing.assert_array_equal(part, painted[2:5, 2:4, 0:3])


def test_drawing_tells_where(session: Session, growing: Growing) -> None:
    seen = []
    growing.seeds_changed.connect(seen.append)
    number = stroke(growing, (1, 2, 1), 1)
    growing.remove(number)
    assert seen == [(slice(1, 3), slice(2, 3), slice(1, 2))] * 2


def test_cancelled_work_goes_on_with_the_next_call(session: Session, growing: Growing) -> None:
    two_halves(growing, session)
    expected = growing.update()

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    growing.use("additive", None)
    with pytest.raises(KeyboardInterrupt):
        growing.update(tick=stop)
    growing.use("minimax", 0.5)
    again = growing.update()
    assert expected is not None
    assert again is not None
    np.testing.assert_array_equal(expected.after, again.after)
    assert growing.gradient_mm == 0.5


def test_strokes_that_are_none_are_refused(session: Session, growing: Growing) -> None:
    box = (slice(0, 2), slice(0, 2), slice(0, 2))
    for value in (100000, 250, -1):
        with pytest.raises(InputError, match=f"no label with the value {value}"):
            growing.add(box, ones(box), value)
    with pytest.raises(InputError, match="needs voxels, all of them inside"):
        growing.add(box, ~ones(box), 1)
    outside = (slice(0, 2), slice(0, 2), slice(900, 902))
    with pytest.raises(InputError, match="needs voxels, all of them inside"):
        growing.add(outside, ones(outside), 1)
    with pytest.raises(InputError, match="no longer there"):
        growing.remove(3)
