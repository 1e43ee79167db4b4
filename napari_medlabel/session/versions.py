"""Versions: every mask that was ever saved, by content; nothing saved is overwritten."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from napari_medlabel.edit.patch import LabelArray
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import make_folder, write_aside
from napari_medlabel.io.nifti import read_labels_nifti

_ID: Final = re.compile(r"sha256:[0-9a-f]{64}")


class Versions:
    """A folder of mask files named by what they say.

    Parameters
    ----------
    folder : Path
        Made when the first version is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

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

        Raises
        ------
        SaveError
            When it cannot be written.
        """
        target = self.path(content_id)
        if target.exists():
            return
        make_folder(target.parent)
        write_aside(target, lambda aside: _copy(file, aside))

    def read(self, content_id: str) -> LabelArray | None:
        """Return a version's labels, shape (i, j, k), or None when it is not kept."""
        target = self.path(content_id)
        return read_labels_nifti(target)[0] if target.is_file() else None


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
