"""The report of agreement, item by item as GRRAS asks; what the facts lack is said as missing.

Guidelines for Reporting Reliability and Agreement Studies: Kottner et al., J Clin Epidemiol 64
(2011) 96-106, fifteen items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from napari_medlabel.project.agreement.answers import RULE
from napari_medlabel.project.agreement.plots import Dots, bland_altman_svg, dot_plot_svg
from napari_medlabel.project.agreement.report_tables import (
    answer_tables,
    label_tables,
    mark_tables,
    volume_tables,
)
from napari_medlabel.project.agreement.report_words import (
    alpha_words,
    counted,
    interval_words,
    readings_words,
    shown_intervals,
    spaced_words,
)
from napari_medlabel.project.agreement.summary import (
    AnswerSummary,
    LabelSummary,
    MarkSummary,
    VolumeAgreement,
    answer_summaries,
    label_summaries,
    mark_summaries,
    volume_agreements,
    volumes_of,
)
from napari_medlabel.project.agreement.table import CONSENSUS, Row, Table, per_case
from napari_medlabel.project.settings import Settings

MISSING: Final = "**Not stated.**"
ITEMS: Final[tuple[tuple[str, str], ...]] = (
    ("title", "Title: that agreement or reliability was investigated"),
    ("device", "The measurement device"),
    ("subjects", "The population of subjects"),
    ("raters", "The population of raters"),
    ("rationale", "What is known already, and why the study was made"),
    ("sample_size", "How the sample size was chosen; raters, subjects, repeated readings"),
    ("sampling", "The method of sampling"),
    ("process", "The process of reading: intervals, information given, blinding"),
    ("independence", "Whether readings were independent"),
    ("analysis", "The statistical analysis"),
    ("included", "Raters and subjects that were included; repeated readings made"),
    ("characteristics", "Characteristics of raters and subjects"),
    ("estimates", "Estimates of agreement with their uncertainty"),
    ("relevance", "The practical relevance of the results"),
    ("detail", "Results in detail"),
)
"""Keys of facts, and what each item asks, in the order of GRRAS."""


@dataclass(frozen=True)
class Summary:
    """What a table and answers come to.

    Parameters
    ----------
    table : Table
        All pairs.
    between, against : tuple of LabelSummary
        Between raters, and of raters against the consensus.
    volumes : tuple of VolumeAgreement
        Bland-Altman of each label and pair.
    marks : tuple of MarkSummary
        Landmarks.
    answers : tuple of AnswerSummary
        Questions.
    seed : int
        Of the intervals.
    readings : mapping of str to tuple of str
        Who read each case that was compared.
    """

    table: Table
    between: tuple[LabelSummary, ...]
    against: tuple[LabelSummary, ...]
    volumes: tuple[VolumeAgreement, ...]
    marks: tuple[MarkSummary, ...]
    answers: tuple[AnswerSummary, ...]
    seed: int
    readings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What is known of the study beside its numbers.

    Parameters
    ----------
    settings : Settings
        Its rules.
    software : str
        Name and version.
    cases_in_study : int
        How many there are.
    left_out : mapping of str to int
        How many cases were not compared, by reason.
    is_first : bool
        Whether the first submissions were compared, made blind, or what counts now.
    stated : mapping of str to str
        What people wrote, by the keys of `ITEMS`.
    settled : sequence of str
        A sentence on each who settled where readings differed, where the log was asked.
    repeats : int or None
        How many second readings of a case by the same rater the log has; None where it was
        not asked.
    """

    settings: Settings
    software: str
    cases_in_study: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    is_first: bool = True
    stated: Mapping[str, str] = field(default_factory=dict)
    settled: Sequence[str] = ()
    repeats: int | None = None


def summarise(
    table: Table,
    answers: Mapping[str, Mapping[str, Mapping[str, object]]],
    *,
    seed: int,
) -> Summary:
    """Summarise a study.

    Parameters
    ----------
    table : Table
        Of all cases; see `table.joined`.
    answers : mapping
        Case -> rater -> question -> answer.
    seed : int
        Of the intervals.
    """
    return Summary(
        table,
        label_summaries(table.pairs(), volumes_of(table), seed=seed),
        label_summaries(table.against_consensus(), {}, seed=seed),
        volume_agreements(table),
        mark_summaries(table, seed=seed),
        answer_summaries(answers, seed=seed),
        seed,
        _readings(table, answers),
    )


def _readings(
    table: Table, answers: Mapping[str, Mapping[str, object]]
) -> dict[str, tuple[str, ...]]:
    """Return who read each case, with labels, landmarks, answers or none of these."""
    found: dict[str, set[str]] = {case: set(held) for case, held in answers.items()}
    pairs = [(row.case, row.first, row.second) for row in table.rows]
    pairs += [(mark.case, mark.first, mark.second) for mark in table.marks]
    for case, *raters in pairs:
        found.setdefault(case, set()).update(set(raters) - {CONSENSUS})
    return {case: tuple(sorted(raters)) for case, raters in found.items()}


def plots(summary: Summary) -> dict[str, str]:
    """Return the plots as SVG documents by name (letters, digits and dashes)."""
    out = {}
    rows = _dots(summary.between, summary.table.pairs())
    if rows:
        title = "Dice between raters: cases, mean, interval of 95 %"
        out["dice"] = dot_plot_svg(rows, title, "Dice", 0.0, 1.0)
    for one in summary.volumes:
        out[f"volume-{one.value}-{one.first}-{one.second}"] = bland_altman_svg(one)
    return out


def write_report(summary: Summary, facts: Facts, pictures: Mapping[str, str]) -> str:
    """Return the report as Markdown.

    Parameters
    ----------
    summary : Summary
        The numbers.
    facts : Facts
        What else is known; what is not stated is written as missing.
    pictures : mapping of str to str
        File name of each plot, by its name.
    """
    lines = [f"# Agreement of readings: {facts.settings.name}", ""]
    lines += ["By the fifteen items of GRRAS (Kottner et al. 2011).", ""]
    missing = []
    for number, (key, asks) in enumerate(ITEMS, start=1):
        known = _KNOWN[key](summary, facts) if key in _KNOWN else []
        stated = facts.stated.get(key, "").strip()
        said = [*([stated] if stated else []), *known]
        needs_words = key in _BY_PEOPLE and not stated
        if needs_words:
            said.append(MISSING)
            missing.append(number)
        lines += [f"## {number}. {asks}", "", *spaced_words(said)]
    lines += _detail(pictures)
    listed = ", ".join(str(number) for number in missing)
    lines += ["", f"Items that people must still state: {listed}." if missing else ""]
    return "\n".join(lines).rstrip() + "\n"


_BY_PEOPLE: Final = frozenset(
    {"subjects", "raters", "rationale", "sample_size", "characteristics", "relevance"}
)
"""Items that no program can answer."""


def _device(summary: Summary, facts: Facts) -> list[str]:
    table = summary.table
    compared = {"masks": table.rows, "landmarks": table.marks, "answers": summary.answers}
    kinds = ", ".join(kind for kind, some in compared.items() if some) or "no parts"
    kinds = " and ".join(kinds.rsplit(", ", 1))
    return [
        (
            f"Compared were {kinds} of readings, with {facts.software}. The sidecar of each "
            "version tells which version of the program wrote it."
        )
    ]


def _sampling(summary: Summary, facts: Facts) -> list[str]:
    left = [f"{count} {reason}" for reason, count in sorted(facts.left_out.items()) if count]
    said = f"{len(summary.readings)} of {facts.cases_in_study} cases were compared"
    return [f"{said}; left out: {'; '.join(left) or 'none'}."]


def _process(summary: Summary, facts: Facts) -> list[str]:
    compared = (
        "Compared is what each rater submitted first of a case, before that rater's work on it "
        "was reviewed."
        if facts.is_first
        else "Compared is what counts now: reviews and corrections may have changed it."
    )
    return [f"{readings_words(summary.readings)} {compared}"]


_BLIND: Final = (
    "While somebody is at work on a case, the program refuses to open another reading of it to "
    "them; to annotators before they begin, too. It does not keep reviewers, adjudicators, "
    "releasers and managers from looking before they begin to read. Rights of the file "
    "system are what enforces it. This report cannot tell whether they were set, nor what was "
    "looked at."
)


def _independence(summary: Summary, facts: Facts) -> list[str]:
    said = [_BLIND]
    if not facts.is_first:
        said.append("What was changed in a review depends on it.")
    # What was done, where the log was asked: what the rules ask for is no fact.
    unknown = (
        "This report does not tell who settled where readings differ, nor whether they had "
        "read the case."
    )
    return [*said, *(facts.settled or ([unknown] if summary.against else []))]


def _analysis(summary: Summary, _facts: Facts) -> list[str]:
    said = list(summary.table.rules)
    said.append(
        "Means are over cases; the pairs of one case are averaged first and stay together in "
        "resampling. With less than two cases there is no interval."
    )
    said += interval_words(shown_intervals(summary.between, summary.against, summary.marks))
    if any(one.icc is not None for one in summary.between):
        said.append(
            "ICC(2,1): two-way random, absolute agreement, single reading (Shrout and Fleiss "
            "1979), of volumes over the cases that all raters read and somebody labelled."
        )
    if summary.volumes:
        said.append(
            "Differences of volumes are the second less the first of two raters by the order "
            "of their codes: above 0 the second measured more. Cases in which both left a "
            "label empty do not count."
        )
        # One sentence for all labels and pairs: what was left out is of all of them.
        left = sum(one.found.left_out for one in summary.volumes)
        said.append(replace(summary.volumes[0].found, left_out=left).rule)
    if summary.answers:
        rules = dict.fromkeys(c.rule for one in summary.answers for c in one.coefficients)
        said.append("Answers: " + " ".join(rules) + " A coefficient is undefined where "
                    f"everybody always gave one answer. {RULE}")  # fmt: skip
        said += alpha_words(summary.answers)
    return said


def _included(summary: Summary, facts: Facts) -> list[str]:
    raters = sorted({rater for held in summary.readings.values() for rater in held})
    readings = sum(map(len, summary.readings.values()))
    said = [
        (
            f"{counted(len(raters), 'rater')} ({', '.join(raters) or 'none'}), "
            f"{counted(len(summary.readings), 'case')}, {counted(readings, 'reading')}, "
            f"{counted(len(summary.table.pairs()), 'comparison')} of a label between two "
            "raters."
        )
    ]
    if facts.repeats is not None:
        again = (
            counted(facts.repeats, "second reading") if facts.repeats else "no second reading"
        )
        said.append(f"The log has {again} of a case by the same rater.")
    return said


def _estimates(summary: Summary, _facts: Facts) -> list[str]:
    out = label_tables("Between raters", summary.between)
    out += label_tables("Raters against the consensus", summary.against)
    out += volume_tables(summary.volumes)
    out += mark_tables(summary.marks)
    out += answer_tables(summary.answers)
    return out or ["There is nothing to compare yet."]


def _tables_beside(summary: Summary, facts: Facts) -> list[str]:
    asked = "" if facts.is_first else " --now"
    if summary.table.convention != "surfel":
        asked += f" --convention {summary.table.convention}"
    return [
        (
            f"`medlabel project agree STUDY{asked} --csv DIR` writes tables with every pair of "
            "readings, as the study has them by then."
        )
    ]


_KNOWN: Final[Mapping[str, Callable[[Summary, Facts], list[str]]]] = {
    "title": lambda _summary, facts: [
        f"Agreement of readings between raters in the study {facts.settings.name}."
    ],
    "device": _device,
    "sampling": _sampling,
    "process": _process,
    "independence": _independence,
    "analysis": _analysis,
    "included": _included,
    "estimates": _estimates,
    "detail": _tables_beside,
}


def _detail(pictures: Mapping[str, str]) -> list[str]:
    if not pictures:
        return []
    out = ["", "### Plots", "", "Each dot is a case.", ""]
    for name, file in pictures.items():
        words = "Dice of each case" if name == "dice" else f"Plot, {name}"
        out += [f"![{words}]({file})", ""]
    return out


def _dots(summaries: Sequence[LabelSummary], rows: Sequence[Row]) -> list[Dots]:
    out = []
    for one in summaries:
        figure = one.figures.get("dice")
        if figure is None:
            continue
        values = per_case([row for row in rows if row.value == one.value], "dice")
        ends = None if figure.interval is None else (figure.interval.low, figure.interval.high)
        out.append(Dots(one.name, tuple(values.values()), figure.mean, ends))
    return out
