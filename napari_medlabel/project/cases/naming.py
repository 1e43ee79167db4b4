"""Names of new cases: which patient, which kind of scan, and the first name that is free."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.layout import CaseId

KINDS: Final = (
    *("ct", "mr", "pet", "nm", "us", "xr", "mg", "xa", "scan"),
    *("T1w", "T2w", "FLAIR", "PDw", "T2starw", "angio", "T1map", "T2map", "inplaneT1"),
)
"""What a scan may be called: a closed list, so that no name of a person becomes one."""
OUTSIDE_BIDS: Final = KINDS[:9]
"""Those that BIDS does not have in its folder ``anat``."""
_BY_MODALITY: Final[Mapping[str, str]] = {
    "CT": "ct", "MR": "mr", "PT": "pet", "NM": "nm", "US": "us", "CR": "xr", "DX": "xr",
    "MG": "mg", "XA": "xa", "RF": "xa",
}  # fmt: skip
_CODE: Final = re.compile(r"[A-Za-z]{0,4}[0-9]{1,4}")


def kind_of(modality: str) -> str:
    """Return what a scan of a modality is called when nobody says."""
    return _BY_MODALITY.get(modality, "scan")


def require_kind(kind: str) -> str:
    """Return a kind of scan when it is one of `KINDS`.

    Raises
    ------
    InputError
        When it is none.
    """
    if kind not in KINDS:
        raise InputError(
            "There is no such kind of scan.", hint=f"Choose one of: {', '.join(KINDS)}."
        )
    return kind


def require_code(code: str, what: str) -> str:
    """Return a code of a patient or a visit when it is one: it stands in every file name.

    Up to four letters and one to four digits: a name, a hospital's number and a date are
    longer or have no digits.

    Raises
    ------
    InputError
        When it is none; what came is not repeated.
    """
    if not _CODE.fullmatch(code):
        raise InputError(
            f"The code of a {what} is up to four letters and then one to four digits.",
            hint="For example 001 or p07. It stands in file names: no name, no number of a "
            "hospital, no date.",
        )
    return code


def choose_subject(
    records: Iterable[CaseRecord], *, link: str, key: str, wanted: str = ""
) -> str:
    """Return a patient's code in the study: the one they have, else the next free number.

    Parameters
    ----------
    records : iterable of CaseRecord
        The study's.
    link : str
        The patient under the project key; empty where the scan names nobody.
    key : str
        Key id of that key.
    wanted : str
        The code somebody asks for; empty for none.

    Raises
    ------
    RefusedError
        When the study's patients are known by another key, the patient has another code, or
        the code is another patient's.
    """
    records = tuple(records)
    keys = {record.key for record in records if record.link}
    if link and keys and key not in keys:
        raise RefusedError(
            f"The patients of this study are linked by the project key k-{min(keys)}; "
            f"this is k-{key}, and one patient would get two codes.",
            hint="Give the study's key with --key.",
        )
    by_link = {record.link: record.case.subject for record in records if record.link}
    has = by_link.get(link, "") if link else ""
    if wanted and has and wanted != has:
        raise RefusedError(
            f"This patient is sub-{has} in the study already.",
            hint="Leave --subject out: one patient has one code.",
        )
    if wanted and link and not has and wanted in by_link.values():
        raise RefusedError(
            f"sub-{wanted} is another patient of the study.",
            hint="Leave --subject out, and the patient gets the next free code.",
        )
    return wanted or has or _next(record.case.subject for record in records)


def free_case(
    taken: Iterable[CaseId], subject: str, session: str, kind: str, *, run: int = 0
) -> CaseId:
    """Return the first free name: without a number, then run 2, 3, ...

    Parameters
    ----------
    taken : iterable of CaseId
        Names that are given.
    subject, session, kind : str
        Parts of the name.
    run : int
        The number to begin with.
    """
    names = set(taken)
    case = CaseId(subject, session, run, kind)
    while case in names:
        case = CaseId(subject, session, max(case.run, 1) + 1, kind)
    return case


def _next(subjects: Iterable[str]) -> str:
    numbers = [int(one) for one in subjects if one.isdecimal()]
    return f"{max(numbers, default=0) + 1:03d}"
