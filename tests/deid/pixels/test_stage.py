from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from napari_medlabel.deid.batch.folder import deidentify_folder, preview_folder
from napari_medlabel.deid.dicom.file import clean_file, write_clean
from napari_medlabel.deid.pixels import clean_pixels
from napari_medlabel.deid.pixels import stage as pixel_stage
from napari_medlabel.deid.pixels.fragments import frames_in, item_of
from napari_medlabel.deid.pixels.stage import STALE, clean_pixel_element
from napari_medlabel.deid.pixels.text_boxes import Found
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Look, Note
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.errors import MissingPackageError

imagecodecs = pytest.importorskip("imagecodecs")
ROOT = "1.2.840.10008.5.1.4.1.1."
ROWS, COLUMNS = 48, 64
PLACE = (slice(8, 14), slice(10, 40))
TEXT, FACES = frozenset({Option.CLEAN_PIXELS}), frozenset({Option.CLEAN_FACES})
EXPLICIT = UID("1.2.840.10008.1.2.1")
Array = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def finder(monkeypatch):
    """A detector that takes the brightest value for text; where the extra is not needed."""
    found = {"unsure": 0}

    def find(picture: Array, *_: object, **__: object) -> Found:
        grey = picture if picture.ndim == 2 else picture.max(axis=2)
        mask = np.zeros(grey.shape, bool)
        if grey.shape == (ROWS, COLUMNS) and (grey[PLACE] >= 240).mean() > 0.5:
            mask[PLACE] = True
        return Found(mask, int(mask.any()), found["unsure"])

    monkeypatch.setattr(clean_pixels, "find_text", find)
    monkeypatch.setattr(pixel_stage, "require_detector", lambda: None)
    return found


def values(frames: int = 1, *, text: tuple[int, ...] = (0,)) -> Array:
    made = np.random.default_rng(2).integers(20, 90, (frames, ROWS, COLUMNS)).astype(np.uint8)
    made[:, -1, -1] = 255
    for number in text:
        made[number][PLACE] = 255
    return made


@pytest.fixture
def us(ct):
    """An ultrasound clip of native grey values."""

    def make(pixels: Array, **changed: object) -> Dataset:
        ds = ct(
            SOPClassUID=ROOT + "6.1",
            Modality="US",
            Rows=ROWS,
            Columns=COLUMNS,
            NumberOfFrames=len(pixels),
            BitsAllocated=8,
            BitsStored=8,
            HighBit=7,
            BurnedInAnnotation="YES",
            PixelData=pixels.tobytes(),
        )
        ds["PixelData"].VR = "OB"
        for keyword, value in changed.items():
            setattr(ds, keyword, value)
        return ds

    return make


@pytest.fixture
def cleaning():
    return load_profile(options=TEXT)


def again(content: bytes) -> Dataset:
    return dcmread(BytesIO(content))


def test_text_is_black_and_marked_and_a_person_is_asked(us, as_file, cleaning, pseudonyms):
    source = values()
    made = clean_file(as_file(us(source)), cleaning, pseudonyms)
    result = again(made.content)
    after = np.frombuffer(result.PixelData, np.uint8).reshape(source.shape)
    outside = np.ones((ROWS, COLUMNS), bool)
    outside[PLACE] = False
    assert (after[0][PLACE] == 0).all()
    assert (after[0][outside] == source[0][outside]).all()
    assert result.BurnedInAnnotation == "NO"
    codes = [item.CodeValue for item in result.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101"]
    work = made.report.pixels
    assert work is not None
    assert (work.done, work.frames, work.changed) == (TEXT, 1, 1)
    assert work.regions == {"text": 1}
    assert work.look == {Look.ULTRASOUND}


def test_without_the_option_the_image_stays_behind(us, as_file, profile, pseudonyms):
    with pytest.raises(QuarantineError, match="pixels may show identity"):
        clean_file(as_file(us(values())), profile, pseudonyms)


def test_where_nothing_is_found_the_pixels_are_the_same_bytes(
    ct, as_file, cleaning, profile, pseudonyms
):
    content = as_file(ct())
    with_it = again(clean_file(content, cleaning, pseudonyms).content)
    without = again(clean_file(content, profile, pseudonyms).content)
    assert with_it.PixelData == without.PixelData
    assert with_it.BurnedInAnnotation == "NO"
    assert "BurnedInAnnotation" not in without


def test_a_file_without_pixels_is_not_marked(ct, as_file, cleaning, pseudonyms):
    source = ct(SOPClassUID="1.2.840.10008.5.1.4.1.1.66.1", Modality="REG")
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated"):
        delattr(source, keyword)
    made = clean_file(as_file(source), cleaning, pseudonyms)
    assert made.report.pixels is None
    assert "BurnedInAnnotation" not in again(made.content)


def test_a_file_on_the_disk_is_cleaned_the_same_way(
    us, as_file, cleaning, pseudonyms, tmp_path
):
    content = as_file(us(values()))
    (tmp_path / "a").write_bytes(content)
    written = write_clean(tmp_path / "a", tmp_path / "b", cleaning, pseudonyms)
    assert (tmp_path / "b").read_bytes() == clean_file(content, cleaning, pseudonyms).content
    assert written.report.pixels is not None


def test_without_the_extra_nothing_is_written(
    us, as_file, cleaning, pseudonyms, tmp_path, monkeypatch
):
    def missing() -> None:
        raise MissingPackageError("not installed", hint="Install it with: [pixels]")

    monkeypatch.setattr(pixel_stage, "require_detector", missing)
    (tmp_path / "a").write_bytes(as_file(us(values())))
    with pytest.raises(MissingPackageError, match="not installed"):
        write_clean(tmp_path / "a", tmp_path / "b", cleaning, pseudonyms)
    assert not (tmp_path / "b").exists()


def test_stale_extremes_and_icons_go(us, as_file, cleaning, pseudonyms):
    icon = Dataset()
    icon.Rows = icon.Columns = 2
    icon.BitsAllocated = 8
    icon.PixelData = b"\xff\xff\xff\xff"
    extremes = dict.fromkeys(STALE, 255)
    source = us(values(), IconImageSequence=[icon], **extremes)
    result = again(clean_file(as_file(source), cleaning, pseudonyms).content)
    assert not any(keyword in result for keyword in (*STALE, "IconImageSequence"))


def test_only_what_the_scan_shows_stays(us):
    region = Dataset()
    region.RegionSpatialFormat = 1
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 20, 20
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 49, 39
    source = us(values(), SequenceOfUltrasoundRegions=[region])
    made = clean_pixel_element(source, EXPLICIT, TEXT)
    after = np.frombuffer(made.element.value, np.uint8).reshape(ROWS, COLUMNS)
    assert after[20:40, 20:50].min() >= 20
    assert after.sum() == after[20:40, 20:50].sum()
    assert made.work.regions == {"ultrasound regions": 1}


def test_what_says_that_it_has_text_and_shows_none_is_looked_at(ct):
    made = clean_pixel_element(ct(BurnedInAnnotation="YES"), EXPLICIT, TEXT)
    assert made.work.look == {Look.LOW_CONTRAST}
    assert not clean_pixel_element(ct(), EXPLICIT, TEXT).work.look


def test_what_may_be_text_is_looked_at(ct, finder):
    finder["unsure"] = 1
    strokes = np.zeros((40, 50), "<u2")
    strokes[10:30, 5:45:5] = 2000
    source = ct(Rows=40, Columns=50, PixelData=strokes.tobytes())
    assert clean_pixel_element(source, EXPLICIT, TEXT).work.look == {Look.LOW_CONTRAST}


def encapsulated(codes: list[bytes]) -> bytes:
    return b"".join(map(item_of, (b"", *codes))) + b"\xfe\xff\xdd\xe0\0\0\0\0"


def compressed(ds: Dataset, codes: list[bytes]) -> Dataset:
    ds.PixelData = encapsulated(codes)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return ds


def test_frames_without_text_keep_their_bytes(us):
    pixels = values(3, text=(1,))
    codes = [bytes(imagecodecs.jpegls_encode(frame)) for frame in pixels]
    source = compressed(us(pixels), codes)
    plain = list(frames_in(source.PixelData))
    made = clean_pixel_element(source, UID(JPEGLSLossless), TEXT)
    frames = list(frames_in(made.element.value))
    decoded = [imagecodecs.jpegls_decode(frame) for frame in frames]
    assert (decoded[0] == pixels[0]).all()
    assert (decoded[1][PLACE] == 0).all()
    assert len(frames) == len(plain) == 3
    assert made.syntax == JPEGLSLossless
    assert made.work.changed == 1
    assert made.element.is_undefined_length


@pytest.mark.parametrize("sampling", ["444", "420"])
def test_a_lossy_photograph_stays_lossy_and_loses_no_more(
    us, as_file, cleaning, pseudonyms, sampling
):
    grey = values()[0]
    colour = np.stack((grey, grey // 2, grey // 3), axis=2)
    colour[PLACE] = 255
    code = bytes(imagecodecs.jpeg8_encode(colour, 95, subsampling=sampling))
    source = us(
        colour[None],
        SamplesPerPixel=3,
        PhotometricInterpretation="YBR_FULL_422",
        PlanarConfiguration=0,
        LossyImageCompression="01",
    )
    made = clean_file(
        as_file(compressed(source, [code]), JPEGBaseline8Bit), cleaning, pseudonyms
    )
    result = again(made.content)
    assert result.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert result.LossyImageCompression == "01"
    (frame,) = frames_in(result.PixelData)
    before, after = imagecodecs.jpeg8_decode(code), imagecodecs.jpeg8_decode(frame)
    assert after[PLACE].max() == 0
    assert (after[34:] == before[34:]).all()


def test_colours_by_a_palette_turn_to_their_darkest_entry(us):
    pixels = values()
    table = {"Descriptor": [256, 0, 8], "Data": bytes(range(255, -1, -1))}
    tables = {
        f"{name}PaletteColorLookupTable{part}": value
        for name in ("Red", "Green", "Blue")
        for part, value in table.items()
    }
    source = us(255 - pixels, PhotometricInterpretation="PALETTE COLOR", **tables)
    made = clean_pixel_element(source, EXPLICIT, TEXT)
    after = np.frombuffer(made.element.value, np.uint8).reshape(ROWS, COLUMNS)
    assert (after[PLACE] == 255).all()


def test_a_clip_that_is_cleaned_again_changes_no_more(us):
    pixels = values(9, text=tuple(range(9)))
    first = clean_pixel_element(us(pixels), EXPLICIT, TEXT)
    assert first.work.changed == 9
    after = np.frombuffer(first.element.value, np.uint8).reshape(pixels.shape)
    second = clean_pixel_element(us(after), EXPLICIT, TEXT)
    assert second.work.changed == 0
    assert second.element.value == first.element.value


def test_black_that_is_black_already_is_no_change(us):
    pixels = np.zeros((1, ROWS, COLUMNS), np.uint8)
    region = Dataset()
    region.RegionSpatialFormat = 1
    region.RegionLocationMinX0 = region.RegionLocationMinY0 = 20
    region.RegionLocationMaxX1 = region.RegionLocationMaxY1 = 39
    made = clean_pixel_element(us(pixels, SequenceOfUltrasoundRegions=[region]), EXPLICIT, TEXT)
    assert made.work.changed == 0


def test_two_kinds_of_pixels_at_once_are_refused(ct):
    source = ct(FloatPixelData=np.zeros(24, "<f4").tobytes())
    with pytest.raises(QuarantineError, match="cannot be checked"):
        clean_pixel_element(source, EXPLICIT, TEXT)


def test_what_does_not_decode_to_what_it_should_is_refused(us, monkeypatch):
    class Wrong(pixel_stage.NativeFrames):
        def blanked(self, masks, black):
            return bytes(len(self._value))

    def frames(value, coding, *_: object):
        return Wrong(value, coding)

    monkeypatch.setattr(pixel_stage, "frames_of", frames)
    with pytest.raises(QuarantineError, match="cannot be checked"):
        clean_pixel_element(us(values()), EXPLICIT, TEXT)


class Store:
    """The faces of a batch of one instance."""

    def __init__(self, verdict: str, mask: Array | None) -> None:
        self.verdict, self.mask = verdict, mask

    def verdict_for(self, _uid: str, /) -> str:
        return self.verdict

    def masks_for(self, _uid: str, /) -> Array | None:
        return self.mask


def nose(frames: int = 1) -> Array:
    mask = np.zeros((frames, 4, 6), bool)
    mask[:, 0, 1:3] = True
    return mask


def test_a_face_becomes_air_and_is_marked(ct, as_file, pseudonyms):
    source = ct(BodyPartExamined="HEAD")
    profile = load_profile(options=FACES)
    made = clean_file(as_file(source), profile, pseudonyms, faces=Store("done", nose()))
    result = again(made.content)
    after = np.frombuffer(result.PixelData, "<u2").reshape(4, 6)
    before = np.frombuffer(source.PixelData, "<u2").reshape(4, 6)
    assert after[0, 1:3].tolist() == [24, 24]  # -1000 HU
    assert (after[1:] == before[1:]).all()
    assert result.RecognizableVisualFeatures == "NO"
    assert "BurnedInAnnotation" not in result
    assert made.report.pixels.regions == {"face": 1}
    assert made.report.pixels.look == {Look.FACE}
    assert Note.FACE not in made.report.notes


def test_a_face_and_text_go_together(ct):
    options = TEXT | FACES
    source = ct(RecognizableVisualFeatures="YES")
    made = clean_pixel_element(source, EXPLICIT, options, Store("done", nose()))
    assert made.work.done == options


def test_a_slice_without_any_of_the_face_is_not_rewritten(ct):
    source = ct()
    store = Store("done", np.zeros((1, 4, 6), bool))
    made = clean_pixel_element(source, EXPLICIT, FACES, store)
    assert made.element.value == source.PixelData
    assert made.work.changed == 0
    assert made.work.done == FACES


def test_what_is_no_head_goes_on_as_without_the_option(ct, as_file, pseudonyms):
    profile = load_profile(options=FACES)
    for store in (Store("not a head", None), None):
        made = clean_file(as_file(ct()), profile, pseudonyms, faces=store)
        assert made.report.pixels is None
        assert "RecognizableVisualFeatures" not in again(made.content)


def test_a_doubtful_face_stays_behind(ct):
    with pytest.raises(QuarantineError, match="face could not be removed"):
        clean_pixel_element(ct(), EXPLICIT, FACES, Store("unsure", None))


@pytest.mark.parametrize("frames", [2, 1])
def test_a_face_of_another_grid_or_in_colours_is_refused(ct, us, frames):
    source = ct()
    if frames == 1:
        source = us(np.zeros((3, ROWS, COLUMNS), np.uint8), NumberOfFrames=1, SamplesPerPixel=3)
    with pytest.raises(QuarantineError, match="face could not be removed"):
        clean_pixel_element(source, EXPLICIT, FACES, Store("done", nose(frames)))


def test_a_face_in_a_lossy_image_is_cut_to_the_pixel(us):
    pixels = values(text=())
    code = bytes(imagecodecs.jpeg8_encode(pixels[0], 90))
    source = compressed(us(pixels), [code])
    mask = np.zeros((1, ROWS, COLUMNS), bool)
    mask[0, 5, 5] = True
    made = clean_pixel_element(source, UID(JPEGBaseline8Bit), FACES, Store("done", mask))
    (frame,) = frames_in(made.element.value)
    differs = imagecodecs.jpegls_decode(frame) != imagecodecs.jpeg8_decode(code)
    assert made.syntax == JPEGLSLossless
    assert differs.sum() <= 1
    assert made.attributes["LossyImageCompression"] == "01"


def test_rle_stays_rle(us, as_file, cleaning, pseudonyms):
    source = us(values(2))
    source.file_meta = Dataset()
    from napari_medlabel.deid.pixels.frames_codec import coding_from
    from napari_medlabel.deid.pixels.frames_encode import encoded_frame
    from napari_medlabel.io.dicom.pixels.codecs import CodeStream

    coding = coding_from(source, UID(RLELossless), 0x7FE00010)
    codes = [encoded_frame(frame, CodeStream("rle"), coding) for frame in values(2)]
    made = clean_file(as_file(compressed(source, codes), RLELossless), cleaning, pseudonyms)
    result = again(made.content)
    assert result.file_meta.TransferSyntaxUID == RLELossless
    assert (result.pixel_array[0][PLACE] == 0).all()


def test_a_lossy_image_that_had_to_be_converted_says_so(ct, as_file, pseudonyms):
    pixels = values(text=())
    code = bytes(imagecodecs.jpeg8_encode(pixels[0], 90))
    source = ct(
        Rows=ROWS, Columns=COLUMNS, BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=b""
    )
    mask = np.zeros((1, ROWS, COLUMNS), bool)
    mask[0, 5, 5] = True
    made = clean_file(
        as_file(compressed(source, [code]), JPEGBaseline8Bit),
        load_profile(options=FACES),
        pseudonyms,
        faces=Store("done", mask),
    )
    result = again(made.content)
    assert result.file_meta.TransferSyntaxUID == JPEGLSLossless
    assert result.LossyImageCompression == "01"
    assert result.LossyImageCompressionMethod == "ISO_10918_1"


@pytest.mark.parametrize("run", [deidentify_folder, preview_folder])
def test_a_batch_without_the_extra_is_refused_before_anything_is_written(
    us, as_file, cleaning, pseudonyms, tmp_path, monkeypatch, run
):
    def missing() -> None:
        raise MissingPackageError("not installed", hint="Install it with: [pixels]")

    monkeypatch.setattr("napari_medlabel.deid.pixels.text_boxes.require_detector", missing)
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.dcm").write_bytes(as_file(us(values())))
    places = [source] if run is preview_folder else [source, tmp_path / "target"]
    with pytest.raises(MissingPackageError, match="not installed"):
        run(*places, cleaning, pseudonyms)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
