"""The files that a scan was made of: their digests, whose they are, and what tells it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from napari_medlabel.deid.batch.target import looked_up
from napari_medlabel.deid.dicom.patient_of import patient_in
from napari_medlabel.deid.dicom.silence import quiet
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.refusal import PARSE_ERRORS
from napari_medlabel.deid.scan.finding import Allowance
from napari_medlabel.deid.scan.output import SourceIdentity, source_identity
from napari_medlabel.deid.scan.tree import files_of
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import explain_os_error, make_folder, sha256_file, sync_folder
from napari_medlabel.model.volume import Source
from napari_medlabel.project.layout import CaseId, Layout

_NIFTI: Final = (".nii", ".nii.gz")
_INSTANCE: Final = "SOPInstanceUID"


@dataclass(frozen=True)
class Originals:
    """The files of one source, found again from what was made of them.

    Parameters
    ----------
    files : tuple of Path
        All of them; none of these names is shown or logged.
    by_uid : mapping of str to Path
        DICOM files by the SOP Instance UID that the de-identification gave them.
    """

    files: tuple[Path, ...] = field(repr=False)
    by_uid: Mapping[str, Path] = field(repr=False)

    def of(self, made: Source) -> tuple[Path, ...]:
        """Return the files that a cleaned scan was made of.

        Raises
        ------
        InputError
            When they are not found: then the chain back to them would have a hole.
        """
        if made.format != "dicom":
            found: set[Path] = set(self.files) if len(self.files) == 1 else set()
        else:
            uids = {uid for uid in made.sop_instance_uids if uid}
            found = {self.by_uid[uid] for uid in uids if uid in self.by_uid}
            if len(found) < len(uids):
                found = set()
        if not found:
            raise InputError(
                "The files that this scan was made of could not be told from the others.",
                hint="Add it by itself: a folder with one series, or one file.",
            )
        return tuple(sorted(found))


def find_originals(source: Path, pseudonyms: Pseudonyms) -> Originals:
    """Look through a source.

    Parameters
    ----------
    source : Path
        A folder of DICOM files, or one file.
    pseudonyms : Pseudonyms
        What gave the cleaned files their UIDs.

    Raises
    ------
    InputError
        When there is no file, or NIfTI files lie in a folder.
    """
    files = tuple(files_of(source))
    if source.is_dir() and any(file.name.lower().endswith(_NIFTI) for file in files):
        raise InputError(
            "A folder of DICOM files was expected, and NIfTI files lie in this one.",
            hint="Give NIfTI files one by one, such as FOLDER/*.nii.gz: each is a scan of "
            "its own.",
        )
    by_uid: dict[str, Path] = {}
    for file in files:
        uid = _uid_of(file)
        if uid:
            # With retain-uids they stay; each instance is there once, or was refused.
            by_uid.setdefault(uid, file)
            by_uid.setdefault(pseudonyms.uid(uid), file)
    return Originals(files, by_uid)


def require_outside(layout: Layout, source: Path) -> None:
    """Refuse a source in the study or around it.

    Raises
    ------
    InputError
        With what to give instead.
    """
    inside, outside = looked_up(source), looked_up(layout.root)
    if inside == outside or inside in outside.parents or outside in inside.parents:
        raise InputError(
            "Scans to be added lie outside the study's folder, and it outside theirs.",
            hint="Move them somewhere else first; originals get into a study through "
            "--keep-original alone.",
        )


def digests_of(files: Iterable[Path]) -> tuple[str, ...]:
    """Return ``sha256:<hex>`` of each file, sorted.

    Raises
    ------
    InputError
        When one cannot be read any more.
    """
    try:
        return tuple(sorted(f"sha256:{sha256_file(file)}" for file in files))
    except OSError as err:
        raise InputError(
            "A file of the source cannot be read any more.",
            hint="Check that the disk or the share is still there, and add it again.",
        ) from err


def digests_in_order(files: Iterable[Path]) -> tuple[str, ...]:
    """Return ``sha256:<hex>`` of each file, in the order they came in."""
    return tuple(f"sha256:{sha256_file(file)}" for file in files)


def identity_of(files: Iterable[Path], allowance: Allowance) -> SourceIdentity:
    """Return all that tells whose files these are."""
    identity = SourceIdentity()
    for file in files:
        identity |= source_identity(file, allowance=allowance)
    return identity


def patient_of(files: Iterable[Path]) -> tuple[str, str] | None:
    """Return issuer and Patient ID, as the de-identification sees them; None for nobody."""
    return next((found for file in files if (found := patient_in(file)) is not None), None)


def keep_originals(layout: Layout, case: CaseId, files: Iterable[Path], aside: Path) -> None:
    """Copy originals into ``sourcedata``, under numbers instead of their names.

    Parameters
    ----------
    layout, case
        Where to.
    files : iterable of Path
        Which.
    aside : Path
        A folder of the study for the time until they are whole.

    Raises
    ------
    SaveError
        When they cannot be written.
    """
    target = layout.originals / f"sub-{case.subject}" / str(case)
    if target.exists():
        raise SaveError(
            "There are originals of this case in sourcedata already.",
            hint="They belong to a case that is not in the study any more: move them away.",
        )
    try:
        aside.mkdir(mode=0o700)
        for number, file in enumerate(files, 1):
            name = file.name.lower()
            suffix = next((end for end in reversed(_NIFTI) if name.endswith(end)), ".dcm")
            shutil.copyfile(file, aside / f"{number:04d}{suffix}")
        make_folder(target.parent)
        layout.originals.chmod(0o700)
        aside.replace(target)
    except OSError as err:
        raise explain_os_error(err) from err
    sync_folder(target.parent)


def _uid_of(file: Path) -> str:
    """Return the SOP Instance UID of a file, empty where it is no DICOM."""
    import pydicom

    try:
        with quiet():
            head = pydicom.dcmread(
                os.fspath(file), stop_before_pixels=True, specific_tags=[_INSTANCE], force=False
            )
            return str(head.get(_INSTANCE, ""))
    except PARSE_ERRORS:
        return ""
