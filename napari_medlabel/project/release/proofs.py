"""Proofs of inclusion (RFC 9162 section 2.1.3) of many lines under one head of the log."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from napari_medlabel.audit.format.merkle import leaf_hash


class Proofs:
    """Proofs of inclusion of many lines of one session; every node is hashed once.

    A level's last node without a neighbour rises as it is, which gives the tree of RFC 6962.

    Parameters
    ----------
    lines : sequence of bytes
        The events under one head.
    """

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._levels = [[leaf_hash(line) for line in lines]]
        while len(self._levels[-1]) > 1:
            self._levels.append(_above(self._levels[-1]))

    def leaf(self, index: int) -> bytes:
        """Return a line's leaf hash."""
        return self._levels[0][index]

    def proof(self, index: int) -> tuple[bytes, ...]:
        """Return what proves that a line is in the tree, the lowest hash first."""
        found = []
        for level in self._levels[:-1]:
            beside = index ^ 1
            if beside < len(level):
                found.append(level[beside])
            index //= 2
        return tuple(found)


def _above(level: Sequence[bytes]) -> list[bytes]:
    pairs = [
        sha256(b"\x01" + level[at] + level[at + 1]).digest()
        for at in range(0, len(level) - 1, 2)
    ]
    return [*pairs, level[-1]] if len(level) % 2 else pairs
