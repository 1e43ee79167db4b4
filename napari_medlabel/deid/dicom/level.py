"""What is known of the elements of one level of a scope: answers that other files may use.

What is remembered holds for one scope: a profile, a syntax, and a `Setting` with all of the
file's identity but its UIDs. Where judging asks for the identity, and a UID could stand in the
element, it is judged again for each file.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import cached_property

from napari_medlabel.deid.dicom.elements import MAX_DEPTH
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.deid.report.counts import Reason
from napari_medlabel.deid.rules.actions import Attribute, Setting
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile

Result = tuple[bytes, tuple[str, ...], bool]
"""The bytes that take an element's place, what is counted, and whether it is the same in any
file of the scope."""

_MOST_BYTES, _MOST_SEQUENCE_BYTES, _MOST_SCOPES = 1024, 16384, 4
_MOST_KNOWN_BYTES = 2_000_000


class Watched(Setting):
    """A setting that knows whether its identity was asked for."""

    @property
    def identity(self) -> frozenset[str]:
        """All of a file's identity; asking for it is remembered."""
        self.__dict__["asked"] = True
        return self.__dict__["everything"]  # type: ignore[no-any-return]


class Unread(Attribute):
    """An attribute that knows whether anybody asked for its value."""

    @property
    def components(self) -> tuple[str, ...]:
        """The value's components; asking for them is remembered."""
        self.__dict__["read"] = True
        return self.__dict__["parts"]  # type: ignore[no-any-return]


@dataclass
class Level:
    """One level of the data sets of a scope, with what is known of its elements.

    Parameters
    ----------
    profile : Profile
        The rules.
    setting : Setting
        Its `identity` is without the UIDs of the files.
    explicit : bool
        Whether VRs are written.
    depth : int
        0 at the top.
    known : dict of bytes to Result
        Results by the bytes of the element.
    same : dict of int to Result
        Results by tag of text that nobody had to read to judge it.
    weight : int
        How many bytes `known` holds.
    """

    profile: Profile
    setting: Setting
    explicit: bool
    depth: int = 0
    known: dict[bytes, Result] = field(default_factory=dict, repr=False)
    same: dict[int, Result] = field(default_factory=dict, repr=False)
    weight: int = 0
    marks: dict[int, bytes] = field(default_factory=dict, repr=False)
    patient_code: str = field(default="", repr=False)
    _below: dict[tuple[str, str], Level] = field(default_factory=dict, repr=False)

    @cached_property
    def keeps_private(self) -> bool:
        """Whether private attributes of some creators may stay."""
        site = self.profile.site
        chosen = Option.RETAIN_SAFE_PRIVATE in self.profile.options
        return chosen or bool(site is not None and site.private)

    def watched(self, identity: frozenset[str]) -> Watched:
        """Return the setting with all of a file's identity, not asked for it yet."""
        result = object.__new__(Watched)
        result.__dict__.update(self.setting.__dict__, everything=identity, asked=False)
        return result

    def below(self, sequence: str) -> Level:
        """Return the level of the items of a sequence.

        Raises
        ------
        QuarantineError
            When it lies too deep.
        """
        if self.depth >= MAX_DEPTH:
            raise QuarantineError(Reason.UNREADABLE)
        return self._at((sequence, ""), (*self.setting.path, sequence), self.setting.content)

    def of_content(self, setting: Setting) -> Level:
        """Return the level of an item here whose attributes are judged under a setting."""
        if setting.content == self.setting.content:
            return self
        return self._at(("", setting.content), self.setting.path, setting.content)

    def _at(self, key: tuple[str, str], path: tuple[str, ...], content: str) -> Level:
        level = self._below.get(key)
        if level is None:
            setting = replace(self.setting, path=path, content=content)
            level = Level(self.profile, setting, self.explicit, len(path))
            self._below[key] = level
        return level

    def remember(self, raw: bytes, result: Result, *, sequence: bool) -> None:
        """Keep a result for the next element of the same bytes, if it is small."""
        if len(raw) > (_MOST_SEQUENCE_BYTES if sequence else _MOST_BYTES):
            return
        self.weight += len(raw) + len(result[0])
        if self.weight > _MOST_KNOWN_BYTES:
            self.known.clear()
            self.weight = 0
        self.known[raw] = result


_levels: OrderedDict[tuple[int, Setting, bool], Level] = OrderedDict()


def level_for(profile: Profile, setting: Setting, *, explicit: bool) -> Level:
    """Return the top level of a scope, as it was left by the last file.

    Parameters
    ----------
    profile : Profile
        The rules.
    setting : Setting
        Of the file, with the identity that its series shares.
    explicit : bool
        Whether VRs are written.
    """
    key = (id(profile), setting, explicit)
    level = _levels.get(key)
    if level is None:
        level = Level(profile, setting, explicit)
        _levels[key] = level  # the level holds the profile, so that its id stays its own
        while len(_levels) > _MOST_SCOPES:
            _levels.popitem(last=False)
    else:
        _levels.move_to_end(key)
    return level
