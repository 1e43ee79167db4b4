"""Versions: every mask that was ever saved, by content; nothing saved is overwritten."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import make_folder, write_aside
from napari_medlabel.io.nifti.reading import read_labels_nifti

_ID: Final = re.compile(r"sha256:[0-9a-f]{64}")


class Versions:
    """A folder of mask files named by what they say.

    Parameters
    ----------
    folder : Path
        Made when the first version is kept.
    spare : Path
        A folder beside the mask, used when that folder cannot be written to.
    """

    def __init__(self, folder: Path, spare: Path) -> None:
        self._folder = folder
        self._spare = spare

    def path(self, content_id: str) -> Path:
        """Return where a version lies, whether or not it does."""
        if not _ID.fullmatch(content_id):
            raise InputError(
                "A mask version is named by 'sha256:' and 64 hexadecimal digits.",
                hint="Take the id from the mask's sidecar or from the log.",
            )
        digest = content_id.removeprefix("sha256:")
        return self._folder / digest[:2] / f"{digest}.nii.gz"

    def keep(self, content_id: str, file: Path) -> None:
        """Keep a copy of a mask file, unless that content is kept already.

        Parameters
        ----------
        content_id : str
            What the mask says.
        file : Path
            The mask file.

        Raises
        ------
        SaveError
            When neither folder can be written to: what is replaced is kept somewhere, or it
            is not replaced.
        """
        if any(target.is_file() for target in self._places(content_id)):
            return
        target = self.path(content_id)
        try:
            make_folder(target.parent)
            write_aside(target, lambda aside: _copy(file, aside))
        except SaveError:
            # The log's disk is full or gone; the mask's own may not be.
            make_folder(self._spare)
            write_aside(self._spare / target.name, lambda aside: _copy(file, aside))

    def read(self, content_id: str) -> LabelArray | None:
        """Return a version's labels, shape (i, j, k), or None when it is not kept."""
        for target in self._places(content_id):
            if target.is_file():
                return read_labels_nifti(target)[0]
        return None

    def _places(self, content_id: str) -> tuple[Path, ...]:
        target = self.path(content_id)
        return target, self._spare / target.name


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
