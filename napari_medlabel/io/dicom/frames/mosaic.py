"""Siemens mosaics and UIH grids: one picture that holds all slices of a volume as tiles."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames import siemens as dicom_siemens
from napari_medlabel.io.dicom.frames import uih as dicom_uih
from napari_medlabel.io.dicom.frames.groups import moment_of, plain
from napari_medlabel.io.dicom.frames.nested import Item, Wanted, read_items
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header.instance import Instance

_ECHO_TIME = 0x00180081
_NUMBER = 0x00200013
_ENHANCED: Final = "1.2.840.10008.5.1.4.1.1.4."
_WANTED: Final = Wanted(
    values={
        0x00080022: b"DA",
        0x00080023: b"DA",
        0x0008002A: b"DT",
        0x00080032: b"TM",
        0x00080033: b"TM",
        _ECHO_TIME: b"DS",
        _NUMBER: b"IS",
        0x00200032: b"DS",
    },
    sequences=frozenset(),
    private={
        dicom_siemens.IMAGE_HEADER: b"OB",
        dicom_siemens.SERIES_HEADER: b"OB",
        dicom_siemens.IMAGES_IN_MOSAIC: b"US",
        dicom_siemens.B_VALUE: b"IS",
        dicom_siemens.PHOENIX: b"OB",
        dicom_uih.COUNT: b"DS",
        dicom_uih.SLICES: b"SQ",
    },
)
_COMPONENTS: Final = {"M": "magnitude", "P": "phase", "R": "real", "I": "imaginary"}
_PARALLEL: Final = 0.999
_MOST_TILES: Final = 4096
_AGAIN = "Export the series again with its private elements, or as one file for each slice."
_Vector = npt.NDArray[np.float64]


def wants_mosaic(instance: Instance) -> bool:
    """Tell whether the file's picture is a sheet of tiles, by its Image Type alone.

    Siemens writes ``MOSAIC``; UIH ``VFRAME`` (with no position in the data set) or ``GRID``.
    Enhanced files keep the word when their slices are frames, and are none.
    """
    kinds = instance.image_type.upper().split("\\")
    if instance.sop_class.startswith(_ENHANCED) or instance.frames > 1:
        return False
    if "MOSAIC" in kinds:
        return True
    return instance.position_lps is None and not {"VFRAME", "GRID"}.isdisjoint(kinds)


def planes_of(instance: Instance) -> tuple[Plane, ...]:
    """Return one plane for each tile that holds a slice, in the order of the tiles.

    Raises
    ------
    InputError
        When the headers do not say how many slices there are or where they lie.
    """
    whole = read_items(instance, _WANTED)
    orientation = instance.orientation_lps
    if orientation is None or instance.spacing_mm is None or min(instance.spacing_mm) <= 0:
        name = "Pixel Spacing" if orientation is not None else "Image Orientation (Patient)"
        raise InputError(
            f"The picture is a sheet of slices, and {name} is missing or no length: where "
            "they lie is unknown.",
            hint=_AGAIN,
        )
    if "MOSAIC" in instance.image_type.upper().split("\\"):
        positions, layout = _siemens(instance, whole)
    else:
        found = dicom_uih.slice_positions(whole)
        _require_count(len(found))
        positions, layout = np.array(found), dicom_uih.tile_layout(len(found))
    rows, columns = _tile_size(instance, layout)
    return tuple(_planes(instance, whole, positions, (rows, columns), layout[1]))


def _planes(
    instance: Instance, whole: Item, positions: _Vector, tile: tuple[int, int], across: int
) -> Iterator[Plane]:
    """Make a plane of each tile; what all of them share is looked up once."""
    order, kind = _order(whole), _kind(instance)
    rows, columns = tile
    orientation, spacing = instance.orientation_lps, instance.spacing_mm
    thickness, between = instance.thickness_mm, instance.between_mm
    slope, intercept, window = instance.slope, instance.intercept, instance.window
    for n, position in enumerate(positions.tolist()):
        yield Plane(
            instance=instance,
            frame=0,
            tile=(n // across * rows, n % across * columns),
            rows=rows,
            columns=columns,
            position_lps=tuple(position),
            orientation_lps=orientation,
            spacing_mm=spacing,
            thickness_mm=thickness,
            between_mm=between,
            slope=slope,
            intercept=intercept,
            window=window,
            kind=kind,
            order=order,
        )


def _require_count(count: int) -> None:
    if not 1 <= count <= _MOST_TILES:
        raise InputError(
            f"A sheet of 1 to {_MOST_TILES} slices is expected; the header says {count}.",
            hint=_AGAIN,
        )


def _tile_size(instance: Instance, layout: tuple[int, int]) -> tuple[int, int]:
    down, across = layout
    if not (instance.rows and instance.columns) or (
        instance.rows % down or instance.columns % across
    ):
        raise InputError(
            f"A sheet of {down} by {across} slices is expected by the header; Rows and Columns "
            "cannot be divided so.",
            hint=_AGAIN,
        )
    return instance.rows // down, instance.columns // across


def _siemens(instance: Instance, whole: Item) -> tuple[_Vector, tuple[int, int]]:
    """Return each tile's position, and how many tiles lie below and beside each other."""
    said = dicom_siemens.read_mosaic(whole)
    if instance.position_lps is None:
        raise InputError(
            "The picture is a mosaic without Image Position (Patient): where its slices lie "
            "is unknown.",
            hint="Export the series again as enhanced files, or as one file for each slice.",
        )
    if said.count is None:
        raise InputError(
            "The picture is a mosaic, and nothing says how many slices it holds: the private "
            "elements of Siemens are missing.",
            hint=_AGAIN,
        )
    _require_count(said.count)
    side = math.isqrt(said.count - 1) + 1
    rows, columns = _tile_size(instance, (side, side))
    first, normal = _first_tile(instance, rows, columns)
    if said.count == 1:
        return first[None], (side, side)
    centre = first + _across(instance, rows - 1, columns - 1) / 2
    sign = _direction(said, normal, centre)
    step = sign * _spacing(instance, said, normal) * normal
    return first + np.arange(said.count)[:, None] * step, (side, side)


def _across(instance: Instance, down: float, right: float) -> _Vector:
    """Return the way over that many rows and columns; mm, LPS."""
    turned = np.array(instance.orientation_lps, dtype=np.float64)
    between_rows, between_columns = instance.spacing_mm or (0.0, 0.0)
    way: _Vector = turned[:3] * between_columns * right + turned[3:] * between_rows * down
    return way


def _first_tile(instance: Instance, rows: int, columns: int) -> tuple[_Vector, _Vector]:
    """Return where the first tile begins, and the normal of its rows and columns.

    Image Position belongs to a picture as large as the sheet, with the slice's centre in its
    middle; the tile begins half the difference further.
    """
    turned = np.array(instance.orientation_lps, dtype=np.float64)
    normal = np.cross(turned[:3], turned[3:])
    length = float(np.linalg.norm(normal))
    if abs(length - 1.0) > 1e-2:
        raise InputError(
            "Rows and columns are expected at right angles and of length one; Image "
            "Orientation (Patient) is not.",
            hint=_AGAIN,
        )
    moved = _across(instance, (instance.rows - rows) / 2, (instance.columns - columns) / 2)
    return np.array(instance.position_lps, dtype=np.float64) + moved, normal / length


def _direction(said: dicom_siemens.Mosaic, normal: _Vector, centre: _Vector) -> float:
    """Return 1 where tiles follow each other along the normal, -1 where against it."""
    planned = _planned_direction(said, normal, centre)
    if said.normal_lps is None:
        if planned:
            return planned
        raise InputError(
            "The picture is a mosaic, and nothing says whether its slices run up or down: the "
            "private elements of Siemens are missing.",
            hint=_AGAIN,
        )
    along = float(np.dot(said.normal_lps, normal))
    if abs(along) < _PARALLEL:
        raise InputError(
            "The mosaic's private slice normal is expected at right angles to Image "
            "Orientation (Patient); it is not.",
            hint=_AGAIN,
        )
    if planned * along < 0:
        raise InputError(
            "The mosaic's slice normal and its protocol contradict each other: where its "
            "slices lie is unknown.",
            hint=_AGAIN,
        )
    return math.copysign(1.0, along)


def _planned_direction(said: dicom_siemens.Mosaic, normal: _Vector, centre: _Vector) -> float:
    """Return the same by the protocol's list of slices, 0 where it does not tell.

    The first tile is the first planned slice or, where images are numbered backwards, the
    last one: which of them lies where the tile lies needs no knowledge of that number.
    """
    if len(said.centres_lps) != said.count:
        return 0.0
    planned = np.array(said.centres_lps) @ normal
    rises = float(np.sign(planned[-1] - planned[0]))
    begins, ends = np.abs(planned[[0, -1]] - centre @ normal)
    if min(begins, ends) > 0.1 * abs(planned[1] - planned[0]):
        return 0.0
    return rises if begins < ends else -rises


def _spacing(instance: Instance, said: dicom_siemens.Mosaic, normal: _Vector) -> float:
    """Return the distance between slices: as planned, else as the public attribute says."""
    for value in (said.spacing_mm, instance.between_mm):
        if value is not None and value > 0:
            return value
    if len(said.centres_lps) == said.count:
        planned = np.array(said.centres_lps) @ normal
        steps = np.abs(np.diff(planned))
        if steps.min() > 0 and np.ptp(steps) < 0.01 * steps.min():
            return float(steps.mean())
    raise InputError(
        "The picture is a mosaic, and nothing says how far apart its slices lie: Spacing "
        "Between Slices is missing.",
        hint=_AGAIN,
    )


def _kind(instance: Instance) -> tuple[str, ...]:
    terms = [term.strip().upper() for term in instance.image_type.split("\\")]
    words = [plain(terms[0])] if terms[0] == "DERIVED" else []
    words += [_COMPONENTS[term] for term in terms[2:3] if term in _COMPONENTS]
    words += [plain(term) for term in terms[3:4] if terms[2] == "DIFFUSION" and term != "NONE"]
    return tuple(words)


def _order(whole: Item) -> tuple[tuple[str, float], ...]:
    """Return what tells this volume from the others of its series."""
    moment = moment_of(whole)
    found = (
        ("echo", whole.number(_ECHO_TIME)),
        ("time", moment),
        ("b-value", dicom_siemens.b_value(whole)),
        ("volume", whole.number(_NUMBER)),
    )
    return tuple((name, value) for name, value in found if value is not None)
