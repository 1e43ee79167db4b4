"""Names in a study folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.project.layout import CaseId, Layout, find_study, require_rater

WORDS = st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True)
CASE = CaseId("001", "01", 2, "T1w")


@given(WORDS, st.one_of(st.just(""), WORDS), st.integers(0, 99), WORDS)
def test_a_case_reads_back_as_it_was_written(
    subject: str, session: str, run: int, suffix: str
) -> None:
    case = CaseId(subject, session, run, suffix)
    assert CaseId.parse(str(case)) == case


@pytest.mark.parametrize("text", ["", "001_ct", "sub-001", "sub-0 1_ct", "sub-001_ses-_ct"])
def test_what_names_no_case_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="named like sub-001_ct"):
        CaseId.parse(text)


@pytest.mark.parametrize("part", ["a-b", "a_b", "a b", "../x", ""])
def test_a_part_with_other_signs_is_refused(part: str) -> None:
    with pytest.raises(InputError, match="letters and digits"):
        CaseId(part)


@pytest.mark.parametrize("code", ["", "R01", "r 1", "1r", "consensus", "r-1", "a" * 17])
def test_a_code_that_is_no_raters_is_refused(code: str) -> None:
    with pytest.raises(InputError, match="code such as r01"):
        require_rater(code)


def test_a_raters_code_is_taken() -> None:
    assert require_rater("r01") == "r01"


def test_paths_are_where_the_documentation_says(tmp_path: Path) -> None:
    there = Layout(tmp_path)
    names = {
        there.project: "medlabel/project.json",
        there.ontology: "medlabel/ontology.json",
        there.guidelines: "medlabel/guidelines/guidelines.md",
        there.comments: "medlabel/comments",
        there.gold: "medlabel/gold",
        there.audit: "medlabel/audit",
        there.releases: "medlabel/releases",
        there.originals: "sourcedata",
        there.exports: "exports",
        there.case_file(CASE): "medlabel/cases/sub-001_ses-01_run-2_T1w.json",
        there.scan(CASE): "sub-001/ses-01/anat/sub-001_ses-01_run-2_T1w.nii.gz",
        there.claim(CASE, "A"): "medlabel/claims/sub-001_ses-01_run-2_T1w.A.json",
        there.work("r01", CASE): "derivatives/medlabel-r01/sub-001/ses-01/anat/"
        ".sub-001_ses-01_run-2_T1w",
        there.version("r01", CASE, 3, "dseg.nii.gz"): "derivatives/medlabel-r01/sub-001/ses-01/"
        "anat/sub-001_ses-01_run-2_desc-T1wv003_dseg.nii.gz",
    }
    for path, name in names.items():
        assert there.relative(path) == name


def test_a_path_outside_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="outside its folder"):
        Layout(tmp_path / "study").relative(tmp_path / "other")


def test_a_study_is_found_from_inside_and_nothing_elsewhere(tmp_path: Path) -> None:
    there = Layout(tmp_path / "study")
    there.project.parent.mkdir(parents=True)
    there.project.write_text("{}")
    deep = there.root / "sub-001" / "anat"
    deep.mkdir(parents=True)
    assert find_study(deep).root == there.root.resolve()
    with pytest.raises(InputError, match="no study folder"):
        find_study(tmp_path)
