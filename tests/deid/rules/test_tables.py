from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_medlabel.deid.dicom.dataset import deidentify_dataset
from napari_medlabel.deid.dicom.file import clean_file, clean_parsed
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.deid.rules.tables import (
    are_numbers,
    hides_text,
    holds_word,
    is_table,
    reads_as_text,
)


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
        ("FD", b"51068887", True),
        ("UL", b"+4951068887 ", True),
        ("FL", b"51068887", True),
        ("SV", b"AB123456", True),
        ("US", "51068887".encode("utf-16-le"), True),
        ("UL", "51068887".encode("utf-32-le"), True),
        ("US", b"\1\0Quincyfo\0\0", True),
        ("FL", struct.pack("<2f", 20.25, 3.5), False),
        ("FL", b"3A+BkP6B", False),  # 42.81 and 45.54
        ("FD", b"Quz4kP6B", False),  # 9.6e10
        ("US", list(range(48, 58)), False),
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


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("OW", b"\1\2\0\0Kogukapu\0\0\0\0"),
        ("OB", bytes(100) + b"TINUBITU" + bytes(7)),
        ("OF", b"\1\2\0\0Bigifomo"),
        ("OL", b"\1\0\0\0" + "Quincy".encode("utf-32-le") + bytes(8)),
        ("OW", b"\1\0\2\0" + "Quincy".encode("utf-16-le") + bytes(4)),
        ("OW", b"\1\2\2\2" + "\0quincy".encode("utf-16-be") + b"\0\0\2\2"),
        ("OD", struct.pack("<d", 1.5) + b"51068887"),
        ("OB", np.arange(500_000, dtype="<u4").tobytes() + b"featherstone"),
    ],
)
def test_a_word_among_numbers_is_seen(vr, value):
    assert holds_word(vr, value)


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("OB", np.arange(500_000, dtype="<u4").tobytes() + b"Kogukapu"),  # chance makes such
        ("OW", np.array([95, 97, 98, 99, 98, 100, 97, 110], "<u2").tobytes()),  # up to a side
        ("OW", np.array([1, 99, 98, 99, 98, 100, 110, 900], "<u2").tobytes()),  # no vowel
        ("OW", np.array([1, 97, 98, 99, 100, 101, 110, 900], "<u2").tobytes()),
        ("OL", np.array([64, 97, 101, 98, 99, 98, 100, 97], "<u4").tobytes()),
        ("OW", np.repeat([97, 113, 101, 120, 99, 110, 98], 2).astype("u1").tobytes()),
        ("OB", b"BDGJNRUYXTRPMJGE"),  # a palette
        ("OB", b"PPPPPPPPPPXXXPPPPPPPHHHHH"),
        ("OF", b"KBABCGDAQXYA"),  # 12.14, 9.4 and so on
        ("OW", None),
        ("OW", b""),
    ],
)
def test_numbers_are_no_words(vr, value):
    assert not holds_word(vr, value)


@pytest.mark.parametrize("kind", ["<f4", "<f8", "<i2", "<u2"])
def test_measured_numbers_are_no_words(kind):
    random = np.random.default_rng(7)
    for spread in (0.5, 30.0, 3000.0):
        values = random.normal(0, spread, 100_000).astype(kind)
        vr = {"<f4": "OF", "<f8": "OD"}.get(kind, "OW")
        assert not holds_word(vr, values.tobytes())
        assert not any(
            hides_text("FL", pair.tobytes()) for pair in values[:2000].reshape(-1, 2)
        )


@pytest.mark.parametrize(
    ("tag", "vr", "value", "sound"),
    [
        (0x00280010, "US", b"\0\1", True),
        (0x00280010, "US", b"\0\1\0\1", False),  # one value
        (0x00281101, "US", struct.pack("<3H", 256, 0, 16), True),
        (0x00281101, "US", struct.pack("<4H", 256, 0, 16, 16), False),
        (0x00189220, "FD", "Zirepeta".encode("utf-16-le"), False),
        (0x00189220, "FD", [1.5, 2.5], False),
        (0x00280009, "AT", struct.pack("<2H", 0x18, 0x1063), True),
        (0x00186060, "FL", struct.pack("<40f", *range(40)), True),  # as many as one likes
        (0x00720069, "OB", b"Zirepeta", False),
        (0x00189999, "??", b"1234", True),
    ],
)
def test_numbers_are_as_many_as_an_attribute_has(tag, vr, value, sound):
    assert are_numbers(tag, vr, value) is sound


def test_a_number_that_spells_a_name_goes_from_a_file(ct, as_file, pseudonyms):
    source = ct()
    source.add_new(0x00189073, "FD", struct.unpack("<d", b"Tinubitu")[0])
    source.add_new(0x00181302, "IS", "3")
    source.add_new(0x00189220, "FD", 12.5)
    for whole in (clean_file, clean_parsed):
        content = whole(as_file(source), load_profile(), pseudonyms).content
        cleaned = dcmread(BytesIO(content))
        assert 0x00189073 not in cleaned
        assert cleaned[0x00189220].value == 12.5
