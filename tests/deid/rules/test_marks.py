from __future__ import annotations

import pytest

from napari_medlabel.deid.rules.marks import marks
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.deid.rules.site_rules import SiteRules


def codes(made: dict[str, object]) -> list[str]:
    return [item.CodeValue for item in made["DeidentificationMethodCodeSequence"]]


def test_the_basic_profile_marks_itself(profile):
    made = marks(profile)
    assert made["PatientIdentityRemoved"] == "YES"
    assert "PS3.15 2026c basic" in made["DeidentificationMethod"]
    assert len(made["DeidentificationMethod"]) <= 64
    assert codes(made) == ["113100"]
    (item,) = made["DeidentificationMethodCodeSequence"]
    assert item.CodeMeaning == "Basic Application Confidentiality Profile"
    assert made["LongitudinalTemporalInformationModified"] == "REMOVED"
    assert "BurnedInAnnotation" not in made
    assert "RecognizableVisualFeatures" not in made


@pytest.mark.parametrize(
    ("option", "mark"), [("retain-dates", "UNMODIFIED"), ("shift-dates", "MODIFIED")]
)
def test_what_became_of_dates_is_marked(option, mark):
    made = marks(load_profile(options=[option, "retain-uids"]))
    assert made["LongitudinalTemporalInformationModified"] == mark
    assert codes(made) == ["113100", Option(option).code, "113110"]


def test_pixel_options_are_marked_only_where_they_were_carried_out():
    profile = load_profile(options=["clean-pixels", "clean-faces"])
    assert codes(marks(profile)) == ["113100"]
    made = marks(profile, frozenset({Option.CLEAN_PIXELS}))
    assert codes(made) == ["113100", "113101"]
    assert made["BurnedInAnnotation"] == "NO"
    assert "RecognizableVisualFeatures" not in made
    faces = marks(profile, frozenset({Option.CLEAN_FACES}))
    assert codes(faces) == ["113100", "113102"]
    assert faces["RecognizableVisualFeatures"] == "NO"


def test_site_rules_are_marked_by_hash_and_not_by_name():
    profile = load_profile(site=SiteRules("St. Elsewhere", "1"))
    method = marks(profile)["DeidentificationMethod"]
    assert profile.sha256[:16] in method[1]
    assert "Elsewhere" not in str(method)
