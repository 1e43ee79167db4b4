"""Who settled where readings of a released case differed: another, a reader, or a rule."""

from __future__ import annotations

from typing import Final, Literal

from napari_medlabel.project.release.chain import CaseChain, Chain, Link

By = Literal["independent", "reader", "rule", "unknown", ""]
_SAID: Final = {
    "independent": "the study's rules asked for somebody who has not",
    "": "its line of the log does not tell whether the study's rules allowed that",
}


def settled_by(one: CaseChain) -> By:
    """Return who settled a case.

    Returns
    -------
    str
        ``independent``: an adjudicator who had not read it; ``reader``: one who had; ``rule``:
        a rule of consensus, so nobody decided a difference; ``unknown``: somebody on no list.
        Empty for a single reading, and where the line does not tell whom the rules asked for.
    """
    made = one.agreed_by
    if made is None or "adjudicator" not in made.detail:
        return ""
    if made.detail.get("rule") != "adjudicate":
        return "rule"
    if not made.by:
        return "unknown"
    return "reader" if _has_read(one, made) else "independent"


def _has_read(one: CaseChain, made: Link) -> bool:
    """Tell whether who settled a case had made a mask of it: submitted, or only saved."""
    return made.by in one.authors or made.detail.get("has_read") is True


def doubt_of(one: CaseChain) -> str:
    """Return why one may doubt who settled a case, in a sentence; empty for no doubt."""
    made = one.agreed_by
    if made is None:
        return ""
    asked = str(made.detail.get("adjudicator", ""))
    if asked == "nobody" and made.detail.get("rule") == "adjudicate":
        asked = ""  # a person settled it: the line contradicts itself
    if not made.by and asked in _SAID:
        return "Who settled it is on no list: nobody can tell whether they had read it."
    if _has_read(one, made) and asked in _SAID:
        return f"Who settled it, {made.by}, has also read it, and {_SAID[asked]}."
    return ""


def settled_words(chain: Chain) -> tuple[str, ...]:
    """Return, for the report of agreement, a sentence on each adjudicator, by code."""
    found: dict[tuple[str, By], int] = {}
    for one in chain.cases:
        if (made := one.agreed_by) is not None and (who := settled_by(one)):
            key = ("" if who == "rule" else made.by, who)
            found[key] = found.get(key, 0) + 1
    return tuple(_sentence(*key, count) for key, count in sorted(found.items()))


def _sentence(code: str, who: By, count: int) -> str:
    cases = "1 case" if count == 1 else f"{count} cases"
    them = "it" if count == 1 else "them"
    if who == "rule":
        return f"The consensus of {cases} is by a rule: no person settled {them}."
    if who == "unknown":
        return f"The consensus of {cases} was settled by an account that is on no list."
    if who == "reader":
        return f"The consensus of {cases} was settled by {code}, who had read {them}, too."
    return f"The consensus of {cases} was settled by {code}, who had not read {them}."
