"""The most memory that each editing tool takes, beside twice its crop and 100 MB."""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from _measure import Row, peak_mb, table
from phantom import BACKGROUND, NAMES, make_seeds
from segment import KIDNEY, LIVER, SIGMA_MM, SPACING_IJK, Array, muscle, prepare, scene, sparse

LABELS: Final = tuple(NAMES)
CROPS: Final = 2.0
ROOM_MB: Final = 100.0
Act = Callable[[Path], tuple[Callable[[], Any], Any]]


# -- the tools: each gives what is to be done, and the scene -------------------------------


def _on(labels: str, module: str, name: str, *about: Any, **options: Any) -> Act:
    """Return a tool on the whole scan: ``module.name(scene, box, *about, **options)``."""

    def ready(folder: Path) -> tuple[Callable[[], Any], Any]:
        from importlib import import_module

        from napari_medlabel.edit.scene import whole

        tool = getattr(import_module(f"napari_medlabel.edit.{module}"), name)
        array = np.load(folder / f"{labels}.npy")
        there = scene(folder, array)
        return partial(tool, there, whole(there.shape), *about, **options), there

    return ready


def _between(folder: Path) -> tuple[Callable[[], Any], Any]:
    from napari_medlabel.edit.between import fill_between
    from napari_medlabel.edit.scene import whole

    there = scene(folder, sparse(folder))
    return partial(fill_between, there, whole(there.shape), 2), there


def _flood(folder: Path) -> tuple[Callable[[], Any], Any]:
    from napari_medlabel.edit.flood import flood
    from napari_medlabel.edit.scene import whole

    there = scene(
        folder, np.zeros(np.load(folder / "truth.npy", mmap_mode="r").shape, np.uint8)
    )
    at = muscle(folder)
    return partial(flood, there, whole(there.shape), at, 1, low=-10.0, high=130.0), there


def _grow(
    folder: Path, *, first: bool = False, then: bool = False
) -> tuple[Callable[[], Any], Any]:
    from napari_medlabel.edit.grow.seeds import grow_coarse, grow_from_seeds, refine
    from napari_medlabel.edit.scene import whole

    there = scene(folder, "none")
    seeds = np.load(folder / "seeds.npy").T
    ask = {"background": BACKGROUND}
    box = whole(there.shape)
    if first:
        return lambda: grow_coarse(there, box, seeds, **ask).proposal, there
    if not then:
        return partial(grow_from_seeds, there, box, seeds, **ask), there
    return partial(refine, there, grow_coarse(there, box, seeds, **ask)), there


def _strokes(folder: Path) -> tuple[Callable[[], Any], Any]:
    """Grow, with strokes that come and go, as the panel does."""
    from napari_medlabel.edit.grow.growth import Growth

    there = scene(folder, "none")
    seeds = np.load(folder / "seeds.npy").T
    sown = [(np.flatnonzero((seeds == v).T), v % BACKGROUND) for v in (*LABELS, BACKGROUND)]

    def grow() -> Any:
        growth = Growth(there.image, SPACING_IJK)
        numbers = growth.add_all(sown[1:])
        one = growth.add(*sown[0])
        growth.remove(one)
        growth.remove(numbers[0])
        return growth

    return grow, there


def _propagate(folder: Path) -> tuple[Callable[[], Any], Any]:
    from napari_medlabel.edit.propagate import propagate

    truth = np.load(folder / "truth.npy")
    at = int((truth == LIVER).sum(axis=(1, 2)).argmax())
    truth[:at], truth[at + 1 :] = 0, 0
    there = scene(folder, truth)
    return partial(propagate, there, 2, at, at + 20), there


def _noise(folder: Path, *, labels: bool = False) -> tuple[Callable[[], Any], Any]:
    """Fill the holes of noise, of which every second voxel is the label or one of ten."""
    from napari_medlabel.edit.holes import fill_holes
    from napari_medlabel.edit.scene import whole

    rng = np.random.default_rng(7)
    shape = np.load(folder / "truth.npy", mmap_mode="r").shape
    noise = np.empty(shape, np.uint8)
    for plane in noise:
        plane[...] = rng.integers(0, 11 if labels else 2, plane.shape, np.uint8)
    there = scene(folder, noise)
    about = LABELS if labels else (1,)
    return partial(fill_holes, there, whole(there.shape), about), there


def _islands_of_noise(folder: Path) -> tuple[Callable[[], Any], Any]:
    from napari_medlabel.edit.islands import keep_largest

    do, there = _noise(folder)
    return partial(keep_largest, there, do.args[1], (1,)), there


def _without(*packages: str) -> Callable[[Act], Act]:
    """Return the act where optional packages are not installed."""

    def wrapped(act: Act) -> Act:
        def ready(folder: Path) -> tuple[Callable[[], Any], Any]:
            for package in packages:
                sys.modules[package] = None  # type: ignore[assignment]
            return act(folder)

        return ready

    return wrapped


ACTS: Final[Mapping[str, Act]] = {
    "grow from seeds, ten organs": _grow,
    "grow coarsely first, ten organs": partial(_grow, first=True),
    "refine what grew coarsely": partial(_grow, then=True),
    "grow, strokes that come and go": _strokes,
    "fill between every 10th slice": _between,
    "margin of 5 mm on the liver": _on("truth", "margin", "grow_margin", (LIVER,), mm=5.0),
    "the same without edt": _without("edt")(
        _on("truth", "margin", "grow_margin", (LIVER,), mm=5.0)
    ),
    "hollow ten organs, 3 mm": _on("truth", "margin", "hollow", LABELS, wall_mm=3.0),
    "the same without edt ": _without("edt")(
        _on("truth", "margin", "hollow", LABELS, wall_mm=3.0)
    ),
    "keep the largest part of 10 labels": _on("islands", "islands", "keep_largest", LABELS),
    "keep the largest part of noise": _islands_of_noise,
    "fill holes of 10 labels": _on("islands", "holes", "fill_holes", LABELS),
    "fill holes of noise": _noise,
    "fill holes of noise, 10 labels": partial(_noise, labels=True),
    "smooth 10 labels jointly": _on(
        "drawn", "smooth", "smooth_jointly", LABELS, sigma_mm=SIGMA_MM
    ),
    "smooth the liver, median": _on(
        "drawn", "smooth", "smooth_one", LIVER, kind="median", size_mm=3.0
    ),
    "smooth the liver, closing": _on(
        "drawn", "smooth", "smooth_one", LIVER, kind="closing", size_mm=5.0
    ),
    "threshold": _on("none", "threshold", "threshold_box", 20.0, 90.0, 1),
    "flood in 3D": _flood,
    "refine the border of the kidney": _on("drawn", "refine", "refine", (KIDNEY,), band_mm=3.0),
    "refine the border of the liver": _on("drawn", "refine", "refine", (LIVER,), band_mm=3.0),
    "liver and lung as one": _on("truth", "logic", "combine", LIVER, 7, how="add"),
    "mirror the liver": _on(
        "truth", "moving", "mirror", (LIVER,), axis=0, centre_index=255.5, keep=True
    ),
    "carry a slice to 20 others": _propagate,
}


# -- measuring -----------------------------------------------------------------------------


def take_stock() -> float:
    """Forget the peak so far, as far as the system lets us; return what is held, in MB."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    held = peak_mb()
    return 0.0 if held is None else held


def load_libraries() -> None:
    """Load and compile what the tools need, which is no memory of theirs."""
    from scipy.ndimage import label
    from scipy.sparse import csgraph
    from skimage.segmentation import watershed

    from napari_medlabel.edit.components import connected_parts
    from napari_medlabel.edit.grow.warm import compile_now

    compile_now()
    connected_parts(np.ones((2, 2, 2), np.uint8))
    label(csgraph.csgraph_from_dense(np.ones((2, 2))).toarray())
    watershed(np.zeros((2, 2)))


def one(name: str, folder: Path) -> dict[str, float]:
    """Do an act once, here; return its peak and its crop in MB."""
    load_libraries()
    do, there = ACTS[name](folder)
    before = take_stock()
    found = do()
    peak = (peak_mb() or 0.0) - before
    # Islands and holes are looked for in all of the scan, also where nothing will change.
    box = None if "keep" in name or "holes" in name else getattr(found, "box", None)
    voxels = int(np.prod(there.shape if box is None else [p.stop - p.start for p in box]))
    each = there.labels.itemsize + there.image.itemsize
    return {"peak": peak, "crop": voxels * each / 1e6}


def measured(name: str, folder: Path) -> Row:
    """Return the row of an act, done in a process of its own."""
    command = [sys.executable, __file__, "--one", name, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    found = json.loads(done.stdout.splitlines()[-1])
    limit = CROPS * found["crop"] + ROOM_MB
    return {
        "work": f"{name.strip()} (crop {found['crop']:.0f} MB)",
        "ours_s": found["peak"],
        "peer": "limit: 2 crops and 100 MB",
        "peer_s": limit,
        "ratio": limit / found["peak"],
        "peak_mb": found["peak"],
        "goal": 1.0,
        "met": found["peak"] <= limit,
        "unit": "MB",
    }


def seed(folder: Path) -> None:
    """Write what growing and empty labels need beside the phantom."""
    truth: Array = np.load(folder / "truth.npy")
    np.save(folder / "seeds.npy", make_seeds(truth, NAMES))
    np.save(folder / "none.npy", np.zeros_like(truth))


def main() -> None:
    """Print the rows; ``--json`` as JSON, ``--only`` those whose name begins so."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    parser.add_argument("--only", default="", help="the beginning of a work's name")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        print(json.dumps(one(arguments.one, arguments.folder)))
        return
    with tempfile.TemporaryDirectory(prefix="medlabel-bench-") as name:
        folder = arguments.folder or Path(name)
        if not (folder / "seeds.npy").exists():
            prepare(folder)
            seed(folder)
        wanted = [work for work in ACTS if work.startswith(arguments.only)]
        rows = [measured(work, folder) for work in wanted]
    print(json.dumps(rows, indent=2) if arguments.json else table(rows))


if __name__ == "__main__":
    main()
