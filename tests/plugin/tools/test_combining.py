"""Combining with a range or a label of another layer, voxel by voxel; what goes together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_medlabel.edit.masking import Masking
from napari_medlabel.edit.scene import Proposal, quiet
from napari_medlabel.errors import InputError
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.plugin.layers import KEY, labels_to_layer
from napari_medlabel.plugin.sheet_layers import SheetLayers
from napari_medlabel.plugin.tools.acts import words_of, work_of
from napari_medlabel.plugin.tools.combining import RANGE, against, bound_to, regions_of
from napari_medlabel.plugin.tools.kit import Kit
from tests.plugin.tools.conftest import Bench

RULES = {
    "add": lambda own, other: own | other,
    "subtract": lambda own, other: own & ~other,
    "intersect": lambda own, other: own & other,
    "copy": lambda _own, other: other,
}


def combined(kit: Kit, how: str, other: object) -> Proposal | None:
    kit.choices.tool = "combine"
    kit.choices.extents["combine"] = "3D"
    kit.choices.put("combine", "how", how)
    kit.choices.put("combine", "other", other)
    return work_of("combine", kit)(quiet)


def noise(shape: tuple[int, ...], seed: int, most: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).integers(0, most, shape[::-1])
    return drawn.astype(np.uint8).T


def add_layer(bench: Bench, array: np.ndarray, name: str) -> None:
    """Show labels on the scan, as an opened mask or an earlier version is."""
    labels = LabelMap(bench.session.labels.grid, array, bench.session.labels.scheme)
    data, keywords, _ = labels_to_layer(labels, bench.session.place.case)
    bench.kit.binding.viewer.add_labels(data, **{**keywords, "name": name})


def key_of(bench: Bench, words: str) -> str:
    (key,) = [key for key, told in regions_of(bench.kit) if words in told]
    return key


def a_region(bench: Bench, kind: str) -> tuple[np.ndarray, str]:
    """Return which voxels a region has, and by which value it is chosen."""
    session, image = bench.session, bench.session.volume.array
    if kind == "range":
        low, high = (float(end) for end in np.percentile(image, (30, 60)))
        bench.kit.choices.values["threshold"] = {"low": low, "high": high}
        return (image >= low) & (image <= high), RANGE
    others = np.zeros(image.shape, np.uint8)
    others[2:6, 1:8, 3:] = noise((4, 7, 4), 3, 3)
    title = "Seg" if kind == "layer" else "Other layer"
    if kind == "layer":
        add_layer(bench, others, title)
    else:
        made = LabelMap(session.labels.grid, others, session.labels.scheme)
        SheetLayers(bench.kit.binding, {1: made})
    return others == 2, key_of(bench, f"{title}: {session.labels.scheme[2].name}")


@pytest.mark.parametrize("codes", ["LPS", "RAS", "SLA", "IRP"])
@pytest.mark.parametrize("kind", ["range", "layer", "cropped"])
def test_a_label_and_a_region_are_combined_voxel_by_voxel_by_the_rules_and_undone(
    make_bench: Callable[..., Bench], codes: str, kind: str
) -> None:
    bench = make_bench(codes, (9, 8, 7))
    kit, session, shape = bench.kit, bench.session, bench.labels.shape
    start, image = noise(shape, 1, 4), noise(shape, 2, 100).astype(np.int16)
    session.edit((slice(0, 9), slice(0, 8), slice(0, 7)), start, name="Noise")
    session.volume.array[...] = image
    assert np.array_equal(session.bench.scene().image, image)
    region, other = a_region(bench, kind)
    kit.binding.labels.selected_label = 1
    for rules in (
        Masking(),
        Masking(locked=frozenset({2})),
        Masking("inside", frozenset({1, 3})),
        Masking(overwrite="none"),
    ):
        session.bench.masking = rules
        for how, rule in RULES.items():
            own = start == 1
            wanted = np.where(rule(own, region), 1, np.where(own, 0, start)).astype(np.uint8)
            expected = rules.clamp(start, wanted, image, (1,))
            proposal = combined(kit, how, other)
            after = start.copy()
            if proposal is not None:
                after[proposal.box] = proposal.after
                assert proposal.origin == ("assisted" if kind == "range" else "human")
            assert np.array_equal(after, expected), (how, rules)
            if proposal is None or not proposal.changed.any():
                continue
            assert session.bench.apply(proposal) is not None
            assert np.array_equal(session.labels.array, expected)
            session.undo()
            assert np.array_equal(session.labels.array, start)


def test_a_locked_label_is_not_combined_and_one_without_a_second_is_refused(
    bench: Bench,
) -> None:
    bench.kit.binding.labels.selected_label = 1
    for other in (0, 1):
        with pytest.raises(InputError, match="second label, or a region") as caught:
            combined(bench.kit, "subtract", other)
        assert "under With" in caught.value.hint
    with pytest.raises(InputError, match="share no voxel") as caught:
        combined(bench.kit, "subtract", 2)
    assert "choose under With the range of Threshold" in caught.value.hint
    bench.session.bench.masking = Masking(locked=frozenset({1}))
    with pytest.raises(InputError, match="is locked"):
        combined(bench.kit, "subtract", RANGE)


def test_the_range_is_that_of_the_threshold_tool_and_otsu_finds_it(bench: Bench) -> None:
    kit, image = bench.kit, bench.session.volume.array
    kit.binding.labels.selected_label = 1
    kit.choices.values["threshold"] = {"low": 150.0, "high": 12345.5}
    assert regions_of(kit) == [(RANGE, "range of Threshold: 150 to 12345.5")]
    made = combined(kit, "add", RANGE)
    kit.choices.values["threshold"]["preset"] = "otsu"
    assert regions_of(kit) == [(RANGE, "range of Threshold: above Otsu's threshold")]
    found = combined(kit, "add", RANGE)
    for proposal in (made, found):
        assert proposal is not None
        assert (proposal.after == 1).sum() == (image == 200).sum()


def test_only_layers_of_the_case_are_offered_and_one_that_went_is_missed(
    bench: Bench,
) -> None:
    kit = bench.kit
    kit.binding.labels.selected_label = 1
    array = noise(bench.labels.shape, 5, 3)
    add_layer(bench, array, "Version 2 (preview)")
    add_layer(bench, array, "Proposal")
    add_layer(bench, array, "Of another")
    layers = kit.binding.viewer.layers
    layers["Version 2 (preview)"].metadata[KEY]["role"] = "version"
    layers["Proposal"].metadata[KEY]["role"] = "preview"
    layers["Of another"].metadata[KEY]["case"] = "else"
    told = {words.partition(":")[0] for _, words in regions_of(kit)}
    assert told == {"range of Threshold", "Version 2 (preview)"}
    name = bench.session.labels.scheme[2].name
    key = key_of(bench, f"Version 2 (preview): {name}")
    assert combined(kit, "copy", key) is not None
    layers.remove("Version 2 (preview)")
    with pytest.raises(InputError, match="not shown any more"):
        combined(kit, "copy", key)


def test_what_cannot_work_with_what_is_chosen_has_a_reason(bench: Bench) -> None:
    both = (1, 2, 3)
    assert against({"how": "add", "other": 0}, 1, both) == {
        "how": {},
        "other": {1: "It is the label in hand."},
    }
    why = against({"how": "add", "other": 2}, 1, both)["how"]
    assert set(why) == {"subtract", "intersect"}
    assert all("share no voxel" in told for told in why.values())
    assert against({"how": "subtract", "other": RANGE}, 1, both)["how"] == {}
    assert set(against({"how": "subtract", "other": RANGE}, 1, both)["other"]) == set(both)
    assert set(against({"how": "fill", "other": 2}, 1, both)["other"]) == {None}
    _, now = bound_to(bench.kit)
    bench.kit.binding.labels.selected_label = 2
    assert 2 in now({"how": "add", "other": 0})["other"]


def test_on_a_tilted_scan_its_words_count_as_the_table_does(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(tilt_deg=20.0)
    bench.kit.binding.labels.selected_label = 1
    proposal = combined(bench.kit, "fill", 0)
    assert proposal is not None
    ml = np.count_nonzero(proposal.changed) * bench.session.volume.grid.affine.voxel_ml
    assert f"{ml:.1f} ml" in proposal.words
    assert f"(+ {ml:.3g} ml)" in words_of(proposal, bench.kit.scene())
