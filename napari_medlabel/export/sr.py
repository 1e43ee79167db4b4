"""Landmarks and measurements as a DICOM structured report (PS3.16 TID 1500, Comprehensive 3D).

Every coordinate stands in patient millimetres (SCOORD3D, LPS) in the scan's frame of reference.
The format stores them as 32-bit floats: within 1/10000 mm. Built by highdicom, an optional
package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel._optional import require
from napari_medlabel.errors import InputError
from napari_medlabel.export.dicom_parts import (
    MANUFACTURER,
    Made,
    building,
    fit_decimals,
    save_dataset,
    shortened,
    source_images,
    stamp,
)
from napari_medlabel.export.read_back import not_the_same, require_new
from napari_medlabel.geometry.axes import FloatArray, flip_lps_ras
from napari_medlabel.io.marks.found import Marks
from napari_medlabel.io.marks.reading import read_marks
from napari_medlabel.measure.lines import Value, values_of
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.measurements import Measurement, MeasurementSet
from napari_medlabel.model.volume import Volume

_WHAT: Final = "report"
_SAME_MM: Final = 1e-3
_FLAT_MM: Final = 1e-3
# CodeValue, CodingSchemeDesignator, CodeMeaning; CID 7469, 7470, 7471 of PS3.16.
_QUANTITIES: Final = {
    "length": ("410668003", "SCT", "Length"),
    "angle": ("1483009", "SCT", "Angle"),
    "long axis": ("103339001", "SCT", "Long Axis"),
    "short axis": ("103340004", "SCT", "Short Axis"),
    "perimeter": ("131191004", "SCT", "Perimeter"),
    "area": ("42798000", "SCT", "Area"),
    "volume": ("118565006", "SCT", "Volume"),
}
_ATTENUATION: Final = ("112031", "DCM", "Attenuation Coefficient")
_DERIVATIONS: Final = {
    "mean": ("373098007", "SCT", "Mean"),
    "sd": ("386136009", "SCT", "Standard Deviation"),
    "min": ("255605001", "SCT", "Minimum"),
    "max": ("56851009", "SCT", "Maximum"),
}
_UNITS: Final = {
    "mm": ("mm", "UCUM", "millimeter"),
    "mm2": ("mm2", "UCUM", "square millimeter"),
    "mm3": ("mm3", "UCUM", "cubic millimeter"),
    "deg": ("deg", "UCUM", "degree"),
    "HU": ("[hnsf'U]", "UCUM", "Hounsfield unit"),
}
_PROCEDURES: Final = {
    "CT": ("25045-6", "LN", "CT unspecified body region"),
    "MR": ("25056-3", "LN", "MRI unspecified body region"),
    "PT": ("44136-0", "LN", "PET unspecified body region"),
}
_ANY_PROCEDURE: Final = ("363679005", "SCT", "Imaging procedure")


@dataclass(frozen=True)
class SavedReport:
    """A structured report that is on the disk and was read back.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str
        Hex digest of its bytes.
    left_out : tuple of str
        What it does not hold, in sentences.
    """

    path: Path
    sha256: str
    left_out: tuple[str, ...]


def save_sr(
    path: Path,
    landmarks: LandmarkSet,
    measured: MeasurementSet,
    volume: Volume,
    made: Made,
    *,
    values: Mapping[str, Sequence[Value]] | None = None,
    observer: str = "",
) -> SavedReport:
    """Write landmarks and measurements as a report, and compare what it reads back.

    Parameters
    ----------
    path : Path
        A ``.dcm`` file that does not exist.
    landmarks : LandmarkSet
        Each placed one is a group with one point, its name and its code.
    measured : MeasurementSet
        Each is a group with its numbers, coded, and its outline.
    volume : Volume
        The scan, read from DICOM; patient and study are taken from its images.
    made : Made
        UIDs and time of the new object.
    values : mapping, optional
        For each measurement's name its numbers; what its points say where it is not in it.
    observer : str
        Code of the rater, such as ``r01``; never a name. Empty: the program.

    Raises
    ------
    MissingPackageError
        When highdicom is not installed.
    GeometryError, InputError
        When the scan is not DICOM, or nothing is placed.
    SaveError
        When the target exists, cannot be written, or reads back otherwise.
    """
    highdicom = require("highdicom", extra="seg")
    require_new(path)
    images = source_images(volume)
    build = _Builder(highdicom, str(volume.grid.frame_of_reference), made)
    with building(_WHAT):
        groups = [build.landmark(one) for one in landmarks.placed]
        for one in measured:
            given = None if values is None else values.get(one.name)
            groups.append(build.measurement(one, values_of(one) if given is None else given))
        if not groups:
            raise InputError(
                "No landmark is placed and nothing is measured, so there is nothing to write.",
                hint="Place a landmark first.",
            )
        report = build.report(groups, volume.modality, observer)
        dataset = highdicom.sr.Comprehensive3DSR(
            evidence=list(images.headers),
            content=report[0],
            series_instance_uid=made.series_uid,
            series_number=made.series_number,
            sop_instance_uid=made.instance_uid,
            instance_number=1,
            manufacturer=MANUFACTURER,
            is_complete=True,
            series_description=shortened(made.series_words),
        )
        stamp(dataset, images, made)
        fit_decimals(dataset)

    def check(aside: Path) -> None:
        _require_same(read_marks(aside, volume), landmarks, build.drawn)

    digest = save_dataset(path, dataset, what=_WHAT, check=check)
    return SavedReport(path, digest, tuple(_left_out(landmarks, build)))


def _left_out(landmarks: LandmarkSet, build: _Builder) -> Iterator[str]:
    nowhere = len(landmarks) - len(landmarks.placed)
    if nowhere:
        yield f"Landmarks without a position are not in the report: {nowhere}."
    if build.wordless:
        yield f"Numbers without a standard code are not in the report: {build.wordless}."
    if build.shapeless:
        yield f"Measurements whose shape the report cannot hold: {build.shapeless}."


class _Builder:
    """Makes the parts of a report; counts what it cannot say."""

    def __init__(self, highdicom: Any, frame: str, made: Made) -> None:
        self._sr = highdicom.sr
        self._frame = frame
        self._made = made
        self._groups = 0
        self.drawn: list[FloatArray] = []
        self.wordless = 0
        self.shapeless = 0

    def landmark(self, one: Landmark) -> Any:
        """Return the group of a landmark (TID 1410)."""
        point = flip_lps_ras(np.array([one.point_ras]))
        code = one.code
        known = code is not None and code.scheme and code.value and code.meaning
        return self._sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=self._tracking(one.name),
            referenced_region=self._sr.ImageRegion3D("POINT", point, self._frame),
            finding_type=self._coded((code.value, code.scheme, shortened(code.meaning)))
            if code is not None and known
            else None,
        )

    def measurement(self, one: Measurement, values: Sequence[Value]) -> Any:
        """Return the group of a measurement: an area (TID 1410), else numbers (TID 1501)."""
        outline = one.long_first.outline_ras()  # the first line is the first number's
        if one.is_closed and _is_flat(outline):
            ring = np.vstack([outline, outline[:1]])
            self.drawn.append(outline)
            return self._sr.PlanarROIMeasurementsAndQualitativeEvaluations(
                tracking_identifier=self._tracking(one.name),
                referenced_region=self._sr.ImageRegion3D(
                    "POLYGON", flip_lps_ras(ring), self._frame
                ),
                measurements=self._numbers(values, ()) or None,
            )
        lines = _lines(one, outline)
        self.shapeless += not lines
        return self._sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=self._tracking(one.name),
            measurements=self._numbers(values, lines) or None,
        )

    def _numbers(self, values: Sequence[Value], lines: Sequence[FloatArray]) -> list[Any]:
        found: list[Any] = []
        for value in values:
            words = self._words(value)
            if words is None:
                self.wordless += 1
                continue
            name, unit, derivation = words
            # The first line belongs to the first number, the second to the second.
            place = len(found)
            drawn = [lines[place]] if place < len(lines) else []
            self.drawn += drawn
            found.append(
                self._sr.Measurement(
                    name=name,
                    value=float(f"{value.value:.10g}"),
                    unit=unit,
                    derivation=derivation,
                    referenced_coordinates=[
                        self._sr.CoordinatesForMeasurement3D(
                            "POLYLINE", flip_lps_ras(line), self._frame
                        )
                        for line in drawn
                    ]
                    or None,
                )
            )
        return found

    def _words(self, value: Value) -> tuple[Any, Any, Any] | None:
        unit = _UNITS.get(value.unit)
        if unit is None:
            return None
        if value.name in _QUANTITIES:
            return self._coded(_QUANTITIES[value.name]), self._coded(unit), None
        if value.name in _DERIVATIONS and value.unit == "HU":
            derived = self._coded(_DERIVATIONS[value.name])
            return self._coded(_ATTENUATION), self._coded(unit), derived
        return None

    def report(self, groups: Sequence[Any], modality: str, observer: str) -> Any:
        """Return the whole (TID 1500)."""
        if observer:
            who = self._sr.PersonObserverIdentifyingAttributes(name=f"{observer}^")
            kind = ("121006", "DCM", "Person")
        else:
            who = self._sr.DeviceObserverIdentifyingAttributes(
                uid=self._made.further_uid("device"), name=MANUFACTURER
            )
            kind = ("121007", "DCM", "Device")
        context = self._sr.ObservationContext(
            observer_person_context=self._sr.ObserverContext(self._coded(kind), who)
            if observer
            else None,
            observer_device_context=None
            if observer
            else self._sr.ObserverContext(self._coded(kind), who),
        )
        procedure = self._coded(_PROCEDURES.get(modality, _ANY_PROCEDURE))
        return self._sr.MeasurementReport(
            observation_context=context,
            procedure_reported=procedure,
            imaging_measurements=list(groups),
        )

    def _tracking(self, name: str) -> Any:
        self._groups += 1
        uid = self._made.further_uid(f"group {self._groups}")
        return self._sr.TrackingIdentifier(uid=uid, identifier=shortened(name))

    def _coded(self, code: tuple[str, str, str]) -> Any:
        return self._sr.CodedConcept(*code)


def _lines(one: Measurement, outline: FloatArray) -> list[FloatArray]:
    if one.kind == "bidirectional":
        return [outline[:2], outline[2:]]
    if one.kind == "cuboid":
        return []
    if one.is_closed:
        return [np.vstack([outline, outline[:1]])]
    return [outline]


def _is_flat(points: FloatArray) -> bool:
    centred = points - points.mean(axis=0)
    normal = np.linalg.svd(centred)[2][2]
    return bool(np.abs(centred @ normal).max() <= _FLAT_MM)


def _require_same(marks: Marks, landmarks: LandmarkSet, drawn: Sequence[FloatArray]) -> None:
    placed = [one.point_ras for one in landmarks.placed]
    back = [one.point_ras for one in marks.landmarks]
    lines = [one.points_ras for one in marks.contours]
    same = len(placed) == len(back) and len(lines) == len(drawn)
    if same and placed:
        same = np.allclose(np.array(back), np.array(placed), rtol=0, atol=_SAME_MM)
    for line, meant in zip(lines, drawn, strict=False):
        # A closed line comes back without its last point, which is its first.
        count = min(len(line), len(meant))
        same = same and len(meant) - count <= 1
        same = same and np.allclose(line[:count], meant[:count], rtol=0, atol=_SAME_MM)
    if not same:
        raise not_the_same(_WHAT)
