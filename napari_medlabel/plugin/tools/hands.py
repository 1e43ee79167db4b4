"""Which hand works which tool: made when the tool is taken up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from napari_medlabel.plugin.tools.brush_hand import Brush, EdgeBrush, Eraser, Smoother
from napari_medlabel.plugin.tools.click_hand import Flood, LocalThreshold, Touch
from napari_medlabel.plugin.tools.hand import QuietHand
from napari_medlabel.plugin.tools.kit import Kit
from napari_medlabel.plugin.tools.outline_hand import Outline, Scissors
from napari_medlabel.plugin.tools.seed_hand import Seeds
from napari_medlabel.plugin.tools.wire_hand import Tracing, Wire

HANDS: Final[Mapping[str, Callable[[Kit], QuietHand]]] = MappingProxyType(
    {
        "brush": Brush,
        "edge": EdgeBrush,
        "eraser": Eraser,
        "outline": Outline,
        "wire": Wire,
        "tracing": Tracing,
        "scissors": Scissors,
        "local": LocalThreshold,
        "flood": Flood,
        "smoother": Smoother,
        "touch": Touch,
        "grow": Seeds,
    }
)
"""What makes the hand of a tool, by its name."""
