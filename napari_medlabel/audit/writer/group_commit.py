"""Group commit: what threads append at the same moment shares one write and one sync."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from napari_medlabel.audit.faults import log_error
from napari_medlabel.audit.format.event import Event
from napari_medlabel.errors import LogError


class _Ticket:
    """Events of one thread that wait for a write."""

    __slots__ = ("done", "error", "events", "last")

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.last = -1
        self.error: LogError | None = None
        self.done = False


class GroupCommit:
    """Gathers the events of threads while the disk is busy with those before.

    Parameters
    ----------
    write : callable
        Takes events, returns the number of the first when all are on the disk; raises
        LogError, and then none of them counts. Called by one thread at a time.

    Attributes
    ----------
    lock : threading.RLock
        Held while it writes.
    """

    def __init__(self, write: Callable[[Sequence[Event]], int]) -> None:
        self.lock = threading.RLock()
        self._write = write
        self._waiting: deque[_Ticket] = deque()

    def append(self, events: Sequence[Event]) -> int:
        """Return the number of the last of the events, when they are on the disk.

        Parameters
        ----------
        events : sequence of Event
            At least one.

        Raises
        ------
        LogError
            As the write.
        """
        ticket = _Ticket(events)
        self._waiting.append(ticket)
        with self.lock:  # whoever is first writes for all who came meanwhile
            if not ticket.done:
                self._commit()
        if ticket.error is not None:
            raise ticket.error
        return ticket.last

    def _commit(self) -> None:
        """Write what waits, in one batch, and tell each thread how it went."""
        group = [self._waiting.popleft() for _ in range(len(self._waiting))]
        # An interrupt ends the write in this thread; the others hear that it failed.
        error: LogError | None = log_error("The audit log could not be written", "INTERRUPTED")
        last = -1
        try:
            last += self._write([event for ticket in group for event in ticket.events])
            error = None
        except LogError as err:
            error = err
        finally:
            for ticket in group:
                last += len(ticket.events)
                ticket.last, ticket.error, ticket.done = last, error, True
