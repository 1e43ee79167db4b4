"""Stored values -> what they measure: rescale, tables, real-world and vendors' scales."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.frames.plane import Plane
from napari_medlabel.io.dicom.header.instance import RESCALE_TYPE, text
from napari_medlabel.io.dicom.header.odd import read_more
from napari_medlabel.io.dicom.pixels.coding import Coding, coding_of
from napari_medlabel.io.dicom.pixels.scaling import Linear, Scaling, Table, linear
from napari_medlabel.io.dicom.pixels.suv import KINDS, suv_factor
from napari_medlabel.io.dicom.quiet import failures, little_words, quietly, read_dataset

Array = npt.NDArray[Any]
T = TypeVar("T")
VALUES: Final = ("rescaled", "stored", "real-world", "philips-precise", *KINDS)
"""What a reader can be asked for."""
OUTSIDE: Final = (
    "Some stored values lie outside of the range that the real-world value mapping covers; "
    "they are shown as not a number."
)
_PET_UNITS: Final = {0x00541001: b"CS"}
_RT_DOSE: Final = "1.2.840.10008.5.1.4.1.1.481.2"
_UNITS: Final = {
    "HU": "HU",
    "HU_MOD": "HU (modified)",
    "OD": "optical density / 1000",
    "MGML": "mg/ml",
    "PCT": "%",
    "Z_EFF": "effective atomic number",
    "ED": "electrons 1e23/ml",
    "EDW": "electron density relative to water",
    "BQML": "Bq/ml",
    "CNTS": "counts",
    "CPS": "counts/s",
    "GML": "SUV g/ml",
    "GY": "Gy",
    "RELATIVE": "relative dose",
}
"""Defined terms of Rescale Type, Modality LUT Type, PET Units and Dose Units."""
_UNIT_CODE: Final = re.compile(r"[A-Za-z0-9%/.*\[\]{}^'\"()_-]{1,16}")
_PHILIPS: Final = "Philips MR Imaging DD 001"


@dataclass(frozen=True, eq=False)
class Meaning:
    """What the stored values of a series mean.

    Parameters
    ----------
    scalings : tuple of Linear or Table
        One for each plane.
    quantity : str
        What the values measure, with its unit; empty where that is not known.
    warnings : tuple of str
        Doubts in words.
    """

    scalings: tuple[Scaling, ...]
    quantity: str
    warnings: tuple[str, ...] = ()


def meaning_of(planes: Sequence[Plane], values: str) -> Meaning:
    """Say what the stored values of planes mean.

    Parameters
    ----------
    planes : sequence of Plane
        At least one.
    values : str
        One of `VALUES`: ``"rescaled"`` is the modality look-up table or rescale of PS3.3 C.11.1
        (for RT doses Dose Grid Scaling), ``"stored"`` nothing, ``"real-world"`` the first Real
        World Value Mapping (C.7.6.16.2.11), ``"philips-precise"`` Philips' floating point
        values, ``"suv-..."`` standardized uptake values.

    Raises
    ------
    InputError
        When the headers do not give what is asked for.
    """
    if values == "rescaled":
        return _rescaled(planes)
    if values == "stored":
        return Meaning((linear(1.0, 0.0),) * len(planes), "")
    if values == "real-world":
        return _real_world(planes)
    if values == "philips-precise":
        return Meaning(tuple(_each(planes, _philips_precise)), "")
    if values in KINDS:
        return _suv(planes, values)
    raise InputError(
        f"Values can be {', '.join(VALUES[:-1])} or {VALUES[-1]}.",
        hint="Choose one of them, or leave it out for rescaled values.",
    )


def _rescaled(planes: Sequence[Plane]) -> Meaning:
    first = planes[0].instance
    if first.sop_class == _RT_DOSE:
        return _dose(planes)
    quantity = _UNITS.get(text(first.fields.get(RESCALE_TYPE, b"")), "")
    if first.modality == "CT" and not text(first.fields.get(RESCALE_TYPE, b"")):
        quantity = "HU"
    if first.modality == "PT":
        quantity = _UNITS.get(text(read_more(first.path, _PET_UNITS).get(0x00541001, b"")), "")
    if not any(plane.instance.has_modality_lut for plane in planes):
        _require_slopes(planes)
        return Meaning(tuple(linear(one.slope, one.intercept) for one in planes), quantity)
    found = _each(planes, _modality_lut, ("ModalityLUTSequence", "PixelRepresentation"))
    return Meaning(tuple(one for one, _ in found), found[0][1] or quantity)


def _require_slopes(planes: Sequence[Plane]) -> None:
    if any(one.slope == 0 for one in planes):
        raise InputError(
            "Rescale Slope is zero: all values would be the same.",
            hint="Ask for stored values instead.",
        )


def _dose(planes: Sequence[Plane]) -> Meaning:
    def scale(header: Any, _plane: Plane) -> tuple[Linear, str]:
        return linear(_required(header, "DoseGridScaling"), 0.0), _word(header, "DoseUnits")

    found = _each(planes, scale, ("DoseGridScaling", "DoseUnits"))
    return Meaning(tuple(one for one, _ in found), _UNITS.get(found[0][1], ""))


def _suv(planes: Sequence[Plane], kind: str) -> Meaning:
    _require_slopes(planes)
    uptake = suv_factor([one.instance.path for one in planes], kind)
    scalings = tuple(
        linear(one.slope * factor, one.intercept * factor)
        for one, factor in zip(planes, uptake.factors, strict=True)
    )
    return Meaning(scalings, uptake.quantity)


def _philips_precise(header: Any, plane: Plane) -> Linear:
    """Undo the display scale: FP = (PV * RS + RI) / (RS * SS), Chenevert et al. 2014."""
    scale, zero = _philips_scale(header, plane)
    rescale = plane.slope * scale
    if not rescale or not math.isfinite(rescale):
        raise InputError(
            "The precise scale of Philips cannot be zero.",
            hint="Ask for rescaled values instead.",
        )
    shift = plane.intercept / plane.slope
    if zero and abs(zero + shift) > 1e-3 * max(1.0, abs(shift)):
        raise InputError(
            "Scale Intercept (2005,100D) of Philips contradicts Rescale Intercept.",
            hint="Ask for rescaled values instead.",
        )
    return linear(1.0 / scale, plane.intercept / rescale)


def _philips_scale(header: Any, plane: Plane) -> tuple[float, float]:
    """Return Scale Slope and Scale Intercept of a plane's frame."""
    for group in (*_frame_groups(header, plane.frame), header):
        holders = [group]
        holders += [item for element in group if _is_private(element) for item in element.value]
        for holder in holders:
            slope = _private_number(holder, 0x0E)
            if slope is not None:
                return slope, _private_number(holder, 0x0D) or 0.0
    raise InputError(
        "Philips-precise values need Scale Slope (2005,100E), which is missing.",
        hint="Ask for rescaled values instead.",
    )


def _is_private(element: Any) -> bool:
    return bool(element.tag.is_private and element.VR == "SQ")


def _private_number(holder: Any, element: int) -> float | None:
    try:
        value = holder.private_block(0x2005, _PHILIPS)[element].value
    except KeyError:
        found = holder.get((0x2005, 0x1000 | element))
        value = None if found is None else found.value
    if isinstance(value, bytes) and len(value) == 4:
        value = np.frombuffer(value, "<f4")[0]
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _frame_groups(header: Any, frame: int) -> list[Any]:
    """Return the functional groups of a frame, its own before the shared ones."""
    groups = []
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or ()
    if frame < len(per_frame):
        groups.append(per_frame[frame])
    groups += list(header.get("SharedFunctionalGroupsSequence") or ())[:1]
    return groups


def _modality_lut(header: Any, plane: Plane) -> tuple[Scaling, str]:
    items = header.get("ModalityLUTSequence") or ()
    if not items:
        return linear(plane.slope, plane.intercept), ""
    first, entries = _lut(items[0], header, signed=header.get("PixelRepresentation") == 1)
    return Table(first, entries), _UNITS.get(_word(items[0], "ModalityLUTType"), "")


def _lut(item: Any, header: Any, *, signed: bool) -> tuple[int, Array]:
    """Read LUT Descriptor and LUT Data, PS3.3 C.11.1.1: US or OW, 8 or 16 bits an entry."""
    descriptor = item.get("LUTDescriptor")
    data = item.get("LUTData")
    if descriptor is None or len(descriptor) != 3 or data is None:
        raise _bad_table()
    count, first, bits = (int(part) for part in descriptor)
    count = count & 0xFFFF or 1 << 16
    if signed and first >= 1 << 15:
        first -= 1 << 16
    if isinstance(data, bytes):
        data = little_words(data, header)
        narrow = bits <= 8 and len(data) < 2 * count
        entries: Array = np.frombuffer(data[: len(data) // 2 * 2], "u1" if narrow else "<u2")
    else:
        entries = np.atleast_1d(np.array(data, np.int64))
    if len(entries) < count:
        raise _bad_table()
    return first, entries[:count].astype(np.int64) & ((1 << max(1, min(bits, 16))) - 1)


def _bad_table() -> InputError:
    return InputError(
        "The modality look-up table is shorter than its descriptor says, or has none.",
        hint="Export the series again, or ask for stored values.",
    )


def _real_world(planes: Sequence[Plane]) -> Meaning:
    def first_of(header: Any, plane: Plane) -> tuple[Scaling, str, int]:
        items = _mappings(header, plane.frame)
        if not items:
            raise InputError(
                "Real World Value Mapping Sequence is missing: the file does not say what its "
                "values measure.",
                hint="Ask for rescaled values instead.",
            )
        return _mapping(items[0], coding_of(plane.instance)), _unit(items[0]), len(items)

    found = _each(planes, first_of)
    most = max(count for _, _, count in found)
    units = {unit for _, unit, _ in found}
    doubts = (
        (f"There are {most} real-world value mappings; the first one is shown.",)
        if most > 1
        else ()
    )
    quantity = units.pop() if len(units) == 1 else ""
    return Meaning(tuple(one for one, _, _ in found), quantity, doubts)


def _mappings(header: Any, frame: int) -> list[Any]:
    for group in (*_frame_groups(header, frame), header):
        items = list(group.get("RealWorldValueMappingSequence") or ())
        if items:
            return items
    return []


def _mapping(item: Any, coding: Coding) -> Scaling:
    first = _end(item, "First", coding)
    last = _end(item, "Last", coding)
    data = item.get("RealWorldValueLUTData")
    if data is not None and len(data):
        entries = np.array(data, np.float64)
        if len(entries) < last - first + 1:
            raise InputError(
                "Real World Value LUT Data is shorter than its range.",
                hint="Ask for rescaled values instead.",
            )
        return Table(int(first), entries, is_closed=True)
    slope = _required(item, "RealWorldValueSlope")
    return Linear(slope, _required(item, "RealWorldValueIntercept"), first, last)


def _end(item: Any, which: str, coding: Coding) -> float:
    """Return an end of the mapped range, which may be signed and may be missing."""
    value = item.get(f"DoubleFloatRealWorldValue{which}ValueMapped")
    if value is None:
        value = item.get(f"RealWorldValue{which}ValueMapped")
        if isinstance(value, int) and coding.signed and value >= 1 << 15:
            value -= 1 << 16
    if value is None:
        return -math.inf if which == "First" else math.inf
    return float(value)


def _unit(item: Any) -> str:
    codes = item.get("MeasurementUnitsCodeSequence") or ()
    code = _word(codes[0], "CodeValue") if codes else ""
    return code if _UNIT_CODE.fullmatch(code) and code != "1" else ""


def _word(header: Any, name: str) -> str:
    value = header.get(name)
    return value.strip() if isinstance(value, str) else ""


def _required(header: Any, name: str) -> float:
    value = header.get(name)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(
            f"{name} is missing or not a number.",
            hint="Ask for stored values instead.",
        )
    return number


def _each(
    planes: Sequence[Plane], read: Callable[[Any, Plane], T], tags: Sequence[str] = ()
) -> list[T]:
    """Return what ``read`` finds for each plane in its file's header, read once per file."""
    of_file: dict[Path, list[int]] = {}
    for number, plane in enumerate(planes):
        of_file.setdefault(plane.instance.path, []).append(number)
    found: dict[int, T] = {}
    for path, numbers in of_file.items():
        header = read_dataset(path, f"image {numbers[0] + 1} of {len(planes)}", tags=tags)
        with quietly():
            try:
                for number in numbers:
                    found[number] = read(header, planes[number])
            except failures() as err:
                raise InputError(
                    "The header has a value that cannot be understood.",
                    hint="Ask for stored values instead.",
                ) from err
    return [found[number] for number in range(len(planes))]
