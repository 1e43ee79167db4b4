"""All plots of a study's agreement: volumes, overlap by rater, landmarks, answers, STAPLE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from napari_medlabel.project.agreement.answers import Answers, by_question
from napari_medlabel.project.agreement.consensus import Performance
from napari_medlabel.project.agreement.plots import (
    LIGHT,
    Dots,
    Drawing,
    Theme,
    bland_altman_plot,
    dot_plot,
    matrix_plot,
)
from napari_medlabel.project.agreement.report import Summary
from napari_medlabel.project.agreement.table import CONSENSUS, per_case


@dataclass(frozen=True)
class Plot:
    """A plot in the gallery.

    Parameters
    ----------
    name : str
        For a file: letters, digits and dashes.
    title : str
        For a list.
    drawing : Drawing
        The plot.
    """

    name: str
    title: str
    drawing: Drawing


def gallery(
    summary: Summary,
    answers: Answers,
    performances: Sequence[tuple[str, Performance]] = (),
    theme: Theme = LIGHT,
) -> tuple[Plot, ...]:
    """Return the plots of a study.

    Parameters
    ----------
    summary : Summary
        The numbers.
    answers : mapping
        Case -> rater -> question -> answer.
    performances : sequence of (str, Performance)
        Case, and what STAPLE says of a rater there.
    theme : Theme
        Colours.
    """
    return (
        *_by_rater(summary, theme),
        *_volumes(summary, theme),
        *_landmarks(summary, theme),
        *_answers(summary, answers, theme),
        *_staple(summary, performances, theme),
    )


def _by_rater(summary: Summary, theme: Theme) -> list[Plot]:
    """Plot the Dice of each rater with all others, a plot for each label."""
    out = []
    for one in summary.between:
        rows = []
        for rater in summary.table.raters:
            theirs = [
                row
                for row in summary.table.pairs()
                if row.value == one.value and rater in (row.first, row.second)
            ]
            found = per_case(theirs, "dice")
            if found:
                rows.append(_dots(rater, found))
        if rows:
            title = f"{one.name}: Dice of each rater with the others"
            drawing = dot_plot(rows, title, "Dice", (0.0, 1.0), theme)
            out.append(Plot(f"dice-{one.value}", f"Dice by rater: {one.name}", drawing))
    return out


def _volumes(summary: Summary, theme: Theme) -> list[Plot]:
    return [
        Plot(
            f"volume-{one.value}-{one.first}-{one.second}",
            f"Volumes: {one.name}, {one.first} and {one.second}",
            bland_altman_plot(one, theme),
        )
        for one in summary.volumes
    ]


def _landmarks(summary: Summary, theme: Theme) -> list[Plot]:
    rows = []
    for one in summary.marks:
        found: dict[str, list[float]] = {}
        for row in summary.table.marks:
            if row.name == one.name and row.second != CONSENSUS and row.mm is not None:
                found.setdefault(row.case, []).append(row.mm)
        if found:
            means = {case: sum(mm) / len(mm) for case, mm in found.items()}
            rows.append(_dots(one.name, means))
    if not rows:
        return []
    ends = (0.0, max(value for row in rows for value in row.values) * 1.05 or 1.0)
    drawing = dot_plot(rows, "Landmarks: how far raters are apart", "mm", ends, theme)
    return [Plot("landmarks", "Landmarks", drawing)]


def _answers(summary: Summary, answers: Answers, theme: Theme) -> list[Plot]:
    """Plot how often two raters of a case gave which answers; of words, not of numbers."""
    out, asked = [], by_question(answers)
    for one in summary.answers:
        pairs: Counter[tuple[str, str]] = Counter()
        for places in asked[one.question].values():
            for said in places.values():
                pairs.update(combinations(map(_said, said.values()), 2))
        names = sorted({name for pair in pairs for name in pair})
        if not names or len(names) > 8:
            continue
        # Which of the two stands first means nothing: both ways are one.
        counts = [[pairs[a, b] + (pairs[b, a] if a != b else 0) for b in names] for a in names]
        last = one.coefficients[-1]
        value = "undefined" if last.value is None else f"{last.value:.2f}"
        title = f"{one.question}: pairs of answers, {last.name} {value}"
        drawing = matrix_plot(names, counts, title, theme)
        out.append(Plot(f"answers-{_plain(one.question)}", f"Answers: {one.question}", drawing))
    return out


def _staple(
    summary: Summary, performances: Sequence[tuple[str, Performance]], theme: Theme
) -> list[Plot]:
    out = []
    for value, name in sorted(summary.table.names.items()):
        rows = []
        for rater in summary.table.raters:
            own = [
                (case, one)
                for case, one in performances
                if (one.rater, one.value) == (rater, value)
            ]
            if own:
                rows.append(_dots(f"{rater} sensitivity", {c: o.sensitivity for c, o in own}))
                rows.append(_dots(f"{rater} specificity", {c: o.specificity for c, o in own}))
        if rows:
            title = f"{name}: each rater against STAPLE"
            drawing = dot_plot(rows, title, "share", (0.0, 1.0), theme)
            out.append(Plot(f"staple-{value}", f"STAPLE: {name}", drawing))
    return out


def _dots(name: str, by_case: Mapping[str, float]) -> Dots:
    values = tuple(by_case.values())
    return Dots(name, values, sum(values) / len(values), None, tuple(by_case))


def _said(answer: object) -> str:
    if isinstance(answer, list | tuple):
        return " + ".join(sorted(map(str, answer))) or "none"
    return {"True": "yes", "False": "no"}.get(str(answer), str(answer))


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)
