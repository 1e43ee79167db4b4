"""Invented segmentations, structures and reports, written with pydicom by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from napari_medlabel.geometry.affine import Affine
from napari_medlabel.geometry.axes import flip_lps_ras, orientation_matrix
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.model.volume import Source, Volume

ROOT = "1.2.826.0.1.3680043.10.511."
FRAME = ROOT + "8"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
LABELMAP_SEG = "1.2.840.10008.5.1.4.1.1.66.7"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
SR = "1.2.840.10008.5.1.4.1.1.88.34"
CT = "1.2.840.10008.5.1.4.1.1.2"


def scan(
    codes: str = "LPS",
    shape: tuple[int, int, int] = (9, 7, 5),
    spacing: tuple[float, float, float] = (0.8, 0.9, 3.0),
    **extra: Any,
) -> Volume:
    """Return an invented scan with the places and names of DICOM slices, and no files."""
    matrix = np.eye(4)
    matrix[:3, :3] = extra.pop("turn", np.eye(3)) @ orientation_matrix(codes) * spacing
    matrix[:3, 3] = (11.5, -23.25, 41.0)
    frame = extra.pop("frame", FRAME)
    uids = tuple(f"{ROOT}1.{k + 1}" for k in range(shape[2]))
    source = Source(
        "dicom",
        tuple(Path(f"{k}.dcm") for k in range(shape[2])),
        sop_instance_uids=extra.pop("uids", uids),
        planes=extra.pop("planes", tuple((k, 0) for k in range(shape[2]))),
    )
    array = np.zeros(shape[::-1], np.int16).T
    return Volume(Grid(shape, Affine(matrix), frame), array, source, "CT", **extra)


def item(**values: Any) -> Dataset:
    """Return an item of a sequence."""
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def base(sop_class: str, syntax: str = ExplicitVRLittleEndian) -> Dataset:
    """Return a data set of a class with nothing but its names."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = sop_class
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = ROOT + "77"
    ds.PatientName = "Invented^Name"
    ds.FrameOfReferenceUID = FRAME
    return ds


def save(ds: Dataset, path: Path) -> Path:
    """Write it with preamble."""
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return path


def planes(
    grid: Grid, k: int, across: int = 2, flips: Sequence[int] = (0, 0)
) -> dict[str, Any]:
    """Return position, orientation and spacing of slice k across an axis of a grid.

    Columns run along the first of the two other axes, rows along the second; a flip turns
    one of them over.
    """
    along = [axis for axis in range(3) if axis != across]
    start = np.zeros(3)
    start[across] = k
    steps = np.zeros((2, 3))
    for n, (axis, flip) in enumerate(zip(along, flips, strict=True)):
        start[axis] = grid.shape[axis] - 1 if flip else 0
        steps[n, axis] = -1 if flip else 1
    origin = flip_lps_ras(grid.affine.apply(start))
    vectors = flip_lps_ras(steps @ grid.affine.matrix[:3, :3].T)
    lengths = np.linalg.norm(vectors, axis=1)
    unit = vectors / lengths[:, None]
    return {
        "position": [float(f"{v:.10g}") for v in origin],
        "orientation": [float(f"{v:.12g}") for v in unit.ravel()],
        "spacing": [float(f"{lengths[1]:.10g}"), float(f"{lengths[0]:.10g}")],
    }


def segment(number: int, label: str = "", lab: Sequence[int] | None = None) -> Dataset:
    """Return the description of a segment."""
    code = item(CodeValue="10200004", CodingSchemeDesignator="SCT", CodeMeaning="Liver")
    ds = item(
        SegmentNumber=number,
        SegmentLabel=label or f"Part {number}",
        SegmentAlgorithmType="MANUAL",
        SegmentedPropertyTypeCodeSequence=DicomSequence([code]),
    )
    if lab is not None:
        ds.RecommendedDisplayCIELabValue = list(lab)
    return ds


def frame_group(place: dict[str, Any] | None, number: int, source: str | None) -> Dataset:
    """Return the functional groups of one frame."""
    group = Dataset()
    if place is not None:
        position = item(ImagePositionPatient=place["position"])
        orientation = item(ImageOrientationPatient=place["orientation"])
        group.PlanePositionSequence = DicomSequence([position])
        group.PlaneOrientationSequence = DicomSequence([orientation])
        measures = item(PixelSpacing=place["spacing"], SliceThickness=1)
        group.PixelMeasuresSequence = DicomSequence([measures])
    if number:
        which = item(ReferencedSegmentNumber=number)
        group.SegmentIdentificationSequence = DicomSequence([which])
    if source is not None:
        image = item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=source)
        derivation = item(SourceImageSequence=DicomSequence([image]))
        group.DerivationImageSequence = DicomSequence([derivation])
    return group


def seg(
    frames: np.ndarray, groups: Sequence[Dataset], segments: Sequence[Dataset], **extra: Any
) -> Dataset:
    """Return a segmentation of frames (n, rows, columns): bits, or bytes for other kinds."""
    kind = extra.pop("kind", "BINARY")
    syntax = extra.pop("syntax", ExplicitVRLittleEndian)
    ds = base(LABELMAP_SEG if kind == "LABELMAP" else SEG, syntax)
    ds.Modality = "SEG"
    ds.SegmentationType = kind
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.NumberOfFrames, ds.Rows, ds.Columns = frames.shape
    bits = 1 if kind == "BINARY" else frames.dtype.itemsize * 8
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit, ds.PixelRepresentation = bits - 1, 0
    ds.SegmentSequence = DicomSequence(list(segments))
    ds.PerFrameFunctionalGroupsSequence = DicomSequence(list(groups))
    if bits == 1:
        raw = np.packbits(frames.ravel() != 0, bitorder="little").tobytes()
    else:
        raw = frames.tobytes()
    ds.PixelData = raw + b"\0" * (len(raw) % 2)
    ds["PixelData"].VR = "OB" if bits <= 8 else "OW"
    if kind == "FRACTIONAL":
        ds.MaximumFractionalValue = 200
        ds.SegmentationFractionalType = "PROBABILITY"
    for name, value in extra.items():
        setattr(ds, name, value)
    return ds


def seg_of(volume: Volume, masks: dict[int, np.ndarray], **extra: Any) -> Dataset:
    """Return a binary segmentation of masks (i, j, k), in which empty slices are left out."""
    frames, groups = [], []
    for number, mask in masks.items():
        for k in range(mask.shape[2]):
            if mask[:, :, k].any():
                frames.append(mask[:, :, k].T)
                source = volume.source.sop_instance_uids[k]
                groups.append(frame_group(planes(volume.grid, k), number, source))
    return seg(np.array(frames), groups, [segment(n) for n in masks], **extra)


def contour(kind: str, points_ras: np.ndarray, source: str | None = None) -> Dataset:
    """Return a contour."""
    lps = flip_lps_ras(points_ras)
    ds = item(
        ContourGeometricType=kind,
        NumberOfContourPoints=len(lps),
        ContourData=[f"{v:.9g}" for v in lps.ravel()],
    )
    if source is not None:
        image = item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=source)
        ds.ContourImageSequence = DicomSequence([image])
    return ds


def rtstruct(
    regions: dict[str, Sequence[Dataset]], *, frame: str = FRAME, images: Sequence[str] = ()
) -> Dataset:
    """Return a structure set of regions by name."""
    ds = base(RTSTRUCT)
    del ds.FrameOfReferenceUID
    ds.Modality = "RTSTRUCT"
    named = [item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=uid) for uid in images]
    series = item(SeriesInstanceUID=ROOT + "1", ContourImageSequence=DicomSequence(named))
    study = item(RTReferencedSeriesSequence=DicomSequence([series]))
    reference = item(
        FrameOfReferenceUID=frame, RTReferencedStudySequence=DicomSequence([study])
    )
    ds.ReferencedFrameOfReferenceSequence = DicomSequence([reference])
    rois, contours = [], []
    for number, (name, drawn) in enumerate(regions.items(), start=1):
        rois.append(item(ROINumber=number, ROIName=name, ReferencedFrameOfReferenceUID=frame))
        one = item(ReferencedROINumber=number, ROIDisplayColor=[255, 128, number])
        one.ContourSequence = DicomSequence(list(drawn))
        contours.append(one)
    ds.StructureSetROISequence = DicomSequence(rois)
    ds.ROIContourSequence = DicomSequence(contours)
    return ds


def concept(value: str, meaning: str) -> DicomSequence:
    """Return a concept name."""
    return DicomSequence(
        [item(CodeValue=value, CodingSchemeDesignator="DCM", CodeMeaning=meaning)]
    )


def content(kind: str, value: str, meaning: str, *children: Dataset, **extra: Any) -> Dataset:
    """Return a content item of a report."""
    ds = item(
        RelationshipType="CONTAINS",
        ValueType=kind,
        ConceptNameCodeSequence=concept(value, meaning),
        **extra,
    )
    if children:
        ds.ContentSequence = DicomSequence(list(children))
    return ds


def image_item(uid: str) -> Dataset:
    """Return the content item that names an image."""
    reference = item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=uid)
    return content(
        "IMAGE", "121324", "Source Image", ReferencedSOPSequence=DicomSequence([reference])
    )


def report(*children: Dataset) -> Dataset:
    """Return a structured report."""
    ds = base(SR)
    ds.Modality = "SR"
    ds.ContentSequence = DicomSequence(list(children))
    return ds
