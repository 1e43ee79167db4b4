"""The sample scans that come with the program: where they lie, and that they are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.files import sha256_file

NAMES: Final = {
    "ct_abdomen": "CT abdomen (DICOM)",
    "ct_abdomen_followup": "CT abdomen, a year later (DICOM)",
    "mr_head_oblique": "MR head, oblique (NIfTI)",
    "us_burned_in": "Ultrasound with burned-in text (DICOM)",
}
"""Samples by name, with the words of the menu."""

_SUFFIX: Final = {"mr_head_oblique": ".nii.gz", "us_burned_in": ".dcm"}
_INSTALLED: Final = Path(__file__).parent / "sample_scans"
_CHECKOUT: Final = Path(__file__).parents[1] / "sample_scans"


def folder() -> Path:
    """Return the folder of the samples: inside the wheel, or at the top of a checkout.

    Raises
    ------
    InputError
        When neither is there.
    """
    for place in (_INSTALLED, _CHECKOUT):
        if (place / "registry.txt").is_file():
            return place
    raise InputError(
        "The sample scans are not installed.",
        hint="Install napari-medlabel again, or run sample_scans/make_scans.py in a checkout.",
    )


def path(name: str) -> Path:
    """Return the file or folder of a sample.

    Raises
    ------
    InputError
        When there is no sample of that name.
    """
    if name not in NAMES:
        raise InputError(
            "There is no sample scan of that name.", hint=f"Choose one of: {', '.join(NAMES)}."
        )
    return folder() / f"{name}{_SUFFIX.get(name, '')}"


def is_inside(place: Path) -> bool:
    """Tell whether a path lies in the folder of the samples, which nobody writes to."""
    return any(place.is_relative_to(own.resolve()) for own in (_INSTALLED, _CHECKOUT))


def truth(name: str) -> Path:
    """Return a file of the truth that comes with the samples, for instance a mask."""
    return folder() / "truth" / name


def damaged() -> tuple[str, ...]:
    """Compare every sample with the registry; return the names of those that differ."""
    bad = []
    for line in (folder() / "registry.txt").read_text(encoding="utf-8").splitlines():
        digest, _, name = line.strip().partition("  ")
        if len(digest) != 64:
            continue  # a heading or the total
        file = folder() / name
        if not file.is_file() or sha256_file(file) != digest:
            bad.append(name)
    return tuple(bad)
