"""What a signature over a version of a study is over: all of its files, by one digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.audit.format.event import ObjectRef
from napari_medlabel.project.cases.version import (
    MASK,
    Version,
    file_of,
    read_version,
    require_files,
    whole_digest,
)
from napari_medlabel.project.layout import CaseId, Layout, study_around

_SHEET: Final = re.compile(r"l[1-9][0-9]*dseg\.nii\.gz")
_DERIVATIVE: Final = "medlabel-"


@dataclass(frozen=True)
class SignedVersion:
    """A version of a study, as it is signed.

    Parameters
    ----------
    whole : str
        SHA-256 of its sidecar, which names each of its files by digest.
    masks : tuple of str
        Content ids of its masks, by layer.
    """

    whole: str
    masks: tuple[str, ...]

    @property
    def objects(self) -> tuple[ObjectRef, ...]:
        """What the log's line of a signature is about."""
        masks = (ObjectRef(one, "new", "mask") for one in self.masks)
        return (ObjectRef(self.whole, "manifest", "document"), *masks)


@dataclass(frozen=True)
class Place:
    """Where a version of a study lies.

    Parameters
    ----------
    layout : Layout
        The study.
    version : Version
        As its sidecar tells of it now.
    """

    layout: Layout
    version: Version


def first_mask(path: Path) -> Path:
    """Return the mask that a version's sidecar lies beside, whichever layer's was named."""
    found = file_of(path.name)
    if found is None or not _SHEET.fullmatch(found[2]):
        return path
    return path.with_name(f"{path.name.removesuffix(found[2])}{MASK}")


def signed_version(mask: Path) -> SignedVersion | None:
    """Return the version of a study that a mask is of; None where it is of none.

    Raises
    ------
    InputError
        When a file of it is not the one that was submitted.
    """
    place = place_of(mask)
    if place is None:
        return None
    require_files(place.layout, place.version)
    return as_signed(place)


def as_signed(place: Place) -> SignedVersion:
    """Return a version as it would be signed, by what its sidecar says now."""
    version = place.version
    sheets = (version.sheets[layer] for layer in sorted(version.sheets))
    return SignedVersion(whole_digest(place.layout, version), (version.content, *sheets))


def place_of(mask: Path) -> Place | None:
    """Return where a mask's version lies, whether it is as it was or not; None for no study's.

    Raises
    ------
    InputError
        When its sidecar is missing or damaged.
    """
    found = file_of(mask.name)
    layout = None if found is None else study_around(mask.absolute().parent)
    if found is None or layout is None:
        return None
    inside = mask.resolve().relative_to(layout.root.resolve()).parts
    if len(inside) < 2 or inside[0] != "derivatives":
        return None
    rater = inside[1].removeprefix(_DERIVATIVE)
    return Place(layout, read_version(layout, rater, CaseId.parse(found[0]), found[1]))
