from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from pydicom.multival import MultiValue
from pydicom.uid import CTImageStorage

from napari_medlabel.deid.rules.actions import Attribute, Setting
from napari_medlabel.deid.rules.private import PrivateRule, is_safe_value, private_rules

STANDARD = Path(__file__).parents[4] / "shared" / "standard"


def held(value: object, found: str = "UN") -> Attribute:
    return Attribute(0x20011003, "", "UN", found=found, value=value, creator="M")


@pytest.fixture
def setting(pseudonyms):
    return Setting(pseudonyms, CTImageStorage, identity=frozenset({"Featherstone", "1234567"}))


@pytest.mark.skipif(not STANDARD.is_dir(), reason="../shared/standard is not here")
def test_every_row_of_the_table_is_a_rule():
    table = json.loads((STANDARD / "table_E.3.10-1_2026c.json").read_text("utf-8"))
    rules = private_rules("2026c")
    for tag, creator, vr, vm, _ in table["rows"]:
        rule = rules[int(tag[1:5], 16), int(tag[8:10], 16), creator]
        assert rule.vr == vr
        assert str(rule.fewest) == vm.split("-")[0]
        assert (rule.most is None) is vm.endswith("n")
    assert len(table["rows"]) == 479


@pytest.mark.parametrize(
    ("vr", "vm", "value", "found", "safe"),
    [
        ("FL", (1, 1), struct.pack("<f", 1.5), "UN", True),
        ("FL", (1, 1), struct.pack("<f", 1.5), "", True),
        ("FL", (1, 1), struct.pack("<f", 1.5), "FL", True),
        ("FL", (1, 1), struct.pack("<f", 1.5), "LO", False),
        ("FL", (1, 1), b"Feather", "UN", False),
        ("FL", (1, 1), b"Millicent Fe", "UN", False),
        ("FL", (0, None), b"", "UN", True),
        ("US", (2, 2), [1, 2], "US", True),
        ("US", (1, None), b"Featherstone", "US", False),
        ("US", (1, None), bytes(range(40)), "US", True),
        ("US", (2, 2), 1, "US", False),
        ("FD", (1, 1), None, "FD", True),
        ("US", (1, 1), object(), "US", False),
        ("DS", (3, 3), b"1.5\\2\\-3E4", "DS", True),
        ("DS", (3, 3), b"1.5\\2", "DS", False),
        ("DS", (1, 1), b"Featherstone", "UN", False),
        ("IS", (1, 1), b"1234567 ", "IS", False),
        ("IS", (1, 1), MultiValue(str, ["12"]), "IS", True),
        ("CS", (1, 1), b"AXIAL ", "CS", True),
        ("CS", (1, 1), b"QUINCY", "CS", False),
        ("CS", (1, 1), b"FEATHERSTONE", "CS", False),
        ("LO", (1, 1), b"left knee", "LO", True),
        ("LO", (1, 1), b"Quincy", "LO", False),
        ("LO", (1, 1), b"", "LO", True),
        ("SH", (1, 1), b"0.9375:1", "SH", True),
        ("ST", (1, 1), b"left\\right", "ST", True),
        ("OB", (1, 1), bytes(range(32)), "OB", True),
        ("OB", (1, 1), b"Millicent Featherstone", "OB", False),
        ("OB", (1, 1), b"\1\2Quincy\3", "OB", False),
        ("OB", (1, 1), "Quincy".encode("utf-16-le"), "OB", False),
        ("OW/OB", (1, 1), bytes(8), "OW", True),
        ("OW", (1, 1), list(b"Quincy Jack"), "OW", False),
        ("AS", (1, 1), b"042Y", "AS", False),
        ("", (1, 1), bytes(8), "FD", True),
        ("", (1, 1), bytes(8), "UN", False),
    ],
)
def test_a_value_passes_only_in_the_form_of_its_row(setting, vr, vm, value, found, safe):
    assert is_safe_value(PrivateRule(vr, *vm), held(value, found), setting) is safe
