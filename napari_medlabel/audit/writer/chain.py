"""One session's file: events go in, a seal follows, the disk has it, then it is said so.

The rules of a writer: one write for a batch, one sync, then the acknowledgement. After any
error the file is dead: nobody knows what is on the disk, and a second sync may say yes
without having written (the lesson of PostgreSQL). Nothing is ever cut off or repaired.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from napari_medlabel.audit.disk import Clock, Io, make_folders, write_all
from napari_medlabel.audit.faults import error_name, log_error
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.event import Actor, Event
from napari_medlabel.audit.format.merkle import NO_LEAF, Frontier, leaf_hash
from napari_medlabel.audit.format.record import CLOCK_TOLERANCE_MS, Place, line_of
from napari_medlabel.audit.format.seal import Head, SessionKey, to_base64

_SLEW: Final = 2000  # a time server may bend the clock by 1 in 2000 without setting it


class SessionFile:
    """The file of one session, open for appending.

    Parameters
    ----------
    path : Path
        File to be created.
    key : SessionKey
        Signs the seals.
    origin : str
        Of the session.
    actor : Actor
        Who acts.
    clock, io : Clock, Io
        The machine.

    Attributes
    ----------
    head : Head
        After the last acknowledged write.
    length : int
        Bytes written.
    dead : str
        Name of the error that ended it, or empty.

    Raises
    ------
    OSError
        When the file cannot be created.
    """

    def __init__(
        self, path: Path, key: SessionKey, origin: str, actor: Actor, clock: Clock, io: Io
    ) -> None:
        self._key = key
        self._actor = actor
        self._clock = clock
        self._io = io
        self._tree = Frontier()
        self._prev = NO_LEAF
        self._started_ns = clock.mono_ns()
        self._offset = (clock.utc_ms(), 0)
        self.head = Head(origin, 0, self._tree.root())
        self.length = 0
        self.dead = ""
        make_folders(io, path.parent)
        self._fd = io.create(path)

    def _jump(self, utc_ms: int, mono_ns: int) -> list[Event]:
        """Return the event that says that the wall clock was set, if it was."""
        offset_ms = utc_ms - mono_ns // 1_000_000
        (before_ms, at_ns), self._offset = self._offset, (offset_ms, mono_ns)
        slewed_ms = (mono_ns - at_ns) // (1_000_000 * _SLEW)
        if abs(offset_ms - before_ms) <= CLOCK_TOLERANCE_MS + slewed_ms:
            return []
        delta_ms = offset_ms - before_ms
        return [Event("clock.jump", detail={"delta_ms": delta_ms})]

    def _batch(self, events: Sequence[Event]) -> tuple[bytes, Frontier, bytes, Head]:
        """Return the bytes of one write, and what the chain is after it."""
        utc_ms = self._clock.utc_ms()
        mono_ns = max(0, self._clock.mono_ns() - self._started_ns)
        tree, prev, lines = self._tree.copy(), self._prev, []
        for event in (*self._jump(utc_ms, mono_ns), *events):
            line = line_of(event, self._actor, Place(tree.size, prev, utc_ms, mono_ns))
            prev = leaf_hash(line)
            tree.add(prev)
            lines.append(line)
        head = Head(self.head.origin, tree.size, tree.root())
        seal = {
            "from": self.head.size,
            "root": to_base64(head.root),
            "sig": to_base64(self._key.sign(head)),
            "size": head.size,
        }
        lines.append(canonical.encode({"seal": seal}))
        return b"\n".join(lines) + b"\n", tree, prev, head

    def append(self, events: Sequence[Event]) -> None:
        """Write events and one seal, and return when the disk has them.

        Parameters
        ----------
        events : sequence of Event
            At least one.

        Raises
        ------
        LogError
            When the file is dead, or dies now. Nothing of the batch counts then.
        """
        if self.dead:
            raise log_error("The audit log cannot be written since an earlier error", self.dead)
        data, tree, prev, head = self._batch(events)
        self.dead = "INTERRUPTED"  # until the disk has said yes; also when Ctrl-C comes between
        try:
            write_all(self._io, self._fd, data)
            self._io.sync(self._fd)
        except OSError as err:
            self.dead = error_name(err)
            raise log_error("The audit log could not be written", self.dead) from err
        self.dead = ""
        self._tree, self._prev, self.head = tree, prev, head
        self.length += len(data)

    def release(self) -> None:
        """Drop the key and close the file."""
        self._key.drop()
        self._io.close(self._fd)
