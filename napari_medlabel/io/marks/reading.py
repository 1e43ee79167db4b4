"""Marks of a scan -> Marks: the right reader by content, for everything that is no scan."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.quiet import failures, quietly
from napari_medlabel.io.marks.coco import is_coco, read_coco
from napari_medlabel.io.marks.dicom import AGAIN, open_dataset, text
from napari_medlabel.io.marks.found import (
    Contour,
    Marks,
    NameList,
    Probability,
    overlap_warning,
)
from napari_medlabel.io.marks.label_table import read_label_table
from napari_medlabel.io.marks.mask import TABLE_SUFFIXES, read_mask_marks
from napari_medlabel.io.marks.nrrd import read_seg_nrrd
from napari_medlabel.io.marks.overlay import read_overlays
from napari_medlabel.io.marks.rtstruct import read_rtstruct
from napari_medlabel.io.marks.seg import read_seg
from napari_medlabel.io.marks.sr import read_sr
from napari_medlabel.io.sniff import kind_of
from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.volume import Volume

__all__ = [
    "Contour",
    "Marks",
    "Probability",
    "kind_of_marks",
    "read_label_table",
    "read_marks",
    "read_overlays",
]

Progress = Callable[[int, int], None]
_HEAD: Final = 4096
_CLASS: Final = re.compile(
    rb"(?:\x02\x00\x02\x00|\x08\x00\x16\x00|\x00\x08\x00\x16)(?:UI..|..\0\0|\0\0..)"
    rb"1\.2\.840\.10008\.5\.1\.4\.1\.1\.(66\.[47]|481\.3|88\.\d+)[\0 \x00-\x1f]",
    re.DOTALL,
)
_DICOM: Final = {b"66.4": "SEG", b"66.7": "SEG", b"481.3": "RTSTRUCT"}
_OF_UID: Final = {
    "1.2.840.10008.5.1.4.1.1.66.4": "SEG",
    "1.2.840.10008.5.1.4.1.1.66.7": "SEG",
    "1.2.840.10008.5.1.4.1.1.481.3": "RTSTRUCT",
}
_REPORTS: Final = "1.2.840.10008.5.1.4.1.1.88."
_KINDS_READ: Final = (
    "DICOM SEG, RTSTRUCT and SR, .seg.nrrd, COCO, and masks as NIfTI, NRRD or MetaImage are "
    "read."
)


def kind_of_marks(path: Path) -> str | None:
    """Tell cheaply whether a file holds marks and no scan.

    Returns
    -------
    str or None
        ``"SEG"``, ``"RTSTRUCT"``, ``"SR"``, ``"NRRD segmentation"`` or ``"COCO"``; None for all
        else, plain masks too: their headers look like those of scans.

    Raises
    ------
    OSError
        When it cannot be opened.
    """
    with path.open("rb", buffering=0) as stream:
        head = stream.read(_HEAD)
    if head.startswith(b"NRRD0"):
        named = path.name.lower().endswith((".seg.nrrd", ".seg.nhdr"))
        return "NRRD segmentation" if named or b"\nSegment0_" in head else None
    if is_coco(head):
        return "COCO"
    found = _CLASS.search(head)
    return _DICOM.get(found[1], "SR") if found else None


def read_marks(
    path: Path | Sequence[Path],
    volume: Volume,
    *,
    progress: Progress | None = None,
    case: str = "",
) -> Marks:
    """Read marks and put them on their scan, or refuse them.

    Parameters
    ----------
    path : Path or sequence of Path
        A file of marks, or several of one scan. Label tables among them name the labels of the
        masks among them.
    volume : Volume
        The scan.
    progress : callable, optional
        Called with how much is done and how much there is, in this thread. What it raises
        ends the reading.
    case : str
        Name of the case whose marks are wanted, where a file names its cases; empty for that
        of the scan's file.

    Raises
    ------
    GeometryError
        When the marks lie on another grid or were made on other images.
    InputError
        When they cannot be read.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    tables = [one for one in paths if len(paths) > 1 and _is_table(one)]
    files = [one for one in paths if one not in tables]
    if not files or len(tables) > 1:
        raise InputError(
            f"A file of marks and at most one label table are expected; {len(files)} and "
            f"{len(tables)} came.",
            hint=_KINDS_READ,
        )
    table = read_label_table(tables[0]) if tables else None
    found = [_read(one, volume, table, progress, case) for one in files]
    return found[0] if len(found) == 1 else _together(found)


def _is_table(path: Path) -> bool:
    if not path.name.lower().endswith(TABLE_SUFFIXES):
        return False
    return not (path.is_file() and kind_of_marks(path) == "COCO")


def _read(
    path: Path,
    volume: Volume,
    table: LabelScheme | None,
    progress: Progress | None,
    case: str,
) -> Marks:
    try:
        if not path.is_file():
            raise InputError(
                "A file of marks is expected; there is none of that name.",
                hint="Check how it is spelled.",
            )
        kind = kind_of_marks(path)
        plain = None if kind else kind_of(path)
    except OSError as err:
        raise InputError(
            "The file cannot be opened.", hint="Check that it exists and that you may read it."
        ) from err
    if kind == "NRRD segmentation":
        return read_seg_nrrd(path, volume)
    if kind == "COCO":
        return read_coco(path, volume, case)
    if kind is not None or plain == "dicom":
        return _read_dicom(path, volume, progress)
    return read_mask_marks(path, plain or "", volume, table)


def _read_dicom(path: Path, volume: Volume, progress: Progress | None) -> Marks:
    watch = None if progress is None else _Watch(progress)
    try:
        with quietly():
            dataset = open_dataset(path)
            uid = text(dataset, "SOPClassUID")
            kind = _OF_UID.get(uid, "SR" if uid.startswith(_REPORTS) else "")
            if kind == "SEG":
                return read_seg(dataset, volume, watch)
            if kind == "RTSTRUCT":
                return read_rtstruct(dataset, volume, watch)
            if kind == "SR":
                return read_sr(dataset, volume)
    except failures() as err:
        if watch is not None and watch.raised is err:
            raise
        raise InputError(
            "The marks cannot be understood: the file is damaged, cut off or contradicts the "
            "standard.",
            hint=AGAIN,
        ) from err
    raise InputError("This DICOM file holds no marks.", hint=_KINDS_READ)


class _Watch:
    """Passes progress on, and remembers what it raised: that is no fault of the file."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.raised: BaseException | None = None

    def __call__(self, done: int, total: int) -> None:
        try:
            self._progress(done, total)
        except BaseException as err:
            self.raised = err
            raise


def _together(found: Sequence[Marks]) -> Marks:
    names = NameList()
    points = tuple(
        Landmark(names.own(mark.name, "Point"), mark.point_ras, mark.description)
        for one in found
        for mark in one.landmarks
    )
    labels = tuple(label for one in found for label in one.labels)
    warnings = [
        w for one in found for w in one.warnings if w not in overlap_warning(one.labels)
    ]
    return Marks(
        " and ".join(dict.fromkeys(one.kind for one in found)),
        labels,
        LandmarkSet(points),
        tuple(contour for one in found for contour in one.contours),
        tuple(p for one in found for p in one.probabilities),
        tuple(dict.fromkeys(warnings)),
    )
