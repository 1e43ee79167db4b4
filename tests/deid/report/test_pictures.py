"""Pictures of cleaned images: real PNG files, small, upright in meaning, without text."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from pydicom.uid import SecondaryCaptureImageStorage

from napari_medlabel.deid.report import pictures
from napari_medlabel.deid.report.pictures import picture_of, pictures_of, png_of, views_of


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)))


@given(
    array=arrays.arrays(
        np.uint8,
        st.one_of(
            st.tuples(st.integers(1, 9), st.integers(1, 9)),
            st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)),
        ),
    )
)
def test_a_png_reads_back_as_the_same_pixels_and_holds_no_text(array):
    png = png_of(array)
    assert np.array_equal(opened(png), array)
    assert png.count(b"IDAT") == 1
    assert not Image.open(BytesIO(png)).info


@pytest.fixture
def colours(ct, as_file):
    """Colour frames: red at the left of the first, green at the right of the second."""

    def make(frames: int = 2) -> bytes:
        array = np.zeros((frames, 40, 60, 3), np.uint8)
        array[0, :, :20, 0] = 200
        array[-1, :, 40:, 1] = 100
        return as_file(
            ct(
                SOPClassUID=SecondaryCaptureImageStorage,
                Modality="OT",
                Rows=40,
                Columns=60,
                SamplesPerPixel=3,
                PhotometricInterpretation="RGB",
                PlanarConfiguration=0,
                BitsAllocated=8,
                BitsStored=8,
                HighBit=7,
                NumberOfFrames=str(frames),
                PixelData=array.tobytes(),
            )
        )

    return make


def test_a_scan_is_drawn_between_its_darkest_and_brightest(ct, as_file, tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(as_file(ct()))
    picture = picture_of(path, "a slice")
    assert (picture.width, picture.height, picture.alt) == (6, 4, "a slice")
    grey = opened(picture.png)
    assert (grey.min(), grey.max()) == (0, 255)
    assert np.all(np.diff(grey.astype(int), axis=1) > 0)
    assert picture.uri.startswith("data:image/png;base64,iVBOR")
    assert "PNG" not in repr(picture)


def test_inverted_and_blank_images_are_drawn_too(ct, as_file, tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(as_file(ct(PhotometricInterpretation="MONOCHROME1")))
    grey = opened(picture_of(path, "a").png)
    assert np.all(np.diff(grey.astype(int), axis=1) < 0)
    path.write_bytes(as_file(ct(PixelData=bytes(48))))
    assert not opened(picture_of(path, "a").png).any()
    assert not opened(views_of(path, "a")[-1].png).any()


def test_one_bright_pixel_in_a_blank_image_is_still_seen(ct, as_file, tmp_path):
    path = tmp_path / "a.dcm"
    pixels = np.zeros((64, 64), "<u2")
    pixels[5, 7] = 9
    path.write_bytes(as_file(ct(Rows=64, Columns=64, PixelData=pixels.tobytes())))
    assert opened(picture_of(path, "a").png)[5, 7] == 255


def test_a_clip_is_shown_with_what_is_brightest_and_darkest_over_time(colours, tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(colours())
    views = views_of(path, "Image 1")
    assert [view.alt for view in views] == [
        "Image 1, middle frame",
        "Image 1, brightest of 2 frames",
        "Image 1, darkest of 2 frames",
        "Image 1, contrast raised",
    ]
    middle, brightest, darkest, raised = (opened(view.png) for view in views)
    assert middle.shape == (40, 60, 3)
    assert middle[0, 50].tolist() == [0, 100, 0]
    assert brightest[0, 5] > 0 < brightest[0, 50]
    assert darkest[0, 5] == darkest[0, 50] == 0
    assert raised[0, 5] == 0 < raised[0, 50]


def test_a_single_image_has_two_views_and_faint_writing_shows_in_the_second(
    ct, as_file, tmp_path
):
    path = tmp_path / "a.dcm"
    pixels = np.full((40, 40), 1000, "<u2")
    pixels[10:14, 5:30] = 1002
    pixels[:5] = 4000
    path.write_bytes(as_file(ct(Rows=40, Columns=40, PixelData=pixels.tobytes())))
    plain, raised = (opened(view.png).astype(int) for view in views_of(path, "a"))
    assert plain[12, 10] - plain[20, 10] < 2
    assert raised[12, 10] - raised[20, 10] > 50


def test_large_images_shrink_by_whole_numbers(ct, as_file, tmp_path):
    path = tmp_path / "a.dcm"
    pixels = np.tile(np.array([[0, 200], [200, 400]], "<u2"), (200, 150))
    path.write_bytes(as_file(ct(Rows=400, Columns=300, PixelData=pixels.tobytes())))
    picture = picture_of(path, "a", largest=100)
    assert (picture.width, picture.height) == (75, 100)
    assert len(np.unique(opened(picture.png))) == 1


def test_what_is_no_image_has_no_picture(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("nothing")
    assert picture_of(path, "a") is None
    assert views_of(path, "a") == ()
    assert picture_of(tmp_path / "gone", "a") is None
    assert picture_of(tmp_path, "a") is None


def test_of_a_file_with_very_many_voxels_one_slice_is_read(colours, tmp_path, monkeypatch):
    path = tmp_path / "a.dcm"
    path.write_bytes(colours(4))
    monkeypatch.setattr(pictures, "_MOST_VALUES", 10)
    monkeypatch.setattr(pictures, "read_series", lambda *_, **__: 1 / 0)
    (view,) = views_of(path, "a")
    assert view.alt == "a, middle frame, small: open the file to see it"
    assert max(view.width, view.height) <= 128
    assert picture_of(path, "a").alt == "a"


def test_the_middle_image_of_each_series_is_drawn_up_to_a_number(ct, as_file, tmp_path):
    for series in range(4):
        folder = tmp_path / "P-1" / f"SE-{series}"
        folder.mkdir(parents=True)
        for number in range(3):
            (folder / f"I-{number}.dcm").write_bytes(as_file(ct(number)))
    (tmp_path / "P-1" / "SE-0" / "I-1.dcm").write_text("broken")
    (tmp_path / "P-1" / "SE-1" / "x.json").write_text("{}")
    (tmp_path / "sidecars").mkdir()
    (tmp_path / "sidecars" / "x.bval").write_text("0")
    (tmp_path / "deid-report.json").write_text("{}")
    drawn = pictures_of(tmp_path)
    assert [picture.alt for picture in drawn] == [
        f"Series {n}: middle image of 3" for n in (2, 3, 4)
    ]
    assert len(pictures_of(tmp_path, most=2)) == 2
