from __future__ import annotations

import struct

import pytest
from pydicom.uid import CTImageStorage

from napari_medlabel.deid.dicom.icc import without_words
from napari_medlabel.deid.rules.actions import Attribute, Setting
from napari_medlabel.deid.rules.judge import Verdict, judge

XYZ = b"XYZ " + bytes(4) + struct.pack(">3I", 0x6FA2, 0x38F5, 0x0390)
CURVE = b"curv" + bytes(4) + struct.pack(">IH", 1, 0x0233)
MATRIX = b"sf32" + bytes(4) + struct.pack(">9i", *range(9))
TEXT = b"text" + bytes(4) + b"Copyright Jack Quincy\0"


def made(version: int = 2, kind: bytes = b"mntr", **tags: bytes) -> bytes:
    tags = tags or {"rXYZ": XYZ, "rTRC": CURVE, "chad": MATRIX, "cprt": TEXT}
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        at = 128 + 4 + 12 * len(tags) + len(body)
        table += name.encode() + struct.pack(">II", at, len(data))
        body += data
    head = bytes(4) + b"JQCO" + bytes((version, 0x20, 0, 0)) + kind + b"RGB XYZ "
    head += struct.pack(">6H", 1947, 3, 16, 1, 2, 3) + b"acsp" + b"Quincy's scanner".ljust(88)
    return head.ljust(128, b"\0") + table + body


def tags_of(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, 128)
    result = {}
    for number in range(count):
        name, at, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        result[name] = profile[at : at + size]
    return result


@pytest.mark.parametrize(("version", "kind"), [(2, b"desc"), (4, b"mluc")])
def test_numbers_stay_and_words_go(version, kind):
    source = made(version)
    result = without_words(source)
    assert struct.unpack(">I", result[:4]) == (len(result),)
    assert b"Quincy" not in result
    assert b"JQCO" not in result
    assert result[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    tags = tags_of(result)
    assert tags[b"rXYZ"] == XYZ
    assert tags[b"rTRC"] == CURVE
    assert tags[b"chad"] == MATRIX
    assert tags[b"desc"][:4] == kind
    assert without_words(result) == result


def test_what_lies_behind_a_tags_numbers_goes():
    result = without_words(
        made(rXYZ=XYZ + b"Jack", rTRC=CURVE + b"Jack", kTRC=b"para" + bytes(8))
    )
    assert tags_of(result)[b"rXYZ"] == XYZ
    assert tags_of(result)[b"rTRC"] == CURVE
    assert b"Jack" not in result


@pytest.mark.parametrize(
    "profile",
    [
        b"Quincy",
        made()[:128],
        made().replace(b"acsp", b"ACSP"),
        made(kind=b"jack"),
        made(rXYZ=b"text" + XYZ[4:]),
        made(quin=XYZ),
        made(A2B0=b"mft2" + bytes(4) + b"Jack Quincy, Radiologist of Elsewhere"),
        made(rXYZ=XYZ)[:140],
        made(rXYZ=XYZ)[:150],
    ],
)
def test_what_is_no_profile_or_speaks_is_refused(profile):
    assert without_words(profile) is None


@pytest.mark.parametrize(
    ("value", "found", "stays"),
    [(made(), "OB", True), (made(), "", True), (made(), "LO", False), ([1], "OB", False)],
)
def test_a_colour_profile_is_judged_by_its_content(pseudonyms, profile, value, found, stays):
    one = Attribute(0x00282000, "ICCProfile", "OB", (), found, value)
    verdict = judge(one, Setting(pseudonyms, CTImageStorage), profile)
    if stays:
        assert verdict.counted == "C"
        assert verdict.element.value == without_words(made())
    else:
        assert verdict == Verdict("unknown")
