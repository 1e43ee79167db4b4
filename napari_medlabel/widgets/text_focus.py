"""Whether somebody types: a field for text or numbers has the focus, and keys are letters."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)


def is_typing() -> bool:
    """Tell whether a field in which something can be typed has the focus."""
    return takes_text(QApplication.focusWidget())


def takes_text(widget: QWidget | None) -> bool:
    """Tell whether a widget takes what is typed; the editor of a table's cell does, too."""
    if isinstance(widget, (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit)):
        return not widget.isReadOnly()
    # The field of such a list hands its focus on to the list.
    return isinstance(widget, QComboBox) and widget.isEditable()
