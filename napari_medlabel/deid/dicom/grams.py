"""Tell fast that none of some words is in a lot of bytes, by the pairs of bytes they hold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

_PAIRS = 2
_MOST_CANDIDATES = 50_000


@dataclass(frozen=True)
class Grams:
    """Words by the two pairs of bytes with which they can start at an even place.

    Parameters
    ----------
    first, second : array of bool, (65536,)
        Whether a pair, as a little-endian number, is one of a word's.
    starts : mapping of bytes to tuple of bytes
        Words by the four bytes that these pairs are in small letters.
    """

    first: NDArray[np.bool_]
    second: NDArray[np.bool_]
    starts: dict[bytes, tuple[bytes, ...]]

    def may_hold(self, content: bytes) -> bool:
        """Whether one of the words could be in some bytes; when not, none is.

        Parameters
        ----------
        content : bytes
            What is searched. Capitals and small letters are the same.
        """
        pairs = np.frombuffer(content, dtype="<u2", count=len(content) // 2)
        if len(pairs) < _PAIRS:
            return bool(content)
        hits = np.flatnonzero(self.first.take(pairs[:-1], mode="clip"))
        hits = hits[self.second.take(pairs[hits + 1], mode="clip")]
        if len(hits) > _MOST_CANDIDATES:
            return True
        return any(self._is_at(content, 2 * hit) for hit in hits.tolist())

    def _is_at(self, content: bytes, position: int) -> bool:
        """Whether a word starts here, or one byte before."""
        near = content[max(position - 1, 0) : position + 4].lower()
        words = self.starts.get(near[-4:], ())
        return any(
            content[max(position - shift, 0) : position - shift + len(word)].lower() == word
            for word in words
            for shift in (0, 1)
        )


def holds_wide_text(content: bytes) -> bool:
    """Whether four characters of UTF-16 whose other byte is zero stand in a row somewhere."""
    zero = np.frombuffer(content, dtype=np.uint8) == 0
    if len(zero) < 7:
        return False
    ends = zero[:-6] & zero[2:-4] & zero[4:-2] & zero[6:]
    return bool(np.any(ends & ~(zero[1:-5] | zero[3:-3] | zero[5:-1])))


@lru_cache(maxsize=8)
def grams_of(words: frozenset[bytes]) -> Grams:
    """Return the pairs of some words.

    Parameters
    ----------
    words : frozenset of bytes
        At least five bytes each, in lower case.
    """
    first, second = np.zeros(1 << 16, dtype=bool), np.zeros(1 << 16, dtype=bool)
    starts: dict[bytes, tuple[bytes, ...]] = {}
    for word in words:
        for start in (0, 1):
            four = word[start : start + 4]
            first[_numbers(four[:2])] = True
            second[_numbers(four[2:])] = True
            starts[four] = (*starts.get(four, ()), word)
    return Grams(first, second, starts)


def _numbers(pair: bytes) -> list[int]:
    """Return a pair in small letters and capitals, as little-endian numbers."""
    low, high = ({byte, bytes((byte,)).upper()[0]} for byte in pair)
    return [a | b << 8 for a, b in product(low, high)]
