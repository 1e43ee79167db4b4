"""The report of agreement: every method by its name, and nothing that no fact holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_medlabel.project.agreement.report import Facts, Summary, summarise, write_report
from napari_medlabel.project.agreement.table import CONSENSUS, MarkRow, Row, Table
from napari_medlabel.project.settings import Settings

LIVER = (0.9, 0.8, 0.95, 0.7)
YES_NO = (("a", "a"), ("b", "b"), ("a", "b"), ("a", "a"))


def row(case: str, value: int, name: str, dice: float, second: str = "r02") -> Row:
    return Row(case, "r01", second, value, name, "both", 10, 11, dice, 1.0, 2.0, 0.5, False)


def table(*, is_constant_first: bool = False) -> Table:
    constant = 1 if is_constant_first else 2
    rows = [row(f"c{at}", 3 - constant, "Liver", dice) for at, dice in enumerate(LIVER)]
    rows += [row(f"c{at}", constant, "Cyst", 1.0) for at in range(4)]
    return Table(tuple(rows), (), "surfel", 2.0)


def answers() -> dict[str, dict[str, dict[str, object]]]:
    return {
        f"c{at}": {"r01": {"clear": one}, "r02": {"clear": other}}
        for at, (one, other) in enumerate(YES_NO)
    }


def summary() -> Summary:
    return summarise(table(), answers(), seed=1)


def report(found: Summary, **facts: object) -> str:
    settings = Settings("S", readings=2, repeat_days=14)
    return write_report(found, replace(Facts(settings, "program 1", 5), **facts), {})


@pytest.mark.parametrize("is_constant_first", [False, True])
def test_all_methods_that_occur_are_listed_with_their_draws_whatever_label_is_first(
    is_constant_first: bool,
) -> None:
    text = report(summarise(table(is_constant_first=is_constant_first), {}, seed=1))
    assert (
        "Intervals of means, of 95 %, by bootstrap over cases, 2000 draws each, seed 1: 1 BCa "
        "(bias-corrected and accelerated), 7 percentile."
    ) in text
    assert "Percentile where the correction is undefined, marked: percentile." in text


def test_each_cell_with_a_percentile_interval_says_so_and_no_other() -> None:
    found = summary()
    lines = report(found).splitlines()
    liver = next(line for line in lines if line.startswith("| Liver")).split(" | ")
    cyst = next(line for line in lines if line.startswith("| Cyst")).split(" | ")
    assert found.between[0].figures["dice"].interval.method == "bca"
    assert "percentile" not in liver[1]
    assert all(cell.endswith("; percentile)") for cell in (*liver[2:5], *cyst[1:5]))


def test_where_every_interval_is_bca_none_is_called_percentile() -> None:
    marks = [MarkRow(f"c{at}", "r01", "r02", "Tip", mm, ()) for at, mm in enumerate(LIVER)]
    text = report(summarise(Table((), tuple(marks), "surfel", 2.0), {}, seed=1))
    assert "seed 1: 1 BCa (bias-corrected and accelerated)." in text
    assert "ercentile." not in text
    assert "percentile)" not in text


def test_alpha_has_a_sentence_with_its_draws_and_those_that_are_undefined() -> None:
    found = summary()
    span = found.answers[0].interval
    assert (span.draws, span.undefined) == (461, 39)
    assert (
        "Intervals of Krippendorff's alpha, by bootstrap over cases. `clear`: BCa "
        "(bias-corrected and accelerated), 95 %, 500 draws, of which 39 were undefined and do "
        "not count, seed 1."
    ) in report(found)


def test_an_alpha_without_an_interval_is_said_to_have_none() -> None:
    alike = {
        case: {rater: {"clear": "a"} for rater in held} for case, held in answers().items()
    }
    text = report(summarise(table(), alike, seed=1))
    assert "`clear`: none, as alpha is undefined." in text


def test_readings_are_counted_from_what_was_compared_and_not_from_the_rules() -> None:
    three = row("c0", 1, "Liver", 0.9, "r03")
    found = summary()
    text = report(
        summarise(replace(found.table, rows=(*found.table.rows, three)), answers(), seed=1),
        left_out={"with less than two readings": 1},
    )
    assert "Compared were 2 readings of each of 3 cases, 3 readings of 1 case." in text
    assert "3 raters (r01, r02, r03), 4 cases, 9 readings," in text
    assert "4 of 5 cases were compared; left out: 1 with less than two readings." in text
    assert "Each case has" not in text
    assert "served again" not in text


@pytest.mark.parametrize(
    ("repeats", "said"),
    [
        (None, ""),
        (0, "The log has no second reading of a case by the same rater."),
        (1, "The log has 1 second reading of a case by the same rater."),
        (3, "The log has 3 second readings of a case by the same rater."),
    ],
)
def test_second_readings_are_told_as_the_log_has_them_or_not_at_all(
    repeats: int | None, said: str
) -> None:
    text = report(summary(), repeats=repeats)
    assert said in text
    assert ("second reading" in text) == (repeats is not None)


def test_who_settled_is_told_where_the_log_was_asked_and_never_from_the_rules() -> None:
    found = summary()
    assert "settle" not in report(found)
    agreed = tuple(row(f"c{at}", 1, "Liver", 0.9, CONSENSUS) for at in range(3))
    found = summarise(replace(found.table, rows=(*found.table.rows, *agreed)), {}, seed=1)
    assert "This report does not tell who settled where readings differ" in report(found)
    told = "The consensus of 3 cases was settled by r09, who had not read them."
    text = report(found, settled=(told,))
    assert told in text
    assert "does not tell who settled" not in text


def test_a_report_claims_no_more_of_blindness_than_the_program_does() -> None:
    text = report(summary(), is_first=False)
    assert (
        "It does not keep reviewers, adjudicators, releasers and managers from looking" in text
    )
    assert "What was changed in a review depends on it." in text
    assert "Compared is what counts now" in text


def test_a_report_names_the_parts_that_were_compared_and_how_to_have_them_again() -> None:
    text = report(summary())
    assert "Compared were masks and answers of readings, with program 1." in text
    assert "`medlabel project agree STUDY --csv DIR` writes tables" in text
    voxels = summarise(replace(table(), convention="voxel"), {}, seed=1)
    text = report(voxels, is_first=False)
    assert "Compared were masks of readings" in text
    assert "`medlabel project agree STUDY --now --convention voxel --csv DIR`" in text


def test_readings_of_answers_alone_have_their_raters_and_cases() -> None:
    text = report(summarise(Table((), (), "surfel", 2.0), answers(), seed=1))
    assert "2 raters (r01, r02), 4 cases, 8 readings, 0 comparisons" in text
    assert "Intervals of means" not in text


def test_a_report_of_nothing_says_so() -> None:
    text = report(summarise(Table((), (), "surfel", 2.0), {}, seed=1))
    assert "No case was compared." in text
    assert "0 raters (none), 0 cases, 0 readings," in text
    assert "There is nothing to compare yet." in text
