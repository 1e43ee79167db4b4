"""Reading DICOM series, against SimpleITK's ImageSeriesReader."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _measure import Side, Work, main

from napari_medlabel import samples
from napari_medlabel.io.registry import read_volume

SLICES = 400


def prepare(folder: Path) -> None:
    """Write the sample CT uncompressed and a 512x512x400 phantom, and compare the readers."""
    import imagecodecs
    from pydicom import dcmread
    from pydicom.encaps import generate_frames
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    native, phantom = folder / "native", folder / "phantom"
    native.mkdir()
    phantom.mkdir()
    for number, path in enumerate(sorted(scan(folder, "sample").rglob("*.dcm"))):
        dataset = dcmread(path)
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
        dataset.PixelData = imagecodecs.jpegls_decode(frame).tobytes()
        dataset["PixelData"].VR = "OW"
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.save_as(native / f"{number:03d}.dcm", enforce_file_format=True)
    pixels = np.frombuffer(dataset.PixelData, np.uint16)
    dataset.SeriesInstanceUID = generate_uid()
    for k in range(SLICES):
        instance = generate_uid()
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = instance
        dataset.ImagePositionPatient = [-200.0, -200.0, float(k)]
        dataset.InstanceNumber = k + 1
        dataset.PixelData = np.roll(pixels, k * 37).tobytes()
        dataset.save_as(phantom / f"{k:03d}.dcm", enforce_file_format=True)
    for name in ("sample", "native"):
        _require_same(name, folder)


def scan(folder: Path, name: str) -> Path:
    """Return the folder that holds the files of a series."""
    if name == "sample":
        return next(p for p in samples.path("ct_abdomen").iterdir() if p.is_dir())
    return folder / name


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


def _require_same(name: str, folder: Path) -> None:
    """End where the two do not return the same voxels: then no comparison counts."""
    path = scan(folder, name)
    ours = read_volume(path, hashes=False).array.T
    _image, theirs = with_simpleitk(path)
    if not (np.array_equal(ours, theirs) or np.array_equal(ours[::-1], theirs)):
        raise SystemExit(f"The two readers disagree about the voxels of the {name} series.")


def ours(name: str, hashes: bool, folder: Path) -> Side:
    path = scan(folder, name)
    return Side(lambda _: _drop(read_volume(path, hashes=hashes)))


def theirs(name: str, folder: Path) -> Side:
    path = scan(folder, name)
    return Side(lambda _: _drop(with_simpleitk(path)))


def _drop(_result: object) -> None:
    """Let go of what was read: its release belongs to the reading on both sides."""


def _work(words: str, name: str, hashes: bool, goal: float, repeats: int) -> Work:
    how = "with SHA-256 of each file" if hashes else "without hashes"
    return Work(
        f"{words}, {how}",
        partial(ours, name, hashes),
        "SimpleITK ImageSeriesReader",
        partial(theirs, name),
        goal,
        repeats,
    )


SAMPLE = "sample CT as shipped, 48 slices, JPEG-LS"
NATIVE = "sample CT uncompressed, 48 slices"
PHANTOM = "phantom 512x512x400, uncompressed"
WORKS = (
    _work(SAMPLE, "sample", False, 2, 5),
    _work(SAMPLE, "sample", True, 2, 5),
    _work(NATIVE, "native", False, 5, 7),
    _work(NATIVE, "native", True, 2, 7),
    _work(PHANTOM, "phantom", False, 5, 3),
    _work(PHANTOM, "phantom", True, 2, 3),
)

if __name__ == "__main__":
    main(__file__, WORKS, prepare)
