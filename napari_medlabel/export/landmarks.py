"""Landmarks as files: Slicer Markups, tables, .fcsv and MITK point sets, and back."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.export.landmark_tables import (
    sidecar_bytes,
    to_bids_tsv,
    to_csv,
    to_fcsv,
    to_mps,
)
from napari_medlabel.export.markups import to_markups
from napari_medlabel.io.files import Staging
from napari_medlabel.io.landmarks.found import Frame
from napari_medlabel.io.landmarks.markups import read_markups
from napari_medlabel.io.landmarks.reading import SUFFIXES, read_landmarks
from napari_medlabel.io.landmarks.tables import read_table
from napari_medlabel.model.landmarks import LandmarkSet

__all__ = [
    "encode_landmarks",
    "from_csv",
    "from_markups",
    "left_out",
    "load_landmarks",
    "save_landmarks",
    "stage_landmarks",
    "to_csv",
    "to_markups",
]

_NAMELESS: Final = "MITK point sets hold no names; they are in the order of the landmarks."


def save_landmarks(
    path: Path, marks: LandmarkSet, *, frame: Frame = "LPS", like: Any = None
) -> None:
    """Write landmarks, whole or not at all.

    Parameters
    ----------
    path : Path
        Its suffix says the format: ``*.mrk.json``, ``*.csv``, ``*.tsv`` (with a sidecar
        ``*.json`` beside it), ``*.fcsv`` or ``*.mps``.
    marks : LandmarkSet
        Landmarks without a position are written as not defined, or left out where the format
        has no word for that.
    frame : str
        The axes of the file's numbers, where its format has a choice.
    like : object, optional
        A Markups document to keep what is unknown of; see `to_markups`.

    Raises
    ------
    SaveError
        When it cannot be written.
    InputError
        When the suffix is another one, or a ``*.json`` that is no sidecar of ours stands where
        that of a table would: nobody was asked whether it may go.
    """
    data = encode_landmarks(path, marks, frame=frame, like=like)
    with Staging() as staging:
        staging.add_bytes(path, data)
        if path.suffix.lower() == ".tsv":
            sidecar = path.with_suffix(".json")
            _require_ours(sidecar)
            staging.add_bytes(sidecar, sidecar_bytes())
        staging.publish()


def _require_ours(sidecar: Path) -> None:
    """Refuse to write a table's sidecar over a file that says anything else."""
    try:
        is_ours = not os.path.lexists(sidecar) or sidecar.read_bytes() == sidecar_bytes()
    except OSError:
        is_ours = False
    if not is_ours:
        raise InputError(
            "Beside the table a .json file of the same name belongs to something else, and "
            "nothing is overwritten.",
            hint="Choose another name for the table, or move that file away.",
        )


def stage_landmarks(staging: Staging, path: Path, marks: LandmarkSet) -> str:
    """Write landmarks aside and return the hex SHA-256 of the file; see `save_landmarks`."""
    data = encode_landmarks(path, marks)
    staging.add_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def encode_landmarks(
    path: Path, marks: LandmarkSet, *, frame: Frame = "LPS", like: Any = None
) -> bytes:
    """Return what is written into a file of this name; see `save_landmarks`."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        return encode_json(to_markups(marks, frame=frame, like=like))
    if suffix == ".csv":
        return to_csv(marks, frame=frame).encode()
    if suffix == ".tsv":
        return to_bids_tsv(marks).encode()
    if suffix == ".fcsv":
        return to_fcsv(marks, frame=frame).encode()
    if suffix == ".mps":
        return to_mps(marks).encode()
    raise _unknown_suffix()


def encode_json(document: Any) -> bytes:
    """Return a document as it is written; NaN and infinity are refused (ValueError)."""
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def left_out(path: Path, marks: LandmarkSet) -> tuple[str, ...]:
    """Return what a file of this name cannot hold of these landmarks, in sentences."""
    suffix = path.suffix.lower()
    told = []
    missing = len(marks) - len(marks.placed)
    if suffix in (".fcsv", ".mps") and missing:
        told.append(f"Not placed and therefore not in the file: {missing}.")
    if suffix == ".mps":
        told.append(_NAMELESS)
    return tuple(told)


def load_landmarks(path: Path) -> LandmarkSet:
    """Read landmarks from a file, LPS or RAS as it says, into RAS mm.

    Raises
    ------
    InputError
        When the file cannot be read as one of the formats of `SUFFIXES`, or holds no points.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise _unknown_suffix()
    found = read_landmarks(path)
    if found.document is not None:
        _require_list(found.document)
    return found.landmarks


def _unknown_suffix() -> InputError:
    return InputError(
        "Landmarks are .mrk.json (Slicer Markups), .csv, .tsv, .fcsv or .mps; the name given "
        "ends otherwise.",
        hint="For example: landmarks.mrk.json",
    )


def from_markups(data: Any) -> LandmarkSet:
    """Build landmarks from a Slicer Markups document.

    Raises
    ------
    InputError
        When it is not one, its units are not mm, or it holds no point list.
    """
    found = read_markups(data)
    _require_list(data)
    return found.landmarks


def _require_list(document: Any) -> None:
    if not any(markup["type"] == "Fiducial" for markup in document["markups"]):
        raise InputError(
            "The Markups file holds no point list.",
            hint="Lines, curves and planes are not landmarks; save a point list.",
        )


def from_csv(text: str) -> LandmarkSet:
    """Build landmarks from Slicer's table form with columns l, p, s or r, a, s.

    Raises
    ------
    InputError
        When columns are missing or a number is not one.
    """
    return read_table(text).landmarks
