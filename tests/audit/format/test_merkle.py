"""The tree against RFC 6962: the published test vectors and the definition itself."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.audit.format.merkle import (
    EMPTY_ROOT,
    Frontier,
    inclusion_proof,
    leaf_hash,
    root_from_proof,
)

# Inputs and roots of the test vectors of the Certificate Transparency reference code.
_INPUTS = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]  # fmt: skip
_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def _tree(leaves: list[bytes]) -> bytes:
    """Return the root as RFC 6962 section 2.1 defines it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + _tree(leaves[:split]) + _tree(leaves[split:])).digest()


def test_the_published_vectors_come_out() -> None:
    tree = Frontier()
    assert tree.root() == EMPTY_ROOT
    for given_hex, root in zip(_INPUTS, _ROOTS, strict=True):
        tree.add(leaf_hash(bytes.fromhex(given_hex)))
        assert tree.root().hex() == root


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_the_frontier_gives_the_root_of_the_definition(leaves: list[bytes]) -> None:
    tree = Frontier()
    for leaf in leaves:
        tree.add(leaf_hash(leaf))
    assert (tree.size, tree.root()) == (len(leaves), _tree(leaves))


def test_a_copy_grows_alone() -> None:
    tree = Frontier()
    tree.add(leaf_hash(b"a"))
    twin = tree.copy()
    twin.add(leaf_hash(b"b"))
    assert (tree.size, twin.size) == (1, 2)
    assert tree.root() == _tree([b"a"])


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    """Return the audit path as RFC 6962 section 2.1.1 defines it."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*_path(index, leaves[:split]), _tree(leaves[split:])]
    return [*_path(index - split, leaves[split:]), _tree(leaves[:split])]


def test_every_proof_of_every_small_tree_is_that_of_the_definition_and_gives_its_root() -> None:
    for size in range(1, 71):
        leaves = [bytes([number]) for number in range(size)]
        hashes = [leaf_hash(leaf) for leaf in leaves]
        root = _tree(leaves)
        for index in range(size):
            proof = inclusion_proof(hashes, index)
            assert proof == _path(index, leaves)
            assert root_from_proof(hashes[index], index, size, proof) == root


def test_a_proof_of_another_place_length_or_leaf_does_not_give_the_root() -> None:
    for size in range(2, 20):
        hashes = [leaf_hash(bytes([number])) for number in range(size)]
        root = _tree([bytes([number]) for number in range(size)])
        for index in range(size):
            proof = inclusion_proof(hashes, index)
            assert root_from_proof(leaf_hash(b"other"), index, size, proof) != root
            for other in range(size):
                assert (other == index) == _gives(root, hashes[index], other, size, proof)
            assert not _gives(root, hashes[index], index, size, proof[:-1])
            assert not _gives(root, hashes[index], index, size, [*proof, bytes(32)])
            changed = [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]
            assert not _gives(root, hashes[index], index, size, changed)


def _gives(root: bytes, leaf: bytes, index: int, size: int, proof: list[bytes]) -> bool:
    try:
        return root_from_proof(leaf, index, size, proof) == root
    except ValueError:
        return False


def test_a_leaf_that_the_tree_does_not_have_has_no_proof() -> None:
    for index in (-1, 2):
        with pytest.raises(ValueError, match="does not have"):
            inclusion_proof([bytes(32)] * 2, index)
        with pytest.raises(ValueError, match="does not have"):
            root_from_proof(bytes(32), index, 2, [])


def test_a_proof_must_be_as_long_as_the_tree_is_deep() -> None:
    with pytest.raises(ValueError, match="shorter"):
        root_from_proof(bytes(32), 0, 2, [])
    with pytest.raises(ValueError, match="longer"):
        root_from_proof(bytes(32), 0, 1, [bytes(32)])
