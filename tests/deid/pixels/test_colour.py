from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataset import Dataset

from napari_medlabel.deid.pixels.colour import display_of
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.io.dicom.pixels.coding import Coding

GREY = Coding("", 2, 2, 1, 2, 0, "MONOCHROME2", 16, 12, 11, False, False)


def frames(*values: float):
    return lambda number: np.full((2, 2), values[number])


def black(coding: Coding, *values: float, is_rgb: bool | None = None, **header: object):
    ds = Dataset()
    for keyword, value in header.items():
        setattr(ds, keyword, value)
    return display_of(ds, coding, is_rgb=is_rgb).black(frames(*values))


def test_black_of_unsigned_grey_is_zero_and_of_monochrome1_the_highest_value():
    assert black(GREY) == (0.0,)
    assert black(replace(GREY, photometric="MONOCHROME1")) == (4095.0,)
    assert black(GREY, RescaleSlope="-1") == (4095.0,)


def test_black_of_signed_grey_is_the_darkest_value_of_the_image():
    signed = replace(GREY, signed=True)
    assert black(signed, -1024, 500) == (-1024.0,)
    assert black(signed, 7, 500) == (0.0,)
    assert black(replace(signed, photometric="MONOCHROME1"), -5, 900) == (900.0,)
    floats = replace(GREY, floats=True, allocated=32, stored=32, high_bit=31)
    assert black(floats, np.nan, -0.5) == (-0.5,)


@pytest.mark.parametrize(
    ("named", "is_rgb", "expected"),
    [
        ("RGB", None, (0, 0, 0)),
        ("YBR_FULL", None, (0, 128, 128)),
        ("YBR_FULL_422", False, (0, 128, 128)),
        ("YBR_FULL_422", True, (0, 0, 0)),
        ("YBR_PARTIAL_420", None, (16, 128, 128)),
        ("YBR_RCT", True, (0, 0, 0)),
        ("YBR_ICT", None, (0, 0, 0)),
    ],
)
def test_black_of_colours_is_as_they_are_coded(named, is_rgb, expected):
    coding = replace(GREY, samples=3, photometric=named, allocated=8, stored=8, high_bit=7)
    assert black(coding, is_rgb=is_rgb) == expected


def palette(entries: list[int], first: int = 0) -> dict[str, object]:
    made: dict[str, object] = {}
    for name in ("Red", "Green", "Blue"):
        made[f"{name}PaletteColorLookupTableDescriptor"] = [len(entries), first, 8]
        made[f"{name}PaletteColorLookupTableData"] = bytes(entries)
    return made


def test_black_of_a_palette_is_its_darkest_entry():
    coding = replace(GREY, photometric="PALETTE COLOR", allocated=8, stored=8, high_bit=7)
    assert black(coding, **palette([200, 100, 3, 90])) == (2.0,)
    assert black(coding, **palette([200, 100, 3, 90], first=10)) == (12.0,)
    assert black(replace(coding, stored=1), **palette([200, 100, 3, 90], first=10)) == (0.0,)
    assert black(replace(coding, stored=1), **palette([200, 100, 3, 90])) == (1.0,)
    with pytest.raises(QuarantineError, match="without a description"):
        black(coding)


def test_frames_are_shown_as_colours_or_as_their_values():
    values = np.arange(4, dtype=np.uint16).reshape(2, 2)
    assert display_of(Dataset(), GREY, is_rgb=None).shown(values) is values
    coding = replace(GREY, photometric="PALETTE COLOR", allocated=8, stored=8, high_bit=7)
    ds = Dataset()
    for keyword, value in palette([9, 8, 7, 6]).items():
        setattr(ds, keyword, value)
    shown = display_of(ds, coding, is_rgb=None).shown(values.astype(np.uint8))
    assert shown[0, 1].tolist() == [8, 8, 8]


@pytest.mark.parametrize(
    ("header", "window", "inverted"),
    [
        ({}, None, False),
        ({"WindowCenter": "40", "WindowWidth": "400"}, (-160, 240), False),
        (
            {
                "WindowCenter": ["40", "9"],
                "WindowWidth": ["400", "9"],
                "RescaleIntercept": "-1000",
                "RescaleSlope": "2",
            },
            (420, 620),
            False,
        ),
        (
            {"WindowCenter": "40", "WindowWidth": "400", "RescaleSlope": "-1"},
            (-240, 160),
            True,
        ),
        ({"WindowCenter": "40", "WindowWidth": "1"}, None, False),
        ({"WindowCenter": "", "WindowWidth": "400"}, None, False),
        ({"WindowCenter": "40", "WindowWidth": "400", "RescaleSlope": "0"}, (-160, 240), False),
    ],
)
def test_the_window_is_told_in_stored_values(header, window, inverted):
    ds = Dataset()
    for keyword, value in header.items():
        setattr(ds, keyword, value)
    tone = display_of(ds, GREY, is_rgb=None).tone
    assert tone.window == window
    assert tone.inverted is inverted


def test_a_window_that_is_no_number_is_left_out():
    ds = Dataset()
    ds[0x00281050] = _text(0x00281050)
    ds.WindowWidth = "400"
    assert display_of(ds, GREY, is_rgb=None).tone.window is None


def _text(tag: int):
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    return RawDataElement(Tag(tag), "DS", 4, b"wide", 0, False, True)
