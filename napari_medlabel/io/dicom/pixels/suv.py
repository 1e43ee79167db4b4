"""Standardized uptake values of PET: a factor for each file, from checked inputs.

After the vendor-neutral pseudo-code of the Quantitative Imaging Biomarkers Alliance (QIBA, FDG
PET/CT), PS3.3 C.8.9.1, with its ways for series that were processed later and for Philips and
GE.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.pixels.scanner_clock import (
    moment_of,
    offset_of,
    on_clock,
    seconds_of,
    zoned,
)
from napari_medlabel.io.dicom.quiet import failures, quietly, read_dataset

KINDS: Final = ("suv-bw", "suv-lbm", "suv-bsa")
_QUANTITY: Final = {
    "suv-bw": "SUVbw g/ml",
    "suv-lbm": "SUVlbm g/ml (James)",
    "suv-bsa": "SUVbsa cm2/ml",
}
_PHILIPS: Final = "Philips PET Private Group"
_GE: Final = "GEMS_PETD_01"
_DAY_S: Final = 86400.0
_MOST_HALF_LIVES: Final = 10
T = TypeVar("T")


@dataclass(frozen=True)
class Uptake:
    """What turns rescaled values into uptake values.

    Parameters
    ----------
    factors : tuple of float
        One for each path asked about.
    quantity : str
        Kind of uptake value, with its unit.
    """

    factors: tuple[float, ...]
    quantity: str


@dataclass(frozen=True)
class _Scan:
    """What one file says, as far as it matters; dates and times of the scanner's clock."""

    zone: timedelta | None

    units: str
    suv_type: str
    decay: str
    weight_kg: float | None
    size_m: float | None
    sex: str
    dose_bq: float | None
    half_life_s: float | None
    nuclide: str
    injected: datetime | None
    has_other_clock: bool  # the injection's, and nothing says by how much
    injected_s: float | None  # since midnight, where no date is given
    series: datetime | None
    acquired: datetime | None
    reference_s: float | None
    duration_s: float | None
    ge_scan: datetime | None
    philips_suv: float | None
    philips_activity: float | None


def suv_factor(paths: Sequence[Path], kind: str) -> Uptake:
    """Compute the factors from rescaled values to standardized uptake values.

    Parameters
    ----------
    paths : sequence of Path
        The file of each plane; repeats are read once.
    kind : str
        ``"suv-bw"`` by body weight, ``"suv-lbm"`` by lean body mass after James (1976) with
        128 for men, ``"suv-bsa"`` by body surface after Du Bois (1916).

    Raises
    ------
    InputError
        When an input is missing, is no number, or files disagree; the attribute is named.
    """
    unique = list(dict.fromkeys(paths))
    scans = [_read(path, f"file {n} of {len(unique)}") for n, path in enumerate(unique, 1)]
    for name in (
        "weight_kg",
        "size_m",
        "sex",
        "dose_bq",
        "half_life_s",
        "units",
        "decay",
        "zone",
    ):
        if len({getattr(scan, name) for scan in scans}) > 1:
            raise InputError(
                f"The files of the series disagree about {_NAMES[name]}.",
                hint="Uptake values need one patient and one injection; export it again.",
            )
    earliest = min((scan.acquired for scan in scans if scan.acquired is not None), default=None)
    found = {
        path: _factor(scan, kind, earliest) for path, scan in zip(unique, scans, strict=True)
    }
    return Uptake(tuple(found[path] for path in paths), _QUANTITY[kind])


_POSSIBLE: Final = {
    "weight_kg": (0.3, 500.0, "kg"),
    "size_m": (0.2, 2.7, "m"),
    "dose_bq": (1e5, 1e11, "Bq"),
    "half_life_s": (60.0, 1e7, "s"),
}
_HALF_LIVES_S: Final = {
    ("77004003", "C-111A1"): 6586.2,  # F-18
    ("40565003", "C-105A1"): 1221.8,  # C-11
    ("21576001", "C-107A1"): 597.9,  # N-13
    ("129504001", "C-B1038"): 122.24,  # O-15
    ("3932008", "C-127A2"): 45723.0,  # Cu-64
    ("35337001", "C-131A3"): 4062.6,  # Ga-68
    ("63360001", "C-168A4"): 282276.0,  # Zr-89
    ("40937006", "C-114A5"): 360806.0,  # I-124
    ("14691008", "C-162A7"): 230590.0,  # Y-90
}
"""By SNOMED CT and SNOMED RT codes, PS3.16 CID 4020. Those in use for Rb-82 differ too much."""
_KNOWN_HALF_LIVES_S: Final = {
    code: seconds for codes, seconds in _HALF_LIVES_S.items() for code in codes
}
_NAMES: Final = {
    "weight_kg": "Patient's Weight (0010,1030)",
    "size_m": "Patient's Size (0010,1020)",
    "sex": "Patient's Sex (0010,0040)",
    "dose_bq": "Radionuclide Total Dose (0018,1074)",
    "half_life_s": "Radionuclide Half Life (0018,1075)",
    "zone": "Timezone Offset From UTC (0008,0201)",
    "units": "Units (0054,1001)",
    "decay": "Decay Correction (0054,1102)",
    "injected": "Radiopharmaceutical Start Time (0018,1072)",
    "acquired": "Acquisition Date and Time (0008,0022; 0008,0032)",
    "suv_type": "SUV Type (0054,1006)",
}


def _factor(scan: _Scan, kind: str, earliest: datetime | None) -> float:
    if scan.units == "GML":
        return _own_suv(scan, kind)
    body = _body(scan, kind)
    if scan.units == "CNTS" and scan.philips_suv:
        # The vendor's factor leads from counts to uptake by weight.
        return scan.philips_suv * body / (_need(scan.weight_kg, "weight_kg") * 1000)
    activity = 1.0
    if scan.units == "CNTS" and scan.philips_activity:
        activity = scan.philips_activity
    elif scan.units != "BQML":
        raise InputError(
            "Uptake values need Units (0054,1001) of BQML, or CNTS with Philips' scale factors "
            "(7053,1000) or (7053,1009).",
            hint="Ask for rescaled values instead.",
        )
    dose = _possible(scan.dose_bq, "dose_bq")
    if scan.decay == "START":
        half_life = _half_life_s(scan)
        waited = _waited_s(scan, earliest, half_life)
        dose *= 2.0 ** (-waited / half_life)
    return activity * body / dose


def _own_suv(scan: _Scan, kind: str) -> float:
    """Accept values that are uptake values already, of the same kind."""
    own = {"": "suv-bw", "BW": "suv-bw", "LBM": "suv-lbm", "LBMJAMES128": "suv-lbm"}
    if own.get(scan.suv_type) != kind:
        raise InputError(
            "The file holds uptake values of another kind, by SUV Type (0054,1006).",
            hint="Ask for rescaled values: they are uptake values already.",
        )
    return 1.0


def _body(scan: _Scan, kind: str) -> float:
    """Return weight or lean mass in g, or surface in cm2."""
    weight = _possible(scan.weight_kg, "weight_kg")
    if kind == "suv-bw":
        return weight * 1000.0
    size_cm = _possible(scan.size_m, "size_m") * 100.0
    if kind == "suv-bsa":
        return float(0.007184 * weight**0.425 * size_cm**0.725 * 10000.0)
    ratio = (weight / size_cm) ** 2
    lean = {"M": 1.10 * weight - 128 * ratio, "F": 1.07 * weight - 148 * ratio}.get(scan.sex)
    if lean is None or lean <= 0:
        raise InputError(
            f"Lean body mass needs {_NAMES['sex']} (M or F), and a possible weight and size.",
            hint="Ask for body weight (suv-bw) instead.",
        )
    return lean * 1000.0


def _waited_s(scan: _Scan, earliest: datetime | None, half_life: float) -> float:
    """Return the time from injection to the moment that values are corrected to."""
    start = _scan_start(scan, earliest, half_life)
    if scan.has_other_clock:
        raise InputError(
            "Radiopharmaceutical Start DateTime (0018,1078) says its offset from UTC, the "
            "times of the scan do not: hours may lie between their clocks.",
            hint="Ask for rescaled values, or export the series with Timezone Offset From UTC "
            "(0008,0201).",
        )
    if scan.injected is not None:
        waited = (start - scan.injected).total_seconds()
    else:
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        since = _need(scan.injected_s, "injected")
        waited = (start - midnight).total_seconds() - since
        if waited < 0:
            waited += _DAY_S  # injected before midnight
    if not 0 <= waited <= _MOST_HALF_LIVES * half_life:
        raise InputError(
            f"{_NAMES['injected']} lies after the scan, or too long before it: more than "
            f"{_MOST_HALF_LIVES} times {_NAMES['half_life_s']}, in s.",
            hint="Clocks, dates or units in the file are wrong; ask for rescaled values.",
        )
    return waited


def _scan_start(scan: _Scan, earliest: datetime | None, half_life: float) -> datetime:
    """Return the moment that decay is corrected to, by QIBA's pseudo-code."""
    acquired = _need(scan.acquired, "acquired")
    if scan.series is not None and earliest is not None and scan.series <= earliest:
        return scan.series
    if scan.ge_scan is not None:
        return scan.ge_scan
    # A series made later: its own time says nothing; count back from the frame's mean time.
    if scan.reference_s and scan.duration_s:
        decay = math.log(2) / half_life * scan.duration_s
        mean = half_life / math.log(2) * math.log(decay / -math.expm1(-decay))
        return acquired + timedelta(seconds=mean - scan.reference_s)
    return earliest or acquired


def _need(value: T | None, name: str) -> T:
    if value is None:
        raise InputError(
            f"Uptake values need {_NAMES[name]}, which is missing or cannot be understood.",
            hint="Ask for rescaled values instead, or export the series with it.",
        )
    return value


def _possible(value: float | None, name: str) -> float:
    number = _need(value, name)
    least, most, unit = _POSSIBLE[name]
    if not least <= number <= most:
        raise InputError(
            f"Uptake values need {_NAMES[name]} in {unit}, from {least:g} to {most:g}; the "
            "file's number lies outside.",
            hint="It may be in another unit: correct it in a copy of the series, or ask for "
            "rescaled values.",
        )
    return number


def _half_life_s(scan: _Scan) -> float:
    """Return the half life; it must be the nuclide's where that is known."""
    found = _possible(scan.half_life_s, "half_life_s")
    known = _KNOWN_HALF_LIVES_S.get(scan.nuclide)
    if known is not None and abs(found - known) > 0.01 * known:
        raise InputError(
            f"{_NAMES['half_life_s']} must be within 1 % of that of the nuclide that "
            "Radionuclide Code (0054,0300) names, in s; it is not.",
            hint="One of the two is wrong: correct it in a copy of the series, or ask for "
            "rescaled values.",
        )
    return found


def _read(path: Path, where: str) -> _Scan:
    header = read_dataset(path, where)
    with quietly():
        try:
            _require_corrected(header)
            return _scan(header)
        except failures() as err:
            raise InputError(
                f"An attribute that uptake values need cannot be understood in {where}.",
                hint="Ask for rescaled values instead.",
            ) from err


def _require_corrected(header: Any) -> None:
    corrected = header.get("CorrectedImage") or ()
    done = {corrected} if isinstance(corrected, str) else set(corrected)
    for correction, name in (("ATTN", "attenuation"), ("DECY", "decay")):
        if correction not in done:
            raise InputError(
                f"Uptake values need images corrected for {name}: Corrected Image (0028,0051) "
                f"lacks {correction}.",
                hint="Ask for rescaled values instead.",
            )
    if header.get("DecayCorrection") not in ("START", "ADMIN"):
        raise InputError(
            "Uptake values need Decay Correction (0054,1102) of START or ADMIN.",
            hint="Ask for rescaled values instead.",
        )


def _scan(header: Any) -> _Scan:
    items = list(header.get("RadiopharmaceuticalInformationSequence") or ())
    if len(items) != 1:
        raise InputError(
            "Uptake values need one item of Radiopharmaceutical Information Sequence "
            f"(0054,0016); there are {len(items)}.",
            hint="Ask for rescaled values instead.",
        )
    reference, duration = header.get("FrameReferenceTime"), header.get("ActualFrameDuration")
    zone = offset_of(header.get("TimezoneOffsetFromUTC"))
    injected_s = seconds_of(items[0].get("RadiopharmaceuticalStartTime"))
    said = zoned(items[0].get("RadiopharmaceuticalStartDateTime"))
    injected = on_clock(said, zone, injected_s)
    return _Scan(
        zone=zone,
        units=str(header.get("Units") or ""),
        suv_type=str(header.get("SUVType") or ""),
        decay=str(header.get("DecayCorrection") or ""),
        weight_kg=_number(header.get("PatientWeight")),
        size_m=_number(header.get("PatientSize")),
        sex=str(header.get("PatientSex") or ""),
        dose_bq=_number(items[0].get("RadionuclideTotalDose")),
        half_life_s=_number(items[0].get("RadionuclideHalfLife")),
        nuclide=_code(items[0]),
        injected=injected,
        has_other_clock=said is not None and injected is None,
        injected_s=injected_s,
        series=moment_of(header.get("SeriesDate"), header.get("SeriesTime")),
        acquired=moment_of(header.get("AcquisitionDate"), header.get("AcquisitionTime")),
        reference_s=None if reference is None else float(reference) / 1000,
        duration_s=None if duration is None else float(duration) / 1000,
        ge_scan=on_clock(zoned(_private(header, 0x0009, _GE, 0x0D)), zone),
        philips_suv=_number(_private(header, 0x7053, _PHILIPS, 0x00)),
        philips_activity=_number(_private(header, 0x7053, _PHILIPS, 0x09)),
    )


def _code(item: Any) -> str:
    """Return the code of the nuclide; empty where there is none."""
    codes = item.get("RadionuclideCodeSequence") or ()
    return str(codes[0].get("CodeValue") or "") if codes else ""


def _number(value: Any) -> float | None:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace").strip("\0 ")
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _private(header: Any, group: int, creator: str, element: int) -> Any:
    try:
        value = header.private_block(group, creator)[element].value
    except KeyError:
        return None
    return value.decode("ascii", "replace").strip("\0 ") if isinstance(value, bytes) else value
