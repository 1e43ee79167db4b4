"""From one file of landmarks to another: all that the new format can hold, read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.export.landmark_tables import measurements_to_csv, sidecar_bytes
from napari_medlabel.export.landmarks import encode_json, encode_landmarks, left_out
from napari_medlabel.export.markups import measurements_to_markups, to_markups
from napari_medlabel.io.files import Staging
from napari_medlabel.io.landmarks.found import Frame, Reading
from napari_medlabel.io.landmarks.reading import SUFFIXES, read_landmarks
from napari_medlabel.measure.lines import values_of

_SAME_MM = 1e-9


def convert_landmarks(found: Reading, output: Path, *, frame: Frame = "LPS") -> tuple[str, ...]:
    """Write what was read into another file, and compare what it reads back.

    Parameters
    ----------
    found : Reading
        What `read_landmarks` returned. From Markups to Markups all is kept that is not
        understood.
    output : Path
        A new file; its suffix says the format.
    frame : str
        The axes of the numbers, where the format has a choice.

    Returns
    -------
    tuple of str
        What the format cannot hold, in sentences.

    Raises
    ------
    InputError
        When the output is there already, its suffix is another one, or nothing is left to
        write.
    SaveError
        When it cannot be written or reads back otherwise.
    """
    suffix = output.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            "Landmarks are .mrk.json (Slicer Markups), .csv, .tsv, .fcsv or .mps; the name "
            "given ends otherwise.",
            hint="For example: landmarks.mrk.json",
        )
    files = {output: _content(found, output, frame)}
    if suffix == ".tsv":
        files[output.with_suffix(".json")] = sidecar_bytes()
    if any(path.exists() for path in files):
        raise InputError(
            "The output exists already, and nothing is overwritten.",
            hint="Choose another name, or move the file away.",
        )
    with Staging() as staging:
        for path, data in files.items():
            staging.add_bytes(path, data)
        staging.publish()
    _require_same(found, output)
    return _told(found, output)


def _content(found: Reading, output: Path, frame: Frame) -> bytes:
    marks, measured = found.landmarks, found.measurements
    values = {one.name: values_of(one) for one in measured}
    if output.suffix.lower() == ".json":
        write = to_markups if len(marks) or not len(measured) else None
        if write is None:
            like = found.document
            document = measurements_to_markups(measured, values, frame=frame, like=like)
        else:
            document = write(marks, measured, values=values, frame=frame, like=found.document)
        return encode_json(document)
    if not len(marks) and len(measured) and output.suffix.lower() == ".csv":
        return measurements_to_csv(measured, values).encode()
    if not len(marks):
        raise InputError(
            "The file holds no landmarks; measurements are written as .mrk.json or .csv.",
            hint="Give the output a name that ends so.",
        )
    return encode_landmarks(output, marks, frame=frame)


def _told(found: Reading, output: Path) -> tuple[str, ...]:
    told = left_out(output, found.landmarks)
    if len(found.measurements) and len(found.landmarks) and output.suffix.lower() != ".json":
        told += (f"Measurements are not in the file: {len(found.measurements)}.",)
    return told


def _require_same(found: Reading, output: Path) -> None:
    """Read the file back: every placed landmark within 1e-9 mm, in the same order."""
    if not len(found.landmarks):
        return
    back = read_landmarks(output).landmarks.placed
    before = found.landmarks.placed
    if len(back) == len(before) and (
        not before
        or np.allclose(
            np.array([mark.point_ras for mark in back]),
            np.array([mark.point_ras for mark in before]),
            rtol=0,
            atol=_SAME_MM,
        )
    ):
        return
    raise SaveError(
        "The file did not read back as it was written.",
        hint="This is a fault in the program; please report it.",
    )
