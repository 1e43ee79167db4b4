"""Long lists of seals, anchors and replaced masks, in some forty bytes for each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from napari_medlabel.audit.format.layout import writer_of
from napari_medlabel.audit.format.seal import Head

OUTSIDE: Final = frozenset({"witness", "receipt", "paper"})
"""Kinds of anchors that no workstation can reach."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that somebody else holds.

    Parameters
    ----------
    head : Head
        What it was.
    holder : str
        Who says so, in words.
    kind : str
        ``memory``, ``published``, ``witness``, ``receipt``, ``paper``, or the event that
        holds it.
    at_ms : int
        When it was taken, milliseconds since 1970; 0 where nobody says.
    by : str
        Writer whose session holds it; empty for all others.
    """

    head: Head
    holder: str
    kind: str
    at_ms: int = 0
    by: str = ""

    @property
    def is_outside(self) -> bool:
        """Whether it lies out of reach of the computer that wrote the session."""
        return self.kind in OUTSIDE or bool(self.by and self.by != writer_of(self.head.origin))


class Seals:
    """Every sealed size of a session and its root: 40 bytes each."""

    def __init__(self) -> None:
        self._sizes = array("Q")
        self._roots = bytearray()

    def add(self, size: int, root: bytes) -> None:
        """Add the next seal."""
        self._sizes.append(size)
        self._roots += root

    def root(self, size: int) -> bytes | None:
        """Return the root sealed at a size, or None where nothing was sealed."""
        index = bisect_left(self._sizes, size)
        if index == len(self._sizes) or self._sizes[index] != size:
            return None
        return bytes(self._roots[32 * index : 32 * index + 32])


class Held:
    """The heads of other sessions that the sealed events of one session hold.

    A head that is held twice in a row counts once: the first moment tells most.

    Parameters
    ----------
    file : str
        The session's file, as it is called in findings.
    writer : str
        Whose session it is.
    """

    def __init__(self, file: str, writer: str) -> None:
        self._file = file
        self._writer = writer
        self._origins: list[str] = []
        self._kinds: list[str] = []
        self._index: dict[str, int] = {}
        self._last: dict[tuple[int, str], Head] = {}
        self._whose = array("L")
        self._kind = array("B")
        self._sizes = array("Q")
        self._lines = array("L")
        self._times = array("Q")
        self._roots = bytearray()

    def add(self, head: Head, kind: str, line: int, at_ms: int) -> None:
        """Add a head with the event that holds it, its line, and when."""
        whose = self._index.setdefault(head.origin, len(self._origins))
        if whose == len(self._origins):
            self._origins.append(head.origin)
        if kind not in self._kinds:
            self._kinds.append(kind)
        if self._last.get((whose, kind)) == head:
            return
        self._last[whose, kind] = head
        self._whose.append(whose)
        self._kind.append(self._kinds.index(kind))
        self._sizes.append(head.size)
        self._lines.append(line)
        self._times.append(at_ms)
        self._roots += head.root

    def __iter__(self) -> Iterator[Anchor]:
        for index, size in enumerate(self._sizes):
            root = bytes(self._roots[32 * index : 32 * index + 32])
            yield Anchor(
                Head(self._origins[self._whose[index]], size, root),
                f"the session in {self._file}, line {self._lines[index]}",
                self._kinds[self._kind[index]],
                self._times[index],
                self._writer,
            )


class Replaced:
    """The masks that sealed events put other ones in the place of: line and content."""

    def __init__(self) -> None:
        self._lines = array("L")
        self._digests = bytearray()

    def add(self, line: int, digest: str) -> None:
        """Add a mask by the 64 hex digits of its content."""
        self._lines.append(line)
        self._digests += bytes.fromhex(digest)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        for index, line in enumerate(self._lines):
            yield line, self._digests[32 * index : 32 * index + 32].hex()
