"""What the script knows: what was acknowledged to whom, and how each reading must stand."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

Key = tuple[str, str]
"""A reading: case and slot."""


@dataclass(frozen=True)
class Drawn:
    """A mask that somebody submitted, and was told so.

    Parameters
    ----------
    case, slot : str
        Of which reading.
    rater : str
        In whose data set it lies.
    version : int
        Its number there.
    content : str
        Content id, as the command said.
    turn : int
        Which drawing it is.
    files : dict of str to str
        SHA-256 of each of its files at that moment, by name.
    """

    case: str
    slot: str
    rater: str
    version: int
    content: str
    turn: int
    files: dict[str, str] = field(hash=False)


@dataclass
class Book:
    """Kept by the script, in memory, where no kill reaches it.

    Attributes
    ----------
    drawn : list of Drawn
        Every acknowledged submission and correction.
    turns : dict
        Which drawing a reading is at.
    must : dict
        In which state a reading must be at the end; approved where nothing is said.
    once : set of str
        What of the script has been done.
    faults : list of str
        What was not as it must be.
    """

    drawn: list[Drawn] = field(default_factory=list)
    turns: dict[Key, int] = field(default_factory=dict)
    must: dict[Key, str] = field(default_factory=dict)
    once: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, what: str) -> bool:
        """Return whether something of the script is still to be done, and note it as begun."""
        with self._lock:
            if what in self.once:
                return False
            self.once.add(what)
            return True

    def forget(self, what: str) -> None:
        """Note that it was not done: its process was killed."""
        with self._lock:
            self.once.discard(what)

    def turn(self, case: str, slot: str) -> int:
        return self.turns.get((case, slot), 1)

    def has_drawn(self, rater: str, case: str, slot: str) -> bool:
        """Return whether somebody has submitted another reading of a case."""
        with self._lock:
            return any(
                (one.rater, one.case) == (rater, case) and one.slot != slot
                for one in self.drawn
            )

    def next_turn(self, case: str, slot: str) -> None:
        with self._lock:
            self.turns[case, slot] = self.turn(case, slot) + 1

    def submitted(self, study: Path, drawn: dict[str, object], rater: str, turn: int) -> None:
        """Note what the program acknowledged, with the bytes that lie there now."""
        case, slot = str(drawn["case"]), str(drawn["slot"])
        number = int(str(drawn["version"]))
        files = digests(study, rater, case, number)
        one = Drawn(
            case, slot, rater, number, _content(study, rater, case, number), turn, files
        )
        with self._lock:
            self.drawn.append(one)

    def fault(self, words: str) -> None:
        with self._lock:
            self.faults.append(words)

    def killed(self, what: str) -> None:
        with self._lock:
            self.kills[what] = self.kills.get(what, 0) + 1


def _content(study: Path, rater: str, case: str, number: int) -> str:
    paths = version_files(study, rater, case, number)
    sidecar = next(path for path in paths if path.name.endswith("_dseg.json"))
    return str(json.loads(sidecar.read_bytes())["mask"]["content_id"])


def version_files(study: Path, rater: str, case: str, number: int) -> list[Path]:
    """Return the files of a version, found by name and by nothing of the program's."""
    stem, _, suffix = case.rpartition("_")
    pattern = f"{stem}_desc-{suffix}v{number:03d}_*"
    return sorted((study / "derivatives" / f"medlabel-{rater}").rglob(pattern))


def digests(study: Path, rater: str, case: str, number: int) -> dict[str, str]:
    """Return the SHA-256 of each file of a version, by name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in version_files(study, rater, case, number)
        if not path.name.startswith(".")
    }
