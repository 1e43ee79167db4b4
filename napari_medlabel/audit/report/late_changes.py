"""What was changed after it had been approved, and whether it was approved again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from napari_medlabel.audit.report.deeds import LateChange
from napari_medlabel.audit.report.seen import Line

_CHANGES: Final = (
    "mask.create", "mask.save", "mask.restore", "mask.delete", "landmark.save",
    "edit.unattributed",
)  # fmt: skip
_ROUNDS: Final = ("review.approve", "review.unlock", "review.reject")


@dataclass(frozen=True, slots=True)
class _Step:
    """An approval or a change, as far as it matters here."""

    at_ms: int
    file: str
    number: int
    event: str
    user: str
    subject: str
    case: str
    old: str
    new: str
    masks: tuple[str, ...]
    added: int
    removed: int
    changed: int | None
    reason: str


@dataclass(slots=True)
class _Approved:
    """A case that is approved, and the masks that it was approved with or became."""

    at_ms: int
    case: str
    masks: set[str]
    late: list[int] = field(default_factory=list)
    unlocked: str = ""

    def same(self, step: _Step) -> bool:
        """Return whether a step of the review is about this case."""
        if self.case and step.case:
            return self.case == step.case
        return not (step.masks and self.masks) or not self.masks.isdisjoint(step.masks)

    def concerns(self, step: _Step, known: set[str]) -> bool:
        """Return whether a change is one of this case.

        Where neither the case nor the masks tell, it is: rather one too many than one too
        few.
        """
        if self.case and step.case:
            return self.case == step.case
        if step.event == "landmark.save" or not self.masks:
            return True
        return step.old in self.masks or (step.old not in known and step.event != "mask.create")


class LateChanges:
    """Collects approvals and changes; orders them by time when asked."""

    events: Final = (*_ROUNDS, *_CHANGES)

    def __init__(self) -> None:
        self._steps: list[_Step] = []

    def take(self, line: Line) -> None:
        """Take the next event that concerns it."""
        if line.event == "edit.unattributed" and not line.content("new"):
            return  # the save that follows says it with its versions
        detail = line.detail
        masks = tuple(
            str(item["id"]) for item in line.record["object"] if item["type"] == "mask"
        )
        kind = "landmarks" if line.event == "landmark.save" else "mask"
        for subject in line.subjects:
            self._steps.append(
                _Step(
                    line.at_ms,
                    line.file,
                    line.number,
                    line.event,
                    line.user,
                    subject,
                    detail.get("case", ""),
                    line.content("old", kind),
                    line.content("new", kind),
                    masks,
                    detail.get("voxels_added", 0),
                    detail.get("voxels_removed", 0) or detail.get("voxels", 0),
                    detail.get("voxels_changed"),
                    line.reason,
                )
            )

    def facts(self) -> list[LateChange]:
        """Return every change after an approval, by time, without pictures and counts."""
        self._steps.sort(key=lambda step: (step.at_ms, step.file, step.number))
        approved: dict[str, list[_Approved]] = defaultdict(list)
        known: dict[str, set[str]] = defaultdict(set)
        late: list[_Late] = []
        for step in self._steps:
            cases = approved[step.subject]
            if step.event == "review.approve":
                _approve(cases, step, late)
            elif step.event in _ROUNDS:
                _unlock(cases, step)
            else:
                _change(cases, step, known[step.subject], late)
            known[step.subject].update(filter(None, (step.old, step.new, *step.masks)))
        return [item.fact() for item in late]


@dataclass(slots=True)
class _Late:
    """A change after an approval."""

    step: _Step
    approved: _Approved
    reason: str
    again: bool = False

    def fact(self) -> LateChange:
        """Return it as the page says it."""
        step = self.step
        return LateChange(
            at_ms=step.at_ms,
            user=step.user,
            subject=step.subject,
            case=self.approved.case or step.case,
            before=None,
            after=None,
            voxels_added=step.added,
            voxels_removed=step.removed,
            dice_milli=None,
            reason=self.reason,
            reapproved=self.again,
            event=step.event,
            old=step.old,
            new=step.new,
            approved_ms=self.approved.at_ms,
            voxels_changed=step.changed,
            file=step.file,
            line=step.number,
        )


def _approve(cases: list[_Approved], step: _Step, late: list[_Late]) -> None:
    """Take over an approval: the first of a case, or one again after changes."""
    before = next((case for case in cases if case.same(step)), None)
    if before is not None:
        for index in before.late:
            late[index].again = True
        cases.remove(before)
    cases.append(_Approved(step.at_ms, step.case, set(step.masks)))


def _unlock(cases: list[_Approved], step: _Step) -> None:
    """Remember why an approved case may be changed."""
    for case in cases:
        if case.same(step):
            case.unlocked = step.reason


def _change(cases: list[_Approved], step: _Step, known: set[str], late: list[_Late]) -> None:
    for case in cases:
        if case.concerns(step, known):
            case.late.append(len(late))
            if case.masks and step.new and step.event != "landmark.save":
                case.masks.add(step.new)
            late.append(_Late(step, case, step.reason or case.unlocked))
            return
