"""Type 1, 2 or 3 of the attributes whose action depends on it (PS3.3, common image IODs)."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType


class AttributeType(IntEnum):
    """How an IOD requires an attribute: with a value, present, or not at all."""

    VALUE = 1
    PRESENT = 2
    OPTIONAL = 3


_ROOT = "1.2.840.10008.5.1.4.1.1."
_ENHANCED = frozenset(
    _ROOT + tail
    for tail in (
        "2.1", "2.2", "4.1", "4.2", "4.3", "4.4", "12.1.1", "12.2.1", "13.1.1", "13.1.2",
        "13.1.3", "14.1", "14.2", "66.4", "66.7", "128.1", "130", "30",
    )
)  # fmt: skip
_CLASSIC = frozenset(
    _ROOT + tail
    for tail in (
        "1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1", "2", "4", "3.1", "6.1", "6.2",
        "7", "7.1", "7.2", "7.3", "7.4", "12.1", "12.2", "20", "128", "481.1", "481.2", "66",
        "66.1", "66.2", "66.3", "66.5",
    )
)  # fmt: skip
_PET = _ROOT + "128"

_EVERYWHERE = MappingProxyType(
    {
        **dict.fromkeys(
            ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
             "Modality", "FrameOfReferenceUID", "ImageType", "SegmentLabel"),
            AttributeType.VALUE,
        ),
        **dict.fromkeys(
            ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate",
             "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID",
             "SeriesNumber", "InstanceNumber", "Manufacturer", "PatientOrientation",
             "Laterality", "PatientPosition", "PositionReferenceIndicator",
             "ContrastBolusAgent", "ContentDate", "ContentTime", "ContentCreatorName",
             "ContentDescription", "ScanningSequence", "SequenceVariant", "ScanOptions",
             "MRAcquisitionType", "KVP", "AcquisitionNumber", "ROIName",
             "ROIGenerationAlgorithm", "ROIInterpreter", "RTROIInterpretedType",
             "RequestedProcedureDescription"),
            AttributeType.PRESENT,
        ),
    }
)  # fmt: skip
_ENHANCED_VALUE = frozenset(
    {
        "AcquisitionDateTime", "ContentDate", "ContentTime", "DeviceSerialNumber",
        "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "ContentLabel",
    }
)  # fmt: skip
_PET_VALUE = frozenset({"SeriesDate", "SeriesTime"})
_UNKNOWN = MappingProxyType(
    {
        "X/Z": AttributeType.PRESENT,
        "X/D": AttributeType.VALUE,
        "Z/D": AttributeType.VALUE,
        "X/Z/D": AttributeType.VALUE,
    }
)


def attribute_type(keyword: str, sop_class: str, code: str = "") -> AttributeType:
    """Return the type of an attribute in the IOD of a SOP class.

    Parameters
    ----------
    keyword : str
        The attribute's keyword.
    sop_class : str
        The SOP Class UID of the instance.
    code : str, optional
        The composite action code that must be resolved.

    Returns
    -------
    AttributeType
        Read from the tables of this module for CT, MR, PET, NM, X-ray, US, SC, and
        segmentation objects. For any other class a composite code is resolved to the strictest
        type that it names, so that the result conforms whatever the IOD says.
    """
    if sop_class in _ENHANCED and keyword in _ENHANCED_VALUE:
        return AttributeType.VALUE
    if sop_class == _PET and keyword in _PET_VALUE:
        return AttributeType.VALUE
    if keyword in _EVERYWHERE:
        return _EVERYWHERE[keyword]
    if sop_class in _ENHANCED or sop_class in _CLASSIC:
        return AttributeType.OPTIONAL
    return _UNKNOWN.get(code, AttributeType.OPTIONAL)
