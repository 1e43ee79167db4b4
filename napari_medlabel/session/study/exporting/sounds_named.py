"""Whether a sentence of safe words may tell of a person all the same: names that are words too.

"Small", "Black" and "Iris" are words of a description and names of people. How they stand in a
text tells which they may be; in doubt they count as names.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Final

from napari_medlabel.deid.rules.descriptors import safe_text
from napari_medlabel.deid.rules.dictionary import DATA

MOST_NUMBERS: Final = 3
"""How many numbers a text may hold, as three lengths of one finding; more may be any number."""
_SPOKEN: Final = re.compile(r"[^\W_]+(?:\.[0-9]+)?")
_ENDS: Final = re.compile(r"[^\W\d_]{3,}\s*[.!?:]\s+$|[0-9a-z]\s*[!?]\s+$")
_ANNOUNCES: Final = frozenset(
    {"patient", "patients", "pt", "by", "name", "named", "names", "called", "reader", "nurse",
     "doctor", "physician", "surgeon", "radiologist", "sister", "brother", "mother", "father",
     "wife", "husband", "son", "daughter", "woman", "man", "girl", "boy", "child", "per"}
)  # fmt: skip
"""What a name comes after, as after a title."""
_BETWEEN: Final = frozenset({"is", "was", "the", "a", "s", "mr", "mrs", "ms", "dr", "said"})
_VERBS: Final = frozenset({"is", "was", "has", "had", "s", "and", "or", "will", "can", "may"})
_GIVEN: Final = frozenset(
    {"angle", "ann", "art", "carina", "chin", "delta", "ed", "iris", "lin", "long", "max",
     "min", "star", "vena"}
)  # fmt: skip
_COUNTED: Final = frozenset(
    {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
     "eleven", "twelve", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty",
     "ninety", "hundred", "thousand"}
)  # fmt: skip


def may_be_named(text: str, known: frozenset[str]) -> bool:
    """Tell whether a text of words that are safe each may name a person, or tell a number.

    So it may where a word follows *patient*, *by*, *name* and the like; where a capitalised
    word inside a sentence, alone, or before a comma or a verb, is a given or family name, too;
    where one is a word of the ontology alone, which `known` does not write so; where there are
    more numbers than lengths of one finding, or one with a leading zero.

    Parameters
    ----------
    text : str
        With single blanks.
    known : frozenset of str
        Capitalised words of an ontology's names, as written there.
    """
    spoken = list(_SPOKEN.finditer(text))
    words = [one.group() for one in spoken]
    numbers = [one for one in words if any(x.isdigit() for x in one) or one.lower() in _COUNTED]
    if len(numbers) > MOST_NUMBERS or any(re.match(r"0[0-9]", one) for one in numbers):
        return True
    announced = False
    for place, one in enumerate(spoken):
        word = one.group()
        lowered = word.lower()
        if announced and lowered not in _BETWEEN and not word[0].isdigit():
            return True
        announced = lowered in _ANNOUNCES or (announced and lowered in _BETWEEN)
        before, after = text[: one.start()], text[one.end() :].lstrip()
        begins = not before or _ENDS.search(before) is not None
        follows = words[place + 1] if place + 1 < len(words) else ""
        if word[0].isupper() and _may_be_name(word, begins, after, follows, known):
            return True
    return False


def _may_be_name(
    word: str, begins: bool, after: str, follows: str, known: frozenset[str]
) -> bool:
    """Tell it of a capitalised word, by where it stands."""
    lowered = word.lower()
    if lowered in _GIVEN:
        return True
    if lowered not in _names():
        return word not in known and safe_text(word, frozenset()) != word
    if not begins or not follows:
        return True
    return after.startswith(",") or follows.lower() in _VERBS or follows[0].isupper()


@cache
def _names() -> frozenset[str]:
    """Return safe words that are given or family names too, in lower case."""
    return frozenset(json.loads((DATA / "names_among_words.json").read_text("utf-8")))
