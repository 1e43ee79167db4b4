from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID

from napari_medlabel.deid.pixels import frames_codec, frames_encode
from napari_medlabel.deid.pixels.fragments import clean_fragments, frames_in, item_of, shape_of
from napari_medlabel.deid.pixels.frames_codec import CompressedFrames, coding_from, frames_of
from napari_medlabel.deid.pixels.frames_encode import EncodeError, encoded_frame
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.io.dicom.pixels.codecs import CodeStream

imagecodecs = pytest.importorskip("imagecodecs")
Array = np.ndarray[Any, Any]
ROOT = "1.2.840.10008.1.2."
ROWS, COLUMNS = 40, 56


def header(frames: int = 1, **changed: object) -> Dataset:
    ds = Dataset()
    ds.Rows, ds.Columns, ds.NumberOfFrames = ROWS, COLUMNS, frames
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    for keyword, value in changed.items():
        setattr(ds, keyword, value)
    return ds


def deep(**changed: object) -> dict[str, object]:
    return {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, **changed}


def coloured(named: str = "RGB") -> dict[str, object]:
    return {"SamplesPerPixel": 3, "PhotometricInterpretation": named, "PlanarConfiguration": 0}


def picture(ds: Dataset, seed: int = 1) -> Array:
    rng = np.random.default_rng(seed)
    shape = (ROWS, COLUMNS, 3)[: 2 if ds.SamplesPerPixel == 1 else 3]
    low, high = 0, 1 << ds.BitsStored
    if ds.PixelRepresentation:
        low, high = -(high // 2), high // 2
    kind = f"{'i' if ds.PixelRepresentation else 'u'}{ds.BitsAllocated // 8}"
    return rng.integers(low, high, shape).astype(kind)


def rle(values: Array, _ds: Dataset) -> bytes:
    return encoded_frame(values, CodeStream("rle"), coding_from(_ds, UID(ROOT + "5"), 0))


def jls(values: Array, _ds: Dataset) -> bytes:
    return bytes(imagecodecs.jpegls_encode(values))


def j2k(values: Array, ds: Dataset) -> bytes:
    return bytes(
        imagecodecs.jpeg2k_encode(
            values, codecformat="j2k", reversible=True, bitspersample=int(ds.BitsStored)
        )
    )


def htj2k(values: Array, _ds: Dataset) -> bytes:
    return bytes(imagecodecs.htj2k_encode(values, reversible=True))


def jpeg(values: Array, ds: Dataset) -> bytes:
    space = {"colorspace": "RGB", "outcolorspace": "RGB"} if values.ndim == 3 else {}
    if str(ds.PhotometricInterpretation).startswith("YBR"):
        space = {"colorspace": "YCBCR", "outcolorspace": "YCBCR"}
    return bytes(
        imagecodecs.jpeg8_encode(
            values,
            lossless=True,
            predictor=1,
            bitspersample=int(ds.BitsStored),
            **(space | {"subsampling": "444"} if space else {}),
        )
    )


def encapsulated(codes: list[bytes], ds: Dataset) -> bytes:
    return clean_fragments(b"".join(map(item_of, (b"", *codes))), shape_of(ds))


def opened(codes: list[bytes], ds: Dataset, syntax: str) -> CompressedFrames:
    uid = UID(ROOT + syntax)
    frames = frames_of(encapsulated(codes, ds), coding_from(ds, uid, 0x7FE00010), uid)
    assert isinstance(frames, CompressedFrames)
    return frames


@pytest.mark.parametrize(
    ("syntax", "code", "changed"),
    [
        ("5", rle, {}),
        ("5", rle, deep(PixelRepresentation=1)),
        ("5", rle, coloured("YBR_FULL")),
        ("4.80", jls, {}),
        ("4.81", jls, deep()),
        ("4.80", jls, coloured()),
        ("4.90", j2k, deep()),
        ("4.90", j2k, deep(PixelRepresentation=1)),
        ("4.91", j2k, coloured("YBR_RCT")),
        ("4.201", htj2k, deep()),
        ("4.203", htj2k, coloured("YBR_RCT")),
        ("4.70", jpeg, deep()),
        ("4.57", jpeg, {}),
        ("4.70", jpeg, coloured()),
        ("4.70", jpeg, coloured("YBR_FULL")),
    ],
)
def test_frames_keep_their_coding_and_all_that_is_not_blanked(syntax, code, changed):
    ds = header(3, **changed)
    values = [picture(ds, seed) for seed in range(3)]
    frames = opened([code(one, ds) for one in values], ds, syntax)
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[3:9, 5:40] = True
    black = (-2048.0,) if ds.PixelRepresentation else (0.0, 128.0, 128.0)
    black = black[: ds.SamplesPerPixel]
    made = frames.blanked({1: mask}, black, ds)
    assert made.syntax == ROOT + syntax
    assert not made.attributes
    again = opened(list(frames_in(made.value)), ds, syntax)
    for number in (0, 2):
        assert list(frames_in(made.value))[number] == frames._codes[number]
        assert (again.frame(number) == values[number]).all()
    assert (again.frame(1)[~mask] == values[1][~mask]).all()
    assert (again.frame(1)[mask] == (black if values[1].ndim == 3 else black[0])).all()


@pytest.mark.parametrize("syntax", ["4.90", "4.70"])
def test_a_signed_image_in_an_unsigned_code_stream_stays_one(syntax):
    ds = header(1, **deep(PixelRepresentation=1))
    values = picture(ds)
    coders = {"4.90": j2k, "4.70": jpeg}
    frames = opened([coders[syntax](values.view("u2") & 0xFFF, ds)], ds, syntax)
    assert (frames.frame(0) == values).all()
    mask = np.eye(ROWS, COLUMNS, dtype=bool)
    made = frames.blanked({0: mask}, (-7.0,), ds)
    again = opened(list(frames_in(made.value)), ds, syntax).frame(0)
    assert (again[mask] == -7).all()
    assert (again[~mask] == values[~mask]).all()


def test_a_signed_image_whose_frames_become_jpeg_ls_keeps_its_values():
    ds = header(1, **deep(PixelRepresentation=1))
    values = picture(ds)
    coding = coding_from(ds, UID(ROOT + "4.80"), 0x7FE00010)
    made = encoded_frame(values, CodeStream("jpeg-ls", precision=12), coding)
    assert (opened([made], ds, "4.80").frame(0) == values).all()


def test_the_order_of_packets_is_no_longer_promised():
    ds = header()
    frames = opened([htj2k(picture(ds), ds)], ds, "4.202")
    mask = np.ones((ROWS, COLUMNS), bool)
    assert frames.blanked({0: mask}, (0.0,), ds).syntax == ROOT + "4.201"
    assert frames.blanked({}, (0.0,), ds).syntax == ROOT + "4.202"


def test_a_lossy_colour_transform_is_named_anew_when_all_frames_have_another():
    ds = header(2, **coloured("YBR_ICT"))
    lossy = [
        bytes(
            imagecodecs.jpeg2k_encode(picture(ds, n), 60, codecformat="j2k", reversible=False)
        )
        for n in range(2)
    ]
    frames = opened(lossy, ds, "4.91")
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[:4] = True
    one = frames.blanked({0: mask}, (0.0, 0.0, 0.0), ds)
    both = frames.blanked({0: mask, 1: mask}, (0.0, 0.0, 0.0), ds)
    assert not one.attributes
    assert both.attributes == {"PhotometricInterpretation": "YBR_RCT"}
    again = opened(list(frames_in(both.value)), ds, "4.91")
    assert (again.frame(1)[~mask] == frames.frame(1)[~mask]).all()


def lossy_jpeg(values: Array, **more: object) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(values, 85, **more))


def test_a_baseline_jpeg_stays_one_and_other_blocks_stay_bit_for_bit():
    ds = header()
    frames = opened([lossy_jpeg(picture(ds))], ds, "4.50")
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[3, 3] = True
    covered = frames.covered(0, mask)
    assert covered.sum() == 64
    made = frames.blanked({0: covered}, (0.0,), ds)
    again = opened(list(frames_in(made.value)), ds, "4.50").frame(0)
    assert made.syntax == ROOT + "4.50"
    assert (again[~covered] == frames.frame(0)[~covered]).all()
    assert again[covered].max() == 0
    assert not frames.softens
    assert not frames.covered(0, np.zeros_like(mask)).any()


@pytest.mark.parametrize("kind", ["grey", "rgb", "ybr"])
def test_where_single_pixels_are_meant_all_frames_become_lossless(kind):
    more = {} if kind == "grey" else coloured("RGB" if kind == "rgb" else "YBR_FULL_422")
    ds = header(2, **more)
    if kind == "grey":
        ds.LossyImageCompressionMethod = "ISO_10918_1"
    space = {"colorspace": "RGB", "outcolorspace": "RGB"} if kind == "rgb" else {}
    frames = opened([lossy_jpeg(picture(ds, n), **space) for n in range(2)], ds, "4.50")
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[3, 3] = True
    black = (0.0,) if kind == "grey" else (0.0, 128.0, 128.0)
    made = frames.blanked({1: mask}, black, ds, exact=True)
    assert made.syntax == ROOT + "4.80"
    assert made.attributes["LossyImageCompression"] == "01"
    assert ("LossyImageCompressionMethod" in made.attributes) is (kind != "grey")
    named = {"rgb": "RGB", "ybr": "YBR_FULL"}.get(kind)
    assert made.attributes.get("PhotometricInterpretation") == named
    coding = coding_from(ds, made.syntax, 0x7FE00010, made.attributes)
    again = frames_of(made.value, coding, made.syntax)
    assert (again.frame(0) == frames.frame(0)).all()
    assert (again.frame(1)[~mask] == frames.frame(1)[~mask]).all()
    assert frames.softens is (kind != "grey")


def test_colours_whose_name_holds_after_decoding_keep_it():
    ds = header(1, **coloured("YBR_FULL"))
    frames = opened([lossy_jpeg(picture(ds))], ds, "4.50")
    mask = np.ones((ROWS, COLUMNS), bool)
    made = frames.blanked({0: mask}, (0.0, 128.0, 128.0), ds, exact=True)
    assert made.attributes["PhotometricInterpretation"] == "YBR_FULL"


def test_a_jpeg_without_codes_for_black_becomes_lossless():
    ds = header()
    flat = np.full((ROWS, COLUMNS), 128, np.uint8)
    frames = opened([lossy_jpeg(flat, optimize=True)], ds, "4.50")
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[0, 0] = True
    assert frames.blanked({0: frames.covered(0, mask)}, (0.0,), ds).syntax == ROOT + "4.80"


def test_a_damaged_header_of_blocks_leaves_the_mask_as_it_is():
    ds = header()
    code = bytearray(lossy_jpeg(picture(ds)))
    frames = opened([bytes(code)], ds, "4.50")
    code[code.index(b"\xff\xda") + 5] = 9
    frames._codes[0] = bytes(code)
    mask = np.eye(ROWS, COLUMNS, dtype=bool)
    assert frames.covered(0, mask) is mask


def test_frames_that_no_codec_can_decode_are_refused(monkeypatch):
    ds = header()
    frames = opened([jls(picture(ds), ds)], ds, "4.80")
    frames._codes[0] = frames._codes[0][:60]
    with pytest.raises(QuarantineError, match="cannot be checked"):
        frames.frame(0)
    monkeypatch.setattr(frames_codec, "decode_frame", lambda *_: None)
    with pytest.raises(QuarantineError, match="cannot be checked"):
        frames.frame(0)


def test_frames_that_no_encoder_takes_are_refused(monkeypatch):
    ds = header()
    frames = opened([jls(picture(ds), ds)], ds, "4.80")

    def refuse(*_: object) -> bytes:
        raise EncodeError

    monkeypatch.setattr(frames_codec, "encoded_frame", refuse)
    with pytest.raises(QuarantineError, match="cannot be checked"):
        frames.blanked({0: np.ones((ROWS, COLUMNS), bool)}, (0.0,), ds)


@pytest.mark.parametrize(
    "changed",
    [{"BitsAllocated": 12}, {"HighBit": 8}, {"Rows": 0}, {"SamplesPerPixel": 2}],
)
def test_a_header_that_describes_no_pixels_is_refused(changed):
    with pytest.raises(QuarantineError, match="without a description"):
        coding_from(header(**changed), UID(ROOT + "1"), 0x7FE00010)


def test_floating_point_pixels_are_described_by_their_tag():
    coding = coding_from(header(), UID(ROOT + "1"), 0x7FE00008)
    assert (coding.floats, coding.allocated, coding.stored) == (True, 32, 32)


def test_native_bytes_in_words_are_swapped_in_big_endian():
    ds = header(Rows=1, Columns=2)
    uid = UID(ROOT + "2")
    coding = coding_from(ds, uid, 0x7FE00010)
    assert frames_of(b"\x01\x02", coding, uid, "OW").frame(0).tolist() == [[2, 1]]
    assert frames_of(b"\x01\x02", coding, uid, "OB").frame(0).tolist() == [[1, 2]]


def test_what_no_encoder_is_for_is_said(monkeypatch):
    ds = header()
    coding = coding_from(ds, UID(ROOT + "5"), 0x7FE00010)
    with pytest.raises(EncodeError):
        encoded_frame(np.zeros((4, 4), np.uint8), CodeStream("jpeg xl"), coding)
    with pytest.raises(EncodeError):
        encoded_frame(np.zeros((4, 4, 3), np.uint64), CodeStream("rle"), coding)
    with pytest.raises(EncodeError):
        encoded_frame(
            np.zeros((4, 4), np.float64), CodeStream("jpeg", 4, 4, 1, 16, True), coding
        )
    assert frames_encode.encoded_frame(
        np.zeros((4, 4), np.uint16), CodeStream("jpeg-ls", precision=8), coding
    )
