"""``medlabel export``: what a person sees of gates, and of what left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main
from tests.session.study.exporting.leaving_study import make_leaving
from tests.session.study.small_study import SmallStudy

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    made = make_leaving(tmp_path_factory.mktemp("leaving"))
    made.close()
    yield made
    made.close()


@pytest.fixture
def run(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Export as the study's manager."""
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-m1"))

    def command(*words: object) -> tuple[int, str, str]:
        code = main(["export", str(study.layout.root), *map(str, words)])
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_a_check_says_what_would_go_and_what_each_gate_says(run: Run) -> None:
    code, out, err = run("--check", "--format", "csv,sr", "--skip")
    assert code == 3
    assert out.splitlines()[:4] == [
        "csv: 2 cases",
        "sr: 1 cases",
        "  sub-001_ct  approved",
        "  sub-002_ct  approved",
    ]
    assert "gate deidentified: open" in out
    assert "left out: format: sub-002_ct sr: The study has no DICOM images of it" in out
    assert "gate log: shut" in out
    assert err == ""
    shown = json.loads(run("--check", "--format", "csv,sr", "--skip", "--json")[1])
    assert shown["log"] == "amber"
    assert shown["cases"]["sub-002_ct"]["formats"] == ["csv"]
    assert {one["gate"] for one in shown["against"] if one["stops"]} == {"log"}


def test_shut_gates_are_told_one_by_one(run: Run, tmp_path: Path) -> None:
    code, out, err = run(tmp_path / "out", "--format", "sr", "--states", "submitted")
    assert (code, out) == (3, "")
    assert err.startswith("medlabel: 4 things stand against this export, and nothing was")
    assert "- review: sub-001_ct: Its reading is approved.\n" in err
    assert "- log: amber: " in err
    assert not list(tmp_path.iterdir())


def test_what_left_is_counted_and_told(run: Run, tmp_path: Path) -> None:
    words = ("--format", "nnunet,csv", "--reason", "PROTOCOL", "--case", "sub-001_ct")
    code, out, err = run(tmp_path / "out", *words, "--dataset-number", "7", "--split", "1,0,0")
    assert code == 0, err
    assert out.startswith("1 cases left in 8 files, sha256:")
    assert (tmp_path / "out" / "nnunet" / "Dataset007_Smallstudy" / "dataset.json").is_file()
    code, _, err = run(tmp_path / "out", *words)
    assert code == 2
    assert "new or empty" in err


def test_the_folder_may_stand_before_or_after_the_options(
    run: Run, tmp_path: Path, study: SmallStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    words, full = ("--format", "csv"), tmp_path / "full"
    for order in ((*words, full), (full, *words)):
        code, _, err = run(*order)
        assert (code, "new or empty" in err) == (2, True)
    assert main(["export", *words, str(study.layout.root), str(full)]) == 2
    assert "new or empty" in capsys.readouterr().err
    assert "goes into a folder" in run(*words)[2]
    assert "takes none" in run("--check", *words, full)[2]
    with pytest.raises(SystemExit):
        run(full, *words, full)
    assert "unrecognized" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("out", "--check", "--format", "csv"), "--check writes nothing"),
        (("--format", "csv"), "goes into a folder"),
        (("--check", "--format", "csv", "--by-rater", "--case", "sub-9_ct"), "no case"),
        (("--check", "--format", "coco", "--typed"), "as csv alone"),
        (("--check", "--format", "csv", "--split", "half"), "Three shares"),
    ],
)
def test_what_is_no_export_is_refused(run: Run, words: tuple[str, ...], says: str) -> None:
    code, _, err = run(*words)
    assert code == 2
    assert says in err


def test_a_format_that_is_none_is_a_wrong_command(run: Run) -> None:
    with pytest.raises(SystemExit) as caught:
        run("out", "--format", "nifti,jpeg")
    assert caught.value.code == 2
