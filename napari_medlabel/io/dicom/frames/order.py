"""Frames of one file that lie in one place -> what tells their volumes apart.

A stated order of names: what was set on the scanner goes before what merely happened later,
and a name is used only where it separates frames that nothing before it has separated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Final

from napari_medlabel.io.dicom.frames.groups import Frame

Order = tuple[tuple[str, float], ...]
UNITS: Final[dict[str, str]] = {
    "echo": "ms",
    "inversion": "ms",
    "flip angle": "deg",
    "repetition": "ms",
    "tube voltage": "kV",
    "b-value": "s/mm2",
    "direction": "",
    "trigger": "ms",
    "cardiac phase": "%",
    "respiratory phase": "%",
    "energy window": "",
    "rotation": "",
    "heart beat": "",
    "time slot": "",
    "time": "s",
    "labelling": "",
    "volume": "",
}
"""Unit of each name that `Plane.order` may hold; most important first."""

_SET = ("echo", "inversion", "flip angle", "repetition", "tube voltage")
_PHASES = ("trigger", "cardiac phase", "respiratory phase")
_LATER = (*_PHASES, "time", "b-value", "labelling")
_WITHIN = (
    *_SET,
    *("b-value", "direction"),
    *_PHASES,
    *("temporal offset", "temporal index", "moment", "labelling"),
)
_SPATIAL: Final = frozenset({0x00209056, 0x00209057, 0x00200032, 0x00209301, 0x00209113})
"""Dimension pointers that count places: stack, position in it, image position."""
_Signatures = list[tuple[Hashable, ...]]


def orders(
    frames: Sequence[Frame], kinds: Sequence[tuple[str, ...]], pointers: Sequence[int]
) -> list[Order]:
    """Return for each frame the names and values that tell its volume apart.

    Parameters
    ----------
    frames : sequence of Frame
        Of one file.
    kinds : sequence of tuple of str
        Their kinds: frames of different kind are looked at for themselves.
    pointers : sequence of int
        What the Dimension Index Values count.
    """
    found: list[Order] = [()] * len(frames)
    numbers: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, kind in enumerate(kinds):
        numbers[kind].append(number)
    for alike in numbers.values():
        told_apart = _orders([frames[n] for n in alike], pointers)
        for number, order in zip(alike, told_apart, strict=True):
            found[number] = order
    return found


def _orders(frames: Sequence[Frame], pointers: Sequence[int]) -> list[Order]:
    signatures: _Signatures = [
        (_rounded(one.orientation, 4), _rounded(one.position, 2)) for one in frames
    ]
    found: list[list[tuple[str, float]]] = [[] for _ in frames]
    chosen: set[str] = set()
    for name in _WITHIN:
        if len(set(signatures)) == len(frames):
            break
        values = _candidate(frames, name)
        if values is None or not _separates(signatures, values):
            continue
        called, shown = _called(name, frames, signatures, values)
        chosen.add(called)
        for number, (value, show) in enumerate(zip(values, shown, strict=True)):
            signatures[number] = (*signatures[number], _rank_key(called, value, show))
            found[number].append((called, show))
    if len(set(signatures)) < len(frames):
        _count_the_rest(frames, signatures, pointers, found)
    before, after = _constants(frames, chosen)
    return [(*before, *own, *after) for own in found]


def _rounded(values: Iterable[float], digits: int) -> tuple[float, ...]:
    return tuple(round(value, digits) + 0.0 for value in values)


def _rank_key(called: str, value: float, shown: float) -> float:
    return shown if called == "time" else value


def _candidate(frames: Sequence[Frame], name: str) -> list[float] | None:
    """Return one number for each frame, None where any frame lacks it."""
    if name == "direction":
        seen: dict[tuple[float, ...], int] = {(): 0}
        return [float(seen.setdefault(_rounded(one.direction, 4), len(seen))) for one in frames]
    get: Callable[[Frame], float | None] = (
        (lambda one: one.moment_s) if name == "moment" else lambda one: one.facts.get(name)
    )
    values = [get(one) for one in frames]
    if name == "b-value":
        values = [0.0 if value is None else value for value in values]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def _separates(signatures: _Signatures, values: Sequence[float]) -> bool:
    together = {(*own, value) for own, value in zip(signatures, values, strict=True)}
    return len(together) > len(set(signatures))


def _called(
    name: str, frames: Sequence[Frame], signatures: _Signatures, values: Sequence[float]
) -> tuple[str, list[float]]:
    """Return the name to show, and values that all places have in common."""
    if name == "temporal index":
        times = _times_of(frames, values)
        return ("volume", list(values)) if times is None else ("time", times)
    called = "time" if name in {"temporal offset", "moment"} else name
    return called, _in_common(signatures, values)


def _times_of(frames: Sequence[Frame], index: Sequence[float]) -> list[float] | None:
    """Return when each temporal position began, or None when clock and count disagree."""
    began: dict[float, float] = {}
    for one, at in zip(frames, index, strict=True):
        if one.moment_s is None:
            return None
        began[at] = min(began.get(at, one.moment_s), one.moment_s)
    moments = [began[at] for at in sorted(began)]
    rising = all(a < b for a, b in pairwise(moments))
    return [began[at] for at in index] if rising else None


def _in_common(signatures: _Signatures, values: Sequence[float]) -> list[float]:
    """Replace values that differ from place to place by those of the first place, by rank.

    Slices of one volume are acquired one after the other, and triggered a little apart.
    """
    levels: dict[tuple[Hashable, ...], set[float]] = defaultdict(set)
    for own, value in zip(signatures, values, strict=True):
        levels[own].add(value)
    first = sorted(levels[signatures[0]])
    if any(len(several) != len(first) for several in levels.values()):
        return list(values)
    shown = {
        (own, value): first[rank]
        for own, several in levels.items()
        for rank, value in enumerate(sorted(several))
    }
    return [shown[key] for key in zip(signatures, values, strict=True)]


def _count_the_rest(
    frames: Sequence[Frame],
    signatures: _Signatures,
    pointers: Sequence[int],
    found: list[list[tuple[str, float]]],
) -> None:
    """Count the frames that nothing separates: by dimension index, else as they come."""
    alike: dict[tuple[Hashable, ...], list[int]] = defaultdict(list)
    for number, own in enumerate(signatures):
        alike[own].append(number)
    for numbers in alike.values():
        several = sorted(numbers, key=lambda n: (_counted(frames[n].dimensions, pointers), n))
        for rank, number in enumerate(several, start=1):
            found[number].append(("volume", float(rank)))


def _counted(values: Sequence[float], pointers: Sequence[int]) -> tuple[float, ...]:
    return tuple(
        value for value, tag in zip(values, pointers, strict=False) if tag not in _SPATIAL
    )


def _constants(frames: Sequence[Frame], chosen: set[str]) -> tuple[Order, Order]:
    """Return what all frames have in common and other files may have otherwise."""
    constant = {
        name: value
        for name in (*_SET, *_LATER)
        if name not in chosen and (value := _same(frames, name)) is not None
    }
    moments = [one.moment_s for one in frames if one.moment_s is not None]
    if moments and "time" not in chosen:
        constant["time"] = min(moments)
    return (
        tuple((name, constant[name]) for name in _SET if name in constant),
        tuple((name, constant[name]) for name in _LATER if name in constant),
    )


def _same(frames: Sequence[Frame], name: str) -> float | None:
    values = {one.facts.get(name) for one in frames}
    return values.pop() if len(values) == 1 else None
