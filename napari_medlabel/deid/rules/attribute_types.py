"""Type 1, 2 or 3 of an attribute in its IOD (PS3.3), nested ones by their sequence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from types import MappingProxyType

from napari_medlabel.deid.rules.dictionary import DATA


class AttributeType(IntEnum):
    """How an IOD requires an attribute: with a value, present, or not at all."""

    VALUE = 1
    PRESENT = 2
    OPTIONAL = 3


_UNKNOWN = MappingProxyType(
    {
        "X/Z": AttributeType.PRESENT,
        "X/D": AttributeType.VALUE,
        "Z/D": AttributeType.VALUE,
        "X/Z/D": AttributeType.VALUE,
    }
)


@dataclass(frozen=True)
class _Types:
    """What `generate_types` wrote."""

    modules: tuple[Mapping[str, AttributeType], ...]
    iods: Mapping[str, tuple[int, ...]]
    classes: Mapping[str, str]
    sequences: Mapping[str, Mapping[str, AttributeType]]


def attribute_type(
    keyword: str, sop_class: str, code: str = "", path: tuple[str, ...] = ()
) -> AttributeType:
    """Return the type of an attribute in the IOD of a SOP class.

    Parameters
    ----------
    keyword : str
        The attribute's keyword.
    sop_class : str
        The SOP Class UID of the instance.
    code : str, optional
        The composite action code that must be resolved.
    path : tuple of str, optional
        Keywords of the sequences that it lies in, outermost first.

    Returns
    -------
    AttributeType
        The strictest of the IOD's modules; a conditional type counts as the type itself,
        since an attribute that is there had its condition fulfilled. In an item it is the
        strictest that any module gives it in a sequence of this name. For a SOP class
        whose IOD is not known a composite code is resolved to the strictest type that it
        names, so that the result conforms whatever the IOD says.
    """
    if path:
        inside = _types().sequences.get(path[-1])
        if inside is not None:
            return inside.get(keyword, AttributeType.OPTIONAL)
    elif sop_class in _types().classes:
        return _of_class(sop_class).get(keyword, AttributeType.OPTIONAL)
    return _UNKNOWN.get(code, AttributeType.OPTIONAL)


@cache
def _of_class(sop_class: str) -> Mapping[str, AttributeType]:
    """Types at the top level of a known SOP class's instances."""
    types = _types()
    result: dict[str, AttributeType] = {}
    for place in types.iods[types.classes[sop_class]]:
        for keyword, number in types.modules[place].items():
            result[keyword] = min(number, result.get(keyword, number))
    return MappingProxyType(result)


@cache
def _types() -> _Types:
    source = DATA / "attribute_types.json"
    document = json.loads(source.read_text("utf-8"))
    return _Types(
        modules=tuple(_level(module) for module in document["modules"]),
        iods={iod: tuple(places) for iod, places in document["iods"].items()},
        classes=document["classes"],
        sequences={key: _level(level) for key, level in document["sequences"].items()},
    )


def _level(level: list[str]) -> Mapping[str, AttributeType]:
    value, present = level
    return {
        **dict.fromkeys(present.split(), AttributeType.PRESENT),
        **dict.fromkeys(value.split(), AttributeType.VALUE),
    }
