"""Each event of the closed list as a sentence that a layperson reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.audit.report.vocabulary import (
    CAUSES_OF,
    CHOICES,
    CHOICES_OF,
    FLAGS,
    LISTS,
    NUMBERS,
    SAID,
    TEXTS,
)

_MOST_LABELS: Final = 8
_BRACES: Final = re.compile(r"\{(\w+)\}")
_TITLES: Final = {("export.screen", "save-layer"): ("Layer saved out of the program", "")}
_OUTCOMES: Final = {
    0: "It worked.",
    4: "Not everything worked.",
    8: "It failed.",
    12: "It failed badly.",
}


def title_of(event: str) -> str:
    """Return a few words for an event's name, such as ``Mask saved``.

    Parameters
    ----------
    event : str
        Name from the closed list; any other comes back as it is.
    """
    return SAID[event][0] if event in SAID else event


def count_words(number: int, noun: str) -> str:
    """Return a number with its noun.

    Parameters
    ----------
    number : int
        From 0.
    noun : str
        Singular and plural with ``|`` between, as ``file|files``.

    Returns
    -------
    str
        As ``1 file`` or ``1,200 files``.
    """
    one, many = noun.split("|")
    return f"{number:,} {one if number == 1 else many}"


def choice_words(name: object, key: str = "") -> str:
    """Return one of the log's names as people say it.

    Parameters
    ----------
    name : object
        What stands in the record.
    key : str
        Under which key of the detail: ``policy`` is a setting, or a cause.
    """
    text = str(name)
    known = CHOICES_OF.get(key, CHOICES)
    return known.get(text) or CHOICES.get(text) or re.sub("[-_]", " ", text).lower()


def tag_words(tag: str) -> str:
    """Return a DICOM tag with its keyword, as ``PatientSex (0010,0040)``.

    Parameters
    ----------
    tag : str
        8 hex digits.
    """
    from pydicom.datadict import keyword_for_tag

    keyword = keyword_for_tag(int(tag, 16))
    if not keyword:
        keyword = "Private" if int(tag[:4], 16) % 2 else "Unnamed"
    return f"{keyword} ({tag[:4]},{tag[4:]})"


def _labels(values: list[int]) -> str:
    shown = ", ".join(str(value) for value in values[:_MOST_LABELS])
    more = f" and {len(values) - _MOST_LABELS} more" if len(values) > _MOST_LABELS else ""
    return f"label{'s' if len(values) > 1 else ''} {shown}{more}"


def _lists(detail: Mapping[str, Any]) -> list[str]:
    said = [
        count_words(len(detail[key]), noun) for key, noun in LISTS.items() if detail.get(key)
    ]
    if detail.get("labels"):
        said.insert(0, _labels(detail["labels"]))
    if detail.get("options"):
        said.append("options " + " ".join(detail["options"]))
    return said


def _phrases(detail: Mapping[str, Any]) -> list[str]:
    """Return what the numbers, flags and choices of a detail say; digests say nothing."""
    said = [
        count_words(detail[key], noun)
        for key, noun in NUMBERS.items()
        if type(detail.get(key)) is int and detail[key]
    ]
    # "slices" is how many a scan has, or which of a mask were changed
    if type(detail.get("slices")) is int:
        said.append(count_words(detail["slices"], "slice|slices"))
    elif detail.get("slices"):
        said.append(f"slices {detail['slices']}")
    said += [
        words.format(choice_words(detail[key], key))
        for key, words in TEXTS.items()
        if detail.get(key)
    ]
    said += [
        words[not detail[key]] for key, words in FLAGS.items() if type(detail.get(key)) is bool
    ]
    said += _lists(detail)
    if "tag" in detail:
        said.append(tag_words(detail["tag"]))
    if "delta_ms" in detail:
        way = "forward" if detail["delta_ms"] >= 0 else "back"
        said.append(f"{abs(detail['delta_ms']) / 1000:g} s {way}")
    return [words for words in said if words]


def _filled(more: str, detail: Mapping[str, Any]) -> str:
    return _BRACES.sub(
        lambda found: choice_words(detail.get(found[1], "not said"), found[1]), more
    )


def words_of(record: Mapping[str, Any]) -> str:
    """Return an event as a sentence.

    Parameters
    ----------
    record : mapping
        Decoded line of the log, checked.

    Returns
    -------
    str
        As ``Mask saved: 18 voxels added, 7 voxels removed, slices 112-140. Reason:
        correction.`` Who and when stand in the record; the sentence names neither, and no
        token.
    """
    event, detail = record["event"], record["detail"]
    title, more = _TITLES.get((event, detail.get("kind", "")), SAID[event])
    if more:
        title = f"{title} {_filled(more, detail)}"
    said = _phrases({key: value for key, value in detail.items() if f"{{{key}}}" not in more})
    own = CAUSES_OF.get(event, {}).get(detail.get("cause", ""))
    if own is not None:
        said[said.index(choice_words(detail["cause"], "cause"))] = own
    words = f"{title}: {', '.join(said)}." if said else f"{title}."
    if "reason" in record:
        words += f" Reason: {choice_words(record['reason']['code'])}."
    if record["outcome"] != EVENTS[event].outcomes[0]:
        words += f" {_OUTCOMES[record['outcome']]}"
    return words
