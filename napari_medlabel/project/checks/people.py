"""Checks of patients: one code each, a row each, and nobody on both sides of a split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from napari_medlabel.errors import InputError
from napari_medlabel.project.cases.participants import (
    read_participants,
    splits,
    subjects_without_row,
)
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.checks.finding import Finding
from napari_medlabel.project.layout import Layout

_WHERE = "participants.tsv"


def check_people(layout: Layout, records: Sequence[CaseRecord]) -> Iterator[Finding]:
    """Yield what is wrong with patients.

    Parameters
    ----------
    layout : Layout
        The study.
    records : sequence of CaseRecord
        Those that could be read.
    """
    pairs = _same_patient(records)
    for one, other in pairs:
        words = f"sub-{one} and sub-{other} are one patient."
        yield Finding("error", "two codes", f"sub-{other}", words)
    try:
        rows = read_participants(layout.participants)
    except InputError as err:
        yield Finding("error", "participants", _WHERE, err.message)
        return
    codes = {record.case.subject for record in records}
    for code in subjects_without_row(rows, codes):
        yield Finding("error", "participants", _WHERE, f"sub-{code} has no line.")
    without = len(set(rows) - codes)
    if without:
        words = f"Lines without a case: {without}."
        yield Finding("warning", "participants", _WHERE, words)
    split = splits(rows)
    for one, other in sorted({*pairs, *_same_pixels(records)}):
        if one in split and other in split and split[one] != split[other]:
            words = (
                f"sub-{one} and sub-{other} are one patient or have a scan in common, and "
                "they are in two splits."
            )
            yield Finding("error", "split leak", _WHERE, words)
    some = codes & set(split)
    if some and some != codes:
        words = f"Patients without a split, while others have one: {len(codes - some)}."
        yield Finding("warning", "split", _WHERE, words)


def _same_patient(records: Sequence[CaseRecord]) -> list[tuple[str, str]]:
    """Return pairs of codes that stand for one patient: by token, or by link."""
    groups: dict[str, set[str]] = {}
    for record in records:
        for key in filter(None, (record.subject, record.link)):
            groups.setdefault(key, set()).add(record.case.subject)
    return _pairs(groups)


def _same_pixels(records: Sequence[CaseRecord]) -> list[tuple[str, str]]:
    groups: dict[str, set[str]] = {}
    for record in records:
        groups.setdefault(record.pixels, set()).add(record.case.subject)
    return _pairs(groups)


def _pairs(groups: dict[str, set[str]]) -> list[tuple[str, str]]:
    found = {pair for codes in groups.values() for pair in combinations(sorted(codes), 2)}
    return sorted(found)
