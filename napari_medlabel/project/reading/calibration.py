"""Rounds of calibration: raters read the same cases, talk, and read others, until they agree.

A round is one table of agreement. Rounds are compared label by label; a round that is no better
than the last says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from napari_medlabel.errors import InputError
from napari_medlabel.project.agreement.bootstrap import Interval, mean_interval
from napari_medlabel.project.agreement.table import Table, per_case
from napari_medlabel.project.settings import Thresholds


@dataclass(frozen=True)
class Round:
    """One round of calibration.

    Parameters
    ----------
    number : int
        From 1.
    table : Table
        Of its cases.
    guideline : str
        Digest of the guidelines it was read under.
    """

    number: int
    table: Table
    guideline: str = ""


@dataclass(frozen=True)
class RoundRow:
    """One label in one round.

    Parameters
    ----------
    number : int
        Of the round.
    value : int
        The label.
    name : str
        What it is called.
    cases, raters, pairs : int
        That it was compared in.
    dice, hd95_mm : float or None
        Means over cases; None where nobody has it.
    interval : Interval or None
        Of the mean Dice.
    change : float or None
        Of the mean Dice since the round before; None in the first.
    is_enough : bool
        Whether Dice and HD95 keep the thresholds.
    is_new_guideline : bool
        Whether the guidelines had changed since the round before.
    """

    number: int
    value: int
    name: str
    cases: int
    raters: int
    pairs: int
    dice: float | None
    hd95_mm: float | None
    interval: Interval | None
    change: float | None
    is_enough: bool
    is_new_guideline: bool


def round_rows(
    rounds: Sequence[Round], thresholds: Thresholds, *, seed: int
) -> tuple[RoundRow, ...]:
    """Return a row for each round and label.

    Parameters
    ----------
    rounds : sequence of Round
        In order.
    thresholds : Thresholds
        What is enough.
    seed : int
        Of the intervals.

    Raises
    ------
    InputError
        When two rounds share a number or a case: a case that was talked about is known.
    """
    numbers = [one.number for one in rounds]
    cases = [case for one in rounds for case in one.table.cases]
    if len(set(numbers)) != len(numbers) or len(set(cases)) != len(cases):
        raise InputError(
            "Rounds of calibration have numbers and cases of their own.",
            hint="Choose cases that were not discussed in an earlier round.",
        )
    rows: list[RoundRow] = []
    before: dict[int, float] = {}
    guideline = rounds[0].guideline if rounds else ""
    for one in rounds:
        for value, name in sorted(one.table.names.items()):
            row = _row(one, value, name, thresholds, seed, before.get(value), guideline)
            rows.append(row)
            if row.dice is not None:
                before[value] = row.dice
        guideline = one.guideline
    return tuple(rows)


def _row(
    one: Round,
    value: int,
    name: str,
    thresholds: Thresholds,
    seed: int,
    before: float | None,
    guideline: str,
) -> RoundRow:
    own = [row for row in one.table.pairs() if row.value == value]
    dice, far = per_case(own, "dice"), per_case(own, "hd95_mm")
    mean = sum(dice.values()) / len(dice) if dice else None
    hd95 = sum(far.values()) / len(far) if far else None
    return RoundRow(
        one.number,
        value,
        name,
        len(dice),
        len({who for row in own if row.is_counted for who in (row.first, row.second)}),
        sum(row.is_counted for row in own),
        mean,
        hd95,
        mean_interval(list(dice.values()), seed=seed),
        None if mean is None or before is None else mean - before,
        mean is not None
        and hd95 is not None
        and mean >= thresholds.dice
        and hd95 <= thresholds.hd95_mm,
        one.guideline != guideline,
    )
