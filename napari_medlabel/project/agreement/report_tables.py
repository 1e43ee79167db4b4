"""The estimates of a report of agreement as tables of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from napari_medlabel.project.agreement.report_words import (
    cell_words,
    ends_words,
    figure_words,
    table,
)
from napari_medlabel.project.agreement.summary import (
    AnswerSummary,
    LabelSummary,
    MarkSummary,
    VolumeAgreement,
)


def label_tables(title: str, rows: Sequence[LabelSummary]) -> list[str]:
    """Return a table of labels under its title; nothing where there are none."""
    if not rows:
        return []
    head = ("Label", "Dice (95 %)", "NSD (95 %)", "HD95 (95 %), mm", "ASSD (95 %), mm",
            "ICC of volumes", "Comparisons", "Missed by one", "Empty in both",
            "Tiny")  # fmt: skip
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


def volume_tables(volumes: Sequence[VolumeAgreement]) -> list[str]:
    """Return a table of Bland-Altman's figures; nothing where there are none."""
    if not volumes:
        return []
    head = ("Label", "Raters", "Cases", "Bias (95 %), ml", "Limits of agreement (95 %), ml")
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
        for one in volumes
    ]
    return [table("Volumes (Bland-Altman)", head, rows)]


def mark_tables(marks: Sequence[MarkSummary]) -> list[str]:
    """Return a table of landmarks; nothing where there are none."""
    if not marks:
        return []
    head = ("Landmark", "Mean (95 %), mm", "Largest, mm", "Not placed by both")
    rows = [
        (
            one.name,
            figure_words(one.figure, 2),
            "-" if one.largest_mm is None else f"{one.largest_mm:.2f}",
            str(one.missing),
        )
        for one in marks
    ]
    return [table("Landmarks", head, rows)]


def answer_tables(answers: Sequence[AnswerSummary]) -> list[str]:
    """Return a table of coefficients; nothing where no question was asked."""
    rows = []
    for one in answers:
        for coefficient, pair in zip(one.coefficients, one.pairs, strict=True):
            interval = ""
            if coefficient.name.startswith("Krippendorff") and one.interval is not None:
                interval = f" ({cell_words(one.interval)})"
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
