"""The Merkle tree of RFC 6962: leaf hashes, a frontier that grows, and its root."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

EMPTY_ROOT: Final = sha256(b"").digest()
"""Root of a tree without leaves (RFC 6962 section 2.1)."""

NO_LEAF: Final = bytes(32)
"""What the first event names as the event before it."""


def leaf_hash(line: bytes) -> bytes:
    """Return SHA-256(0x00 || line), the leaf hash of one event (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + line).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the perfect subtrees that cover all leaves so far: O(log n) memory.

    Attributes
    ----------
    size : int
        Number of leaves.
    """

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Add one leaf hash at the right."""
        carried = self.size
        self.size += 1
        while carried & 1:
            leaf = _node(self._peaks.pop(), leaf)
            carried >>= 1
        self._peaks.append(leaf)

    def root(self) -> bytes:
        """Return the tree's root, 32 bytes (RFC 6962 section 2.1)."""
        if not self._peaks:
            return EMPTY_ROOT
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = _node(peak, found)
        return found

    def copy(self) -> Frontier:
        """Return a frontier that grows on its own."""
        twin = Frontier()
        twin.size = self.size
        twin._peaks = self._peaks.copy()
        return twin
