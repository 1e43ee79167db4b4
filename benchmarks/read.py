"""Reading DICOM series, against the floor, dcm2niix, SimpleITK and pydicom."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import series_factory as factory
from _measure import Side, Work, main

from napari_medlabel import samples
from napari_medlabel.io.registry import read_volume

COLUMNS = ROWS = 512
SLICES = 500
CODED = 60
TIMES, PLACES = 100, 36
NAMES = {
    "jpeg 2000": factory.JPEG_2000,
    "jpeg-ls": factory.JPEG_LS,
    "jpeg lossless": factory.JPEG_LOSSLESS,
}
HAS_PREVIEW = "preview" in inspect.signature(read_volume).parameters
MEMORY = Path("/dev/shm")  # noqa: S108 - where there is one, writing costs no disk


def prepare(folder: Path) -> None:
    """Write the series and compare what the readers make of them."""
    factory.write(folder / "native", (COLUMNS, ROWS, SLICES), different=SLICES // 10)
    for name, syntax in NAMES.items():
        factory.write(folder / name, (COLUMNS, ROWS, CODED), syntax=syntax, different=12)
    factory.write(folder / "4D", (64, 64, PLACES), volumes=TIMES)
    for name in ("native", *NAMES):
        _require_same(name, folder)


def scan(folder: Path, name: str) -> Path:
    """Return the folder that holds the files of a series."""
    if name == "sample":
        return next(p for p in samples.path("ct_abdomen").iterdir() if p.is_dir())
    return folder / name


def _require_same(name: str, folder: Path) -> None:
    """End where two readers do not return the same voxels: then no comparison counts."""
    ours = read_volume(scan(folder, name), hashes=False).array.T
    _image, theirs = with_simpleitk(scan(folder, name))
    if not (np.array_equal(ours, theirs) or np.array_equal(ours[::-1], theirs)):
        raise SystemExit(f"The readers disagree about the voxels of the {name} series.")


def with_simpleitk(path: Path) -> tuple[Any, Any]:
    """Read a series as SimpleITK's manual does; return image and view on it, (k, j, i).

    The view is of the image's memory and is good only as long as the image is kept.
    """
    import SimpleITK

    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(path)))
    image = reader.Execute()
    return image, SimpleITK.GetArrayViewFromImage(image)


def ours(name: str, hashes: bool, folder: Path) -> Side:
    path = scan(folder, name)
    return Side(lambda _: _drop(read_volume(path, hashes=hashes)))


def first_slice(name: str, folder: Path) -> Side:
    """Measure until a slice can be shown, while the rest is still read."""
    path = scan(folder, name)

    def run(_number: int) -> float:
        seen: list[float] = []
        start = time.perf_counter()
        read_volume(path, hashes=False, preview=lambda _: seen.append(time.perf_counter()))
        return seen[0] - start

    return Side(run)


def simpleitk(name: str, folder: Path) -> Side:
    path = scan(folder, name)
    return Side(lambda _: _drop(with_simpleitk(path)))


def dcm2niix(name: str, folder: Path) -> Side:
    """Convert into memory, uncompressed, without the JSON file."""
    program = Path(sys.executable).with_name("dcm2niix")
    target = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else folder))
    options = ("-z", "n", "-b", "n", "-f", "out", "-o", str(target))

    def before(_number: int) -> None:
        for path in target.iterdir():
            path.unlink()

    def run(_number: int) -> None:
        subprocess.run(
            [program, *options, str(scan(folder, name))], check=True, capture_output=True
        )

    return Side(run, before, lambda: shutil.rmtree(target))


def pydicom_stack(name: str, folder: Path) -> Side:
    """Read each file, sort by position, stack as whole numbers and add the intercept."""
    from pydicom import dcmread

    def run(_number: int) -> None:
        sets = [dcmread(path) for path in scan(folder, name).iterdir()]
        sets.sort(key=lambda ds: ds.ImagePositionPatient[2])
        array = np.stack([ds.pixel_array.astype(np.int16) for ds in sets])
        array += np.int16(sets[0].RescaleIntercept)

    return Side(run)


def floor(name: str, folder: Path) -> Side:
    """Read the pixels' bytes into one array, with order, offset and size known before."""
    files = sorted(scan(folder, name).iterdir())
    size = ROWS * COLUMNS * 2
    offset = files[0].stat().st_size - size

    def run(_number: int) -> None:
        array = np.empty((len(files), size), np.uint8)
        for path, row in zip(files, array, strict=True):
            stream = os.open(path, os.O_RDONLY)
            os.preadv(stream, [row], offset)
            os.close(stream)

    return Side(run)


HELD = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from _measure import peak_mb
from napari_medlabel.io.registry import read_volume
import series_factory
series_factory.write(Path(sys.argv[3]), (64, 64, 3))
read_volume(Path(sys.argv[3]), hashes=False)
before = peak_mb()
kept = read_volume(Path(sys.argv[2]), hashes=False)
print(peak_mb() - before)
"""


def held(folder: Path) -> Side:
    """Return the memory that reading takes beyond Python and its packages, in MB."""
    here = str(Path(__file__).parent)
    small = folder / "small"
    command = [sys.executable, "-c", HELD, here, str(scan(folder, "native")), str(small)]

    def run(_number: int) -> float:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return float(done.stdout.split()[-1])

    return Side(run)


def volume_mb(_folder: Path) -> Side:
    return Side(lambda _: COLUMNS * ROWS * SLICES * 2 / 1e6)


def _drop(_result: object) -> None:
    """Let go of what was read: its release belongs to the reading on both sides."""


Maker = Callable[..., Side]


def _work(
    words: str, name: str, peer: str, theirs: Maker, goal: float | None, repeats: int = 3
) -> Work:
    return Work(words, partial(ours, name, False), peer, partial(theirs, name), goal, repeats)


PHANTOM = f"{SLICES} slices {COLUMNS}x{ROWS}, 16 bit, uncompressed"
SERIES = f"series over time, {TIMES * PLACES} files"
WORKS = (
    _work(PHANTOM, "native", "the floor: the same bytes into one array", floor, 0.5, 5),
    _work(PHANTOM, "native", "dcm2niix -z n -b n", dcm2niix, 4),
    _work(PHANTOM, "native", "SimpleITK ImageSeriesReader", simpleitk, 9),
    _work(PHANTOM, "native", "pydicom, stacked", pydicom_stack, None, 2),
    Work(
        f"{PHANTOM}, with SHA-256 of each file",
        partial(ours, "native", True),
        "SimpleITK ImageSeriesReader",
        partial(simpleitk, "native"),
        2,
        2,
    ),
    Work(
        f"{PHANTOM}: memory beyond Python's own",
        held,
        "the volume itself",
        volume_mb,
        1 / 1.1,
        1,
        unit="MB",
    ),
    _work(f"{CODED} slices, JPEG 2000", "jpeg 2000", "SimpleITK", simpleitk, 2, 2),
    _work(f"{CODED} slices, JPEG-LS", "jpeg-ls", "SimpleITK", simpleitk, 1.5),
    _work(f"{CODED} slices, JPEG lossless", "jpeg lossless", "SimpleITK", simpleitk, 1.5),
    _work("sample CT as shipped, 48 slices, JPEG-LS", "sample", "SimpleITK", simpleitk, 1.5),
    _work(SERIES, "4D", "dcm2niix -z n -b n", dcm2niix, 2.5),
    Work(
        f"{CODED} slices, JPEG 2000: until a slice can be shown",
        partial(first_slice, "jpeg 2000"),
        "the whole of it, ours",
        partial(ours, "jpeg 2000", False),
        4,
        2,
        unable="" if HAS_PREVIEW else "reading gives no preview",
    ),
    Work(
        f"{PHANTOM}: until a slice can be shown",
        partial(first_slice, "native"),
        "the whole of it, ours",
        partial(ours, "native", False),
        1,
        3,
        unable="" if HAS_PREVIEW else "reading gives no preview",
    ),
)

if __name__ == "__main__":
    main(__file__, WORKS, prepare)
