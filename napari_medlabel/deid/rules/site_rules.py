"""A site's own rules in a TOML file: read, checked, never quoted in a message."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from napari_medlabel.deid.rules.bounded_pattern import LONGEST_VALUE, is_bounded
from napari_medlabel.deid.rules.dictionary import UNKNOWN, entry, tag_and_vr
from napari_medlabel.errors import InputError

SITE_ACTIONS = frozenset("DZXKCU")
PRIVATE_VRS = frozenset(
    {"AT", "CS", "DS", "FD", "FL", "IS", "LO", "SH", "SL", "SQ", "SS", "ST", "UI", "UL", "US"}
)
IDENTIFIERS = frozenset(
    {
        0x00080050, 0x00100020, 0x00100021, 0x00100030, 0x00101000, 0x00101002, 0x00101040,
        0x00102154, 0x00102155, 0x00200010, 0x00380010, 0x00401001,
    }
)  # fmt: skip
"""Numbers, addresses and birth date of a patient: no site rule keeps them."""

OURS = frozenset(
    {
        0x00080005, 0x00080016, 0x00080018, 0x00120062, 0x00120063, 0x00120064, 0x0020000D,
        0x0020000E, 0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011,
        0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280301, 0x00280302, 0x00280303,
        0x7FE00008, 0x7FE00009, 0x7FE00010,
    }
)  # fmt: skip
"""What an image cannot be without, and the marks of what was done: no site rule has a say."""

_TOP = frozenset({"name", "version", "rule", "private", "words", "keep", "patterns"})
_HEX = re.compile(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?")
_LINE = re.compile(r"line ([0-9]+)")
_LONGEST = 64


@dataclass(frozen=True)
class SiteRules:
    """What a site adds to a profile.

    Parameters
    ----------
    name, version : str
        What the site calls its rules.
    actions : mapping of int to str
        Action code ``D Z X K C U`` by tag, at every depth.
    paths : mapping of tuple of str to str
        Action code by path: keywords of the sequences, outermost first, then its own.
    words : frozenset of str
        Words in lower case that descriptions may hold.
    keep : mapping of str to frozenset of str
        Whole values that may stay in one attribute.
    patterns : mapping of str to str
        Regular expression by keyword that a value must match as a whole.
    private : tuple of tuple of str
        Group, last two digits of the element, creator and VR of private attributes that
        are safe.
    """

    name: str
    version: str
    actions: Mapping[int, str] = field(default_factory=dict)
    paths: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    keep: Mapping[str, frozenset[str]] = field(default_factory=dict)
    patterns: Mapping[str, str] = field(default_factory=dict)
    private: tuple[tuple[str, str, str, str], ...] = ()

    def __post_init__(self) -> None:
        for name in ("actions", "paths", "keep", "patterns"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        return SiteRules, (
            self.name,
            self.version,
            dict(self.actions),
            dict(self.paths),
            self.words,
            dict(self.keep),
            dict(self.patterns),
            self.private,
        )

    def lists(self, keyword: str, component: str) -> bool:
        """Whether one component of a value is on the site's list or fits its pattern."""
        pattern = self.patterns.get(keyword)
        return component in self.keep.get(keyword, frozenset()) or (
            pattern is not None
            and len(component) <= LONGEST_VALUE
            and re.fullmatch(pattern, component) is not None
        )

    def text(self) -> str:
        """Return the rules as one text, the same for the same rules, to be hashed."""
        return json.dumps(
            [
                self.name,
                self.version,
                sorted((f"{tag:08X}", code) for tag, code in self.actions.items()),
                sorted(("/".join(path), code) for path, code in self.paths.items()),
                sorted(self.words),
                sorted((keyword, sorted(values)) for keyword, values in self.keep.items()),
                sorted(self.patterns.items()),
                sorted(self.private),
            ]
        )


def read_site_rules(path: Path) -> SiteRules:
    """Return the rules in a TOML file.

    Parameters
    ----------
    path : Path
        The file, in UTF-8.

    Raises
    ------
    InputError
        When it cannot be read, is not TOML, or a rule is not one; the message names the
        line or the table and its number.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(
            "A file of site rules was expected and could not be read.",
            hint="Check the path; the file must be TOML in UTF-8.",
        ) from err
    return site_rules(text)


def site_rules(text: str) -> SiteRules:
    """Return the rules in a TOML document; see `read_site_rules`."""
    import tomllib

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        found = _LINE.search(str(err))
        raise _refused(
            f"line {found[1]} is not TOML" if found else "the end is missing"
        ) from err
    unknown = len(set(document) - _TOP)
    if unknown:
        raise _refused(f"{unknown} of its keys are not known; known are {_listed(_TOP)}")
    lines = _lines_of(text)
    actions: dict[int, str] = {}
    paths: dict[tuple[str, ...], str] = {}
    for where, table in _tables(document, "rule", lines):
        keywords, tag, code = _rule(where, table)
        if keywords in paths or (len(keywords) == 1 and tag in actions):
            raise _refused(f"{where} names {'/'.join(keywords)}, which has a rule already")
        if len(keywords) == 1:
            actions[tag] = code
        else:
            paths[keywords] = code
    private = tuple(
        _private(where, each) for where, each in _tables(document, "private", lines)
    )
    return SiteRules(
        name=_text(document, "name", "the top of the file"),
        version=_text(document, "version", "the top of the file"),
        actions=actions,
        paths=paths,
        words=frozenset(word.lower() for word in _texts(document.get("words", []), "words")),
        keep=_by_keyword(
            document, "keep", lambda v, where: frozenset(_texts(v, where)), "a list of texts"
        ),
        patterns=_by_keyword(document, "patterns", _pattern, "a regular expression"),
        private=private,
    )


def _rule(where: str, table: dict[str, Any]) -> tuple[tuple[str, ...], int, str]:
    """Return path, last tag and code of a ``[[rule]]``."""
    if set(table) != {"attribute", "action"}:
        raise _refused(f"{where} needs exactly the keys attribute and action")
    code = _text(table, "action", where)
    if code not in SITE_ACTIONS:
        raise _refused(f"{where} has an action other than {_listed(SITE_ACTIONS)}")
    parts = _text(table, "attribute", where).split("/")
    tags = [_tag(part.strip(), where) for part in parts]
    keywords = tuple(entry(tag)[0] for tag in tags)
    keyword, vr = entry(tags[-1])
    if len(tags) == 1 and tags[0] in OURS:
        raise _refused(
            f"{where} names {keyword}, which an image cannot be without or which says what was "
            "done; for UIDs there is the option retain-uids"
        )
    if code in {"K", "C"} and (vr == "PN" or tags[-1] in IDENTIFIERS):
        raise _refused(f"{where} would keep {keyword}, which tells who the patient is")
    if code == "U" and vr not in {"UI", "SQ"}:
        raise _refused(f"{where} replaces UIDs in {keyword}, which holds none")
    return keywords, tags[-1], code


def _private(where: str, table: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return group, element, creator and VR of a ``[[private]]``."""
    if set(table) != {"group", "element", "creator", "vr"}:
        raise _refused(f"{where} needs exactly the keys group, element, creator and vr")
    group, element, creator, vr = (
        _text(table, key, where) for key in ("group", "element", "creator", "vr")
    )
    if re.fullmatch(r"[0-9A-Fa-f]{3}[13579BDFbdf]", group) is None:
        raise _refused(f"{where} has a group that is not four digits with an odd end")
    if re.fullmatch(r"[0-9A-Fa-f]{2}", element) is None:
        raise _refused(f"{where} has an element that is not two hexadecimal digits")
    if vr not in PRIVATE_VRS:
        raise _refused(f"{where} has a VR other than {_listed(PRIVATE_VRS)}")
    return group.upper(), element.upper(), creator, vr


def _tag(part: str, where: str) -> int:
    """Return the tag of a keyword or of eight hexadecimal digits."""
    digits = _HEX.fullmatch(part)
    try:
        tag = int(digits[1] + digits[2], 16) if digits else tag_and_vr(part)[0]
    except KeyError:
        tag = 0
    if tag >> 16 < 8 or entry(tag) == UNKNOWN:
        raise _refused(f"{where} names an attribute that is not in the dictionary")
    return tag


def _tables(
    document: dict[str, Any], name: str, lines: Mapping[str, list[int]]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the tables of one name, each with where it stands."""
    tables = document.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise _refused(f"{name} is not a list of tables")
    at = [*lines.get(name, []), *[0] * len(tables)]
    return [
        (f"{name} {number} (line {line})" if line else f"{name} {number}", each)
        for number, (each, line) in enumerate(zip(tables, at, strict=False), start=1)
    ]


def _lines_of(text: str) -> dict[str, list[int]]:
    """Return the lines on which tables of a list begin, by name."""
    result: dict[str, list[int]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match = re.fullmatch(r"\s*\[\[\s*(rule|private)\s*\]\]\s*(?:#.*)?", line)
        if match:
            result.setdefault(match[1], []).append(number)
    return result


def _by_keyword(
    document: dict[str, Any], name: str, made: Callable[[Any, str], Any], expected: str
) -> dict[str, Any]:
    """Return a table whose keys are keywords of the dictionary."""
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise _refused(f"{name} is not a table of keywords, each with {expected}")
    result = {}
    for number, (keyword, value) in enumerate(table.items(), start=1):
        where = f"{name} {number}"
        tag = _tag(keyword, where)
        name_found, vr = entry(tag)
        if vr == "PN" or tag in IDENTIFIERS:
            raise _refused(f"{where} would keep {name_found}, which tells who the patient is")
        result[name_found] = made(value, where)
    return result


def _pattern(value: Any, where: str) -> str:
    """Return a regular expression that compiles and does not search without end."""
    try:
        re.compile(_texts([value], where)[0])
    except re.error as err:
        raise _refused(f"{where} is not a regular expression") from err
    if not is_bounded(value):
        raise _refused(
            f"{where} could search without end: it repeats what repeats, or has too many "
            "parts of any length"
        )
    return str(value)


def _text(table: dict[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST * 4:
        raise _refused(f"{where} needs {key} as a text that is not empty")
    return value.strip()


def _texts(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _refused(f"{where} is not made of texts")
    return value


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _refused(what: str) -> InputError:
    return InputError(
        f"The site rules are not understood: {what}.",
        hint="See docs/reference/profile.md, 'Site rules', for what a file may hold.",
    )
