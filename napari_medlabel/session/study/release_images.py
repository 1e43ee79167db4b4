"""DICOM images of a release that tell more of a patient than its table does: they stay.

A smallest group of patients is worth nothing where the images beside the table have exact age,
weight or height. Images are what the log knows by their hashes, so they leave as they are or
not at all; an object that is made from them is of use beside them only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from napari_medlabel.deid.rules.actions import INSERTED
from napari_medlabel.deid.rules.codes import DUMMY_CODE
from napari_medlabel.errors import InputError
from napari_medlabel.io.dicom.quiet import failures, quietly, read_dataset
from napari_medlabel.project.cases.sidecar import TEXTS
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.release.balance import Rows
from napari_medlabel.session.study.exporting.plan import ExportPlan, GateFinding
from napari_medlabel.session.study.exporting.wish import OF_DICOM

_OF_PATIENT: Final = 0x0010
"""Group of the attributes of a patient (PS3.6)."""
_CODES: Final = frozenset(
    {"PatientName", "PatientID", "IssuerOfPatientID", "TypeOfPatientID",
     "IssuerOfPatientIDQualifiersSequence"}
)  # fmt: skip
"""Which patient it is: codes, as the de-identification wrote them."""
_FURTHER: Final = frozenset(
    {"PatientState", "SpecialNeeds", "PreMedication",
     "InstitutionName", "InstitutionAddress", "InstitutionCodeSequence",
     "InstitutionalDepartmentName", "InstitutionalDepartmentTypeCodeSequence",
     "ClinicalTrialSiteID", "ClinicalTrialSiteName", "ClinicalTrialCoordinatingCenterName",
     "StationName", "DeviceSerialNumber"}
)  # fmt: skip
"""What else is told of patients: their state, and where they were scanned."""
_MAKERS: Final = frozenset({"Manufacturer", "ManufacturerModelName"})
"""Of the scanner: every rule keeps them, so they stay only where the table had to."""
_VENDOR: Final = "vendor"
_INVENTED: Final = INSERTED | {DUMMY_CODE.value, DUMMY_CODE.scheme, DUMMY_CODE.meaning}
_CAPPED: Final = 89
"""In the table this age stands for all above, and an image tells them apart."""


def unsaid_entries(coarsened: Collection[str]) -> tuple[str, ...]:
    """Return the entries of sidecars that do not leave, by columns that tell less."""
    return TEXTS if _VENDOR in coarsened else ()


def against_images(
    layout: Layout, plan: ExportPlan, rows: Rows, coarsened: Collection[str]
) -> Iterator[GateFinding]:
    """Yield cases whose images tell more of the patient than the released table does.

    Parameters
    ----------
    layout : Layout
        The study.
    plan : ExportPlan
        What would leave; cases that leave in no format of DICOM are not looked at.
    rows : mapping
        Cells of each patient by code, as they are released.
    coarsened : collection of str
        Columns that were made coarser or left out.

    Raises
    ------
    InputError
        When an image cannot be read.
    """
    kinds = {kind: plan.of_format(kind) for kind in plan.wish.formats if kind in OF_DICOM}
    records = {one.record.case: one.record for chosen in kinds.values() for one in chosen}
    further = _FURTHER | _MAKERS if _VENDOR in coarsened else _FURTHER
    for case, record in records.items():
        row = rows.get(case.subject, {})
        told: set[str] = set()
        for path in layout.dicom_files(case, len(record.dicom)):
            told |= told_beyond(row, read_dataset(path, "an image"), further)
        if not told:
            continue
        words = (
            "Its DICOM images tell more than participants.tsv as it is released: "
            f"{', '.join(sorted(told))}. Clean the scan without the option that kept them, "
            "such as retain-patient-characteristics, or leave the format out."
        )
        for kind, chosen in kinds.items():
            if any(one.record.case == case for one in chosen):
                yield GateFinding("format", words, case, kind)


def told_beyond(
    row: Mapping[str, str], header: Any, further: Collection[str] = _FURTHER
) -> frozenset[str]:
    """Return keywords of what an image tells of a patient and a table does not.

    Parameters
    ----------
    row : mapping of str to str
        Cells of the patient. Sex and age may stand in the image as they stand there.
    header : pydicom.Dataset
        Of the image; looked through at every depth.
    further : collection of str
        Keywords beside the patient's own group.

    Raises
    ------
    InputError
        When it cannot be read whole.
    """
    same = {"PatientSex": row.get("sex", ""), "PatientAge": _as_dicom(row.get("age", ""))}
    try:
        with quietly():
            return frozenset(
                one.keyword or str(one.tag)
                for one in _every(header)
                if (one.keyword in further or _is_of_patient(one))
                and _tells(one, same.get(one.keyword, ""))
            )
    except failures() as err:
        raise InputError(
            "A DICOM image that was to be released cannot be read whole.",
            hint="See which one with: medlabel project validate STUDY",
        ) from err


def _every(items: Iterable[Any]) -> Iterator[Any]:
    for one in items:
        yield one
        if one.VR == "SQ":
            for item in one.value:
                yield from _every(item)


def _is_of_patient(one: Any) -> bool:
    is_length = one.tag.element == 0
    return one.tag.group == _OF_PATIENT and not is_length and one.keyword not in _CODES


def _tells(one: Any, same: str) -> bool:
    """Tell whether there is a value that the de-identification did not invent."""
    if one.VR == "SQ":
        return any(_tells(inner, "") for item in one.value for inner in item)
    values = one.value if one.VM > 1 else (one.value,)
    texts = {"" if value is None else str(value).strip() for value in values}
    return bool(texts - _INVENTED - {"", same})


def _as_dicom(age: str) -> str:
    """Return an age in years as DICOM has it; empty for bands and for what was capped."""
    is_whole = age.isascii() and age.isdecimal() and int(age) < _CAPPED
    return f"{int(age):03d}Y" if is_whole else ""
