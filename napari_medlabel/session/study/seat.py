"""A seat at a study: who sits there, how a reading stands, and one step at a time into the log.

Every action goes the same way: under the case's lock, what a crash left is settled, the log is
folded, the step is refused or written with the next number. Two processes on one folder wait
for each other; two computers that cannot are found by the fold as a conflict.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from napari_medlabel.audit.disk import one_at_a_time
from napari_medlabel.audit.format.event import NOTHING, REASON, Event, ObjectRef, Reason
from napari_medlabel.audit.keys.tokens import load_token_key
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.files import make_folder
from napari_medlabel.project.cases.record import CaseRecord, all_records, read_record
from napari_medlabel.project.cases.version import read_version, whole_versions
from napari_medlabel.project.layout import CaseId, Layout, require_there
from napari_medlabel.project.settings import Rater, Role, Settings, read_settings
from napari_medlabel.project.work import claims
from napari_medlabel.project.work.accounts import Accounts, accounts_of
from napari_medlabel.project.work.claims import Claimant
from napari_medlabel.project.work.fold import CaseRow, SlotState, Worklist, fold
from napari_medlabel.project.work.states import Action, transition
from napari_medlabel.project.work.steps import EVENTS, Step, StepReader
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.outbox import Outbox, tell
from napari_medlabel.session.signing import own_tokens
from napari_medlabel.session.study.folders import close_folder
from napari_medlabel.session.study.setting_up import require_proven, user_of
from napari_medlabel.session.study.sweeping import sweep_old, sweep_versions

_NOTHING_THERE: Final = "-"  # the outbox asks what is there; versions answer for themselves


@dataclass(frozen=True)
class Seat:
    """Somebody at work in a study; made by `sit_down`.

    Parameters
    ----------
    desk : Desk
        Log, tokens and clock; its log is the study's.
    layout : Layout
        The study.
    settings : Settings
        Its rules.
    rater : Rater
        Who sits here.
    own : frozenset of str
        Tokens of this account on this computer: what it may do is proven of them alone.
    reader : StepReader
        Remembers what it has read of the log.
    """

    desk: Desk
    layout: Layout
    settings: Settings
    rater: Rater
    own: frozenset[str]
    reader: StepReader = field(repr=False)

    @cached_property
    def accounts(self) -> Accounts:
        """Whose each account of the study is, by its log."""
        return accounts_of(self.layout, self.settings, self.reader)

    @cached_property
    def users(self) -> frozenset[str]:
        """Tokens of who sits here, as the log has them, those of earlier accounts too."""
        return self.own | self.accounts.all_same(self.own)

    @property
    def claimant(self) -> Claimant:
        """Who claims, and on which workstation; a keyed token stands for its name."""
        key = load_token_key(self.desk.state)
        host = key.user_token(f"workstation {platform.node()}")
        return Claimant(self.rater.code, host, os.getpid())

    def code_of(self, user: str) -> str:
        """Return the code of the person behind a token; empty where the study has none.

        Who has a new token key or another account since is known all the same, where the log
        proves it.
        """
        if not user:
            return ""
        if user in self.own:
            return self.accounts.given_code(user) or self.rater.code
        found = self.accounts.code_of(user)
        if not found:  # a token of since this seat was taken
            same = self.reader.same_as(user) - {user}
            codes = {self.accounts.code_of(one) for one in same} - {""}
            found = codes.pop() if len(codes) == 1 else ""
        return found


@dataclass(frozen=True)
class Reading:
    """One reading of a case, as it stands.

    Parameters
    ----------
    case : CaseId
        The case.
    slot : str
        ``A`` to ``H``, or ``consensus``.
    record : CaseRecord
        What the study knows of the case.
    row : CaseRow
        All its readings.
    steps : tuple of Step
        All steps on the case.
    """

    case: CaseId
    slot: str
    record: CaseRecord
    row: CaseRow
    steps: tuple[Step, ...] = field(repr=False)

    @property
    def now(self) -> SlotState:
        """How it stands."""
        return self.row.slots[self.slot]


def sit_down(desk: Desk, layout: Layout) -> Seat:
    """Take a seat at a study, as the account that runs this.

    Raises
    ------
    InputError
        When the study's rules cannot be read.
    RefusedError
        When the account is not on the list of its raters, or its owner has another one since.
    """
    settings = read_settings(layout.project)
    users = frozenset((*own_tokens(desk.state), user_of(desk)))
    reader = StepReader(layout.audit)
    rater = next((one for one in settings.raters if one.user in users), None)
    if rater is None:
        require_no_earlier(accounts_of(layout, settings, reader), users)
        rater = settings.rater_of(user_of(desk))
    return Seat(desk, layout, settings, rater, users, reader)


def require_no_earlier(accounts: Accounts, users: frozenset[str]) -> None:
    """Refuse an account in whose place its owner has another one since."""
    codes = sorted({accounts.given_code(user) for user in users} - {""})
    if codes:
        raise RefusedError(
            f"This account was rater {codes[0]}'s, who has another account since: it works in "
            "this study no more.",
            hint="Go on with the other one, or ask the manager to give this one back: "
            f"medlabel project rater STUDY {codes[0]} --user TOKEN",
        )


def require_role(seat: Seat, *roles: Role) -> None:
    """Refuse who has none of some roles, or has it by no manager's word in the log.

    Raises
    ------
    RefusedError
        Naming what is needed and what they have.
    """
    if not set(roles) & set(seat.rater.roles):
        raise RefusedError(
            f"This needs the role {' or '.join(roles)} in the study, and you have: "
            f"{', '.join(seat.rater.roles)}.",
            hint="Ask its manager: medlabel project rater STUDY CODE --roles ...",
        )
    if "annotator" not in set(roles) & set(seat.rater.roles):
        require_proven(seat.layout, seat.own, *roles, reader=seat.reader)


def require_reason(code: str) -> str:
    """Return a reason's code when it is one.

    Raises
    ------
    InputError
        When it is none.
    """
    if not REASON.accepts(code):
        raise InputError(
            f"A reason is {REASON.kind}; another word, or none, came.",
            hint="Choose one of these.",
        )
    return code


def worklist(seat: Seat) -> Worklist:
    """Return the study's worklist, folded from its log as it is now.

    Raises
    ------
    InputError
        When a case's record cannot be read.
    """
    cases = {record.content: record.case for record in all_records(seat.layout)}
    return fold(cases, seat.reader.read(), seat.settings.slots)


@contextmanager
def at_reading(seat: Seat, case: CaseId, slot: str) -> Iterator[Reading]:
    """Look at a reading, with everybody else kept out of the case until the end.

    Raises
    ------
    InputError
        When the study has no such case, or the case no such reading.
    SaveError
        When the study's folder has gone.
    LogError
        When the log must be told of what a crash left, and cannot be.
    """
    require_there(seat.layout)
    make_folder(seat.layout.claims)
    with one_at_a_time(seat.layout.claims / f".{case}.lock"):
        record = read_record(seat.layout.case_file(case))
        settle_left(seat, record)
        yield look(seat, case, slot)


def look(seat: Seat, case: CaseId, slot: str) -> Reading:
    """Return how a reading stands.

    Raises
    ------
    InputError
        When the study has no such case, or the case no such reading.
    """
    record = read_record(seat.layout.case_file(case))
    steps = tuple(step for step in seat.reader.read() if step.case == record.content)
    row = fold({record.content: case}, steps, seat.settings.slots).rows[0]
    if slot not in row.slots and _is_served(seat, row, slot, steps):
        row = fold({record.content: case}, steps, (*seat.settings.slots, slot)).rows[0]
    if slot not in row.slots:
        raise InputError(
            f"{case} has no reading of that name; it has: {', '.join(row.slots)}.",
            hint="See them in the study's list, or with: medlabel project status STUDY",
        )
    return Reading(case, slot, record, row, steps)


def _is_served(seat: Seat, row: CaseRow, slot: str, steps: tuple[Step, ...]) -> bool:
    from napari_medlabel.session.study.serving import may_serve

    return may_serve(seat, row, slot, steps)


def step_event(
    at: Reading,
    action: Action,
    detail: Mapping[str, object] = NOTHING,
    *,
    content: str = "",
    reason: str = "",
) -> Event:
    """Return the event of the next step on a reading.

    Parameters
    ----------
    at : Reading
        As it stands.
    action : str
        What is done.
    detail : mapping
        What else the event says.
    content : str
        Content id of the mask it is about; empty for none.
    reason : str
        A code; empty for none.

    Raises
    ------
    RefusedError
        When the action is not possible in the reading's state.
    """
    transition(at.now.state, action)
    work = {"case": at.record.content, "slot": at.slot, "step": at.now.steps + 1}
    refs = (ObjectRef(content, "new", "mask"),) if content else ()
    given = Reason(require_reason(reason)) if reason else None
    return Event(EVENTS[action], (at.record.subject,), refs, {**work, **detail}, given)


def take_step(seat: Seat, event: Event) -> None:
    """Write a step that has no files.

    Raises
    ------
    LogError
        When the log cannot be written: then nothing has happened.
    """
    tell(seat.desk.log, event)


def settle_left(seat: Seat, record: CaseRecord) -> None:
    """Tell the log of versions that a crash left, and take away what was never whole."""
    outbox = outbox_of(seat, record)

    def is_untold(key: str) -> bool:
        slot, step, number, content = key.split(" ")
        # By whom, and which version: another's step of that number may have the same mask.
        told = any(
            (one.case, one.slot, one.number, one.content)
            == (record.content, slot, int(step), content)
            and one.user in seat.users
            and one.version in (0, int(number))
            for one in seat.reader.read()
        )
        code = seat.rater.code
        if told or int(number) not in whole_versions(seat.layout, code, record.case):
            return False
        version = read_version(seat.layout, code, record.case, int(number))
        return version.content == content

    outbox.settle(_NOTHING_THERE, is_untold)
    own = [
        one
        for one in seat.reader.read()
        if one.case == record.content and one.user in seat.users
    ]
    layout, code = seat.layout, seat.rater.code
    sweep_versions(layout, code, record.case, {one.version for one in own})
    work = layout.work(code, record.case)  # with folders of further layers and readings below
    below = (path for path in work.rglob("*") if path.is_dir())
    for folder in (layout.derivative(code), work, *below, layout.claims):
        sweep_old(folder)
    for slot in {one.slot for one in own if one.action == "submit"}:
        _end_claim(seat, record, slot)


def _end_claim(seat: Seat, record: CaseRecord, slot: str) -> None:
    """Do what a submission that was broken off did not come to: give back, and close."""
    from napari_medlabel.session.study.serving import work_folder

    held = claims.read_claim(seat.layout, record.case, slot)
    if held is None or held.rater != seat.rater.code:
        return
    if look(seat, record.case, slot).now.state == "submitted":
        claims.give_back(seat.layout, record.case, slot, seat.claimant)
        slots = seat.settings.slots
        close_folder(work_folder(seat.layout, seat.rater.code, record.case, slot, slots))


def outbox_of(seat: Seat, record: CaseRecord) -> Outbox:
    """Return where what this account does on a case waits for the log."""
    place = hashlib.sha256(str(seat.layout.root.resolve()).encode()).hexdigest()[:16]
    folder = seat.desk.state / "study" / place / seat.rater.code
    return Outbox(folder, record.content, seat.desk.log)
