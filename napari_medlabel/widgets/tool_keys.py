"""The keys of the tools: which key does what, and which are lent by napari for a while."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QTimer

from napari_medlabel.plugin.keys import Keys
from napari_medlabel.plugin.tools.catalogue import TOOLS
from napari_medlabel.widgets.cheat_sheet import CheatSheet, napari_keys
from napari_medlabel.widgets.dock_keys import DockKeys
from napari_medlabel.widgets.text_focus import is_typing

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
    keys.bind(
        "I", "Bound edits to a range of values", desk.panel.masking.toggle_range, group="Tools"
    )
    keys.bind("F1", "All keys", desk.keys.show_sheet, group="Case")
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


class ToolKeys:
    """Binds the keys of the tools of a case, wakes those in use, and shows them on a sheet.

    Parameters
    ----------
    desk : ToolDesk
        What the keys are for.
    """

    def __init__(self, desk: ToolDesk) -> None:
        self._desk = desk
        self._dock_keys = DockKeys(desk.dock)
        self._keys: Keys | None = None
        self.sheet: CheatSheet | None = None

    def begin(self, keys: Keys) -> None:
        """Bind the keys of a case that has just been shown."""
        self._keys = keys
        keys.silence(is_typing)
        bind_tools(keys, self._desk)
        self._desk.panel.palette_.show_keys(
            {t.name: t.key for t in TOOLS if keys.key_of(t.title) == t.key}
        )
        # Desks bind theirs in a moment: the dock passes on all of them.
        QTimer.singleShot(0, lambda: self._serve_dock(keys))

    def _serve_dock(self, keys: Keys) -> None:
        if self._keys is keys:
            self._dock_keys.serve(keys)

    def end(self) -> None:
        """Let go of the case."""
        self._dock_keys.end()
        self._keys = None
        if self.sheet is not None:
            self.sheet.close()

    def update(self, *, held: bool, waiting: bool) -> None:
        """Take Enter, Escape and the brush's keys from napari while they mean something."""
        if self._keys is None:
            return
        (self._keys.wake if held or waiting else self._keys.rest)(*WHILE_WAITING)
        (self._keys.wake if held else self._keys.rest)(*IN_HAND)

    def show_sheet(self) -> None:
        """Show all keys."""
        if self._keys is None:
            return
        keys = self._keys
        self.sheet = CheatSheet(keys.listed, napari_keys(keys.awake), self._desk.dock.window())
        self.sheet.show()
