"""What comes out of an image file that is not DICOM, whole or part by part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from napari_medlabel.deid.report.counts import DeidReport


@dataclass(frozen=True)
class CleanImage:
    """A cleaned file that is not DICOM.

    Parameters
    ----------
    content : bytes
        The whole file; empty where it was written to the disk instead.
    suffix : str
        What its name ends with, such as ``".nii.gz"``.
    report : DeidReport
        What was done, without values.
    voxels : bytes, optional
        Always None: header and voxels come out as one file.
    """

    content: bytes
    suffix: str
    report: DeidReport
    voxels: bytes | None = None


@dataclass(frozen=True)
class CleanParts:
    """A cleaned file that is still to be put together.

    Parameters
    ----------
    suffix, report
        As in `CleanImage`.
    parts : iterable of bytes-like
        The file's bytes in order, to be taken once. Each part is used up before the next
        one is asked for. Taking them raises `QuarantineError` where the source turns out to
        be shorter than described, or damaged.
    """

    suffix: str
    report: DeidReport
    parts: Iterable[bytes | memoryview] = field(repr=False)

    def whole(self) -> CleanImage:
        """Put the parts together in memory."""
        return CleanImage(b"".join(map(bytes, self.parts)), self.suffix, self.report)
