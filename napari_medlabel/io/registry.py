"""Paths -> series -> volumes and masks: the right reader by content, then by suffix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy.typing as npt

from napari_medlabel.errors import InputError, SeriesChoiceError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io import dicom, itk, nifti
from napari_medlabel.io.dicom_series import DicomSeries
from napari_medlabel.io.sniff import collect, kind_of, walk
from napari_medlabel.model.volume import Format, Volume

Progress = Callable[[int, int], None]
Loader = Callable[..., Volume]
_FILE_KINDS: Final[tuple[Format, ...]] = ("nifti", "nrrd", "mha")
_CALLED_DICOM: Final = frozenset({".dcm", ".dicom", ".ima"})
_LISTED: Final = 20
_SNIFFED: Final = 20


@dataclass(frozen=True, repr=False)
class SeriesInfo:
    """One series that was found, with nothing in it that names a patient.

    Parameters
    ----------
    key : str
        What to pass as ``series``: its number. A full SeriesInstanceUID is understood too.
    number : int
        Counts from 1 in a stable order.
    format : str
        ``"dicom"``, ``"nifti"``, ``"nrrd"`` or ``"mha"``.
    files : int
        How many files it consists of.
    grid : Grid or None
        None when it cannot be read.
    modality : str
        As in DICOM; empty when unknown.
    warnings : tuple of str
        Doubts in words.
    problem : str
        Why it cannot be read; empty when it can.
    series_uid : str or None
        SeriesInstanceUID: an identifier, never shown.
    """

    key: str
    number: int
    format: Format
    files: int
    grid: Grid | None
    modality: str
    warnings: tuple[str, ...]
    problem: str
    series_uid: str | None

    def __repr__(self) -> str:
        return f"SeriesInfo({self.line()})"

    def line(self) -> str:
        """Describe it in one line, without any identifier."""
        kind = self.modality or self.format.upper()
        if self.grid is None:
            return (
                f"{self.number}: {kind}, {_files(self.files)}, cannot be read: {self.problem}"
            )
        i, j, k = self.grid.shape
        spacing = " x ".join(f"{mm:.4g}" for mm in self.grid.affine.spacing_mm)
        return f"{self.number}: {kind}, {i} x {j}, {spacing} mm, {k} slices"


@dataclass(frozen=True)
class Survey:
    """What was found.

    Parameters
    ----------
    series : tuple of SeriesInfo
        In a stable order.
    skipped : int
        Files that are no images: other objects of DICOM, and files of other kinds.
    unreadable : int
        Files that look like images and cannot be read at all.
    """

    series: tuple[SeriesInfo, ...]
    skipped: int
    unreadable: int


@dataclass(frozen=True)
class _Found:
    info: SeriesInfo
    load: Loader


def find_series(path: Path | Sequence[Path]) -> Survey:
    """List the series in a folder (its sub-folders too), a file or several.

    Only headers are read. A series that cannot be read is listed with its problem.

    Raises
    ------
    InputError
        When a path does not exist or may not be read.
    """
    found, skipped, unreadable = _find(path)
    return Survey(tuple(one.info for one in found), skipped, unreadable)


def read_volume(
    path: Path | Sequence[Path],
    *,
    series: str | None = None,
    progress: Progress | None = None,
    hashes: bool = True,
) -> Volume:
    """Read one volume.

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

    Raises
    ------
    SeriesChoiceError
        When there are several series and none was chosen.
    InputError
        When there is no image, or it cannot be read whole and in the right place.
    """
    found, skipped, unreadable = _find(path)
    chosen = _choose(found, series, skipped, unreadable)
    volume = chosen.load(progress=progress, hashes=hashes)
    if unreadable and chosen.info.format == "dicom":
        doubt = (
            f"{_files(unreadable)} looked like DICOM and could not be read: the scan may be "
            "incomplete."
        )
        return replace(volume, warnings=(*volume.warnings, doubt))
    return volume


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
    if kind is None or kind == "dicom":
        raise InputError(
            "A mask is expected as a NIfTI, NRRD or MetaImage file; this is none.",
            hint="Choose a .nii.gz, .nii, .nrrd or .mha file.",
        )
    read = nifti.read_labels_nifti if kind == "nifti" else itk.read_labels_itk
    array, of_mask = read(path)
    grid.require_same(of_mask, what="mask")
    return array


def looks_medical(path: Path) -> bool:
    """Tell cheaply whether `read_volume` may know what to do with a path.

    True for files of a known kind, and for folders with one among the first files.
    """
    try:
        if path.is_dir():
            return any(
                kind_of(file) is not None
                for _, file in zip(range(_SNIFFED), walk(path), strict=False)
            )
        return path.is_file() and kind_of(path) is not None
    except OSError:
        return False


def _find(path: Path | Sequence[Path]) -> tuple[list[_Found], int, int]:
    paths = [path] if isinstance(path, Path) else list(path)
    by_kind: dict[Format | None, list[Path]] = {}
    unreadable = 0
    for file in collect(paths):
        try:
            by_kind.setdefault(kind_of(file), []).append(file)
        except OSError:
            unreadable += 1
    survey = dicom.find(by_kind.get("dicom", []))
    rows = [_of_dicom(one) for one in survey.series]
    for kind in _FILE_KINDS:
        rows += [_of_file(kind, file) for file in by_kind.get(kind, [])]
    found = [
        _Found(replace(row.info, key=str(n), number=n), row.load)
        for n, row in enumerate(rows, start=1)
    ]
    others = by_kind.get(None, [])
    # An empty or cut file that is called DICOM may be the slice that is missing: never silent.
    unreadable += sum(file.suffix.lower() in _CALLED_DICOM for file in others)
    skipped = survey.skipped + sum(file.suffix.lower() not in _CALLED_DICOM for file in others)
    return found, skipped, survey.unreadable + unreadable


def _of_dicom(series: DicomSeries) -> _Found:
    first = series.instances[0]
    info = SeriesInfo(
        key="",
        number=0,
        format="dicom",
        files=len(series.instances),
        grid=series.grid,
        modality=first.modality,
        warnings=series.warnings,
        problem="" if series.refusal is None else series.refusal.message,
        series_uid=first.series_uid or None,
    )
    return _Found(info, partial(dicom.load, series))


def _of_file(kind: Format, path: Path) -> _Found:
    grid, warnings, problem = None, (), ""
    reader = nifti if kind == "nifti" else itk
    try:
        header = reader.inspect(path)
    except InputError as err:
        problem = err.message
    else:
        grid, warnings = header.grid, header.warnings
    info = SeriesInfo("", 0, kind, 1, grid, "", warnings, problem, None)
    return _Found(info, partial(reader.load, path))


def _choose(
    found: Sequence[_Found], series: str | None, skipped: int, unreadable: int
) -> _Found:
    if not found:
        raise nothing_found(skipped, unreadable)
    matching = found
    if series is not None:
        matching = [one for one in found if series in (one.info.key, one.info.series_uid)]
        if not matching:
            raise SeriesChoiceError(
                f"There is no such series; {len(found)} were found:\n{_list(found)}",
                hint=f"Choose one with --series N, N from 1 to {len(found)}.",
                choices=tuple(one.info.key for one in found),
            )
    if len(matching) > 1:
        example = next((one for one in matching if not one.info.problem), matching[0])
        raise SeriesChoiceError(
            f"One series is expected; {len(matching)} were found:\n{_list(matching)}",
            hint=f"Choose one with --series N, for instance --series {example.info.key}.",
            choices=tuple(one.info.key for one in matching),
        )
    return matching[0]


def _list(found: Sequence[_Found]) -> str:
    lines = [f"  {one.info.line()}" for one in found[:_LISTED]]
    if len(found) > _LISTED:
        lines.append(f"  and {len(found) - _LISTED} more: medlabel info lists them all")
    return "\n".join(lines)


def nothing_found(skipped: int, unreadable: int) -> InputError:
    """Say that there is no image, and what there was instead.

    Parameters
    ----------
    skipped, unreadable : int
        As in `Survey`.
    """
    hint = (
        "DICOM images, NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr) and MetaImage (.mha, .mhd) "
        "are read."
    )
    if not skipped and not unreadable:
        return InputError("The folder is empty: there is no file in it.", hint=hint)
    if unreadable:
        return InputError(
            f"No image was found: {_files(unreadable)} looked like images and cannot be read, "
            f"{_files(skipped)} hold none.",
            hint="Check that they are whole and that you may read them. " + hint,
        )
    return InputError(
        f"No image was found in {_files(skipped)}: none holds pixels in a format that is read.",
        hint=hint,
    )


def _files(number: int) -> str:
    return f"{number} file" if number == 1 else f"{number} files"
