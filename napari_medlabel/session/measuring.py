"""Measurements of an open case: their numbers, their files, and reading them again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_medlabel.audit.format.event import Event
from napari_medlabel.export.landmark_tables import measurements_to_csv
from napari_medlabel.export.landmarks import encode_json
from napari_medlabel.export.markups import measurements_to_markups
from napari_medlabel.io.files import Staging, sha256_file
from napari_medlabel.io.landmarks.markups import read_markups
from napari_medlabel.io.landmarks.reading import read_landmarks
from napari_medlabel.measure.lines import Value, values_of
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.model.volume import Volume

if TYPE_CHECKING:
    from napari_medlabel.session.case import Session


def values_in(volume: Volume, one: Measurement) -> tuple[Value, ...]:
    """Return the numbers of a measurement on a scan, in mm and in the scan's own unit.

    Parameters
    ----------
    volume : Volume
        The scan. Where its slices are pictures without a place, what does not lie on one of
        them has no numbers: nothing between pictures is a length.
    one : Measurement
        Points in RAS mm.
    """
    affine = volume.grid.affine
    if volume.slices == "pictures" and np.ptp(affine.to_index(one.array)[:, 2]) > 0.5:
        return ()
    return values_of(one, volume.array, affine, unit=volume.quantity)


def all_values(volume: Volume, measured: MeasurementSet) -> dict[str, tuple[Value, ...]]:
    """Return the numbers of each measurement by its name; see `values_in`."""
    return {one.name: values_in(volume, one) for one in measured}


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
    values = all_values(session.volume, measured)
    data = encode_json(measurements_to_markups(measured, values))
    contents = {
        place: data,
        table_beside(place): measurements_to_csv(measured, values).encode(),
    }
    if all(path.is_file() and path.read_bytes() == told for path, told in contents.items()):
        return None
    old = sha256_file(place) if place.is_file() else None
    for path, told in contents.items():
        staging.add_bytes(path, told)
    new = hashlib.sha256(data).hexdigest()
    return session.events.landmarks_saved(
        old, new, placed=len(measured), expected=len(measured)
    )


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
