"""Ranges of tools: begun from the scan, filled from presets, made a rule for all edits."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from napari_medlabel.plugin.tools.combining import bound_to
from napari_medlabel.plugin.tools.kit import Choices, Kit
from napari_medlabel.widgets.tool_panel import ToolPanel

_RANGED: Final = ("threshold", "flood")


def begin_ranges(choices: Choices, kit: Kit, panel: ToolPanel) -> None:
    """Let tools that ask for a range begin with the brighter half of a scan's window."""
    panel.options.show_regions(*bound_to(kit))
    low, high = kit.first_range()
    panel.masking.show_range(low, high)
    for name in _RANGED:
        kept = choices.values.get(name, {})
        choices.values[name] = {"low": low, "high": high} | kept


def end_ranges(choices: Choices, panel: ToolPanel) -> None:
    """Forget ranges and regions with the scan that they were of."""
    panel.options.forget_regions()
    choices.values.get("combine", {}).pop("other", None)
    choices.values.pop("threshold", None)
    for end in ("low", "high"):
        choices.values.get("flood", {}).pop(end, None)


def put_preset(choices: Choices, panel: ToolPanel, preset: str) -> None:
    """Choose the range of a preset, where it has one of its own, and show it."""
    from napari_medlabel.edit.threshold import RANGES

    if preset in RANGES:
        low, high = RANGES[preset]
        choices.values["threshold"] |= {"low": low, "high": high}
        panel.options.show_values({"low": low, "high": high})


def bound_edits(choices: Choices, kit: Kit) -> str:
    """Bound all edits to the range of the threshold tool; return words for the person."""
    chosen = choices.of("threshold")
    low, high = sorted((float(chosen["low"]), float(chosen["high"])))
    kit.bench.masking = replace(kit.bench.masking, low=low, high=high)
    return f"Edits change voxels of {low:g} to {high:g} only, until 'Values' is off (I)."
