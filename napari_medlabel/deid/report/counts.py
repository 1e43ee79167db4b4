"""What de-identification did, in counts and reason codes: never a value, never a path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from napari_medlabel.deid.rules.options import Option


class Reason(StrEnum):
    """Why a file was quarantined."""

    UNREADABLE = "unreadable"
    NOT_WHAT_IT_SAYS = "not what its name says"
    NO_IDENTIFIERS = "no SOP class or instance UID"
    PRIVATE_SOP_CLASS = "SOP class not in the standard"
    PIXELS_MAY_SHOW = "pixels may show identity"
    OVERLAY_IN_PIXELS = "overlay stored inside the pixels"
    PIXELS_INCOMPLETE = "pixel data shorter than its description"
    PIXELS_UNDESCRIBED = "pixel data without a description"
    PIXELS_BROKEN = "encapsulated pixel data is broken"
    PIXELS_UNCHECKED = "compressed frame cannot be checked"
    NIFTI_BROKEN = "NIfTI header is broken"
    NIFTI_INCOMPLETE = "voxels shorter than their description"
    HEADER_BROKEN = "image header is broken"
    SIDECAR_BROKEN = "sidecar cannot be read as what its name says"
    FACE_UNSURE = "face could not be removed with certainty"
    TEXT_LEFT = "text found in pixels after cleaning"
    DUPLICATE = "instance met twice with different content"
    CHANGED = "changed while it was read"
    FOLDER_SHUT = "folder that cannot be listed"
    WORKER_ENDED = "the process that cleaned it ended"
    FAULT = "fault in the program"
    IDENTITY_LEFT = "identity found after cleaning"


class Skip(StrEnum):
    """Why a file was left out without being a failure."""

    DICOMDIR = "DICOMDIR"
    SIDECAR = "sidecar"
    VOXELS_OF_A_PAIR = "voxel file of a header pair"
    NOT_AN_IMAGE = "not a scan"
    LINK = "link"
    SAME_INSTANCE = "instance met twice, same content"


class Note(StrEnum):
    """What a person should know about a cleaned file."""

    FACE = "recognizable face not removed"
    CODES_REPLACED = "codes of local schemes replaced"


class Look(StrEnum):
    """Why a person must look at a cleaned image before it leaves."""

    ULTRASOUND = "ultrasound"
    SECONDARY = "secondary capture"
    PHOTOGRAPH = "photograph or endoscopy"
    UNNAMED = "modality of last resort"
    LOW_CONTRAST = "text of low contrast would not be seen"
    FACE = "face removed automatically"


@dataclass(frozen=True)
class PixelWork:
    """What was done to the pixels of one file.

    Parameters
    ----------
    done : frozenset of Option
        Which of clean-pixels and clean-faces were carried out.
    frames, changed : int
        Frames looked at, and those of them whose pixels changed.
    regions : mapping of str to int
        Blanked regions by what found them: ``"ultrasound regions"``, ``"signature"``,
        ``"text"``, ``"face"``.
    look : frozenset of Look
        Why a person must look at the result; empty when nobody must.
    """

    done: frozenset[Option] = frozenset()
    frames: int = 0
    changed: int = 0
    regions: Mapping[str, int] = field(default_factory=dict)
    look: frozenset[Look] = frozenset()


@dataclass(frozen=True)
class DeidReport:
    """What was done to one file.

    Parameters
    ----------
    actions : mapping of str to int
        Attributes by action code as applied: ``D Z X K C U``, ``private`` for removed
        private ones, ``text`` for text that no rule or vocabulary allows, ``unknown``.
    kept : int
        Attributes that passed unchanged.
    notes : frozenset of Note
        What a person should know.
    patient_code, subject : str
        The patient's pseudonym and the token for the log; empty for NIfTI.
    options : mapping of str to int
        Attributes by the option that decided about them; ``"site"`` for site rules.
    pixels : PixelWork, optional
        What was done to pixels; None where they passed bit for bit.
    """

    actions: Mapping[str, int] = field(default_factory=dict)
    kept: int = 0
    notes: frozenset[Note] = frozenset()
    patient_code: str = ""
    subject: str = ""
    options: Mapping[str, int] = field(default_factory=dict)
    pixels: PixelWork | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "actions", MappingProxyType(dict(self.actions)))
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def __reduce__(self) -> tuple[Any, ...]:
        actions, options = dict(self.actions), dict(self.options)
        state = (actions, self.kept, self.notes, self.patient_code, self.subject)
        return type(self), (*state, options, self.pixels)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A file that was not passed on.

    Parameters
    ----------
    position : int
        Its place, from 1, among the regular files of the source in byte order of path; 0
        for a folder that cannot be listed.
    token : str
        A keyed code of its relative path.
    reason : Reason
        Why.
    """

    position: int
    token: str
    reason: Reason


@dataclass(frozen=True)
class Queued:
    """A cleaned file that a person must look at before it leaves.

    Parameters
    ----------
    position : int
        Its place as in `Quarantined`.
    token : str
        A keyed code of its relative path.
    name : tuple of str
        Folders and file name, from codes only, in the review folder as later in the target.
    look : frozenset of Look
        Why.
    """

    position: int
    token: str
    name: tuple[str, ...]
    look: frozenset[Look]


@dataclass(frozen=True)
class BatchReport:
    """What was done to a folder.

    Parameters
    ----------
    profile, edition, profile_sha256, key_id : str
        Which rules and which key.
    dry_run : bool
        Whether nothing was written.
    files : int
        Regular files met.
    dicom, nifti : int
        Files written of each kind (or that would have been).
    patients : int
        Patient codes among the DICOM files.
    actions : mapping of str to int
        Attributes by action, over all files.
    kept : int
        Attributes that passed unchanged.
    notes, skipped : mapping of str to int
        Files by note and by reason for leaving them out.
    quarantined : tuple of Quarantined
        Files that could not be cleaned.
    options : mapping of str to int
        Attributes by the option that decided about them; ``"site"`` for site rules.
    chosen : tuple of str
        The options that were asked for.
    regions : mapping of str to int
        Blanked regions of pixels by what found them.
    pixel_files : mapping of str to int
        Files by the pixel option that was carried out on them.
    review : tuple of Queued
        Cleaned files that wait for a person's eyes and did not leave.
    written : mapping of str to int
        Files written (or that would have been) by kind, ``"dicom"`` and ``"nifti"`` among
        them; those that wait for eyes do not count.
    scanned : bool
        Whether the independent scan searched each file before it got its name.
    faces : mapping of str to int
        With ``clean-faces``, series of DICOM images by what becomes of them: face removed, no
        head, no face in view, or why it is unsure.
    date : str
        Day of the run in UTC, as in ``2026-11-22``; empty where nobody said.
    faults : mapping of str to int
        Files by the fault of ours that ended their cleaning: its class and place.
    """

    profile: str
    edition: str
    profile_sha256: str
    key_id: str
    dry_run: bool
    files: int
    dicom: int
    nifti: int
    patients: int
    actions: Mapping[str, int]
    kept: int
    notes: Mapping[str, int]
    skipped: Mapping[str, int]
    quarantined: tuple[Quarantined, ...]
    options: Mapping[str, int] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    regions: Mapping[str, int] = field(default_factory=dict)
    pixel_files: Mapping[str, int] = field(default_factory=dict)
    review: tuple[Queued, ...] = ()
    written: Mapping[str, int] = field(default_factory=dict)
    scanned: bool = False
    faces: Mapping[str, int] = field(default_factory=dict)
    date: str = ""
    faults: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON document: counts, reasons and keyed tokens only."""
        document = {name: getattr(self, name) for name in self.__dataclass_fields__}
        document["quarantined"] = [
            {"position": q.position, "token": q.token, "reason": q.reason.value}
            for q in self.quarantined
        ]
        document["review"] = [
            {"position": q.position, "token": q.token, "look": sorted(q.look)}
            for q in self.review
        ]
        document["chosen"] = list(self.chosen)
        return {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in document.items()
        }


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return counts added up by name, names in order."""
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(sorted(total.items()))
