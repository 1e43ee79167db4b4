"""How long a regular expression of a site could search: endless ones are refused."""

from __future__ import annotations

import re
from typing import Any, Final

LONGEST_VALUE: Final = 256
"""Characters of a value that a pattern is tried on; a longer one fits none."""

MOST_WAYS: Final = 100_000
"""Ways to fit a value that a pattern may try before it knows that none does."""

_REPEATS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_INNER: Final = {"SUBPATTERN": -1, "ASSERT": 1, "ASSERT_NOT": 1}


def is_bounded(pattern: str) -> bool:
    """Whether a pattern that compiles ends soon on every value.

    Python's engine tries one way to fit after another. ``(.*.*)*x`` has more of them than
    there is time; this counts them from the parsed pattern.

    Parameters
    ----------
    pattern : str
        A regular expression.
    """
    parser: Any = re._parser  # type: ignore[attr-defined]  # noqa: SLF001 - no public parser
    return _ways(parser.parse(pattern)) <= MOST_WAYS


def _ways(items: Any) -> int:
    """Return in how many ways a sequence can fit, at most one more than matters."""
    total = 1
    for name, what in items:
        total *= _ways_of(str(name), what)
        if total > MOST_WAYS:
            return MOST_WAYS + 1
    return total


def _ways_of(name: str, what: Any) -> int:
    """Return in how many ways one part can fit."""
    if name in _REPEATS:
        low, high, inner = what
        return _repeated(_ways(inner), int(low), min(int(high), LONGEST_VALUE))
    if name == "BRANCH":
        return sum(_ways(each) for each in what[1])
    if name == "GROUPREF_EXISTS":
        return sum(_ways(each) for each in what[1:] if each)
    if name == "ATOMIC_GROUP":
        return _ways(what)
    if name in _INNER:
        return _ways(what[_INNER[name]])
    return 1


def _repeated(once: int, low: int, high: int) -> int:
    total = 0
    for count in range(low, max(low, high) + 1):
        total += once**count
        if total > MOST_WAYS:
            return MOST_WAYS + 1
    return total
