"""Splits of a study: whole patients drawn into train, val and test, and never into two.

Patients are shuffled within their strata, the strata are put one after the other, and each
patient goes to the split that its share asks for next (R. Tijdeman, The chairman assignment
problem, Discrete Mathematics 32 (1980) 323). So each split has less than one patient more or
less than its share of all, and less than two of each stratum, however small it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeVar

import numpy as np

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.cases.participants import MISSING
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.layout import CaseId

Split = Literal["train", "val", "test"]
SPLITS: Final[tuple[Split, ...]] = ("train", "val", "test")
_NEAR: Final = Fraction(1, 1_000_000)
_NAMED: Final = 10
_T = TypeVar("_T")


@dataclass(frozen=True)
class Shares:
    """Which share of the patients each split is to have.

    Parameters
    ----------
    train, val, test : float
        0 to 1, together 1. One of 0 makes no such split.

    Raises
    ------
    InputError
        When they are not.
    """

    train: float = 0.7
    val: float = 0.15
    test: float = 0.15

    def __post_init__(self) -> None:
        shares = (self.train, self.val, self.test)
        if not all(0.0 <= share <= 1.0 for share in shares):
            raise InputError(
                "The share of a split is a number from 0 to 1.",
                hint="For example 0.7, 0.15 and 0.15.",
            )
        if abs(sum(map(_exact, shares), Fraction()) - 1) > _NEAR:
            raise InputError(
                f"The shares of train, val and test make 1; these make {sum(shares):g}.",
                hint="For example 0.7, 0.15 and 0.15.",
            )

    def by_split(self) -> dict[Split, Fraction]:
        """Return the shares above 0; they make exactly 1."""
        found = {split: _exact(getattr(self, split)) for split in SPLITS}
        whole = sum(found.values())
        return {split: share / whole for split, share in found.items() if share}


@dataclass(frozen=True)
class Division:
    """Which patient is in which split.

    Parameters
    ----------
    patients : mapping of str to str
        Split of each code, by code.
    notes : tuple of str
        Sentences on what the numbers did not allow; empty where everything went as asked.
    """

    patients: Mapping[str, Split]
    notes: tuple[str, ...] = ()

    def counts(self) -> dict[Split, int]:
        """Return how many patients (codes) each split has, those with none too."""
        found = Counter(self.patients.values())
        return {split: found[split] for split in SPLITS}

    def cases(self, records: Iterable[CaseRecord]) -> dict[CaseId, str]:
        """Return the split of each case whose patient has one."""
        return {
            record.case: self.patients[record.case.subject]
            for record in records
            if record.case.subject in self.patients
        }


@dataclass(frozen=True, order=True)
class Leak:
    """Cases that belong together and lie in more than one split.

    Parameters
    ----------
    reason : str
        ``"patient"``: of one patient. ``"pixels"``: the same voxels.
    cases : tuple of str
        Their names, sorted.
    splits : tuple of str
        Where they lie, sorted.
    """

    reason: Literal["patient", "pixels"]
    cases: tuple[str, ...]
    splits: tuple[str, ...]


def divide(
    records: Iterable[CaseRecord],
    shares: Shares,
    rng: np.random.Generator,
    *,
    strata: Mapping[str, str] | None = None,
) -> Division:
    """Draw patients into splits.

    Codes that stand for one patient, or have a scan in common, are drawn as one. Equal records,
    shares, strata and state of the generator give an equal division, in whichever order the
    records come: only the raw bits of the generator are used, which numpy keeps from version
    to version.

    Parameters
    ----------
    records : iterable of CaseRecord
        The cases that are released.
    shares : Shares
        How many patients each split is to have; scans are not counted.
    rng : numpy.random.Generator
        Whose seed the release states.
    strata : mapping of str to str, optional
        What is to be alike in all splits, by code of the patient: see `balance.strata_of`.
        A code that it lacks is of the stratum ``n/a``.

    Returns
    -------
    Division
        Notes say which splits remained empty and how many strata are too small to be in each.

    Raises
    ------
    InputError
        When there is no case.
    """
    people = people_of(tuple(records))
    if not people:
        raise InputError("There are no cases to split.", hint="Choose cases that are approved.")
    wanted = shares.by_split()
    groups: dict[str, list[tuple[str, ...]]] = {}
    for codes in people:
        told = sorted({(strata or {}).get(code, MISSING) for code in codes})
        groups.setdefault(" / ".join(told), []).append(codes)
    names = _shuffled(sorted(groups), rng)
    queue = [codes for name in names for codes in _shuffled(groups[name], rng)]
    chosen = dict(zip(queue, _in_turn(len(queue), wanted), strict=True))
    patients = {code: split for codes, split in chosen.items() for code in codes}
    found = [{chosen[codes] for codes in groups[name]} for name in names]
    notes = _notes(wanted, set(chosen.values()), found, len(people))
    return Division(dict(sorted(patients.items())), notes)


def people_of(records: Sequence[CaseRecord]) -> tuple[tuple[str, ...], ...]:
    """Return the codes of each patient, sorted: those that one token, link or scan joins."""
    joined: dict[str, set[str]] = {}
    for group in (*_by_patient(records).values(), *_by_pixels(records).values()):
        codes = {record.case.subject for record in group}
        whole = codes.union(*(joined.get(code, set()) for code in codes))
        joined.update(dict.fromkeys(whole, whole))
    return tuple(sorted({tuple(sorted(codes)) for codes in joined.values()}))


def find_leaks(records: Iterable[CaseRecord], splits: Mapping[CaseId, str]) -> tuple[Leak, ...]:
    """Return what lies in two splits and must not.

    Parameters
    ----------
    records : iterable of CaseRecord
        The study's; those whose case has no split are not looked at.
    splits : mapping of CaseId to str
        By case, wherever they come from.
    """
    known = [record for record in records if record.case in splits]
    found = set()
    for group in _by_patient(known).values():
        found |= _leak("patient", group, splits)
    for group in _by_pixels(known).values():
        found |= _leak("pixels", group, splits)
    return tuple(sorted(found))


def require_no_leak(records: Iterable[CaseRecord], splits: Mapping[CaseId, str]) -> None:
    """Refuse splits that have something in common.

    Raises
    ------
    RefusedError
        Names the cases.
    """
    leaks = find_leaks(records, splits)
    if not leaks:
        return
    words = {"patient": "of one patient", "pixels": "with the same voxels"}
    told = "; ".join(
        f"{words[leak.reason]} in {' and '.join(leak.splits)}: {', '.join(leak.cases)}"
        for leak in leaks[:_NAMED]
    )
    more = f"; and {len(leaks) - _NAMED} more" if len(leaks) > _NAMED else ""
    raise RefusedError(
        f"Splits leak into one another: {told}{more}.",
        hint="Put them into one split, or draw the splits anew.",
    )


def _exact(share: float) -> Fraction:
    """Return a share as it is written: 0.7 is seven tenths."""
    return Fraction(repr(float(share)))


def _shuffled(items: Sequence[_T], rng: np.random.Generator) -> list[_T]:
    keys = np.atleast_1d(rng.bit_generator.random_raw(len(items)))
    return [items[index] for index in np.argsort(keys, kind="stable")]


def _in_turn(count: int, shares: Mapping[Split, Fraction]) -> list[Split]:
    """Return so many splits in turn, such that every beginning has each in its share."""
    if len(shares) == 1:
        return list(shares) * count
    slack = Fraction(1, 2 * len(shares) - 2)
    given: Counter[Split] = Counter()
    order: list[Split] = []
    for turn in range(1, count + 1):
        due = {split: share * turn - given[split] for split, share in shares.items()}
        ready = [split for split in shares if due[split] >= slack]
        # The one that would soonest be more than its slack behind.
        split = min(ready, key=lambda one: (1 - slack - due[one]) / shares[one])
        given[split] += 1
        order.append(split)
    return order


def _notes(
    wanted: Iterable[Split], used: set[Split], strata: list[set[Split]], people: int
) -> tuple[str, ...]:
    wanted = tuple(wanted)
    notes = [
        f"{split} has no patient: there are {people}, and its share of them is too small."
        for split in wanted
        if split not in used
    ]
    for split in wanted:
        lacking = sum(split not in found for found in strata)
        if split in used and lacking:
            notes.append(
                f"{split} has nobody of {lacking} of {len(strata)} strata: they have too few "
                "patients."
            )
    return tuple(notes)


def _by_patient(records: Iterable[CaseRecord]) -> dict[tuple[str, ...], list[CaseRecord]]:
    """Return records that are of one patient: by code, by token of the log, and by link."""
    groups: dict[tuple[str, ...], list[CaseRecord]] = {}
    for record in records:
        keys: list[tuple[str, ...]] = [("code", record.case.subject), ("token", record.subject)]
        if record.link:
            keys.append(("link", record.key, record.link))
        for key in keys:
            groups.setdefault(key, []).append(record)
    return groups


def _by_pixels(records: Iterable[CaseRecord]) -> dict[str, list[CaseRecord]]:
    groups: dict[str, list[CaseRecord]] = {}
    for record in records:
        groups.setdefault(record.pixels, []).append(record)
    return groups


def _leak(
    reason: Literal["patient", "pixels"],
    group: Iterable[CaseRecord],
    splits: Mapping[CaseId, str],
) -> set[Leak]:
    cases = sorted({record.case for record in group}, key=str)
    where = tuple(sorted({splits[case] for case in cases}))
    return {Leak(reason, tuple(map(str, cases)), where)} if len(where) > 1 else set()
