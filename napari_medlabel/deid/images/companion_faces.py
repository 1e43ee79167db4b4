"""Faces out of images that are not DICOM, when the option asks: whole volumes in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import DeidReport, Look, Note, PixelWork, Reason
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.voxels import require_room

if TYPE_CHECKING:
    from napari_medlabel.deid.faces.brain_masks import BrainMasks

_ROOM: Final = 4  # the volume, a copy, its values as 32 bits, and what finds the face

Remove = Callable[[bytes], bytes]
"""Voxels as they lie in a file -> the same without a face; RefusedError where not sure."""


def report_of(actions: dict[str, int], kept: int, work: PixelWork | None = None) -> DeidReport:
    """Return the report of an image; without work on its pixels a face may be in it.

    Parameters
    ----------
    actions : dict
        Fields by action code.
    kept : int
        Fields that are kept.
    work : PixelWork, optional
        What was done to the voxels.
    """
    notes = frozenset({Note.FACE}) if work is None else frozenset()
    return DeidReport(actions=actions, kept=kept, notes=notes, pixels=work)


def without_face(
    voxels: Iterable[memoryview], size: int, frames: int, remove: Remove
) -> tuple[memoryview, PixelWork]:
    """Return voxels without a face, and what was done to them.

    Parameters
    ----------
    voxels : iterable of memoryview
        As they lie in the file.
    size, frames : int
        How many bytes and slices they are.
    remove : callable
        As `Remove`.

    Raises
    ------
    QuarantineError
        When it is not certain that no face is left and no brain is lost, or the volume is
        too large for the memory.
    """
    try:
        require_room(_ROOM * size)
        before = b"".join(map(bytes, voxels))
        after = remove(before)
    except QuarantineError:
        raise
    except (RefusedError, InputError) as err:
        raise QuarantineError(Reason.FACE_UNSURE) from err
    old, new = (np.frombuffer(data, np.uint8).reshape(frames, -1) for data in (before, after))
    changed = int((old != new).any(axis=1).sum())
    work = PixelWork(
        done=frozenset({Option.CLEAN_FACES}),
        frames=frames,
        changed=changed,
        regions={"face": 1} if changed else {},
        look=frozenset({Look.FACE}) if changed else frozenset(),
    )
    return memoryview(after), work


def nifti_remover(header: bytes, masks: BrainMasks) -> Remove:
    """Return what takes faces out of the voxels of a NIfTI header."""

    def remove(voxels: bytes) -> bytes:
        from napari_medlabel.deid.faces.voxels import deface_nifti_voxels

        return deface_nifti_voxels(header, voxels, masks).voxels

    return remove


def itk_remover(path: Path, dtype: np.dtype[Any], masks: BrainMasks) -> Remove:
    """Return what takes faces out of the voxels of an NRRD or MetaImage header.

    Parameters
    ----------
    path : Path
        The header's file.
    dtype : dtype
        Of one voxel, as they come.
    masks : BrainMasks
        The user's masks of brains.
    """

    def remove(voxels: bytes) -> bytes:
        from napari_medlabel.deid.faces.voxels import deface_stored
        from napari_medlabel.io.itk.reading import inspect

        header = inspect(path)
        apart = (None, len(header.sizes) - 1)
        if header.spatial != (0, 1, 2) or header.other not in apart or header.is_colour:
            raise QuarantineError(Reason.FACE_UNSURE)
        stored = np.frombuffer(voxels, dtype).reshape(-1, *header.sizes[2::-1])
        blanked = deface_stored(stored, header.said, masks)
        return voxels if blanked is None else blanked.tobytes()

    return remove
