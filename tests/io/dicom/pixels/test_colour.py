"""Colours of every kind, and the brightness that stands for them."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.colour import NARROWED, from_ybr
from napari_medlabel.io.voxels import brightness
from tests.io.coded import JPEG, RLE, filled, grey, pattern, rle, save

RGB = np.random.default_rng(7).integers(0, 256, (2, 6, 8, 3), dtype=np.uint8)


def to_ybr(rgb: np.ndarray) -> np.ndarray:
    """PS3.3 C.7.6.3.1.2, written again."""
    matrix = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
    ybr = rgb.astype(float) @ np.array(matrix).T + [0, 128, 128]
    return np.clip(np.rint(ybr), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("planar", [0, 1])
def test_rgb_is_kept_and_the_array_is_its_brightness(tmp_path, planar):
    ds = grey(RGB, PlanarConfiguration=planar)
    if planar:
        ds.PixelData = np.ascontiguousarray(np.moveaxis(RGB, 3, 1)).tobytes()
    result = filled(save(ds, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(result.colour, RGB)
    np.testing.assert_array_equal(result.array[0], brightness(RGB))
    luma = np.rint(RGB @ np.array([0.299, 0.587, 0.114]))
    assert np.abs(result.array[0].astype(float) - luma).max() <= 1
    assert result.quantity == ""


def test_ybr_becomes_rgb(tmp_path):
    ds = grey(to_ybr(RGB), PhotometricInterpretation="YBR_FULL")
    colour = filled(save(ds, tmp_path / "a.dcm")).colour
    assert np.abs(colour.astype(int) - RGB).max() <= 2


def test_grey_survives_the_conversion_exactly():
    levels = np.arange(256, dtype=np.uint8)
    ybr = np.stack([levels, np.full(256, 128, np.uint8), np.full(256, 128, np.uint8)], axis=1)
    np.testing.assert_array_equal(from_ybr(ybr), np.stack([levels] * 3, axis=1))


def test_neighbours_share_their_colour_in_422(tmp_path):
    pairs = np.repeat(RGB[:, :, ::2], 2, axis=2)
    ybr = to_ybr(pairs)
    halved = np.stack(
        [ybr[:, :, ::2, 0], ybr[:, :, 1::2, 0], ybr[:, :, ::2, 1], ybr[:, :, ::2, 2]], axis=3
    )
    ds = grey(RGB, PhotometricInterpretation="YBR_FULL_422")
    ds.PixelData = halved.tobytes()
    colour = filled(save(ds, tmp_path / "a.dcm")).colour
    assert np.abs(colour.astype(int) - pairs).max() <= 2


def test_422_in_name_only_is_read_with_all_its_samples(tmp_path):
    ds = grey(to_ybr(RGB), PhotometricInterpretation="YBR_FULL_422")
    result = filled(save(ds, tmp_path / "a.dcm"))
    assert np.abs(result.colour.astype(int) - RGB).max() <= 2
    assert result.warnings == ()


@pytest.mark.parametrize("kind", ["RGB", "YBR_FULL"])
def test_run_lengths_are_converted_by_the_header(tmp_path, kind):
    stored = RGB if kind == "RGB" else to_ybr(RGB)
    ds = grey(stored, syntax=RLE, codes=[rle(one) for one in stored])
    ds.PhotometricInterpretation = kind
    colour = filled(save(ds, tmp_path / "a.dcm")).colour
    assert np.abs(colour.astype(int) - RGB).max() <= (0 if kind == "RGB" else 2)


@pytest.mark.parametrize("said", ["RGB", "YBR_FULL_422"])
@pytest.mark.parametrize("really", ["RGB", "YCBCR"])
def test_a_jpeg_that_says_how_it_is_coded_is_believed(tmp_path, said, really):
    import imagecodecs

    smooth = np.repeat(np.repeat(RGB[:1, ::3, ::4], 16, axis=1), 16, axis=2)
    code = imagecodecs.jpeg8_encode(
        smooth[0], level=100, colorspace="RGB", outcolorspace=really, subsampling="444"
    )
    ds = grey(smooth, syntax=JPEG + "50", codes=[bytes(code)], PhotometricInterpretation=said)
    colour = filled(save(ds, tmp_path / "a.dcm")).colour
    assert np.abs(colour.astype(int) - smooth).max() <= 4


@pytest.mark.parametrize(
    ("said", "mct"), [("YBR_RCT", True), ("RGB", False), ("YBR_FULL", False)]
)
def test_jpeg_2000_colours(tmp_path, said, mct):
    import imagecodecs

    smooth = np.repeat(np.repeat(RGB[:1], 4, axis=1), 4, axis=2)
    source = to_ybr(smooth) if said == "YBR_FULL" else smooth
    code = imagecodecs.jpeg2k_encode(source[0], reversible=True, codecformat="J2K", mct=mct)
    ds = grey(smooth, syntax=JPEG + "90", codes=[bytes(code)], PhotometricInterpretation=said)
    colour = filled(save(ds, tmp_path / "a.dcm")).colour
    assert np.abs(colour.astype(int) - smooth).max() <= (2 if said == "YBR_FULL" else 0)


def test_16_bits_a_channel_become_8_with_a_warning(tmp_path):
    wide = RGB.astype(np.uint16) * 257
    result = filled(save(grey(wide), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(result.colour, RGB)
    assert result.warnings == (NARROWED,)


def palette(indices: np.ndarray, entries: np.ndarray, *, first: int = 0, bits: int = 16):
    ds = grey(indices, PhotometricInterpretation="PALETTE COLOR")
    for channel, name in enumerate(("Red", "Green", "Blue")):
        descriptor = [len(entries) % 65536, first, bits]
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", descriptor)
        column = entries[:, channel]
        raw = column.astype("<u2") * (257 if bits == 16 else 1)
        data = raw.tobytes() if bits == 16 else column.tobytes()
        setattr(ds, f"{name}PaletteColorLookupTableData", data + b"\0" * (len(data) % 2))
    return ds


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("first", [0, 3])
def test_palettes_with_any_first_value(tmp_path, bits, first):
    entries = np.random.default_rng(3).integers(0, 256, (10, 3), dtype=np.uint8)
    indices = np.arange(20, dtype=np.uint8).reshape(1, 4, 5)
    ds = palette(indices, entries, first=first, bits=bits)
    result = filled(save(ds, tmp_path / "a.dcm"))
    truth = entries[np.clip(indices.astype(int) - first, 0, 9)]
    np.testing.assert_array_equal(result.colour, truth)
    np.testing.assert_array_equal(result.array[0], brightness(truth))
    assert result.warnings == ()


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_in_a_big_endian_file(tmp_path, bits):
    entries = np.random.default_rng(3).integers(0, 256, (10, 3), dtype=np.uint8)
    indices = np.arange(10, dtype=np.uint8).reshape(1, 2, 5)
    ds = palette(indices, entries, bits=bits)
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.2"
    swapped = ("RedP", "GreenP", "BlueP")
    for name in (*(f"{one}aletteColorLookupTableData" for one in swapped), "PixelData"):
        words = np.frombuffer(getattr(ds, name), np.uint16).byteswap()
        setattr(ds, name, words.tobytes())
        ds[name].VR = "OW"
    colour = filled(save(ds, tmp_path / "a.dcm")).colour
    np.testing.assert_array_equal(colour, entries[indices])


def test_a_segmented_palette_is_unfolded(tmp_path):
    ds = palette(np.arange(12, dtype=np.uint8).reshape(1, 3, 4), np.zeros((12, 3), np.uint8))
    # two discrete entries, a line of four, the first segment again, a line of four
    words = [0, 2, 256, 512, 1, 4, 4096 + 512, 2, 1, 0, 0, 1, 4, 512]
    for name in ("Red", "Green", "Blue"):
        delattr(ds, f"{name}PaletteColorLookupTableData")
        setattr(
            ds,
            f"Segmented{name}PaletteColorLookupTableData",
            struct.pack(f"<{len(words)}H", *words),
        )
    colour = filled(save(ds, tmp_path / "a.dcm")).colour
    truth = [1, 2, 6, 10, 14, 18, 1, 2, 2, 2, 2, 2]
    np.testing.assert_array_equal(colour[0, :, :, 0].ravel(), truth)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([0, 2, 1, 2], "shorter"),
        ([0, 13, *range(13)], "longer"),
        ([1, 4, 9], "unknown kind or cut off"),
        ([0, 2, 1, 2, 2, 1, 2, 0], "does not exist"),
        ([0, 2, 1, 2, 7, 1, 2], "unknown kind or cut off"),
    ],
)
def test_a_damaged_segmented_palette_is_refused(tmp_path, words, reason):
    ds = palette(np.zeros((1, 3, 4), np.uint8), np.zeros((12, 3), np.uint8))
    for name in ("Red", "Green", "Blue"):
        delattr(ds, f"{name}PaletteColorLookupTableData")
        data = struct.pack(f"<{len(words)}H", *words)
        setattr(ds, f"Segmented{name}PaletteColorLookupTableData", data)
    with pytest.raises(InputError, match=reason):
        filled(save(ds, tmp_path / "a.dcm"))


def test_a_palette_without_tables_is_refused(tmp_path):
    ds = grey(np.zeros((1, 3, 4), np.uint8), PhotometricInterpretation="PALETTE COLOR")
    with pytest.raises(InputError, match="no descriptor"):
        filled(save(ds, tmp_path / "a.dcm"))


def test_a_short_palette_is_refused(tmp_path):
    ds = palette(np.zeros((1, 3, 4), np.uint8), np.zeros((12, 3), np.uint8))
    ds.RedPaletteColorLookupTableData = b"\0" * 10
    with pytest.raises(InputError, match="shorter"):
        filled(save(ds, tmp_path / "a.dcm"))


def test_monochrome1_keeps_its_values(tmp_path):
    stored = pattern((1, 5, 4), "u2")
    ds = grey(stored, PhotometricInterpretation="MONOCHROME1")
    result = filled(save(ds, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(result.array[0], stored)
    assert result.colour is None
