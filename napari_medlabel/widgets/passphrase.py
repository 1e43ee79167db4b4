"""The question for the passphrase of this workstation's key, asked when the log is opened."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QInputDialog, QLineEdit, QWidget

from napari_medlabel.errors import InputError
from napari_medlabel.plugin.workplace import NotGivenError
from napari_medlabel.secret.asking import at_terminal


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


def ask_before_the_window() -> str:
    """Ask at the terminal from which the program was started, while there is no window.

    Raises
    ------
    NotGivenError
        When there is no terminal, or nothing is typed.
    """
    try:
        text = at_terminal("Passphrase of this workstation's key (Enter: none): ", "")
    except InputError as err:
        raise NotGivenError from err
    if not text:
        raise NotGivenError
    return text
