"""NIfTI without identity: a header rebuilt from a keep-list, the voxels bit for bit."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from napari_medlabel.deid.images.clean_image import CleanImage, CleanParts
from napari_medlabel.deid.images.companion_faces import nifti_remover, report_of, without_face
from napari_medlabel.deid.images.nifti_header import clean_header, has_magic, is_pair, layout_of
from napari_medlabel.deid.images.voxel_copy import (
    Extent,
    Source,
    copied,
    first_bytes,
    packing_of,
    require_promise,
)
from napari_medlabel.io.gzip_stream import MAGIC as GZIP_MAGIC
from napari_medlabel.io.gzip_stream import gzipped

if TYPE_CHECKING:
    from napari_medlabel.deid.faces.brain_masks import BrainMasks

__all__ = ["GZIP_MAGIC", "clean_nifti", "has_magic", "is_pair", "layout_of", "nifti_parts"]

_LONGEST_HEADER = 544


def clean_nifti(content: bytes, voxels: bytes | None = None) -> CleanImage:
    """Return a NIfTI file with the header fields of the keep-list and nothing else.

    Parameters
    ----------
    content : bytes
        The file as found: NIfTI-1 or -2, either byte order, gzip or not.
    voxels : bytes, optional
        The .img file when the header is one of a pair; the result is a single file.

    Returns
    -------
    CleanImage
        See `nifti_parts`.

    Raises
    ------
    QuarantineError
        For a broken header or voxels that are fewer than described.
    """
    return nifti_parts(content, voxels).whole()


def nifti_parts(
    source: Source, voxels: Source | None = None, masks: BrainMasks | None = None
) -> CleanParts:
    """Return a cleaned NIfTI file part by part.

    Parameters
    ----------
    source : Path or bytes
        The file or its content: NIfTI-1 or -2, either byte order, gzip or not.
    voxels : Path or bytes, optional
        The .img file of a pair; the result is a single file.
    masks : BrainMasks, optional
        When faces are to be removed: masks of brains, or none of them.

    Returns
    -------
    CleanParts
        The header of `clean_header`, no extensions, the voxels bit for bit (but for a face)
        and nothing behind them; compressed where the header was, with no name and no time:
        the same bytes for the same header and voxels.

    Raises
    ------
    QuarantineError
        For a broken header, voxels that are fewer than described, or a face that cannot be
        removed with certainty.
    """
    packing = packing_of(source)
    header = clean_header(first_bytes(source, _LONGEST_HEADER, packing))
    body = source if voxels is None else voxels
    extents = [Extent(body, packing_of(body), 0, header.start, header.size)]
    require_promise(extents)
    stored: Iterable[memoryview] = copied(extents)
    work = None
    if masks is not None:
        remove = nifti_remover(header.content[:-4], masks)
        blanked, work = without_face(stored, header.size, header.frames, remove)
        stored = (blanked,)
    report = report_of({"X": header.emptied}, header.kept, work)
    if packing == "gzip":
        return CleanParts(".nii.gz", report, gzipped(header.content, stored))
    return CleanParts(".nii", report, chain((header.content,), stored))
