"""The tools that work on what is labelled already: they clean it up and shape it."""

from __future__ import annotations

from typing import Final

from napari_medlabel.plugin.tools.asked import BRUSH_SIZE, DEEP, WHICH
from napari_medlabel.plugin.tools.options import Choice, Number, Segment, Toggle, Tool

_SHIFT = tuple(
    Number(name, words, 0, -2000, 2000, 1, "voxels", 0)
    for name, words in (("along_s", "To the head"), ("along_p", "To the back"),
                        ("along_l", "To the left"))
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
        (BRUSH_SIZE, Number("sigma", "Strength", 1.5, 0.1, 20.0, 0.5, "mm")),
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
            WHICH,
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
            WHICH,
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
            WHICH,
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
        (Number("mm", "By", 3.0, -50.0, 50.0, 0.5, "mm", 1, "Below 0 shrinks"), WHICH),
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
            WHICH,
        ),
    ),
    Tool(
        "combine",
        "Combine",
        "Add, subtract or intersect with another label, a range of values or a label of "
        "another layer; invert, clear or fill.",
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
            Segment(
                "other",
                "With",
                "A segment; the range of Threshold; or a label of another layer: overlapping "
                "ones, opened marks, a version that Versions… previews",
                regions=True,
            ),
        ),
    ),
    Tool(
        "mirror",
        "Mirror",
        "Mirror left and right about the middle of the scan, by the patient's axes.",
        "Shape",
        "Shift-X",
        (),
        (
            WHICH,
            Segment(
                "becomes",
                "Becomes",
                "Which label it is on the other side",
                "the other side's label, else itself",
            ),
            Toggle("keep", "Keep the original", tip="It stays where it is, too"),
            Toggle(
                "by_grid",
                "Along the voxels",
                tip="Mirror along the scan's own voxel axis, without resampling; on an "
                "oblique scan that is not the patient's left and right",
            ),
        ),
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
            WHICH,
        ),
    ),
    Tool(
        "translate",
        "Shift",
        "Move labels by whole voxels along the patient's axes.",
        "Shape",
        "Shift-T",
        (),
        (*_SHIFT, WHICH),
    ),
    Tool(
        "crop",
        "Crop",
        "Clear what lies outside the slices chosen below.",
        "Shape",
        "Shift-Q",
        ("slab", "slice"),
        (WHICH,),
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
