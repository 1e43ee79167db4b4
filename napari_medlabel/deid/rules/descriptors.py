"""Descriptions with only their safe words left: no names, numbers, dates (PS3.15 E.3.5)."""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache

from napari_medlabel.deid.rules.dictionary import DATA
from napari_medlabel.deid.rules.vocabulary import vocabulary

_TOKEN = re.compile(r"[^\W_]+(?:\.[0-9]+[a-zA-Z]*)?|[\s\W_]+?", re.UNICODE)
_LETTERS = re.compile(r"[A-Za-z]+")
_WORD = re.compile(r"[^\W_]+")
_SEPARATORS = re.compile(r"[ \t\r\n/_,;:()\[\]+*<>=&.|-]")
_FIXED = re.compile(
    r"t[12](?:w|fs|rho)?|[23]d|4d|c[1-7]|t(?:[1-9]|1[0-2])|l[1-5]|s[1-5]|[lrw]"
    r"|b(?:0|50|[1-9]00|[123]000|1[24]00|[17]50|[12]500)"
    r"|(?:mb|sense|grappa|ipat|pe|p)[0-9]{1,2}|[0-9]{1,3}(?:dirs?|ch)|mp2rage|[23]dtof"
    r"|t?fl[23]d|(?:mb)?ep2d(?:bold|diff)?|(?:tse|gre|spc|se|tfi)[23]d"
    r"|[bhiud][frpsv]?[0-9]{2}[a-z]"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3})?(?:mm|cm|ms|mhz|kvp?|mas|deg|ml|sec|t)"
)
_NUMBER = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,3})?")
_UNITS = frozenset({"mm", "cm", "ms", "kv", "kvp", "mas", "deg", "ml", "sec", "min", "mhz"})
_TITLES = frozenset(
    {"dr", "mr", "mrs", "ms", "miss", "prof", "doctor", "professor", "sister", "nurse", "name"}
)
_WITHOUT = re.compile(r"\bw/o\b", re.IGNORECASE)


def safe_text(text: str, identity: frozenset[str], words: frozenset[str] = frozenset()) -> str:
    """Return a description with only its safe words.

    Parameters
    ----------
    text : str
        One value.
    identity : frozenset of str
        Values that tell whose instance it is: none of their words passes.
    words : frozenset of str
        Further words in lower case that a site lets pass.

    Returns
    -------
    str
        The text as it was where every word is safe; otherwise the safe words with single
        blanks; empty when none is. Safe is a word of the vocabulary (terms of PS3.16, of
        PS3.6 and of examination protocols, without those that are also names of people or
        places), a weighting, a vertebra, or a length or time with its unit. Numbers, dates
        and the word after a title go.
    """
    told = words_of(identity)
    plain = _WITHOUT.sub("without", text)
    tokens = [match.group() for match in _TOKEN.finditer(plain)]
    spoken = [token for token in tokens if _WORD.match(token)]
    kept: list[str] = []
    after_title = False
    for place, token in enumerate(spoken):
        lowered = token.lower()
        following = spoken[place + 1].lower() if place + 1 < len(spoken) else ""
        passes = (
            not after_title
            and lowered not in told
            and (
                lowered in words
                or _is_safe(lowered)
                or (_NUMBER.fullmatch(lowered) is not None and following in _UNITS)
            )
        )
        if passes:
            kept.append(token)
        after_title = lowered in _TITLES
    unspoken = [token for token in tokens if not _WORD.match(token)]
    if len(kept) == len(spoken) and all(_SEPARATORS.fullmatch(mark) for mark in unspoken):
        return text
    return " ".join(kept)


@lru_cache(maxsize=4096)
def _is_safe(lowered: str) -> bool:
    """Whether a token is a word or a form that tells of nobody."""
    return lowered in _words() or _FIXED.fullmatch(lowered) is not None


@lru_cache(maxsize=64)
def words_of(identity: frozenset[str]) -> frozenset[str]:
    """Every word of values that tell whose instance it is, in lower case."""
    return frozenset(word.lower() for value in identity for word in _WORD.findall(value))


@cache
def _words() -> frozenset[str]:
    """Return the safe words in lower case; makers' names and terms of CS among them."""
    source = DATA / "safe_words.json"
    listed = frozenset(json.loads(source.read_text("utf-8")))
    terms = {w.lower() for term in vocabulary().terms for w in _LETTERS.findall(term)}
    return listed | {word for word in terms if len(word) > 1}
