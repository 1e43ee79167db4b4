"""The rule that decided about an attribute, in words and with its place in the standard."""

from __future__ import annotations

from napari_medlabel.deid.rules.actions import NUMBER_VRS, TEXT_VRS, Attribute, Setting
from napari_medlabel.deid.rules.by_option import TEMPORAL_VRS
from napari_medlabel.deid.rules.judge import KEPT, Verdict
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.private import private_rules
from napari_medlabel.deid.rules.profile import BY_VR, Profile
from napari_medlabel.deid.rules.structured import AGE, CONTENT_TAGS, UNNAMED

SITE = "site"
_LOWEST_GROUP, _ITEM_GROUP = 0x0008, 0xFFFE
_TABLE = "Table E.1-1"
_CONTENTS = {
    UNNAMED: "by its value type, no row names its concept",
    AGE: "ages over 89 are one",
}


def rule_of(attribute: Attribute, setting: Setting, profile: Profile, verdict: Verdict) -> str:
    """Return which rule decided, as words for a person.

    Parameters
    ----------
    attribute, setting, profile
        What was judged, as for `judge`.
    verdict : Verdict
        What `judge` said.

    Returns
    -------
    str
        For example ``"Table E.1-1: X/Z, here Z"``, ``"VR PN: no name passes"`` or
        ``"option retain-dates: K"``. Never a value, never the name of a private creator.
    """
    if attribute.tag >> 16 & 1:
        return _private(attribute, profile, verdict)
    if verdict.option == SITE:
        return _site(attribute, setting, profile, verdict)
    if setting.content and attribute.tag in CONTENT_TAGS:
        words = _CONTENTS.get(setting.content, setting.content)
        return f"option {Option.CLEAN_STRUCTURED}: Table E.3.4-1, {words}"
    if verdict.option:
        column = verdict.option in profile.cells.get(attribute.tag, {})
        where = _TABLE if column else f"VR {attribute.vr}, no row"
        return f"option {verdict.option}: {where}, {verdict.counted}"
    refused = profile.option_for(attribute.tag)
    because = f" (the value is not one that {refused} lets pass)" if refused else ""
    return _basic(attribute, profile, verdict) + because


def rule_of_code(*, published: bool, same: bool, meaning: bool) -> str:
    """Return the rule for an attribute of a coded entry.

    Parameters
    ----------
    published : bool
        Whether the scheme and the code are published.
    same : bool
        Whether the code tells the same as before.
    meaning : bool
        Whether it is the code's meaning.
    """
    if published:
        return "published code: PS3.16's own meaning" if meaning else "published code"
    if same:
        return "code in a sequence that an option keeps"
    return "code of a scheme that is not published: a dummy"


def rule_of_item(profile: Profile) -> str:
    """Return the rule for a content item that goes with all that is in it."""
    return f"option {Option.CLEAN_STRUCTURED}: Table E.3.4-1 ({profile.edition}), X"


def _private(attribute: Attribute, profile: Profile, verdict: Verdict) -> str:
    low = attribute.tag & 0xFF
    key = (attribute.tag >> 16, low, attribute.creator)
    if verdict.counted == "private":
        if profile.private_rule(attribute.tag >> 16, attribute.creator, low) is not None:
            return "private: named as safe, but the value is not of the form that is"
        return f"private: {_TABLE}, odd groups, X"
    if 0x10 <= attribute.tag & 0xFFFF <= 0xFF:
        return "private creator of attributes that are safe"
    if Option.RETAIN_SAFE_PRIVATE in profile.options and key in private_rules(profile.edition):
        return f"option {Option.RETAIN_SAFE_PRIVATE}: Table E.3.10-1, {verdict.counted}"
    return f"site rule: safe private attribute, {verdict.counted}"


def _site(attribute: Attribute, setting: Setting, profile: Profile, verdict: Verdict) -> str:
    site = profile.site
    by_path = site is not None and (*setting.path, attribute.keyword) in site.paths
    if by_path:
        return f"site rule for this path: {verdict.counted}"
    if site is not None and attribute.tag in site.actions:
        return f"site rule for {attribute.keyword}: {verdict.counted}"
    return f"site list of values of {attribute.keyword}"


def _basic(attribute: Attribute, profile: Profile, verdict: Verdict) -> str:
    """Say which row of the Basic Profile decided, or what stands in for one."""
    group = attribute.tag >> 16
    if group < _LOWEST_GROUP or group >= _ITEM_GROUP or attribute.tag & 0xFFFF == 0:
        return "E.1.1: commands, file meta, directories and lengths are not passed on"
    code = profile.basic_action_for(attribute.tag, attribute.vr)
    if code == BY_VR:
        return _by_vr(attribute, verdict)
    if 0x5000 <= group <= 0x50FF:
        return f"{_TABLE}: curves (50xx,xxxx), {code}"
    if 0x6000 <= group <= 0x60FF:
        named = f"60xx{attribute.tag & 0xFFFF:04X}" in profile.families
        return f"{_TABLE}: overlays (60xx), {code}" if named else "goes with its overlay, X"
    if attribute.tag not in profile.rules:
        return "not in the dictionary of the standard"
    return f"{_TABLE}: {code}" + (f", here {verdict.counted}" if "/" in code else "")


def _by_vr(attribute: Attribute, verdict: Verdict) -> str:
    """Say what became of an attribute that no row names."""
    vr, keyword = attribute.vr, attribute.keyword
    if vr == "SQ":
        return "no row: each item by the same rules" if verdict.recurse else "no sequence"
    if vr not in TEXT_VRS:
        return _binary(attribute, verdict)
    if vr == "UI":
        return "VR UI: the standard's own stay" if _stays(verdict) else "VR UI: U"
    if vr in {"DS", "IS"}:
        return f"VR {vr}: numbers pass" if _stays(verdict) else f"VR {vr}: not a plain number"
    if vr == "PN":
        return "VR PN: no name passes"
    if vr in TEMPORAL_VRS:
        return f"VR {vr}: dates and times pass by option only"
    if _stays(verdict):
        return f"vocabulary of CS ({keyword})" if vr == "CS" else f"vocabulary of {keyword}"
    return f"VR {vr}: text that no rule or vocabulary allows"


def _binary(attribute: Attribute, verdict: Verdict) -> str:
    if attribute.keyword == "ICCProfile":
        return "ICC profile: its numbers pass, its words, date and device do not"
    if attribute.vr in NUMBER_VRS or attribute.vr == "US or SS":
        return f"VR {attribute.vr}: " + (
            "binary numbers pass" if _stays(verdict) else "the bytes are not such numbers"
        )
    listed = f"binary data on the list ({attribute.keyword})"
    return listed if _stays(verdict) else f"VR {attribute.vr}: binary data not on the list"


def _stays(verdict: Verdict) -> bool:
    return verdict.counted == KEPT
