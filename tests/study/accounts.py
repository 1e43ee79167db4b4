"""People of the scripted study: each with a computer of their own, each command a process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.study.nursery import LONGEST_S, Ended, Wish, run_alone

ROOT = Path(__file__).parents[2]
ANNOTATORS = ("r01", "r02", "r03")
REVIEWERS = ("r04", "r05")
MANAGER = "m1"
STRANGER = "x1"
"""Somebody without a place in the study: who verifies what was released."""
WITNESS = "w1"
EVERYBODY = (MANAGER, *ANNOTATORS, *REVIEWERS)


@dataclass(frozen=True)
class Done:
    """What became of a command.

    Parameters
    ----------
    code : int
        Its exit code; below 0 where it was killed.
    out, err : str
        What it printed.
    """

    code: int
    out: str = field(repr=False)
    err: str

    @property
    def killed(self) -> bool:
        return self.code < 0

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Death:
    """When a process is killed.

    Parameters
    ----------
    after_s : float
        Seconds after it began; 0 for not by the clock.
    at_step : int
        Before which of its changes to files; 0 for not by a change.
    """

    after_s: float = 0.0
    at_step: int = 0


LIVES = Death()
Begin = Callable[[Wish, float], Ended]
Fate = Callable[[str, str], Death]
"""Takes a code and the words of a command; says when its process is killed."""


def nobody_dies(_code: str, _words: str) -> Death:
    """Kill nobody."""
    return LIVES


class Account:
    """One person's account on their own computer.

    Parameters
    ----------
    code : str
        Code in the study.
    base : Path
        Folder of the whole campaign: the study, and a folder for each computer.
    fate : callable
        Who is killed when.
    begin : callable
        Runs a command in a process, and kills it after so many seconds.

    Attributes
    ----------
    days : int
        How many days later it is for who sits there.
    cpu_s : float
        What processes of a nursery used.
    """

    def __init__(
        self, code: str, base: Path, fate: Fate = nobody_dies, begin: Begin = run_alone
    ) -> None:
        self.code, self.base, self.fate, self.begin = code, base, fate, begin
        self.folder = base / f"pc-{code}"
        self.study = base / "study"
        self.kills = self.days = 0
        self.cpu_s = 0.0

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def key(self) -> Path:
        """The private key of the workstation, or of the witness; made by `founding`."""
        return self.folder / "key.pem"

    @property
    def writer(self) -> str:
        """Who this computer is in the log."""
        return (self.state / "writer").read_text().strip()

    def environment(self) -> dict[str, str]:
        spared = {"PYTHONDONTWRITEBYTECODE", "MEDLABEL_INSTALL_KEY"}
        own = {
            "LOGNAME": self.code,
            "MEDLABEL_STATE_DIR": str(self.state),
            "MEDLABEL_AUDIT_DIR": str(self.folder / "audit"),
            "MEDLABEL_OFFICER_PASSPHRASE_FILE": str(self.folder / "officer.txt"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "PYTHONPATH": str(ROOT),
            "PYTHONPYCACHEPREFIX": str(self.base / "compiled"),
            "PYTHONWARNINGS": "ignore",
            "MEDLABEL_STUDY_BASE": str(self.base),
            "MEDLABEL_DEBUG": "1",  # these scans are nobody's, and a fault must be found
        }
        if self.key.exists():
            own["MEDLABEL_INSTALL_KEY"] = str(self.key)
        kept = {name: word for name, word in os.environ.items() if name not in spared}
        return {**kept, **own}

    def medlabel(self, *words: object, fate: Fate | None = None) -> Done:
        """Run ``python -m napari_medlabel`` in a process, perhaps to be killed in it."""
        return self._run("napari_medlabel", [str(word) for word in words], fate)

    def module(self, name: str, *words: object, fate: Fate | None = None) -> Done:
        """Run another module in a process of this account, perhaps to be killed in it."""
        return self._run(name, [str(word) for word in words], fate)

    def must(self, *words: object) -> Done:
        """Run a command that nobody kills and that must do what it is told."""
        done = self.medlabel(*words, fate=nobody_dies)
        if done.code:
            said = f"{' '.join(map(str, words[:2]))}: exit code {done.code}: {done.err[-800:]}"
            raise AssertionError(said)
        return done

    def _run(self, module: str, words: list[str], fate: Fate | None) -> Done:
        death = (fate or self.fate)(self.code, f"{module} {' '.join(words[:2])}")
        wish = Wish(
            module, tuple(words), str(self.folder), self.environment(), death.at_step, self.days
        )
        end = self.begin(wish, death.after_s or LONGEST_S)
        self.kills += end.code < 0
        self.cpu_s += end.cpu_s
        return Done(end.code, end.out, end.err)
