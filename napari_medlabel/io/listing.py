"""A series of any format -> what is told of it, and how it is read later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io import minc, par
from napari_medlabel.io.description import Description
from napari_medlabel.io.dicom import reading as dicom
from napari_medlabel.io.dicom.header.instance import SERIES_NUMBER
from napari_medlabel.io.dicom.pixels import fill as dicom_pixels
from napari_medlabel.io.dicom.pixels.offered import why_not
from napari_medlabel.io.dicom.series.series import DicomSeries
from napari_medlabel.io.dicom.series.words import words_of
from napari_medlabel.io.itk import reading as itk
from napari_medlabel.io.nifti import reading as nifti
from napari_medlabel.io.series_info import SeriesInfo
from napari_medlabel.io.thumbnail import Picture
from napari_medlabel.model.volume import Format, Volume

Progress = Callable[[int, int], None]
Preview = Callable[[Volume], None]
_LARGEST_DRAWN: Final = 1 << 26  # voxels that are read for one thumbnail
_READERS: Final = {
    "nifti": nifti,
    "analyze": nifti,
    "nrrd": itk,
    "mha": itk,
    "minc": minc,
    "par": par,
}


def of_dicom(series: DicomSeries, doubts: tuple[str, ...]) -> SeriesInfo:
    """Tell of a DICOM series.

    Parameters
    ----------
    series : DicomSeries
        As `dicom.find` returned it.
    doubts : tuple of str
        What is in doubt about all series of the search.
    """
    first = series.instances[0]
    can = series.refusal is None
    return SeriesInfo(
        key="",
        number=0,
        format="dicom",
        files=len(series.instances),
        grid=series.grid,
        modality=first.modality,
        warnings=series.warnings + (doubts if can else ()),
        problem="" if series.refusal is None else series.refusal.message,
        hint="" if series.refusal is None else series.refusal.hint,
        series_uid=first.series_uid or None,
        volumes=series.volumes,
        axis=None if series.axis is None else series.axis[:2],
        slices=series.slices,
        missing=series.missing,
        colour=first.samples > 1 or first.photometric == "PALETTE COLOR",
        words=words_of(series.planes),
        series_number=_whole(first.number(SERIES_NUMBER)),
        load=partial(_load_dicom, series, doubts),
        picture=partial(_picture_of_dicom, series) if can else None,
        why_not=partial(why_not, series.planes) if can else None,
    )


def _whole(number: float | None) -> int | None:
    return int(number) if number is not None and number.is_integer() else None


def _load_dicom(series: DicomSeries, doubts: tuple[str, ...], **wishes: Any) -> Volume:
    volume = dicom.load(series, **wishes)
    return replace(volume, warnings=volume.warnings + doubts) if doubts else volume


def _picture_of_dicom(series: DicomSeries) -> Picture:
    """Read the middle slice of the first volume and nothing else."""
    per_volume = len(series.planes) // series.volumes
    plane = series.planes[per_volume // 2]
    filled = dicom_pixels.fill((plane,), volumes=1, slices=1, progress=None, hashes=False)
    grid = series.grid
    return Picture(
        filled.array[0, 0],
        grid.affine if grid is not None and series.slices == "places" else None,
        (1.0, 1.0) if grid is None else grid.affine.spacing_mm[:2],
        plane.window,
        plane.instance.photometric == "MONOCHROME1",
    )


def of_file(kind: Format, path: Path) -> SeriesInfo:
    """Tell of a file of another format, by its header."""
    bare = SeriesInfo("", 0, kind, 1, None, "", (), "", None)
    try:
        said, count, colour = _describe(kind, path)
    except InputError as err:
        return replace(bare, problem=err.message, hint=err.hint)
    load = partial(_load_file, _READERS[kind], path)
    return replace(
        bare,
        files=count,
        grid=said.grid,
        warnings=said.warnings,
        volumes=said.volumes,
        axis=None if said.axis is None else said.axis[:2],
        slices=said.slices,
        colour=colour,
        load=load,
        picture=partial(_picture_of_file, load, said.grid),
    )


def _describe(kind: Format, path: Path) -> tuple[Description, int, bool]:
    """Return what a header says, how many files there are, and whether it has colours."""
    if kind == "minc":
        return minc.inspect(path), 1, False
    if kind == "par":
        return par.inspect(path), 2, False
    if kind in ("nrrd", "mha"):
        header = itk.inspect(path)
        apart = len(header.packed.files) if header.packed.is_apart else 0
        return header.said, 1 + apart, header.role == "colour"
    of_nifti = nifti.inspect(path)
    return of_nifti.said, 1 if of_nifti.is_single else 2, of_nifti.is_colour


def _load_file(
    reader: Any,
    path: Path,
    *,
    progress: Progress | None,
    hashes: bool,
    values: str,
    preview: Preview | None,  # noqa: ARG001 - one file is read in one go
) -> Volume:
    if values != "rescaled":
        raise InputError(
            f"Values as {values} are defined for DICOM; this file is none.",
            hint="Read it without --values.",
        )
    volume: Volume = reader.load(path, progress=progress, hashes=hashes)
    return volume


def _picture_of_file(load: Callable[..., Volume], grid: Grid) -> Picture:
    if grid.size > _LARGEST_DRAWN:
        raise InputError(
            "The file is too large to be read for a thumbnail.", hint="Open it to see it."
        )
    volume = load(progress=None, hashes=False, values="rescaled", preview=None)
    i, j, _ = grid.affine.spacing_mm
    affine = grid.affine if volume.is_oriented else None
    middle = volume.array[:, :, grid.shape[2] // 2].T
    return Picture(middle, affine, (i, j), volume.window, volume.is_inverted)
