"""``medlabel project``: next, claim, submit, review and status, as two people use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.project.work.notes import WorkNotes, write_notes
from napari_medlabel.session.case import MASK_FILE
from napari_medlabel.session.study.seat import look
from tests.session.study.small_study import SmallStudy, make_study

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    made = make_study(tmp_path, cases=1)
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


def save_work(study: SmallStudy, code: str, *values: int, absent: str = "") -> None:
    """Leave open work on the disk, as the program's window does."""
    folder = study.layout.work(code, study.cases[0])
    labels = study.work(*values).labelled.labels
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MASK_FILE
    write_mask_nifti(path, labels.array, None, False, labels.grid.affine)
    said = frozenset({absent} - {""})
    write_notes(folder, WorkNotes(30.0, absent=said, answers={"clear": True}))


def test_a_case_goes_from_next_to_approved(study: SmallStudy, run: Run) -> None:
    case = str(study.cases[0])
    assert run("r01", "next") == (0, f"{case} A\n", "")
    assert run("r01", "next", "--begin", "--json")[1] == (
        f'{{"next": [{{"case": "{case}", "slot": "A"}}], "left": 1}}\n'
    )
    assert run("r02", "next", "--all")[1] == f"{case} B\n"
    code, _, err = run("r01", "submit", case)
    assert (code, "Nothing is saved" in err) == (2, True)
    save_work(study, "r01", 1)
    code, out, _ = run("r01", "submit", case, "--check")
    assert (code, out.startswith("must  Spleen is empty.")) == (3, True)
    code, out, err = run("r01", "submit", case, "--json")
    assert (code, json.loads(out)["complaints"][0]["rule"]) == (3, "empty")
    assert err.startswith("medlabel: One thing is not as the study wants: Spleen")
    assert run("r01", "submit", case, "--check", "--absent", "spleen")[1] == (
        "Nothing is amiss.\n"
    )
    code, out, _ = run("r01", "submit", case, "--absent", "spleen")
    assert (code, out) == (0, f"{case} A: version 1 is submitted.\n")
    code, out, _ = run("r01", "submit", case, "--absent", "spleen", "--json")
    assert (code, json.loads(out)["new"]) == (0, False)
    assert run("r04", "next", "--review", "--begin")[1] == f"{case} A\n"
    assert run("r04", "review", case, "--slot", "A", "--approve")[1] == f"{case} A: approved\n"
    code, out, _ = run("r01", "status")
    assert code == 0
    assert f"{case} A  approved     r01  version 1  reviewer r04" in out
    assert out.endswith("2 readings: 1 approved, 1 todo.\n")
    assert str(study.tmp) not in out
    assert study.is_sound()


def test_a_correction_is_a_version_of_the_reviewers(study: SmallStudy, run: Run) -> None:
    case = str(study.cases[0])
    run("r01", "claim", case)
    save_work(study, "r01", 1, absent="spleen")
    run("r01", "submit", case)
    run("r04", "review", case, "--slot", "A", "--begin")
    mask = study.tmp / "better.nii.gz"
    labels = study.work(1, 2).labelled.labels
    write_mask_nifti(mask, labels.array, None, False, labels.grid.affine)
    assert run("r04", "review", case, "--slot", "A", "--correct", study.tmp / "no")[0] == 2
    code, out, _ = run("r04", "review", case, "--slot", "A", "--correct", mask, "--json")
    assert (code, json.loads(out)["state"]) == (0, "corrected")
    assert run("r03", "review", case, "--slot", "A", "--approve")[0] == 0
    assert run("r04", "review", case, "--slot", "A", "--unlock")[0] == 2
    again = ("--unlock", "--reason", "CORRECTION")
    assert run("r04", "review", case, "--slot", "A", *again)[1] == f"{case} A: in_progress\n"


def test_claims_are_given_back_skipped_assigned_and_refused(
    study: SmallStudy, run: Run
) -> None:
    case = str(study.cases[0])
    assert run("m1", "claim", case, "--assign", "r02")[0] == 2
    assert run("m1", "claim", case, "--assign", "r02", "--slot", "A")[:2] == (0, "Assigned.\n")
    code, out, _ = run("m1", "claim", case, "--priority", 3, "--json")
    assert (code, json.loads(out)) == (0, {"case": case, "priority": 3})
    assert run("r01", "claim", case, "--slot", "A")[0] == 3
    assert run("r02", "claim", case)[1] == f"{case} A: in_progress\n"
    code, _, err = run("r03", "claim", case, "--slot", "A", "--take-over")
    assert (code, "not long ago" in err) == (3, True)
    assert run("r02", "claim", case, "--skip")[0] == 2
    assert run("r02", "claim", case, "--skip", "--reason", "PROTOCOL", "--json")[1] == (
        f'{{"case": "{case}", "slot": "A", "state": "skipped"}}\n'
    )
    assert run("r02", "claim", case, "--resume", "--slot", "A")[1] == f"{case} A: todo\n"
    assert run("r01", "claim", "sub-009_ct")[0] == 2
    assert run("stranger", "next")[0] == 3


def test_status_names_what_a_person_must_look_at(study: SmallStudy, run: Run) -> None:
    case = str(study.cases[0])
    run("r01", "claim", case)
    save_work(study, "r01", 1, absent="spleen")
    run("r01", "submit", case)
    study.layout.guidelines.write_text("# New\n")
    (study.layout.claims / "sub-001_ct.B (conflicted copy).json").write_bytes(b"")
    code, out, _ = run("r01", "status", "--json")
    document = json.loads(out)
    assert (code, document["counts"]) == (4, {"submitted": 1, "todo": 1})
    line = document["lines"][0]
    assert (line["rater"], line["version"], line["outdated"]) == ("r01", 1, True)
    assert (line["drawn"], line["gaps"], line["rivals"]) == (True, [], [])
    assert document["copies"] == ["medlabel/claims/sub-001_ct.B (conflicted copy).json"]
    code, out, _ = run("r01", "status")
    assert "OUTDATED" in out
    assert "A synchronising client made a copy: medlabel/claims" in out


def test_a_copy_of_a_file_of_the_log_is_called_one_before_the_log_is_judged(
    study: SmallStudy, run: Run
) -> None:
    run("r01", "claim", str(study.cases[0]))
    line = sorted((study.layout.audit / "writers").rglob("*.jsonl"))[0]
    line.with_name(f"{line.stem} (1).jsonl").write_bytes(line.read_bytes())
    code, out, _ = run("r01", "status")
    assert code == 4
    assert "A synchronising client made a copy: medlabel/audit/writers" in out
    code, out, _ = run("r01", "validate")
    assert code == 5
    assert "Copies of a synchronising client that met a conflict: 1." in out
    assert out.index("They are files of the log") < out.index("Log: RED")


def test_a_conflict_shows_what_there_is_to_choose_from(study: SmallStudy, run: Run) -> None:
    case = str(study.cases[0])
    run("r01", "claim", case)
    save_work(study, "r01", 1, absent="spleen")
    run("r01", "submit", case)
    seat = study.seat("r02")
    record = look(seat, study.cases[0], "A").record
    work = {"case": record.content, "slot": "A", "step": 2}
    seat.desk.log.append("study.release", subject=[record.subject], detail=work)
    study.close()
    code, out, _ = run("m1", "status")
    assert code == 4
    assert f"{case} A  conflict" in out
    assert "    submit by r01 version 1, sha256:" in out
    assert "    release by r02" in out
    rivals = json.loads(run("m1", "status", "--json")[1])["lines"][0]["rivals"]
    content = next(one["content"] for one in rivals if one["content"])
    settled = run("m1", "review", case, "--slot", "A", "--settle", content)
    assert settled[:2] == (0, f"{case} A: submitted\n")
    assert run("m1", "status")[0] == 0
