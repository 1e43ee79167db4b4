from __future__ import annotations

import struct

import pytest

from napari_medlabel.deid.dicom.elements import OddError
from napari_medlabel.deid.dicom.pixel_facts import deciding_in, looked_at
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason

PIXELS = 0x7FE00010
PLAIN = {
    0x00080016: (b"UI", b"1.2.840.10008.5.1.4.1.1.2\0"),
    0x00080060: (b"CS", b"CT"),
    0x00280010: (b"US", b"\2\0"),
    0x00280011: (b"US", b"\3\0"),
    0x00280100: (b"US", b"\x10\0"),
}


def elements(**changed):
    each = {**PLAIN, **{int(tag, 16): one for tag, one in changed.items()}}
    return tuple(
        (tag, vr, struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value, 8)
        for tag, (vr, value) in sorted(each.items())
    )


def test_native_pixels_have_the_length_of_their_description():
    assert looked_at(elements(), PIXELS, encapsulated=False).length == 12
    three = elements(**{"00280008": (b"IS", b"3 "), "00280002": (b"UN", b"\1\0")})
    assert looked_at(three, PIXELS, encapsulated=False).length == 36


def test_compressed_pixels_have_a_shape():
    shape = looked_at(elements(), PIXELS, encapsulated=True).shape
    assert (shape.frames, shape.planes, shape.plane_size) == (1, 2, 6)


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        ("00280010", b"US", b"\1\0\2\0"),
        ("00280010", b"LO", b"12"),
        ("00080060", b"US", b"CT"),
    ],
)
def test_values_that_are_not_what_their_vr_says_are_left_to_the_parser(tag, vr, value):
    with pytest.raises(OddError):
        looked_at(elements(**{tag: (vr, value)}), PIXELS, encapsulated=False)


def test_a_number_without_a_value_is_none(pseudonyms):
    with pytest.raises(QuarantineError) as refused:
        looked_at(elements(**{"00280010": (b"US", b"")}), PIXELS, encapsulated=False)
    assert refused.value.reason is Reason.PIXELS_UNDESCRIBED


def test_several_values_of_one_attribute_count_each():
    kinds = {"00080008": (b"CS", b"DERIVED\\SCREEN SAVE\\X ")}
    with pytest.raises(QuarantineError) as refused:
        looked_at(elements(**kinds), PIXELS, encapsulated=False)
    assert refused.value.reason is Reason.PIXELS_MAY_SHOW


def test_overlays_are_looked_at_wherever_they_stand():
    overlay = (0x60020102, b"US", b"", 8)
    other = (0x60020010, b"US", b"", 8)
    assert deciding_in({other[0]: other, overlay[0]: overlay}) == (overlay,)
    with pytest.raises(QuarantineError) as refused:
        looked_at((*elements(), overlay), PIXELS, encapsulated=False)
    assert refused.value.reason is Reason.OVERLAY_IN_PIXELS
