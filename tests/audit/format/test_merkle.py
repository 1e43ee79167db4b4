"""The tree against RFC 6962: the published test vectors and the definition itself."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.audit.format.merkle import EMPTY_ROOT, Frontier, leaf_hash

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
