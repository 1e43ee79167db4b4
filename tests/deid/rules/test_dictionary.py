from __future__ import annotations

import pytest

from napari_medlabel.deid.rules.dictionary import UNKNOWN, entry


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (0x00100010, ("PatientName", "PN")),
        (0x0040B036, ("SegmentDefinitionDateTime", "DT")),
        (0x00091010, UNKNOWN),
        (0x0008ABCD, UNKNOWN),
    ],
)
def test_a_tag_has_its_keyword_and_vr(tag, expected):
    assert entry(tag) == expected


def test_every_row_of_the_table_is_in_the_dictionary(profile):
    missing = [tag for tag in profile.rules if tag >> 16 >= 8 and entry(tag) == UNKNOWN]
    assert missing == []
