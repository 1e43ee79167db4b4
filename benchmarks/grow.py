"""Growing ten organs in the whole phantom: once each, for a run takes minutes with the peers."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from _measure import Row, peak_mb, table
from phantom import BACKGROUND, NAMES, SPACING_ZYX_MM, dice, make_phantom, make_seeds

Array = npt.NDArray[Any]
SPACING_IJK = SPACING_ZYX_MM[::-1]


def timed(do: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU seconds of all threads, and what came of it."""
    start = time.process_time()
    found = do()
    return time.process_time() - start, found


def row(
    work: str,
    ours_s: float,
    limit_s: float,
    peer: str = "limit of the issue",
    peer_s: float | None = None,
) -> Row:
    """Return a row: beside a peer, or beside the time that it may take."""
    peer_s = limit_s if peer_s is None else peer_s
    return {
        "work": work,
        "ours_s": ours_s,
        "peer": peer,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "peak_mb": peak_mb(),
        "goal": 1.0,
        "met": ours_s <= limit_s,
        "unit": "s",
    }


def scores(found: Array, truth: Array) -> str:
    """Return the mean and the least Dice of the organs, in words."""
    each = dice(found, truth, NAMES).values()
    return f"mean Dice {np.mean(list(each)):.3f}, least {min(each):.3f}"


def ours(ct: Array, truth: Array, seeds: Array) -> list[Row]:
    """Measure ours: coarse, full, a stroke more, a stroke less, against growing anew."""
    from napari_medlabel.edit.grow.growth import Growth
    from napari_medlabel.edit.grow.seeds import grow_coarse, grow_from_seeds, refine
    from napari_medlabel.edit.grow.warm import warm_up
    from napari_medlabel.edit.scene import Scene, whole

    warm_up().join()
    there = Scene(np.zeros_like(truth).T, ct.T, SPACING_IJK)
    box = whole(there.shape)

    def labels_of(proposal: Any) -> Array:
        full = np.zeros(there.shape, np.uint8)
        full[proposal.box] = proposal.after
        return full.T

    rows = []
    taken, coarse = timed(lambda: grow_coarse(there, box, seeds.T, background=BACKGROUND))
    quality = scores(labels_of(coarse.proposal), truth)
    rows.append(row(f"first answer, coarse ({quality})", taken, 10.0))
    taken, fine = timed(lambda: refine(there, coarse))
    rows.append(row(f"refined at the borders ({scores(labels_of(fine), truth)})", taken, 30.0))
    taken, full = timed(lambda: grow_from_seeds(there, box, seeds.T, background=BACKGROUND))
    rows.append(row(f"full answer ({scores(labels_of(full), truth)})", taken, 40.0))
    del coarse, fine, full
    strokes = [((seeds == v).T, 0 if v == BACKGROUND else v) for v in (*NAMES, BACKGROUND)]
    growth = Growth(ct.T, SPACING_IJK)
    taken, ids = timed(lambda: growth.add_all(strokes[:-2] + strokes[-1:]))
    rows.append(row("full answer, all 79 million voxels", taken, 40.0))
    before = growth.labels.copy()
    stroke, value = strokes[-2]
    taken, number = timed(lambda: growth.add(stroke, value))
    rows.append(row("one more organ's strokes", taken, 0.05))
    taken, _ = timed(lambda: growth.remove(number))
    assert np.array_equal(growth.labels, before), "removing must give the same bytes back"
    rows.append(row("these strokes removed (same bytes as before)", taken, 0.2))
    one = np.zeros(there.shape, bool)
    centre = np.argwhere(stroke)[0]
    one[tuple(slice(int(c), int(c) + 3) for c in centre)] = True
    taken, number = timed(lambda: growth.add(one, value))
    rows.append(row("one more stroke", taken, 0.05))
    taken, _ = timed(lambda: growth.remove(number))
    assert np.array_equal(growth.labels, before), "removing must give the same bytes back"
    rows.append(row("one stroke removed (same bytes as before)", taken, 0.2))
    return rows


def watershed_peer(ct: Array, truth: Array, seeds: Array, ours_s: float) -> Row:
    """Measure scikit-image's watershed on the same seeds, the gradient included."""
    from scipy import ndimage
    from skimage.segmentation import watershed

    def flood() -> Array:
        clipped = np.clip(ct, -200, 300).astype(np.float32)
        gradient = ndimage.gaussian_gradient_magnitude(clipped, (0.5, 1, 1))
        found: Array = watershed(gradient, seeds.astype(np.int32))
        return found

    taken, found = timed(flood)
    peer = f"skimage watershed ({scores(found, truth)})"
    return row("full answer, all 79 million voxels", ours_s, 40.0, peer, taken)


def main() -> None:
    """Print the rows; ``--json`` as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    arguments = parser.parse_args()
    made = make_phantom()
    seeds = make_seeds(made.truth, NAMES)
    rows = ours(made.ct, made.truth, seeds)
    full = next(r for r in rows if r["work"].startswith("full answer, all"))
    rows.append(watershed_peer(made.ct, made.truth, seeds, full["ours_s"]))
    print(json.dumps(rows, indent=2) if arguments.json else table(rows))


if __name__ == "__main__":
    main()
