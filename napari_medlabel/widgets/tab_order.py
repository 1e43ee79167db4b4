"""Tab goes from one part to the next as they stand, also where one of them came later."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget


def in_order(first: QWidget, rest: Iterable[QWidget]) -> QWidget:
    """Let Tab go from a widget through others, and all that can be reached in each of them.

    Qt goes by when each was put into the window: what is made anew would come last.

    Parameters
    ----------
    first : QWidget
        Where it begins; it stays where it is, and takes the focus itself.
    rest : iterable of QWidget
        What follows, as it stands on the screen.

    Returns
    -------
    QWidget
        The last one.
    """
    at = first
    for widget in rest:
        for part in (widget, *widget.findChildren(QWidget)):
            # The list that a box opens is a window of its own.
            is_here = part.window() is first.window()
            if is_here and part.focusPolicy() & Qt.FocusPolicy.TabFocus:
                QWidget.setTabOrder(at, part)
                at = part
    return at
