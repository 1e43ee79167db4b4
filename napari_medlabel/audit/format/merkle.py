"""The Merkle tree of RFC 6962: leaf hashes, a frontier that grows, its root, and proofs."""

from __future__ import annotations

from collections.abc import Sequence
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


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return what proves that a leaf is in the tree of all leaves (RFC 9162 section 2.1.3.1).

    Parameters
    ----------
    leaves : sequence of bytes
        Leaf hashes, in order.
    index : int
        Which leaf, from 0.

    Returns
    -------
    list of bytes
        At most as many hashes as the tree is deep, the lowest first.

    Raises
    ------
    ValueError
        When there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError("a proof was asked for a leaf that the tree does not have")
    proof, level = [], list(leaves)
    while len(level) > 1:
        if index ^ 1 < len(level):
            proof.append(level[index ^ 1])
        alone = level[-1:] if len(level) & 1 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [_node(left, right) for left, right in pairs] + alone
        index >>= 1
    return proof


def root_from_proof(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root of the tree that a proof speaks of (RFC 9162 section 2.1.3.2).

    Parameters
    ----------
    leaf : bytes
        Leaf hash.
    index : int
        Its place, from 0.
    size : int
        Number of leaves in the tree.
    proof : sequence of bytes
        As `inclusion_proof` gives it.

    Returns
    -------
    bytes
        To be compared with the root that somebody signed.

    Raises
    ------
    ValueError
        When a proof of that length cannot be of that leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise ValueError("a proof speaks of a leaf that the tree does not have")
    last, root = size - 1, leaf
    for sibling in proof:
        if not last:
            raise ValueError("a proof is longer than the tree is deep")
        if index & 1 or index == last:
            root = _node(sibling, root)
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            root = _node(root, sibling)
        index >>= 1
        last >>= 1
    if last:
        raise ValueError("a proof is shorter than the tree is deep")
    return root
