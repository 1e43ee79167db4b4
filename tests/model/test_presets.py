"""What comes with the program is valid and serves the samples."""

from __future__ import annotations

import json

import pytest

from napari_medlabel import samples
from napari_medlabel.errors import InputError
from napari_medlabel.export.landmarks import load_landmarks
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import LabelScheme


@pytest.mark.parametrize(
    ("name", "truth"), [("abdomen", "scheme.json"), ("head", "scheme_mr.json")]
)
def test_schemes_name_the_values_of_the_samples(name: str, truth: str) -> None:
    sample = LabelScheme.from_json(json.loads(samples.truth(truth).read_text("utf-8")))
    assert presets.scheme(name).labels == sample.labels


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("abdomen", "ct_abdomen_landmarks.mrk.json"),
        ("head", "mr_head_landmarks.mrk.json"),
    ],
)
def test_templates_name_the_landmarks_of_the_samples(name: str, truth: str) -> None:
    sample = load_landmarks(samples.truth(truth))
    assert [m.name for m in presets.template(name)] == [m.name for m in sample]


def test_windows_are_centre_and_width() -> None:
    window = presets.Window.from_centre("W", 40, 400)
    assert (window.low, window.high) == (-160, 240)
    assert len({w.name for w in presets.CT_WINDOWS}) == len(presets.CT_WINDOWS)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="no label scheme") as caught:
        presets.scheme("liver")
    assert "abdomen, head, regions" in caught.value.hint
    with pytest.raises(InputError, match="no landmark template"):
        presets.template("liver")
