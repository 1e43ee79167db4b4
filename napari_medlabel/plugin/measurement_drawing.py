"""What a slice shows of measurements: lines cut to it, their values in words, their handles.

What is drawn is cut to the slice: nothing shows where it does not lie.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.measure.lines import LEFT_OUT, Value
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.plugin.display import Display
from napari_medlabel.plugin.sight.words import name_and_unit
from napari_medlabel.plugin.tools.measure_grip import can_hold, handles_ras

COLOUR: Final = (0.34, 0.92, 0.86, 1.0)
_FAINT: Final = (0.34, 0.92, 0.86, 0.3)
_ON: Final = 0.5
_NEAR: Final = 2.5
"""In slices: up to here a measurement shows, and further away not at all."""
_MOST_HANDLES: Final = 24
"""Of a curve that was drawn free-hand only so many are shown; each point can be pulled."""
_OF_IMAGE: Final = {"mean": "mean", "sd": "SD"}
"""What is said of the voxels, in the image's own unit."""
_SMALL: Final = 1e-6
_LARGE: Final = 1e7
"""Between them numbers are said in plain digits."""
_EDGES: Final = tuple(
    (a, b) for a in range(8) for b in range(a + 1, 8) if bin(a ^ b).count("1") == 1
)


def chains_ras(one: Measurement) -> list[FloatArray]:
    """Return the lines of a measurement, each of shape (n, 3) in RAS mm."""
    points = one.array
    if one.kind == "bidirectional":
        return [points[:2], points[2:]]
    if one.kind == "cuboid":
        axes = points[1:] - points[0]
        signs = np.array([[1 if n >> bit & 1 else -1 for bit in range(3)] for n in range(8)])
        corners = points[0] + signs @ axes
        return [corners[[a, b]] for a, b in _EDGES]
    outline = one.outline_ras()
    return [np.concatenate([outline, outline[:1]]) if one.is_closed else outline]


def value_words(values: Sequence[Value]) -> str:
    """Say a measurement's numbers: ``"34.2 mm"``, ``"210 mm²  mean 43.1 HU  SD 5.0 HU"``."""
    said = []
    for value in values:
        if value.name in ("voxels", "min", "max", "perimeter"):
            continue
        if value.name == LEFT_OUT:
            said.append(_left_out_words(value))
            continue
        if value.name in _OF_IMAGE:
            said.append(_intensity_words(value))
            continue
        unit = {"deg": "°", "mm2": " mm²", "mm3": " mm³"}.get(value.unit, f" {value.unit}")
        digits = 0 if value.unit in ("mm2", "mm3") and value.value >= 100 else 1
        name = {"long axis": "long ", "short axis": "short "}.get(value.name, "")
        said.append(f"{name}{value.value:.{digits}f}{unit}".rstrip())
    return "  ".join(said)


def _left_out_words(value: Value) -> str:
    """Say how many slices of a region no file holds."""
    count = round(value.value)
    return f"without {count} missing slice{'' if count == 1 else 's'}"


def _intensity_words(value: Value) -> str:
    """Say mean or SD of voxels; the mean names what they measure, where that has a name."""
    name, unit = name_and_unit(value.unit)
    named = name if value.name == "mean" else ""
    parts = (_OF_IMAGE[value.name], named, _three_digits(value.value), unit)
    return " ".join(part for part in parts if part)


def _three_digits(number: float) -> str:
    """Return a number to a decimal, and where it is small to three digits that count."""
    if not _SMALL <= abs(number) < _LARGE:
        return f"{number:.3g}" if number else "0.0"
    decimals = max(1, 2 - math.floor(math.log10(abs(number))))
    whole, _, part = f"{number:.{decimals}f}".partition(".")
    return f"{whole}.{part.rstrip('0') or '0'}"


def cut(chain_zyx: FloatArray, axis: int, index: float, reach: float) -> FloatArray:
    """Return the parts of a line that lie within a distance of a slice.

    Parameters
    ----------
    chain_zyx : ndarray, shape (n, 3)
        Displayed data coordinates.
    axis : int
        Displayed axis across the slice; -1 takes all.
    index : float
        Which slice.
    reach : float
        In slices.

    Returns
    -------
    ndarray, shape (m, 2, 3)
        Both ends of each part.
    """
    starts, ends = chain_zyx[:-1], chain_zyx[1:]
    if axis < 0 or not len(starts):
        return np.stack([starts, ends], axis=1)
    run = (ends - starts)[:, axis]
    low, high = index - reach - starts[:, axis], index + reach - starts[:, axis]
    flat = np.abs(run) < 1e-9
    safe = np.where(flat, 1.0, run)
    one, other = low / safe, high / safe
    first = np.where(flat, 0.0, np.clip(np.minimum(one, other), 0.0, 1.0))
    last = np.where(flat, 1.0, np.clip(np.maximum(one, other), 0.0, 1.0))
    # The middle of what is left tells whether it is near: a part outside has no length.
    kept = np.where(flat, (low <= 1e-6) & (high >= -1e-6), last > first)
    parts = np.stack(
        [
            starts + first[:, None] * (ends - starts),
            starts + last[:, None] * (ends - starts),
        ],
        axis=1,
    )[kept]
    return np.asarray(parts, dtype=np.float64)


@dataclass
class Drawn:
    """What a view shows of the measurements, in displayed data coordinates.

    Parameters
    ----------
    parts : list of ndarray, shape (m, 2, 3)
        Both ends of each part, flat on the slice.
    colours : list of tuple of float
        RGBA of each part.
    anchors : list of ndarray, shape (3,)
        Where words stand.
    words : list of str
        Name and value of each measurement that lies on the slice.
    handles : list of ndarray, shape (3,)
        What can be pulled of those that are in hand.
    """

    parts: list[FloatArray] = field(default_factory=list)
    colours: list[tuple[float, float, float, float]] = field(default_factory=list)
    anchors: list[FloatArray] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    handles: list[FloatArray] = field(default_factory=list)

    def add(self, parts: FloatArray, colour: tuple[float, float, float, float]) -> None:
        """Add parts of one colour."""
        if len(parts):
            self.parts.append(parts)
            self.colours += [colour] * len(parts)


def drawn_on(
    display: Display,
    measured: MeasurementSet,
    words: dict[str, str],
    axis: int,
    index: float,
    held: Collection[str] = (),
) -> Drawn:
    """Return what a slice shows of measurements.

    Parameters
    ----------
    display : Display
        How the scan is laid out.
    measured : MeasurementSet
        What was measured.
    words : dict of str to str
        The value of each, by its name.
    axis : int
        Displayed axis across the view; -1 in 3D, where all is shown.
    index : float
        Which slice.
    held : collection of str
        Names of those whose handles show.
    """
    made = Drawn()
    for one in measured:
        chains = [display.from_ras(chain) for chain in chains_ras(one)]
        bright = [cut(chain, axis, index, _ON) for chain in chains]
        if axis >= 0:
            for chain in chains:
                made.add(_flat(cut(chain, axis, index, _NEAR), axis, index), _FAINT)
        for parts in bright:
            made.add(_flat(parts, axis, index), COLOUR)
        seen = [parts for parts in bright if len(parts)]
        if seen:
            made.anchors.append(_flat(seen[0], axis, index)[-1, 1])
            made.words.append(_words(one, words[one.name], np.concatenate(chains), axis))
        if one.name in held and axis >= 0 and not one.locked:
            made.handles += _handles(display, one, axis, index)
    return made


def _handles(display: Display, one: Measurement, axis: int, index: float) -> list[FloatArray]:
    points = display.from_ras(handles_ras(one))
    points = _flat(points[can_hold(one.kind, points, axis, index)], axis, index)
    if len(points) > _MOST_HANDLES:
        points = points[np.linspace(0, len(points) - 1, _MOST_HANDLES).astype(np.intp)]
    return list(points)


def _words(one: Measurement, value: str, points_zyx: FloatArray, axis: int) -> str:
    """Return what stands beside a measurement; where it only crosses the slice, its name."""
    name = f"{one.name} (locked)" if one.locked else one.name
    is_flat = np.ptp(points_zyx, axis=0) <= 2 * _ON
    if axis >= 0 and is_flat.any() and not is_flat[axis]:
        return name
    told = value.replace("  ", "\n", 1)
    return f"{name}\n{told}".rstrip()


def _flat(parts: FloatArray, axis: int, index: float) -> FloatArray:
    flat = parts.copy()
    if axis >= 0:
        flat[..., axis] = index
    return flat
