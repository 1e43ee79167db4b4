"""What proves that times or counts of images put them into volumes, and what only seems to.

Images are ranked within their place only where a volume's values lie alike at each place: one
lost file shifts the ranks behind it, and the volumes would be mixed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.series.differences import Difference

_OFF_STEP: Final = 0.25
_OFF_START: Final = 0.9
_FEW_PLACES: Final = 2
_CLOSER: Final = 1.2

Slots = npt.NDArray[np.int64]
Groups = list[list[int]]
Keys = list[tuple[float, ...]]


def is_parallel(table: FloatArray) -> bool:
    """Tell whether each place lies a constant offset from the others, in every volume.

    Parameters
    ----------
    table : ndarray of float, shape (volumes, places)
        A time or count of each image; rising from volume to volume.

    Returns
    -------
    bool
        Whether no image is more than a quarter of a volume's step off: a wrong volume would
        be a whole step.
    """
    if len(table) == 1 or table.shape[1] == 1:
        return True
    steps = np.diff(table, axis=0)
    if steps.min() <= 0:
        return False
    offsets = table - table[:, :1]
    off = np.abs(offsets - np.median(offsets, axis=0)).max(axis=1)
    between = np.median(steps, axis=1)
    nearest = np.minimum(np.append(between, np.inf), np.insert(between, 0, np.inf))
    return bool((off <= _OFF_STEP * nearest).all())


def is_cyclic(table: FloatArray) -> bool:
    """Tell whether trigger times at each place are phases of a cycle of its own length."""
    if len(table) == 1 or table.shape[1] == 1:
        return True
    steps = (table[-1] - table[0]) / (len(table) - 1)
    if steps.min() <= 0:
        return False
    even = table[0] + np.arange(len(table))[:, None] * steps
    is_even = bool((np.abs(table - even) <= _OFF_STEP * steps).all())
    return (is_even or is_parallel(table)) and bool(np.ptp(table[0] / steps) < _OFF_START)


def is_timed(table: FloatArray) -> bool:
    """Tell whether times prove volumes: parallel, and those of a volume close together."""
    return is_parallel(table) and all(_is_close(part) for part in _by_turn(table))


def is_counted(table: FloatArray) -> bool:
    """Tell whether Instance Numbers prove volumes: parallel, and begun at a known number.

    Numbers that run through each volume on end may begin at any slice. They are believed when
    they rise or fall along the stack, or begin at 0 or 1, or whole volumes after.
    """
    if not is_parallel(table):
        return False
    return all(_is_close(part) or _is_begun(part) for part in _by_turn(table))


def _by_turn(table: FloatArray) -> list[FloatArray]:
    """Split places into those that had their turn, with all volumes, after the others."""
    order = np.argsort(table[0], kind="stable")
    first, last = table[0, order], table[-1, order]
    cuts = np.flatnonzero(first[1:] > np.maximum.accumulate(last)[:-1]) + 1
    return [table[:, np.sort(part)] for part in np.split(order, cuts)]


def _is_close(table: FloatArray) -> bool:
    """Tell whether a volume's values lie closer together than to those of the next volume.

    Values at equal distances throughout must rise or fall along the stack: else any slice
    might be the first.
    """
    volumes, places = table.shape
    if volumes == 1 or places == 1:
        return True
    offsets = np.median(table - table[:, :1], axis=0)
    between = float(np.diff(table, axis=0).min()) - float(np.ptp(offsets))
    inner = float(np.diff(np.sort(offsets)).max())
    return between > 0 and (between > _CLOSER * inner or _is_monotone(offsets))


def _is_begun(table: FloatArray) -> bool:
    places = table.shape[1]
    is_dense = bool((np.ptp(table, axis=1) + 1 == places).all())
    return is_dense and bool(table.min() % places in (0, 1))


def _is_monotone(row: npt.NDArray[np.generic]) -> bool:
    steps = np.diff(row)
    return len(row) > _FEW_PLACES and bool((steps > 0).all() or (steps < 0).all())


def by_rank(slots: Slots, keys: Keys, values: Sequence[float]) -> Keys:
    """Extend keys by the rank of a value among those of one place and key."""
    groups: dict[tuple[int, tuple[float, ...]], list[int]] = defaultdict(list)
    for n, key in enumerate(keys):
        groups[int(slots[n]), key].append(n)
    ranks = [0.0] * len(keys)
    for several in groups.values():
        for rank, n in enumerate(sorted(several, key=values.__getitem__)):
            ranks[n] = float(rank)
    return [(*key, rank) for key, rank in zip(keys, ranks, strict=True)]


def tables(slots: Slots, keys: Keys, values: Sequence[float]) -> list[FloatArray]:
    """Return values by volume and place, a table for all keys that differ in the last item.

    Returns
    -------
    list of ndarray of float, shape (volumes, places)
        Keys must stand for one image of each place.
    """
    rows: dict[tuple[float, ...], list[list[int]]] = defaultdict(list)
    for members in grouped(keys):
        rows[keys[members[0]][:-1]].append(sorted(members, key=slots.__getitem__))
    given = np.array(values, dtype=np.float64)
    return [given[np.array(several)] for several in rows.values()]


def are_in_order(
    planes: Sequence[Plane], slots: Slots, keys: Keys, used: Sequence[Difference]
) -> bool:
    """Tell whether frames that were only counted as they come are proven to be volumes.

    Frames that were counted otherwise than they are stored were counted by their dimensions.
    """
    if not used or used[-1].name != "volume" or planes[0].instance.frames <= 1:
        return True
    stored: dict[int, list[int]] = defaultdict(list)
    for n, one in enumerate(planes):
        stored[id(one.instance)].append(n)
    for members in stored.values():
        own, frames = slots[members], [float(planes[n].frame) for n in members]
        before = [keys[n][:-1] for n in members]
        ranked = by_rank(own, before, frames)
        by_key = by_rank(own, before, [keys[n][-1] for n in members])
        if ranked != by_key or not _are_even(own, ranked):
            continue
        if not all(is_parallel(table) for table in tables(own, ranked, frames)):
            return False
    return True


def _are_even(slots: Slots, keys: Keys) -> bool:
    sizes = {len(members) for members in grouped(keys)}
    return sizes == {len(set(slots.tolist()))}


def by_count(counts: Sequence[int], slots: Slots) -> Groups | None:
    """Group images by Instance Number, where it counts places or volumes without exception.

    Parameters
    ----------
    counts : sequence of int
        Of each image; all different.
    slots : ndarray of int, shape (n,)
        The place of each.

    Returns
    -------
    list of list of int, or None
        Volumes; None where no way of counting, or more than one, explains the numbers.
    """
    numbers = np.array(counts, dtype=np.int64)
    found = [_volume_after_volume(numbers, slots), _place_after_place(numbers, slots)]
    return agreed([one for one in found if one is not None])


def agreed(found: Sequence[Groups]) -> Groups | None:
    """Return the volumes in which all explanations agree; None where they do not."""
    different = {frozenset(frozenset(part) for part in one) for one in found}
    return found[0] if len(different) == 1 else None


def _volume_after_volume(numbers: Slots, slots: Slots) -> Groups | None:
    places = int(slots.max()) + 1
    own = np.zeros(places, dtype=np.int64)
    own[slots] = numbers % places
    if (own[slots] != numbers % places).any() or len(set(own.tolist())) != places:
        return None
    rising = [base for base in range(places) if _is_monotone((own - base) % places)]
    lowest = int(numbers.min())
    if rising:
        base = rising[0]
    elif lowest % places in (0, 1):
        base = lowest % places
    else:
        return None
    return grouped(((numbers - base) // places).tolist())


def _place_after_place(numbers: Slots, slots: Slots) -> Groups | None:
    most = int(np.bincount(slots).max())
    at = [np.sort(numbers[slots == n]) for n in range(int(slots.max()) + 1)]
    bases = {int(own[0]) % most for own in at if len(own) == most}
    if most == 1 or len(bases) != 1:
        return None
    base = bases.pop()
    windows = [set(((own - base) // most).tolist()) for own in at]
    if any(len(one) > 1 for one in windows) or len(set().union(*windows)) != len(at):
        return None
    return grouped(((numbers - base) % most).tolist())


def by_time(times: Sequence[float], slots: Slots) -> Groups | None:
    """Group images whose times lie closer together than to those of the next volume."""
    values = np.array(times)
    order = np.argsort(values, kind="stable")
    gaps = np.diff(values[order])
    wide = np.sort(gaps)[::-1]
    most = int(np.bincount(slots).max())
    places = int(slots.max()) + 1
    for volumes in range(most, min(most + places, len(gaps)) + 1):
        if volumes < 2 or wide[volumes - 2] <= 2 * wide[volumes - 1]:
            continue
        volume = np.empty(len(values), dtype=np.int64)
        volume[order] = np.cumsum(np.insert(gaps >= wide[volumes - 2], 0, False))
        pairs = set(zip(volume.tolist(), slots.tolist(), strict=True))
        if len(pairs) == len(values):
            return grouped(volume.tolist())
    return None


def grouped(keys: Sequence[object]) -> Groups:
    """Put the indices of equal keys together, in the order of the keys."""
    groups: dict[object, list[int]] = defaultdict(list)
    for n, key in enumerate(keys):
        groups[key].append(n)
    return [groups[key] for key in sorted(groups)]  # type: ignore[type-var]
