"""What comes with the program is valid and serves the samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel import samples
from napari_medlabel.errors import InputError
from napari_medlabel.export.landmarks import load_landmarks
from napari_medlabel.measure.mixed_up import twin_name
from napari_medlabel.model import presets
from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.model.landmarks import Landmark


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


def test_the_sets_of_the_literature_have_their_points_in_order() -> None:
    afids = presets.template("afids-32")
    assert len(afids) == 32
    assert [m.name for m in afids][:3] == ["AC", "PC", "infracollicular sulcus"]
    assert [m.name for m in presets.template("vertebrae")][::8] == ["C1", "T2", "T10", "S1"]
    assert "Sella" in presets.template("cephalometric")


@pytest.mark.parametrize("name", presets.templates())
def test_templates_define_their_points_and_name_twins_alike(name: str) -> None:
    marks = presets.template(name)
    acronyms = [m.acronym for m in marks if m.acronym]
    assert len(set(acronyms)) == len(acronyms)
    for mark in marks:
        assert mark.description or name == "points"
        twin = twin_name(mark.name)
        if twin is not None:
            assert twin in {m.name.casefold() for m in marks}
            assert mark.laterality in ("left", "right")


def test_a_picture_lies_beside_its_template(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"1")
    mark = Landmark("a", picture="a.png")
    assert presets.picture_of(mark, tmp_path / "t.json") == tmp_path / "a.png"
    assert presets.picture_of(Landmark("a", picture="b.png"), tmp_path / "t.json") is None
    assert presets.picture_of(Landmark("a"), tmp_path / "t.json") is None
