"""Growing ten organs in the whole phantom, once each: the peers take minutes."""

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
SPLEEN = 2
WHOLE = "full answer, all 79 million voxels"


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


def answers(ct: Array, truth: Array, seeds: Array) -> list[Row]:
    """Measure the first answer, its refinement, and the full one."""
    from napari_medlabel.edit.grow.seeds import grow_coarse, grow_from_seeds, refine
    from napari_medlabel.edit.scene import Scene, whole

    there = Scene(np.zeros_like(truth).T, ct.T, SPACING_IJK)
    box = whole(there.shape)

    def told(proposal: Any) -> str:
        full = np.zeros(there.shape, np.uint8)
        full[proposal.box] = proposal.after
        return scores(full.T, truth)

    first_s, coarse = timed(lambda: grow_coarse(there, box, seeds.T, background=BACKGROUND))
    fine_s, fine = timed(lambda: refine(there, coarse))
    full_s, full = timed(lambda: grow_from_seeds(there, box, seeds.T, background=BACKGROUND))
    return [
        row(f"first answer, coarse ({told(coarse.proposal)})", first_s, 10.0),
        row(f"then refined at the borders ({told(fine)})", fine_s, 30.0),
        row(f"full answer at once ({told(full)})", full_s, 40.0),
    ]


def strokes(ct: Array, seeds: Array) -> list[Row]:
    """Measure the whole volume, then strokes that come and go."""
    from napari_medlabel.edit.grow.growth import Growth

    spare = np.zeros_like(seeds, dtype=bool)
    middle = int(np.median(np.flatnonzero((seeds == SPLEEN).any(axis=(1, 2)))))
    drawn = [z for z in np.flatnonzero((seeds == SPLEEN).any(axis=(1, 2))) if z >= middle]
    spare[drawn[0]] = seeds[drawn[0]] == SPLEEN
    regions = [
        (((seeds == v) & ~spare).T, 0 if v == BACKGROUND else v) for v in (*NAMES, BACKGROUND)
    ]
    growth = Growth(ct.T, SPACING_IJK)
    taken, _ = timed(lambda: growth.add_all(regions))
    rows = [row(WHOLE, taken, 40.0)]
    before = growth.labels.copy()
    # As the session hands it over: the numbers of its voxels, i counting fastest.
    stroke = np.flatnonzero(spare)
    taken, number = timed(lambda: growth.add(stroke, SPLEEN))
    rows.append(row("one more cross in an organ that has others", taken, 0.05))
    taken, _ = timed(lambda: growth.remove(number))
    assert np.array_equal(growth.labels, before), "removing must give the same bytes back"
    rows.append(row("this cross removed again, to the same bytes", taken, 0.2))
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
    return row(WHOLE, ours_s, 40.0, peer, taken)


def main() -> None:
    """Print the rows; ``--json`` as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    arguments = parser.parse_args()
    made = make_phantom()
    seeds = make_seeds(made.truth, NAMES)
    from napari_medlabel.edit.grow.warm import warm_up

    warm_up().join()
    rows = answers(made.ct, made.truth, seeds) + strokes(made.ct, seeds)
    full = next(r for r in rows if r["work"] == WHOLE)
    rows.append(watershed_peer(made.ct, made.truth, seeds, full["ours_s"]))
    print(json.dumps(rows, indent=2) if arguments.json else table(rows))


if __name__ == "__main__":
    main()
