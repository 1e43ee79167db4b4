"""Play the scripted study again and again, kill, judge, write what came out: ``make study``."""

from __future__ import annotations

import argparse
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.study.accounts import (
    ANNOTATORS,
    MANAGER,
    REVIEWERS,
    STRANGER,
    Death,
    Fate,
)
from tests.study.book import Book
from tests.study.founding import Founded, found
from tests.study.leaving import consent, leave, look_from_outside, remark, score_gold
from tests.study.nursery import Nursery, run_alone
from tests.study.oracle import Judged, judge
from tests.study.page import figures_of, keep, kept_in, told_of, with_figures
from tests.study.playing import Play, age_claim, rng_of
from tests.study.scans import REAL, make_sources, real_scans

_PACE = 0.25
PAGE = Path(__file__).parents[2] / "docs" / "study-proof.md"


@dataclass
class Round:
    """What came out of one round.

    Attributes
    ----------
    book : Book
        What the script was told, and where it was not as it must be.
    judged : Judged
        What the oracle saw.
    verdict : str
        What verification by a stranger says of the log.
    seconds, cpu_s : float
        How long it took, and what its processes used.
    readings : int
        Of each case.
    is_forked : bool
        Whether its processes came from a nursery.
    """

    number: int
    book: Book
    judged: Judged = field(default_factory=Judged)
    verdict: str = ""
    seconds: float = 0.0
    cpu_s: float = 0.0
    readings: int = 2
    is_forked: bool = False
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def faults(self) -> list[str]:
        return [*self.book.faults, *self.judged.faults]


def fate_of(seed: int, number: int, *, pace: float = 1.0) -> Fate:
    """Return who is killed when in a round: one person often, the others now and then.

    Parameters
    ----------
    pace : float
        How long commands take here, beside those that start an interpreter.
    """
    rng = rng_of("victim", seed, number)
    victim = str(rng.choice([*ANNOTATORS, *REVIEWERS, MANAGER]))
    each = {code: rng_of(code, seed, number) for code in (*ANNOTATORS, *REVIEWERS, MANAGER)}

    def fate(code: str, words: str) -> Death:
        own = each.get(code)
        long = "painting" in words or "submit" in words
        if own is None or own.random() >= (0.3 if code == victim else 0.08 if long else 0.02):
            return Death()
        if own.random() < 0.3:
            return Death(after_s=pace * float(own.uniform(0.3, 2.5)))
        return Death(at_step=int(own.integers(1, 95 if long else 36)))

    return fate


def play_round(
    founded: Founded, seed: int, number: int, nursery: Nursery | None = None
) -> Round:
    """Play one round on a study that was just founded, and judge it."""
    book = Book()
    done = Round(number, book, readings=founded.readings, is_forked=nursery is not None)
    begun, cpu = time.perf_counter(), _cpu_s()
    fate = fate_of(seed, number, pace=_PACE if nursery else 1.0)
    people = founded.people(fate, nursery.run if nursery else run_alone)
    play = Play(founded, people, book)
    try:
        work(play)
        end(play, done)
        done.figures = leave(play)
    except AssertionError as err:  # a command that must succeed did not
        book.fault(str(err))
    done.seconds = time.perf_counter() - begun
    done.cpu_s = _cpu_s() - cpu + sum(one.cpu_s for one in people.values())
    return done


def work(play: Play) -> None:
    """Play everything until the study is ready to leave."""
    take_over(play)
    change_rules(play)
    for _ in range(4):
        play.all_read_and_review()
        if not resume(play):
            break
    play.read_again()
    remark(play)
    score_gold(play)
    consent(play, play.founded.readings)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def take_over(play: Play) -> None:
    """Let somebody begin, be killed and stay away; somebody else takes their reading over."""
    study = play.founded.study
    gone, other = play.people["r03"], play.people["r02"]
    case, slot = play.founded.cases[0], "A"
    gone.must("project", "claim", study, case, "--slot", slot)
    dead = gone.module(
        "tests.study.painting", study, case, slot, 1, fate=lambda *_: Death(at_step=40)
    )
    if not dead.killed:
        play.book.fault("the first reader was not killed")
    early = other.medlabel("project", "claim", study, case, "--slot", slot, "--take-over")
    if early.code != 3:
        play.book.fault("a claim was taken over from somebody who was just alive")
    age_claim(study, case, slot)
    play.until(other, "project", "claim", study, case, "--slot", slot, "--take-over")


def change_rules(play: Play) -> None:
    """Let some be read, then change the guidelines: one is confirmed, the others are redone."""
    study = play.founded.study
    play.read("r01", 2)
    play.read("r02", 1)
    guidelines = study / "medlabel" / "guidelines" / "guidelines.md"
    guidelines.write_text(guidelines.read_text() + "\nThe capsule belongs to the organ.\n")
    manager = play.people[MANAGER]
    play.until(manager, "project", "rules", study, "--outdate", "--json")
    shown = manager.must("project", "status", study, "--json").json()
    if not shown["counts"].get("stale"):
        play.book.fault("nothing is outdated after a change of the guidelines")
    confirm = ("project", "claim", study, play.founded.cases[0], "--slot", "A", "--confirm")
    play.until(play.people["r02"], *confirm)


def resume(play: Play) -> bool:
    """Let the manager put problems back; return whether anything is still to be read."""
    manager, study = play.people[MANAGER], play.founded.study
    shown = play.until(manager, "project", "status", study, "--json")
    more = False
    for line in shown.json()["lines"]:
        if line["state"] == "problem":
            words = ("project", "claim", study, line["case"], "--slot", line["slot"])
            play.ask(manager, *words, "--resume")
        is_ours = line["slot"] in play.founded.slots  # not a consensus, and no test
        more |= line["state"] not in ("approved", "skipped") and is_ours
    return more


def end(play: Play, done: Round) -> None:
    """Let everybody start once more, and look at the study from all sides."""
    founded, people, book = play.founded, play.people, play.book
    study = founded.study
    for code in (*ANNOTATORS, *REVIEWERS):
        role = [] if code in ANNOTATORS else ["--review"]
        people[code].must("project", "next", study, *role)
    look_from_outside(play)
    writers = {people[code].writer: code for code in (*ANNOTATORS, *REVIEWERS, MANAGER)}
    done.judged = judge(study, book, writers, founded.slots)
    shown = people[MANAGER].medlabel("project", "status", study, "--json").json()
    for line in shown["lines"]:
        mine = done.judged.states.get((line["case"], line["slot"]))
        if line["slot"] != "consensus" and line["state"] != (mine or "todo"):
            book.fault(f"status says {line['state']}, and the log {mine}: {line['case']}")
        if line["gaps"] or line["unheard"] or line["rivals"]:
            book.fault(f"gaps, rivals or unheard steps: {line['case']} {line['slot']}")
    stranger = people[STRANGER].medlabel(
        "audit", "verify", founded.audit, "--officer", founded.officer, "--json"
    )
    report = stranger.json()
    done.verdict = report["verdict"]
    if report["verdict"] != "green":
        told = {(one["level"], one["code"], one["text"][:90]) for one in report["findings"]}
        book.fault(f"the log is {report['verdict']}: {sorted(told)}")
    valid = people[MANAGER].medlabel("project", "validate", study, "--json")
    if valid.code:
        found_there = valid.json()["findings"]
        book.fault(f"validate: {valid.code}, {found_there[:4]}")


def campaign(
    numbers: Sequence[int], seed: int, plan: Plan, tell_of: Callable[[list[Round]], None]
) -> list[Round]:
    """Found studies, and play rounds of them.

    Parameters
    ----------
    numbers : sequence of int
        Of the rounds.
    seed : int
        Of who is killed when.
    plan : Plan
        How large, and which rounds are played how.
    tell_of : callable
        Hears of all rounds so far after each.
    """
    folder = Path(tempfile.mkdtemp(prefix="medlabel-study-"))
    nursery, studies, done = Nursery(), dict[int, tuple[Founded, Path]](), list[Round]()
    try:
        sources = make_sources(folder / "sources", plan.cases, real=plan.real)
        for number in numbers:
            readings = plan.readings(number)
            if readings not in studies:
                (base := folder / f"base-{readings}").mkdir()
                founded = found(base, sources, readings=readings, begin=nursery.run)
                studies[readings] = founded, founded.keep()
            founded, kept = studies[readings]
            founded.restore(kept)
            begin = None if plan.is_alone(number) else nursery
            done.append(play_round(founded, seed, number, begin))
            tell_of(done)
    finally:
        nursery.close()
        shutil.rmtree(folder, ignore_errors=True)
    return done


@dataclass(frozen=True)
class Plan:
    """How rounds are played.

    Parameters
    ----------
    cases : int
        In the study.
    triple : int
        Of so many rounds one has three readings of each case, the others two; 0 for none.
    alone : int
        Of so many rounds one, in their middle, starts an interpreter for each command; 0 for
        none.
    real : bool
        Whether to take real scans where they are.
    """

    cases: int = 12
    triple: int = 4
    alone: int = 10
    real: bool = True

    def readings(self, number: int) -> int:
        """Return how many readings each case has in a round."""
        return 3 if self.triple and number % self.triple == 0 else 2

    def is_alone(self, number: int) -> bool:
        """Return whether commands start interpreters in a round."""
        return bool(self.alone) and number % self.alone == self.alone // 2


def tell(done: Round) -> None:
    """Say how a round went."""
    counts = ", ".join(f"{count} {what}" for what, count in done.judged.counts.items())
    say(
        f"round {done.number}: {sum(done.book.kills.values())} killed, log {done.verdict}, "
        f"{len(done.judged.left)} left over, {len(done.faults)} faults, {done.seconds:.0f} s "
        f"({done.cpu_s:.0f} s of CPU); {counts}"
    )
    for words in done.faults:
        say(f"  FAULT {words}")
    for words in done.judged.left:
        say(f"  left over: {words}")


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the campaign; return 1 when a round has a fault.

    Each round is kept as a line of JSON beside the page, so that a campaign which was broken
    off goes on with ``--first``.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="go on with this round")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=12)
    parser.add_argument("--triple", type=int, default=4, help="of so many rounds one has three")
    parser.add_argument(
        "--alone", type=int, default=10, help="of so many rounds one without a nursery"
    )
    parser.add_argument("--page", type=Path, default=PAGE, help="is given the figures")
    parser.add_argument("--keep", action="store_true", help="leave the page as it is")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was made is taken away then
    here, missing = real_scans()
    for name in missing:
        say(f"NOT RUN on {name}: real scans are not beside this checkout")
    real = [one.path.relative_to(REAL).as_posix() for one in here]

    def tell_of(done: list[Round]) -> None:
        tell(done[-1])
        if not arguments.keep:
            told = told_of(done[-1], seed=arguments.seed, cases=arguments.cases)
            rounds = arguments.page.with_suffix(".jsonl")
            if arguments.first == done[-1].number == 1:
                rounds.unlink(missing_ok=True)
            keep(told, rounds)
            text = arguments.page.read_text(encoding="utf-8")
            figures = figures_of(kept_in(rounds), real=real)
            arguments.page.write_text(with_figures(text, figures), encoding="utf-8")

    numbers = range(arguments.first, arguments.first + arguments.rounds)
    plan = Plan(arguments.cases, arguments.triple, arguments.alone)
    done = campaign(numbers, arguments.seed, plan, tell_of)
    return 1 if any(one.faults for one in done) else 0


if __name__ == "__main__":
    raise SystemExit(main())
