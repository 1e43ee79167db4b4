"""The files of a step and its line in the log: announced first, named, then told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from napari_medlabel.audit.format.event import Event
from napari_medlabel.session.outbox import Outbox, Parcel
from napari_medlabel.session.study.seat import Reading, Seat, outbox_of


def take_step_with_files(
    seat: Seat,
    at: Reading,
    event: Event,
    number: int,
    write: Callable[[Callable[[str], object]], object],
) -> None:
    """Announce a step, let the files of its version take their names, then tell the log.

    A crash in between is settled by the next action of the same account on the case.

    Parameters
    ----------
    seat, at
        Who, and on what.
    event : Event
        Its detail names slot and step, its object the mask's content.
    number : int
        Of the version, in this rater's own data set.
    write : callable
        Writes the version, and announces its digest as a whole before a file takes its name:
        see `write_version`. What it raises leaves nothing.

    Raises
    ------
    SaveError
        When the files cannot be written.
    LogError
        When the log cannot be told; the version waits in the outbox.
    """
    outbox = outbox_of(seat, at.record)
    key = f"{at.slot} {event.detail['step']} {number} {event.objects[0].id}"
    deliver_written(outbox, event, key, write)


def deliver_written(
    outbox: Outbox,
    event: Event,
    key: str,
    write: Callable[[Callable[[str], object]], object],
) -> None:
    """Write a version and tell the log of it, with its digest as a whole.

    Parameters
    ----------
    outbox : Outbox
        Where the event waits while the files are named.
    event : Event
        What is told, without the digest.
    key : str
        By which it is known, after a crash, whether the files are there.
    write : callable
        As in `take_step_with_files`.

    Raises
    ------
    SaveError, LogError
        As `take_step_with_files`.
    """
    parcels: list[Parcel] = []

    def announce(whole: str) -> None:
        told = replace(event, detail={**event.detail, "whole": whole})
        parcels.append(outbox.announce([told], old="", new=key))

    try:
        write(announce)
    except BaseException:  # even an interrupt: what was announced did not happen
        for parcel in parcels:
            parcel.remove()
        raise
    problems = [outbox.deliver(parcel) for parcel in parcels]
    outbox.close()
    for problem in problems:
        if problem is not None:
            raise problem
