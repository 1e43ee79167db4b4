"""Measurements of an open case: their numbers, their files, and reading them again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.audit.format.event import Event
from napari_medlabel.export.landmark_tables import measurements_to_csv
from napari_medlabel.export.landmarks import encode_json
from napari_medlabel.export.markups import measurements_to_markups
from napari_medlabel.io.files import Staging, sha256_file
from napari_medlabel.io.landmarks.markups import read_markups
from napari_medlabel.io.landmarks.reading import read_landmarks
from napari_medlabel.measure.inside import WITH_VOXELS
from napari_medlabel.measure.lines import FROM_VOXELS, Value, values_of
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.model.volume import Volume

if TYPE_CHECKING:
    from napari_medlabel.session.case import Session

_VOLUME: Final = "scan volume"


def values_in(
    volume: Volume, one: Measurement, image: npt.NDArray[Any] | None = None
) -> tuple[Value, ...]:
    """Return the numbers of a measurement on a scan, in mm and in the scan's own unit.

    Parameters
    ----------
    volume : Volume
        The scan. Where its slices are pictures without a place, what does not lie on one of
        them has no numbers: nothing between pictures is a length.
    one : Measurement
        Points in RAS mm.
    image : ndarray, shape (i, j, k), optional
        Voxels of the volume in use; by default those of the first.
    """
    affine = volume.grid.affine
    if volume.slices == "pictures" and np.ptp(affine.to_index(one.array)[:, 2]) > 0.5:
        return ()
    values = volume.array if image is None else image
    return values_of(one, values, affine, unit=volume.quantity, missing=volume.missing)


def all_values(
    volume: Volume, measured: MeasurementSet, image: npt.NDArray[Any] | None = None
) -> dict[str, tuple[Value, ...]]:
    """Return the numbers of each measurement by its name; see `values_in`."""
    return {one.name: values_in(volume, one, image) for one in measured}


def table_beside(path: Path) -> Path:
    """Return the table of numbers beside the measurements' file."""
    return path.with_name("measurements.csv")


def stage_measurements(
    session: Session, staging: Staging, measured: MeasurementSet
) -> Event | None:
    """Write measurements aside where some were made or changed; return what the log is told.

    Nothing is written where the files are what would be written.
    """
    place = session.place.measurements
    if not len(measured) and not place.is_file():
        return None
    in_use = session.bench.in_use
    has_inside = any(one.kind in WITH_VOXELS for one in measured)
    which, image = in_use.now if has_inside else (in_use.words, None)
    values = all_values(session.volume, measured, image)
    data = encode_json(measurements_to_markups(measured, _with_volume(values, which)))
    table = measurements_to_csv(measured, values, volume=which)
    contents = {place: data, table_beside(place): table.encode()}
    if all(path.is_file() and path.read_bytes() == told for path, told in contents.items()):
        return None
    old = sha256_file(place) if place.is_file() else None
    for path, told in contents.items():
        staging.add_bytes(path, told)
    new = hashlib.sha256(data).hexdigest()
    return session.events.landmarks_saved(
        old, new, placed=len(measured), expected=len(measured)
    )


def _with_volume(
    values: Mapping[str, tuple[Value, ...]], which: str
) -> dict[str, tuple[Value, ...]]:
    """Return numbers with the volume, from 1, that voxels were taken from, if of several."""
    number = Value(_VOLUME, float(which.partition(" ")[0])) if which else None
    return {
        name: (*some, number)
        if number is not None and any(value.name in FROM_VOXELS for value in some)
        else some
        for name, some in values.items()
    }


def load_measurements(path: Path) -> MeasurementSet:
    """Return the measurements of a file, none where it is not there.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    return read_landmarks(path).measurements if path.is_file() else MeasurementSet()


def measurements_in(document: Any) -> MeasurementSet:
    """Return the measurements of a Markups document, as the recovery journal keeps it."""
    return read_markups(document).measurements
