"""A line of the log in words, for who reads what was found and knows no event by its name."""

from __future__ import annotations

from napari_medlabel.audit.report.vocabulary import SAID
from napari_medlabel.project.layout import CONSENSUS


def named(event: str, slot: str = "") -> str:
    """Return what a line tells of, such as ``"Case approved" (review.approve, reading A)``.

    Parameters
    ----------
    event : str
        Its name in the log.
    slot : str
        Which reading; empty for none.
    """
    of = "consensus" if slot == CONSENSUS else f"reading {slot}" if slot else ""
    where = ", ".join(filter(None, (event, of)))
    return f'"{SAID[event][0]}" ({where})' if event in SAID else where
