"""Versions: every mask that was ever saved, by content; nothing saved is overwritten."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final, Literal

import numpy as np

from napari_medlabel.audit.format.layout import OBJECTS, object_file
from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import make_folder, sha256_file, write_aside
from napari_medlabel.io.nifti.reading import read_labels_nifti
from napari_medlabel.model.labelmap import content_id

_ID: Final = re.compile(r"sha256:[0-9a-f]{64}")
_DTYPES: Final = (np.uint8, np.uint16)
Kept = Literal["kept", "damaged", "missing"]


class Versions:
    """A folder of mask files named by what they say.

    Parameters
    ----------
    folder : Path
        Made when the first version is kept.
    spare : Path
        A folder beside the mask, used when that folder cannot be written to.
    grid : Grid, optional
        The scan's. With it, what is read is compared with its name: a mask file knows its
        place to seven digits only, and the name is made of all of them.
    """

    def __init__(self, folder: Path, spare: Path, grid: Grid | None = None) -> None:
        self._folder = folder
        self._spare = spare
        self._grid = grid

    def path(self, content_id: str) -> Path:
        """Return where a version lies, whether or not it does."""
        if not _ID.fullmatch(content_id):
            raise InputError(
                "A mask version is named by 'sha256:' and 64 hexadecimal digits.",
                hint="Take the id from the mask's sidecar or from the log.",
            )
        return self._folder / Path(object_file(content_id)).relative_to(OBJECTS)

    def keep(self, content_id: str, file: Path) -> None:
        """Keep a copy of a mask file, unless that content is kept already.

        The copy is read back and compared. A kept file that was damaged is replaced.

        Parameters
        ----------
        content_id : str
            What the mask says; the hash of its bytes where it cannot be read.
        file : Path
            The mask file.

        Raises
        ------
        SaveError
            When neither folder can be written to: what is replaced is kept somewhere, or it
            is not replaced.
        """
        digest = sha256_file(file)
        if any(
            self._is_good(target, content_id, digest) for target in self._places(content_id)
        ):
            return
        target = self.path(content_id)
        try:
            make_folder(target.parent)
            _copy(file, target, digest)
        except SaveError:
            # The log's disk is full or gone; the mask's own may not be.
            make_folder(self._spare)
            _copy(file, self._spare / target.name, digest)

    def bring_home(self) -> None:
        """Copy what is kept beside the mask to where all versions are, if that can be done.

        While the log's folder was gone, versions were kept beside the mask.
        """
        for file in sorted(self._spare.glob("*.nii.gz")):
            name = f"sha256:{file.name.partition('.')[0]}"
            if not _ID.fullmatch(name) or self.path(name).is_file():
                continue
            try:
                make_folder(self.path(name).parent)
                _copy(file, self.path(name), sha256_file(file))
            except (SaveError, OSError):
                return  # another time: it is safe where it is

    def find(self, content_id: str) -> Path | None:
        """Return a file that holds a version and is not damaged, or None."""
        for target in self._places(content_id):
            if self._is_good(target, content_id, ""):
                return target
        return None

    def state(self, content_id: str) -> Kept:
        """Tell whether a version is kept, kept but damaged, or not kept."""
        if self.find(content_id) is not None:
            return "kept"
        there = any(target.is_file() for target in self._places(content_id))
        return "damaged" if there else "missing"

    def read(self, content_id: str) -> LabelArray | None:
        """Return a version's labels, shape (i, j, k), or None when no good copy is kept."""
        for target in self._places(content_id):
            array = self.read_file(target, content_id)
            if array is not None:
                return array
        return None

    def read_file(self, target: Path, name: str) -> LabelArray | None:
        """Return the labels in a file if they are what a content id says, else None."""
        if not target.is_file():
            return None
        try:
            array, _ = read_labels_nifti(target)
        except InputError:
            return None
        return array if self._grid is None else as_named(array, self._grid, name)

    def _places(self, content_id: str) -> tuple[Path, ...]:
        target = self.path(content_id)
        return target, self._spare / target.name

    def _is_good(self, target: Path, content_id: str, digest: str) -> bool:
        """Compare a kept file with a digest, or with the name: by bytes, else by content."""
        try:
            if not target.is_file():
                return False
            found = sha256_file(target)
        except OSError:
            return False
        if found in (digest, content_id.removeprefix("sha256:")):
            return True
        return self.read_file(target, content_id) is not None


def as_named(array: LabelArray, grid: Grid, name: str) -> LabelArray | None:
    """Return labels in the type with which their content id is this one, or None.

    A file with small values is read as uint8, whatever the mask's own type was.
    """
    if array.shape != grid.shape:
        return None
    for dtype in _DTYPES:
        if array.size and int(array.max()) > np.iinfo(dtype).max:
            continue
        typed = array if array.dtype == dtype else array.T.astype(dtype).T
        if content_id(grid, typed) == name:
            return typed
    return None


def _copy(source: Path, target: Path, digest: str) -> None:
    def check(aside: Path) -> None:
        if sha256_file(aside) != digest:
            raise SaveError(
                "The kept version did not read back as it was written.",
                hint="The disk or the network drive is faulty; save somewhere else.",
            )

    write_aside(target, lambda aside: _copy_bytes(source, aside), check=check)


def _copy_bytes(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
