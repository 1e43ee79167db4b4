"""DICOM files -> series -> Volume.

Headers are walked fast (`io.dicom_walk`, odd ones by `io.dicom_odd`), grouped and placed
(`io.dicom_series`), and pixels are read in one pass (`io.dicom_pixels`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from napari_medlabel.errors import InputError
from napari_medlabel.io import dicom_odd
from napari_medlabel.io.dicom_header import Instance, text
from napari_medlabel.io.dicom_pixels import Progress, fill
from napari_medlabel.io.dicom_series import DicomSeries, arrange, group, is_image
from napari_medlabel.io.dicom_walk import OddFileError, walk
from napari_medlabel.model.volume import Source, Volume


@dataclass(frozen=True)
class DicomSurvey:
    """What a set of files holds.

    Parameters
    ----------
    series : tuple of DicomSeries
        In a stable order.
    skipped : int
        DICOM objects that are no images: reports, plans, segmentations, indexes.
    unreadable : int
        Files that look like DICOM and cannot be read.
    """

    series: tuple[DicomSeries, ...]
    skipped: int
    unreadable: int


def find(files: Sequence[Path]) -> DicomSurvey:
    """Read the headers of files that look like DICOM, and arrange the images among them."""
    images: list[Instance] = []
    skipped = unreadable = 0
    for path in files:
        try:
            one = read_instance(path)
        except OSError:
            one = None
        if one is None:
            unreadable += 1
        elif is_image(one):
            images.append(one)
        else:
            skipped += 1
    return DicomSurvey(tuple(arrange(part) for part in group(images)), skipped, unreadable)


def read_instance(path: Path) -> Instance | None:
    """Read one header; None when it cannot be understood."""
    try:
        return walk(path)
    except OddFileError:
        return dicom_odd.read_header(path)


def load(
    series: DicomSeries, *, progress: Progress | None = None, hashes: bool = True
) -> Volume:
    """Read the voxels of a series.

    Parameters
    ----------
    series : DicomSeries
        As `find` returned it.
    progress : callable, optional
        Called with slices done and slices in all.
    hashes : bool
        Whether to compute the SHA-256 of each file.

    Raises
    ------
    InputError
        When it cannot be read whole.
    """
    if series.refusal is not None or series.grid is None:
        raise series.refusal or InputError(
            "The series has no geometry.", hint="Export the series again from its source."
        )
    _require_equal(series.duplicates)
    array, digests, doubts = fill(series.instances, progress=progress, hashes=hashes)
    first = series.instances[0]
    source = Source(
        format="dicom",
        files=tuple(one.path for one in series.instances),
        sha256=digests,
        series_uid=first.series_uid or None,
        sop_instance_uids=tuple(one.sop_uid for one in series.instances),
        patient_id=_name(first, first.patient_id),
        issuer=_name(first, first.issuer),
    )
    return Volume(
        series.grid,
        array.T,
        source,
        modality=first.modality,
        warnings=series.warnings + doubts,
        window=first.window,
    )


def _require_equal(duplicates: Sequence[tuple[Instance, Instance]]) -> None:
    """Refuse copies that are not copies: one of the two images would vanish."""
    for copy, kept in duplicates:
        if _pixel_digest(copy) != _pixel_digest(kept):
            raise InputError(
                "Two files claim to be the same image (SOP Instance UID) at the same position, "
                "and their pixels differ.",
                hint="Keep the right one of the two and move the other one away.",
            )


def _pixel_digest(one: Instance) -> str:
    try:
        data = one.path.read_bytes()
    except OSError as err:
        raise InputError(
            "A file of the series cannot be read.",
            hint="Check that it still exists and that you may read it.",
        ) from err
    start = one.pixel_offset or 0
    # Behind an undefined length there may be more; comparing that too is only stricter.
    end = start + one.pixel_length if one.is_native else len(data)
    return sha256(data[start:end]).hexdigest()


def _name(one: Instance, raw: bytes) -> str | None:
    """Decode an identifier by the file's character set."""
    if not raw:
        return None
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    from pydicom.charset import convert_encodings, decode_bytes

    encodings = convert_encodings(text(one.charset).split("\\"))
    return str(decode_bytes(raw, encodings, set()))
