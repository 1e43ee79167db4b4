"""Where the files of a case go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.io.files import make_folder
from napari_medlabel.project.layout import Layout, require_there

MASK_FILE: Final = "mask.nii.gz"


@dataclass(frozen=True)
class Place:
    """Where a case's files go and how the log names it.

    Parameters
    ----------
    case : str
        Content id of the scan.
    subject : str
        The patient's token in the log.
    folder : Path
        Folder of mask and landmarks; made at the first save.
    study : Layout or None
        The study that it lies in, None where it lies in none.
    """

    case: str
    subject: str
    folder: Path
    study: Layout | None = None

    def make(self) -> None:
        """Make the folder where it is missing; in a study only while the study is there.

        Raises
        ------
        SaveError
            When it cannot be made, or the study's folder has gone.
        """
        if self.study is not None:
            require_there(self.study)
        make_folder(self.folder)

    @property
    def mask(self) -> Path:
        """The mask file."""
        return self.folder / MASK_FILE

    @property
    def landmarks(self) -> Path:
        """The landmarks as Slicer Markups; a CSV of the same name lies beside it."""
        return self.folder / "landmarks.mrk.json"

    @property
    def measurements(self) -> Path:
        """The measurements as Slicer Markups; a CSV of their numbers lies beside it."""
        return self.folder / "measurements.mrk.json"
