"""Sessions whose time was over: who remembers them misses nothing."""

from __future__ import annotations

from collections.abc import Collection

from napari_medlabel.audit.format.seal import Head


def is_pruned(head: Head, ends: Collection[Head]) -> bool:
    """Return whether a head is of a session that an officer had deleted.

    Parameters
    ----------
    head : Head
        What somebody remembers of the session.
    ends : collection of Head
        Ends of the deleted sessions, as the officer signed them. A remembered head of the
        same size must be the same; what came before an end can be compared no more.
    """
    return any(
        end.origin == head.origin and (end == head or head.size < end.size) for end in ends
    )
