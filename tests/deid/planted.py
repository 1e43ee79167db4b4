"""Random data sets with words planted in them, and two ways to clean a file compared."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pydicom
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_medlabel.deid.dicom.file import clean_parsed, quiet
from napari_medlabel.deid.dicom.plan import plan_file
from napari_medlabel.deid.dicom.write import content_of
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason

WORD = "Zqxjkv"
ROOT = "1.3.6.1.4.1.99999.88."
TEXTS = (
    (0x00080081, "ST"), (0x00081030, "LO"), (0x0008103E, "LO"), (0x00081090, "LO"),
    (0x00100010, "PN"), (0x00101000, "LO"), (0x00104000, "LT"), (0x00180010, "LO"),
    (0x00181030, "LO"), (0x00204000, "LT"), (0x00321060, "LO"), (0x0040A160, "UT"),
    (0x00280301, "CS"), (0x00080119, "UC"), (0x00080120, "UR"),
    (0x00091001, "LO"), (0x00191001, "UN"), (0x00420011, "OB"), (0x00287FE0, "UR"),
)  # fmt: skip
UIDS = ((0x00081155, "UI"), (0x0020000D, "UI"), (0x00200052, "UI"), (0x00404023, "UI"))
KEPT = (
    (0x00180050, "DS", "2.5"), (0x00200013, "IS", "7"), (0x00200032, "DS", [1.5, -2, 3]),
    (0x00280106, "US", 4), (0x00189306, "FD", 0.6), (0x00080060, "CS", "CT"),
    (0x00080100, "SH", "113100"), (0x00080102, "SH", "DCM"), (0x0040A040, "CS", "TEXT"),
    (0x00281053, "DS", "1"), (0x00280009, "AT", 0x00181063), (0x00089215, "SQ", None),
)  # fmt: skip
SEQUENCES = (
    0x00081140, 0x00082112, 0x00082218, 0x00089215, 0x0040A730, 0x0040A043, 0x00400275,
    0x52009229, 0x00289110, 0x00091002, 0x00101002, 0x0040A168,
)  # fmt: skip


@st.composite
def levels(draw: Any, depth: int = 3) -> Dataset:
    """A data set with planted words, numbers that may stay and nested sequences."""
    result = Dataset()
    for tag, vr in draw(st.lists(st.sampled_from(TEXTS), max_size=4)):
        word = f"{WORD}{draw(st.integers(1000, 9999))}"
        value = word.encode() if vr in {"OB", "UN"} else word
        result.add(DataElement(tag, vr, value, validation_mode=0))
    for tag, vr in draw(st.lists(st.sampled_from(UIDS), max_size=2)):
        uid = draw(
            st.sampled_from([ROOT + str(draw(st.integers(1000, 9999))), "1.2.840.10008.1.2"])
        )
        result.add(DataElement(tag, vr, uid))
    for tag, vr, value in draw(st.lists(st.sampled_from(KEPT), max_size=4)):
        result.add(DataElement(tag, vr, Sequence() if vr == "SQ" else value))
    if depth:
        for tag in draw(st.lists(st.sampled_from(SEQUENCES), max_size=2, unique=True)):
            items = draw(st.lists(levels(depth=depth - 1), max_size=2))
            for item in items:
                item.is_undefined_length_sequence_item = draw(st.booleans())
            element = DataElement(tag, "SQ", Sequence(items))
            element.is_undefined_length = draw(st.booleans())
            result.add(element)
    if any(e.tag.is_private for e in result):
        for group in {e.tag.group for e in result if e.tag.is_private}:
            result.add_new(group << 16 | 0x10, "LO", "PLANTED")
    return result


def spliced(content: bytes, profile: Any, pseudonyms: Any) -> Any:
    """Clean with the walk over bytes alone."""
    with quiet():
        source = BytesIO(content)
        plan = plan_file(source, profile, pseudonyms)
        return plan, content_of(plan, source)


def outcome(clean: Any, *args: Any) -> Any:
    """What a way to clean returns, or the reason why it refuses."""
    try:
        return clean(*args)
    except QuarantineError as refused:
        return refused.reason


def assert_same(content: bytes, profile: Any, pseudonyms: Any) -> bytes | None:
    """Compare both ways to clean a file; return the bytes of the walk, None if refused."""
    parsed = outcome(clean_parsed, content, profile, pseudonyms)
    walked = outcome(spliced, content, profile, pseudonyms)
    if not isinstance(walked, tuple):
        assert walked == parsed
        return None
    plan, written = walked
    assert not isinstance(parsed, Reason), parsed
    with quiet():
        one, other = (pydicom.dcmread(BytesIO(c)) for c in (parsed.content, written))
        assert one.file_meta == other.file_meta
        assert one == other
        assert [e.VR for e in one.iterall()] == [e.VR for e in other.iterall()]
    assert (plan.name, plan.report) == (parsed.name, parsed.report)
    return bytes(written)
