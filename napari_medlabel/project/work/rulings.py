"""Which rules of a study are in force: those that its log proves a manager to have made.

The log names rules by digest; the study keeps each of them under it, so whoever edits
``project.json`` by hand, and whoever tells the log of rules without being a manager by those
before, changes nothing that counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.format.record import time_ms
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import make_folder, write_bytes_aside
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.settings import Role, Settings

CLOCKS: Final = timedelta(minutes=15)
"""By how much the clocks of two computers may differ."""
_CLOCKS_MS: Final = CLOCKS // timedelta(milliseconds=1)
Same = Callable[[str], Collection[str]]


@dataclass(frozen=True)
class Ruling:
    """Somebody told the log of rules.

    Parameters
    ----------
    user : str
        Token of who did.
    time : str
        When, by that computer's clock.
    new, old : str
        Digests of ``project.json`` afterwards and before; none before the first.
    """

    user: str
    time: str
    new: str
    old: str = ""


@dataclass(frozen=True)
class Reign:
    """Rules that came into force.

    Parameters
    ----------
    ruling : Ruling
        By which word.
    settings : Settings or None
        What they say; None where the study has not kept them.
    """

    ruling: Ruling
    settings: Settings | None = field(repr=False)

    def roles(self, users: Collection[str]) -> frozenset[Role]:
        """Return the roles of an account, by its tokens."""
        raters = self.settings.raters if self.settings else ()
        return frozenset(role for one in raters if one.user in users for role in one.roles)

    def may_rule(self, users: Collection[str]) -> bool:
        """Tell whether an account may change these rules.

        Where they were not kept, only who made them is known to be a manager.
        """
        if self.settings is None:
            return self.ruling.user in users
        return "manager" in self.roles(users)


def ruling_of(record: Mapping[str, Any]) -> Ruling | None:
    """Return what a record of the log says of ``project.json``; None for another one."""
    detail = record["detail"]
    if record["event"] != "study.rules" or detail.get("setting") != "project":
        return None
    old = str(detail.get("old", ""))
    return Ruling(record["actor"]["user"], record["time"], str(detail["new"]), old)


def reigns(
    rulings: Sequence[Ruling],
    rules: Callable[[str], Settings | None],
    same: Same = lambda user: {user},
) -> tuple[Reign, ...]:
    """Return the rules that were in force, one after the other.

    Whoever set the study up made the first; each further word counts when its author was a
    manager by the rules then in force. Where two accounts say that they set it up, nothing is
    proven, and nothing is returned.

    Parameters
    ----------
    rulings : sequence of Ruling
        In any order.
    rules : callable
        Returns what a digest stands for; None where nobody kept it.
    same : callable
        Returns all tokens of an account by one of them.
    """
    waiting = sorted(rulings, key=lambda one: one.time)
    first = [one.user for one in waiting if not one.old] or [one.user for one in waiting[:1]]
    if any(user not in same(first[0]) for user in first):
        return ()
    told = {one.new for one in waiting}
    found: list[Reign] = []
    seen: set[str] = set()
    while waiting:
        # Clocks differ: what follows on a state waits for it.
        at = next((n for n, one in enumerate(waiting) if one.old in seen
                   or one.old not in told), 0)  # fmt: skip
        one = waiting.pop(at)
        users = same(one.user)
        if found[-1].may_rule(users) if found else first[0] in users:
            found.append(Reign(one, rules(one.new)))
            seen.add(one.new)
    return tuple(found)


def in_force_at(found: Sequence[Reign], time: str) -> tuple[Reign, ...]:
    """Return the rules that may have been in force at a time, as far as clocks agree.

    Parameters
    ----------
    found : sequence of Reign
        One after the other, as `reigns` returns them; at least one.
    time : str
        By some computer's clock, ISO 8601 in UTC.
    """
    at = time_ms(time)
    begun = [time_ms(one.ruling.time) for one in found]
    ends = [*begun[1:], at + 2 * _CLOCKS_MS]
    held = tuple(
        one
        for one, start, end in zip(found, begun, ends, strict=True)
        if start <= at + _CLOCKS_MS and end >= at - _CLOCKS_MS
    )
    return held or tuple(found[:1])


def rules_file(layout: Layout, digest: str) -> Path:
    """Return where rules are kept under their digest."""
    return layout.own / "rules" / f"{digest.removeprefix('sha256:')}.json"


def keep_rules(layout: Layout, data: bytes) -> str:
    """Keep the bytes of a ``project.json``; return their digest.

    Raises
    ------
    SaveError
        When they cannot be written.
    """
    digest = digest_of_rules(data)
    path = rules_file(layout, digest)
    if not path.is_file() or path.read_bytes() != data:
        make_folder(path.parent)
        write_bytes_aside(path, data)
    return digest


def kept_rules(layout: Layout, digest: str) -> Settings | None:
    """Return rules by their digest, of those kept or as ``project.json`` has them now."""
    for path in (layout.project, rules_file(layout, digest)):
        try:
            data = path.read_bytes()
            if digest_of_rules(data) == digest:
                return Settings.from_json(json.loads(data))
        except (OSError, ValueError, InputError):
            continue
    return None


def digest_of_rules(data: bytes) -> str:
    """Return the digest of the bytes of a ``project.json``, as the log names it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def against_rules(layout: Layout, found: Sequence[Reign]) -> str:
    """Return what is wrong with ``project.json`` by the log, in a sentence; else nothing."""
    if not found:
        return "The log does not prove who set up the study and made its rules."
    try:
        now = digest_of_rules(layout.project.read_bytes())
    except OSError:
        now = ""
    if now != found[-1].ruling.new:
        return "The rules of the study are not those that the log tells of, by a manager."
    return ""
