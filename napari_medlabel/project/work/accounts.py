"""Whose an account is: each code is one person, with one account after the other, by the log.

Who gets a new computer has another token from then on, and stays the same person for all that
is judged: nobody reviews, settles or reads blind what was their own under an earlier account.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from napari_medlabel.errors import RefusedError
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.settings import Rater, Settings
from napari_medlabel.project.work.rulings import Reign, kept_rules, reigns
from napari_medlabel.project.work.steps import StepReader


@dataclass(frozen=True)
class Accounts:
    """The accounts of a study's people.

    Parameters
    ----------
    given : mapping of str to str
        Code by token, in the order in which managers gave them, by the log. An account stays
        whose it was first.
    written : mapping of str to str
        Code by token of those that stand in ``project.json`` alone: where the log proves
        nothing they are all there is; they make nobody the same person as somebody else.
    kin : mapping of str to frozenset of str
        Tokens that the log proves to be of one account, by each of them.
    double : frozenset of str
        Those that were given to a second code after all, as an earlier program let managers do.
    """

    given: Mapping[str, str]
    written: Mapping[str, str] = field(default_factory=dict)
    kin: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)
    double: frozenset[str] = frozenset()

    def code_of(self, user: str) -> str:
        """Return the code of the person behind a token; empty where the study has none."""
        return self.given_code(user) or self._known(user, self.written)

    def given_code(self, user: str) -> str:
        """Return the code that a manager gave an account by the log; empty for none."""
        return self._known(user, self.given)

    def of(self, code: str) -> tuple[str, ...]:
        """Return the tokens of a person's accounts, in the order in which they were given."""
        return tuple(user for user, its in self.given.items() if its == code)

    def same(self, user: str) -> frozenset[str]:
        """Return all tokens of the person behind one of them, as far as the log proves it."""
        code = self.given_code(user)
        held = (user, *(self.of(code) if code else ()))
        return frozenset(one for name in held for one in (name, *self.kin.get(name, ())))

    def all_same(self, users: Iterable[str]) -> frozenset[str]:
        """Return all tokens of the person behind some tokens of one account."""
        return frozenset(one for user in users for one in self.same(user))

    def is_one(self, first: str, second: str) -> bool:
        """Tell whether two tokens are one person's."""
        return first == second or first in self.same(second)

    def _known(self, user: str, codes: Mapping[str, str]) -> str:
        if user in codes:
            return codes[user]
        found = {codes[one] for one in self.kin.get(user, ()) if one in codes}
        return found.pop() if len(found) == 1 else ""


def accounts_of(layout: Layout, settings: Settings, reader: StepReader) -> Accounts:
    """Return the accounts of a study as its log has them now.

    Parameters
    ----------
    layout : Layout
        The study.
    settings : Settings
        Its rules as they stand in ``project.json``.
    reader : StepReader
        Of its log.
    """
    kin = reader.kin()
    ruled = reigns(
        reader.rulings(), partial(kept_rules, layout), lambda user: kin.get(user, {user})
    )
    return accounts_by(ruled, settings, kin)


def accounts_by(
    ruled: Sequence[Reign], settings: Settings, kin: Mapping[str, frozenset[str]]
) -> Accounts:
    """Return the accounts by rules that were in force, one after the other."""
    given: dict[str, str] = {}
    double: set[str] = set()
    for reign in ruled:
        for one in reign.settings.raters if reign.settings else ():
            if one.user and given.setdefault(one.user, one.code) != one.code:
                double.add(one.user)
    written = {r.user: r.code for r in settings.raters if r.user and r.user not in given}
    return Accounts(given, written, kin, frozenset(double))


def rater_behind(
    settings: Settings, accounts: Accounts, users: Collection[str]
) -> Rater | None:
    """Return whose an account is or was, by its tokens; None where it is nobody's."""
    now = next((one for one in settings.raters if one.user and one.user in users), None)
    if now is not None:
        return now
    codes = {accounts.code_of(user) for user in users} - {""}
    return next((one for one in settings.raters if one.code in codes), None)


def require_own_accounts(accounts: Accounts, raters: Sequence[Rater]) -> None:
    """Refuse raters of whom one has an account that is or was another's.

    Raises
    ------
    RefusedError
        Naming whose it was.
    """
    users = [one.user for one in raters if one.user]
    if len(set(users)) != len(users):
        raise RefusedError(
            "This account is another rater of the study already.",
            hint="One person has one code: nobody reads a case twice unnoticed.",
        )
    for one in raters:
        code = accounts.given_code(one.user) if one.user else ""
        if code not in ("", one.code):
            raise RefusedError(
                f"This account is, or was, rater {code}'s, and stays theirs: it cannot be "
                f"given to {one.code}.",
                hint="One person has one code. A new computer's account goes to the code that "
                "its owner has: medlabel project rater STUDY CODE --user TOKEN",
            )
