"""Written aside, read back, compared: how files of marks get their names."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.export.segments import Segment
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import explain_os_error, sync_folder
from napari_medlabel.io.marks.found import Marks
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Source, Volume


def require_new(path: Path) -> None:
    """Refuse a target that exists.

    Raises
    ------
    SaveError
        When it does.
    """
    if path.exists() or path.is_symlink():
        raise SaveError(
            "The target exists already, and nothing is overwritten.",
            hint="Choose another name, or move the file away.",
        )


def not_the_same(what: str) -> SaveError:
    """Return the error of a file that reads back otherwise than it was written."""
    return SaveError(
        f"The {what} did not read back as it was written.",
        hint="The disk or the network drive is faulty; save somewhere else.",
    )


def require_same_segments(
    marks: Marks, segments: Sequence[Segment], layers: Sequence[LabelMap], what: str
) -> None:
    """Compare what a file reads back with what went in, voxel by voxel.

    Parameters
    ----------
    marks : Marks
        What was read.
    segments : sequence of Segment
        What was written.
    layers : sequence of LabelMap
        The masks they stand in.
    what : str
        Which object it is, for messages.

    Raises
    ------
    SaveError
        When a segment has other voxels.
    """
    for one in segments:
        stack = layers[one.layer].array.T
        meant = np.asarray(stack == one.label.value)
        there = np.zeros(meant.shape, dtype=bool)
        for found in marks.labels:
            if one.number in found.scheme.values:
                back = found.array.T
                there |= back == one.number
        same = bool(np.array_equal(there, meant))
        if not same:
            raise not_the_same(what)


def as_scan(labels: LabelMap) -> Volume:
    """Return a mask as the scan that marks are put on when they are read back."""
    return Volume(Grid(labels.grid.shape, labels.grid.affine), labels.array, Source("nrrd", ()))


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Fill a folder aside and give it its name when all of it is there, or leave nothing.

    Parameters
    ----------
    path : Path
        A folder that does not exist, in one that does.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    SaveError
        When it exists, or cannot be written.
    InputError
        When its parent does not exist.
    """
    require_new(path)
    if not path.parent.is_dir():
        raise InputError(
            "The folder of the target does not exist.", hint="Make it first, or choose another."
        )
    aside = path.with_name(f".{secrets.token_hex(4)}.part.{path.name}")
    try:
        aside.mkdir()
        yield aside
        require_new(path)
        aside.rename(path)
        sync_folder(path.parent)
    except OSError as err:
        raise explain_os_error(err) from err
    finally:
        if aside.exists():
            shutil.rmtree(aside)
