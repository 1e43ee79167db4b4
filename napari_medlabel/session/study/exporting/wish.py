"""What somebody wants of an export: formats, which readings, and how much of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from napari_medlabel.errors import InputError
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.release.splits import Split
from napari_medlabel.project.work.states import State

Format = Literal[
    "nifti", "nnunet", "monai", "dicom-seg", "rtstruct", "sr", "seg-nrrd", "coco", "csv"
]
FORMATS: Final[tuple[Format, ...]] = (
    "nifti",
    "nnunet",
    "monai",
    "dicom-seg",
    "rtstruct",
    "sr",
    "seg-nrrd",
    "coco",
    "csv",
)
OF_DICOM: Final[frozenset[Format]] = frozenset({"dicom-seg", "rtstruct", "sr"})
"""Formats that are made from the scan's own DICOM images."""
BESIDE: Final[frozenset[Format]] = frozenset({"nifti", "csv"})
"""Formats that hold all raters' labels side by side; the others have a folder for each."""
FINISHED: Final[tuple[State, ...]] = ("approved", "corrected")
"""States of a reading that leaves without having been asked for."""
LEAVES: Final[tuple[State, ...]] = ("approved", "corrected", "submitted", "in_review")
"""States of a reading that can leave at all."""


@dataclass(frozen=True)
class ExportWish:
    """What is to be exported.

    Parameters
    ----------
    formats : tuple of str
        Of `FORMATS`; each becomes a folder of its own.
    states : tuple of str
        States of readings that may leave, of `LEAVES`. A consensus always may.
    cases : tuple of CaseId
        Which; empty for all.
    skip : bool
        Whether cases that are not ready, or that a format cannot hold, are left out and named;
        else they stop the export.
    by_rater : bool
        Whether each rater's own labels go along, under codes: in every format, with the share
        of raters for each label and a map of where they disagree in ``nifti``.
    scans : bool
        Whether the NIfTI data set holds the scans too.
    splits : mapping of CaseId to str
        ``train``, ``val`` or ``test``; a case that is not in it is for training.
    name : str
        Of the data sets, letters and digits; empty for what the study is called.
    number : int
        Of the data set for nnU-Net, 1 to 999.
    layer : int or None
        Of the ontology: its labels alone go into formats that hold one label for each voxel,
        ``nnunet`` and ``monai``, which refuse several layers without. The others hold all.
    typed : bool
        Whether answers that somebody typed go along in ``csv``: those whose every word is known
        to be nobody's name.

    Raises
    ------
    InputError
        When a format or a state is none, or typed answers are wanted without their table.
    """

    formats: tuple[Format, ...] = ("nifti",)
    states: tuple[State, ...] = FINISHED
    cases: tuple[CaseId, ...] = ()
    skip: bool = False
    by_rater: bool = False
    scans: bool = False
    splits: Mapping[CaseId, Split] = field(default_factory=dict)
    name: str = ""
    number: int = 1
    layer: int | None = None
    typed: bool = False

    def __post_init__(self) -> None:
        if not self.formats or not set(self.formats) <= set(FORMATS):
            raise InputError(
                f"A format of an export is one of {', '.join(FORMATS)}.",
                hint="Give several with commas between them.",
            )
        if not set(self.states) <= set(LEAVES):
            raise InputError(
                f"A reading that leaves is in one of the states {', '.join(LEAVES)}.",
                hint="Without a choice only approved, corrected and consensus leave.",
            )
        if self.typed and "csv" not in self.formats:
            raise InputError(
                "Answers that somebody typed leave as csv alone.",
                hint="Add this format, or leave --typed out.",
            )
