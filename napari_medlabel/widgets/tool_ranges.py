"""The range of the threshold tool: filled from presets, and made a rule for all edits."""

from __future__ import annotations

from dataclasses import replace

from napari_medlabel.plugin.tools.kit import Choices, Kit
from napari_medlabel.widgets.tool_panel import ToolPanel


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
