"""What the log says when the disk does not take it."""

from __future__ import annotations

import errno
from typing import Final

from napari_medlabel.errors import LogError

_ERRORS: Final = {"EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES"}
_HINTS: Final = {
    "ENOSPC": "The disk is full: make room, then start again.",
    "EDQUOT": "Your share of the disk is used up: make room, then start again.",
    "EROFS": "The disk cannot be written: check how it is mounted, then start again.",
    "EACCES": "You may not write there: check the rights of the folder, then start again.",
}
FULL: Final = frozenset({"ENOSPC", "EDQUOT"})
"""Errors that room on the disk would cure."""

_HINT: Final = (
    "Check the disk or the network drive of the log (MEDLABEL_AUDIT_DIR), then start again. "
    "What needs the log does not happen; painting and its recovery journal go on."
)


class UnwritableError(LogError):
    """The disk did not take it, or does not give it back.

    Parameters
    ----------
    message, hint : str
        As in `MedlabelError`.
    error : str
        Name of the error, one that ``audit.fail`` takes.
    """

    def __init__(self, message: str, *, hint: str = "", error: str = "OTHER") -> None:
        super().__init__(message, hint=hint)
        self.error = error

    @property
    def full(self) -> bool:
        """Whether there is no room left."""
        return self.error in FULL


class SessionOverError(LogError):
    """The session was closed before the event came."""


def error_name(err: OSError) -> str:
    """Return the name of an error that the log knows, or OTHER."""
    name = errno.errorcode.get(err.errno or 0, "")
    return name if name in _ERRORS else "OTHER"


def log_error(what: str, name: str) -> UnwritableError:
    """Return the error for a log that cannot be written."""
    return UnwritableError(f"{what} ({name}).", hint=_HINTS.get(name, _HINT), error=name)
