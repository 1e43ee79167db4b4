"""Air, frame by frame: -1000 HU wherever the rescale of a frame stands."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from napari_medlabel.deid.pixels.air import frames_by_air
from napari_medlabel.deid.pixels.stage import clean_pixel_element
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.rules.options import Option

ENDS = (0, 4095)


def group(slope: str | None = None, intercept: str | None = None) -> Dataset:
    made, values = Dataset(), Dataset()
    if slope is not None:
        values.RescaleSlope, values.RescaleIntercept = slope, intercept
        made.PixelValueTransformationSequence = Sequence([values])
    return made


def enhanced(ct, shared: Dataset, *frames: Dataset) -> Dataset:
    source = ct(NumberOfFrames=str(len(frames)))
    del source.RescaleSlope, source.RescaleIntercept
    source.SharedFunctionalGroupsSequence = Sequence([shared])
    source.PerFrameFunctionalGroupsSequence = Sequence(list(frames))
    source.PixelData = np.arange(24 * len(frames), dtype="<u2").tobytes()
    return source


def test_a_plain_header_says_it_for_its_frame(ct):
    assert frames_by_air(ct(), [0], ENDS) == {24: [0]}
    assert frames_by_air(ct(RescaleIntercept="-1000"), [0], ENDS) == {0: [0]}
    assert frames_by_air(ct(Modality="MR", RescaleIntercept="0"), [0], ENDS) == {0: [0]}


def test_without_any_rescale_stored_values_are_hounsfield_units(ct):
    source = ct(RescaleSlope=None, RescaleIntercept=None)
    assert frames_by_air(source, [0], (-32768, 32767)) == {-1000: [0]}


def test_shared_groups_and_then_the_frame_s_own_count_before_the_header(ct):
    shared = group("2", "-1024")
    source = enhanced(ct, shared, group(), group("1", "-1024"), group(), group("0.5", "-1020"))
    source.RescaleSlope, source.RescaleIntercept = "1", "0"
    assert frames_by_air(source, [0, 1, 2, 3], ENDS) == {12: [0, 2], 24: [1], 40: [3]}


def test_a_table_or_a_broken_rescale_is_refused(ct):
    with pytest.raises(QuarantineError, match="face could not be removed"):
        frames_by_air(ct(ModalityLUTSequence=Sequence([Dataset()])), [0], ENDS)

    class Broken:
        def get(self, keyword: str) -> object:
            return {"Modality": "CT", "RescaleSlope": "one"}.get(keyword)

    with pytest.raises(QuarantineError, match="face could not be removed"):
        frames_by_air(Broken(), [0], ENDS)


class Faces:
    """A face in the first row of each frame."""

    def verdict_for(self, _uid: str, /) -> str:
        return "done"

    def masks_for(self, _uid: str, /) -> np.ndarray:
        mask = np.zeros((3, 4, 6), bool)
        mask[:, 0] = True
        return mask


def test_each_frame_of_an_enhanced_ct_gets_minus_a_thousand(ct):
    source = enhanced(ct, group("1", "-1024"), group(), group("2", "-2000"), group())
    made = clean_pixel_element(
        source, ExplicitVRLittleEndian, frozenset({Option.CLEAN_FACES}), Faces()
    )
    after = np.frombuffer(made.element.value, "<u2").reshape(3, 4, 6)
    assert after[:, 0].tolist() == [[24] * 6, [500] * 6, [24] * 6]
    before = np.frombuffer(source.PixelData, "<u2").reshape(3, 4, 6)
    assert (after[:, 1:] == before[:, 1:]).all()
    assert made.work.changed == 3
