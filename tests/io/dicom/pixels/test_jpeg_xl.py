"""The size of a JPEG XL image is known before it is decoded."""

from __future__ import annotations

import numpy as np
import pytest

from napari_medlabel.io.dicom.pixels.jpeg_xl import size_of


@pytest.mark.parametrize(
    "size",
    [(8, 8), (64, 48), (256, 256), (257, 513), (100, 200), (30, 40), (3000, 2), (1, 9000)],
)
@pytest.mark.parametrize("in_boxes", [False, True])
def test_rows_and_columns_of_any_size(size, in_boxes):
    import imagecodecs

    code = bytes(
        imagecodecs.jpegxl_encode(np.zeros(size, np.uint8), effort=1, usecontainer=in_boxes)
    )
    assert code.startswith(b"\0\0\0\x0c") == in_boxes
    assert size_of(code) == size


@pytest.mark.parametrize(
    "code", [b"", b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x0cJXL \0\0\0\0\0"]
)
def test_what_is_no_image_has_no_size(code):
    assert size_of(code) is None
