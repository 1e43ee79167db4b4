"""Images that lie in the same places -> volumes on one grid, and what sets them apart.

An attribute counts where it has the same values at each place, and a time or a count where it
rises at each place. What the headers do not decide is refused, never guessed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header.instance import IMAGE_TYPE, INSTANCE_NUMBER
from napari_medlabel.io.dicom.series.differences import Difference, happened, stated, vendors

MOST_PARTS: Final = 50
_BESIDE_B_VALUE: Final = frozenset({"b-value", "direction", "time", "volume", "trigger"})
_MERELY_COUNTED: Final = frozenset({"time", "volume", "direction"})
_LOOKED_UP: Final = frozenset({"MR", "PT"})
_MOVE = "Move the surplus images to another folder, or split the series into volumes."

Axis = tuple[str, str, tuple[float, ...]]
Slots = npt.NDArray[np.int64]
_Keys = list[tuple[float, ...]]


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


def _separate_alike(planes: Sequence[Plane], slots: Slots) -> list[Pile]:
    _, slots = np.unique(slots, return_inverse=True)
    if len(planes) == int(slots.max()) + 1:
        return [_one_volume(planes, slots)]
    if not _is_even(slots):
        return _uneven(planes, slots)
    differences = stated(planes)
    parts = _looked_up(planes, slots, differences)
    if parts is not None:
        return [pile for part in parts for pile in _separate_alike(*part)]
    if int(slots.max()) == 0 and _ranked(planes, slots, _keys(slots, differences)[0]) is None:
        doubt = f"One of {len(planes)} images of one place that nothing tells apart."
        return [Pile((one,), 1, None, (doubt,)) for one in planes]
    return [_pile(planes, slots, differences)]


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


def _pile(planes: Sequence[Plane], slots: Slots, differences: Sequence[Difference]) -> Pile:
    keys, used = _keys(slots, differences)
    if not _are_unique(slots, keys, range(len(keys))):
        ranked = _ranked(planes, slots, keys)
        if ranked is None:
            raise InputError(
                f"There are {len(planes) // (int(slots.max()) + 1)} images at each of "
                f"{int(slots.max()) + 1} positions, and nothing in their headers says which of "
                "them belong to one volume.",
                hint=_MOVE,
            )
        keys, used = ranked[0], [*used, ranked[1]]
    return _in_order(planes, slots, keys, used)


def _keys(slots: Slots, differences: Sequence[Difference]) -> tuple[_Keys, list[Difference]]:
    """Collect differences that have the same values at each place, until they suffice."""
    keys: _Keys = [()] * len(slots)
    used: list[Difference] = []
    for one in differences:
        if _are_unique(slots, keys, range(len(keys))):
            break
        extended = [(*key, value) for key, value in zip(keys, one.values, strict=True)]
        if len(set(extended)) > len(set(keys)) and _is_balanced(slots, extended):
            keys = extended
            used.append(one)
    return keys, used


def _is_balanced(slots: Slots, keys: _Keys) -> bool:
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
    planes: Sequence[Plane], slots: Slots, keys: _Keys
) -> tuple[_Keys, Difference] | None:
    """Tell what is left apart by the first time or count that rises at each place."""
    risen = happened(planes)
    for one in risen:
        if _are_unique(
            slots,
            [(*key, value) for key, value in zip(keys, one.values, strict=True)],
            range(len(keys)),
        ):
            return _by_rank(slots, keys, one)
    return None


def _by_rank(slots: Slots, keys: _Keys, one: Difference) -> tuple[_Keys, Difference]:
    groups: dict[tuple[int, tuple[float, ...]], list[int]] = defaultdict(list)
    for n, key in enumerate(keys):
        groups[int(slots[n]), key].append(n)
    ranks = [0.0] * len(keys)
    for several in groups.values():
        for rank, n in enumerate(sorted(several, key=one.values.__getitem__)):
            ranks[n] = float(rank)
    extended = [(*key, rank) for key, rank in zip(keys, ranks, strict=True)]
    return extended, replace(one, is_exact=False)


def _in_order(
    planes: Sequence[Plane], slots: Slots, keys: _Keys, used: Sequence[Difference]
) -> Pile:
    """Put volumes one behind the other, by their keys, and name what they differ in."""
    order = sorted(range(len(planes)), key=lambda n: (keys[n], slots[n]))
    places = int(slots.max()) + 1
    volumes = len(planes) // places
    found = [order[t * places : (t + 1) * places] for t in range(volumes)]
    if any(one.name == "b-value" for one in used):
        found = _as_acquired(planes, found)
    axis, doubts = _axis(planes, found, used)
    return Pile(tuple(planes[n] for members in found for n in members), volumes, axis, doubts)


def _as_acquired(planes: Sequence[Plane], volumes: Sequence[list[int]]) -> list[list[int]]:
    """Put diffusion volumes in the order in which they were acquired, as gradient tables are.

    The first time or count decides that puts the images of every place in one order; without
    one the volumes stay as they are.
    """
    members = np.array(volumes)
    for one in happened(planes):
        values = np.array(one.values)[members]
        order = np.argsort(values, axis=0, kind="stable")
        rises = np.diff(np.take_along_axis(values, order, axis=0), axis=0) > 0
        if rises.all() and (order == order[:, :1]).all():
            return [volumes[n] for n in order[:, 0].tolist()]
    return list(volumes)


def _axis(
    planes: Sequence[Plane], volumes: Sequence[Sequence[int]], used: Sequence[Difference]
) -> tuple[Axis, tuple[str, ...]]:
    names = {one.name for one in used}
    counted = tuple(float(n + 1) for n in range(len(volumes)))
    if len(names) > 1 and "b-value" in names and names <= _BESIDE_B_VALUE:
        used = [one for one in used if one.name == "b-value"]
    elif len(names) > 1 and not names <= _MERELY_COUNTED:
        listed = ", then by ".join(dict.fromkeys(one.name for one in used))
        doubt = f"The volumes differ in several things: they are listed by {listed}."
        return ("volume", "", counted), (doubt,)
    one = used[-1]
    if one.name in _MERELY_COUNTED:
        return _times(planes, volumes, one), ()
    values = tuple(one.values[members[0]] for members in volumes)
    if not one.is_exact:
        values = tuple(
            float(np.median([one.values[n] for n in members])) for members in volumes
        )
    return (one.name, one.unit, values), ()


def _times(planes: Sequence[Plane], volumes: Sequence[Sequence[int]], used: Difference) -> Axis:
    """Return when each volume began, in seconds from the first, where clocks agree."""
    in_seconds = [one for one in happened(planes) if one.name == "time" and one.unit == "s"]
    if used.name == "time" and used.unit == "s":
        in_seconds.insert(0, used)
    for one in in_seconds:
        began = [min(one.values[n] for n in members) for members in volumes]
        if all(a < b for a, b in pairwise(began)):
            return "time", "s", tuple(round(value - began[0], 6) for value in began)
    name = "volume" if used.name == "direction" else used.name
    return name, "", tuple(float(n + 1) for n in range(len(volumes)))


def by_difference(planes: Sequence[Plane]) -> Iterator[tuple[str, list[list[Plane]]]]:
    """Yield ways to split images that lie in different places by what their headers say."""
    for one in stated(planes):
        groups: dict[float, list[Plane]] = defaultdict(list)
        for plane, value in zip(planes, one.values, strict=True):
            groups[value].append(plane)
        if 1 < len(groups) <= MOST_PARTS and min(map(len, groups.values())) > 1:
            yield one.name, [groups[value] for value in sorted(groups)]


def _uneven(planes: Sequence[Plane], slots: Slots) -> list[Pile]:
    """Sort images whose places hold different numbers of them, where headers are certain."""
    found = _volumes_by_difference(planes, slots) or _volumes_by_count(planes, slots)
    if found is None or len(found) > MOST_PARTS * 10:
        counts = np.bincount(slots)
        raise InputError(
            f"{int((counts > 1).sum())} of {len(counts)} positions hold several images, "
            "the others fewer, and nothing in their headers says which of them belong to one "
            "volume.",
            hint=_MOVE,
        )
    places = int(slots.max()) + 1
    whole = [part for part in found if len(part) == places]
    short = [part for part in found if len(part) != places]
    piles: list[Pile] = []
    if whole:
        members = sorted(n for part in whole for n in part)
        main = _separate_alike([planes[n] for n in members], slots[members])
        doubt = (
            f"{len(short)} of {len(found)} volumes lack slices: they are listed as series of "
            "their own."
        )
        piles += [replace(pile, warnings=(*pile.warnings, doubt)) for pile in main]
    if len(short) > MOST_PARTS:
        raise InputError(
            f"{len(short)} of {len(found)} volumes lack slices.",
            hint="Copy or export the whole series again.",
        )
    for part in short:
        doubt = f"An incomplete volume: {len(part)} of {places} positions."
        alone = _one_volume([planes[n] for n in part], slots[part])
        piles.append(replace(alone, warnings=(doubt,)))
    return piles


def _volumes_by_difference(planes: Sequence[Plane], slots: Slots) -> list[list[int]] | None:
    """Group images by attributes that make each place's images unique, and no finer."""
    most = int(np.bincount(slots).max())
    keys: list[tuple[float, ...]] = [()] * len(planes)
    for one in stated(planes):
        extended = [(*key, value) for key, value in zip(keys, one.values, strict=True)]
        if len(set(extended)) > most:
            continue
        keys = extended
        if _are_unique(slots, keys, range(len(keys))):
            return _grouped(keys)
    return None


def _volumes_by_count(planes: Sequence[Plane], slots: Slots) -> list[list[int]] | None:
    """Group images by Instance Number, where it counts places or volumes without exception."""
    counts = [one.instance.number(INSTANCE_NUMBER) for one in planes]
    known = [int(value) for value in counts if value is not None]
    if len(set(known)) != len(planes) or planes[0].instance.frames > 1:
        return None
    places, most = int(slots.max()) + 1, int(np.bincount(slots).max())
    for base in sorted({min(known), 0, 1} & set(range(min(known) + 1)), reverse=True):
        at = np.array(known) - base
        for volume, place in ((at // places, at % places), (at % most, at // most)):
            pairs = set(zip(place.tolist(), slots.tolist(), strict=True))
            keys = [(float(v),) for v in volume]
            if len(pairs) == len({p for p, _ in pairs}) == places and _are_unique(
                slots, keys, range(len(keys))
            ):
                return _grouped(keys)
    return None


def _grouped(keys: Sequence[tuple[float, ...]]) -> list[list[int]]:
    groups: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for n, key in enumerate(keys):
        groups[key].append(n)
    return [groups[key] for key in sorted(groups)]
