"""Records of cases made by hand: for tests of what is released."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.cases.version import Pins
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.release.balance import balance_of
from napari_medlabel.project.release.facts import Agreement, Draw, Facts, Sources, facts_of
from napari_medlabel.project.release.making import Making
from napari_medlabel.project.release.splits import Shares, divide
from napari_medlabel.project.settings import Settings
from napari_medlabel.project.work.fold import CaseRow, SlotState, Worklist


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


def pins() -> Pins:
    return Pins(digest("ontology"), digest("guideline"))


def bare() -> Facts:
    """Return facts that know next to nothing."""
    return Facts("Livers", "2026-11", "2026-11-22T12:00:00.000Z", pins(), "", 0, 0)


def whole() -> Facts:
    """Return facts of four scans of three patients, read twice, split and compared."""
    records = (record("001", session="01"), record("001", session="02"), record("002"),
               record("003"))  # fmt: skip
    records = (replace(records[0], manifest=digest("report")), *records[1:])
    rows = {code: {"sex": sex, "age": "63"} for code, sex in zip(CODES, "FFM", strict=True)}
    done = SlotState("approved", 4, "u1-a", "u1-c", digest("m1"), 1, active_s=3600,
                     ontology=pins().ontology, guideline=pins().guideline)  # fmt: skip
    older = replace(done, state="stale", user="u1-b", ontology=digest("older"))
    read = {"A": done, "B": older, "C": done}  # C tests its reader
    cases = [CaseRow(one.case, one.content, read) for one in records[:2]]
    cases += [CaseRow(one.case, one.content, {"A": SlotState()}) for one in records[2:]]
    cases.append(CaseRow(CaseId("099"), digest("unreleased"), {"A": done}))
    ontology = Ontology("Livers", (OntologyLabel("liver", 1, "Liver | whole", "#b5651d"),))
    sources = Sources(Settings("Livers", readings=2), records, Worklist(tuple(cases)), ontology)
    shares = Shares(0.5, 0.25, 0.25)
    division = divide(records, shares, np.random.default_rng(7))
    return replace(
        facts_of("2026-11", "2026-11-22T12:00:00.000Z", pins(), sources),
        balance=balance_of(records, rows, division.cases(records), {}),
        raters=2,
        reviewers=1,
        states={"approved": 2, "stale": 2, "todo": 2},
        older_rules=2,
        making=Making({"adjudicate": 2, "single": 1, "union": 1}, {"1": 1, "2": 3}, 5,
                      {"sub-002_ct": 25}),
        draw=Draw(7, shares, division, ("sex",)),
        agreement=(Agreement("Liver", "dice", 0.912, 0.9, 0.93, 0.95, 4),
                   Agreement("Liver", "hd95_mm", 3.5, None, None, None, 1)),
    )  # fmt: skip


CODES = ("001", "002", "003")
