"""Combining: with which other label or region, and which of the choices go together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from napari_medlabel.edit.masking import BoolArray
from napari_medlabel.edit.patch import Box
from napari_medlabel.edit.scene import Proposal, Scene, Tick
from napari_medlabel.errors import InputError
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.layers import KEY
from napari_medlabel.plugin.sheet_layers import NAME
from napari_medlabel.plugin.sight.words import number_words
from napari_medlabel.plugin.tools.kit import Kit, Work

RANGE: Final = "range"
"""Stands for the voxels in the range of the threshold tool."""
ALONE: Final = ("invert", "clear", "fill")
"""What needs nothing to combine with."""
_WITH_SHARED: Final = ("subtract", "intersect")
_APART: Final = (
    "Two segments share no voxel, so there is nothing to subtract or keep: choose the range of "
    "Threshold, or a label of another layer, under With."
)
_ROLES: Final = ("labels", "version")
_SEPARATOR: Final = "\n"  # no name of a layer has it

Regions = list[tuple[str, str]]
"""What can be chosen beside the segments, each as value and words."""
Against = dict[str, dict[Any, str]]
"""For options, by their names, which values cannot be chosen, and why; None for all of them."""
Finder = Callable[[Scene, Box], BoolArray]


def combine_work(kit: Kit) -> Work:
    """Return what combining is to compute; all choices are read now.

    Raises
    ------
    InputError
        When no label is in hand, or nothing to combine it with is chosen.
    """
    scene, box, value = kit.scene().frozen(), kit.box(), kit.free_label()
    how, chosen = kit.options["how"], kit.options["other"]
    find = None if how in ALONE or isinstance(chosen, int) else _finder(kit, str(chosen))
    other = _second(kit) if how not in ALONE and find is None else 0

    def run(_tick: Tick) -> Proposal | None:
        from napari_medlabel.edit.logic import combine

        if find is None:
            return combine(scene, box, value, other, how=how)
        made = combine(scene, box, value, find(scene, box), how=how)
        if made is None or chosen != RANGE:
            return made
        # A range draws its border, not a hand.
        return replace(made, provider="threshold", origin="assisted")

    return run


def regions_of(kit: Kit) -> Regions:
    """Return what a label can be combined with that is no segment of the mask.

    The range of the threshold tool, and each label of other layers on the scan: overlapping
    ones of a reading, marks that were opened, an earlier version that is shown.
    """
    chosen = kit.choices.of("threshold")
    ends = (number_words(chosen[end]) for end in ("low", "high"))
    words = "above Otsu's threshold" if chosen["preset"] == "otsu" else " to ".join(ends)
    found = [(RANGE, f"range of Threshold: {words}")]
    for layer in _layers(kit):
        title = NAME if layer.name.startswith(NAME) else layer.name
        table = layer.features
        if {"index", "name"} <= set(table.columns):
            rows = zip(table["index"], table["name"], strict=True)
            found += [
                (f"{layer.name}{_SEPARATOR}{int(value)}", f"{title}: {name}")
                for value, name in rows
                if int(value) > 0
            ]
    return found


def against(chosen: Mapping[str, Any], label: int, segments: tuple[int, ...]) -> Against:
    """Say which choices cannot work with what is chosen, and why.

    Parameters
    ----------
    chosen : mapping
        Of the tool, by option.
    label : int
        In hand.
    segments : tuple of int
        All labels of the mask.
    """
    how, other = chosen["how"], chosen["other"]
    if how in ALONE:
        return {"how": {}, "other": {None: "This is done to the label in hand alone."}}
    no_segment = dict.fromkeys(segments, _APART) if how in _WITH_SHARED else {}
    is_segment = isinstance(other, int) and other > 0
    return {
        "how": dict.fromkeys(_WITH_SHARED, _APART) if is_segment else {},
        "other": no_segment | {label: "It is the label in hand."},
    }


def bound_to(
    kit: Kit,
) -> tuple[Callable[[], Regions], Callable[[Mapping[str, Any]], Against]]:
    """Return `regions_of` and `against` for a case, with the label that is in hand by then."""

    def now(chosen: Mapping[str, Any]) -> Against:
        return against(chosen, kit.label, kit.session.labels.scheme.values)

    return lambda: regions_of(kit), now


def _layers(kit: Kit) -> list[Any]:
    """Return the other layers of labels on the scan, without proposals and differences."""
    from napari.layers import Labels

    case = kit.session.place.case
    found = []
    for layer in kit.binding.viewer.layers:
        if not isinstance(layer, Labels) or layer is kit.binding.labels:
            continue
        known = layer.metadata.get(KEY, {})
        is_offered = known.get("role") in _ROLES or layer.name.startswith(NAME)
        if known.get("case") == case and is_offered and layer.ndim == len(kit.shape):
            found.append(layer)
    return found


def _second(kit: Kit) -> int:
    other = int(kit.options["other"])
    if other not in kit.session.labels.scheme.values or other == kit.label:
        raise InputError(
            "This needs a second label, or a region.",
            hint="Choose another one than the label in hand, or a range, under With.",
        )
    return other


def _finder(kit: Kit, chosen: str) -> Finder:
    if chosen == RANGE:
        known = kit.choices.of("threshold")
        return _in_range(str(known["preset"]), float(known["low"]), float(known["high"]))
    name, _, value = chosen.partition(_SEPARATOR)
    for layer in _layers(kit):
        if layer.name == name:
            return _in_layer(layer, int(value), kit.binding.display)
    raise InputError(
        "The layer that was chosen is not shown any more.",
        hint="Choose something else under With, or show that layer again.",
    )


def _in_range(preset: str, low: float, high: float) -> Finder:
    def find(scene: Scene, box: Box) -> BoolArray:
        from napari_medlabel.edit.finite import only_numbers
        from napari_medlabel.edit.region import threshold
        from napari_medlabel.edit.threshold import otsu

        image = scene.image[box]
        if preset != "otsu":
            return threshold(image.T, low, high).T
        (border,) = otsu(image)
        return threshold(image.T, border, float(np.max(only_numbers(image)))).T

    return find


def _in_layer(layer: Any, value: int, display: Display) -> Finder:
    """Find a label of a layer that may be cropped: it lies on the scan's voxels."""
    shown = layer.data
    off = (np.asarray(layer.translate) - display.translate) / np.asarray(display.scale)
    first = [round(float(n)) for n in off]

    def find(_scene: Scene, box: Box) -> BoolArray:
        region = np.zeros(display.shape, dtype=bool)
        there, here = [], []
        for start, size, length in zip(first, shown.shape, display.shape, strict=True):
            begin, end = max(start, 0), max(min(start + size, length), 0)
            there.append(slice(begin, end))
            here.append(slice(begin - start, max(end - start, 0)))
        region[tuple(there)] = np.equal(shown[tuple(here)], value)
        return display.hide(region)[box]

    return find
