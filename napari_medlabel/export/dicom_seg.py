"""Masks as DICOM segmentations (PS3.3 A.51, A.101): one object beside the scan's series.

BINARY is read everywhere and holds labels that overlap; LABELMAP (supplement 243, 2024) is
smaller and quicker, and older viewers cannot open it. Built by highdicom, an optional package.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel._optional import require
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.export.dicom_parts import (
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
    stamp,
)
from napari_medlabel.export.read_back import require_new, require_same_segments
from napari_medlabel.export.segments import (
    Codings,
    Segment,
    on_grid,
    renumbered,
    require_one_layer,
    rgb_to_lab,
    segments_of,
)
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.io.voxels import require_room
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Volume

SegKind = Literal["BINARY", "LABELMAP"]
Algorithm = Literal["MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"]
EXTRA: Final = "seg"
_WHAT: Final = "segmentation"
_RLE: Final = "1.2.840.10008.1.2.5"
_EXPLICIT: Final = "1.2.840.10008.1.2.1"
# DCM 113076: Segmentation; CID 7162 has it for a person's and a program's work alike.
_FAMILY: Final = ("123109", "DCM", "Manual Processing")


def save_dicom_seg(
    path: Path,
    layers: Sequence[LabelMap],
    volume: Volume,
    made: Made,
    *,
    codings: Codings | None = None,
    kind: SegKind = "BINARY",
    algorithm: Algorithm = "MANUAL",
) -> SavedObject:
    """Write a mask as a DICOM segmentation, read it back, and only then give it its name.

    Patient and study are those of the scan's images, so the scan must be de-identified before.

    Parameters
    ----------
    path : Path
        A ``.dcm`` file that does not exist.
    layers : sequence of LabelMap
        One label map, or several where labels overlap (BINARY only). Each lies on the scan's
        voxels; its axes may run in another order.
    volume : Volume
        The scan, read from DICOM.
    made : Made
        UIDs and time of the new object.
    codings : mapping, optional
        For each label value what the ontology says; else its own code, else "Tissue".
    kind : str
        ``"BINARY"``, segments numbered 1, 2, 3, ... as the standard asks; or ``"LABELMAP"``,
        RLE packed, whose numbers are the labels' values.
    algorithm : str
        Who made the segments: ``"MANUAL"``, ``"SEMIAUTOMATIC"`` or ``"AUTOMATIC"``.

    Returns
    -------
    SavedObject
        Its ``numbers`` say which segment each value became.

    Raises
    ------
    MissingPackageError
        When highdicom is not installed.
    GeometryError, InputError
        When the mask does not lie on the scan, the scan is not DICOM, labels lie on a slice
        that no image holds, or overlap in a LABELMAP.
    SaveError
        When the target exists, cannot be written, or reads back otherwise.
    """
    highdicom = require("highdicom", extra=EXTRA)
    require_new(path)
    placed = on_grid(layers, volume.grid)
    if kind == "LABELMAP":
        require_one_layer(placed, "A label map segmentation")
    segments = segments_of(placed, codings, keep_values=kind == "LABELMAP")
    images = source_images(volume)
    _require_images(placed, images)
    pixels = _pixels(placed, segments, images)
    with building(_WHAT):
        dataset = _build(highdicom, images, pixels, segments, made, kind, algorithm)
        _finish(dataset, images, made)

    def check(aside: Path) -> None:
        require_same_segments(read_marks(aside, volume), segments, placed, _WHAT)

    digest = save_dataset(path, dataset, what=_WHAT, check=check)
    return SavedObject(path, digest, {one.label.value: one.number for one in segments})


def _require_images(layers: Sequence[LabelMap], images: SourceImages) -> None:
    known = {k for k in images.slices if k is not None}
    lost = [k for k in range(layers[0].grid.shape[2]) if k not in known]
    if any(one.array[:, :, k].any() for one in layers for k in lost):
        raise GeometryError(
            "Labels lie on a slice that no image of the scan holds.",
            hint="Erase them there: nothing was to be seen on it.",
        )


def _pixels(
    layers: Sequence[LabelMap], segments: Sequence[Segment], images: SourceImages
) -> npt.NDArray[Any]:
    """Return numbers (frames, rows, columns), or of overlapping labels (..., segments)."""
    order = [-1 if k is None else k for k in images.slices]
    unknown = [n for n, k in enumerate(order) if k < 0]
    if len(layers) == 1:
        numbers = {one.label.value: one.number for one in segments}
        out = renumbered(layers[0], numbers).T[order]
    else:
        columns, rows, _ = layers[0].grid.shape
        require_room(2 * len(order) * rows * columns * len(segments))
        out = np.zeros((len(order), rows, columns, len(segments)), np.uint8)
        for n, one in enumerate(segments):
            out[..., n] = layers[one.layer].array.T[order] == one.label.value
    out[unknown] = 0
    return out


def _build(
    highdicom: Any,
    images: SourceImages,
    pixels: npt.NDArray[Any],
    segments: Sequence[Segment],
    made: Made,
    kind: SegKind,
    algorithm: Algorithm,
) -> Any:
    return highdicom.seg.Segmentation(
        source_images=list(images.headers),
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=[_described(highdicom, one, algorithm) for one in segments],
        series_instance_uid=made.series_uid,
        series_number=made.series_number,
        sop_instance_uid=made.instance_uid,
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MANUFACTURER,
        software_versions=VERSION,
        device_serial_number=VERSION,
        content_label="LABELS",
        content_description=shortened(made.series_words),
        series_description=shortened(made.series_words),
        transfer_syntax_uid=_RLE if kind == "LABELMAP" else _EXPLICIT,
        omit_empty_frames=bool(pixels.any()),
        use_extended_offset_table=False,
    )


def _described(highdicom: Any, one: Segment, algorithm: Algorithm) -> Any:
    from pydicom.sr.coding import Code as Coded

    def coded(code: Any) -> Any:
        return Coded(code.value, code.scheme, shortened(code.meaning))

    identified = None
    if algorithm != "MANUAL":
        identified = highdicom.AlgorithmIdentificationSequence(
            name=MANUFACTURER, family=Coded(*_FAMILY), version=VERSION
        )
    coding = one.coding
    described = highdicom.seg.SegmentDescription(
        segment_number=one.number,
        segment_label=shortened(one.label.name),
        segmented_property_category=coded(coding.category),
        segmented_property_type=coded(coding.type),
        algorithm_type=algorithm,
        algorithm_identification=identified,
        anatomic_regions=None if coding.region is None else [coded(coding.region)],
    )
    if coding.modifier is not None:
        of_type = described.SegmentedPropertyTypeCodeSequence[0]
        of_type.SegmentedPropertyTypeModifierCodeSequence = [code_item(coding.modifier)]
    if coding.region is not None and coding.region_modifier is not None:
        of_region = described.AnatomicRegionSequence[0]
        of_region.AnatomicRegionModifierSequence = [code_item(coding.region_modifier)]
    described.RecommendedDisplayCIELabValue = list(rgb_to_lab(one.label.rgb))
    return described


def _finish(dataset: Any, images: SourceImages, made: Made) -> None:
    """Give the object the time and the UIDs that came in, and numbers of standard length."""
    stamp(dataset, images, made)
    dataset.ContentCreatorName = ""  # of type 2: there, and nobody's (PS3.3 Table 10-12)
    uid = made.further_uid("dimensions")
    for organization in dataset.get("DimensionOrganizationSequence") or ():
        organization.DimensionOrganizationUID = uid
    for index in dataset.get("DimensionIndexSequence") or ():
        if "DimensionOrganizationUID" in index:
            index.DimensionOrganizationUID = uid
    fit_decimals(dataset)
    if not dataset.get("SegmentSequence"):
        raise InputError("The segmentation has no segments.", hint="Choose another scheme.")
