"""The name of a case: a content id of its scan, computed from files or from a sidecar."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from napari_medlabel.geometry.grid import Grid


def name_case(
    grid: Grid, sha256: Sequence[str], planes: Sequence[Sequence[int]] | None = None
) -> str:
    """Return ``sha256:<hex>`` over a scan's grid and its files.

    Parameters
    ----------
    grid : Grid
        The scan's.
    sha256 : sequence of str
        Hex digests of its files, in slice order.
    planes : sequence, optional
        File and frame of each slice, where it is not simply file after file.
    """
    digest = hashlib.sha256(b"medlabel-case-1\n")
    digest.update(f"{grid.shape}\n".encode())
    digest.update(grid.affine.matrix.astype("<f8").tobytes())
    digest.update("\n".join(sha256).encode())
    if planes is not None:
        pairs = tuple(tuple(int(n) for n in plane) for plane in planes)
        digest.update(f"\n{pairs}".encode())
    return f"sha256:{digest.hexdigest()}"
