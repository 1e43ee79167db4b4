"""One session's file: events go in, a seal follows, the disk has it, then it is said so.

The rules of a writer: one write for a batch, one sync, then the acknowledgement. After any
error the file is dead: nobody knows what is on the disk, and a second sync may say yes
without having written (the lesson of PostgreSQL). Nothing is ever cut off or repaired.
A file that its path does not lead to any more (deleted, renamed, unmounted) is dead, too:
what goes into it, nobody finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.audit.disk import SHARED, Clock, Io, make_folders, write_all
from napari_medlabel.audit.faults import error_name, log_error
from napari_medlabel.audit.format.canonical import MAX_INT
from napari_medlabel.audit.format.event import Actor, Event
from napari_medlabel.audit.format.merkle import NO_LEAF, Frontier, leaf_hash
from napari_medlabel.audit.format.record import CLOCK_TOLERANCE_MS, Place, line_of
from napari_medlabel.audit.format.seal import Head, SessionKey, to_base64

_LEAF: Final = 32
_SLEW: Final = 2000  # a time server may bend the clock by 1 in 2000 without setting it


@dataclass(frozen=True, slots=True)
class _Batch:
    """The bytes of one write, and what the chain is after it."""

    data: bytes
    tree: Frontier
    leaves: list[bytes]
    head: Head
    signature: bytes


def _seal_line(before: int, head: Head, signature: bytes) -> bytes:
    """Return the seal's canonical line, without the cost of asking whether it is."""
    root, signed = to_base64(head.root), to_base64(signature)
    text = f'{{"seal":{{"from":{before},"root":"{root}","sig":"{signed}","size":{head.size}}}}}'
    return text.encode("ascii")


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
    signature : bytes
        As it stands in the seal of that write; empty before the first.
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
        self._path = path
        self._actor = actor
        self._clock = clock
        self._io = io
        self._tree = Frontier()
        self._prev = NO_LEAF
        self._leaves = bytearray()
        self.signature = b""
        self._started_ns = clock.mono_ns()
        self._offset = (clock.utc_ms(), 0)
        self.head = Head(origin, 0, self._tree.root())
        self.length = 0
        self.dead = ""
        make_folders(io, path.parent, SHARED)
        self._fd = io.create(path, SHARED)

    def _jump(self, utc_ms: int, mono_ns: int) -> list[Event]:
        """Return the event that says that the wall clock was set, if it was."""
        offset_ms = utc_ms - mono_ns // 1_000_000
        (before_ms, at_ns), self._offset = self._offset, (offset_ms, mono_ns)
        slewed_ms = (mono_ns - at_ns) // (1_000_000 * _SLEW)
        if abs(offset_ms - before_ms) <= CLOCK_TOLERANCE_MS + slewed_ms:
            return []
        delta_ms = offset_ms - before_ms
        return [Event("clock.jump", detail={"delta_ms": delta_ms})]

    def _batch(self, events: Sequence[Event]) -> _Batch:
        """Return the bytes of one write, and what the chain is after it."""
        utc_ms = self._clock.utc_ms()
        mono_ns = min(max(0, self._clock.mono_ns() - self._started_ns), MAX_INT)
        tree, prev, lines, leaves = self._tree.copy(), self._prev, [], []
        for event in (*self._jump(utc_ms, mono_ns), *events):
            line = line_of(event, self._actor, Place(tree.size, prev, utc_ms, mono_ns))
            prev = leaf_hash(line)
            tree.add(prev)
            leaves.append(prev)
            lines.append(line)
        head = Head(self.head.origin, tree.size, tree.root())
        signature = self._key.sign(head)
        lines.append(_seal_line(self.head.size, head, signature))
        return _Batch(b"\n".join(lines) + b"\n", tree, leaves, head, signature)

    def append(self, events: Sequence[Event]) -> int:
        """Write events and one seal, and return when the disk has them.

        Parameters
        ----------
        events : sequence of Event
            At least one.

        Returns
        -------
        int
            Number of the first of them in this session, from 0.

        Raises
        ------
        UnwritableError
            When the file is dead, or dies now. Nothing of the batch counts then.
        """
        if self.dead:
            raise log_error("The audit log cannot be written since an earlier error", self.dead)
        batch = self._batch(events)
        self.dead = "INTERRUPTED"  # until the disk has said yes; also when Ctrl-C comes between
        try:
            self._io.confirm(self._fd, self._path)
            write_all(self._io, self._fd, batch.data)
            self._io.sync(self._fd)
            self._io.confirm(self._fd, self._path)  # or it went away meanwhile
        except OSError as err:
            self.dead = error_name(err)
            raise log_error("The audit log could not be written", self.dead) from err
        self.dead = ""
        self._tree, self.head, self.signature = batch.tree, batch.head, batch.signature
        self._prev = batch.leaves[-1]
        for leaf in batch.leaves:
            self._leaves += leaf
        self.length += len(batch.data)
        return batch.head.size - len(events)

    @property
    def age_ns(self) -> int:
        """How long ago the session began."""
        return self._clock.mono_ns() - self._started_ns

    @property
    def is_in_place(self) -> bool:
        """Whether the file is where others look for it."""
        try:
            self._io.confirm(self._fd, self._path)
        except OSError:
            return False
        return True

    def read_back(self) -> bytes:
        """Return all that was written, also when the file is not in its place any more.

        Raises
        ------
        OSError
            When the disk does not give it back.
        """
        return self._io.read_back(self._fd)

    def leaves(self) -> list[bytes]:
        """Return the leaf hash of every acknowledged event."""
        raw = bytes(self._leaves)
        return [raw[at : at + _LEAF] for at in range(0, len(raw), _LEAF)]

    def release(self) -> None:
        """Drop the key and close the file."""
        self._key.drop()
        self._io.close(self._fd)
