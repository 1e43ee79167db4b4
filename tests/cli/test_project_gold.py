"""``medlabel project gold``, ``calibrate`` and ``bias``, as a manager and a reader use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.project.settings import read_settings, write_settings
from napari_medlabel.project.work.notes import WorkNotes, write_notes
from napari_medlabel.session.case import MASK_FILE
from tests.session.study.small_study import SmallStudy, make_study

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1, readings=1, people=("m1", "r01", "r02"))
    path = made.layout.project
    write_settings(path, replace(read_settings(path), gold_share=0.5, gold_feedback=True))
    made.close()
    yield made
    made.close()


@pytest.fixture
def run(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command as somebody, on their own computer."""

    def command(code: str, name: str, *words: object) -> tuple[int, str, str]:
        monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / f"pc-{code}"))
        found = main(["project", name, str(study.layout.root), *(str(one) for one in words)])
        out, err = capsys.readouterr()
        return found, out, err

    return command


def save(study: SmallStudy, folder: Path, place: int) -> Path:
    labels = study.work(1, place=place).labelled.labels
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MASK_FILE
    write_mask_nifti(path, labels.array, None, False, labels.grid.affine)
    write_notes(folder, WorkNotes(30.0, absent=frozenset({"spleen"}), answers={"clear": True}))
    return path


def test_a_gold_case_is_put_in_read_scored_and_taken_out(study: SmallStudy, run: Run) -> None:
    case = str(study.cases[0])
    truth = save(study, study.tmp / "truth", 3)
    assert run("m1", "gold")[1] == "No case has a known truth.\n"
    assert run("m1", "gold", "--add", case)[0] == 2
    code, out, _ = run("m1", "gold", "--add", case, "--mask", truth)
    assert (code, out) == (0, f"{case}: passed 0, not passed 0\n")
    # Where readers may be tested, no letter says which reading it is.
    assert run("r01", "next", "--begin", "--json")[1].startswith(
        f'{{"next": [{{"case": "{case}"'
    )
    assert run("r01", "next")[1] == f"{case}\n"
    assert f"{case}  in_progress" in run("r01", "status")[1]
    assert f"{case} A  in_progress" in run("m1", "status")[1]
    save(study, study.layout.work("r01", study.cases[0]), 2)
    code, out, _ = run("r01", "submit", case)
    assert code == 0
    assert out.startswith(f"{case}: version 1 is submitted.\n")
    assert "The truth differs:\n  Liver: Dice 0.500 is below 0.85." in out
    assert run("r02", "claim", case, "--slot", "B")[:2] == (0, f"{case}: in_progress\n")
    save(study, study.layout.work("r02", study.cases[0]) / "reading-B", 3)
    told = json.loads(run("r02", "submit", case, "--slot", "B", "--json")[1])
    assert told["gold"] == {"passed": True, "reasons": []}
    found = json.loads(run("m1", "gold", "--json")[1])["gold"]
    assert [(one["passed"], one["failed"], one["sound"]) for one in found] == [(1, 1, True)]
    assert run("m1", "gold", "--score")[1] == "Nothing waits to be scored.\n"
    assert run("m1", "gold", "--remove", case)[1] == "No case has a known truth.\n"
    code, out, _ = run("m1", "bias")
    assert (code, "r01: 0 masks, 1 of unknown origin; nothing was proposed" in out) == (0, True)
    code, out, _ = run(
        "m1", "calibrate", "--begin", "--cases", case, "--raters", "r01", "r02", "--hd95", "1"
    )
    assert out.startswith(f"round 1 (open): {case}\n  r01: read 1 of 1, not passed\n")
    ended = json.loads(run("m1", "calibrate", "--end", "1", "--json")[1])["rounds"][0]
    assert (ended["open"], len(ended["raters"])) == (False, 2)
    assert run("r01", "calibrate")[0] == run("r01", "bias")[0] == 3
