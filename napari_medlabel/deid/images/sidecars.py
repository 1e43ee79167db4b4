"""Sidecars of scans: JSON by a list of keys, each value checked; b-values as numbers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pydicom.datadict import dictionary_VR
from pydicom.tag import Tag

from napari_medlabel.deid.images.clean_image import CleanImage
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import DeidReport, Reason
from napari_medlabel.deid.rules.descriptors import safe_text, words_of
from napari_medlabel.deid.rules.profile import BY_VR, Profile
from napari_medlabel.deid.rules.temporal import capped_age, days_back, is_valid, shifted
from napari_medlabel.deid.rules.vocabulary import is_telling_number, is_word, vocabulary

LONGEST_SIDECAR: Final = 16 << 20
_MOST_NUMBERS: Final = 100_000
_LONGEST_TEXT: Final = 64
_DEEPEST: Final = 3
_SHORTEST_WORD: Final = 3
_LARGEST_B: Final = 1e6
_LARGEST_PART: Final = 10.0
_UID: Final = re.compile(r"[0-9.]{1,64}")
_TEMPORAL: Final = ("DA", "DT", "TM")
_SPLIT: Final = re.compile(r"[\\]")


@dataclass(frozen=True)
class _Keys:
    """The list: what each key of a sidecar may hold.

    Parameters
    ----------
    numbers : mapping of str to float
        Keys with a number, or lists of them, and the size that none reaches.
    flags : frozenset of str
        Keys with true or false, or 0 or 1.
    terms : mapping of str to frozenset of str
        Keys with one of some words.
    patterns : mapping of str to compiled pattern
        Keys with a word of some form.
    dicom : mapping of str to str
        Keys that hold a DICOM attribute, and its keyword.
    identity : frozenset of str
        Keys whose words pass in no description.
    """

    numbers: Mapping[str, float]
    flags: frozenset[str]
    terms: Mapping[str, frozenset[str]]
    patterns: Mapping[str, re.Pattern[str]]
    dicom: Mapping[str, str]
    identity: frozenset[str]


def clean_json(content: bytes, profile: Profile, pseudonyms: Pseudonyms) -> CleanImage:
    """Return a JSON sidecar that holds only keys of the list, with values that fit.

    Parameters
    ----------
    content : bytes
        The file, as dcm2niix or a BIDS tool wrote it.
    profile : Profile
        Decides about keys that hold a DICOM attribute as it does in DICOM files, options
        and site rules included.
    pseudonyms : Pseudonyms
        Moves dates under shift-dates, where the sidecar says whose they are.

    Returns
    -------
    CleanImage
        Without words that stood in a text that goes, such as the name of the protocol,
        unless they are of the vocabulary. Keys are in alphabetical order: the same bytes for
        the same values.

    Raises
    ------
    QuarantineError
        When it is not a JSON object.
    """
    found = _parsed(content)
    keys = _keys()
    told = frozenset(
        text for key in keys.identity for text in _texts(found.get(key)) if text.strip()
    )
    setting = _Setting(profile, pseudonyms, told, found)
    kept = {key: _passed(key, value, keys, setting) for key, value in found.items()}
    gone = words_of(
        frozenset(
            text
            for key, passed in kept.items()
            if passed is None
            for text in _texts(found[key])
        )
    )
    kept = {
        key: passed
        for key, passed in kept.items()
        if passed is not None and not any(_tells(text, gone) for text in _texts(passed))
    }
    options: Counter[str] = Counter()
    for key in kept.keys() & keys.dicom.keys():
        option = profile.option_for(Tag(keys.dicom[key]))
        options[option.value if option else ""] += 1
    actions = Counter(X=len(found) - len(kept), C=sum(kept[key] != found[key] for key in kept))
    del options[""]
    written = json.dumps(kept, indent=1, sort_keys=True, allow_nan=False)
    report = DeidReport(actions=+actions, kept=len(kept), options=options)
    return CleanImage(written.encode("ascii") + b"\n", ".json", report)


def clean_gradients(content: bytes, suffix: str) -> CleanImage:
    """Return b-values or b-vectors (FSL) as numbers and nothing else.

    Parameters
    ----------
    content : bytes
        Rows of numbers.
    suffix : str
        ``".bval"`` or ``".bvec"``.

    Raises
    ------
    QuarantineError
        When it holds anything but rows of numbers, equally many in each, or numbers that
        are no b-values or parts of directions.
    """
    _require_short(content)
    limit = _LARGEST_B if suffix == ".bval" else _LARGEST_PART
    try:
        rows = [
            [float(word) for word in line.replace(b",", b" ").split()]
            for line in content.splitlines()
        ]
    except ValueError as err:
        raise QuarantineError(Reason.SIDECAR_BROKEN) from err
    rows = [row for row in rows if row]
    sizes = {len(row) for row in rows}
    if len(sizes) != 1 or not all(abs(number) < limit for row in rows for number in row):
        raise QuarantineError(Reason.SIDECAR_BROKEN)
    text = "".join(" ".join(_short(number) for number in row) + "\n" for row in rows)
    report = DeidReport(kept=sum(len(row) for row in rows))
    return CleanImage(text.encode("ascii"), suffix, report)


def _short(number: float) -> str:
    return repr(number).removesuffix(".0")


def _require_short(content: bytes) -> None:
    if len(content) > LONGEST_SIDECAR:
        raise QuarantineError(Reason.SIDECAR_BROKEN)


def _parsed(content: bytes) -> dict[str, Any]:
    _require_short(content)
    try:
        # Characters of another encoding stand in texts, which then pass no check.
        found = json.loads(
            content.decode("utf-8-sig", "replace"), parse_constant=lambda _: None
        )
    except (ValueError, RecursionError) as err:
        raise QuarantineError(Reason.SIDECAR_BROKEN) from err
    if not isinstance(found, dict):
        raise QuarantineError(Reason.SIDECAR_BROKEN)
    return found


@dataclass(frozen=True)
class _Setting:
    """What a rule needs besides the value."""

    profile: Profile
    pseudonyms: Pseudonyms
    told: frozenset[str]
    found: Mapping[str, Any]


def _passed(key: str, value: Any, keys: _Keys, setting: _Setting) -> Any:
    """Return what passes of a value, or None."""
    if key in keys.numbers:
        return value if _count(value, keys.numbers[key]) is not None else None
    if key in keys.flags:
        return value if value in (0, 1) and isinstance(value, int) else None
    if key in keys.terms:
        return value if isinstance(value, str) and value in keys.terms[key] else None
    if key in keys.patterns:
        fits = isinstance(value, str) and keys.patterns[key].fullmatch(value)
        return value if fits else None
    if key in keys.dicom:
        return _by_profile(keys.dicom[key], value, setting)
    return None


def _count(value: Any, limit: float, depth: int = 0) -> int | None:
    """Return how many numbers a value is; None when it is anything else."""
    if isinstance(value, list):
        if depth >= _DEEPEST or len(value) > _MOST_NUMBERS:
            return None
        counts = [_count(one, limit, depth + 1) for one in value]
        return None if None in counts else sum(count or 0 for count in counts)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return 1 if abs(value) < limit and not is_telling_number(repr(value)) else None


def _by_profile(keyword: str, value: Any, setting: _Setting) -> Any:
    """Judge a value as the attribute it was taken from."""
    vr = dictionary_VR(Tag(keyword))
    action = setting.profile.action_for(Tag(keyword), vr)
    if action == BY_VR:
        return _mapped(
            vr, value, lambda text: _by_vocabulary(keyword, vr, text, setting.profile)
        )
    if action == "K":
        return _mapped(vr, value, lambda text: _retained(vr, text))
    if action == "C" and vr in _TEMPORAL:
        return _moved(vr, value, setting)
    if action == "C":
        words = setting.profile.words
        return _mapped(vr, value, lambda text: safe_text(text, setting.told, words) or None)
    return None


def _mapped(vr: str, value: Any, rule: Callable[[str], str | None]) -> Any:
    """Apply a rule to a text, or to each text of a list; numbers stay where they belong."""
    if isinstance(value, str):
        return rule(value)
    if isinstance(value, list):
        passed = [rule(text) for text in value if isinstance(text, str)]
        return [text for text in passed if text is not None] or None
    return value if vr == "DS" and _count(value, _LARGEST_B) else None


def _by_vocabulary(keyword: str, vr: str, text: str, profile: Profile) -> str | None:
    """Return a text whose every component is a term that may stay in its attribute."""
    known, site = vocabulary(), profile.site
    parts = _SPLIT.split(text)
    passed = all(
        known.passes(keyword, vr, part) or (site is not None and site.lists(keyword, part))
        for part in parts
    )
    return text if passed else None


def _retained(vr: str, text: str) -> str | None:
    """Return a text that an option keeps, when it is what its attribute holds."""
    if vr == "AS":
        return capped_age(text)
    if vr == "UI":
        return text if _UID.fullmatch(text) else None
    if vr in _TEMPORAL:
        return text if is_valid(vr, _as_dicom(vr, text)) else None
    return text if len(text) <= _LONGEST_TEXT and text.isprintable() else None


def _moved(vr: str, value: Any, setting: _Setting) -> Any:
    """Return a date as many days earlier as in the patient's DICOM files; times stay."""
    text = _as_dicom(vr, value) if isinstance(value, str) else ""
    if not text or not is_valid(vr, text):
        return None
    if vr == "TM":
        return value
    patient = setting.found.get("PatientID")
    if not isinstance(patient, str) or not patient.strip():
        return None
    issuer = setting.found.get("IssuerOfPatientID", "")
    days = days_back(setting.pseudonyms, issuer if isinstance(issuer, str) else "", patient)
    return shifted(vr, text, days)


def _as_dicom(vr: str, text: str) -> str:
    """Return a time or date without the marks that ISO 8601 puts between its parts."""
    if vr == "TM":
        return text.replace(":", "")
    return re.sub(r"(?<=[0-9])[-T:](?=[0-9])", "", text)


def _tells(text: str, gone: frozenset[str]) -> bool:
    """Whether a word that is not of the vocabulary stands in a text that goes."""
    return any(
        len(word) >= _SHORTEST_WORD and not is_word(word)
        for word in words_of(frozenset((text,))) & gone
    )


def _texts(value: Any) -> list[str]:
    """Return the texts in a value, or in a list of values."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


@cache
def _keys() -> _Keys:
    source = files("napari_medlabel.deid") / "data" / "sidecar_keys.json"
    document = json.loads(source.read_text("utf-8"))
    return _Keys(
        numbers=document["numbers"],
        flags=frozenset(document["flags"]),
        terms={key: frozenset(words) for key, words in document["terms"].items()},
        patterns={key: re.compile(form) for key, form in document["patterns"].items()},
        dicom=document["dicom"],
        identity=frozenset(document["identity"]),
    )
