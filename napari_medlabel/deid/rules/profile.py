"""The rules of a de-identification profile: edition, options, hash, action for a tag."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from napari_medlabel.deid.rules.dictionary import DATA, entry
from napari_medlabel.deid.rules.options import Option, checked
from napari_medlabel.deid.rules.private import PrivateRule, private_rules
from napari_medlabel.deid.rules.site_rules import SiteRules, read_site_rules
from napari_medlabel.errors import InputError

BY_VR = "VR"
"""What `Profile.action_for` says of an attribute that no row names: judge it by its VR."""

EDITION = "2026c"
"""The edition of the standard whose tables ship."""

ACTION_CODES = frozenset({"D", "Z", "X", "K", "C", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"})
_FAMILIES = frozenset({"50xxxxxx", "60xx3000", "60xx4000", "odd"})
_LOWEST_GROUP = 0x0008
_ITEM_GROUP = 0xFFFE
_TEMPORAL = frozenset({Option.RETAIN_DATES, Option.SHIFT_DATES})
_FIRST = (
    Option.SHIFT_DATES,  # of two options that name an attribute the one that takes more away
    Option.RETAIN_UIDS,
    Option.RETAIN_DEVICE,
    Option.RETAIN_INSTITUTION,
    Option.RETAIN_PATIENT_CHARACTERISTICS,
    Option.RETAIN_DATES,
    Option.CLEAN_STRUCTURED,
    Option.CLEAN_GRAPHICS,
    Option.CLEAN_DESCRIPTORS,
)


@dataclass(frozen=True)
class Profile:
    """A profile of PS3.15 Annex E with its options and a site's rules.

    Parameters
    ----------
    edition : str
        Edition of the standard the rows come from, for example ``"2026c"``.
    name : str
        ``"basic"`` for the Basic Application Level Confidentiality Profile.
    rules : mapping of int to str
        Action code (Table E.1-1a) of the Basic Profile by tag, for rows that name one
        attribute.
    families : mapping of str to str
        Action code of the rows that name many: ``"50xxxxxx"``, ``"60xx3000"``,
        ``"60xx4000"`` and ``"odd"``.
    cells : mapping of int to mapping of str to str
        Codes in the options' columns by tag, for all options, chosen or not.
    options : frozenset of Option
        Those that are chosen.
    site : SiteRules, optional
        What a site adds; it comes before the options, and they before the profile.

    Raises
    ------
    InputError
        For a code that is not in Table E.1-1a, a family that is not known, or options that
        exclude each other.
    """

    edition: str
    name: str
    rules: Mapping[int, str] = field(repr=False)
    families: Mapping[str, str] = field(repr=False)
    cells: Mapping[int, Mapping[str, str]] = field(default_factory=dict, repr=False)
    options: frozenset[Option] = frozenset()
    site: SiteRules | None = None
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        unknown = {*self.rules.values(), *self.families.values()} - ACTION_CODES
        if unknown or not set(self.families) <= _FAMILIES:
            raise InputError(
                f"A profile has {len(unknown)} action codes that Table E.1-1a does not know, "
                f"or a family of tags other than {len(_FAMILIES)} known ones.",
                hint="Use the codes D Z X K C U and their combinations.",
            )
        options = checked(self.options)
        rows = sorted((f"{tag:08X}", code) for tag, code in self.rules.items())
        parts: list[Any] = [self.edition, self.name, rows, sorted(self.families.items())]
        if options or self.site is not None:
            parts += [sorted(options), self.site.text() if self.site else ""]
        digest = hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()
        object.__setattr__(self, "rules", MappingProxyType(dict(self.rules)))
        object.__setattr__(self, "families", MappingProxyType(dict(self.families)))
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "sha256", digest)

    def __reduce__(self) -> tuple[Any, ...]:
        return Profile, (
            self.edition,
            self.name,
            dict(self.rules),
            dict(self.families),
            {tag: dict(cell) for tag, cell in self.cells.items()},
            self.options,
            self.site,
        )

    def __len__(self) -> int:
        """Count of rows, families included."""
        return len(self.rules) + len(self.families)

    def action_for(self, tag: int, vr: str) -> str:
        """Return the action for one attribute, after options and site rules.

        Parameters
        ----------
        tag : int
            Group and element as one number, 0xGGGGEEEE.
        vr : str
            Value representation; ``"UN"`` when it is not known.

        Returns
        -------
        str
            A code of Table E.1-1a, or `BY_VR` where no row names the attribute. Private
            groups, group lengths, groups below 0008 and above FFFC, curves, overlays and
            attributes of unknown VR are ``"X"``. Safe private attributes are told by
            `private_rule`.
        """
        chosen = self._chosen.get(tag)
        return self.basic_action_for(tag, vr) if chosen is None else chosen[0]

    def basic_action_for(self, tag: int, vr: str) -> str:
        """Return the action of the Basic Profile alone; see `action_for`."""
        group, element = tag >> 16, tag & 0xFFFF
        if group & 1:
            return self.families.get("odd", "X")
        if group < _LOWEST_GROUP or group >= _ITEM_GROUP or element == 0:
            return "X"
        if 0x5000 <= group <= 0x50FF:
            return self.families.get("50xxxxxx", "X")
        if 0x6000 <= group <= 0x60FF:
            return self.families.get(f"60xx{element:04X}", "X")
        return self.rules.get(tag, "X" if vr == "UN" else BY_VR)

    def option_for(self, tag: int) -> Option | None:
        """Return the option whose cell gives an attribute its action, or None."""
        chosen = self._chosen.get(tag)
        return None if chosen is None else chosen[1]

    def private_rule(self, group: int, creator: str, element: int) -> PrivateRule | None:
        """Return the row of Table E.3.10-1 or of the site for a private attribute.

        Parameters
        ----------
        group : int
            Odd group number.
        creator : str
            Value of the private creator that reserves the block, without padding.
        element : int
            Element number; only its low byte counts.

        Returns
        -------
        PrivateRule or None
            None where none names it, or only the standard does and retain-safe-private is
            not chosen.
        """
        return self._private.get((group, element & 0xFF, creator))

    def is_safe_creator(self, group: int, creator: str) -> bool:
        """Whether a private creator reserves a block that may hold safe attributes."""
        return (group, creator) in self._creators

    def keeps_items(self, path: tuple[str, ...]) -> bool:
        """Whether items at a path lie in a sequence that an option keeps as it is."""
        return not self._kept.isdisjoint(path)

    @cached_property
    def words(self) -> frozenset[str]:
        """Words in lower case that the site lets pass in descriptions."""
        return self.site.words if self.site else frozenset()

    @cached_property
    def _chosen(self) -> Mapping[int, tuple[str, Option | None]]:
        """Action and option by tag where an option or the site gives another action."""
        result: dict[int, tuple[str, Option | None]] = {}
        for tag, cell in self.cells.items():
            if tag >> 16 < _LOWEST_GROUP:
                continue  # commands, meta information and directories are never passed on
            for option in _FIRST:
                if option in self.options and option in cell and tag not in result:
                    result[tag] = (cell[option], option)
        if self.site:
            result |= {tag: (code, None) for tag, code in self.site.actions.items()}
        return result

    @cached_property
    def _kept(self) -> frozenset[str]:
        """Keywords of sequences that an option other than for dates or UIDs keeps."""
        return frozenset(
            entry(tag)[0]
            for tag, (code, option) in self._chosen.items()
            if code == "K"
            and entry(tag)[1] == "SQ"
            and option not in {*_TEMPORAL, Option.RETAIN_UIDS}
        )

    @cached_property
    def _private(self) -> Mapping[tuple[int, int, str], PrivateRule]:
        result: dict[tuple[int, int, str], PrivateRule] = {}
        if Option.RETAIN_SAFE_PRIVATE in self.options:
            result |= private_rules(self.edition)
        for group, element, creator, vr in self.site.private if self.site else ():
            key = (int(group, 16), int(element, 16), creator)
            result[key] = PrivateRule(vr, 1, None)
        return result

    @cached_property
    def _creators(self) -> frozenset[tuple[int, str]]:
        return frozenset((group, creator) for group, _, creator in self._private)


def load_profile(
    name: str = "basic",
    *,
    edition: str = EDITION,
    options: Iterable[str] = frozenset(),
    site: Path | SiteRules | None = None,
) -> Profile:
    """Return a profile with its options and a site's rules.

    Parameters
    ----------
    name : str
        ``"basic"``: the Basic Application Level Confidentiality Profile, Table E.1-1.
    edition : str
        Edition of PS3.15 whose tables are used.
    options : iterable of Option or str
        See `Option`.
    site : Path or SiteRules, optional
        A TOML file of site rules, or its content.

    Raises
    ------
    InputError
        When name or edition do not ship with this package, options are not known or exclude
        each other, or the site rules are not understood.
    """
    basic = _table(name, edition)
    rules = site if site is None or isinstance(site, SiteRules) else read_site_rules(site)
    return Profile(
        basic.edition,
        basic.name,
        basic.rules,
        basic.families,
        basic.cells,
        checked(options),
        rules,
    )


def basic_profile(edition: str = EDITION) -> Profile:
    """Return the Basic Application Level Confidentiality Profile without options.

    Raises
    ------
    InputError
        When the edition does not ship with this package.
    """
    return _table("basic", edition)


@cache
def _table(name: str, edition: str) -> Profile:
    """Return a profile as its table has it."""
    source = DATA / f"basic_{edition}.json"
    if name != "basic" or not edition.isalnum() or not source.is_file():
        raise InputError(
            "The name or edition of the de-identification profile is not one that ships.",
            hint=f"Use basic and {EDITION}.",
        )
    document = json.loads(source.read_text("utf-8"))
    families = {tag: code for tag, _, code, _ in document["rules"] if tag in _FAMILIES}
    single = [row for row in document["rules"] if row[0] not in _FAMILIES]
    return Profile(
        document["edition"],
        document["name"],
        {int(tag, 16): code for tag, _, code, _ in single},
        families,
        {int(tag, 16): cell for tag, _, _, cell in single if cell},
    )
