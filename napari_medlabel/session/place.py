"""Where the files of a case go."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.files import make_folder
from napari_medlabel.project.layout import Layout, require_there

MASK_FILE: Final = "mask.nii.gz"
_PART: Final = re.compile(r"sheet-[1-9][0-9]*|(review|reading)-.+|adjudicate")
"""Folders below a case's open work, each with a mask of its own."""
_SHEET: Final = re.compile(r"sheet-[1-9][0-9]*")
_LOOKS: Final = "study-looks"


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

    @property
    def journal(self) -> str:
        """Under which name unsaved work is kept: of a study's case several masks are drawn.

        Layers, readings and reviews of one scan have journals of their own; what a crash left
        of one is never offered to another.
        """
        return journal_key(self.case, self.folder)

    def require_landmarks_here(self) -> None:
        """Refuse landmarks where none is ever submitted: on a further layer of a reading.

        Raises
        ------
        InputError
            Saying on which layer they are placed.
        """
        if self.study is not None and _SHEET.fullmatch(self.folder.name):
            raise InputError(
                "Landmarks are placed on the first layer of a reading: of this one none would "
                "be submitted.",
                hint="Choose the first layer at the top of the dock, and place them there.",
            )

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


def journal_key(case: str, folder: Path) -> str:
    """Return the name of the journals of work in a folder: the scan's, or one of its own.

    Parameters
    ----------
    case : str
        Content id of the scan.
    folder : Path
        Of mask and landmarks.
    """
    parts = list(folder.parts)
    if _LOOKS in parts:
        own = parts[parts.index(_LOOKS) :]
    else:
        above = next((n for n, part in enumerate(parts[::-1]) if not _PART.fullmatch(part)), 0)
        own = parts[len(parts) - above :]
    if not own:
        return case
    return f"sha256:{hashlib.sha256('/'.join((case, *own)).encode()).hexdigest()}"
