"""Images that lie in a series and are none of its slices: localizers, projections, lone others.

One step beyond the last slice they would join the volume unseen. Scanners that vary Image Type
within a good series are left alone: a lone image that fills a place of its own stays.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header.instance import IMAGE_TYPE, text
from napari_medlabel.io.dicom.series.place import slots_of

_NO_SLICES: Final = frozenset(
    {"LOCALIZER", "SCOUT", "TOPOGRAM", "SCREEN SAVE"}
    | {"MIP", "MIN_IP", "MAX_IP", "MINIP", "MAXIP", "PROJECTION IMAGE"}
)
_MARKEDLY: Final = 1.5
_FEW: Final = 0.1
_LEAST: Final = 3

_Key = tuple[tuple[str, ...], float]


@dataclass(frozen=True)
class Apart:
    """Images of a series, those that do not belong to its slices set apart.

    Parameters
    ----------
    rest : list of Plane
        The series.
    others : list of list of Plane
        Images of one kind in each.
    doubts, others_doubts : tuple of str
        What is to be said of the rest, and of each of the others.
    """

    rest: list[Plane]
    others: list[list[Plane]]
    doubts: tuple[str, ...] = ()
    others_doubts: tuple[str, ...] = ()


def set_apart(planes: Sequence[Plane]) -> Apart:
    """Set images apart that are none of a series' slices.

    These are localizers, projections and captures among others, and a few images whose Image
    Type differs from the rest or whose Slice Thickness does markedly, where they lie beyond
    the rest or where another image lies.

    Parameters
    ----------
    planes : sequence of Plane
        Of one series, matrix and orientation, each with its position.
    """
    keys = _keys(planes)
    if len(set(keys)) == 1:
        return Apart(list(planes), [])
    slots = slots_of(planes).tolist()
    places: dict[_Key, set[int]] = defaultdict(set)
    for key, slot in zip(keys, slots, strict=True):
        places[key].add(slot)
    main = max(places, key=lambda key: len(places[key]))
    strange = [key for key in places if _special(key[0]) != _special(main[0])]
    filling: list[_Key] = []
    others = [key for key in places if key != main and key not in strange]
    few = max(1, int(_FEW * len(places[main])))
    repeats = Counter(slots[n] for n, key in enumerate(keys) if key not in strange)
    is_even = len(set(repeats.values())) == 1 < max(repeats.values())
    is_few = len(set().union(*(places[key] for key in others))) <= few
    if others and is_few and len(places[main]) >= _LEAST and not is_even:
        filling = [key for key in others if _fills(places[key], places[main])]
        strange += [key for key in others if key not in filling]
    return _sorted(planes, keys, main, strange, filling)


def _keys(planes: Sequence[Plane]) -> list[_Key]:
    if any(one.instance.frames > 1 or one.tile is not None for one in planes):
        return [((), 0.0)] * len(planes)
    types = [_type(one.instance.fields.get(IMAGE_TYPE, b"")) for one in planes]
    thick = [one.thickness_mm for one in planes]
    if len(set(thick)) == 1:
        return [(kind, 0.0) for kind in types]
    usual = float(np.median([value for value in thick if value is not None] or [0.0]))
    return [(kind, _unusual(value, usual)) for kind, value in zip(types, thick, strict=True)]


def _unusual(thickness_mm: float | None, usual_mm: float) -> float:
    """Return a thickness that differs markedly from the usual one, else 0."""
    if thickness_mm is None or thickness_mm <= 0 or usual_mm <= 0:
        return 0.0
    ratio = max(thickness_mm / usual_mm, usual_mm / thickness_mm)
    return thickness_mm if ratio > _MARKEDLY else 0.0


@lru_cache(maxsize=1024)
def _type(raw: bytes) -> tuple[str, ...]:
    return tuple(value.strip().upper() for value in text(raw).split("\\"))


def _special(kind: tuple[str, ...]) -> frozenset[str]:
    return _NO_SLICES.intersection(kind)


def _fills(own: set[int], main: set[int]) -> bool:
    """Tell whether images lie between those of the series, in places of their own."""
    return not own & main and min(main) < min(own) and max(own) < max(main)


def _sorted(
    planes: Sequence[Plane],
    keys: Sequence[_Key],
    main: _Key,
    strange: Sequence[_Key],
    filling: Sequence[_Key],
) -> Apart:
    rest = [one for one, key in zip(planes, keys, strict=True) if key not in strange]
    others = [
        [one for one, key in zip(planes, keys, strict=True) if key == wanted]
        for wanted in strange
    ]
    doubts: list[str] = []
    told: list[str] = []
    for key, images in zip(strange, others, strict=True):
        how = "Image Type" if key[0] != main[0] else "Slice Thickness"
        doubts.append(
            f"1 image of this series has another {how}: it is listed as a series of its own."
            if len(images) == 1
            else f"{len(images)} images of this series have another {how}: they are listed as "
            "a series of their own."
        )
        told.append(f"Set apart from a series whose images have another {how}.")
    lone = sum(key in filling for key in keys)
    if lone:
        has = "1 slice has" if lone == 1 else f"{lone} slices have"
        doubts.append(f"{has} another Image Type or Slice Thickness than the others.")
    return Apart(rest, others, tuple(dict.fromkeys(doubts)), tuple(told))
