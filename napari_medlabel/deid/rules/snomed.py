"""SNOMED CT identifiers: the form of a concept's number with its check digit."""

from __future__ import annotations

import re

_FORM = re.compile(r"[1-9][0-9]{2,14}(?:00|10)[0-9]")  # a concept of the core or an extension
_FIRST = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _product(left: int, right: int) -> int:
    """Multiply in the group of the pentagon's ten symmetries."""
    turn = left % 5 + right % 5 if left < 5 else left % 5 - right % 5
    return turn % 5 + 5 * ((left < 5) != (right < 5))


def _permutations() -> tuple[tuple[int, ...], ...]:
    """Return the eight powers of the first permutation, from the one that changes nothing."""
    powers = [tuple(range(10))]
    for _ in range(7):
        powers.append(tuple(_FIRST[digit] for digit in powers[-1]))
    return tuple(powers)


_PERMUTATIONS = _permutations()


def is_concept_id(value: str) -> bool:
    """Whether a text is a SNOMED CT concept identifier.

    Parameters
    ----------
    value : str
        The code value.

    Returns
    -------
    bool
        True for 6 to 18 digits with a concept's partition (00 or 10) and a right check
        digit by Verhoeff's scheme (SNOMED CT Release File Specification 6). One number
        in 500 passes by chance.
    """
    if _FORM.fullmatch(value) is None:
        return False
    check = 0
    for position, digit in enumerate(reversed(value)):
        check = _product(check, _PERMUTATIONS[position % 8][int(digit)])
    return check == 0
