"""The tools of the box, in the order in which they are shown, each described once."""

from __future__ import annotations

from typing import Final

from napari_medlabel.plugin.tools.asked import BRUSH_SIZE, DEEP, FLAT, SIZE, THIN, WHICH
from napari_medlabel.plugin.tools.finishing import CLEANING, SHAPES
from napari_medlabel.plugin.tools.options import Choice, Number, Option, Toggle, Tool

__all__ = ["MENUS", "SIZE", "TOOLS", "options_of", "tool"]

PAINTING: Final = (
    Tool(
        "brush",
        "Brush",
        "Paint the label in hand. Right button erases, Shift + wheel changes the size; in 3D "
        "the brush is a ball.",
        "Draw",
        "W",
        FLAT,
        (BRUSH_SIZE,),
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
            BRUSH_SIZE,
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
        (BRUSH_SIZE,),
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
            WHICH,
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
        (
            Number("radius_mm", "Within", 15.0, 1.0, 200.0, 1.0, "mm"),
            Number("neck_mm", "Cut necks below", 0.0, 0.0, 20.0, 0.5, "mm", 1,
                   "Connections thinner than this do not count; 0 takes all"),
        ),
        is_hand=True,
    ),
    Tool(
        "flood",
        "Flood",
        "Click into a structure: all voxels of about this value, or of a range, that hang "
        "together.",
        "Find",
        "H",
        DEEP,
        (
            Choice("by", "Values", (("tolerance", "like the one clicked"),
                                    ("range", "of a range"))),
            Number("tolerance", "Tolerance", 40.0, 0.0, 5000.0, 5.0, "", 1,
                   "How far a value may lie from the one clicked on", ("by", "tolerance")),
            Number("low", "From", 0.0, -100000.0, 100000.0, 10.0, "", 1,
                   "The lowest value that is taken", ("by", "range")),
            Number("high", "to", 300.0, -100000.0, 100000.0, 10.0, "", 1,
                   "The highest value that is taken", ("by", "range")),
            Choice("touching", "Touching by",
                   (("1", "faces"), ("2", "faces or edges"), ("3", "faces, edges or corners")),
                   "Which voxels hang together; edges and corners get through finer gaps"),
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
            BRUSH_SIZE,
            Choice("seed", "Next stroke", (("this", "label in hand"), ("back", "background"))),
            Choice(
                "mode",
                "Borders",
                (("minimax", "at the highest edge"), ("additive", "by grey values")),
                "At the highest edge on the way, as a watershed; or where all steps of grey "
                "value on the way add up, as GrowCut",
            ),
            Number("gradient_mm", "Edges of", 0.0, 0.0, 20.0, 0.1, "mm", 1,
                   "How far the image is smoothed before its edges are measured; 0: chosen "
                   "from its noise"),
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
            WHICH,
            Number("snap_mm", "Pull to edges", 0.0, 0.0, 10.0, 0.5, "mm", 1,
                   "How far the surface may move to an edge of the image; 0 for shape alone"),
            Toggle("close_ends", "Close the ends",
                   tip="Also end a label half-way to a neighbouring slice drawn without it"),
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
            Number("reach_mm", "Border moves", 0.0, 0.0, 50.0, 0.5, "mm", 1,
                   "At most, from slice to slice; 0: by the distance of the slices"),
            WHICH,
        ),
    ),
)  # fmt: skip

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
