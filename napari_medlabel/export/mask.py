"""A mask as NIfTI on its scan's exact grid, with a sidecar that says what it is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel import __version__
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import Staging, sha256_file
from napari_medlabel.io.nifti.reading import read_labels_nifti, write_mask_nifti
from napari_medlabel.io.registry import read_mask
from napari_medlabel.measure.labels import volumes_ml
from napari_medlabel.model.labelmap import LabelMap, LabelScheme, count_labels
from napari_medlabel.model.volume import Slices, Source

SIDECAR: Final = "napari-medlabel mask"
_SUFFIXES: Final = (".nii.gz", ".nii")


@dataclass(frozen=True)
class SavedMask:
    """A mask that is on the disk and was read back.

    Parameters
    ----------
    path : Path
        The NIfTI file.
    content_id : str
        What the mask says, see `LabelMap.content_id`.
    sha256 : str
        Hex digest of the file's bytes.
    """

    path: Path
    content_id: str
    sha256: str


def sidecar_path(path: Path) -> Path:
    """Return where the sidecar of a mask lies: ``mask.nii.gz`` -> ``mask.json``.

    Raises
    ------
    InputError
        When the name is not that of a NIfTI file.
    """
    for suffix in _SUFFIXES:
        if path.name.lower().endswith(suffix) and len(path.name) > len(suffix):
            return path.with_name(path.name[: -len(suffix)] + ".json")
    raise InputError(
        "A mask is saved as a NIfTI file, .nii.gz or .nii; the name given ends otherwise.",
        hint="For example: mask.nii.gz",
    )


def save_mask(
    path: Path, labels: LabelMap, source: Source, *, time: str, slices: Slices = "places"
) -> SavedMask:
    """Write a mask and its sidecar, read both back, and only then let them take their names.

    Parameters
    ----------
    path : Path
        ``*.nii.gz`` or ``*.nii``; an earlier file of that name is replaced at the last moment.
    labels : LabelMap
        The mask. Its grid must be the source's.
    source : Source
        The scan's files: hashes go into the sidecar, a NIfTI header is copied bit for bit.
    time : str
        Now, ISO 8601 in UTC.
    slices : str
        The scan's: where they are ``"pictures"`` the sidecar gives no volumes in ml.

    Returns
    -------
    SavedMask

    Raises
    ------
    SaveError
        When it cannot be written or does not read back the same.
    InputError
        When the name is not that of a NIfTI file.
    """
    with Staging() as staging:
        saved = stage_mask(staging, path, labels, source, time=time, slices=slices)
        staging.publish()
    return saved


def stage_mask(
    staging: Staging,
    path: Path,
    labels: LabelMap,
    source: Source,
    *,
    time: str,
    slices: Slices = "places",
) -> SavedMask:
    """Write a mask and its sidecar aside, read both back and compare; see `save_mask`."""
    sidecar = sidecar_path(path)
    require_not_source((path, sidecar), source)
    digest: list[str] = []

    def write(aside: Path) -> None:
        write_mask_nifti(
            aside, labels.array, source.header, source.big_endian, labels.grid.affine
        )

    def check(aside: Path) -> None:
        compare_with_file(aside, labels)
        digest.append(sha256_file(aside))

    staging.add(path, write, check=check)
    saved = SavedMask(path, labels.content_id(), digest[0])
    document = describe(saved, labels, source, time=time, slices=slices)
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    staging.add_bytes(sidecar, text.encode())
    return saved


def require_not_source(paths: Iterable[Path], source: Source) -> None:
    """Refuse to write over a file of the scan itself.

    Raises
    ------
    SaveError
        When one of the paths is such a file, by whatever name or link.
    """
    taken = {file.resolve() for file in source.files}
    if any(path.resolve() in taken for path in paths):
        raise SaveError(
            "This is the scan's own file, and a scan is never written over.",
            hint="Choose another name or another folder.",
        )


def compare_with_file(path: Path, labels: LabelMap) -> None:
    """Read a mask file and compare it with what it should hold.

    Raises
    ------
    SaveError
        When voxels or place differ.
    """
    try:
        array, grid = read_labels_nifti(path)
    except InputError as err:
        raise SaveError(
            "The mask could not be read back after writing.",
            hint="The disk or the network drive is faulty; save somewhere else.",
        ) from err
    # NIfTI knows no frame of reference: place is what is compared.
    place = Grid(labels.grid.shape, labels.grid.affine)
    if place.difference(grid) or not np.array_equal(array.T, labels.array.T):
        raise SaveError(
            "The mask did not read back as it was written; the earlier file is untouched.",
            hint="The disk or the network drive is faulty; save somewhere else.",
        )


def describe(
    saved: SavedMask,
    labels: LabelMap,
    source: Source,
    *,
    time: str,
    slices: Slices = "places",
) -> dict[str, Any]:
    """Return the sidecar of a mask as plain data."""
    counts = labels.voxel_counts()
    volumes = volumes_ml(counts, labels.grid) if slices == "places" else {}
    return {
        "format": SIDECAR,
        "version": 1,
        "software": {"name": "napari-medlabel", "version": __version__},
        "saved": time,
        "mask": {
            "file": saved.path.name,
            "sha256": saved.sha256,
            "content_id": saved.content_id,
            "dtype": str(labels.array.dtype),
        },
        "grid": {
            "shape_ijk": list(labels.grid.shape),
            "affine_ras_mm": labels.grid.affine.matrix.tolist(),
            "axes": labels.grid.affine.axis_codes,
        },
        "source": {
            "format": source.format,
            "files": len(source.files),
            "sha256_in_slice_order": list(source.sha256),
            **_planes(source),
        },
        "scheme": labels.scheme.to_json(),
        "measured": [
            {"value": value, "voxels": n, "volume_ml": _rounded(volumes.get(value))}
            for value, n in sorted(counts.items())
        ],
    }


def _planes(source: Source) -> dict[str, Any]:
    """Say which frame of which file each slice is, where it is not simply file after file."""
    if source.is_slice_by_slice:
        return {}
    return {"file_and_frame_of_slices": [list(plane) for plane in source.planes]}


def _rounded(volume_ml: float | None) -> float | None:
    return None if volume_ml is None else round(volume_ml, 6)


def load_mask(path: Path, grid: Grid, *, scheme: LabelScheme) -> LabelMap:
    """Load a mask that lies on a scan, with the scheme of its sidecar where there is one.

    Parameters
    ----------
    path : Path
        NIfTI, NRRD or MHA.
    grid : Grid
        The scan's grid; another grid is refused.
    scheme : LabelScheme
        Used where there is no sidecar. Values it does not name get a name of their own.

    Returns
    -------
    LabelMap
        Its array is a copy in memory: the file may be overwritten while it is open.

    Raises
    ------
    InputError, GeometryError
        When it cannot be read, holds no labels, or lies on another grid.
    """
    array = read_mask(path, grid)
    found = _sidecar_scheme(path) or scheme
    used = found.with_unnamed(count_labels(array))
    if array.dtype != used.dtype:
        array = np.array(array.T, dtype=used.dtype, order="C").T
    return LabelMap(grid, array, used)


def _sidecar_scheme(path: Path) -> LabelScheme | None:
    try:
        sidecar = sidecar_path(path)
    except InputError:
        return None
    if not sidecar.is_file():
        return None
    try:
        data = json.loads(sidecar.read_bytes())
        is_ours = isinstance(data, dict) and data.get("format") == SIDECAR
        return LabelScheme.from_json(data["scheme"]) if is_ours else None
    except (ValueError, KeyError) as err:
        raise InputError(
            "The mask's sidecar (.json) is damaged.",
            hint="Move the sidecar away to load the mask with the chosen scheme.",
        ) from err
