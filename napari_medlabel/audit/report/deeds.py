"""Facts about what people did: what left, who looked, what was changed after approval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DATA_SET: Final = "data set"
"""What an export with a begin and an end is, in words."""


@dataclass(frozen=True, slots=True)
class Override:
    """A rule of a de-identification that somebody set aside.

    Parameters
    ----------
    at_ms : int
        When.
    user : str
        Token.
    tag : str
        Keyword and tag, as ``PatientSex (0010,0040)``.
    reason : str
        Its code.
    """

    at_ms: int
    user: str
    tag: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExportFact:
    """Something that left.

    Parameters
    ----------
    begin_ms : int
        When it began.
    end_ms : int or None
        When it ended; None where nothing says that it did.
    outcome : str
        done, failed, or unfinished (begun, and no end in the log).
    user : str
        Token.
    destination : str
        folder, removable, network, ..., or empty where it is not said.
    files : int
        How many.
    subjects : tuple of str
        Tokens of the patients, where the log names them.
    profile, profile_hash, edition : str
        Rules of the de-identification; empty where there was none.
    options : tuple of str
        What the profile was told to keep or clean.
    retained : int or None
        Identifiers that were kept; None where the log does not say, as when nothing was
        de-identified. None is not "0 retained".
    retained_tags : tuple of str
        Keyword and tag of each.
    overrides : tuple of Override
        Rules set aside for it.
    manifest, receipt : str
        Digests, or empty.
    file : str
        Session file.
    line : int
        Line where it began.
    what : str
        data set, screenshot, animation, clipboard, print, saved layer, identity table, or
        the log itself.
    format : str
        nifti, dicom, ..., or empty.
    cases : int
        Patients or cases that it has; 0 where the log does not say.
    deidentified : bool or None
        Whether identity was removed; None where the log does not say.
    cause : str
        Why it failed, or empty.
    """

    begin_ms: int
    end_ms: int | None
    outcome: str
    user: str
    destination: str
    files: int
    subjects: tuple[str, ...]
    profile: str
    profile_hash: str
    edition: str
    options: tuple[str, ...]
    retained: int | None
    retained_tags: tuple[str, ...]
    overrides: tuple[Override, ...]
    manifest: str
    receipt: str
    file: str
    line: int
    what: str = DATA_SET
    format: str = ""
    cases: int = 0
    deidentified: bool | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class AccessFact:
    """Somebody saw, or asked to see, what belongs to a patient.

    Parameters
    ----------
    at_ms : int
        When.
    user : str
        Token.
    event : str
        volume.open, volume.open.denied, header.view, deid.preview, import.convert,
        reid.lookup or reid.export.
    subject : str
        Token of the patient; empty where the log names none.
    outcome : int
        0 for success.
    explained : str
        Why it is no surprise, in words; empty: unexplained.
    off_hours : bool
        Whether it was outside the hours of the policy.
    file : str
        Session file.
    line : int
        Line.
    role : str
        annotator, reviewer, ...
    """

    at_ms: int
    user: str
    event: str
    subject: str
    outcome: int
    explained: str
    off_hours: bool
    file: str
    line: int
    role: str = "unknown"


@dataclass(frozen=True, slots=True)
class LateChange:
    """A mask or landmarks changed after they had been approved.

    Parameters
    ----------
    at_ms : int
        When.
    user, subject : str
        Tokens.
    case : str
        Digest of the case as the approval names it, or empty.
    before, after : int or None
        Labelled voxels; None where no version is kept to count them.
    voxels_added, voxels_removed : int
        As the event says.
    voxels_changed : int or None
        Those, and the ones that got another label; None where the event does not say.
    dice_milli : int or None
        Overlap of before and after, 1000 for none changed.
    reason : str
        Code, or empty.
    reapproved : bool
        Whether it was approved again afterwards.
    thumbnails : tuple of str
        Data URIs of PNG pictures: before and after, side by side, of the slices that
        changed most. Colours of the mask alone, no pixel of the scan.
    event : str
        mask.save, mask.restore, mask.delete, edit.unattributed or landmark.save.
    old, new : str
        Content ids, or empty.
    approved_ms : int
        When it had been approved.
    file : str
        Session file.
    line : int
        Line.
    """

    at_ms: int
    user: str
    subject: str
    case: str
    before: int | None
    after: int | None
    voxels_added: int
    voxels_removed: int
    dice_milli: int | None
    reason: str
    reapproved: bool
    thumbnails: tuple[str, ...] = ()
    event: str = "mask.save"
    old: str = ""
    new: str = ""
    approved_ms: int = 0
    voxels_changed: int | None = None
    file: str = ""
    line: int = 0
