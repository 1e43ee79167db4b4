"""Images that lie in the same places -> volumes on one grid, and what sets them apart.

An attribute counts where it has the same values at each place, and a time or a count where it
rises at each place. What the headers do not decide is refused, never guessed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.io.dicom.frames.order import UNITS
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header.instance import IMAGE_TYPE, INSTANCE_NUMBER
from napari_medlabel.io.dicom.series.axis import Axis, as_acquired, axis_of
from napari_medlabel.io.dicom.series.differences import (
    Difference,
    acquired,
    happened,
    stated,
    vendors,
)
from napari_medlabel.io.dicom.series.kinds import (
    MADE,
    MOST_MADE,
    MOST_OTHER,
    OTHER,
    numbers_told,
    texts_told,
)
from napari_medlabel.io.dicom.series.proof import (
    Groups,
    Keys,
    Slots,
    agreed,
    are_in_order,
    by_count,
    by_rank,
    by_time,
    grouped,
    is_counted,
    is_cyclic,
    is_timed,
    tables,
)

MOST_PARTS: Final = 50
_LOOKED_UP: Final = frozenset({"MR", "PT"})
_LEAST_FILLED: Final = 0.6
_MOVE = "Move the surplus images to another folder, or split the series into volumes."


@dataclass(frozen=True)
class Pile:
    """Volumes that lie on one grid.

    Parameters
    ----------
    planes : tuple of Plane
        Volume after volume; in each of them in the order of the places.
    volumes : int
        How many.
    axis : tuple of name, unit and values, or None
        What they differ in; None for a single one.
    warnings : tuple of str
        Doubts in words.
    """

    planes: tuple[Plane, ...]
    volumes: int
    axis: Axis | None
    warnings: tuple[str, ...] = ()


def separate(planes: Sequence[Plane], slots: Slots) -> list[Pile]:
    """Sort images into volumes.

    Parameters
    ----------
    planes : sequence of Plane
        Of one orientation, matrix and kind.
    slots : ndarray of int, shape (n,)
        The place of each, counted along the stack.

    Returns
    -------
    list of Pile
        More than one where images are of different type, or volumes lack slices: those are
        piles of their own.

    Raises
    ------
    InputError
        When the headers do not say which images belong together.
    """
    return [
        pile
        for part in _by_type(np.arange(len(planes)), [_type(one) for one in planes], slots)
        for pile in _separate_alike([planes[n] for n in part], slots[part])
    ]


def _type(plane: Plane) -> Hashable:
    return plane.instance.fields.get(IMAGE_TYPE, b"").strip(b"\0 ")


def _by_type(members: Slots, types: Sequence[Hashable], slots: Slots) -> list[Slots]:
    """Split images of different type, where one place holds several types."""
    several = list(dict.fromkeys(types))
    at_places = len(set(zip(slots.tolist(), types, strict=True)))
    if not 1 < len(several) <= MOST_PARTS or at_places == len(set(slots.tolist())):
        return [members]
    parts = _alike(members, types, several)
    return parts if all(_is_even(slots[part]) for part in parts) else [members]


def _alike(
    members: Slots, types: Sequence[Hashable], several: Sequence[Hashable]
) -> list[Slots]:
    return [np.array([n for n in members if types[n] == one]) for one in several]


def _are_unique(slots: Slots, keys: Sequence[Hashable], members: Iterable[int]) -> bool:
    seen = [(int(slots[n]), keys[n]) for n in members]
    return len(set(seen)) == len(seen)


def _is_even(slots: Slots) -> bool:
    return len(set(Counter(slots.tolist()).values())) == 1


def _separate_alike(
    planes: Sequence[Plane], slots: Slots, known: Sequence[float] = ()
) -> list[Pile]:
    """Sort images that may be one series; `known` are the volumes where they are counted."""
    _, slots = np.unique(slots, return_inverse=True)
    if len(planes) == int(slots.max()) + 1:
        return [_one_volume(planes, slots)]
    if not _is_even(slots):
        return _uneven(planes, slots)
    differences = stated(planes)
    if known:
        differences.append(Difference("volume", "", tuple(known)))
    parts = _looked_up(planes, slots, differences)
    if parts is not None:
        return [pile for part in parts for pile in _separate_alike(*part)]
    keys, used = _keys(slots, differences)
    if not _are_unique(slots, keys, range(len(keys))):
        return _told_apart(planes, slots, differences)
    if not are_in_order(planes, slots, keys, used):
        raise _nothing_tells(slots)
    return [_in_order(planes, slots, keys, used)]


def _told_apart(
    planes: Sequence[Plane], slots: Slots, differences: Sequence[Difference]
) -> list[Pile]:
    """Tell images apart by what else their headers say, then by times and counts."""
    place = np.flatnonzero(slots == 0).tolist()
    has_b_value = any(one.name == "b-value" for one in differences)
    split = None if has_b_value else _by_text(planes, slots, MADE, MOST_MADE)
    if split is not None:
        return split
    more = [
        Difference(one.name, UNITS[one.name], one.values) for one in numbers_told(planes, place)
    ]
    keys, used = _keys(slots, [*differences, *more])
    if not _are_unique(slots, keys, range(len(keys))):
        ranked = _ranked(planes, slots, keys)
        split = _by_text(planes, slots, OTHER, MOST_OTHER, ranked and ranked[0])
        if split is not None:
            return split
        if ranked is None:
            return _uneven(planes, slots)
        keys, used = ranked[0], [*used, ranked[1]]
    return [_in_order(planes, slots, keys, used)]


def _by_text(
    planes: Sequence[Plane],
    slots: Slots,
    names: Mapping[int, str],
    most: int,
    volumes: Keys | None = None,
) -> list[Pile] | None:
    """Make series of images with different texts, where each place holds the same texts.

    Volumes that are known and have one text each stay together.
    """
    for one in texts_told(planes, np.flatnonzero(slots == 0).tolist(), names, most):
        several = list(dict.fromkeys(one.values))
        if len(several) > most or not _is_balanced(slots, [(value,) for value in one.values]):
            continue
        if volumes and len(set(zip(volumes, one.values, strict=True))) == len(set(volumes)):
            continue
        doubt = f"Images of one place differ in {one.name}: each kind is a series of its own."
        return [
            replace(pile, warnings=(doubt, *pile.warnings))
            for part in _alike(np.arange(len(planes)), one.values, several)
            for pile in _separate_alike([planes[n] for n in part], slots[part])
        ]
    return None


def _one_volume(planes: Sequence[Plane], slots: Slots) -> Pile:
    return Pile(tuple(planes[n] for n in np.argsort(slots)), 1, None)


def _looked_up(
    planes: Sequence[Plane], slots: Slots, differences: list[Difference]
) -> list[tuple[list[Plane], Slots]] | None:
    """Ask vendors' attributes: extend the differences, or return images of different kind.

    One place is looked at first, since each look opens a file again.
    """
    first = planes[0].instance
    if first.frames > 1 or first.modality not in _LOOKED_UP:
        return None
    if any(one.name == "b-value" for one in differences):
        return None
    place = [planes[n] for n in np.flatnonzero(slots == 0).tolist()]
    kinds, more = vendors(place)
    if len(set(kinds)) == 1 and not more:
        return None
    kinds, more = vendors(planes)
    differences[:0] = more
    several = list(dict.fromkeys(kinds))
    if len(several) == 1:
        return None
    parts = _alike(np.arange(len(planes)), kinds, several)
    if not all(_is_even(slots[part]) for part in parts):
        return None
    return [
        (
            [replace(planes[n], kind=(*planes[n].kind, kinds[n])) for n in part],
            slots[part],
        )
        for part in parts
    ]


def _keys(slots: Slots, differences: Sequence[Difference]) -> tuple[Keys, list[Difference]]:
    """Collect differences that have the same values at each place, until they suffice."""
    keys: Keys = [()] * len(slots)
    used: list[Difference] = []
    for one in differences:
        if _are_unique(slots, keys, range(len(keys))):
            break
        extended = [(*key, value) for key, value in zip(keys, one.values, strict=True)]
        if len(set(extended)) > len(set(keys)) and _is_balanced(slots, extended):
            keys = extended
            used.append(one)
    return keys, used


def _is_balanced(slots: Slots, keys: Keys) -> bool:
    """Tell whether each place holds the same keys, each as often."""
    counts = Counter(zip(keys, slots.tolist(), strict=True))
    by_key: dict[tuple[float, ...], set[int]] = defaultdict(set)
    places: Counter[tuple[float, ...]] = Counter()
    for (key, _), number in counts.items():
        by_key[key].add(number)
        places[key] += 1
    whole = int(slots.max()) + 1
    return all(len(by_key[key]) == 1 and places[key] == whole for key in places)


def _ranked(
    planes: Sequence[Plane], slots: Slots, keys: Keys
) -> tuple[Keys, Difference] | None:
    """Tell what is left apart by the first time or count that proves its volumes."""
    for one in happened(planes):
        extended = [(*key, value) for key, value in zip(keys, one.values, strict=True)]
        if _are_unique(slots, extended, range(len(keys))):
            ranked = by_rank(slots, keys, one.values)
            if _is_proven(one, tables(slots, ranked, one.values)):
                return ranked, replace(one, is_exact=False)
    return None


def _is_proven(one: Difference, found: Sequence[FloatArray]) -> bool:
    proves = {"trigger": is_cyclic, "volume": is_counted}.get(one.name, is_timed)
    return all(proves(table) for table in found)


def _in_order(
    planes: Sequence[Plane], slots: Slots, keys: Keys, used: Sequence[Difference]
) -> Pile:
    """Put volumes one behind the other, by their keys, and name what they differ in."""
    order = sorted(range(len(planes)), key=lambda n: (keys[n], slots[n]))
    places = int(slots.max()) + 1
    volumes = len(planes) // places
    found = [order[t * places : (t + 1) * places] for t in range(volumes)]
    if any(one.name == "b-value" for one in used):
        found = as_acquired(planes, found)
    axis, doubts = axis_of(planes, found, used)
    return Pile(tuple(planes[n] for members in found for n in members), volumes, axis, doubts)


def by_difference(planes: Sequence[Plane]) -> Iterator[tuple[str, list[list[Plane]]]]:
    """Yield ways to split images that lie in different places by what their headers say."""
    for one in stated(planes):
        groups: dict[float, list[Plane]] = defaultdict(list)
        for plane, value in zip(planes, one.values, strict=True):
            groups[value].append(plane)
        if 1 < len(groups) <= MOST_PARTS and min(map(len, groups.values())) > 1:
            yield one.name, [groups[value] for value in sorted(groups)]


def _uneven(planes: Sequence[Plane], slots: Slots) -> list[Pile]:
    """Sort images whose places hold different images, where headers are certain."""
    if int(slots.max()) == 0:
        doubt = f"One of {len(planes)} images of one place that nothing tells apart."
        return [Pile((one,), 1, None, (doubt,)) for one in planes]
    found = _volumes_by_difference(planes, slots) or _volumes_by_count(planes, slots)
    if found is None or len(found) > MOST_PARTS * 10:
        raise _nothing_tells(slots)
    places = int(slots.max()) + 1
    whole = [part for part in found if len(part) == places]
    short = [part for part in found if len(part) != places]
    if len(short) > MOST_PARTS:
        raise InputError(
            f"{len(short)} of {len(found)} volumes lack slices.",
            hint="Copy or export the whole series again.",
        )
    piles: list[Pile] = []
    if whole:
        members = [n for part in whole for n in part]
        known = [float(t) for t, part in enumerate(whole) for _ in part]
        main = _separate_alike([planes[n] for n in members], slots[members], known)
        doubt = (
            f"{len(short)} of {len(found)} volumes lack slices: they are listed as series of "
            "their own."
        )
        doubts = (doubt,) if short else ()
        piles += [replace(pile, warnings=(*pile.warnings, *doubts)) for pile in main]
    for part in short:
        doubt = f"An incomplete volume: {len(part)} of {places} positions."
        alone = _one_volume([planes[n] for n in part], slots[part])
        piles.append(replace(alone, warnings=(doubt,)))
    return piles


def _nothing_tells(slots: Slots) -> InputError:
    counts = np.bincount(slots)
    if counts.min() == counts.max():
        reason = f"There are {counts[0]} images at each of {len(counts)} positions"
    else:
        reason = (
            f"{int((counts > 1).sum())} of {len(counts)} positions hold several images, the "
            "others fewer"
        )
    return InputError(
        f"{reason}, and nothing in their headers says which of them belong to one volume.",
        hint=_MOVE,
    )


def _volumes_by_difference(planes: Sequence[Plane], slots: Slots) -> Groups | None:
    """Group images by attributes that make each place's images unique, and no finer."""
    places = int(slots.max()) + 1
    most = max(int(np.bincount(slots).max()), int(len(planes) / (_LEAST_FILLED * places)))
    keys: list[tuple[float, ...]] = [()] * len(planes)
    for one in stated(planes):
        extended = [(*key, value) for key, value in zip(keys, one.values, strict=True)]
        if len(set(extended)) > most:
            continue
        keys = extended
        if _are_unique(slots, keys, range(len(keys))):
            return grouped(keys)
    return None


def _volumes_by_count(planes: Sequence[Plane], slots: Slots) -> Groups | None:
    """Group images by Instance Number and by time; None where they contradict each other."""
    if planes[0].instance.frames > 1:
        return None
    counts = [one.instance.number(INSTANCE_NUMBER) for one in planes]
    known = [int(value) for value in counts if value is not None]
    times = acquired(planes)
    found = [
        by_count(known, slots) if len(set(known)) == len(planes) else None,
        by_time(times.values, slots) if times is not None else None,
    ]
    return agreed([one for one in found if one is not None])
