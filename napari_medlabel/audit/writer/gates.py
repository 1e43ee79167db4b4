"""Which events must stand in the log itself, and which are shown to others at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from napari_medlabel.audit.format.record import time_text
from napari_medlabel.errors import LogError

_GATED: Final = frozenset(
    {
        "deid.override",
        "deid.run",
        "export.begin",
        "export.done",
        "export.screen",
        "reid.export",
        "reid.lookup",
        "reid.table",
    }
)
_SHOWN: Final = ("export.", "key.", "reid.")


def is_gated(names: Iterable[str]) -> bool:
    """Return whether one of these events lets data leave, or names people again.

    That something failed (``export.fail``) is never refused: it lets nothing happen.
    """
    return not _GATED.isdisjoint(names)


def is_shown_at_once(names: Iterable[str]) -> bool:
    """Return whether the head is published as soon as one of these events is on the disk."""
    return any(name == "deid.override" or name.startswith(_SHOWN) for name in names)


def refusal(error: str, since_ms: int) -> LogError:
    """Return the error for an action that must wait until the log is back in its folder."""
    since = time_text(since_ms)[11:16]
    return LogError(
        f"What leaves must stand in the log itself, and the log is local since {since} UTC "
        f"({error}).",
        hint="Bring the folder of the log back (the network drive, room on the disk), then "
        "try again: what was written on this computer is taken over by itself.",
    )
