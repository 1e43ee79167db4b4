from __future__ import annotations

import pytest

from napari_medlabel.deid.scan.dicom import _fault_of_text
from napari_medlabel.deid.scan.finding import Allowance, Sign
from napari_medlabel.deid.scan.walk import Form, Leaf

SEQUENCE, INSIDE = 0x00081115, 0x00400555


@pytest.mark.parametrize(
    ("kept", "vr", "sign"),
    [
        (set(), "LO", Sign.TEXT),
        ({SEQUENCE}, "LO", None),  # a rule of the site keeps the sequence with what is in it
        (set(), "OB", None),  # no text
    ],
)
def test_text_that_no_row_names_may_stay_in_what_a_rule_keeps(kept, vr, sign):
    value = b"rose garden by the old mill"
    leaf = Leaf((SEQUENCE, INSIDE), vr, 0, len(value), value, Form())
    allowance = Allowance(tags=frozenset(kept))
    assert _fault_of_text(leaf, vr, "Invented", [value.decode()], allowance) is sign
