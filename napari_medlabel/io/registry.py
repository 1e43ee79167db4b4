"""Paths -> series -> volumes and masks: the right reader by content, then by suffix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError, SeriesChoiceError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io import archive
from napari_medlabel.io.behind import Files, sort_out, walk
from napari_medlabel.io.dicom import reading as dicom
from napari_medlabel.io.dicom.pixels.values import VALUES
from napari_medlabel.io.itk import reading as itk
from napari_medlabel.io.listing import of_dicom, of_file
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.io.nifti import reading as nifti
from napari_medlabel.io.series_info import FoundMarks, SeriesInfo, Survey, files
from napari_medlabel.io.sniff import kind_of
from napari_medlabel.io.thumbnail import draw
from napari_medlabel.model.volume import Format, Volume

__all__ = [
    "VALUES",
    "SeriesInfo",
    "Survey",
    "can_be_uptake",
    "find_series",
    "looks_medical",
    "nothing_found",
    "read_marks",
    "read_mask",
    "read_series",
    "read_volume",
    "thumbnail",
    "why_not_as",
]

Progress = Callable[[int, int], None]
Preview = Callable[[Volume], None]

_FILE_KINDS: Final[tuple[Format, ...]] = ("nifti", "analyze", "nrrd", "mha", "minc", "par")
_LISTED: Final = 20
_SNIFFED: Final = 200
_READ: Final = (
    "DICOM images, NIfTI (.nii, .nii.gz, .hdr with .img), ANALYZE, NRRD (.nrrd, .nhdr), "
    "MetaImage (.mha, .mhd), MINC (.mnc) and Philips PAR/REC are read, and zip files of them."
)


def find_series(path: Path | Sequence[Path], *, progress: Progress | None = None) -> Survey:
    """List the series in a folder (its sub-folders too), a file or several.

    Only headers are read. A series that cannot be read is listed with its problem. A zip file
    or a DICOMDIR given as the path stands for the files in it.

    Parameters
    ----------
    path : Path or sequence of Path
        A folder, a file or several.
    progress : callable, optional
        Called now and then with (done, total), in this thread. What it raises ends the search.

    Raises
    ------
    InputError
        When a path does not exist or may not be read.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    found = sort_out(paths, progress=progress)
    survey = found.dicom
    lost = found.unreadable + survey.unreadable
    doubts = list(found.notes)
    if lost:
        doubts.append(
            f"{files(lost)} looked like DICOM and could not be read: the scan may be "
            "incomplete."
        )
    rows = [of_dicom(one, tuple(doubts)) for one in survey.series]
    for kind in _FILE_KINDS:
        rows += [of_file(kind, file) for file in found.of(kind)]
    return Survey(
        tuple(replace(row, key=str(n), number=n) for n, row in enumerate(rows, start=1)),
        survey.skipped + found.skipped,
        lost,
        _marks(survey, found),
        found.notes + _packages(found.packages),
    )


def _packages(number: int) -> tuple[str, ...]:
    """Say that zip files in a folder were left alone."""
    if not number:
        return ()
    which = "1 zip file lies" if number == 1 else f"{number} zip files lie"
    return (f"{which} in the folder; to read what is in one, give the zip file itself.",)


def _marks(survey: dicom.DicomSurvey, found: Files) -> tuple[FoundMarks, ...]:
    others = [FoundMarks("segmentation", path) for path in found.of("segmentation")]
    return (*(FoundMarks(one.kind, one.path) for one in survey.marks), *others)


def read_volume(
    path: Path | Sequence[Path],
    *,
    series: str | None = None,
    progress: Progress | None = None,
    hashes: bool = True,
    values: str = "rescaled",
    preview: Preview | None = None,
) -> Volume:
    """Read one volume, or several on one grid.

    Parameters
    ----------
    path : Path or sequence of Path
        A folder, a file or several.
    series : str, optional
        Number or SeriesInstanceUID, where there are several.
    progress : callable, optional
        Called with how much is done and how much there is, in this thread. What it raises
        ends the reading.
    hashes : bool
        Whether to compute the SHA-256 of each file.
    values : str
        One of `VALUES`: what stored values are turned into.
    preview : callable, optional
        Called once, in this thread, with a volume whose array is still being filled, as soon
        as its middle slice is in place.

    Raises
    ------
    SeriesChoiceError
        When there are several series and none was chosen.
    InputError
        When there is no image, or it cannot be read whole and in the right place.
    """
    info = choose(find_series(path), series)
    return read_series(info, progress=progress, hashes=hashes, values=values, preview=preview)


def read_series(
    info: SeriesInfo,
    *,
    progress: Progress | None = None,
    hashes: bool = True,
    values: str = "rescaled",
    preview: Preview | None = None,
) -> Volume:
    """Read a series that `find_series` found; as `read_volume`, without looking again.

    Where no other values are asked for, those that were chosen with the series are read.

    Raises
    ------
    InputError
        When it cannot be read whole and in the right place.
    """
    values = info.values if values == "rescaled" else values
    if values not in VALUES:
        raise InputError(
            "There is no such way to read values.", hint=f"Choose one of: {', '.join(VALUES)}."
        )
    if info.colour and values not in ("rescaled", "stored"):
        raise InputError(
            f"Values as {values} are for grey images; this series has colours.",
            hint="Read it without --values.",
        )
    if info.load is None:
        raise InputError(info.problem, hint=info.hint)
    return info.load(progress=progress, hashes=hashes, values=values, preview=preview)


def why_not_as(info: SeriesInfo, values: str) -> str:
    """Say why a series cannot be read as some values; empty where it can, by its first image.

    Parameters
    ----------
    info : SeriesInfo
        As `find_series` returned it.
    values : str
        One of `VALUES`.
    """
    if values == "rescaled":
        return ""
    if info.problem:
        return "The series cannot be read."
    if info.colour:
        return "" if values == "stored" else "Such values are for grey images."
    if info.why_not is None:
        return "Such values are defined for DICOM; this file is none."
    return info.why_not(values)


def can_be_uptake(survey: Survey) -> bool:
    """Tell whether there is one series alone, a PET whose header allows uptake values."""
    if len(survey.series) != 1 or survey.series[0].modality != "PT":
        return False
    return not why_not_as(survey.series[0], "suv-bw")


def thumbnail(info: SeriesInfo) -> npt.NDArray[np.uint8]:
    """Return a small grey picture of a series' middle slice.

    Parameters
    ----------
    info : SeriesInfo
        As `find_series` returned it.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        At most 128 each; windowed, upright, in the right proportions, bright as it is read.

    Raises
    ------
    InputError
        When it cannot be read, or is too large to be read for a thumbnail.
    """
    if info.picture is None:
        raise InputError(info.problem, hint=info.hint)
    return draw(info.picture())


def read_mask(path: Path, grid: Grid) -> npt.NDArray[Any]:
    """Read a mask that lies on a scan.

    Parameters
    ----------
    path : Path
        A NIfTI, NRRD or MetaImage file.
    grid : Grid
        The scan's.

    Returns
    -------
    ndarray, shape (i, j, k)
        uint8, or uint16 where a value needs it: a writable, transposed (k, j, i) C buffer.

    Raises
    ------
    GeometryError
        When it lies on another grid.
    InputError
        When it cannot be read or its values are no labels.
    """
    kind = kind_of(path) if path.is_file() else None
    if kind in ("nifti", "analyze"):
        array, of_mask = nifti.read_labels_nifti(path)
    elif kind in ("nrrd", "mha", "segmentation"):
        array, of_mask = itk.read_labels_itk(path)
    else:
        raise InputError(
            "A mask is expected as a NIfTI, NRRD or MetaImage file; this is none.",
            hint="Choose a .nii.gz, .nii, .nrrd or .mha file. DICOM segmentations and "
            "structure sets are converted first: medlabel convert FILE mask.nii.gz --on SCAN.",
        )
    grid.require_same(of_mask, what="mask")
    return array


def looks_medical(path: Path) -> bool:
    """Tell cheaply whether `read_volume` may know what to do with a path.

    True for files of a known kind, for folders with one among the first files, and for zip
    files with one among the first members.
    """
    readable = (*_FILE_KINDS, "dicom", "dicomdir")
    try:
        if path.is_dir():
            return any(kind_of(file) in readable for file in islice(walk(path), _SNIFFED))
        kind = kind_of(path) if path.is_file() else None
    except (OSError, InputError, ValueError):
        return False
    return archive.holds_medical(path) if kind == "zip" else kind in (*readable, "part")


def choose(survey: Survey, series: str | None) -> SeriesInfo:
    """Return the one series that is meant.

    Parameters
    ----------
    survey : Survey
        As `find_series` returned it.
    series : str or None
        Number or SeriesInstanceUID.

    Raises
    ------
    SeriesChoiceError
        When there are several and none was chosen, or there is no such one.
    InputError
        When there is none at all.
    """
    found = survey.series
    if not found:
        raise nothing_found(survey)
    matching = found
    if series is not None:
        matching = tuple(one for one in found if series in (one.key, one.series_uid))
        if not matching:
            raise SeriesChoiceError(
                f"There is no such series; {len(found)} were found:\n{_list(found)}",
                hint=f"Choose one with --series N, N from 1 to {len(found)}.",
                choices=tuple(one.key for one in found),
            )
    if len(matching) > 1:
        example = next((one for one in matching if not one.problem), matching[0])
        raise SeriesChoiceError(
            f"One series is expected; {len(matching)} were found:\n{_list(matching)}",
            hint=f"Choose one with --series N, for instance --series {example.key}.",
            choices=tuple(one.key for one in matching),
        )
    return matching[0]


def _list(found: Sequence[SeriesInfo]) -> str:
    lines = [f"  {one.line()}" for one in found[:_LISTED]]
    if len(found) > _LISTED:
        lines.append(f"  and {len(found) - _LISTED} more: medlabel info lists them all")
    return "\n".join(lines)


def nothing_found(survey: Survey) -> InputError:
    """Say that there is no image, and what there was instead.

    Parameters
    ----------
    survey : Survey
        One without series.
    """
    if survey.marks:
        return InputError(
            f"No image was found, only {survey.marks_in_words()}.",
            hint="Open the scan that it marks; medlabel convert FILE mask.nii.gz --on SCAN "
            "makes a mask of it.",
        )
    if not survey.skipped and not survey.unreadable:
        return InputError("The folder is empty: there is no file in it.", hint=_READ)
    if survey.unreadable:
        return InputError(
            f"No image was found: {files(survey.unreadable)} looked like images and cannot be "
            f"read, {files(survey.skipped)} hold none.",
            hint="Check that they are whole and that you may read them. " + _READ,
        )
    return InputError(
        f"No image was found in {files(survey.skipped)}: none holds pixels in a format that is "
        "read.",
        hint=" ".join((*survey.notes, _READ)),
    )
