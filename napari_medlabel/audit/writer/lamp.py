"""How the log is, in one colour and one sentence for the person at the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_medlabel.audit.format.record import time_text

Level = Literal["green", "amber", "red"]


@dataclass(frozen=True, slots=True)
class Lamp:
    """What the lamp shows.

    Parameters
    ----------
    level : str
        green: all is written where it belongs; amber: it is written, and something needs
        attention; red: nothing is written, so nothing that needs the log happens.
    sentence : str
        What is so, and what follows from it.
    since_ms : int
        Since when, milliseconds since 1970.
    """

    level: Level
    sentence: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What the lamp depends on.

    Parameters
    ----------
    is_local : bool
        Whether events go into the spool.
    error : str
        Why the log's folder, or everything, cannot be written; or empty.
    is_lost : bool
        Whether nothing can be written at all.
    suffices : bool
        Whether the site lets data leave all the same while the log is local.
    is_low : bool
        Whether little room is left.
    is_hidden : bool
        Whether the latest head could not be shown to the other computers.
    differing : int
        Session files of the spool whose name something else has.
    share : str
        Kind of network share that the log lies on, or empty.
    worry : str
        What is wrong with the workstation's key or the site's rules, or empty.
    """

    is_local: bool = False
    error: str = ""
    is_lost: bool = False
    suffices: bool = False
    is_low: bool = False
    is_hidden: bool = False
    differing: int = 0
    share: str = ""
    worry: str = ""


def _local(condition: Condition, since: str) -> str:
    leaves = (
        "Exports are allowed by the site's rules."
        if condition.suffices
        else "Exports, de-identification and screenshots are refused until it is back."
    )
    return (
        f"The log is local since {since} UTC: its folder cannot be written or is "
        f"not in its place ({condition.error}). It is taken over by itself when the folder is "
        f"back. {leaves}"
    )


def _pressed(condition: Condition) -> str:
    return (
        f"The disk of the log is full ({condition.error}): the log goes on in the room that "
        "was kept for its last words. Make room: exports, de-identification and screenshots "
        "are refused until then."
    )


def _worries(condition: Condition) -> str:
    worries = []
    if condition.is_low:
        worries.append("Less than 5 % of the disk of the log is free: make room.")
    if condition.is_hidden:
        worries.append("The end of the log could not be shown to the other computers.")
    if condition.differing:
        worries.append(
            f"{condition.differing} session(s) written on this computer could not be taken "
            "over, since other files have their names: call whoever is responsible for the log."
        )
    if condition.worry:
        worries.append(condition.worry)
    return " ".join(worries)


def lamp_of(condition: Condition, since_ms: int) -> Lamp:
    """Return what the lamp shows.

    Parameters
    ----------
    condition : Condition
        How the log is.
    since_ms : int
        Since when it has been so, milliseconds since 1970.
    """
    if condition.is_lost:
        return Lamp(
            "red",
            f"The log cannot be written ({condition.error}): opening, exporting and approving "
            "are refused. Painting and its recovery journal go on.",
            since_ms,
        )
    if condition.is_local:
        return Lamp("amber", _local(condition, time_text(since_ms)[11:16]), since_ms)
    if condition.error:
        return Lamp("amber", _pressed(condition), since_ms)
    worries = _worries(condition)
    if worries:
        return Lamp("amber", worries, since_ms)
    sentence = "The log is written: each event is signed and on the disk."
    if condition.share:
        sentence = (
            "The log is written and signed. It lies on a network share "
            f"({condition.share}), which may say 'on disk' too early."
        )
    return Lamp("green", sentence, since_ms)
