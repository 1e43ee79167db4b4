from __future__ import annotations

import struct

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_medlabel.deid.dicom.dataset import deidentify_dataset
from napari_medlabel.deid.rules.tables import hides_text, is_table, reads_as_text


@pytest.mark.parametrize(
    ("keyword", "table"),
    [
        ("LUTData", True),
        ("SegmentedRedPaletteColorLookupTableData", True),
        ("WaveformData", False),
    ],
)
def test_tables_are_known_by_keyword(keyword, table):
    assert is_table(keyword) is table


@pytest.mark.parametrize(
    "value",
    [
        b"Millicent Featherstone",
        bytes(512) + b"Featherstone, M. 1947" + bytes(100),
        "Abernathy-Beauregard".encode("utf-16-le"),
        list(np.frombuffer(b"Millicent Featherstone", "<u2")),
    ],
)
def test_names_in_a_table_are_text(value):
    assert reads_as_text(value)


def test_a_number_alone_and_short_words_are_no_text():
    assert not reads_as_text(4711)
    assert not reads_as_text(b"Lee 1234 5678 90")


@pytest.mark.parametrize("step", [1, 2, 3, 7, 16, 17, 100, 256, 257])
@pytest.mark.parametrize("way", [1, -1])
def test_ramps_of_any_step_are_no_text(step, way):
    ramp = (np.arange(0, 65536, step) * way).astype("<u2")
    assert not reads_as_text(ramp.tobytes())
    assert not reads_as_text(list(ramp[:1000]))
    assert not reads_as_text(ramp.astype("u1").tobytes())


def test_curves_and_palettes_are_no_text():
    x = np.linspace(0, 1, 256)
    for curve in (x**2, 1 / (1 + np.exp(-12 * (x - 0.5))), np.sin(6 * x) ** 2, x > 0.4):
        assert not reads_as_text((curve * 255).astype("u1").tobytes())
        assert not reads_as_text((curve * 4095).astype("<u2").tobytes())
        assert not reads_as_text((curve * 65535).astype("<u2").tobytes())


@pytest.mark.parametrize("vr", ["OW", "US"])
def test_a_table_that_holds_text_is_removed(ct, profile, pseudonyms, vr):
    text = b"Abernathy, Beauregard!  "
    lut = Dataset()
    lut.add_new(0x00283006, vr, text if vr == "OW" else list(memoryview(text).cast("H")))
    cleaned, _ = deidentify_dataset(
        ct(ModalityLUTSequence=Sequence([lut])), profile, pseudonyms
    )
    assert "LUTData" not in cleaned.ModalityLUTSequence[0]


@pytest.mark.parametrize(
    ("vr", "value", "hidden"),
    [
        ("US", b"Quincy", True),
        ("US", b"Featherstone^Millicent", True),
        ("US", [ord(letter) for letter in "Quincy"], True),
        ("US", [0x7551, 0x6E69, 0x7963], True),
        ("FD", b"Quincy^J", True),
        ("FD", list(struct.unpack("<2d", b"Featherstone^Mil")), True),
        ("AT", [0x6551756E, 0x79637A69], True),
        ("US", b"Quin", False),
        ("US", 512, False),
        ("US", list(range(60, 120)), False),
        ("FD", [0.6, -1.25, 1e-9], False),
        ("UL", [70_000, 80_000, 90_000, 100_000], False),
        ("AT", 0x00181063, False),
        ("OW", ["nothing"], False),
        ("US", ["many"], False),
        ("US", None, False),
    ],
)
def test_text_in_the_clothes_of_numbers_is_seen(vr, value, hidden):
    assert hides_text(vr, value) is hidden
