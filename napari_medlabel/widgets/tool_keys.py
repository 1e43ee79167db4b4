"""The keys of the tools: which key does what, and which are lent by napari for a while."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from napari_medlabel.plugin.keys import Keys
from napari_medlabel.plugin.tools.catalogue import TOOLS

if TYPE_CHECKING:
    from napari_medlabel.widgets.tool_desk import ToolDesk

WHILE_WAITING: Final = ("Enter", "Escape")
"""Ours while a tool is in hand, something is computed, or a proposal waits."""

IN_HAND: Final = ("Backspace", "Space", "[", "]", "Z", "6")
"""Ours while a tool is in hand."""


def bind_tools(keys: Keys, desk: ToolDesk) -> None:
    """Bind the keys of all tools, and what goes with them.

    A tool whose key does something else already is left without one.
    """
    for known in TOOLS:
        if known.key and keys.is_free(known.key):
            keys.bind(
                known.key,
                known.title,
                partial(desk.choose, known.name),
                group=known.group,
            )
    keys.bind("Q", "The tool before", desk.choose_before, group="Tools")
    keys.bind("I", "Bound edits to a range of values", desk.toggle_range, group="Tools")
    keys.bind("F1", "All keys", desk.show_sheet, group="Case")
    lent: dict[str, tuple[str, Callable[[], object]]] = {
        "Enter": ("Accept; close an outline", desk.enter),
        "Escape": ("Cancel; put the tool down", desk.escape),
        "Backspace": ("Take a corner back", desk.step_back),
        "[": ("Smaller brush", lambda: desk.resize(-1)),
        "]": ("Larger brush", lambda: desk.resize(1)),
        "Z": ("Put the tool down", desk.put_down),
        "6": ("Put the tool down", desk.put_down),
    }
    for key, (words, do) in lent.items():
        keys.bind(key, words, do, group="Tools", resting=True)
    keys.bind(
        "Space",
        "Move the picture, while held",
        lambda: desk.pan(panning=True),
        release=lambda: desk.pan(panning=False),
        group="Tools",
        resting=True,
    )
