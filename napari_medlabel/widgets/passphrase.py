"""The question for the passphrase of this workstation's key, when the log is opened."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QInputDialog, QLineEdit, QWidget

from napari_medlabel.plugin.workplace import NotGivenError


def asking(parent: Callable[[], QWidget | None]) -> Callable[[], str]:
    """Return what asks for the passphrase.

    Parameters
    ----------
    parent : callable
        Returns the window in front of which to ask.
    """

    def ask() -> str:
        text, given = QInputDialog.getText(
            parent(),
            "The audit log",
            "Passphrase of this workstation's key (without it the log is not certified):",
            QLineEdit.EchoMode.Password,
        )
        if not given or not text:
            raise NotGivenError
        return str(text)

    return ask
