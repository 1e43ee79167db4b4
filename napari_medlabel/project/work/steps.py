"""Steps of the work as the log has them: from each sealed record what the worklist needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verify import session_paths
from napari_medlabel.project.work.rulings import Ruling, ruling_of
from napari_medlabel.project.work.states import Action

ACTIONS: Final[Mapping[str, Action]] = {
    "study.start": "start",
    "study.release": "release",
    "review.submit": "submit",
    "study.withdraw": "withdraw",
    "study.skip": "skip",
    "study.problem": "problem",
    "study.resume": "resume",
    "review.begin": "begin_review",
    "review.leave": "leave_review",
    "review.approve": "approve",
    "review.reject": "reject",
    "review.correct": "correct",
    "review.unlock": "unlock",
    "study.outdate": "outdate",
    "study.confirm": "confirm",
    "study.settle": "settle",
}
"""What each event does to a reading. Nobody writes that two collide: it is found."""
EVENTS: Final[Mapping[Action, str]] = {action: event for event, action in ACTIONS.items()}

_SAVES: Final = frozenset({"mask.create", "mask.save", "mask.restore"})
_BESIDE: Final = ("answers", "landmarks", "boxes")
"""What lies beside the masks of a version, as the log names it by digests."""


@dataclass(frozen=True)
class Step:
    """One step on a reading.

    Parameters
    ----------
    case : str
        Content id of the scan.
    slot : str
        ``A`` to ``H``, or ``consensus``.
    number : int
        One more than the steps its author knew of.
    action : str
        What was done.
    user : str
        Token of who did it.
    time : str
        When, by that computer's clock: to be shown, never to order by.
    content : str
        Content id of the mask it is about; empty where there is none.
    version : int
        Number of that version; 0 where there is none.
    reason : str
        A code, where one was given.
    detail : mapping
        The event's detail.
    sheets : tuple of str
        Content ids of the masks of further layers, by layer.
    """

    case: str
    slot: str
    number: int
    action: Action
    user: str
    time: str
    content: str = ""
    version: int = 0
    reason: str = ""
    detail: Mapping[str, Any] | None = None
    sheets: tuple[str, ...] = ()

    @property
    def says(self) -> tuple[str, ...]:
        """What two copies of one step have in common: who did what, to all that was made."""
        detail = self.detail or {}
        beside = (str(detail.get(kind, "")) for kind in _BESIDE)
        return self.action, self.user, self.content, *beside, *self.sheets

    @property
    def masks(self) -> tuple[str, ...]:
        """Content ids of the masks of all layers, the first layer's first."""
        return (self.content, *self.sheets) if self.content else ()


def step_of(record: Mapping[str, Any]) -> Step | None:
    """Return the step that a record is, None where it is none of a study's."""
    action = ACTIONS.get(record["event"])
    detail = record["detail"]
    if action is None or "slot" not in detail or "step" not in detail or "case" not in detail:
        return None
    new = [ref["id"] for ref in record["object"] if ref["role"] == "new"]
    reason = record.get("reason") or {}
    return Step(
        detail["case"],
        detail["slot"],
        int(detail["step"]),
        action,
        record["actor"]["user"],
        record["time"],
        new[0] if new else "",
        int(detail.get("version", 0)),
        reason.get("code", "") if isinstance(reason, Mapping) else str(reason),
        detail,
        tuple(new[1:]),
    )


class StepReader:
    """Reads the steps of a log again and again; what has not changed is read once.

    Only what a session has sealed counts. What stands after a torn last line was never promised
    to anybody, so nothing is lost with it.

    Parameters
    ----------
    root : Path
        Folder of the log.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, tuple[tuple[int, int], _Held]] = {}

    def read(self) -> tuple[Step, ...]:
        """Return all steps, in no order: numbers order them."""
        found: list[Step] = []
        for path in session_paths(self._root):
            status = path.stat()
            state = (status.st_size, status.st_mtime_ns)
            known = self._known.get(path)
            if known is None or known[0] != state:
                known = self._known[path] = (state, _held_in(path))
            found += known[1].steps
        return tuple(found)

    def rulings(self) -> tuple[Ruling, ...]:
        """Return what anybody told the log of the study's rules, in no order."""
        self.read()
        return tuple(one for _, held in self._known.values() for one in held.rulings)

    def saves(self) -> tuple[Save, ...]:
        """Return who saved masks of which cases, submitted or not, in no order."""
        self.read()
        return tuple(one for _, held in self._known.values() for one in held.saves)

    def same_as(self, user: str) -> frozenset[str]:
        """Return the tokens that the log proves to be of one account with this one.

        Whoever makes a new token key goes on under another token, ``u2-...`` after ``u1-...``.
        Where a writer of the log, one computer's memory with one signing key, has never had
        more than one token under each key, they are one account's. Where several accounts share
        a memory nothing is proved, and nothing is returned but the token.

        Parameters
        ----------
        user : str
            A token.
        """
        return self.kin().get(user, frozenset({user}))

    def kin(self) -> dict[str, frozenset[str]]:
        """Return all tokens of an account by each of them, see `same_as`."""
        self.read()
        writers: dict[str, set[str]] = {}
        for path, (_, held) in self._known.items():
            if name := held.user:
                writer = path.relative_to(self._root / "writers").parts[0]
                writers.setdefault(writer, set()).add(name)
        found: dict[str, frozenset[str]] = {}
        for tokens in writers.values():
            keys = {one.partition("-")[0] for one in tokens}
            if len(keys) == len(tokens):
                for one in tokens:
                    found[one] = found.get(one, frozenset()) | tokens
        return found


def log_steps(root: Path) -> tuple[Step, ...]:
    """Return all steps of a log once; see `StepReader`."""
    return StepReader(root).read()


class Save(NamedTuple):
    """Somebody saved a mask of a case: case and token as in `Step`, and when."""

    case: str
    user: str
    time: str


class _Held(NamedTuple):
    """What is remembered of a session."""

    steps: tuple[Step, ...]
    rulings: tuple[Ruling, ...]
    user: str
    saves: tuple[Save, ...]


def _held_in(path: Path) -> _Held:
    """Return the steps and rulings of a session, and the token of who it was."""
    found: list[Step] = []
    rulings: list[Ruling] = []
    users: list[str] = []
    saves: list[Save] = []

    def seen(_line: int, record: Any) -> None:
        if not users:
            users.append(record["actor"]["user"])
        step = step_of(record)
        if step is not None:
            found.append(step)
        ruling = ruling_of(record)
        if ruling is not None:
            rulings.append(ruling)
        if record["event"] in _SAVES and "case" in record["detail"]:
            saves.append(
                Save(record["detail"]["case"], record["actor"]["user"], record["time"])
            )

    check_session(path, path.name, seen, quick=True)
    return _Held(tuple(found), tuple(rulings), "".join(users), tuple(saves))
