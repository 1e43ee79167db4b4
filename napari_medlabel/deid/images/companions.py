"""The one door for everything that is not DICOM: cleaned bytes, and the name they get."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from isal import isal_zlib

from napari_medlabel.deid.batch.kinds import Kind, SourceFile, stem_of
from napari_medlabel.deid.images.clean_image import CleanImage, CleanParts
from napari_medlabel.deid.images.meta_image import meta_parts
from napari_medlabel.deid.images.nifti import nifti_parts
from napari_medlabel.deid.images.nrrd import nrrd_parts
from napari_medlabel.deid.images.sidecars import LONGEST_SIDECAR, clean_gradients, clean_json
from napari_medlabel.deid.images.voxel_copy import first_bytes
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.errors import SaveError

if TYPE_CHECKING:
    from napari_medlabel.deid.faces.brain_masks import BrainMasks

_BLOCK = 1 << 20


def clean_companion(
    file: SourceFile,
    profile: Profile,
    pseudonyms: Pseudonyms,
    masks: BrainMasks | None = None,
) -> CleanImage:
    """Return a file that is not DICOM without identity.

    Parameters
    ----------
    file : SourceFile
        From `described`: of any kind but DICOM.
    profile : Profile
        The rules.
    pseudonyms : Pseudonyms
        Source of codes.
    masks : BrainMasks, optional
        The user's masks of brains, for clean-faces.

    Raises
    ------
    QuarantineError
        When it cannot be cleaned, with the reason.
    """
    return companion_parts(file, profile, pseudonyms, masks).whole()


def write_companion(
    file: SourceFile,
    part: Path,
    profile: Profile,
    pseudonyms: Pseudonyms,
    *,
    sync: bool = True,
    masks: BrainMasks | None = None,
) -> CleanImage:
    """Write a file that is not DICOM without identity; without clean-faces, 30 MB of memory do.

    Parameters
    ----------
    file, profile, pseudonyms, masks
        As for `clean_companion`.
    part : Path
        Does not exist yet.
    sync : bool
        Whether to wait for the disk.

    Returns
    -------
    CleanImage
        Without content.

    Raises
    ------
    QuarantineError
        When it cannot be cleaned.
    SaveError
        When it cannot be written or does not read back as it was written. No part of it
        stays.
    """
    made = companion_parts(file, profile, pseudonyms, masks)
    try:
        stream = part.open("xb")
    except OSError as err:
        raise _failed(err) from err
    try:
        with stream:
            written = _written(stream, made, sync=sync)
        same = _read_back(part) == written
    except OSError as err:
        part.unlink(missing_ok=True)
        raise _failed(err) from err
    except QuarantineError:
        part.unlink()
        raise
    if not same:
        part.unlink()
        raise SaveError(
            "A file of the target did not read back as it was written.",
            hint="The disk may be failing; choose another target.",
        )
    return CleanImage(b"", made.suffix, made.report)


def companion_parts(
    file: SourceFile,
    profile: Profile,
    pseudonyms: Pseudonyms,
    masks: BrainMasks | None = None,
) -> CleanParts:
    """Return the parts of a cleaned file, to be taken one after the other.

    Parameters
    ----------
    file, profile, pseudonyms, masks
        As for `clean_companion`.

    Raises
    ------
    QuarantineError
        When it cannot be cleaned; taking the parts can raise it as well.
    """
    if file.kind is Kind.SIDECAR:
        return _sidecar(file, profile, pseudonyms)
    chosen = None
    if Option.CLEAN_FACES in profile.options:
        from napari_medlabel.deid.faces.brain_masks import NO_MASKS

        chosen = masks or NO_MASKS
    if file.kind is Kind.NRRD:
        return replace(nrrd_parts(file.path, chosen), suffix=file.suffix)
    if file.kind is Kind.META_IMAGE:
        return meta_parts(file.path, chosen)
    return nifti_parts(file.path, file.voxels, chosen)


def _sidecar(file: SourceFile, profile: Profile, pseudonyms: Pseudonyms) -> CleanParts:
    content = first_bytes(file.path, LONGEST_SIDECAR + 1, "raw")
    if file.suffix == ".json":
        image = clean_json(content, profile, pseudonyms)
    else:
        image = clean_gradients(content, file.suffix)
    return CleanParts(image.suffix, image.report, (image.content,))


def target_name(file: SourceFile, pseudonyms: Pseudonyms) -> tuple[str, ...]:
    """Return folders and name of a cleaned file that is not DICOM, under the target.

    Parameters
    ----------
    file : SourceFile
        From `described`.
    pseudonyms : Pseudonyms
        Source of codes.

    Returns
    -------
    tuple of str
        ``nifti``, a code of the folder, and a code of the name without its suffix: an image
        and its sidecars keep one name, files of one folder stay together. An image that
        changes its suffix (a pair, a header with detached voxels) and meets another one
        under that name has a code of its own.
    """
    parent = file.relative.rpartition("/")[0]
    folder = "G-" + pseudonyms.code("folder", parent)
    stem = stem_of(file.relative)
    purpose = "nifti"
    is_moved = not file.relative.endswith(file.suffix)
    if is_moved and file.path.with_name(stem_of(file.path.name) + file.suffix).is_file():
        stem, purpose = file.relative, "converted"
    return "nifti", folder, f"N-{pseudonyms.code(purpose, stem, length=16)}{file.suffix}"


def _failed(err: OSError) -> SaveError:
    return SaveError(
        f"The target folder or a file in it could not be written ({err.strerror}).",
        hint="Check free space and permissions, or choose another target.",
    )


def _written(stream: BinaryIO, made: CleanParts, *, sync: bool) -> tuple[int, int]:
    """Write every part; return the check sum and how many bytes there are."""
    check = size = 0
    for piece in made.parts:
        check = isal_zlib.crc32(piece, check)
        size += stream.write(piece)
    stream.flush()
    if sync:
        os.fsync(stream.fileno())
    return check, size


def _read_back(part: Path) -> tuple[int, int]:
    """Return the same of what lies on the disk."""
    check = size = 0
    with part.open("rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            check = isal_zlib.crc32(block, check)
            size += len(block)
    return check, size
