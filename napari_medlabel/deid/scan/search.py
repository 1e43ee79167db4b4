"""Find any of hundreds of byte patterns fast, by the pairs of bytes that they begin with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_medlabel.deid.scan.words import Needle

PIXEL_BYTES = 8
"""The shortest pattern that proves something among pixels that are not compressed."""

# A letter or digit with a zero beyond it is no text: it is a length or the next group's number.
_BEFORE, _AFTER = re.compile(rb"(?:^|[^\0])[0-9a-z.]\Z"), re.compile(rb"[0-9a-z.](?:[^\0]|$)")
_LOWEST_LETTER = 0x2000

Table = NDArray[np.bool_]


@dataclass
class _Pairs:
    """First and second pair of bytes of patterns, and the patterns by their first bytes."""

    first: Table = field(default_factory=lambda: np.zeros(1 << 16, dtype=bool))
    second: Table = field(default_factory=lambda: np.zeros(1 << 16, dtype=bool))
    starts: dict[bytes, list[tuple[int, Needle]]] = field(default_factory=dict)

    def add(self, needle: Needle, shift: int) -> None:
        """Take in a pattern that is met `shift` bytes after its start."""
        four = needle.pattern[shift : shift + 4]
        for table, pair in ((self.first, four[:2]), (self.second, four[2:])):
            table[_numbers(pair)] = True
        self.starts.setdefault(four[:3], []).append((shift, needle))

    def copy(self) -> _Pairs:
        """Return the same, to be added to."""
        starts = {start: list(found) for start, found in self.starts.items()}
        return _Pairs(self.first.copy(), self.second.copy(), starts)


def _numbers(pair: bytes) -> list[int]:
    """Return a pair in both cases as little-endian numbers; of one byte with any second."""
    each = [{byte, bytes((byte,)).upper()[0]} for byte in pair]
    return [a | b << 8 for a in each[0] for b in (each[1] if len(each) > 1 else range(256))]


class Searcher:
    """Looks for patterns in headers, and for the long ones in pixels.

    Parameters
    ----------
    needles : iterable of Needle
        What is looked for.
    """

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._header, self._pixels = _Pairs(), _Pairs()
        for needle in dict.fromkeys(needles):
            self._header.add(needle, 0)
            self._add_plain(self._pixels, needle)

    @staticmethod
    def _add_plain(pairs: _Pairs, needle: Needle) -> None:
        if needle.plain:
            for shift in (0, 1):
                pairs.add(needle, shift)

    def in_text(
        self, content: bytes, extra: Iterable[Needle] = ()
    ) -> Iterator[tuple[int, Needle]]:
        """Yield the place of each pattern in some bytes.

        Parameters
        ----------
        content : bytes
            A header. Case does not count.
        extra : iterable of Needle
            A few patterns more.
        """
        lowered = content.lower()
        for position in _candidates(lowered + bytes(4), self._header, step=1):
            for _, needle in self._header.starts.get(lowered[position : position + 3], ()):
                if _is_at(lowered, position, needle):
                    yield position, needle
        for needle in extra:
            position = lowered.find(needle.pattern)
            while position >= 0:
                if _is_at(lowered, position, needle):
                    yield position, needle
                position = lowered.find(needle.pattern, position + 1)

    def in_pixels(
        self,
        content: bytes | memoryview,
        extra: Iterable[Needle] = (),
        *,
        shortest: int = PIXEL_BYTES,
    ) -> set[Needle]:
        """Return the patterns found in a part of the pixels.

        Parameters
        ----------
        content : bytes or memoryview
            The part, from an even place on.
        extra : iterable of Needle
            A few patterns more.
        shortest : int
            Patterns of fewer bytes prove nothing here.
        """
        if not self._pixels.starts and not extra:
            return set()
        pairs = np.frombuffer(content, dtype="<u2", count=len(content) // 2)
        if shortest >= PIXEL_BYTES and (not pairs.size or int(pairs.max()) < _LOWEST_LETTER):
            return set()  # every second byte is below the first printable character
        table = self._pixels
        more = [needle for needle in extra if needle.plain]
        if more:
            table = table.copy()
            for needle in more:
                self._add_plain(table, needle)
        return set(_found(bytes(content), table, shortest))


def _found(content: bytes, table: _Pairs, shortest: int) -> Iterator[Needle]:
    lowered = b""
    for position in _candidates(content, table, step=2):
        lowered = lowered or content.lower()
        for shift, needle in table.starts.get(lowered[position : position + 3], ()):
            long_enough = len(needle.pattern) >= shortest and position >= shift
            if long_enough and _is_at(lowered, position - shift, needle):
                yield needle


def _candidates(content: bytes, table: _Pairs, *, step: int) -> list[int]:
    """Return the places, `step` bytes apart, where a pattern could begin or be begun."""
    if len(content) < 4:
        return []
    parts = []
    for offset in range(0, 2, step):
        pairs = np.frombuffer(
            content, dtype="<u2", offset=offset, count=(len(content) - offset) // 2
        )
        hits = np.flatnonzero(table.first.take(pairs[:-1], mode="clip"))
        parts.append(2 * hits[table.second.take(pairs[hits + 1], mode="clip")] + offset)
    return list(np.concatenate(parts).tolist())


def _is_at(lowered: bytes, position: int, needle: Needle) -> bool:
    """Whether a pattern is here, and stands alone where it must."""
    if not lowered.startswith(needle.pattern, position):
        return False
    if not needle.alone:
        return True
    after = position + len(needle.pattern)
    before = lowered[max(position - 2, 0) : position]
    return not (_BEFORE.search(before) or _AFTER.match(lowered, after))
