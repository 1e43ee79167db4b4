"""Borders that settle on the image's edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit import border
from napari_medlabel.edit.border import UNKNOWN, WALL, cores, edge_strength, settle
from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.refine import refine
from napari_medlabel.edit.scene import Scene, slab, whole
from napari_medlabel.errors import InputError, MissingPackageError

Three = tuple[float, float, float]


def balls(masking: Masking | None = None, noise: float = 10.0) -> tuple[Scene, np.ndarray]:
    """Return two touching balls with a drawing that is one to two voxels off."""
    i, j, k = np.ogrid[:44, :36, :20]
    away = (i - 15) ** 2 + (j - 18) ** 2 + (2 * (k - 10)) ** 2
    truth = (away <= 10**2).astype(np.uint8)
    truth[((i - 31) ** 2 + (j - 18) ** 2 + (2 * (k - 10)) ** 2 <= 8**2) & (truth == 0)] = 2
    rng = np.random.default_rng(0)
    image = np.array([0, 100, 200])[truth] + rng.normal(0, noise, truth.shape)
    labels = np.asfortranarray(np.roll(truth, (1, 1, 0), (0, 1, 2)))
    return Scene(labels, image, (1.0, 1.0, 2.0), masking or Masking()), truth


def after(scene: Scene, **how: object) -> np.ndarray:
    box = how.pop("box", whole(scene.shape))
    proposal = refine(scene, box, **how)  # type: ignore[arg-type]
    out = scene.labels.copy()
    if proposal is not None:
        out[proposal.box] = proposal.onto(out[proposal.box])
    return out


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return float(2 * np.count_nonzero(one & two) / (one.sum() + two.sum()))


@pytest.mark.parametrize("method", ["watershed", "random_walker"])
def test_a_drawing_that_is_off_settles_on_the_edges(method: str) -> None:
    scene, truth = balls()
    found = after(scene, band_mm=3.0, method=method)
    for value in (1, 2):
        start = dice(scene.labels == value, truth == value)
        assert dice(found == value, truth == value) > max(start + 0.03, 0.94)


def test_only_the_band_changes() -> None:
    scene, _ = balls()
    found = after(scene, band_mm=2.0)
    at = np.stack(np.nonzero(np.ones(scene.shape)), axis=1) * np.asarray(scene.spacing_mm)
    labels, changed = scene.labels.ravel(), (found != scene.labels).ravel()
    for n in np.flatnonzero(changed)[::7]:
        away = np.linalg.norm(at - at[n], axis=1)
        assert away[labels != labels[n]].min() <= 2.0


def test_what_is_not_chosen_or_locked_stays() -> None:
    scene, truth = balls()
    found = after(scene, values=(1,), band_mm=3.0)
    np.testing.assert_array_equal(found == 2, scene.labels == 2)
    assert dice(found == 1, truth == 1) > dice(scene.labels == 1, truth == 1)
    scene, _ = balls(Masking(locked=frozenset({2})))
    found = after(scene, band_mm=3.0)
    np.testing.assert_array_equal(found == 2, scene.labels == 2)


def test_a_slice_is_refined_in_itself() -> None:
    scene, truth = balls(noise=2.0)
    box = slab(scene.shape, 2, 10)
    found = after(scene, box=box, band_mm=3.0)
    others = np.arange(scene.shape[2]) != 10
    np.testing.assert_array_equal(found[..., others], scene.labels[..., others])
    assert dice(found[box] == 1, truth[box] == 1) > 0.95


def test_a_part_thinner_than_the_band_keeps_its_core() -> None:
    labels = np.zeros((20, 20, 1), np.uint8)
    labels[5:15, 9:12] = 1
    seeds = cores(labels, np.ones(labels.shape, bool), 5.0, (1.0, 1.0, 1.0))
    assert (seeds[7:13, 10] == 1).all()
    assert (seeds[5, 9:12] == UNKNOWN).all()
    assert seeds[0, 0, 0] == 0


def test_walls_are_no_border() -> None:
    labels = np.zeros((20, 20, 1), np.uint8)
    labels[:10], labels[10:] = 1, 2
    movable = labels != 2
    seeds = cores(labels, movable, 3.0, (1.0, 1.0, 1.0))
    assert (seeds[labels == 1] == 1).all()
    assert (seeds[labels == 2] == WALL).all()


@given(st.integers(0, 2**16), st.tuples(*[st.sampled_from([0.5, 1.0, 2.0])] * 3))
@settings(deadline=None, max_examples=25)
def test_settling_never_touches_what_may_not_move(seed: int, spacing: Three) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 9, 3))
    labels = rng.integers(0, 3, shape).astype(np.uint8)
    movable = rng.random(shape) < 0.7
    image = rng.normal(0, 1, shape)
    found = settle(image, labels, movable, 1.5, spacing)
    np.testing.assert_array_equal(found[~movable], labels[~movable])
    assert set(np.unique(found[movable])) <= set(np.unique(labels[movable]))


def test_on_a_flat_image_a_random_walk_changes_nothing() -> None:
    labels = np.zeros((9, 9, 9), np.uint8)
    labels[3:6, 3:6, 3:6] = 1
    free = np.ones(labels.shape, bool)
    flat = np.zeros(labels.shape)
    found = settle(flat, labels, free, 1.0, (1.0, 1.0, 1.0), method="random_walker")
    np.testing.assert_array_equal(found, labels)


def test_what_cannot_be_refined_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, _ = balls()
    box = whole(scene.shape)
    with pytest.raises(InputError, match="wider than 0 mm; got -1"):
        refine(scene, box, band_mm=-1.0)
    with pytest.raises(InputError, match="got 'magic'"):
        refine(scene, box, band_mm=1.0, method="magic")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="nothing of the chosen segments"):
        refine(scene, box, (7,), band_mm=1.0)
    locked, _ = balls(Masking(locked=frozenset({1})))
    with pytest.raises(InputError, match="All chosen segments are locked"):
        refine(locked, box, (1,), band_mm=1.0)
    monkeypatch.setattr("napari_medlabel.edit.border._WALKER_VOXELS", 10)
    with pytest.raises(InputError, match="bands of up to 10 voxels"):
        refine(scene, box, band_mm=2.0, method="random_walker")


def test_words_say_what_moves() -> None:
    scene, _ = balls()
    proposal = refine(scene, whole(scene.shape), band_mm=3.0)
    assert proposal is not None
    assert "ml added" in proposal.words
    assert (proposal.provider, proposal.origin) == ("classical", "assisted")


def test_a_row_of_voxels_can_be_refined() -> None:
    labels = np.zeros((12, 12, 1), np.uint8)
    labels[4:8, 5, 0] = 1
    image = np.zeros(labels.shape)
    image[5:8, 5, 0] = 100
    scene = Scene(labels, image, (1.0, 1.0, 1.0))
    box = (slice(0, 12), slice(5, 6), slice(0, 1))
    out = after(scene, box=box, values=[1], band_mm=1.5)
    assert np.flatnonzero(out[:, 5, 0]).tolist() == [5, 6, 7]


@pytest.mark.parametrize("band", [float("inf"), float("nan"), 0.0])
def test_a_band_without_end_is_refused(band: float) -> None:
    scene, _ = balls()
    with pytest.raises(InputError, match="A band is wider than 0 mm"):
        refine(scene, whole(scene.shape), band_mm=band)


def test_a_border_that_leaves_its_segment_is_told() -> None:
    i, j, k = np.ogrid[:40, :40, :12]
    away = np.sqrt((i - 20) ** 2 + (j - 20) ** 2 + (2 * (k - 6)) ** 2)
    labels = np.asfortranarray((away <= 10).astype(np.uint8))
    image = 100.0 * (away <= 7) + 1.0 * (away <= 10)  # a strong edge inside, a faint border
    scene = Scene(labels, image, (1.0, 1.0, 2.0))
    proposal = refine(scene, whole(scene.shape), [1], band_mm=4.0)
    assert proposal is not None
    assert "Look twice: label 1 loses" in proposal.words
    grown = Scene(np.asfortranarray((away <= 6).astype(np.uint8)), image, (1.0, 1.0, 2.0))
    proposal = refine(grown, whole(scene.shape), [1], band_mm=3.0)
    assert proposal is not None
    assert "label 1 grows by" in proposal.words


def test_a_border_that_moves_a_little_is_no_cause_for_alarm() -> None:
    scene, _ = balls()
    proposal = refine(scene, whole(scene.shape), band_mm=3.0)
    assert proposal is not None
    assert "Look twice" not in proposal.words


@given(
    st.tuples(*[st.integers(1, 30)] * 3),
    st.tuples(*[st.floats(0.3, 5.0)] * 3),
    st.sampled_from([np.int16, np.float32]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=25)
def test_edges_measured_some_slices_at_a_time_are_those_of_all_at_once(
    shape: tuple[int, int, int], spacing: Three, kind: type, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    image = np.asfortranarray(rng.integers(-500, 500, shape).astype(kind))
    if kind is np.float32:
        image[rng.random(shape) < 0.1] = np.nan
    found = edge_strength(image, spacing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(border, "_SLICES", 1000)
        np.testing.assert_array_equal(found, edge_strength(image, spacing))


def test_without_a_compiler_borders_settle_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, _ = balls()
    found = after(scene, band_mm=3.0)

    def missing(*_: object, **__: object) -> None:
        raise MissingPackageError("No compiler here.", hint="None.")

    monkeypatch.setattr(border, "require", missing)
    np.testing.assert_array_equal(after(scene, band_mm=3.0), found)
