"""Small invented multi-frame files and mosaics, written with pydicom, with known places."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian

from napari_medlabel.io.dicom.header import odd as dicom_odd
from napari_medlabel.io.dicom.header.instance import Instance
from napari_medlabel.io.dicom.header.walk import OddFileError, walk

STORAGE = "1.2.840.10008.5.1.4.1.1."
MR = STORAGE + "4.1"
AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def instance_of(path: Path) -> Instance:
    """Read a file's header as discovery does."""
    try:
        return walk(path)
    except OddFileError:
        found = dicom_odd.read_header(path)
        assert found is not None
        return found


def dataset(sop_class: str = MR, frames: int = 1, **extra: Any) -> Dataset:
    """Return an invented image of `frames` frames of 4 rows and 6 columns, without groups."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds.SOPClassUID, ds.SOPInstanceUID = sop_class, "1.2.3.4"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "NONE"]
    ds.PatientName, ds.PatientID = "Invented^Name", "INVENTED-7"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    ds.SeriesNumber, ds.InstanceNumber = 1, 1
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = 4, 6
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.NumberOfFrames = frames
    for name, value in extra.items():
        if value is None:
            delattr(ds, name)
        else:
            setattr(ds, name, value)
    return ds


def item(**values: Any) -> Dataset:
    """Return a data set of these attributes."""
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, value)
    return ds


def groups(**said: Any) -> Dataset:
    """Return the functional groups of one frame from the short names below."""
    ds = Dataset()
    for name, (sequence, attribute) in _GROUPS.items():
        if name not in said:
            continue
        value = said.pop(name)
        inner = getattr(ds, sequence)[0] if sequence in ds else Dataset()
        setattr(inner, attribute, value)
        setattr(ds, sequence, Items([inner]))
    if "direction" in said:
        ds.MRDiffusionSequence[0].DiffusionGradientDirectionSequence = Items(
            [item(DiffusionGradientOrientation=said.pop("direction"))]
        )
    assert not said, said
    return ds


_GROUPS = {
    "position": ("PlanePositionSequence", "ImagePositionPatient"),
    "orientation": ("PlaneOrientationSequence", "ImageOrientationPatient"),
    "spacing": ("PixelMeasuresSequence", "PixelSpacing"),
    "thickness": ("PixelMeasuresSequence", "SliceThickness"),
    "between": ("PixelMeasuresSequence", "SpacingBetweenSlices"),
    "slope": ("PixelValueTransformationSequence", "RescaleSlope"),
    "intercept": ("PixelValueTransformationSequence", "RescaleIntercept"),
    "centre": ("FrameVOILUTSequence", "WindowCenter"),
    "width": ("FrameVOILUTSequence", "WindowWidth"),
    "stack": ("FrameContentSequence", "StackID"),
    "moment": ("FrameContentSequence", "FrameAcquisitionDateTime"),
    "index": ("FrameContentSequence", "TemporalPositionIndex"),
    "offset": ("FrameContentSequence", "TemporalPositionTimeOffset"),
    "dimensions": ("FrameContentSequence", "DimensionIndexValues"),
    "frame_type": ("MRImageFrameTypeSequence", "FrameType"),
    "component": ("MRImageFrameTypeSequence", "ComplexImageComponent"),
    "echo": ("MREchoSequence", "EffectiveEchoTime"),
    "b_value": ("MRDiffusionSequence", "DiffusionBValue"),
    "directionality": ("MRDiffusionSequence", "DiffusionDirectionality"),
    "trigger": ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    "labelling": ("MRArterialSpinLabelingSequence", "ASLContext"),
    "metabolite": ("MRMetaboliteMapSequence", "MetaboliteMapDescription"),
    "volume_position": ("PlanePositionVolumeSequence", "ImagePositionVolume"),
    "volume_orientation": ("PlaneOrientationVolumeSequence", "ImageOrientationVolume"),
}


def enhanced(
    frames: Sequence[Mapping[str, Any]],
    shared: Mapping[str, Any] | None = None,
    sop_class: str = MR,
    **extra: Any,
) -> Dataset:
    """Return a multi-frame image with functional groups, axial and of 2 mm pixels at least."""
    ds = dataset(sop_class, len(frames))
    common = {"orientation": AXIAL, "spacing": [2.0, 3.0], **(shared or {})}
    ds.SharedFunctionalGroupsSequence = Items([groups(**common)])
    ds.PerFrameFunctionalGroupsSequence = Items([groups(**one) for one in frames])
    for name, value in extra.items():
        setattr(ds, name, value)
    return ds


def save(path: Path, ds: Dataset, *, pixels: bool = True) -> Instance:
    """Write a data set and read its header."""
    if pixels:
        count = (
            int(ds.Rows)
            * int(ds.Columns)
            * max(1, min(int(ds.get("NumberOfFrames") or 1), 9999))
        )
        ds.PixelData = np.zeros(count, np.uint16).tobytes()
        ds["PixelData"].VR = "OW"
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    return instance_of(path)


def csa(tags: Mapping[str, Sequence[str]], *, is_second: bool = True) -> bytes:
    """Return a CSA header of these named texts, in its second or its first layout."""
    out = [b"SV10\4\3\2\1" if is_second else b"", struct.pack("<II", len(tags), 77)]
    base = None
    for name, texts in tags.items():
        items = max(len(texts), 6)
        base = items if base is None else base
        out.append(struct.pack("<64si4siii", name.encode(), len(texts), b"IS", 6, items, 77))
        for n in range(items):
            raw = texts[n].encode() + b"\0" if n < len(texts) else b""
            length = len(raw) if is_second else len(raw) + base
            out += [struct.pack("<4i", length, len(raw), 77, length), raw]
            out.append(b"\0" * (-len(raw) % 4))
    return b"".join(out)


def protocol(centres: Sequence[Sequence[float]], *, count: int | None = None) -> bytes:
    """Return a CSA series header whose protocol plans slices at these centres (LPS mm)."""
    lines = ["### ASCCONV BEGIN ###", f"sSliceArray.lSize\t = \t{count or len(centres)}"]
    for n, centre in enumerate(centres):
        for axis, value in zip(("Sag", "Cor", "Tra"), centre, strict=True):
            if value:
                lines.append(f"sSliceArray.asSlice[{n}].sPosition.d{axis}\t = \t{value:.9g}")
    text = "\n".join([*lines, "### ASCCONV END ###", ""])
    return csa({"UsedPatientWeight": ["1"], "MrPhoenixProtocol": [text]})


def mosaic(
    position: Sequence[float],
    orientation: Sequence[float],
    tile: tuple[int, int],
    side: int,
    *,
    image: bytes = b"",
    series: bytes = b"",
    **extra: Any,
) -> Dataset:
    """Return a sheet of side x side tiles; `position` is that of the first tile (LPS mm)."""
    rows, columns = tile
    ds = dataset(STORAGE + "4", 1, NumberOfFrames=None)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    ds.Rows, ds.Columns = rows * side, columns * side
    ds.PixelSpacing, ds.SpacingBetweenSlices, ds.SliceThickness = [1.5, 2.5], 4.0, 3.0
    turned = np.array(orientation, dtype=float)
    sheet = np.array(position) - (
        turned[:3] * 2.5 * columns * (side - 1) / 2 + turned[3:] * 1.5 * rows * (side - 1) / 2
    )
    ds.ImagePositionPatient = [f"{round(float(value), 10):.10g}" for value in sheet]
    ds.ImageOrientationPatient = [f"{round(float(value), 10):.10g}" for value in turned]
    ds.AcquisitionDate, ds.AcquisitionTime = "20200101", "101530.500000"
    ds.EchoTime = "30"
    block = ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    if image:
        block.add_new(0x10, "OB", image)
    if series:
        block.add_new(0x20, "OB", series)
    for name, value in extra.items():
        if value is None:
            delattr(ds, name)
        else:
            setattr(ds, name, value)
    return ds
