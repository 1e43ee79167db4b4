"""``medlabel project comment``, ``sample`` and the review by labels, as people use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from napari_medlabel.cli.main import main
from napari_medlabel.session.study.seat import look
from napari_medlabel.session.study.submitting import submit
from napari_medlabel.session.study.working import start
from tests.session.study.small_study import SmallStudy, make_study

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def study(tmp_path: Path) -> Iterator[SmallStudy]:
    """Give a study of which r01 has submitted both cases."""
    made = make_study(tmp_path, readings=1, people=("m1", "r01", "r02", "r04"))
    for number, case in enumerate(made.cases):
        start(made.seat("r01"), case, "A")
        work = made.work(1, 2, number=number)
        submit(made.seat("r01"), case, "A", made.scan(number), work)
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


def test_a_thread_goes_to_and_fro_and_names_nobody(study: SmallStudy, run: Run) -> None:
    case = str(study.cases[0])
    said = (
        "--slot",
        "A",
        "--text",
        "Is this the dome?",
        "--at=-12.5,30,40",
        "--label",
        "liver",
    )
    code, out, _ = run("r04", "comment", case, *said, "--tags", "boundary", "--json")
    (row,) = json.loads(out)["threads"]
    assert (code, row["state"], row["at_ras"], row["label"]) == (0, "open", [-12.5, 30, 40], 1)
    thread = row["thread"]
    code, out, _ = run("r01", "comment", case)
    assert out == (
        f"{thread}  A  open  label 1  L 12 A 30 S 40 mm  boundary\n"
        "    Reviewer: Is this the dome?\n"
    )
    answer = ("--reply", thread, "--text", "Yes.", "--resolve")
    code, out, _ = run("r01", "comment", case, *answer)
    assert out.splitlines()[-1] == "    You: Yes. (resolved)"
    code, out, _ = run("r04", "comment", case, "--slot", "A")
    assert "Annotator: Yes. (resolved)" in out
    assert "r01" not in out
    assert run("r04", "comment", case, "--open")[1] == "No comments.\n"


def test_a_stranger_is_refused_before_the_study_s_log_has_a_word(
    study: SmallStudy, run: Run
) -> None:
    before = sorted(study.layout.audit.rglob("*"))
    code, _, err = run("stranger", "comment", str(study.cases[0]))
    assert code == 3
    assert err
    assert sorted(study.layout.audit.rglob("*")) == before


def test_what_is_no_comment_is_refused(study: SmallStudy, run: Run) -> None:
    case = str(study.cases[0])
    for words, problem in (
        (("--text", "Why?"), "Which reading is commented was not said"),
        (("--reply", "0" * 16, "--text", "No."), "no such thread that you may know"),
        (("--slot", "A", "--text", "Why?", "--at", "1,2"), "three numbers"),
        (("--slot", "A", "--text", "Why?", "--at", "1,2,nan"), "three numbers"),
        (("--slot", "A", "--text", "Why?", "--label", "gland"), "it has: liver, spleen"),
        (("--slot", "A", "--text", "Why?", "--tags", "ugly"), "A tag is"),
        (("--slot", "A", "--text", "as on 2019-03-04"), "something like a date"),
        (("--reply", "0" * 16, "--text", "No.", "--at=1,2,3"), "is about the place"),
        (("--reply", "0" * 16, "--text", "No.", "--label", "liver"), "is about the place"),
        (("--slot", "A", "--resolve"), "Which thread is resolved"),
        (("--slot", "A", "--reply", "0" * 16, "--text", "No."), "no such thread"),
    ):
        code, out, err = run("r04", "comment", case, *words)
        assert (code, out) == (2, "")
        assert problem in err
    assert run("r02", "comment", case, "--slot", "A", "--text", "Hm.")[0] == 3


def test_labels_are_decided_one_by_one(study: SmallStudy, run: Run) -> None:
    first, second = (str(case) for case in study.cases)
    for case in (first, second):
        run("r04", "review", case, "--slot", "A", "--begin")
    marks = ("--label", "liver=reject:boundary,missed", "2=approve")
    assert "needs a reason" in run("r04", "review", first, "--slot", "A", *marks)[2]
    for wrong in ("liver", "liver=perhaps", "liver=approve:missed", "gland=approve"):
        assert run("r04", "review", first, "--slot", "A", "--label", wrong)[0] == 2
    reason = ("--reason", "CORRECTION")
    code, out, _ = run("r04", "review", first, "--slot", "A", *marks, *reason)
    assert (code, out) == (0, f"{first} A: rejected\n")
    now = look(study.seat("r04"), study.cases[0], "A").now
    assert (now.returned, now.tags) == ((1,), ("boundary", "missed"))
    good = ("--label", "liver=approve", "spleen=approve")
    assert run("r04", "review", second, "--slot", "A", *good)[1] == f"{second} A: approved\n"


def test_a_sample_is_drawn_scored_and_stated(study: SmallStudy, run: Run) -> None:
    code, out, _ = run("r04", "sample", "-n", 2, "--seed", 5)
    assert code == 0
    assert out.splitlines()[-1].startswith("2 of 2 finished readings drawn, seed 5; 2 not")
    case = str(study.cases[0])
    for number in range(2):
        name = str(study.cases[number])
        score = 4 - number
        code, out, _ = run("r04", "sample", "-n", 2, "--seed", 5, "--score", name, "A", score)
    assert f"{case} A  4\n" in out
    assert "1 of 2 were faulty (50.0%); with 95% confidence at most 97.5%" in out
    code, out, _ = run("r04", "sample", "-n", 2, "--seed", 5, "--json")
    said = json.loads(out)
    assert (said["drawn"], said["of"], said["faulty"], said["unjudged"]) == (2, 2, 1, 0)
    assert run("r04", "sample", "--score", case, "A", "good")[0] == 2
    assert run("r01", "sample")[0] == 3
    study.close()
    lines = b"".join(path.read_bytes() for path in study.layout.audit.rglob("*.jsonl"))
    assert lines.count(b'"event":"study.draw"') == 2
    assert study.is_sound()
