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
_HINT: Final = (
    "Check the disk or the network drive of the log (MEDLABEL_AUDIT_DIR), then start again. "
    "What needs the log does not happen; painting and its recovery journal go on."
)


def error_name(err: OSError) -> str:
    """Return the name of an error that the log knows, or OTHER."""
    name = errno.errorcode.get(err.errno or 0, "")
    return name if name in _ERRORS else "OTHER"


def log_error(what: str, name: str) -> LogError:
    """Return the error for a log that cannot be written."""
    return LogError(f"{what} ({name}).", hint=_HINTS.get(name, _HINT))
