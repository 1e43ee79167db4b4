"""The tools of the box, in the order in which they are shown, each described once."""

from __future__ import annotations

from typing import Final

from napari_medlabel.plugin.tools.options import (
    Choice,
    Extent,
    Number,
    Option,
    Segment,
    Toggle,
    Tool,
)

SIZE: Final = "size_mm"
"""The brush's diameter: one for all brushes."""

FLAT: Final[tuple[Extent, ...]] = ("slice", "slab", "3D")
DEEP: Final[tuple[Extent, ...]] = ("3D", "slab", "slice")
THIN: Final[tuple[Extent, ...]] = ("slice", "slab")

_SIZE = Number(
    SIZE, "Diameter", 10.0, 0.2, 300.0, 1.0, "mm", 1, "Also Shift + wheel, and the keys [ and ]"
)
_WHICH = Choice(
    "which",
    "Of",
    (("this", "the label in hand"), ("all", "all labels")),
    "Which labels it works on; locked ones stay",
)
_SHIFT = tuple(
    Number(name, words, 0, -2000, 2000, 1, "voxels", 0)
    for name, words in (("along_s", "To the head"), ("along_p", "To the back"),
                        ("along_l", "To the left"))
)  # fmt: skip

PAINTING: Final = (
    Tool(
        "brush",
        "Brush",
        "Paint the label in hand. Right button erases, Shift + wheel changes the size; in 3D "
        "the brush is a ball.",
        "Draw",
        "W",
        FLAT,
        (_SIZE,),
        is_hand=True,
    ),
    Tool(
        "edge",
        "Edge brush",
        "Paint only what looks like the tissue under the middle of the brush.",
        "Draw",
        "K",
        FLAT,
        (
            _SIZE,
            Number("tolerance", "Tolerance", 2.5, 0.5, 10.0, 0.25, "SD", 2,
                   "How unlike the middle a voxel may be, in standard deviations"),
        ),
        is_hand=True,
    ),
    Tool(
        "eraser",
        "Eraser",
        "Take labels away, as far as the rules below let it.",
        "Draw",
        "U",
        FLAT,
        (_SIZE,),
        is_hand=True,
    ),
    Tool(
        "outline",
        "Outline",
        "Drag around a structure, or click corners and close with Enter, a double click or the "
        "right button. Dragging with the right button erases. Backspace takes a corner back.",
        "Draw",
        "D",
        THIN,
        is_hand=True,
    ),
    Tool(
        "wire",
        "Live wire",
        "Click along an edge: the line follows it to the mouse. Close with Enter, a double "
        "click or the right button.",
        "Draw",
        "R",
        THIN,
        is_hand=True,
    ),
    Tool(
        "tracing",
        "Tracing",
        "Level tracing: the line shows the region of about the value under the mouse; a "
        "click takes it.",
        "Draw",
        "Shift-O",
        ("slice",),
        (
            Number("tolerance", "Tolerance", 40.0, 0.0, 5000.0, 5.0, "", 1,
                   "How far a value may lie from the one under the mouse"),
        ),
        is_hand=True,
    ),
    Tool(
        "scissors",
        "Scissors",
        "Drag around something: it is cut through the slices chosen below.",
        "Draw",
        "Shift-D",
        DEEP,
        (
            Choice(
                "mode",
                "Cut",
                (
                    ("erase_inside", "erase inside"),
                    ("erase_outside", "erase outside"),
                    ("fill_inside", "fill inside"),
                ),
            ),
            _WHICH,
        ),
        is_hand=True,
    ),
)  # fmt: skip

REGIONS: Final = (
    Tool(
        "threshold",
        "Threshold",
        "Label all voxels of a range of values; the preview follows. Use the range as a rule "
        "to paint inside it only.",
        "Find",
        "T",
        DEEP,
        (
            Choice("preset", "Preset", (("", "own range"), ("otsu", "Otsu"))),
            Number("low", "From", 0.0, -100000.0, 100000.0, 10.0, "", 1),
            Number("high", "to", 300.0, -100000.0, 100000.0, 10.0, "", 1),
        ),
        is_live=True,
    ),
    Tool(
        "local",
        "Local",
        "Local threshold: click into a structure; what has its value nearby and hangs "
        "together is labelled.",
        "Find",
        "Shift-G",
        DEEP,
        (Number("radius_mm", "Within", 15.0, 1.0, 200.0, 1.0, "mm"),),
        is_hand=True,
    ),
    Tool(
        "flood",
        "Flood",
        "Click into a structure: all voxels of about this value that hang together.",
        "Find",
        "H",
        DEEP,
        (
            Number("tolerance", "Tolerance", 40.0, 0.0, 5000.0, 5.0, "", 1,
                   "How far a value may lie from the one clicked on"),
        ),
        is_hand=True,
    ),
    Tool(
        "grow",
        "Grow seeds",
        "Paint a stroke into each structure, and one of the background; the rest grows while "
        "you paint. The right button takes the stroke under it back, Backspace the latest.",
        "Find",
        "G",
        FLAT,
        (
            _SIZE,
            Choice("seed", "Next stroke", (("this", "label in hand"), ("back", "background"))),
        ),
        is_hand=True,
    ),
    Tool(
        "between",
        "Between",
        "Fill between slices: the ones between those that are drawn, all labels at once.",
        "Find",
        "Shift-B",
        (),
        (
            _WHICH,
            Number("snap_mm", "Pull to edges", 0.0, 0.0, 10.0, 0.5, "mm", 1,
                   "How far the surface may move to an edge of the image; 0 for shape alone"),
        ),
    ),
    Tool(
        "propagate",
        "Next slices",
        "Carry the labels of this slice to the next ones, along the edges of the image.",
        "Find",
        "Shift-N",
        (),
        (
            Number("count", "Slices", 1, -200, 200, 1, "", 0,
                   "How many; below 0 towards the slices before"),
            _WHICH,
        ),
    ),
)  # fmt: skip

CLEANING: Final = (
    Tool(
        "smooth",
        "Smooth",
        "Smooth surfaces; several labels together leave no gap and no overlap.",
        "Clean up",
        "Shift-S",
        DEEP,
        (
            Choice(
                "kind",
                "How",
                (
                    ("joint", "all labels together"),
                    ("median", "median"),
                    ("gaussian", "Gauss"),
                    ("opening", "opening (cuts bridges)"),
                    ("closing", "closing (fills gaps)"),
                ),
            ),
            Number("size", "Size", 1.5, 0.1, 30.0, 0.5, "mm"),
        ),
    ),
    Tool(
        "smoother",
        "Smoothing brush",
        "Smooth surfaces where you paint, all labels together.",
        "Clean up",
        "Shift-U",
        DEEP,
        (_SIZE, Number("sigma", "Strength", 1.5, 0.1, 20.0, 0.5, "mm")),
        is_hand=True,
    ),
    Tool(
        "refine",
        "Refine edge",
        "Move surfaces to the edge of the image within a band.",
        "Clean up",
        "Shift-R",
        DEEP,
        (
            Number("band_mm", "Band", 4.0, 0.5, 30.0, 0.5, "mm"),
            Choice(
                "method",
                "By",
                (("watershed", "watershed (fast)"), ("random_walker", "random walker (slow)")),
            ),
            _WHICH,
        ),
    ),
    Tool(
        "islands",
        "Islands",
        "Keep the largest part, drop small ones, or split parts to labels of their own.",
        "Clean up",
        "Shift-I",
        DEEP,
        (
            Choice(
                "how",
                "Do",
                (
                    ("largest", "keep the largest"),
                    ("small", "remove small ones"),
                    ("split", "split to segments"),
                ),
            ),
            Number("smallest_mm3", "Small is below", 100.0, 0.1, 1e7, 10.0, "mm³"),
            _WHICH,
        ),
    ),
    Tool(
        "touch",
        "Click an island",
        "Click a part: it is the only one kept, or it goes.",
        "Clean up",
        "Shift-J",
        DEEP,
        (Choice("how", "Then", (("remove", "remove it"), ("keep", "keep it alone"))),),
        is_hand=True,
    ),
    Tool(
        "holes",
        "Fill holes",
        "Fill what is enclosed.",
        "Clean up",
        "Shift-H",
        DEEP,
        (
            Number("largest_mm3", "Up to", 0.0, 0.0, 1e7, 10.0, "mm³", 1, "0: of any size"),
            _WHICH,
        ),
    ),
)

SHAPES: Final = (
    Tool(
        "margin",
        "Margin",
        "Grow or shrink by an exact distance in mm, whatever the spacing.",
        "Shape",
        "Shift-M",
        DEEP,
        (Number("mm", "By", 3.0, -50.0, 50.0, 0.5, "mm", 1, "Below 0 shrinks"), _WHICH),
    ),
    Tool(
        "hollow",
        "Hollow",
        "Leave a wall of a label.",
        "Shape",
        "Shift-W",
        DEEP,
        (
            Number("wall_mm", "Wall", 3.0, 0.1, 50.0, 0.5, "mm"),
            Choice(
                "side",
                "The surface is",
                (
                    ("inside", "outside of the wall"),
                    ("middle", "middle of the wall"),
                    ("outside", "inside of the wall"),
                ),
            ),
            _WHICH,
        ),
    ),
    Tool(
        "combine",
        "Combine",
        "Add, subtract or intersect with another label; invert, clear or fill.",
        "Shape",
        "Shift-C",
        DEEP,
        (
            Choice(
                "how",
                "Do",
                (
                    ("add", "add"),
                    ("subtract", "subtract"),
                    ("intersect", "keep the overlap with"),
                    ("copy", "copy"),
                    ("invert", "invert"),
                    ("clear", "clear"),
                    ("fill", "fill all"),
                ),
            ),
            Segment("other", "With"),
        ),
    ),
    Tool(
        "mirror",
        "Mirror",
        "Mirror left and right about the middle of the scan, by the patient's axes.",
        "Shape",
        "Shift-X",
        (),
        (_WHICH,),
    ),
    Tool(
        "copy",
        "Copy slice",
        "Copy or move the labels of this slice to its neighbours, as they are. Next slices and "
        "Fill between look at the image: they are usually quicker to put right.",
        "Shape",
        "Shift-K",
        (),
        (
            Number("count", "Slices", 1, -200, 200, 1, "", 0, "Below 0 towards those before"),
            Toggle("move", "Move: leave nothing here"),
            _WHICH,
        ),
    ),
    Tool(
        "translate",
        "Shift",
        "Move labels by whole voxels along the patient's axes.",
        "Shape",
        "Shift-T",
        (),
        (*_SHIFT, _WHICH),
    ),
    Tool(
        "crop",
        "Crop",
        "Clear what lies outside the slices chosen below.",
        "Shape",
        "Shift-Q",
        ("slab", "slice"),
        (_WHICH,),
    ),
    Tool(
        "renumber",
        "Renumber",
        "Give the voxels of the label in hand to another label.",
        "Shape",
        "",
        (),
        (Segment("other", "To"),),
    ),
)

TOOLS: Final = (*PAINTING, *REGIONS, *CLEANING, *SHAPES)
MENUS: Final = ("Clean up", "Shape")
"""Groups that fold into a menu: the others have a button for each tool."""


def tool(name: str) -> Tool:
    """Return a tool by its name."""
    return next(known for known in TOOLS if known.name == name)


def options_of(known: Tool) -> tuple[Option, ...]:
    """Return what a tool asks for, with the presets that this machine knows."""
    if known.name != "threshold":
        return known.options
    from napari_medlabel.edit.threshold import RANGES

    first, *others = known.options
    if not isinstance(first, Choice):
        return known.options
    presets = (*first.choices, *((name, name) for name in RANGES))
    return (Choice(first.name, first.words, presets, first.tip), *others)
