"""What the commands about a log share: which log is meant, and a trace of having used it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def root_of(arguments: argparse.Namespace) -> Path:
    """Return the log's folder: ``ROOT`` of the command line, or this user's own."""
    from napari_medlabel.audit.writer.place import default_root

    root: Path | None = arguments.root
    return default_root() if root is None else root


def trace(event: str, detail: Mapping[str, object], *, outcome: int | None = None) -> None:
    """Note in this computer's own log that a log was used.

    Looking must stay possible where nothing can be written: a failure is said, not raised.

    Parameters
    ----------
    event : str
        Name from the closed list.
    detail : mapping
        As its schema names it.
    outcome : int, optional
        The event's usual one by default.
    """
    trace_all([(event, detail, outcome)])


def trace_all(events: Sequence[tuple[str, Mapping[str, object], int | None]]) -> None:
    """Note several things in one session of this computer's own log; see `trace`.

    Parameters
    ----------
    events : sequence of (str, mapping, int or None)
        Event, detail and outcome; none does nothing.
    """
    from napari_medlabel.audit.writer.place import open_log
    from napari_medlabel.errors import LogError

    if not events:
        return
    try:
        with open_log(role="unknown") as log:
            for event, detail, outcome in events:
                log.append(event, detail=detail, outcome=outcome)
    except LogError as err:
        print(f"medlabel: not noted in the log: {err.message} {err.hint}", file=sys.stderr)
