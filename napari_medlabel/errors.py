"""What can go wrong, in two sentences a user can act on: a message and a hint."""

from __future__ import annotations


class MedlabelError(Exception):
    """Base of every error that a user can meet.

    Parameters
    ----------
    message : str
        What was expected and what came. Never holds a header's value, a patient's name or
        the content of a file; a tag or a file's position in a list is named instead.
    hint : str, optional
        What to do about it.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(MedlabelError):
    """The input or the command is wrong: unreadable, incomplete, not what it says it is."""


class GeometryError(InputError):
    """Two grids that should be the same are not, or a grid cannot exist."""


class SeriesChoiceError(InputError):
    """A folder holds several series and none was chosen.

    Parameters
    ----------
    message, hint : str
        As in `MedlabelError`.
    choices : tuple of str
        What can be passed to ``--series``, one for each series found.
    """

    def __init__(self, message: str, *, hint: str = "", choices: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.choices = choices


class SaveError(MedlabelError):
    """A file could not be written, or did not read back as it was written."""


class RefusedError(MedlabelError):
    """A gate refused: identity found, review missing, no log."""

    exit_code = 3


class LogError(RefusedError):
    """The audit log cannot be written, so what needs it does not happen."""


class MissingPackageError(MedlabelError):
    """An optional package is needed and not installed."""
