"""Masks as RT structure sets (PS3.3 A.19): contours along the voxels' edges. For export only.

Contours run half a voxel outside the centres of the outer voxels: they enclose exactly the
voxels' centres and exactly their area. A program that draws contours through voxel
centres gives smaller regions; one that fills by centres, as this one, gives the same voxels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.export.dicom_parts import (
    CLEANED,
    MANUFACTURER,
    VERSION,
    Made,
    SavedObject,
    SourceImages,
    building,
    code_item,
    fit_decimals,
    save_dataset,
    shortened,
    source_images,
)
from napari_medlabel.export.outlines import Holes, outlines
from napari_medlabel.export.read_back import require_new, require_same_segments
from napari_medlabel.export.segments import Codings, Segment, on_grid, segments_of
from napari_medlabel.geometry.axes import FloatArray, flip_lps_ras
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Volume

_CLASS: Final = "1.2.840.10008.5.1.4.1.1.481.3"
_STUDY_CLASS: Final = "1.2.840.10008.3.1.2.3.1"  # Detached Study Management
_IMPLICIT: Final = "1.2.840.10008.1.2"  # the only syntax whose DS may be longer than 64 KiB
_WHAT: Final = "structure set"
_AT_ONCE: Final = 8
_CONTOUR_DATA: Final = 0x30060050
_FARTHEST_MM: Final = 1e8  # a sign, eight digits, a point and six more are sixteen characters
_PATIENT: Final = (
    "SpecificCharacterSet",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    *CLEANED,
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PositionReferenceIndicator",
)
_EMPTY: Final = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PositionReferenceIndicator",
    "OperatorsName",
)


def save_rtstruct(
    path: Path,
    layers: Sequence[LabelMap],
    volume: Volume,
    made: Made,
    *,
    codings: Codings | None = None,
    holes: Holes = "keyhole",
) -> SavedObject:
    """Write a mask as contours on the scan's images, and compare what they are filled to.

    Parameters
    ----------
    path : Path
        A ``.dcm`` file that does not exist.
    layers : sequence of LabelMap
        One label map, or several where labels overlap.
    volume : Volume
        The scan, read from DICOM; patient and study are taken from its images.
    made : Made
        UIDs and time of the new object.
    codings : mapping, optional
        For each label value what the ontology says.
    holes : str
        ``"keyhole"``: joined to the outer contour (PS3.3 C.8.8.6.3), read everywhere;
        ``"separate"``: contours of their own, CLOSEDPLANAR_XOR (2020), which older programs
        fill.

    Returns
    -------
    SavedObject
        ROI numbers are the labels' values.

    Raises
    ------
    GeometryError, InputError
        When the mask does not lie on the scan, or the scan is not DICOM.
    SaveError
        When the target exists, cannot be written, or fills to other voxels.
    """
    require_new(path)
    placed = on_grid(layers, volume.grid)
    segments = segments_of(placed, codings, keep_values=True)
    images = source_images(volume)
    with building(_WHAT):
        dataset = _frame(images, volume, made)
        _regions(dataset, segments, placed, _References(images), holes)
        fit_decimals(dataset)

    def check(aside: Path) -> None:
        require_same_segments(read_marks(aside, volume), segments, placed, _WHAT)

    digest = save_dataset(path, dataset, what=_WHAT, check=check)
    return SavedObject(path, digest, {one.label.value: one.number for one in segments})


def _frame(images: SourceImages, volume: Volume, made: Made) -> Any:
    """Return a structure set of the scan's patient and study, without regions."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    first = images.headers[0]
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(_IMPLICIT)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = UID(_CLASS)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = UID(made.instance_uid)
    for keyword in _EMPTY:
        setattr(ds, keyword, "")
    for keyword in _PATIENT:
        if keyword in first:
            ds[keyword] = first[keyword]
    ds.Modality = "RTSTRUCT"
    ds.SeriesInstanceUID = UID(made.series_uid)
    ds.SeriesNumber, ds.InstanceNumber = made.series_number, 1
    ds.SeriesDescription = shortened(made.series_words)
    ds.InstanceCreationDate = ds.StructureSetDate = ds.SeriesDate = made.date
    ds.InstanceCreationTime = ds.StructureSetTime = ds.SeriesTime = made.clock
    ds.Manufacturer = ds.ManufacturerModelName = MANUFACTURER
    ds.SoftwareVersions = VERSION
    ds.DeviceSerialNumber = VERSION
    ds.StructureSetLabel = "LABELS"
    ds.ApprovalStatus = "UNAPPROVED"
    ds.FrameOfReferenceUID = UID(str(volume.grid.frame_of_reference))
    ds.ReferencedFrameOfReferenceSequence = [_referenced(images, ds)]
    ds.StructureSetROISequence = []
    ds.ROIContourSequence = []
    ds.RTROIObservationsSequence = []
    return ds


def _referenced(images: SourceImages, ds: Any) -> Any:
    from pydicom.dataset import Dataset

    series = Dataset()
    series.SeriesInstanceUID = images.headers[0].SeriesInstanceUID
    series.ContourImageSequence = [_image(one) for one in images.headers]
    study = Dataset()
    study.ReferencedSOPClassUID = _STUDY_CLASS
    study.ReferencedSOPInstanceUID = ds.StudyInstanceUID
    study.RTReferencedSeriesSequence = [series]
    frame = Dataset()
    frame.FrameOfReferenceUID = ds.FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    return frame


def _image(header: Any, frame: int | None = None) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID = header.SOPClassUID
    item.ReferencedSOPInstanceUID = header.SOPInstanceUID
    if frame is not None:
        item.ReferencedFrameNumber = frame + 1
    return item


class _References:
    """Which image, or frame of it, each slice is."""

    def __init__(self, images: SourceImages) -> None:
        self._images = images
        self._at = {k: n for n, k in enumerate(images.slices) if k is not None}

    def of(self, k: int) -> list[Any]:
        """Return the items of a Contour Image Sequence; none where no image holds a slice."""
        n = self._at.get(k)
        if n is None:
            return []
        if self._images.is_multiframe:
            return [_image(self._images.headers[0], n)]
        return [_image(self._images.headers[n])]


def _regions(
    ds: Any,
    segments: Sequence[Segment],
    layers: Sequence[LabelMap],
    references: _References,
    holes: Holes,
) -> None:
    from pydicom.dataset import Dataset

    for n, one in enumerate(segments, 1):
        roi = Dataset()
        roi.ROINumber = one.number
        roi.ReferencedFrameOfReferenceUID = ds.FrameOfReferenceUID
        roi.ROIName = shortened(one.label.name)
        roi.ROIGenerationAlgorithm = ""
        ds.StructureSetROISequence.append(roi)
        drawn = Dataset()
        drawn.ROIDisplayColor = [round(255 * part) for part in one.label.rgb]
        drawn.ReferencedROINumber = one.number
        contours = list(_contours(layers[one.layer], one.label.value, references, holes))
        if contours:
            drawn.ContourSequence = contours
        ds.ROIContourSequence.append(drawn)
        seen = Dataset()
        seen.ObservationNumber = n
        seen.ReferencedROINumber = one.number
        seen.RTROIIdentificationCodeSequence = [code_item(one.coding.type)]
        seen.RTROIInterpretedType = ""
        seen.ROIInterpreter = ""
        ds.RTROIObservationsSequence.append(seen)


def _contours(
    labels: LabelMap, value: int, references: _References, holes: Holes
) -> Iterator[Any]:
    from pydicom.dataset import Dataset

    stack = labels.array.T
    planes, rows, columns = _box(stack, value)
    corner = (columns.start, rows.start)
    kind = "CLOSED_PLANAR" if holes == "keyhole" else "CLOSEDPLANAR_XOR"
    for first in range(planes.start, planes.stop, _AT_ONCE):
        part = stack[first : min(first + _AT_ONCE, planes.stop), rows, columns]
        for one in outlines(part == value, holes=holes, first_plane=first):
            item = Dataset()
            images = references.of(one.plane)
            if images:
                item.ContourImageSequence = images
            item.ContourGeometricType = kind
            item.NumberOfContourPoints = len(one.corners)
            # As bytes of no special kind: pydicom would make an object of every number, and
            # the implicit syntax stores no kind.
            points = _decimals(_points_lps(labels.grid, one.corners + corner, one.plane))
            item.add_new(_CONTOUR_DATA, "OB", points)
            yield item


def _box(stack: npt.NDArray[Any], value: int) -> tuple[slice, slice, slice]:
    """Return where in a stack (k, j, i) a value occurs; an empty box where it does not."""
    mask = stack == value
    found = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        at = np.flatnonzero(mask.any(axis=others))
        found.append(slice(int(at[0]), int(at[-1]) + 1) if at.size else slice(0, 0))
    return found[0], found[1], found[2]


def _points_lps(grid: Grid, corners: Any, plane: int) -> FloatArray:
    index = np.column_stack([corners - 0.5, np.full(len(corners), float(plane))])
    return flip_lps_ras(grid.affine.apply(index))


def _decimals(points_lps: FloatArray) -> bytes:
    """Return all numbers as a Decimal String, in nanometres at the finest.

    Raises
    ------
    InputError
        When one does not fit into 16 characters.
    """
    rounded = np.round(points_lps, 6) + 0.0
    if np.abs(rounded).max() >= _FARTHEST_MM:
        raise InputError(
            "The scan lies so far from its origin that its contours cannot be written.",
            hint="Write .seg.nrrd or NIfTI.",
        )
    text = "\\".join([f"{v:.6f}".rstrip("0").rstrip(".") for v in rounded.ravel().tolist()])
    return (text + " " * (len(text) % 2)).encode("ascii")
