"""Sources for the scripted study: parts of the sample scans, and real ones where present.

Real ones are read where they lie, in ``../shared/data`` beside the checkout; none is copied.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nibabel as nib
import pydicom

ROOT: Final = Path(__file__).parents[2]
SAMPLES: Final = ROOT / "sample_scans"
REAL: Final = ROOT.parent / "shared" / "data"
_REAL: Final = (
    "dcmqi/segmentations/ct-3slice",
    "niivue/CT_pitch.nii.gz",
)
_DICOM_SLICES: Final = 3


@dataclass(frozen=True)
class Source:
    """What is added as one case.

    Parameters
    ----------
    path : Path
        A folder of DICOM files, or a NIfTI file.
    session : str
        Code of the visit; empty for none.
    """

    path: Path
    session: str = ""


def real_scans() -> tuple[list[Source], list[str]]:
    """Return the real scans that are here, and the names of those that are not."""
    here = [name for name in _REAL if (REAL / name).exists()]
    return [Source(REAL / name) for name in here], [name for name in _REAL if name not in here]


def make_sources(folder: Path, count: int = 12, *, real: bool = True) -> list[Source]:
    """Make sources: a third is DICOM, the rest parts of a head as NIfTI, real scans among them.

    Parameters
    ----------
    folder : Path
        Where parts of the sample scans are put.
    count : int
        How many.
    real : bool
        Whether to take real scans where they are.
    """
    found = real_scans()[0][: count // 3] if real else []
    for number in range(count // 3):
        name, session = (
            ("ct_abdomen", "01") if number % 2 == 0 else ("ct_abdomen_followup", "02")
        )
        found.append(Source(_slices(folder / f"ct-{number}", name, 6 + 8 * number), session))
    number = 0
    while len(found) < count:
        found.append(Source(_part(folder / f"head-{number}.nii.gz", number)))
        number += 1
    return found


def _slices(folder: Path, name: str, first: int) -> Path:
    """Copy a few neighbouring slices of a CT."""
    folder.mkdir(parents=True)
    paths = {
        float(pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient[2]): path
        for path in (SAMPLES / name).rglob("*.dcm")
    }
    for height in sorted(paths)[first : first + _DICOM_SLICES]:
        shutil.copy(paths[height], folder)
    return folder


def _part(path: Path, number: int) -> Path:
    """Cut a block out of the head, in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = nib.load(SAMPLES / "mr_head_oblique.nii.gz")
    i, j, k = 30 + 8 * number, 40 + 9 * number, 20 + 7 * number
    nib.save(head.slicer[i : i + 44, j : j + 40, k : k + 24], path)
    return path
