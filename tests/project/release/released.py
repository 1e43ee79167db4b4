"""Records of cases made by hand: for tests of what is released."""

from __future__ import annotations

import hashlib

from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.layout import CaseId


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def record(
    code: str,
    *,
    patient: str = "",
    pixels: str = "",
    link: str = "",
    session: str = "",
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 3.0),
) -> CaseRecord:
    case = CaseId(code, session)
    token = hashlib.sha256((patient or code).encode()).hexdigest()[:32]
    return CaseRecord(
        case, digest(f"{case}"), f"s1-{token}", digest(f"file {case}"),
        digest(pixels or f"pixels {case}"), (digest(f"raw {case}"),), "", "CT", (6, 5, 4),
        spacing_mm, "2026-11-22T12:00:00Z", link, "k1" if link else "",
    )  # fmt: skip
