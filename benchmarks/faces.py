"""Faces: what is removed, what of the brain is lost, and the seconds; beside quickshear.

Both get the same invented heads; quickshear cannot find a brain and is given the true one.
``--table`` prints every head with each part of its face.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from _measure import Side, Work, main

sys.path.insert(0, str(Path(__file__).parents[1]))

from napari_medlabel.deid.faces.finding import FaceUnsure, find_face
from tests.deid.head_phantom import (
    PARTS,
    Head,
    Scanned,
    as_mr,
    grid_around,
    scanned,
    with_headrest,
)

Bools = npt.NDArray[np.bool_]
SPACING: Final = (1.0, 1.0, 1.5)
HEADS: Final[dict[str, dict[str, Any]]] = {
    "usual": {},
    "chin up 18 degrees": {"pose": (18.0, 0.0, 0.0)},
    "chin down 15 degrees": {"pose": (-15.0, 0.0, 0.0)},
    "askew": {"pose": (0.0, 8.0, 12.0)},
    "small": {"scale": 0.9},
    "large": {"scale": 1.08},
    "long nose and chin": {"head": Head(nose=1.3, chin=1.4)},
    "flat nose, thin bone": {"head": Head(nose=0.7, chin=0.6, skull_mm=5)},
    "broad": {"head": Head(wide=1.1, long=0.92)},
}


def ours(scan: Scanned, modality: str, *, with_mask: bool) -> Bools:
    """Blank by the project's method."""
    image = scan.hu if modality == "CT" else as_mr(scan)
    brain = scan.brain if with_mask else None
    return find_face(image, scan.matrix, modality=modality, brain=brain).mask()


def quickshear(scan: Scanned) -> Bools:
    """Blank by quickshear, with the true brain."""
    import nibabel as nib
    from quickshear import quickshear as shear

    ones = nib.Nifti1Image(np.ones(scan.hu.shape, dtype=np.uint8), scan.matrix)
    brain = nib.Nifti1Image(scan.brain.astype(np.uint8), scan.matrix)
    return np.asarray(shear(ones, brain).dataobj) == 0


def measured(scan: Scanned, way: Callable[[], Bools]) -> dict[str, Any]:
    """Return shares, brain voxels lost and CPU seconds; or the reason of a refusal."""
    start = time.process_time()
    try:
        mask = way()
    except FaceUnsure as err:
        return {"refused": err.doubt.value}
    seconds = time.process_time() - start
    body = scan.hu > -300
    row: dict[str, Any] = {
        "brain_lost": int((mask & scan.brain).sum()),
        "face": share(mask, scan.face),
        "body": share(mask, body),
        "cpu_s": round(seconds, 2),
    }
    return row | {name: share(mask, scan.parts[name]) for name in PARTS}


def share(mask: Bools, part: Bools) -> float:
    """Return how much of a part a mask takes."""
    return round(float((mask & part).sum() / max(1, part.sum())), 3)


def rows(*, told: bool = False) -> dict[str, dict[str, dict[str, Any]]]:
    """Measure all heads in all ways."""
    has_peer = importlib.util.find_spec("quickshear") is not None
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for name, changed in HEADS.items():
        scan = with_headrest(scanned(*grid_around(SPACING), **changed))
        bare = scanned(*grid_around(SPACING), **changed)
        result[name] = {
            "CT, no mask": measured(scan, lambda scan=scan: ours(scan, "CT", with_mask=False)),
            "MR, true mask": measured(bare, lambda scan=bare: ours(scan, "MR", with_mask=True)),
        }
        if has_peer:
            result[name]["quickshear, true mask"] = measured(
                bare, lambda scan=bare: quickshear(scan)
            )
        if told:
            show(name, result[name])
    return result


def show(name: str, ways: dict[str, dict[str, Any]]) -> None:
    print(name)
    for way, row in ways.items():
        words = row.get("refused") or "  ".join(f"{key} {value}" for key, value in row.items())
        print(f"  {way:22s} {words}")


@cache
def all_rows() -> dict[str, dict[str, dict[str, Any]]]:
    """Measure once; each row of the table is taken from this."""
    return rows()


def left(way: str, part: str) -> Side:
    """Return the per cent of a part that the worst of the heads keeps; 0.1 stands for less."""

    def run(_number: int) -> float:
        ways = [head[way] for head in all_rows().values()]
        return max(0.1, round(100 * max(1 - row.get(part, 0.0) for row in ways), 1))

    return Side(run)


def seconds(way: str) -> Side:
    """Return the CPU seconds of the median head."""
    return Side(lambda _number: median(h[way].get("cpu_s", 0.0) for h in all_rows().values()))


def one_head(_folder: Path) -> None:
    """Do what the peak of memory is measured of."""
    ours(scanned(*grid_around(SPACING)), "MR", with_mask=True)


def works() -> tuple[Work, ...]:
    """Return the rows: what is left of faces in the worst case, and the time."""
    mask, peer = "MR, true mask", "quickshear, true mask"
    unable = "" if importlib.util.find_spec("quickshear") else "quickshear is not installed"
    parts = [
        Work(
            f"{part} left, worst of nine heads, brain mask given",
            lambda _folder, part=part: left(mask, part),
            "quickshear",
            lambda _folder, part=part: left(peer, part),
            1,
            repeats=1,
            inside=one_head,
            unit="%",
            unable=unable,
        )
        for part in ("face", *PARTS)
    ]
    timed = Work(
        "finding and cutting, median head",
        lambda _folder: seconds(mask),
        "quickshear, one plane",
        lambda _folder: seconds(peer),
        None,
        repeats=1,
        inside=one_head,
        unable=unable,
    )
    return (*parts, timed)


if __name__ == "__main__":
    if "--table" in sys.argv:
        rows(told=True)
    else:
        main(__file__, works())
