"""What each person does: a loop of commands, begun again as a person would after a crash."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import nibabel as nib
import numpy as np

from tests.study.accounts import ANNOTATORS, REVIEWERS, Account, Done
from tests.study.book import Book
from tests.study.founding import REPEAT_DAYS, Founded, write_masks

_MOST: Final = 400
"""Commands of one person in a round: more, and something goes in circles."""
CORRECTED, AGAIN = 9, 50
"""Which drawing a correction is; what is added to that of a case that is read again."""
PROBLEM, SKIP, REJECT, CORRECT = (3, "A"), (4, "B"), (1, "A"), (2, "B")
"""Of which case, by its place in the list, which reading: has a problem, is skipped, is sent
back, is corrected by a reviewer."""


class Play:
    """One round.

    Parameters
    ----------
    founded : Founded
        The study.
    people : dict of str to Account
        Everybody.
    book : Book
        What is acknowledged.
    """

    def __init__(self, founded: Founded, people: dict[str, Account], book: Book) -> None:
        self.founded, self.people, self.book = founded, people, book
        self.is_read = threading.Event()

    def key(self, at: tuple[int, str]) -> tuple[str, str]:
        number, slot = at
        return self.founded.cases[number], slot

    # -- annotators ----------------------------------------------------------------------

    def read(self, code: str, most: int = 99) -> None:
        """Read what is offered until nothing is; at most so many readings."""
        account, done = self.people[code], 0
        for _ in range(_MOST):
            if done >= most:
                return
            offered = self.ask(
                account, "project", "next", self.founded.study, "--begin", "--json"
            )
            if offered is None:
                continue
            if not offered.json()["next"]:
                return
            one = offered.json()["next"][0]
            done += self.read_one(account, one["case"], one["slot"])
        self.book.fault(f"{code} was still at it after {_MOST} commands")

    def read_one(self, account: Account, case: str, slot: str) -> bool:
        """Draw and submit; return whether it was acknowledged."""
        study = self.founded.study
        for at, step in ((PROBLEM, "problem"), (SKIP, "skip")):
            if (case, slot) == self.key(at) and self.book.take(step):
                if step == "skip":
                    self.book.must[case, slot] = "skipped"
                words = ("project", "claim", study, case, "--slot", slot, f"--{step}")
                if self.ask(account, *words, "--reason", "OTHER") is None:
                    self.book.forget(step)
                    return False
                return True
        turn = self.book.turn(case, slot)
        if slot not in self.founded.slots:  # gold, or read again: nobody reviews it
            self.book.must[case, slot] = "submitted"
            turn += AGAIN * self.book.has_drawn(account.code, case, slot)
        drawn = account.module("tests.study.painting", study, case, slot, turn)
        if not self.lives(account, drawn, "painting"):
            return False
        told = self.ask(account, "project", "submit", study, case, "--slot", slot, "--json")
        if told is None:
            return False
        self.book.submitted(study, told.json(), account.code, turn)
        return True

    # -- reviewers -----------------------------------------------------------------------

    def review(self, code: str) -> None:
        """Review what waits, until everybody has read and nothing waits."""
        account, study = self.people[code], self.founded.study
        for _ in range(_MOST):
            is_over = self.is_read.is_set()
            listed = self.ask(account, "project", "next", study, "--review", "--all", "--json")
            if listed is None:
                continue
            waiting = [(one["case"], one["slot"]) for one in listed.json()["next"]]
            if not waiting and is_over:
                return
            if not waiting:
                time.sleep(3.0)
            # Two reviewers begin at two ends of the list.
            for case, slot in waiting[:2] if code == "r04" else waiting[-2:]:
                self.review_one(account, case, slot)
        self.book.fault(f"{code} was still at it after {_MOST} commands")

    def review_one(self, account: Account, case: str, slot: str) -> None:
        words = ("project", "review", self.founded.study, case, "--slot", slot)
        if (case, slot) == self.key(REJECT) and self.book.take("reject"):
            self.book.next_turn(case, slot)
            self.ask(account, *words, "--begin")
            given = ("--reject", "--reason", "QA_FEEDBACK", "--labels", 1, "--tags", "boundary")
            if self.ask(account, *words, *given) is None:
                self.book.forget("reject")
            return
        if (case, slot) == self.key(CORRECT) and self.book.take("correct"):
            if not self.correct(account, case, slot):
                self.book.forget("correct")
            return
        self.ask(account, *words, "--score", 5)

    def correct(self, account: Account, case: str, slot: str) -> bool:
        """Put another mask in the place of the reader's; the other reviewer approves it."""
        words = ("project", "review", self.founded.study, case, "--slot", slot)
        if self.ask(account, *words, "--begin") is None:
            return False
        scan = nib.load(scan_of(self.founded.study, case))
        masks = write_masks(account.folder / "corrected", scan, case, account.code, CORRECTED)
        told = self.ask(account, *words, "--correct", *masks, "--json")
        # Who was killed looks at how it stands before trying again.
        shown = told.json() if told is not None else self.line(account, case, slot)
        if shown is None or shown["state"] != "corrected":
            return False
        self.book.submitted(self.founded.study, shown, account.code, CORRECTED)
        return True

    def line(self, account: Account, case: str, slot: str) -> dict[str, object] | None:
        """Return how a reading stands, as the command line says it."""
        shown = account.medlabel("project", "status", self.founded.study, "--json")
        if shown.killed:
            return None
        lines = shown.json()["lines"]
        return next(one for one in lines if (one["case"], one["slot"]) == (case, slot))

    # -- the same again -------------------------------------------------------------------

    def read_again(self) -> None:
        """Let days pass, and everybody read what they are served a second time."""
        for account in self.people.values():
            account.days = REPEAT_DAYS + 1
        readers = [threading.Thread(target=self.read, args=(code,)) for code in ANNOTATORS]
        for thread in readers:
            thread.start()
        for thread in readers:
            thread.join()

    # -- everybody -----------------------------------------------------------------------

    def until(self, account: Account, *words: object) -> Done:
        """Run a command until it does what it is told, as a person would after some time."""
        for _ in range(_MOST):
            done = self.ask(account, *words)
            if done is not None:
                return done
            time.sleep(1.0)
        raise AssertionError(f"{' '.join(map(str, words[:2]))}: never done")

    def ask(self, account: Account, *words: object) -> Done | None:
        """Run a command; None where it was killed, or refused as somebody was faster."""
        done = account.medlabel(*words)
        return done if self.lives(account, done, " ".join(map(str, words[:2]))) else None

    def lives(self, account: Account, done: Done, what: str) -> bool:
        if done.killed:
            self.book.killed(f"{account.code} {what}")
        elif done.code == 3:
            self.book.refused.append(f"{account.code} {what}: {done.err.strip()}")
        elif done.code:
            self.book.fault(f"{account.code} {what}: exit code {done.code}: {done.err[-600:]}")
        return done.code == 0

    def all_read_and_review(self) -> None:
        """Let everybody work at once, until nothing is offered to anybody."""
        self.is_read.clear()
        readers = [threading.Thread(target=self.read, args=(code,)) for code in ANNOTATORS]
        others = [threading.Thread(target=self.review, args=(code,)) for code in REVIEWERS]
        for thread in (*readers, *others):
            thread.start()
        for thread in readers:
            thread.join()
        self.is_read.set()
        for thread in others:
            thread.join()


def scan_of(study: Path, case: str) -> Path:
    """Return the scan of a case."""
    return next(study.glob(f"sub-*/**/{case}.nii.gz"))


def age_claim(study: Path, case: str, slot: str, days: int = 3) -> None:
    """Make a claim look as if its holder had given no sign of life for days."""
    path = study / "medlabel" / "claims" / f"{case}.{slot}.json"
    claim = json.loads(path.read_bytes())
    then = datetime.now(UTC) - timedelta(days=days)
    claim["since"] = claim["alive"] = then.isoformat(timespec="seconds")
    path.write_text(json.dumps(claim))


def rng_of(*words: object) -> np.random.Generator:
    """Return the generator of some words."""
    return np.random.default_rng([*" ".join(map(str, words)).encode()])
