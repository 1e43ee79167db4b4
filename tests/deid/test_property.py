"""Random data sets in every encoding: no planted word survives, and pixels stay."""

from __future__ import annotations

from io import BytesIO

import pydicom
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydicom.charset import convert_encodings
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from napari_medlabel.deid.dicom import level as splice_level
from napari_medlabel.deid.dicom import plan as splice
from napari_medlabel.deid.dicom import traces as splice_traces
from napari_medlabel.deid.dicom.file import clean_file, quiet
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.rules.profile import load_profile
from tests.deid.planted import ROOT, WORD, levels

SLOW = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
)
# A word in letters of its own for each character set, and what every one of them can write.
CHARSETS = {
    "ISO_IR 100": "Zqxjkvé",
    "ISO_IR 101": "Zqxjkvł",
    "ISO_IR 144": "Щыъэжц",
    "ISO_IR 126": "Ξψωθχλ",
    "ISO_IR 138": "אבגדהו",
    "ISO_IR 192": "Zqxjkv漢字",
    "GB18030": "汉字汉字汉字",
}
NO_TEXT = ("shift-dates", "retain-safe-private", "clean-structured", "clean-graphics")
HEAD = b"".join(number.to_bytes(4, "little") for number in (2, 64, 90, *[0] * 13))
FRAME = HEAD + (b"\x17" + bytes(range(24)) + b"\0") * 2


def encoded(source: Dataset, syntax: str, as_file) -> bytes:
    if syntax == RLELossless:
        source.PixelData = encapsulate([FRAME])
        source["PixelData"].VR = "OB"
        source["PixelData"].is_undefined_length = True
    with quiet():
        return as_file(source, syntax)


def native(content: bytes) -> bytes:
    """Return pixels as they are coded, of native ones in little endian."""
    with quiet():
        ds = pydicom.dcmread(BytesIO(content))
    if ds.file_meta.TransferSyntaxUID == RLELossless:
        return b"".join(generate_frames(ds.PixelData, number_of_frames=1))
    return bytes(ds.PixelData)


@SLOW
@given(
    syntax=st.sampled_from(SYNTAXES),
    level=levels(),
    chosen=st.sampled_from([(), NO_TEXT, (*NO_TEXT, "clean-descriptors")]),
    charset=st.sampled_from(sorted(CHARSETS)),
)
def test_no_planted_word_survives_and_pixels_stay(
    ct, as_file, pseudonyms, syntax, level, chosen, charset
):
    word = CHARSETS[charset]
    source = ct()
    source.update({e.tag: e for e in level if e.tag != 0x00280301})
    source.SpecificCharacterSet = charset
    source.add(DataElement(0x00081030, "LO", f"{word} left", validation_mode=0))
    source.add(DataElement(0x00100010, "PN", word, validation_mode=0))
    content = encoded(source, syntax, as_file)
    profile = load_profile(options=chosen)
    try:
        cleaned = clean_file(content, profile, pseudonyms).content
    except QuarantineError as refused:
        event("refused")
        assert refused.reason is Reason.IDENTITY_LEFT  # noqa: PT017 - a refusal is no leak
        return
    seen = cleaned
    if syntax == DeflatedExplicitVRLittleEndian:
        with quiet():
            seen = as_file(pydicom.dcmread(BytesIO(cleaned)), ExplicitVRLittleEndian)
    lowered = seen.lower()
    (encoding,) = convert_encodings(charset)
    for each in (encoding, "utf-8", "utf-16-le"):
        assert word.lower().encode(each, "ignore") not in lowered
        assert WORD.lower().encode(each) not in lowered
    assert ROOT.encode() not in seen
    assert native(cleaned) == native(content)


def forgotten() -> None:
    """Forget all that was remembered of other files."""
    splice_level._levels.clear()
    splice_traces._known.clear()
    splice._last.clear()


@settings(SLOW, max_examples=40)
@given(
    files=st.lists(levels(depth=2), min_size=2, max_size=4),
    same=st.booleans(),
    syntax=st.sampled_from(SYNTAXES[:2]),
    chosen=st.sampled_from([(), NO_TEXT, ("retain-dates", "clean-descriptors")]),
)
def test_what_is_remembered_of_one_file_never_gets_into_another(
    ct, as_file, pseudonyms, files, same, syntax, chosen
):
    profile, contents = load_profile(options=chosen), []
    for number, level in enumerate(files):
        own = {} if same else {"PatientID": f"MRN{number}", "PatientName": f"Abernathy{number}"}
        source = ct(
            number + 1, StudyDate=f"2024021{number}", AcquisitionTime=f"121{number}", **own
        )
        source.update({e.tag: e for e in level if e.tag != 0x00280301})
        contents.append(encoded(source, syntax, as_file))
    alone = []
    for content in contents:
        forgotten()
        alone.append(outcome_of(content, profile, pseudonyms))
    forgotten()
    for _ in range(2):
        assert [outcome_of(c, profile, pseudonyms) for c in contents] == alone
    assert [outcome_of(c, profile, pseudonyms) for c in contents[::-1]] == alone[::-1]


def outcome_of(content: bytes, profile, pseudonyms) -> object:
    try:
        return clean_file(content, profile, pseudonyms)
    except QuarantineError as refused:
        return refused.reason


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_whole_files_are_cleaned_in_every_encoding(
    ct, as_file, profile, pseudonyms, syntax
):
    content = encoded(ct(), syntax, as_file)
    cleaned = clean_file(content, profile, pseudonyms).content
    assert native(cleaned) == native(content)
    with quiet():
        assert pydicom.dcmread(BytesIO(cleaned)).file_meta.TransferSyntaxUID == syntax
