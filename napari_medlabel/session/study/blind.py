"""Blindness: nobody sees another reading of a case before having submitted their own.

The program refuses; only the rights of the file system can enforce it. What a person opens with
another program is seen all the same, see docs/how-to/work-in-a-study.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.project.cases.record import all_records
from napari_medlabel.project.cases.version import file_of
from napari_medlabel.project.layout import CONSENSUS, CaseId, Layout, find_study, study_around
from napari_medlabel.project.settings import Rater, read_settings
from napari_medlabel.project.work.accounts import accounts_of, rater_behind
from napari_medlabel.project.work.fold import CaseRow, fold
from napari_medlabel.project.work.states import Action, State
from napari_medlabel.project.work.steps import Step, StepReader, log_steps
from napari_medlabel.session.desk import Desk
from napari_medlabel.session.place import Place
from napari_medlabel.session.signing import own_tokens
from napari_medlabel.session.study.kept import digests_of_packed, name_of, written
from napari_medlabel.session.study.seat import Reading, Seat, look
from napari_medlabel.session.study.whose import KEPT, OTHERS, PREFIX, case_in, owner_of

_AT_WORK: Final[frozenset[State]] = frozenset({"in_progress", "rejected", "stale"})
_SEES: Final[frozenset[Action]] = frozenset(
    {"begin_review", "approve", "reject", "correct", "settle"}
)
_SEERS: Final = frozenset({"reviewer", "adjudicator", "releaser", "manager"})
ADJUDICATION: Final = "adjudicate"
"""Folder, in an adjudicator's own work on a case, of the session that shows its decisions."""
_SECOND: Final = "reading-"  # begins the folder of a reading beyond the study's own


class Looker(Protocol):
    """Who looks: a `Seat`, or an account that has opened no log."""

    @property
    def rater(self) -> Rater:
        """Code and roles."""

    @property
    def users(self) -> frozenset[str]:
        """Tokens of the account."""


@dataclass(frozen=True)
class _Account:
    rater: Rater
    users: frozenset[str]


def own_slots(seat: Looker, row: CaseRow) -> tuple[str, ...]:
    """Return the readings of a case that are, or were last, this rater's."""
    return tuple(slot for slot, now in row.slots.items() if now.user in seat.users)


def has_seen(seat: Seat, case: CaseId, steps: tuple[Step, ...]) -> bool:
    """Tell whether this rater has seen a reading of a case, as its reviewer or adjudicator."""
    if any(step.user in seat.users and step.action in _SEES for step in steps):
        return True
    code, layout = seat.rater.code, seat.layout
    return "adjudicator" in seat.rater.roles and (
        any(layout.work(code, case).glob(f"{ADJUDICATION}*"))
        or any(layout.work(CONSENSUS, case).glob(f"adjudication-{code}*.json"))
    )


def require_unread(seat: Seat, at: Reading) -> None:
    """Refuse to begin a reading of a case that one knows already.

    Raises
    ------
    RefusedError
        When another reading of the case is this rater's, or they reviewed one.
    """
    others = [slot for slot in own_slots(seat, at.row) if slot not in (at.slot, "consensus")]
    from napari_medlabel.session.study.serving import is_again

    if others and not is_again(seat, at.row, at.slot):
        raise RefusedError(
            f"You have reading {others[0]} of this case: a second reading needs somebody else.",
            hint="Choose another case of the list, or: medlabel project next STUDY",
        )
    if has_seen(seat, at.case, at.steps) and at.now.user not in seat.users:
        raise RefusedError(
            "You have seen another reading of this case as its reviewer or adjudicator, so you "
            "are not blind.",
            hint="Choose another case of the list, or: medlabel project next STUDY",
        )


def require_may_see(seat: Looker, row: CaseRow, owner: str) -> None:
    """Refuse to show a rater what would end their blindness.

    Parameters
    ----------
    seat : Looker
        Who wants to look.
    row : CaseRow
        The case.
    owner : str
        Code of whose data set it is, ``consensus``, or ``gold``; ``others`` for several.

    Raises
    ------
    RefusedError
        When it is another's and the own reading is not submitted, or no role needs it.
    """
    mine = [row.slots[slot] for slot in own_slots(seat, row)]
    if owner == seat.rater.code:
        if len(mine) > 1 and any(now.state in _AT_WORK for now in mine):
            raise RefusedError(
                "This is an earlier reading of a case that you are at work on.",
                hint="Submit the one that you have begun first: each reading is made anew.",
            )
        return
    if any(now.state in _AT_WORK for now in mine):
        raise RefusedError(
            "This is another reading of a case that you are at work on: you read it blind.",
            hint="Submit yours first, with Submit beside it, or: "
            "medlabel project submit STUDY CASE",
        )
    roles = set(seat.rater.roles)
    if roles & _SEERS:
        return
    if owner == "gold" or not any(now.rounds for now in mine):
        raise RefusedError(
            "This is another reading of a case that you have not read: readings are blind.",
            hint="Submit a reading of yours first, or ask a reviewer.",
        )


def require_may_open(desk: Desk, *paths: Path) -> None:
    """Refuse files that lie in a study, where they would end the blindness of who opens them.

    Links are followed. Other files outside of studies are looked at while a study is worked
    in alone: there a copy of what lies in it is refused as what it is a copy of. Studies that
    this account does not work in are not looked at.

    Parameters
    ----------
    desk : Desk
        Whose account it is.
    paths : Path
        What is to be opened.

    Raises
    ------
    RefusedError
        As `require_may_see`.
    """
    require_may_read(desk.state, paths)
    _require_no_copy(desk, paths)


def require_may_read(state: Path, paths: Iterable[Path]) -> None:
    """Refuse files as `require_may_open` does, for an account that has opened no log.

    Parameters
    ----------
    state : Path
        This computer's own folder: it has the account's tokens.
    paths : iterable of Path
        What is to be read.

    Raises
    ------
    RefusedError
        As `require_may_see`.
    """
    for layout, place, owner in _in_studies(paths):
        account = _account(layout, state)
        if account is None:
            continue  # no rater of this study: there is nobody to be blind
        if owner == account.rater.code and any(
            part.startswith(_SECOND) for part in place.parts
        ):
            continue  # the folder of a second reading is that reading's own
        if owner == KEPT:
            _require_may_see_kept(layout, account, state, place)
            continue
        for row in _rows(layout, case_in(layout, place)):
            require_may_see(account, row, owner)


def _require_may_see_kept(layout: Layout, account: _Account, state: Path, place: Path) -> None:
    """Refuse earlier versions in the log's folder, except those that one has saved oneself.

    One that no record tells of, and the folder of all of them, may be anybody's of any case.
    """
    name = name_of(place)
    found = written(layout.audit, state, {name} if name else ())
    owner = account.rater.code if any(x.user in account.users for x in found) else OTHERS
    cases = {one.case for one in found}
    rows = _rows(layout)
    for row in [one for one in rows if one.content in cases] or rows:
        require_may_see(account, row, owner)


def _account(layout: Layout, state: Path) -> _Account | None:
    """Return who of a study an account is, or was; None where it is none of its raters."""
    users, settings = frozenset(own_tokens(state)), read_settings(layout.project)
    accounts = accounts_of(layout, settings, StepReader(layout.audit))
    rater = rater_behind(settings, accounts, users)
    return None if rater is None else _Account(rater, users | accounts.all_same(users))


def _rows(layout: Layout, case: CaseId | None = None) -> tuple[CaseRow, ...]:
    """Return how the readings of a study's cases stand, or of one case."""
    cases = {record.content: record.case for record in all_records(layout)}
    if case is not None:
        cases = {content: one for content, one in cases.items() if one == case}
    slots = read_settings(layout.project).slots
    return fold(cases, log_steps(layout.audit), slots).rows


def _require_no_copy(desk: Desk, paths: Iterable[Path]) -> None:
    """Refuse files that are copies of another's work on a case that one is at work on.

    Of what lies there now, and of each version that was ever saved, by its digest in the log.
    """
    layout = study_around(desk.audit_root)
    if layout is None:
        return
    files = [path.resolve() for path in paths if path.is_file()]
    account = _account(layout, desk.state) if files else None
    if account is None:
        return
    files = [path for path in files if _may_be_copy(layout, path, account.rater.code)]
    rows = [
        row
        for row in (_rows(layout) if files else ())
        if any(row.slots[slot].state in _AT_WORK for slot in own_slots(account, row))
    ]
    if not rows:
        return
    packed = frozenset(digests_of_packed(files))
    found = written(layout.audit, desk.state, packed)
    own = {one for each in found if each.user in account.users for one in each.ids}
    strange = {one.case for one in found if not packed & one.ids <= own}
    sizes = {path.stat().st_size for path in files}
    digests: set[str] = set()
    for row in rows:
        if row.content in strange:
            require_may_see(account, row, OTHERS)
        hidden = [
            path for path in _of_others(layout, account, row.case) if _size(path) in sizes
        ]
        digests = digests or ({sha256_file(path) for path in files} if hidden else digests)
        for path in hidden:
            if sha256_file(path) in digests:
                require_may_see(account, row, owner_of(layout, path))


def _may_be_copy(layout: Layout, path: Path, code: str) -> bool:
    """Tell whether a file may be a copy of another's work: not by where it lies alone.

    In the study scans are none, nor is what the program itself wrote into one's own data set;
    what is another's by its place is judged by that.
    """
    root = layout.root.resolve()
    if not path.is_relative_to(root):
        return True
    parts = path.relative_to(root).parts
    owner = owner_of(layout, path)
    if owner:
        made = file_of(path.name) is not None or any(part.startswith(".") for part in parts)
        return owner == code and not made
    return not (parts[0].startswith("sub-") or path.is_relative_to(Layout(root).dicoms))


def _of_others(layout: Layout, account: _Account, case: CaseId) -> Iterator[Path]:
    """Yield the files that others than an account have of a case; whatever it is."""
    own = layout.derivative(account.rater.code)
    for derivative in own.parent.glob(f"{PREFIX}*"):
        if derivative != own:
            yield from derivative.joinpath(*case.folder.parts).rglob("*")
    yield from layout.gold.glob(f"{case}*")


def _size(path: Path) -> int:
    """Return the size of a file, bytes; -1 for what is none."""
    return path.stat().st_size if path.is_file() else -1


def own_events(
    state: Path | None, root: Path, events: Iterable[dict[str, Any]]
) -> Iterable[dict[str, Any]]:
    """Return records of a log without those of other accounts, where it is a study's log.

    The log of a study has the saves of all who read a case: earlier versions of a mask are
    those of one's own work alone.

    Parameters
    ----------
    state : Path or None
        This computer's own folder; None where nobody is known: then nothing is left out.
    root : Path
        Folder of the log.
    events : iterable of dict
        Records.
    """
    try:
        layout = find_study(root)
    except InputError:
        return events
    if state is None or layout.audit.resolve() != root.resolve():
        return events
    accounts = accounts_of(layout, read_settings(layout.project), StepReader(root))
    users = accounts.all_same(own_tokens(state))
    return (one for one in events if one.get("actor", {}).get("user", "") in users)


def since_begun(
    place: Place, root: Path, events: Iterable[dict[str, Any]]
) -> Iterable[dict[str, Any]]:
    """Return records without those of before a second reading was begun, where it is one.

    Parameters
    ----------
    place : Place
        Of the open case.
    root : Path
        Folder of the log.
    events : iterable of dict
        Records of one account: only its own beginnings count, for others' clocks differ.
    """
    name = place.folder.name
    if not name.startswith(_SECOND):
        return events
    slot, known = name.removeprefix(_SECOND), list(events)
    users = {one.get("actor", {}).get("user", "") for one in known}
    begun = [
        step.time
        for step in log_steps(root)
        if (step.case, step.slot, step.action) == (place.case, slot, "start")
        and step.user in users
    ]
    first = min(begun, default="~")  # after all times
    return (one for one in known if one.get("time", "") >= first)


def _in_studies(paths: Iterable[Path]) -> Iterator[tuple[Layout, Path, str]]:
    """Yield what lies in a study, with whose work it is, once for each folder and owner."""
    layouts: dict[Path, Layout | None] = {}
    for path in map(Path.resolve, paths):  # what a link leads to is what is opened
        folder = path if path.is_dir() else path.parent
        if folder not in layouts:
            layouts[folder] = study_around(folder)
        layout = layouts[folder]
        owner = "" if layout is None else owner_of(layout, path)
        if layout is not None and owner:
            yield layout, path, owner


def may_see(seat: Seat, case: CaseId, owner: str) -> bool:
    """Tell whether a rater may see somebody's reading of a case; for lists and buttons."""
    row = look(seat, case, seat.settings.slots[0]).row
    try:
        require_may_see(seat, row, owner)
    except RefusedError:
        return False
    return True


def is_blind(layout: Layout) -> bool:
    """Tell whether cases of a study are read by several raters, blind to one another."""
    return read_settings(layout.project).readings > 1
