"""A sample of the scripted study; ``make study`` plays it whole."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.keys.tokens import account_name
from napari_medlabel.session.study.working import start
from tests.session.study.layered_study import LESION
from tests.session.study.small_study import LIVER, ONTOLOGY, SPLEEN, make_study
from tests.study.accounts import Account, Death
from tests.study.book import Book
from tests.study.campaign import Round, fate_of
from tests.study.nursery import ROOT, Ended, Nursery, Wish, run_alone
from tests.study.oracle import Judged, judge
from tests.study.page import BEGIN, END, figures_of, keep, kept_in, told_of, with_figures
from tests.study.shapes import LAYERS, draw

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no such signal")


class Desk(Account):
    """An account whose computer `make_study` has furnished."""

    @property
    def state(self) -> Path:
        return self.folder

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "LOGNAME": account_name()}


def test_a_submission_killed_in_its_writing_is_there_once_and_whole(tmp_path: Path) -> None:
    people, overlap = ("m1", "r01"), replace(ONTOLOGY, labels=(LIVER, SPLEEN, LESION))
    made = make_study(tmp_path, cases=1, readings=1, people=people, ontology=overlap)
    case, study, book = str(made.cases[0]), made.layout.root, Book()
    start(made.seat("r01"), made.cases[0], "A")
    made.close()
    reader = Desk("r01", tmp_path)
    assert reader.module("tests.study.painting", study, case, "A", 1).code == 0
    words = ("project", "submit", study, case, "--slot", "A", "--json")
    # Before a name is given, between two names, and before the log hears of it.
    for step in (22, 34, 46):
        assert reader.medlabel(*words, fate=lambda *_, n=step: Death(at_step=n)).killed
    book.submitted(study, reader.must(*words).json(), "r01", 1)
    book.must[case, "A"] = "submitted"
    writers = {reader.writer: "r01", Desk("m1", tmp_path).writer: "m1"}
    found = judge(study, book, writers)
    assert found.faults == []
    # Of what describes the data set hidden files may stay for an hour; of the version none.
    assert not [name for name in found.left if "sub-001" in name]
    assert (found.counts["versions"], found.counts["masks compared"]) == (1, 2)


def test_the_oracle_sees_what_is_lost_doubled_changed_and_half_written(tmp_path: Path) -> None:
    """A judge that finds nothing proves nothing: each fault is made, and must be found."""
    made = make_study(tmp_path, cases=1, readings=1, people=("r01", "m1"))
    study, case, book = made.layout.root, str(made.cases[0]), Book()
    seat = made.seat("r01")
    start(seat, made.cases[0], "A")
    made.close()
    writers = {Desk(code, tmp_path).writer: code for code in ("r01", "m1")}
    book.must[case, "A"] = "approved"
    assert any("must be approved" in words for words in judge(study, book, writers).faults)
    folder = made.layout.version("r01", made.cases[0], 1, "dseg.nii.gz").parent
    folder.mkdir(parents=True, exist_ok=True)
    half = made.layout.version("r01", made.cases[0], 1, "dseg.nii.gz")
    half.write_bytes(b"half")
    aside = half.with_name(f".0123abcd.part.{half.name}")
    aside.write_bytes(b"x")
    found = judge(study, book, writers)
    assert any("never whole" in words for words in found.faults)
    assert [Path(one).name for one in found.left if "part" in one] == [aside.name]
    log = next(
        (study / "medlabel" / "audit").glob(f"writers/{seat_writer(writers)}/**/*.jsonl")
    )
    lines = log.read_bytes().splitlines(keepends=True)
    doubled = next(line for line in lines if b"study.start" in line)
    log.write_bytes(b"".join([*lines, doubled]))
    found = judge(study, book, writers)
    assert any("missing or doubled" in words for words in found.faults)


def seat_writer(writers: dict[str, str]) -> str:
    return next(writer for writer, code in writers.items() if code == "r01")


def test_masks_hang_on_case_rater_and_round_alone() -> None:
    one = draw((20, 24, 6), "sub-001_ct", "r01")
    assert np.array_equal(one, draw((20, 24, 6), "sub-001_ct", "r01"))
    assert set(np.unique(one)) == {0, 1, 2}
    for other in (("sub-001_ct", "r02", 1), ("sub-001_ct", "r01", 2), ("sub-002_ct", "r01", 1)):
        assert not np.array_equal(one, draw((20, 24, 6), *other))
    lesion = LAYERS[1]((20, 24, 6), "sub-001_ct", "r01")
    assert set(np.unique(lesion)) == {0, 7}
    assert (one[lesion > 0] == 1).any()  # they overlap


def test_who_is_killed_hangs_on_seed_and_round_alone() -> None:
    def deaths(seed: int, number: int) -> list[Death]:
        fate = fate_of(seed, number)
        return [fate(code, "project submit") for code in ("r01", "r02", "r04") * 30]

    assert deaths(1, 1) == deaths(1, 1)
    assert deaths(1, 1) != deaths(1, 2)
    assert any(death.at_step for death in deaths(1, 1))
    assert fate_of(1, 1)("x1", "verify") == Death()


def test_the_page_tells_of_faults_and_of_none(tmp_path: Path) -> None:
    done, rounds = Round(1, Book(), Judged(), "green"), tmp_path / "rounds.jsonl"
    done.book.killed("r01 project submit")
    keep(told_of(done, seed=1, cases=8), rounds)
    said = figures_of(kept_in(rounds), real=[])
    assert "No fault was found." in said
    assert "Killed over: project submit 1." in said
    done.book.fault("lost: a mask")
    for number in (2, 1):  # the first is played anew
        done.number = number
        keep(told_of(done, seed=1, cases=8), rounds)
    kept = kept_in(rounds)
    assert [one.number for one in kept] == [1, 2]
    said = figures_of(kept, real=["a"])
    assert "- round 1: lost: a mask" in said
    assert "Killed over: project submit 2." in said
    assert with_figures(f"before\n{BEGIN}old\n{END}after\n", said).startswith("before\n")
    assert "old" not in with_figures(f"{BEGIN}old\n{END}", said)


def test_who_is_forked_is_a_process_of_its_own_and_ends_like_one(tmp_path: Path) -> None:
    nursery = Nursery(with_program=False)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "OWN": "yes"}

    def run(words: str, after_s: float = 60.0, **more: int) -> Ended:
        wish = Wish("words_given", (words,), str(tmp_path), environment, **more)
        alone = run_alone(wish, after_s)
        forked = nursery.run(wish, after_s)
        assert (alone.code, alone.out) == (forked.code, forked.out)
        return forked

    (tmp_path / "words_given.py").write_text("import sys\nexec(sys.argv[1])\n")
    try:
        said = run("import os; print(os.environ['OWN'], os.getcwd(), sys.argv[1][-1])")
        assert said.out == f"yes {tmp_path} )\n"
        assert run("sys.exit(3)").code == 3
        assert run("sys.exit('no')").err.endswith("no\n")
        assert "ZeroDivisionError" in run("1 / 0").err
        assert run("import time; time.sleep(60)", after_s=0.4).code == -9
        clock = "from napari_medlabel.audit.disk import SystemClock as c; print(c().utc_ms()"
        day = int(run(f"{clock} // 86400000)", days=15).out) - int(time.time()) // 86400
        assert day in (14, 15)
    finally:
        nursery.close()
