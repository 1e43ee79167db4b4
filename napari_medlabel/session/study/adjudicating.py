"""An open adjudication: decisions in their document, and a session's mask that follows them.

The decisions are what counts; the session only shows what they come to. Whoever closes it
without saving loses nothing, and it lies in a folder apart from any reading of one's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from napari_medlabel.edit.boxes import hull
from napari_medlabel.edit.patch import Patch, Step
from napari_medlabel.errors import InputError, RefusedError, SaveError
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.project.agreement.adjudication import (
    Adjudication,
    Decision,
    MarkDecision,
    edited,
    outcome,
)
from napari_medlabel.project.agreement.differences import Difference
from napari_medlabel.project.agreement.landmarks import (
    OWN,
    agreed_landmarks,
    all_landmarks,
    choice_at,
)
from napari_medlabel.project.agreement.staple import LEAST_RATERS
from napari_medlabel.project.layout import CaseId
from napari_medlabel.session.case import WHOLE, Session
from napari_medlabel.session.study.agreeing import agreed_answers, save_decisions
from napari_medlabel.session.study.disputes import Prepared
from napari_medlabel.session.study.seat import Seat

STEP_NAME: Final = "Show decisions"


class Adjudicating:
    """The adjudication of one case at one window; touched by one thread.

    Parameters
    ----------
    seat : Seat
        The adjudicator's.
    case : CaseId
        The case.
    session : Session
        Opened by `open_to_adjudicate`.
    prepared : Prepared
        Of the same case.
    """

    changed = Signal(object)
    """Numbers of the differences that are decided anew; empty for landmarks and answers."""
    failed = Signal(object)
    """Decisions that a hand took could not be kept: an error; the next one is tried again."""

    def __init__(self, seat: Seat, case: CaseId, session: Session, prepared: Prepared) -> None:
        self.seat, self.case, self.session = seat, case, session
        self.readings, self.differences = prepared.readings, prepared.differences
        self.work = prepared.work
        self.staple = prepared.staple
        self.slots = self.differences.readers
        self._sets = [one.landmarks for one in prepared.readings]
        self._limit_mm = seat.settings.thresholds.landmark_mm
        self._tried: dict[int, list[Decision | None]] = {}
        self._turns: dict[int, tuple[Step, dict[int, _Turn]]] = {}
        self._own = False  # whether this object makes the step
        self._kept = True  # whether the decisions are in their document
        session.edit(WHOLE, prepared.answer, name=STEP_NAME)
        session.set_landmarks(self.marks().merged_into(session.landmarks), name=STEP_NAME)
        session.begin_anew()  # what was decided before is no step of today: it stands
        self._last, self._next = session.history.peek(-1), session.history.peek(1)
        self._keep(None)
        session.history_changed.connect(self._on_history)
        session.landmarks_changed.connect(self._on_landmarks)

    def close(self) -> None:
        """Let go of the session; every decision is in its document."""
        self.session.bench.keep_within(None)
        self.session.history_changed.disconnect(self._on_history)
        self.session.landmarks_changed.disconnect(self._on_landmarks)

    @property
    def is_kept(self) -> bool:
        """Whether all that was done is on the disk; measurements are no decisions."""
        same = self.session.measurements == self.session.saved_measurements
        return self._kept and same

    # -- what stands ---------------------------------------------------------------------

    @property
    def open(self) -> tuple[Difference, ...]:
        """The differences without a decision."""
        return self.work.open(self.differences)

    def why_not(self, choice: str) -> str:
        """Say why a choice cannot be made here; empty when it can."""
        if choice in ("majority", "staple") and len(self.slots) < LEAST_RATERS:
            return (
                f"Two readings are adjudicated, never voted on: {choice} needs three or more."
            )
        return ""

    def marks(self) -> LandmarkSet:
        """Return the landmarks that the decisions come to."""
        found, _ = agreed_landmarks(
            self._sets, self._limit_mm, names=self.slots, decided=self.work.marks
        )
        return LandmarkSet() if found is None else found

    def mark_rows(self) -> tuple[Landmark, ...]:
        """Return all landmarks that a reading has, as the first one defines them."""
        return all_landmarks(self._sets).landmarks

    def answers(self) -> dict[str, object]:
        """Return the answers that the decisions come to."""
        return agreed_answers(self.readings, self.work.answers)

    # -- decisions -----------------------------------------------------------------------

    def decide(self, numbers: Iterable[int], choice: str) -> None:
        """Decide differences for a reading or by a rule; kept at once, and shown in the mask.

        Parameters
        ----------
        numbers : iterable of int
            Which.
        choice : str
            A slot, ``union``, ``intersection``, ``majority`` or ``staple``, for which `staple`
            must be there.

        Raises
        ------
        RefusedError, InputError
            When that cannot be decided here; nothing is.
        SaveError
            When the decision cannot be kept; it is not made then.
        """
        why = self.why_not(choice)
        if why:
            raise RefusedError(why, hint="Take a reading, a union, or draw it.")
        if choice == "staple" and self.staple is None:
            raise InputError(
                "STAPLE was not computed yet.", hint="Compute it first; it takes a while."
            )
        time = self.seat.desk.time()
        self._decide(dict.fromkeys(numbers, Decision(choice, time)), f"Take {choice}")

    def keep_as_drawn(self, number: int) -> None:
        """Decide a difference as it stands in the mask now: it is then drawn by hand.

        Raises
        ------
        SaveError
            When the decision cannot be kept; it is not made then.
        """
        self._decide({number: self._drawn(number)}, "Draw")

    def take_back(self, numbers: Iterable[int]) -> None:
        """Leave differences open again.

        Raises
        ------
        SaveError
            When that cannot be kept; the decisions stand then.
        """
        self._decide(dict.fromkeys(numbers), "Take decisions back")

    def draw_in(self, number: int | None) -> None:
        """Bound drawing to a difference; None: to all of them, and to nothing else."""
        self._keep(number)

    def decide_mark(self, name: str, choice: str) -> None:
        """Decide a landmark for a reading or the middle; empty takes the decision back.

        Raises
        ------
        SaveError
            When the decision cannot be kept; it is not made then.
        """
        marks = {at: one for at, one in self.work.marks.items() if at != name}
        if choice:
            marks[name] = MarkDecision(choice, self.seat.desk.time())
        self._save(replace(self.work, marks=marks))
        self._show_marks()
        self.changed.emit(())

    def decide_answer(self, question: str, slot: str) -> None:
        """Decide whose answer stands; empty takes the decision back.

        Raises
        ------
        SaveError
            When the decision cannot be kept; it is not made then.
        """
        answers = {at: one for at, one in self.work.answers.items() if at != question}
        if slot:
            answers[question] = slot
        self._save(replace(self.work, answers=answers))
        self.changed.emit(())

    def _decide(self, wanted: Mapping[int, Decision | None], name: str) -> None:
        self.session.reconcile()
        turns = {n: _Turn(self.work.decisions.get(n), one) for n, one in wanted.items()}
        work = _turned(self.work, wanted)
        values = {n: self._value(work, n) for n in wanted}
        self._save(work)
        if not values:
            return
        box = hull([self.differences.found[n].box for n in values])
        after = self.session.labels.array[box].T.copy().T
        origin = [part.start for part in box]
        for number, value in values.items():
            one = self.differences.found[number]
            inner = tuple(
                slice(part.start - at, part.stop - at)
                for part, at in zip(one.box, origin, strict=True)
            )
            mask = self.differences.mask(number)
            after[inner][mask] = value[mask] if isinstance(value, np.ndarray) else value
        self._own = True
        try:
            patch = self.session.edit(box, after, name=name)
        finally:
            self._own = False
        self._remember(turns)
        if patch is not None:
            self._turns[id(patch)] = patch, turns
        self._look()
        self.changed.emit(tuple(wanted))

    def _value(self, work: Adjudication, number: int) -> int | npt.NDArray[Any]:
        """Return the label of a difference by its decision, or labels of its whole box."""
        one = self.differences.found[number]
        choice = work.choice(one)
        if choice == "edited":
            return self.session.labels.array[one.box].T.copy().T
        if choice == "staple" and self.staple is not None:
            return np.asarray(self.staple[one.box])
        return (outcome(one, choice, self.slots) if choice else None) or 0

    def _drawn(self, number: int) -> Decision:
        time = self.seat.desk.time()
        return edited(self.differences, number, self.session.labels.array, time)

    def _save(self, work: Adjudication) -> None:
        save_decisions(self.seat, self.case, work)
        self.work, self._kept = work, True

    def _remember(self, turns: Mapping[int, _Turn]) -> None:
        for number, turn in turns.items():
            self._tried.setdefault(number, [turn.before]).append(turn.after)

    # -- what a hand does ----------------------------------------------------------------

    def _look(self) -> None:
        self._last, self._next = self.session.history.peek(-1), self.session.history.peek(1)

    def _on_history(self) -> None:
        """Make decisions of what was drawn, or undone."""
        if self._own:
            return
        last, following = self.session.history.peek(-1), self.session.history.peek(1)
        old, ahead = self._last, self._next
        self._look()
        if last is old and following is ahead:
            return  # saved, or another name in the scheme
        if following is old and old is not None:
            self._walked(old, back=True)
        elif last is ahead and ahead is not None:
            self._walked(ahead, back=False)
        elif isinstance(last, Patch):
            turns = {
                n: _Turn(self.work.decisions.get(n), self._drawn(n))
                for n in self._touched(last)
            }
            self._turns[id(last)] = last, turns
            self._follow({n: turn.after for n, turn in turns.items()})

    def _walked(self, step: Step, *, back: bool) -> None:
        if not isinstance(step, Patch):
            return
        known = self._turns.get(id(step))
        if known is not None and known[0] is step:
            turns = known[1].items()
            self._follow({n: turn.before if back else turn.after for n, turn in turns})
        else:
            self._follow({n: self._guess(n) for n in self._touched(step)})

    def _follow(self, wanted: Mapping[int, Decision | None]) -> None:
        if not wanted:
            return
        self._remember({n: _Turn(self.work.decisions.get(n), a) for n, a in wanted.items()})
        self._follow_hand(_turned(self.work, wanted))
        self.changed.emit(tuple(wanted))

    def _follow_hand(self, work: Adjudication) -> None:
        """Keep what a hand has done already; an error is told, and what was drawn stays."""
        self.work, self._kept = work, False
        try:
            self._save(work)
        except SaveError as err:
            self.failed.emit(err)

    def _touched(self, patch: Patch) -> list[int]:
        changed = (patch.before.T != patch.after.T).T
        return self.differences.touched(patch.box, changed)

    def _guess(self, number: int) -> Decision | None:
        """Return the latest decision whose outcome stands in the mask; else what is drawn."""
        one = self.differences.found[number]
        mask = self.differences.mask(number)
        now = self.session.labels.array[one.box][mask]
        for tried in reversed([None, *self._tried.get(number, [])]):
            if tried is not None and tried.choice == "edited":
                continue
            value = self._value(_turned(self.work, {number: tried}), number)
            stands = value[mask] if isinstance(value, np.ndarray) else value
            if np.array_equal(now, np.broadcast_to(stands, now.shape)):
                return tried
        return self._drawn(number)

    def strays(self) -> int:
        """Return how many voxels were changed where all readings agree: they do not count."""
        within = self._within(range(len(self.differences.found)))
        labels = self.session.labels.array
        return int(np.count_nonzero((labels.T != self.differences.agreed.T) & ~within.T))

    def _keep(self, number: int | None) -> None:
        numbers = [number] if number is not None else range(len(self.differences.found))
        self.session.bench.keep_within(self._within(numbers))

    def _within(self, numbers: Iterable[int]) -> npt.NDArray[np.bool_]:
        within = np.zeros(self.differences.agreed.shape[::-1], dtype=bool).T
        self.differences.paint(within, dict.fromkeys(numbers, 1))
        return within

    # -- landmarks -----------------------------------------------------------------------

    def _show_marks(self) -> None:
        marks = self.marks().merged_into(self.session.landmarks)
        self._own = True
        try:
            self.session.set_landmarks(marks, name="Decide landmark")
        finally:
            self._own = False
        self._look()

    def _on_landmarks(self, marks: LandmarkSet) -> None:
        """Make decisions of landmarks that a hand placed, moved or removed."""
        if self._own:
            return
        mine = self.marks()
        decided = dict(self.work.marks)
        for mark in mine:
            now = marks[mark.name].point_ras if mark.name in marks else None
            if now != mark.point_ras:
                decided.pop(mark.name, None)
                choice = choice_at(self._sets, self._limit_mm, self.slots, mark.name, now)
                if choice:
                    point = now if choice == OWN else None
                    time = self.seat.desk.time()
                    decided[mark.name] = MarkDecision(choice, time, point)
        if decided != dict(self.work.marks):
            self._follow_hand(replace(self.work, marks=decided))
            self.changed.emit(())


@dataclass(frozen=True)
class _Turn:
    """What a step did to one decision."""

    before: Decision | None
    after: Decision | None


def _turned(work: Adjudication, wanted: Mapping[int, Decision | None]) -> Adjudication:
    for number, decision in wanted.items():
        work = work.undecide(number) if decision is None else work.decide(number, decision)
    return work
