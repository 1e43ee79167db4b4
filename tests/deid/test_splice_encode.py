from __future__ import annotations

import struct

import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_medlabel.deid.dicom_file import written
from napari_medlabel.deid.splice import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from napari_medlabel.deid.splice_bytes import OddError
from napari_medlabel.deid.splice_encode import encoded, file_head, packed, packed_text


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
        DataElement(0x00081030, "LO", "日本", validation_mode=0),
        DataElement(0x00280106, "US or SS", 3),
        DataElement(0x00280106, "US", "many", already_converted=True),
    ],
)
def test_what_cannot_be_written_is_odd(element):
    with pytest.raises(OddError):
        encoded(element, explicit=True)


@pytest.mark.parametrize("explicit", [True, False])
def test_elements_are_the_ones_that_pydicom_writes(explicit):
    item = Dataset()
    item.CodeValue = "X"
    for element, end in (
        (DataElement(0x00280010, "US", 512), struct.pack("<H", 512)),
        (DataElement(0x00200032, "DS", ["1.5", "-2", "3"]), b"1.5\\-2\\3"),
        (DataElement(0x00081140, "SQ", Sequence([item])), b"X "),
    ):
        assert encoded(element, explicit=explicit).endswith(end)


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
