"""A reason with a text: checked against the scan's own header, then kept for the officer."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from napari_medlabel.audit.format.event import REASON, Reason
from napari_medlabel.audit.keys.identity import check_text
from napari_medlabel.audit.keys.pins import pinned_officer
from napari_medlabel.audit.keys.reasons import check_length, keep_reason
from napari_medlabel.audit.keys.site import Site
from napari_medlabel.audit.keys.site_history import read_history
from napari_medlabel.deid.dicom.file import quiet, read
from napari_medlabel.deid.refusal import QuarantineError
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.model.volume import Source
from napari_medlabel.session.desk import Desk

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_TEXT_CODE: Final = "OTHER"
_KINDS: Final = frozenset({"PN", "DA"})
_NUMBERS: Final = frozenset(
    {
        "PatientID",
        "OtherPatientIDs",
        "AccessionNumber",
        "StudyID",
        "AdmissionID",
        "PatientAddress",
        "PatientTelephoneNumbers",
        "MilitaryRank",
        "MedicalRecordLocator",
        "InstitutionName",
    }
)


def check_reason(desk: Desk, code: str, text: str, values: Iterable[str]) -> Site | None:
    """Refuse a reason that `give_reason` would refuse; nothing is kept.

    Parameters
    ----------
    desk : Desk
        Where the log lies.
    code : str
        As the log's reasons are coded; a text needs ``OTHER``.
    text : str
        What somebody typed; empty for the code alone.
    values : iterable of str
        Values of the open scan's header that the text must not hold, see
        `identifying_values`.

    Raises
    ------
    InputError
        When the code is none, a text is missing or not wanted, or it is too long.
    RefusedError
        When the text says who the patient is, or the site names no officer who could read it.

    Returns
    -------
    Site or None
        Whose officers may read the text; None for the code alone.
    """
    if not REASON.accepts(code):
        raise InputError(
            f"A reason is {REASON.kind}; another word came.", hint="Choose one of these."
        )
    if not text:
        return None
    if code != _TEXT_CODE:
        raise InputError(
            f"A text was expected with the reason {_TEXT_CODE} only, and another reason came.",
            hint=f"Leave the text out where a code says it, or take {_TEXT_CODE}.",
        )
    check_length(text)
    check_text(text, values)
    history = read_history(desk.audit_root)
    if history.current is None or history.problems:
        raise RefusedError(
            "Text is kept for the officer alone, and this log has no site with an officer.",
            hint="Choose one of the coded reasons without a text.",
        )
    pinned = pinned_officer(desk.state)
    if pinned is not None and not history.follows_from(pinned):
        raise RefusedError(
            "Text is kept for the officer alone, and this site's officer is not the one whom "
            "this computer remembers.",
            hint="Ask the officer. Where that is right: medlabel audit site pin CODE.",
        )
    return history.current.site


def give_reason(desk: Desk, code: str, text: str, values: Iterable[str]) -> Reason:
    """Return a reason for the log; its text is kept apart, for the officers alone.

    Parameters are those of `check_reason`.

    Raises
    ------
    InputError, RefusedError
        As `check_reason`.
    SaveError
        When it cannot be written.
    """
    site = check_reason(desk, code, text, values)
    if site is None:
        return Reason(code)
    return Reason(code, keep_reason(desk.audit_root, site, text, secrets.token_bytes))


def identifying_values(source: Source) -> tuple[str, ...]:
    """Return the values of a scan's header that say who the patient is.

    Parameters
    ----------
    source : Source
        The scan. Only DICOM files hold such values in fields of their own; what else is known
        of the patient counts for every format.

    Returns
    -------
    tuple of str
        Names, numbers and dates. Identity: to compare with, for nothing else.
    """
    known = [one for one in (source.patient_id, source.issuer) if one]
    if source.format == "dicom" and source.files:
        known += _of_file(source.files[0])
    return tuple(dict.fromkeys(known))


def _of_file(path: Path) -> list[str]:
    from napari_medlabel.deid.refusal import PARSE_ERRORS

    try:
        with quiet():
            return list(_of_dataset(read(path.read_bytes())))
    except (OSError, QuarantineError, *PARSE_ERRORS) as err:
        raise InputError(
            "The scan's header could not be read, so a text cannot be checked against it.",
            hint="Open the scan again, or choose a coded reason without a text.",
        ) from err


def _of_dataset(dataset: Dataset) -> Iterable[str]:
    """Yield values at every level: some names stand in sequences."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _of_dataset(item)
        elif element.VR in _KINDS or element.keyword in _NUMBERS:
            text = str(element.value)
            if text:
                yield text
