from __future__ import annotations

import pytest

from napari_medlabel.deid.pixels.risk import (
    check_cleanable,
    look_at,
    says_text,
    still_shows_identity,
)
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Look
from napari_medlabel.deid.rules.options import Option

ROOT = "1.2.840.10008.5.1.4.1.1."
TEXT, FACES = frozenset({Option.CLEAN_PIXELS}), frozenset({Option.CLEAN_FACES})


@pytest.mark.parametrize(
    ("changes", "looks"),
    [
        ({}, set()),
        ({"Modality": "US"}, {Look.ULTRASOUND}),
        ({"SOPClassUID": ROOT + "3.1"}, {Look.ULTRASOUND}),
        ({"SOPClassUID": ROOT + "7"}, {Look.SECONDARY}),
        ({"ConversionType": "WSD"}, {Look.SECONDARY}),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, {Look.SECONDARY}),
        ({"SOPClassUID": ROOT + "77.1.1.1"}, {Look.PHOTOGRAPH}),
        ({"Modality": "ES"}, {Look.PHOTOGRAPH}),
        ({"Modality": "OT", "SOPClassUID": ROOT + "7"}, {Look.SECONDARY, Look.UNNAMED}),
        ({"Modality": ""}, {Look.UNNAMED}),
    ],
)
def test_a_person_looks_at_what_often_shows_who_it_is(ct, changes, looks):
    assert look_at(ct(**changes)) == looks


@pytest.mark.parametrize("kind", ["LABEL", "OVERVIEW"])
def test_labels_of_slides_are_never_cleaned(ct, kind):
    with pytest.raises(QuarantineError, match="pixels may show identity"):
        check_cleanable(ct(ImageType=["ORIGINAL", "PRIMARY", kind]), face_removed=True)


def test_a_recognizable_face_must_go_as_well(ct):
    source = ct(RecognizableVisualFeatures="YES")
    with pytest.raises(QuarantineError, match="pixels may show identity"):
        check_cleanable(source, face_removed=False)
    check_cleanable(source, face_removed=True)
    check_cleanable(ct(), face_removed=False)


def test_only_what_was_done_lets_an_image_pass(ct):
    ultrasound, face = ct(Modality="US"), ct(RecognizableVisualFeatures="YES")
    assert still_shows_identity(ultrasound, frozenset())
    assert not still_shows_identity(ultrasound, TEXT)
    assert still_shows_identity(ultrasound, FACES)
    assert still_shows_identity(face, frozenset())
    assert not still_shows_identity(face, FACES)
    assert "RecognizableVisualFeatures" in face


def test_an_image_says_that_it_has_text(ct):
    assert says_text(ct(BurnedInAnnotation="YES"))
    assert not says_text(ct(BurnedInAnnotation="NO"))
    assert not says_text(ct())
