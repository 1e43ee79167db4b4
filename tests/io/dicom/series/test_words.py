"""Words for kinds of image: known values alone, never what else stands in Image Type."""

from __future__ import annotations

import pytest

from napari_medlabel.io.dicom.series.words import words_of
from napari_medlabel.io.registry import find_series
from tests.io.scans import voxels, write_series


@pytest.mark.parametrize(
    ("image_type", "words"),
    [
        (["ORIGINAL", "PRIMARY", "AXIAL"], ()),
        (["ORIGINAL", "PRIMARY", "P", "ND"], ("phase",)),
        (["ORIGINAL", "PRIMARY", "LOCALIZER"], ("localizer",)),
        (["DERIVED", "PRIMARY", "DIFFUSION", "ADC"], ("ADC map",)),
        (["DERIVED", "SECONDARY"], ("derived",)),
        (["DERIVED", "SECONDARY", "INVENTED"], ("derived",)),
    ],
)
def test_the_kind_of_image_is_said_in_words(tmp_path, image_type, words):
    write_series(tmp_path, voxels(3), ImageType=image_type)
    (info,) = find_series(tmp_path).series
    assert info.words == words
    assert info.description == ", ".join(words)


def test_nothing_is_said_of_no_images():
    assert words_of(()) == ()


def test_a_series_without_a_number_has_none(tmp_path):
    write_series(tmp_path, voxels(3), SeriesNumber=None)
    (info,) = find_series(tmp_path).series
    assert info.series_number is None
