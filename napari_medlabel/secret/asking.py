"""Where a passphrase comes from: a file for its owner alone, or whoever sits there."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.secret.passphrase import check_passphrase
from napari_medlabel.secret.private_file import Hints, PrivateFile

Ask = Callable[[], str]
"""Returns a passphrase; called only where one is needed."""

_HINTS: Final = Hints(
    check="Check the name of the passphrase's file, and its permissions.",
    exposed="Run chmod 600 on the passphrase's file; who could read it knows the passphrase.",
)


def from_file(path: Path) -> str:
    """Return the first line of a file of mode 600, without its line end.

    Raises
    ------
    InputError
        When it cannot be read, or others may read it, or its first line is empty.
    """
    lines = PrivateFile(path, hints=_HINTS).read().splitlines()
    if not lines or not lines[0]:
        raise InputError(
            "A passphrase was expected in the first line of the file, and that line is empty.",
            hint=_HINTS.check,
        )
    return lines[0]


def from_variable(variable: str, environ: Mapping[str, str]) -> str | None:
    """Return the passphrase in the file that an environment variable names.

    Parameters
    ----------
    variable : str
        Its name, such as ``MEDLABEL_INSTALL_PASSPHRASE_FILE``.
    environ : mapping
        The environment.

    Returns
    -------
    str or None
        None where the variable is not set.

    Raises
    ------
    InputError
        As `from_file`.
    """
    named = environ.get(variable)
    return from_file(Path(named)) if named else None


def at_terminal(prompt: str, hint: str) -> str:
    """Ask whoever sits at the terminal; what is typed does not show.

    Parameters
    ----------
    prompt : str
        What is asked.
    hint : str
        What to do where nobody can be asked.

    Raises
    ------
    InputError
        When there is no terminal.
    """
    if not sys.stdin.isatty():
        raise InputError(
            "A passphrase is needed, and there is no terminal to ask for it.", hint=hint
        )
    return getpass.getpass(prompt)


def new_at_terminal(prompt: str, hint: str) -> str:
    """Ask twice for a new passphrase.

    Raises
    ------
    InputError
        When there is no terminal, it is too short, or the two differ.
    """
    passphrase = at_terminal(prompt, hint)
    check_passphrase(passphrase)
    if at_terminal("Once more: ", hint) != passphrase:
        raise InputError("The two passphrases differ.", hint="Type the same one twice.")
    return passphrase


def given(file: Path | None, variable: str, environ: Mapping[str, str]) -> str | None:
    """Return the passphrase that an option or a variable names the file of, or None.

    Parameters
    ----------
    file : Path or None
        What the option names; it goes before the variable.
    variable : str
        Name of the variable that names a file.
    environ : mapping
        The environment.

    Raises
    ------
    InputError
        As `from_file`.
    """
    return from_variable(variable, environ) if file is None else from_file(file)
