"""What becomes of one attribute: pure, so that walkers only walk and may remember answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_medlabel.deid.dicom.icc import without_words
from napari_medlabel.deid.pixels.described import PIXEL_TAGS
from napari_medlabel.deid.rules.actions import (
    ACTIONS,
    NUMBER_VRS,
    TEXT_VRS,
    Attribute,
    Setting,
    clean,
    components_of,
    dummy,
    replace_uid,
    resolved,
)
from napari_medlabel.deid.rules.by_option import (
    DESCRIPTIVE_VRS,
    TEMPORAL_VRS,
    by_dates,
    capped_number,
    coded_device,
    described,
    kept,
    shifted_dates,
    whole,
)
from napari_medlabel.deid.rules.codes import DUMMY_CODE, Code, published, retained
from napari_medlabel.deid.rules.made import Made, dataset_of
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.private import is_safe_value
from napari_medlabel.deid.rules.profile import BY_VR, Profile
from napari_medlabel.deid.rules.structured import AGE, CONTENT_TAGS, UNNAMED
from napari_medlabel.deid.rules.tables import are_numbers, holds_word, is_table, reads_as_text
from napari_medlabel.deid.rules.vocabulary import vocabulary

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

__all__ = ["KEPT", "Verdict", "components_of", "judge", "judge_code", "judged_code"]

KEPT = "kept"
"""What `Verdict.counted` says of an attribute that passes as it is."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of one attribute.

    Parameters
    ----------
    counted : str
        As what the report counts it: `KEPT`, an action code ``D Z X K C U``, ``"private"``,
        ``"text"`` or ``"unknown"``.
    made : Made or None
        What takes its place; None when it is gone, or when `recurse`.
    unchanged : bool
        Whether the value passes as found, so that its bytes may be copied.
    recurse : bool
        Whether it is a sequence that stays with each of its items judged.
    option : str
        Name of the option that decided; ``"site"`` for a site rule; empty for the profile.
    """

    counted: str
    made: Made | None = None
    unchanged: bool = False
    recurse: bool = False
    option: str = ""

    @property
    def element(self) -> DataElement | None:
        """What takes its place, as pydicom's data element."""
        return None if self.made is None else self.made.element


def judge(attribute: Attribute, setting: Setting, profile: Profile) -> Verdict:
    """Return what becomes of one attribute.

    Parameters
    ----------
    attribute : Attribute
        The attribute as found.
    setting : Setting
        The instance and the level it lies at.
    profile : Profile
        The rules: site rules come before options, and they before the profile.

    Returns
    -------
    Verdict
        Depends on nothing but the arguments.
    """
    if attribute.tag >> 16 & 1:
        return _private(attribute, setting, profile)
    named = _named_by_site(attribute, setting, profile)
    if named is not None:
        return named
    if setting.content and attribute.tag in CONTENT_TAGS:
        return _content(attribute, setting, profile)
    option = profile.option_for(attribute.tag)
    if option is not None:
        verdict = _by_option(attribute, setting, profile, option)
        if verdict is not None:
            return verdict
    code = profile.basic_action_for(attribute.tag, attribute.vr)
    if code == BY_VR:
        return _by_vr(attribute, setting, profile)
    return _by_code(code, attribute, setting, profile)


def judged_code(
    code: tuple[str, str, str], setting: Setting, profile: Profile
) -> tuple[Code, bool]:
    """Return what becomes of a coded entry, and whether it tells the same as before.

    Parameters
    ----------
    code : tuple of str
        Code value, coding scheme designator and code meaning as found.
    setting : Setting
        That of the items' level.
    profile : Profile
        The rules.

    Returns
    -------
    Code
        Value, designator and meaning: with the published meaning where the scheme is
        published; as found in a sequence that an option keeps; a dummy otherwise.
    bool
        False for the dummy.
    """
    value, scheme, meaning = code
    found = published(value, scheme)
    if found is not None:
        return found, True
    sound = [kept(Attribute(0x00080104, "CodeMeaning", "LO", (c,)), setting) for c in code]
    if profile.keeps_items(setting.path) and value and all(sound):
        return retained(value, scheme, meaning), True
    return DUMMY_CODE, False


def judge_code(
    code: tuple[str, str, str], setting: Setting, profile: Profile
) -> tuple[Dataset, bool]:
    """Return what `judged_code` does, the entry as a data set."""
    found, same = judged_code(code, setting, profile)
    return dataset_of(found.item), same


def _by_code(code: str, attribute: Attribute, setting: Setting, profile: Profile) -> Verdict:
    """Apply a code of the Basic Profile."""
    if code == "X":
        known = attribute.vr != "UN" or attribute.tag in profile.rules
        return Verdict("X" if known else "unknown")
    simple = resolved(code, attribute.keyword, setting.sop_class, setting.path)
    if attribute.vr == "SQ" and simple in {"U", "K", "C"}:
        return _sequence(attribute, simple)
    if simple == "K":
        element = kept(attribute, setting)
        if element is not None:
            return _passed("K", element, attribute, "")
        simple = "C"
    return Verdict(simple, ACTIONS[simple](attribute, setting))


def _by_option(
    attribute: Attribute, setting: Setting, profile: Profile, option: Option
) -> Verdict | None:
    """Apply the cell of an option; None where the value is not one that it lets pass."""
    code = profile.action_for(attribute.tag, attribute.vr)
    if attribute.vr == "SQ":
        return _sequence(attribute, code, option)
    if code == "K":
        element = kept(attribute, setting)
    elif option is Option.SHIFT_DATES:
        element = shifted_dates(attribute, setting)
    elif option is Option.RETAIN_DEVICE:
        element = coded_device(attribute, setting)
    else:
        element = described(attribute, setting, profile.words)
    return None if element is None else _passed(code, element, attribute, option)


def _by_vr(attribute: Attribute, setting: Setting, profile: Profile) -> Verdict:
    """Judge what no row names: numbers and listed binaries pass, text by words."""
    if attribute.vr == "SQ":
        return _sequence(attribute, KEPT)
    if attribute.vr in TEXT_VRS:
        return _text_by_vr(attribute, setting, profile)
    if attribute.keyword == "ICCProfile":
        return _colours(attribute)
    if _fits(attribute):
        return Verdict(KEPT, attribute.as_found(), unchanged=True)
    return Verdict("unknown")


def _text_by_vr(attribute: Attribute, setting: Setting, profile: Profile) -> Verdict:
    """Judge text that no row names: by the options for dates, UIDs and words, else strictly."""
    element, option = None, None
    if attribute.vr in TEMPORAL_VRS:
        shift = Option.SHIFT_DATES in profile.options
        option = Option.SHIFT_DATES if shift else Option.RETAIN_DATES
        element = by_dates(attribute, setting, profile.options)
    elif attribute.vr == "UI" and Option.RETAIN_UIDS in profile.options:
        element, option = kept(attribute, setting), Option.RETAIN_UIDS
    if element is not None and option is not None:
        return _passed("C" if option is Option.SHIFT_DATES else "K", element, attribute, option)
    strict = clean(attribute, setting)
    if strict is not None and components_of(strict.value) == attribute.components:
        return Verdict(KEPT, strict, unchanged=True)
    if attribute.vr in DESCRIPTIVE_VRS and Option.CLEAN_DESCRIPTORS in profile.options:
        element = described(attribute, setting, profile.words)
        if element is not None:
            return _passed("C", element, attribute, Option.CLEAN_DESCRIPTORS)
    return Verdict("U" if attribute.vr == "UI" else "text", strict)


def _private(attribute: Attribute, setting: Setting, profile: Profile) -> Verdict:
    """Judge a private attribute: only what Table E.3.10-1 or the site names may stay."""
    group, low = attribute.tag >> 16, attribute.tag & 0xFFFF
    option = Option.RETAIN_SAFE_PRIVATE
    if 0x10 <= low <= 0xFF:
        names = components_of(attribute.value)
        if len(names) == 1 and profile.is_safe_creator(group, names[0]):
            element = Made(attribute.tag, "LO", names[0])
            return Verdict("K", element, unchanged=True, option=option)
        return Verdict("private")
    rule = profile.private_rule(group, attribute.creator, low)
    if rule is None or low < 0x1000:
        return Verdict("private")
    if rule.vr == "SQ":
        found = attribute.found == "SQ"
        return Verdict("K", recurse=True, option=option) if found else Verdict("private")
    if rule.vr == "UI":
        return _private_uid(attribute, setting, profile)
    if not is_safe_value(rule, attribute, setting):
        return Verdict("private")
    return Verdict("K", attribute.as_found(), unchanged=True, option=option)


def _private_uid(attribute: Attribute, setting: Setting, profile: Profile) -> Verdict:
    """Replace the UIDs of a safe private attribute, or keep them with the others."""
    if attribute.found not in {"", "UN", "UI"}:
        return Verdict("private")
    uids = replace(attribute, vr="UI", components=components_of(attribute.value))
    if Option.RETAIN_UIDS in profile.options:
        element = kept(uids, setting)
        if element is not None:
            return _passed("K", element, uids, Option.RETAIN_UIDS)
    return Verdict("U", replace_uid(uids, setting), option=Option.RETAIN_SAFE_PRIVATE)


def _named_by_site(attribute: Attribute, setting: Setting, profile: Profile) -> Verdict | None:
    """Apply the site's rule for an attribute, or its list of values; None without one."""
    site = profile.site
    if site is None:
        return None
    code = site.paths.get((*setting.path, attribute.keyword))
    code = site.actions.get(attribute.tag) if code is None else code
    if code is None:
        listed = attribute.components and all(
            site.lists(attribute.keyword, part) and part not in setting.identity
            for part in attribute.components
        )
        element = kept(attribute, setting) if listed else None
        return None if element is None else _passed("K", element, attribute, "site")
    if attribute.vr == "SQ" and code in {"K", "C", "U"}:
        return _sequence(attribute, code, "site")
    if code == "K":
        element = kept(attribute, setting)
    elif code == "C" and attribute.vr in DESCRIPTIVE_VRS:
        element = described(attribute, setting, profile.words)
    else:
        return Verdict(code, ACTIONS[code](attribute, setting), option="site")
    return None if element is None else _passed(code, element, attribute, "site")


def _content(attribute: Attribute, setting: Setting, profile: Profile) -> Verdict:
    """Judge the value of a content item by the row of its concept, or by its value type."""
    content, option = setting.content, Option.CLEAN_STRUCTURED
    element = None
    if content == "K":
        element = kept(attribute, setting)
    elif content == AGE:
        element = capped_number(attribute)
    elif content in {"C", UNNAMED}:
        element = _content_by_vr(attribute, setting, profile)
    if element is not None:
        return _passed("K" if content in {"K", AGE} else "C", element, attribute, option)
    if attribute.vr == "UI":
        return Verdict("U", replace_uid(attribute, setting), option=option)
    return Verdict("D", dummy(attribute, setting), option=option)


def _content_by_vr(attribute: Attribute, setting: Setting, profile: Profile) -> Made | None:
    """Return the value of a content item that may stay in part; None for a dummy."""
    if attribute.vr in TEMPORAL_VRS:
        return by_dates(attribute, setting, profile.options)
    if attribute.vr in DESCRIPTIVE_VRS:
        cleaned = Option.CLEAN_DESCRIPTORS in profile.options
        return described(attribute, setting, profile.words) if cleaned else None
    if attribute.vr in {"DS", *NUMBER_VRS}:
        return kept(attribute, setting)
    if attribute.vr == "UI" and Option.RETAIN_UIDS in profile.options:
        return kept(attribute, setting)
    return None


def _sequence(attribute: Attribute, counted: str, option: str = "") -> Verdict:
    """Keep a sequence, with its items judged, unless it is none in the file."""
    if attribute.found != "SQ":
        return Verdict("unknown")
    return Verdict(counted, recurse=True, option=option)


def _passed(code: str, element: Made, attribute: Attribute, option: str) -> Verdict:
    """Return the verdict for a value that stays, in whole or in part."""
    if attribute.vr in TEXT_VRS:
        before = whole(attribute, list(attribute.components))
        same = components_of(element.value) == components_of(before.value)
    else:
        same = True
    return Verdict(code, element, unchanged=same, option=option)


def _colours(attribute: Attribute) -> Verdict:
    """Keep the numbers of a colour profile, without its words."""
    value, found = attribute.value, attribute.found
    plain = isinstance(value, bytes | bytearray) and found in {"", "OB", "UN"}
    profile = without_words(bytes(value)) if plain else None
    if profile is None:
        return Verdict("unknown")
    return Verdict("C", Made(attribute.tag, "OB", profile))


def _fits(attribute: Attribute) -> bool:
    """Whether binary numbers are numbers, and bulk data is listed and no text."""
    found = attribute.found
    if attribute.vr in NUMBER_VRS or attribute.vr == "US or SS":
        numbers = found in NUMBER_VRS or found == "US or SS"
        return numbers and are_numbers(attribute.tag, found, attribute.value)
    if attribute.keyword not in vocabulary().bulk or attribute.tag in PIXEL_TAGS:
        return False
    if found in TEXT_VRS or found in {"", "SQ", "UN"}:
        return False
    if is_table(attribute.keyword) and reads_as_text(attribute.value):
        return False
    return not holds_word(found, attribute.value)
