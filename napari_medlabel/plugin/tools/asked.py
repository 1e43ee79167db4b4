"""What several tools ask for, and where they work."""

from __future__ import annotations

from typing import Final

from napari_medlabel.plugin.tools.options import Choice, Extent, Number

SIZE: Final = "size_mm"
"""The brush's diameter: one for all brushes."""

FLAT: Final[tuple[Extent, ...]] = ("slice", "slab", "3D")
DEEP: Final[tuple[Extent, ...]] = ("3D", "slab", "slice")
THIN: Final[tuple[Extent, ...]] = ("slice", "slab")

BRUSH_SIZE: Final = Number(
    SIZE, "Diameter", 10.0, 0.2, 300.0, 1.0, "mm", 1, "Also Shift + wheel, and the keys [ and ]"
)
WHICH: Final = Choice(
    "which",
    "Of",
    (("this", "the label in hand"), ("all", "all labels")),
    "Which labels it works on; locked ones stay",
)
