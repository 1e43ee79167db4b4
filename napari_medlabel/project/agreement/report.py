"""The report of agreement, item by item as GRRAS asks; what the facts lack is said as missing.

Guidelines for Reporting Reliability and Agreement Studies: Kottner et al., J Clin Epidemiol 64
(2011) 96-106, fifteen items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from napari_medlabel.project.agreement.answers import RULE
from napari_medlabel.project.agreement.plots import Dots, bland_altman_svg, dot_plot_svg
from napari_medlabel.project.agreement.report_words import (
    ends_words,
    figure_words,
    spaced_words,
    table,
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
from napari_medlabel.project.agreement.table import Row, Table, per_case
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
    """

    table: Table
    between: tuple[LabelSummary, ...]
    against: tuple[LabelSummary, ...]
    volumes: tuple[VolumeAgreement, ...]
    marks: tuple[MarkSummary, ...]
    answers: tuple[AnswerSummary, ...]
    seed: int


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
    """

    settings: Settings
    software: str
    cases_in_study: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    is_first: bool = True
    stated: Mapping[str, str] = field(default_factory=dict)
    settled: Sequence[str] = ()


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
    )


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


def _device(_summary: Summary, facts: Facts) -> list[str]:
    return [f"Readings are masks, landmarks and answers made with {facts.software}."]


def _sampling(_summary: Summary, facts: Facts) -> list[str]:
    left = [f"{count} {reason}" for reason, count in sorted(facts.left_out.items()) if count]
    said = "; ".join(left) or "none"
    return [
        (
            f"Of {facts.cases_in_study} cases all were compared that two raters or more have "
            f"submitted. Not compared: {said}."
        )
    ]


def _process(_summary: Summary, facts: Facts) -> list[str]:
    settings = facts.settings
    compared = (
        "Compared is what each rater submitted first, before any review."
        if facts.is_first
        else "Compared is what counts now: reviews and corrections may have changed it."
    )
    again = (
        f"Cases are served again after {settings.repeat_days} days."
        if settings.repeat_days
        else "No case is served again."
    )
    return [f"Each case has {settings.readings} readings. {compared} {again}"]


_ADJUDICATOR: Final = {
    "independent": (
        "By the study's rules of now, who settles where readings differ has not read the case."
    ),
    "reader": (
        "By the study's rules of now, who settles where readings differ may be one of the "
        "case's readers."
    ),
}


def _independence(_summary: Summary, facts: Facts) -> list[str]:
    blind = (
        "The program refuses to open another reading of a case before the own is submitted; "
        "rights of the file system are what enforces it, and this report cannot tell whether "
        "they were set."
    )
    said = [blind] if facts.is_first else [blind, "After a review readings depend on it."]
    # What was done, where the log was asked; else what the rules ask for.
    return [*said, *(facts.settled or [_ADJUDICATOR[facts.settings.adjudicator]])]


def _analysis(summary: Summary, _facts: Facts) -> list[str]:
    said = list(summary.table.rules)
    found = next(
        (f.interval for one in summary.between for f in one.figures.values() if f.interval),
        None,
    )
    said.append(
        "Means are over cases; the pairs of one case are averaged first and stay together in "
        f"resampling. {found.words()}."
        if found is not None
        else "Means are over cases; with less than two cases there is no interval."
    )
    said.append(
        "ICC(2,1): two-way random, absolute agreement, single reading (Shrout and Fleiss "
        "1979), of volumes over the cases that all raters read and somebody labelled."
    )
    said.append(
        "Differences of volumes are the second less the first of two raters by the order of "
        "their codes, or the consensus less the rater: above 0 the second measured more."
    )
    if summary.volumes:
        said.append(summary.volumes[0].found.rule)
    if summary.answers:
        rules = dict.fromkeys(c.rule for one in summary.answers for c in one.coefficients)
        said.append("Answers: " + " ".join(rules) + " A coefficient is undefined where "
                    f"everybody always gave one answer. {RULE}")  # fmt: skip
    return said


def _included(summary: Summary, _facts: Facts) -> list[str]:
    table = summary.table
    return [
        (
            f"{len(table.raters)} raters ({', '.join(table.raters) or 'none'}), "
            f"{len(table.cases)} cases, {len(table.pairs())} comparisons of a label between "
            "two raters."
        )
    ]


def _estimates(summary: Summary, _facts: Facts) -> list[str]:
    out = _label_lines("Between raters", summary.between)
    out += _label_lines("Raters against the consensus", summary.against)
    if summary.volumes:
        head = ("Label", "Raters", "Cases", "Bias (95 %), ml", "Limits of agreement, ml")
        rows = [
            (
                one.name,
                f"{one.second} less {one.first}",
                str(len(one.found.differences)),
                f"{one.found.bias:.2f} ({ends_words(one.found.bias_ends)})",
                (
                    f"{one.found.limits[0]:.2f} ({ends_words(one.found.low_ends)}) to "
                    f"{one.found.limits[1]:.2f} ({ends_words(one.found.high_ends)})"
                ),
            )
            for one in summary.volumes
        ]
        out.append(table("Volumes (Bland-Altman)", head, rows))
    if summary.marks:
        of_marks = ("Landmark", "Mean (95 %), mm", "Largest, mm", "Not placed by both")
        marks = [
            (
                one.name,
                figure_words(one.figure, 2),
                "-" if one.largest_mm is None else f"{one.largest_mm:.2f}",
                str(one.missing),
            )
            for one in summary.marks
        ]
        out.append(table("Landmarks", of_marks, marks))
    out += _answer_lines(summary.answers)
    return out or ["There is nothing to compare yet."]


def _answer_lines(answers: Sequence[AnswerSummary]) -> list[str]:
    rows = []
    for one in answers:
        for coefficient, pair in zip(one.coefficients, one.pairs, strict=True):
            interval = ""
            if coefficient.name.startswith("Krippendorff") and one.interval is not None:
                interval = f" ({ends_words((one.interval.low, one.interval.high))})"
            value = "undefined" if coefficient.value is None else f"{coefficient.value:.3f}"
            rows.append(
                (
                    one.question,
                    coefficient.name,
                    " - ".join(pair) or "all",
                    value + interval,
                    f"{coefficient.subjects} ({coefficient.left_out} left out)",
                )
            )
    head = ("Question", "Coefficient", "Raters", "Value (95 %)", "Subjects")
    return [table("Answers", head, rows)] if rows else []


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
    "detail": lambda _summary, _facts: [
        (
            "Every pair of readings stands in the tables that `medlabel project agree STUDY "
            "--csv DIR` writes; the plots below show every case."
        )
    ],
}


def _label_lines(title: str, rows: Sequence[LabelSummary]) -> list[str]:
    if not rows:
        return []
    head = ("Label", "Dice (95 %)", "NSD", "HD95, mm", "ASSD, mm", "ICC of volumes",
            "Comparisons", "Missed by one", "Empty in both", "Tiny")  # fmt: skip
    cells = [
        (
            one.name,
            *(figure_words(one.figures.get(m), 3) for m in ("dice", "nsd")),
            *(figure_words(one.figures.get(m), 2) for m in ("hd95_mm", "assd_mm")),
            "-" if one.icc is None else f"{one.icc:.3f} (n = {one.icc_cases})",
            *(str(n) for n in (one.pairs, one.flagged, one.excluded, one.tiny)),
        )
        for one in rows
    ]
    return [table(title, head, cells)]


def _detail(pictures: Mapping[str, str]) -> list[str]:
    if not pictures:
        return []
    out = ["", "### Plots", ""]
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
