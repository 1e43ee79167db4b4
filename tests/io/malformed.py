"""Broken and hostile input, made on the spot: what each case is, and what is wanted of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

SECRETS = ("Invented", "INVENTED-7", "HOUSE")
"""Identifying values in the headers: they may stand in no message."""

Want = Literal["refused", "warned", "read", "careful"]
Probe = tuple[tuple[float, float, float], float]


@dataclass(frozen=True)
class Case:
    """One broken input.

    Parameters
    ----------
    name : str
        In words.
    want : str
        ``"refused"``; ``"warned"``: read with a warning; ``"read"``: read rightly, because
        nothing is lost; ``"careful"``: refused or read with a warning, or every probe right,
        but never silently something else.
    build : callable
        Writes it into an empty folder; returns what to open.
    phrase : str
        Pattern that the message, or for ``"warned"`` a warning, must match.
    probes : tuple
        Places (RAS mm) and the values that are there.
    """

    name: str
    want: Want
    build: Callable[[Path], Path]
    phrase: str = ""
    probes: tuple[Probe, ...] = ()


def value(i: int, j: int, k: int) -> int:
    """Return the stored value of the invented scans at a voxel: each has its own."""
    return 100 * k + 10 * j + i


def block(columns: int = 6, rows: int = 5, slices: int = 5) -> np.ndarray:
    """Return the voxels of the invented scan, shape (k, j, i), int16."""
    k, j, i = np.indices((slices, rows, columns))
    return (100 * k + 10 * j + i).astype(np.int16)


def probes(
    affine: np.ndarray, slices: Sequence[int], columns: int = 6, rows: int = 5
) -> tuple[Probe, ...]:
    """Return corners and an inner voxel of some slices, by an affine to RAS mm."""
    found = []
    for k in slices:
        for i, j in ((0, 0), (columns - 1, 0), (0, rows - 1), (2, 3)):
            x, y, z, _ = affine @ (i, j, k, 1)
            found.append(((float(x), float(y), float(z)), float(value(i, j, k))))
    return tuple(found)


def deflated_zeros(count_mb: int) -> bytes:
    """Return megabytes of zeros as raw deflate blocks that stand by themselves, unfinished."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return one * count_mb


def all_cases() -> list[Case]:
    """Return every case, in a stable order."""
    from tests.io import malformed_codecs, malformed_dicom, malformed_files, malformed_system

    areas = (malformed_dicom, malformed_codecs, malformed_files, malformed_system)
    found = [case for area in areas for case in area.cases()]
    if len({case.name for case in found}) < len(found):
        raise ValueError("Two cases have the same name.")
    return found
