"""The outcome of a de-identification in a few sentences, for a panel."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from napari_medlabel.deid.report.counts import BatchReport

Colour = Literal["green", "amber", "red"]


def outcome_of(report: BatchReport) -> tuple[Colour, str]:
    """Return a colour and the outcome in words, without identity.

    Parameters
    ----------
    report : BatchReport
        What was done.

    Returns
    -------
    colour : str
        ``"green"`` when everything was passed on, ``"red"`` when something was refused,
        ``"amber"`` when images wait for eyes.
    words : str
        Sentences.
    """
    written = sum(report.written.values())
    sentences = [
        f"{_files(written)} of {_count(report.patients, 'patient')} written without identity."
    ]
    for reason, count in Counter(each.reason for each in report.quarantined).most_common():
        sentences.append(f"{_files(count)} not passed on: {reason}.")
    if report.review:
        sentences.append(f"{_count(len(report.review), 'image')} waiting for your eyes.")
    sentences += [f"{count} series: {what}." for what, count in report.faces.items()]
    left = sum(report.skipped.values())
    if left:
        sentences.append(f"{_files(left)} left out, as no scans or second copies.")
    for note, count in report.notes.items():
        sentences.append(f"{_files(count)}: {note}.")
    colour: Colour = "green"
    if report.review:
        colour = "amber"
    if report.quarantined:
        colour = "red"
    return colour, "\n".join(sentences)


def _files(count: int) -> str:
    return _count(count, "file")


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
