"""Reading a file of landmarks, whichever program wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.landmarks.fcsv import read_fcsv
from napari_medlabel.io.landmarks.found import Frame, Reading, renames_in_words
from napari_medlabel.io.landmarks.markups import parse_json, read_markups
from napari_medlabel.io.landmarks.mps import read_mps
from napari_medlabel.io.landmarks.tables import read_table
from napari_medlabel.model.landmarks import LandmarkSet

SUFFIXES: Final = (".json", ".fcsv", ".csv", ".tsv", ".mps")
_LARGEST: Final = 64 << 20  # bytes: a million points


def read_landmarks(
    path: Path, *, frame: Frame | None = None, template: LandmarkSet | None = None
) -> Reading:
    """Read landmarks and measurements from a file.

    Parameters
    ----------
    path : Path
        ``*.mrk.json``, ``*.fcsv``, ``*.csv``, ``*.tsv`` or ``*.mps``.
    frame : str or None
        ``"LPS"`` or ``"RAS"``, for files that do not say it themselves.
    template : LandmarkSet, optional
        Gives names and definitions; landmarks that the file does not have are unplaced.

    Returns
    -------
    Reading
        In RAS mm, with notes on what was assumed or left out.

    Raises
    ------
    InputError
        When the file cannot be read as one of these.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            "Landmarks are .mrk.json (Slicer Markups), .fcsv, .mps, .csv or .tsv; the name "
            "given ends otherwise.",
            hint="For example: landmarks.mrk.json",
        )
    data = _bytes(path)
    if suffix == ".mps":
        return read_mps(data, template=template)
    text = _text(data)
    if suffix == ".json":
        found = read_markups(parse_json(text))
    elif suffix == ".fcsv":
        found = read_fcsv(text, frame=frame)
    else:
        found = read_table(text, frame=frame, sidecar=_sidecar(path))
    return found if template is None else _under(found, template)


def _under(found: Reading, template: LandmarkSet) -> Reading:
    marks = found.landmarks.named_as(template)
    renamed = renames_in_words(found.landmarks, marks)
    notes = (*found.notes, renamed) if renamed else found.notes
    merged = marks.merged_into(template)
    return Reading(found.form, found.frame, merged, found.measurements, notes, found.document)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(
                "The landmarks file is larger than 64 MiB.", hint="Choose another file."
            )
        return path.read_bytes()
    except OSError as err:
        raise _unreadable() from err


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise _unreadable() from err


def _unreadable() -> InputError:
    return InputError(
        "The landmarks file cannot be read.", hint="Choose a .mrk.json or .csv file."
    )


def _sidecar(path: Path) -> Mapping[str, Any] | None:
    """Return the BIDS sidecar beside a table; None where there is none that can be read."""
    beside = path.with_suffix(".json")
    try:
        told = json.loads(_bytes(beside)) if beside.is_file() else None
    except (ValueError, RecursionError, InputError):
        return None
    return told if isinstance(told, Mapping) else None
