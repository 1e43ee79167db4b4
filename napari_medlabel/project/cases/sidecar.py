"""The sidecar of a scan: what adding wrote, and nothing that somebody put there afterwards."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import RefusedError
from napari_medlabel.project.cases.dataset import as_json
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.layout import CaseId, Layout

TEXTS: Final = ("Manufacturer", "ManufacturersModelName")
NUMBERS: Final = ("MagneticFieldStrength", "SliceThickness")
_PROGRAM: Final = "napari-medlabel"
_EDITION: Final = re.compile(r"[0-9]+(\.[0-9a-z]{1,12}){0,4}(\+[0-9a-z.]{1,24})?")


def sidecar_path(layout: Layout, case: CaseId) -> Path:
    """Return where the sidecar of a scan lies."""
    return layout.scan(case).with_name(f"{case}.json")


def leaving_sidecar(layout: Layout, record: CaseRecord) -> bytes | None:
    """Return what a scan's sidecar may tell outside the study.

    Its bytes, where they are those of the record. A record from before records had the digest
    proves nothing about words: then the program, the modality and numbers leave, made anew.

    Parameters
    ----------
    layout : Layout
        The study.
    record : CaseRecord
        The case.

    Returns
    -------
    bytes or None
        None where there is none, and the record tells of none.

    Raises
    ------
    RefusedError
        When it is not what adding wrote; it tells how many entries are strange, no word of it.
    """
    try:
        data = sidecar_path(layout, record.case).read_bytes()
    except FileNotFoundError:
        if record.sidecar:
            raise _refused("is missing") from None
        return None
    except OSError as err:
        raise _refused("cannot be read") from err
    if record.sidecar:
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != record.sidecar:
            raise _refused("is not the one that was added")
        return data
    try:
        told = json.loads(data)
    except ValueError as err:
        raise _refused("is no JSON") from err
    if not isinstance(told, dict):
        raise _refused("is no JSON object")
    return as_json(_proven(told, record))


def _proven(told: Mapping[str, Any], record: CaseRecord) -> dict[str, Any]:
    """Return the entries that need no trust; refuse what adding never writes."""
    forms: dict[str, Callable[[Any], bool]] = {
        "ConversionSoftware": lambda value: value == _PROGRAM,
        "ConversionSoftwareVersion": lambda value: bool(_EDITION.fullmatch(str(value))),
        "Modality": lambda value: value == record.modality,
        **dict.fromkeys(NUMBERS, _is_number),
    }
    known = {*forms, *TEXTS}
    strange = sum(key not in known or (key in forms and not forms[key](told[key]))
                  for key in told)  # fmt: skip
    if strange:
        raise _refused(f"has entries that adding does not write ({strange})")
    return {key: value for key, value in told.items() if key in forms}


def _is_number(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(float(value))  # type: ignore[arg-type]


def _refused(what: str) -> RefusedError:
    return RefusedError(
        f"The sidecar of the scan {what}.",
        hint="Put the file back as it was, from a backup; what it should tell in addition "
        "belongs into the scan's DICOM header before it is added.",
    )
