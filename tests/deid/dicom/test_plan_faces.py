"""With clean-faces alone, what shows no face keeps its pixels and its fast way."""

from __future__ import annotations

from io import BytesIO

import pytest

from napari_medlabel.deid.dicom.elements import OddError
from napari_medlabel.deid.dicom.file import clean_file
from napari_medlabel.deid.dicom.plan import plan_file
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile


class Faces:
    """One verdict for all instances; notes which were asked for."""

    def __init__(self, verdict: str) -> None:
        self.verdict, self.asked = verdict, []

    def verdict_for(self, uid: str, /) -> str:
        self.asked.append(uid)
        return self.verdict

    def masks_for(self, _uid: str, /) -> None:
        return None


@pytest.fixture
def content(ct, as_file) -> bytes:
    return as_file(ct())


@pytest.mark.parametrize("verdict", ["not a head", "no face in this volume"])
def test_what_shows_no_face_is_planned_as_without_the_option(content, pseudonyms, verdict):
    profile = load_profile(options=[Option.CLEAN_FACES])
    faces = Faces(verdict)
    plan = plan_file(BytesIO(content), profile, pseudonyms, faces=faces)
    plain = plan_file(BytesIO(content), load_profile(), pseudonyms)
    assert plan.head == plain.head
    assert faces.asked == ["1.3.6.1.4.1.99999.7.4.1"]
    assert clean_file(content, profile, pseudonyms, faces=faces).report.pixels is None


@pytest.mark.parametrize(
    ("options", "faces"),
    [
        ([Option.CLEAN_FACES], Faces("done")),
        ([Option.CLEAN_FACES], Faces("unsure")),
        ([Option.CLEAN_FACES], None),
        ([Option.CLEAN_FACES, Option.CLEAN_PIXELS], Faces("not a head")),
    ],
)
def test_all_else_is_for_the_reader_of_pixels(content, pseudonyms, options, faces):
    with pytest.raises(OddError):
        plan_file(BytesIO(content), load_profile(options=options), pseudonyms, faces=faces)
