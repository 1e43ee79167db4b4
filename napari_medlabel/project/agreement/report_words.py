"""Figures, intervals and tables of a report, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from napari_medlabel.project.agreement.bootstrap import Interval
from napari_medlabel.project.agreement.summary import (
    AnswerSummary,
    Figure,
    LabelSummary,
    MarkSummary,
)

_SHOWN: Final = ("dice", "nsd", "hd95_mm", "assd_mm")
_NAMES: Final = {"bca": "BCa (bias-corrected and accelerated)", "percentile": "percentile"}


def figure_words(one: Figure | None, digits: int) -> str:
    """Return a mean with its interval; a dash where there is none, and one case said."""
    if one is None:
        return "-"
    said = f"{one.mean:.{digits}f}"
    if one.interval is None:
        return f"{said} (one case)" if one.cases == 1 else said
    return f"{said} ({cell_words(one.interval, digits)})"


def cell_words(one: Interval, digits: int = 2) -> str:
    """Return the ends of an interval by bootstrap, with its method where it is not BCa."""
    said = ends_words((one.low, one.high), digits)
    return said if one.method == "bca" else f"{said}; {one.method}"


def ends_words(ends: tuple[float, float], digits: int = 2) -> str:
    """Return the ends of an interval."""
    return f"{ends[0]:.{digits}f} to {ends[1]:.{digits}f}"


def shown_intervals(
    between: Sequence[LabelSummary],
    against: Sequence[LabelSummary],
    marks: Sequence[MarkSummary],
) -> list[Interval]:
    """Return the intervals of all means that a report shows."""
    figures = [one.figures.get(m) for one in (*between, *against) for m in _SHOWN]
    figures += [one.figure for one in marks]
    return [one.interval for one in figures if one is not None and one.interval is not None]


def interval_words(intervals: Iterable[Interval], mark: str = "percentile") -> list[str]:
    """Say how the intervals of means were made: all methods that occur, and how often.

    Parameters
    ----------
    intervals : iterable of Interval
        Of means.
    mark : str
        What stands beside those in a table that are not BCa.
    """
    found: dict[tuple[float, int, int], Counter[str]] = {}
    for one in intervals:
        key = (one.confidence, one.draws + one.undefined, one.seed)
        found.setdefault(key, Counter())[one.method] += 1
    out = []
    for (confidence, draws, seed), methods in found.items():
        said = ", ".join(f"{methods[m]} {name}" for m, name in _NAMES.items() if methods[m])
        out.append(
            f"Intervals of means, of {confidence * 100:g} %, by bootstrap over cases, {draws} "
            f"draws each, seed {seed}: {said}."
        )
        if methods["percentile"]:
            out[-1] += f" Percentile where the correction is undefined, marked: {mark}."
    return out


def alpha_words(answers: Sequence[AnswerSummary]) -> list[str]:
    """Say how the intervals of Krippendorff's alpha were made, question by question."""
    out = []
    for one in answers:
        if one.interval is None:
            out.append(f"`{one.question}`: none, as alpha is undefined.")
            continue
        span = one.interval
        lost = f", of which {span.undefined} were undefined and do not count"
        out.append(
            f"`{one.question}`: {_NAMES[span.method]}, {span.confidence * 100:g} %, "
            f"{span.draws + span.undefined} draws{lost if span.undefined else ''}, seed "
            f"{span.seed}."
        )
    head = "Intervals of Krippendorff's alpha, by bootstrap over cases."
    return [" ".join([head, *out])] if out else []


def readings_words(readings: Mapping[str, Sequence[str]]) -> str:
    """Say how many readings of how many cases were compared."""
    sizes = Counter(len(raters) for raters in readings.values())
    said = [
        f"{counted(size, 'reading')} of {'1 case' if cases == 1 else f'each of {cases} cases'}"
        for size, cases in sorted(sizes.items())
    ]
    return f"Compared were {', '.join(said)}." if said else "No case was compared."


def counted(number: int, word: str) -> str:
    """Return a number with its word, in the plural where it is not 1."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of Markdown under its title; a bar in a cell becomes a slash."""
    lines = [f"**{title}**", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def spaced_words(said: Sequence[str]) -> list[str]:
    """Return paragraphs with an empty line after each."""
    return [line for one in said for line in (one, "")]
