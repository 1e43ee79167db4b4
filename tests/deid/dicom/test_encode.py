from __future__ import annotations

import pytest
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element

from napari_medlabel.deid.dicom.elements import OddError
from napari_medlabel.deid.dicom.encode import encoded, file_head, packed, packed_text
from napari_medlabel.deid.dicom.encoding import written
from napari_medlabel.deid.dicom.plan import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from napari_medlabel.deid.rules.actions import Attribute, Setting, dummy, empty
from napari_medlabel.deid.rules.dictionary import entry
from napari_medlabel.deid.rules.made import Made


@pytest.mark.parametrize(
    ("vr", "value", "end"),
    [(b"CS", b"CT1", b"CT1 "), (b"UI", b"1.2", b"1.2\0"), (b"OB", b"abc", b"abc\0")],
)
def test_values_are_made_even_with_the_padding_of_their_vr(vr, value, end):
    assert packed(0x00080060, vr, value).endswith(end)


def test_implicit_elements_have_no_vr():
    assert packed(0x00080060, b"", b"CT") == b"\x08\0\x60\0\2\0\0\0CT"
    assert packed_text(0x0020000D, "UI", ("1.2.3",), explicit=False).endswith(b"1.2.3\0")


@pytest.mark.parametrize(("vr", "value"), [(b"LO", bytes(70_000)), (b"ox", b"")])
def test_what_has_no_place_in_an_element_is_odd(vr, value):
    with pytest.raises(OddError):
        packed(0x00080060, vr, value)


@pytest.mark.parametrize(
    "element",
    [
        Made(0x00081030, "LO", "日本"),
        Made(0x00280106, "US or SS", 3),
        Made(0x00280106, "US", "many"),
        Made(0x00280106, "US", 70_000),
        Made(0x00280009, "AT", "1"),
    ],
)
def test_what_cannot_be_written_is_odd(element):
    with pytest.raises(OddError):
        encoded(element, explicit=True)


def by_pydicom(element: Made, explicit: bool) -> bytes:
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, not explicit
    write_data_element(stream, element.element)
    return stream.getvalue()


VALUES = {
    "US": 512, "SS": -3, "UL": 70_000, "SL": [-1, 70_000], "FL": 1.5, "FD": [0.25, -2.0],
    "AT": [0x00280009, 0x00100010], "SV": -(1 << 40), "UV": 1 << 40, "DS": ["1.5", "-2", "3"],
    "IS": "12", "OB": b"12", "OW": b"1234", "LT": "one\\two", "UI": "1.2.3",
    "PN": "ANON", "DT": "20000101000000", "UC": ["a", "b"], "CS": None, "AS": "", "TM": [],
}  # fmt: skip
TAGS = {"US": 0x00280010, "AT": 0x00280009}


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize(("vr", "value"), VALUES.items())
def test_elements_are_the_ones_that_pydicom_writes(vr, value, explicit):
    element = Made(TAGS.get(vr, 0x00181012), vr, value)
    assert encoded(element, explicit=explicit) == by_pydicom(element, explicit)
    nothing = Made(element.tag, vr)
    assert encoded(nothing, explicit=explicit) == by_pydicom(nothing, explicit)


@pytest.mark.parametrize("explicit", [True, False])
def test_each_row_has_the_dummy_that_pydicom_writes(profile, pseudonyms, explicit):
    setting = Setting(pseudonyms, "1.2.840.10008.5.1.4.1.1.2", "", "7")
    for tag in profile.rules:
        keyword, vr = entry(tag)
        if tag >> 16 >= 8 and keyword:
            for act in (dummy, empty):
                element = act(Attribute(tag, keyword, vr, ("1.2.77",)), setting)
                assert encoded(element, explicit=explicit) == by_pydicom(element, explicit)


@pytest.mark.parametrize("explicit", [True, False])
def test_bytes_as_found_are_not_looked_at(explicit):
    element = Made(0x00280106, "US", b"odd!", as_found=True)
    assert encoded(element, explicit=explicit).endswith(b"\4\0odd!" if explicit else b"odd!")
    assert element.element.value == b"odd!"


@pytest.mark.parametrize("instance", ["2.25.11", "2.25.1"])
def test_meta_information_is_the_one_that_pydicom_writes(ct, instance):
    source = ct(SOPInstanceUID=instance)
    whole = written(source, source["SOPClassUID"].value.__class__("1.2.840.10008.1.2.1"))
    head = file_head(
        source.SOPClassUID,
        instance,
        "1.2.840.10008.1.2.1",
        (IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION),
    )
    assert whole.startswith(head)
    assert whole[len(head) : len(head) + 2] == b"\x08\0"
