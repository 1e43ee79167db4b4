"""Draws of a study, each told to the log once; and quick scores of the readings drawn.

A draw hangs on the study's seed and on names: whoever has the folder draws the same. Its line
in the log says that it was made, of how many, and when: no one can draw until it suits them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verify import session_paths
from napari_medlabel.audit.disk import one_at_a_time
from napari_medlabel.audit.format.event import Event
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.files import make_folder
from napari_medlabel.project.layout import CONSENSUS, CaseId, require_there
from napari_medlabel.project.sampling import Statement, draw, is_drawn, least_sample, statement
from napari_medlabel.project.work.fold import CaseRow, SlotState, Worklist
from napari_medlabel.session.study.blind import require_may_see
from napari_medlabel.session.study.seat import Seat, require_role, take_step, worklist
from napari_medlabel.session.study.serving import is_test

BAD_IMAGE: Final = 0
"""Score of a reading that cannot be judged."""
GOOD: Final = 4
"""Least score that is no fault."""
_FINISHED: Final = frozenset({"submitted", "in_review", "corrected", "approved"})
_RATE: Final = 0.05

_TOLD: Final[set[tuple[str, ...]]] = set()
"""What this process has told or found told: the log never forgets, so neither need it."""

Name = tuple[CaseId, str]


def tell_review_draw(seat: Seat, listed: Worklist) -> bool:
    """Tell the log once which share of the study's readings is drawn for review.

    All readings that there are to be count, each in its first round: the draw does not wait
    for anybody. It is told anew when cases came or the rules changed.

    Parameters
    ----------
    listed : Worklist
        As it is now.

    Returns
    -------
    bool
        Whether it was told now: not where all are reviewed, nor where it was told before.

    Raises
    ------
    LogError
        When the log cannot be written.
    """
    share, seed = seat.settings.review_share, seat.settings.seed
    if share >= 1.0 or not listed.rows:
        return False
    keys = [f"{row.content}\n{slot}\n1" for row in listed.rows for slot in seat.settings.slots]
    drawn = sum(is_drawn(seed, "review", key, share) for key in keys)
    return _tell_once(seat, {"kind": "review", "seed": seed, "drawn": drawn, "of": len(keys)})


@dataclass(frozen=True)
class Sample:
    """Finished readings drawn at random, and how they were scored.

    Parameters
    ----------
    seed : int
        Of the draw.
    of : int
        How many it was drawn from.
    readings : tuple of (CaseId, str)
        Case and slot, in the order drawn: the first ones are a random sample, too.
    scores : mapping
        0 for an image that cannot be judged, 1 (unusable) to 5 (perfect), by reading.
    """

    seed: int
    of: int
    readings: tuple[Name, ...]
    scores: Mapping[Name, int]

    @property
    def left(self) -> tuple[Name, ...]:
        """What is not scored yet, in the order drawn."""
        return tuple(one for one in self.readings if one not in self.scores)

    @property
    def unjudged(self) -> int:
        """How many could not be judged."""
        return sum(score == BAD_IMAGE for score in self.scores.values())

    def statement(self) -> Statement:
        """Return what the scores given say about all that it was drawn from."""
        judged = [score for score in self.scores.values() if score != BAD_IMAGE]
        return statement(len(judged), sum(score < GOOD for score in judged))

    def words(self) -> str:
        """Say what was drawn, what is left, and what the scores support."""
        said = f"{len(self.readings)} of {self.of} finished readings drawn, seed {self.seed}"
        said += f"; {len(self.left)} not scored yet." if self.left else "; all are scored."
        if self.unjudged:
            said += f" {self.unjudged} could not be judged and say nothing."
        return f"{said} {self.statement().words()}"

    def detail(self) -> dict[str, object]:
        """Return what ``study.draw`` says of it."""
        drawn = {"kind": "sample", "seed": self.seed, "drawn": len(self.readings)}
        return {**drawn, "of": self.of}


def usual_size() -> int:
    """Return how many without a fault show that fewer than 5 % are faulty, with 95 %."""
    return least_sample(_RATE)


def draw_sample(seat: Seat, count: int | None = None, *, seed: int | None = None) -> Sample:
    """Draw finished readings that this reviewer may judge, and tell the log so once.

    Drawn again after some were scored it is the same sample: what was scored stays in it
    until it is submitted anew.

    Parameters
    ----------
    count : int, optional
        How many; `usual_size` by default.
    seed : int, optional
        The study's by default.

    Raises
    ------
    RefusedError
        When the rater is no reviewer.
    InputError
        When nothing is finished that they may judge, or count or seed is below 0.
    LogError
        When the log cannot be written: then nothing is drawn.
    """
    require_role(seat, "reviewer")
    sample = _sample(seat, count, seat.settings.seed if seed is None else seed)
    _tell_once(seat, sample.detail())
    return sample


def tell_statement(seat: Seat, sample: Sample) -> Sample:
    """Tell the log once how many of a sample were judged and faulty; return it as it stands.

    Raises
    ------
    LogError
        When the log cannot be written.
    """
    now = _sample(seat, len(sample.readings), sample.seed)
    said = now.statement()
    if said.checked:
        found = {"checked": said.checked, "faulty": said.faulty}
        _tell_once(seat, {**now.detail(), **found})
    return now


def told(seat: Seat, event: str) -> Iterator[Mapping[str, Any]]:
    """Yield the sealed records of one kind of event in the study's log, in no order."""
    wanted = f'"{event}"'.encode()
    for path in session_paths(seat.layout.audit):
        if wanted not in path.read_bytes():
            continue
        found: list[Mapping[str, Any]] = []

        def seen(_line: int, record: Any, found: list[Mapping[str, Any]] = found) -> None:
            if record["event"] == event:
                found.append(record)

        check_session(path, path.name, seen, quick=True)
        yield from found


def _tell_once(seat: Seat, detail: Mapping[str, object]) -> bool:
    key = (str(seat.layout.root.resolve()), *(f"{k}={v}" for k, v in sorted(detail.items())))
    if key in _TOLD:
        return False
    require_there(seat.layout)
    make_folder(seat.layout.claims)
    with one_at_a_time(seat.layout.claims / ".draw.lock"):
        is_told = any(
            dict(record["detail"]) == dict(detail) for record in told(seat, "study.draw")
        )
        if not is_told:
            take_step(seat, Event("study.draw", (), (), detail))
    _TOLD.add(key)
    return not is_told


def _sample(seat: Seat, count: int | None, seed: int) -> Sample:
    if seed < 0:
        raise InputError("A seed is a whole number from 0.", hint="Give another one.")
    given = _given(seat)
    found: dict[str, Name] = {}
    scores: dict[Name, int] = {}
    for row in worklist(seat).rows:
        for slot, now in row.slots.items():
            score = _score_of(seat, row, slot, now, given)
            is_there = now.state in _FINISHED or score is not None
            # What tests its reader is none of the study's readings, and in no review.
            is_own = slot != CONSENSUS and not is_test(seat.settings, slot)
            if not (is_own and is_there and _may_judge(seat, row, now)):
                continue
            found[f"{row.content}\n{slot}"] = (row.case, slot)
            if score is not None:
                scores[row.case, slot] = score
    if not found:
        raise InputError(
            "No finished reading of this study is there that you may judge.",
            hint="What you read yourself, or are still reading, is others' to judge.",
        )
    keys = draw(seed, "sample", found, usual_size() if count is None else count)
    names = tuple(found[key] for key in keys)
    return Sample(seed, len(found), names, {n: scores[n] for n in names if n in scores})


def _may_judge(seat: Seat, row: CaseRow, now: SlotState) -> bool:
    if seat.users & {now.user, now.maker}:
        return False
    try:
        require_may_see(seat, row, seat.code_of(now.maker))
    except RefusedError:
        return False
    return True


def _given(seat: Seat) -> dict[tuple[object, ...], list[tuple[str, int]]]:
    """Return all quick scores: who gave which, by case, slot, round and version."""
    found: dict[tuple[object, ...], list[tuple[str, int]]] = {}
    for record in told(seat, "study.score"):
        detail = record["detail"]
        key = tuple(detail.get(name) for name in ("case", "slot", "round", "version"))
        found.setdefault(key, []).append((record["actor"]["user"], int(detail["score"])))
    return found


def _score_of(
    seat: Seat,
    row: CaseRow,
    slot: str,
    now: SlotState,
    given: Mapping[tuple[object, ...], list[tuple[str, int]]],
) -> int | None:
    """Return the score of what counts now: one's own, else the worst of others."""
    scores = given.get((row.content, slot, now.rounds, now.version), [])
    own = [score for user, score in scores if user in seat.users]
    if own:
        return own[-1]
    if scores:
        return min(score for _, score in scores)
    return now.likert or None
