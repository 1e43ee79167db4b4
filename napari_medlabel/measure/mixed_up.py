"""Landmarks under wrong names: sides exchanged, two exchanged, an order shifted by one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from napari_medlabel.geometry.axes import FloatArray, flip_lps_ras
from napari_medlabel.model.landmarks import Landmark, LandmarkSet

Mistake = Literal["sides", "exchanged", "shifted", "misnamed", "frame"]

NEAR_MM: Final = 5.0
"""A point this near to another landmark's place, and further from its own, is that landmark."""

_SIDE: Final = re.compile(r"(?<![A-Za-z0-9])(left|right|l|r)(?![A-Za-z0-9])", re.IGNORECASE)


@dataclass(frozen=True)
class MixedUp:
    """Landmarks whose names do not fit where they lie.

    Parameters
    ----------
    kind : str
        ``"sides"`` (left and right exchanged), ``"exchanged"`` (two others), ``"shifted"``
        (several in a row carry the name of a neighbour in the order), ``"misnamed"`` (one lies
        where another belongs), ``"frame"`` (all lie mirrored as if LPS had been read as RAS).
    names : tuple of str
        The names that were given.
    meant : tuple of str
        For each the landmark at whose place it lies.
    rater : str
        Whose; empty where there is only one reading.
    offset : int
        For ``"shifted"``: by how many places in the order.
    """

    kind: Mistake
    names: tuple[str, ...]
    meant: tuple[str, ...]
    rater: str = ""
    offset: int = 0


def mixed_up(
    own: Mapping[str, FloatArray],
    reference: Mapping[str, FloatArray],
    order: Sequence[str],
    *,
    near_mm: float = NEAR_MM,
    rater: str = "",
) -> list[MixedUp]:
    """Find landmarks of a reading that lie where a reference has another one.

    Parameters
    ----------
    own, reference : mapping of str to ndarray, shape (3,)
        Placed landmarks in RAS mm.
    order : sequence of str
        The order in which landmarks are placed.
    near_mm : float
        How near to another landmark's place counts as lying there.
    rater : str
        Whose reading it is, for the result.
    """
    if _is_mirrored(own, reference, near_mm):
        names = tuple(name for name in order if name in own)
        return [MixedUp("frame", names, names, rater)]
    taken = _taken_for(own, reference, near_mm)
    found: list[MixedUp] = []
    for name, meant in list(taken.items()):
        if taken.get(meant) == name and name in taken and name != meant:
            kind: Mistake = "sides" if twin_name(name) == _plain(meant) else "exchanged"
            found.append(MixedUp(kind, (name, meant), (meant, name), rater))
            del taken[name], taken[meant]
    return found + _runs(taken, order, rater)


def side_doubts(marks: LandmarkSet) -> tuple[tuple[str, str], ...]:
    """Return the pairs (left, right) of one set in which the left one lies further right.

    It needs no second reading. Pairs are found by name or laterality.
    """
    by_plain = {_plain(mark.name): mark for mark in marks}
    found = []
    for mark in marks:
        twin = by_plain.get(twin_name(mark.name) or "")
        if twin is None or _side(mark) != "left" or mark.point_ras is None:
            continue
        if twin.point_ras is not None and mark.point_ras[0] > twin.point_ras[0]:
            found.append((mark.name, twin.name))
    return tuple(found)


def twin_name(name: str) -> str | None:
    """Return the name of the same landmark on the other side, in small letters; None for none.

    ``"Left kidney"`` -> ``"right kidney"``, ``"R MB"`` -> ``"l mb"``.
    """
    found = _SIDE.search(name)
    if found is None:
        return None
    other = {"left": "right", "right": "left", "l": "r", "r": "l"}[found[1].lower()]
    return _plain(name[: found.start()] + other + name[found.end() :])


def _plain(name: str) -> str:
    return name.casefold()


def _side(mark: Landmark) -> str:
    if mark.laterality:
        return mark.laterality
    found = _SIDE.search(mark.name)
    return "" if found is None else {"l": "left", "r": "right"}[found[1][0].lower()]


def _taken_for(
    own: Mapping[str, FloatArray], reference: Mapping[str, FloatArray], near_mm: float
) -> dict[str, str]:
    """Return name -> the other landmark at whose place it lies."""
    names = list(reference)
    if not names:
        return {}
    places = np.array([reference[name] for name in names])
    taken = {}
    for name, point in own.items():
        away = np.linalg.norm(places - point, axis=1)
        nearest = int(np.argmin(away))
        # Without a place of its own in the reference only its neighbour's can be compared.
        at_home = float(away[names.index(name)]) if name in reference else np.inf
        if names[nearest] != name and away[nearest] <= near_mm < at_home:
            taken[name] = names[nearest]
    return taken


def _runs(taken: Mapping[str, str], order: Sequence[str], rater: str) -> list[MixedUp]:
    """Return runs of neighbours in the order that are off by the same number; then the rest."""
    at = {name: n for n, name in enumerate(order)}
    rows = sorted((at[name], at[meant] - at[name], name) for name, meant in taken.items())
    groups: list[list[tuple[int, int, str]]] = []
    for row in rows:
        last = groups[-1][-1] if groups else None
        if last is not None and row[0] == last[0] + 1 and row[1] == last[1]:
            groups[-1].append(row)
        else:
            groups.append([row])
    found = []
    for group in groups:
        names = tuple(name for _, _, name in group)
        meant = tuple(taken[name] for name in names)
        is_run = len(group) > 1
        kind: Mistake = "shifted" if is_run else "misnamed"
        found.append(MixedUp(kind, names, meant, rater, group[0][1] if is_run else 0))
    return found


def _is_mirrored(
    own: Mapping[str, FloatArray], reference: Mapping[str, FloatArray], near_mm: float
) -> bool:
    """Tell whether the points fit far better after a half turn about the long axis."""
    common = [name for name in own if name in reference]
    if len(common) < 3:
        return False
    mine = np.array([own[name] for name in common])
    theirs = np.array([reference[name] for name in common])
    straight = np.linalg.norm(mine - theirs, axis=1)
    turned = np.linalg.norm(flip_lps_ras(mine) - theirs, axis=1)
    # Two exchanged sides fit better too, but not what lies in the middle.
    is_most = float(np.mean(turned < straight)) > 0.75
    middle = float(np.median(straight))
    return is_most and middle > near_mm and float(np.median(turned)) < middle / 4
