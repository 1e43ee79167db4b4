"""The compiled engine: a bucket queue that spreads strokes; a walk that takes one back.

Only imported where numba is installed. Arrays are flat, C-contiguous and padded by one voxel on
every side; a voxel with distance below 0 is a wall, and so is the padding. Nothing is allocated
while spreading, so the interpreter is free all the time.

Dijkstra with buckets: R. B. Dial, Commun. ACM 12 (1969) 632; minimal highest passes by it as in
the image foresting transform: A. X. Falcao et al., IEEE TPAMI 26 (2004) 19.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

BLOCK: Final = 32
"""Entries of one block of the queue."""
DONE: Final = 0
PAUSED: Final = 1
FULL: Final = 2

Flat = npt.NDArray[Any]

# Positions in the queue's state.
CURRENT: Final = 0
COUNT: Final = 1
FREE: Final = 2
FREED: Final = 3
USED: Final = 4
LOWEST: Final = 5
HIGHEST: Final = 6
SETTLED: Final = 7
STATE: Final = 8
UNREACHED: Final = 2147483647


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _push(
    bucket: int,
    voxel: int,
    pool: Flat,
    links: Flat,
    heads: Flat,
    fills: Flat,
    state: Flat,
) -> None:
    head = heads[bucket]
    if head < 0 or fills[bucket] == BLOCK:
        fresh = state[FREE]
        if fresh >= 0:
            state[FREE] = links[fresh]
            state[FREED] -= 1
        else:
            fresh = state[USED]
            state[USED] += 1
        links[fresh] = head
        heads[bucket] = fresh
        head = fresh
        fills[bucket] = 0
    pool[head * BLOCK + fills[bucket]] = voxel
    fills[bucket] += 1
    state[COUNT] += 1


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _pop(
    bucket: int,
    pool: Flat,
    links: Flat,
    heads: Flat,
    fills: Flat,
    state: Flat,
) -> Any:
    head = heads[bucket]
    fills[bucket] -= 1
    voxel = pool[head * BLOCK + fills[bucket]]
    state[COUNT] -= 1
    if fills[bucket] == 0:
        heads[bucket] = links[head]
        fills[bucket] = BLOCK
        links[head] = state[FREE]
        state[FREE] = head
        state[FREED] += 1
    return voxel


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def load(  # noqa: PLR0913, PLR0917 - compiled code takes arrays, no objects
    starts: Flat,
    at: int,
    distance: Flat,
    pool: Flat,
    links: Flat,
    heads: Flat,
    fills: Flat,
    state: Flat,
) -> int:
    """Queue starts from position ``at`` on; return how far it came before the pool was full."""
    mask = heads.size - 1
    while at < starts.size:
        if state[FREED] + links.size - state[USED] < 1:
            return at
        voxel = starts[at]
        _push(distance[voxel] & mask, voxel, pool, links, heads, fills, state)
        at += 1
    return at


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _cheapest(
    there: int,
    current: int,
    distance: Flat,
    owner: Flat,
    relief: Flat,
    geometry: Flat,
    additive: bool,
) -> Any:
    """Return the owner that a voxel reached at one distance from several sides has.

    That of the nearest of them; of equally near ones the latest stroke. All neighbours up to
    the current distance are settled, and one of them is the nearest.
    """
    goal = distance[there]
    height = np.int32(relief[there])
    nearest = current + 1
    best = np.uint16(0)
    for side in range(6):
        axis = side >> 1
        offset = geometry[axis] if side & 1 else -geometry[axis]
        from_ = distance[there + offset]
        if from_ < 0 or from_ > nearest or from_ > current:
            continue
        new = from_ + geometry[3 + axis]
        if additive:
            new += abs(height - np.int32(relief[there + offset]))
        else:
            new = max(new, height * geometry[6])
        if new != goal:
            continue
        if from_ < nearest or owner[there + offset] > best:
            nearest = from_
            best = owner[there + offset]
    return best


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def spread(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one compiled loop
    distance: Flat,
    owner: Flat,
    relief: Flat,
    geometry: Flat,
    additive: bool,
    pool: Flat,
    links: Flat,
    heads: Flat,
    fills: Flat,
    state: Flat,
    budget: int,
) -> int:
    """Spread from the queue until it is empty, the budget is spent or the pool is full.

    ``geometry`` holds the flat offsets of the neighbours along k, j, i, the cost of a step
    along each, and the units of one level.
    """
    mask = heads.size - 1
    offsets = (-geometry[2], geometry[2], -geometry[1], geometry[1], -geometry[0], geometry[0])
    costs = (geometry[5], geometry[5], geometry[4], geometry[4], geometry[3], geometry[3])
    per_level = geometry[6]
    current = state[CURRENT]
    lowest, highest = state[LOWEST], state[HIGHEST]
    settled = 0
    status = DONE
    while state[COUNT] > 0:
        bucket = current & mask
        if heads[bucket] < 0:
            current += 1
            continue
        if settled >= budget:
            status = PAUSED
            break
        if state[FREED] + links.size - state[USED] < 6:
            status = FULL
            break
        voxel = _pop(bucket, pool, links, heads, fills, state)
        if distance[voxel] != current:
            continue
        settled += 1
        mine = owner[voxel]
        level = np.int64(relief[voxel])
        for side in range(6):
            there = voxel + offsets[side]
            old = distance[there]
            if old <= current:
                continue
            new = current + costs[side]
            if additive:
                new += abs(np.int64(relief[there]) - level)
            else:
                new = max(new, np.int64(relief[there]) * per_level)
            if new > old:
                continue
            if new < old:
                distance[there] = new
                owner[there] = mine
            else:
                if mine == owner[there]:
                    continue
                best = _cheapest(there, current, distance, owner, relief, geometry, additive)
                if best == owner[there]:
                    continue
                owner[there] = best
            lowest = min(lowest, there)
            highest = max(highest, there)
            _push(new & mask, there, pool, links, heads, fills, state)
    state[CURRENT] = current
    state[LOWEST], state[HIGHEST] = lowest, highest
    state[SETTLED] += settled
    return status


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def take_back(
    stroke: int,
    seeds: Flat,
    distance: Flat,
    owner: Flat,
    geometry: Flat,
    extent: Flat,
) -> Flat:
    """Clear all that a stroke reached; return the settled voxels around it.

    What a stroke owns hangs together with its seeds, so it is walked, not searched for.
    """
    offsets = (-geometry[2], geometry[2], -geometry[1], geometry[1], -geometry[0], geometry[0])
    stack = np.empty(1024, np.int32)
    rim = np.empty(1024, np.int32)
    rims = 0
    for seed in seeds:
        if owner[seed] != stroke:
            continue
        owner[seed] = 0
        distance[seed] = UNREACHED
        stack[0] = seed
        depth = 1
        while depth > 0:
            depth -= 1
            voxel = stack[depth]
            extent[0] = min(extent[0], voxel)
            extent[1] = max(extent[1], voxel)
            if depth + 6 > stack.size:
                larger = np.empty(stack.size * 2, np.int32)
                larger[:depth] = stack[:depth]
                stack = larger
            if rims + 6 > rim.size:
                wider = np.empty(rim.size * 2, np.int32)
                wider[:rims] = rim[:rims]
                rim = wider
            for side in range(6):
                there = voxel + offsets[side]
                if owner[there] == stroke:
                    owner[there] = 0
                    distance[there] = UNREACHED
                    stack[depth] = there
                    depth += 1
                elif owner[there] != 0:
                    rim[rims] = there
                    rims += 1
    return rim[:rims].copy()
