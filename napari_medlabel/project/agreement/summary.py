"""What a table of readings comes to: means with intervals, volumes, answers, raters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from napari_medlabel.measure.landmarks import icc_2_1
from napari_medlabel.project.agreement.answers import Answers, Subjects, by_question
from napari_medlabel.project.agreement.bland_altman import BlandAltman, bland_altman
from napari_medlabel.project.agreement.bootstrap import Interval, bootstrap, mean_interval
from napari_medlabel.project.agreement.kappa import (
    Coefficient,
    Scale,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
)
from napari_medlabel.project.agreement.table import CONSENSUS, MEASURES, Row, Table, per_case

_DRAWS_OF_KAPPA: Final = 500
Volumes = Mapping[str, Mapping[str, Mapping[int, float]]]
"""Case -> rater -> value -> ml."""


@dataclass(frozen=True)
class Figure:
    """A mean over cases.

    Parameters
    ----------
    mean : float
        Of the cases' means.
    interval : Interval or None
        None with less than two cases.
    cases : int
        That count.
    """

    mean: float
    interval: Interval | None
    cases: int


@dataclass(frozen=True)
class LabelSummary:
    """How far raters agree on one label.

    Parameters
    ----------
    value : int
        The label.
    name : str
        What it is called.
    figures : mapping of str to Figure
        By measure; empty where nobody has it.
    pairs, excluded, flagged, tiny : int
        Comparisons that count; that both left empty; of which one missed it; of few voxels.
    icc : float or None
        ICC(2,1) of the volumes over the cases that everybody measured; None below two cases.
    icc_cases : int
        How many those are.
    """

    value: int
    name: str
    figures: Mapping[str, Figure]
    pairs: int
    excluded: int
    flagged: int
    tiny: int
    icc: float | None
    icc_cases: int


@dataclass(frozen=True)
class VolumeAgreement:
    """Bland-Altman of one label's volumes, of two raters.

    Parameters
    ----------
    value : int
        The label.
    name : str
        What it is called.
    first, second : str
        Who, in the order of their codes; differences are second less first, as everywhere.
    cases : tuple of str
        Of each difference.
    found : BlandAltman
        In ml.
    """

    value: int
    name: str
    first: str
    second: str
    cases: tuple[str, ...]
    found: BlandAltman


@dataclass(frozen=True)
class MarkSummary:
    """How far raters are apart on one landmark.

    Parameters
    ----------
    name : str
        Which.
    figure : Figure or None
        Mean distance in mm; None where no two placed it.
    largest_mm : float or None
        The largest distance.
    missing : int
        Comparisons in which one of the two did not place it.
    """

    name: str
    figure: Figure | None
    largest_mm: float | None
    missing: int


@dataclass(frozen=True)
class AnswerSummary:
    """How far raters agree on one question.

    Parameters
    ----------
    question : str
        Its id; with ``@`` and a label's id where it is asked about every label.
    coefficients : tuple of Coefficient
        Cohen's for each pair, Fleiss' of all, Krippendorff's.
    pairs : tuple of tuple of str
        Whose, for each coefficient; empty for all.
    interval : Interval or None
        Of Krippendorff's alpha.
    """

    question: str
    coefficients: tuple[Coefficient, ...]
    pairs: tuple[tuple[str, ...], ...]
    interval: Interval | None


def label_summaries(
    rows: Sequence[Row], volumes: Volumes, *, seed: int
) -> tuple[LabelSummary, ...]:
    """Summarise rows by label.

    Parameters
    ----------
    rows : sequence of Row
        Between raters, or of raters against the consensus.
    volumes : mapping
        As `volumes_of` returns them; empty for no ICC.
    seed : int
        Of the intervals.
    """
    names = {row.value: row.name for row in rows}
    out = []
    for value in sorted(names):
        own = [row for row in rows if row.value == value]
        counted = [row for row in own if row.is_counted]
        icc, cases = _icc(volumes, value)
        found = {measure: _figure(per_case(own, measure), seed) for measure in MEASURES}
        out.append(
            LabelSummary(
                value,
                names[value],
                {measure: figure for measure, figure in found.items() if figure is not None},
                len(counted),
                len(own) - len(counted),
                sum(row.is_flagged for row in own),
                sum(row.is_tiny for row in own),
                icc,
                cases,
            )
        )
    return tuple(out)


def volumes_of(table: Table) -> dict[str, dict[str, dict[int, float]]]:
    """Return the volumes that the rows between raters tell: case -> rater -> value -> ml."""
    out: dict[str, dict[str, dict[int, float]]] = {}
    for row in table.pairs():
        held = out.setdefault(row.case, {})
        held.setdefault(row.first, {})[row.value] = row.first_ml
        held.setdefault(row.second, {})[row.value] = row.second_ml
    return out


def volume_agreements(table: Table) -> tuple[VolumeAgreement, ...]:
    """Return Bland-Altman of the volumes for each label and pair of raters with two cases.

    Cases in which both left the label empty do not count: they would narrow the limits.
    """
    out = []
    for value, name in sorted(table.names.items()):
        for first, second in combinations(table.raters, 2):
            series: dict[str, tuple[float, float]] = {}
            for row in table.pairs():
                if row.value != value or not row.is_counted:
                    continue
                if (row.first, row.second) == (first, second):
                    series[row.case] = (row.first_ml, row.second_ml)
                elif (row.first, row.second) == (second, first):
                    series[row.case] = (row.second_ml, row.first_ml)
            found = bland_altman(
                [pair[0] for pair in series.values()], [pair[1] for pair in series.values()]
            )
            if found is not None:
                out.append(VolumeAgreement(value, name, first, second, tuple(series), found))
    return tuple(out)


def mark_summaries(table: Table, *, seed: int) -> tuple[MarkSummary, ...]:
    """Summarise landmarks by name, between raters."""
    marks = [one for one in table.marks if one.second != CONSENSUS]
    out = []
    for name in dict.fromkeys(one.name for one in marks):
        own = [one for one in marks if one.name == name]
        by_case: dict[str, list[float]] = {}
        for one in own:
            if one.mm is not None:
                by_case.setdefault(one.case, []).append(one.mm)
        figure = _figure({case: float(np.mean(mm)) for case, mm in by_case.items()}, seed)
        largest = max((mm for many in by_case.values() for mm in many), default=None)
        out.append(MarkSummary(name, figure, largest, sum(bool(one.missing) for one in own)))
    return tuple(out)


def answer_summaries(answers: Answers, *, seed: int) -> tuple[AnswerSummary, ...]:
    """Compare answers.

    Parameters
    ----------
    answers : mapping
        Case -> rater -> key of a question -> answer; of several choices a list.
    seed : int
        Of the interval.
    """
    raters = sorted({rater for held in answers.values() for rater in held})
    if len(raters) < 2:
        return ()
    asked = by_question(answers)
    return tuple(_answers(name, raters, asked[name], seed) for name in asked)


def _answers(
    question: str, raters: Sequence[str], subjects: Subjects, seed: int
) -> AnswerSummary:
    by_case = [
        [[_rating(said.get(rater)) for rater in raters] for said in places.values()]
        for places in subjects.values()
    ]
    rows = [row for many in by_case for row in many]
    numbers = all(isinstance(one, float) for row in rows for one in row if one is not None)
    scale: Scale = "interval" if numbers else "nominal"
    found: list[Coefficient] = []
    who: list[tuple[str, ...]] = []
    if not numbers:
        for a, b in combinations(range(len(raters)), 2):
            found.append(cohen_kappa([(row[a], row[b]) for row in rows]))
            who.append((raters[a], raters[b]))
        if len(raters) > 2:
            found.append(fleiss_kappa(rows))
            who.append(())
    found.append(krippendorff_alpha(rows, scale=scale))
    who.append(())
    interval = bootstrap(
        len(by_case),
        lambda index: (
            krippendorff_alpha([row for at in index for row in by_case[at]], scale=scale).value
        ),
        seed=seed,
        draws=_DRAWS_OF_KAPPA,
    )
    return AnswerSummary(question, tuple(found), tuple(who), interval)


def _rating(answer: object) -> str | float | tuple[str, ...] | None:
    if answer is None:
        return None
    if isinstance(answer, list | tuple):
        return tuple(sorted(str(one) for one in answer))
    if isinstance(answer, float | int) and not isinstance(answer, bool):
        return float(answer)
    return str(answer)


def _figure(by_case: Mapping[str, float], seed: int) -> Figure | None:
    values = list(by_case.values())
    if not values:
        return None
    return Figure(float(np.mean(values)), mean_interval(values, seed=seed), len(values))


def _icc(volumes: Volumes, value: int) -> tuple[float | None, int]:
    """Return ICC(2,1) over the cases that all raters measured and somebody labelled."""
    raters = sorted({rater for held in volumes.values() for rater in held})
    table = [
        [held[rater].get(value, 0.0) for rater in raters]
        for held in volumes.values()
        if len(held) == len(raters)
    ]
    table = [row for row in table if any(row)]
    if len(table) < 2 or len(raters) < 2:
        return None, len(table)
    return icc_2_1(np.array(table)), len(table)
