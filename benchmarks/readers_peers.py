"""The readers that are compared: each takes a folder with one series and returns volumes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.io.verdict import Answer

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


class RefusedError(Exception):
    """A reader said that it does not read this."""


def ours(folder: Path) -> tuple[list[Answer], list[str]]:
    """Read every series found; return the volumes and why others were refused."""
    from napari_medlabel.errors import MedlabelError
    from napari_medlabel.io.registry import find_series, read_series, read_volume

    answers, refused = [], []
    try:
        survey = find_series(folder)
    except MedlabelError as err:
        return [], [err.message]
    for one in survey.series:
        if one.problem:
            refused.append(one.problem)
            continue
        try:
            volume = read_series(one, hashes=False)
        except MedlabelError as err:
            refused.append(err.message)
            continue
        answers.append(_answer(volume))
    if not survey.series:
        try:
            read_volume(folder)
        except MedlabelError as err:
            refused.append(err.message)
    return answers, refused


def _answer(volume: Any) -> Answer:
    further = getattr(volume, "further", None)
    colour = getattr(volume, "colour", None)
    array = volume.array if further is None else further.array
    return Answer(
        array if colour is None else colour,
        np.asarray(volume.grid.affine.matrix),
        is_colour=colour is not None,
        missing=tuple(getattr(volume, "missing", ())),
        has_places=getattr(volume, "slices", "places") == "places",
    )


def dcm2niix(folder: Path) -> tuple[list[Answer], list[str]]:
    """Convert uncompressed, with Rescale Slope and not Philips' own; read the NIfTI files."""
    program = Path(sys.executable).with_name("dcm2niix")
    with tempfile.TemporaryDirectory() as name:
        options = ("-z", "n", "-b", "n", "-p", "n", "-f", "%s_%z_%e")
        command = [program, *options, "-o", name, str(folder)]
        done = subprocess.run(command, capture_output=True, check=False)
        answers = [nifti(path) for path in sorted(Path(name).glob("*.nii"))]
    return answers, [] if answers else [f"exit code {done.returncode}"]


def nifti(path: Path) -> Answer:
    """Read a NIfTI file with nibabel, into memory."""
    import nibabel

    image: Any = nibabel.load(path)
    data = np.asanyarray(image.dataobj)
    colour = data.dtype.fields is not None
    if colour:
        data = np.stack([data[name] for name in ("R", "G", "B")], axis=-1)
    data = np.array(data)
    while data.ndim < 3 + colour:
        data = np.expand_dims(data, data.ndim - colour)
    return Answer(data, image.affine, is_colour=colour)


def simpleitk(folder: Path) -> tuple[list[Answer], list[str]]:
    """Read each series that GDCM lists with ImageSeriesReader."""
    import SimpleITK

    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    answers, refused = [], []
    for uid in SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)):
        names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid)
        reader = SimpleITK.ImageSeriesReader()
        reader.SetFileNames(names)
        try:
            image = reader.Execute()
        except RuntimeError:
            refused.append("RuntimeError")
            continue
        answers.append(_of_itk(image, SimpleITK.GetArrayFromImage(image)))
    return answers, refused or ([] if answers else ["no series"])


def _of_itk(image: Any, array: np.ndarray) -> Answer:
    colour = image.GetNumberOfComponentsPerPixel() > 1
    dimension = image.GetDimension()
    affine = np.eye(4)
    turned = np.array(image.GetDirection()).reshape(dimension, dimension)
    # A file of frames is an image of four dimensions, of which the last has one place.
    affine[:3, :3] = (turned * np.array(image.GetSpacing()))[:3, :3]
    affine[:3, 3] = image.GetOrigin()[:3]
    spatial = tuple(range(array.ndim - colour))[::-1]
    axes = (*spatial, array.ndim - 1) if colour else spatial
    return Answer(array.transpose(axes), LPS_TO_RAS @ affine, is_colour=colour)


def highdicom(folder: Path) -> tuple[list[Answer], list[str]]:
    """Read with get_volume_from_series, frames with get_volume, colours as they are stored."""
    import warnings

    import highdicom as hd
    import pydicom

    warnings.simplefilter("ignore")
    files = sorted(folder.iterdir())
    try:
        if len(files) == 1:
            volumes = [_whole(hd.imread(files[0]))]
        else:
            sets = [pydicom.dcmread(path, force=True) for path in files]
            if all("PerFrameFunctionalGroupsSequence" in ds for ds in sets):
                volumes = [_whole(hd.imread(path)) for path in files]
            else:
                volumes = [hd.get_volume_from_series(sets)]
    except MemoryError:
        raise
    except Exception as err:  # noqa: BLE001 - whatever it raises is its refusal
        return [], [type(err).__name__]
    return [_of_highdicom(one) for one in volumes], []


def _whole(image: Any) -> Any:
    if hasattr(image, "get_volume"):
        return image.get_volume(apply_icc_profile=False)
    raise RefusedError("not an image")


def _of_highdicom(volume: Any) -> Answer:
    array = volume.array
    colour = array.ndim == 4 and array.shape[3] == 3
    # Its indices are (slice, row, column): column first for us.
    affine = LPS_TO_RAS @ np.asarray(volume.affine)[:, [2, 1, 0, 3]]
    return Answer(
        array.transpose((2, 1, 0, 3) if colour else (2, 1, 0)), affine, is_colour=colour
    )


def dicom2nifti(folder: Path) -> tuple[list[Answer], list[str]]:
    """Convert with dicom_series_to_nifti, not reoriented."""
    import dicom2nifti as package

    with tempfile.TemporaryDirectory() as name:
        target = Path(name, "out.nii")
        try:
            package.dicom_series_to_nifti(folder, target, reorient_nifti=False)
        except MemoryError:
            raise
        except Exception as err:  # noqa: BLE001 - whatever it raises is its refusal
            return [], [type(err).__name__]
        return [nifti(target)], []


Reader = Callable[[Path], tuple[list[Answer], list[str]]]
READERS: dict[str, tuple[Reader, str, str]] = {
    "ours": (ours, "napari_medlabel", "napari-medlabel"),
    "dcm2niix": (dcm2niix, "dcm2niix", "dcm2niix"),
    "SimpleITK": (simpleitk, "SimpleITK", "SimpleITK"),
    "highdicom": (highdicom, "highdicom", "highdicom"),
    "dicom2nifti": (dicom2nifti, "dicom2nifti", "dicom2nifti"),
}
"""Name: reader, module that must be there, distribution that tells the version."""


def installed() -> dict[str, str]:
    """Return the readers that can run here, each with its version."""
    found = {}
    for name, (_, module, distribution) in READERS.items():
        if find_spec(module) is not None:
            try:
                found[name] = version(distribution)
            except PackageNotFoundError:
                found[name] = "unknown version"
    return found
