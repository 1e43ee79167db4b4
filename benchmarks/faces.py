"""Faces: what is removed, what of the brain is lost, and the seconds; beside quickshear.

Both get the same invented heads; quickshear cannot find a brain and is given the true one.
Run ``python benchmarks/faces.py``, or with ``--json FILE`` to write the numbers down.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

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


def rows() -> dict[str, dict[str, dict[str, Any]]]:
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
        show(name, result[name])
    return result


def show(name: str, ways: dict[str, dict[str, Any]]) -> None:
    print(name)
    for way, row in ways.items():
        words = row.get("refused") or "  ".join(f"{key} {value}" for key, value in row.items())
        print(f"  {way:22s} {words}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    result = rows()
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
