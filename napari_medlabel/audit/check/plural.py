"""Numbers with their nouns, as people write them: 1 session, 3 sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ONE: Final[Mapping[str, str]] = {"are": "is", "were": "was", "they": "it", "them": "it"}


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Parameters
    ----------
    number : int
        From 0.
    noun : str
        In the singular; its plural ends in s.

    Returns
    -------
    str
        As ``1 session`` or ``3 sessions``.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def agreeing(number: int, word: str) -> str:
    """Return *are*, *were*, *they* or *them* as it goes with a number.

    Parameters
    ----------
    number : int
        From 0.
    word : str
        In the plural.
    """
    return _ONE[word] if number == 1 else word


def filled(template: str, number: int, noun: str) -> str:
    """Return a sentence about so many things.

    Parameters
    ----------
    template : str
        With ``{count}`` for number and noun, and ``{are}``, ``{were}``, ``{they}``, ``{them}``.
    number : int
        From 0.
    noun : str
        As for `counted`.
    """
    verbs = {word: agreeing(number, word) for word in _ONE}
    return template.format(count=counted(number, noun), **verbs)
