"""Narrow: long names are cut where they are shown, so that they make no dock wider."""

from __future__ import annotations

from typing import Final

from qtpy.QtWidgets import QComboBox

_LEAST: Final = 6
_LONGEST: Final = 20
_TAIL: Final = 8


def narrow(box: QComboBox) -> QComboBox:
    """Let a box be as narrow as the room there is, whatever the names in it; return it."""
    policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    box.setSizeAdjustPolicy(policy)
    box.setMinimumContentsLength(_LEAST)
    return box


def shortened(name: str) -> str:
    """Return a name with its middle cut out where it is long: sides stand at either end."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - _TAIL - 1].rstrip()}…{name[-_TAIL:].lstrip()}"
