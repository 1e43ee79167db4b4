"""The facts of a release: one object that every document is written from, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from napari_medlabel import __version__
from napari_medlabel.project.agreement.summary import LabelSummary
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.cases.version import Pins
from napari_medlabel.project.layout import CONSENSUS
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.release.balance import Balance
from napari_medlabel.project.release.making import Making
from napari_medlabel.project.release.splits import Division, Shares
from napari_medlabel.project.settings import Settings
from napari_medlabel.project.work.fold import Worklist


@dataclass(frozen=True)
class Agreement:
    """How far raters agree on a label, by one measure.

    Parameters
    ----------
    label, measure : str
        Name of the label; one of `table.MEASURES`.
    mean : float
        Over cases.
    low, high, confidence : float or None
        Its interval; None with less than two cases.
    cases : int
        How many were compared.
    """

    label: str
    measure: str
    mean: float
    low: float | None
    high: float | None
    confidence: float | None
    cases: int


@dataclass(frozen=True)
class Draw:
    """How splits were drawn.

    Parameters
    ----------
    seed : int
        Of the generator.
    shares : Shares
        Asked for.
    division : Division
        What came of it.
    strata : tuple of str
        Columns that were kept alike.
    """

    seed: int
    shares: Shares
    division: Division
    strata: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sources:
    """What a study's folder holds.

    Parameters
    ----------
    settings : Settings
        Its rules.
    records : tuple of CaseRecord
        Of the cases that are released.
    worklist : Worklist
        Folded from its log; other cases in it are left out.
    ontology : Ontology
        What is labelled.
    """

    settings: Settings
    records: tuple[CaseRecord, ...]
    worklist: Worklist
    ontology: Ontology


@dataclass(frozen=True)
class Facts:
    """What is known of a release. Empty, None or 0 of something optional: nobody knows.

    Parameters
    ----------
    study, release, made : str
        Names, and when (ISO 8601 in UTC).
    pins : Pins
        Digests of ontology and guidelines at the release.
    software : str
        Name and version.
    patients, cases : int
        How many codes, and how many scans of theirs.
    modalities : mapping of str to int
        Scans of each.
    cleaned, originals : int
        Scans that came through de-identification here; files that all were made of.
    labels : tuple of tuple of int and str
        Value and name.
    templates, questions : int
        Sets of landmarks, and questions.
    making : Making or None
        How the released masks came to be, counted from their chain.
    raters, reviewers, states, older_rules
        Who worked on it, and how far, counted from its chain: see `worked.Worked`.
    active_s : int
        Seconds of work that submissions of the study's own readings tell.
    balance : Balance or None
        What the release is made of.
    draw : Draw or None
        How it was split.
    agreement : tuple of Agreement
        Between raters.
    coarsened : tuple of str
        Columns of patients that were made coarser, or left out, so that groups are larger.
    stated : mapping of str to str
        What people wrote, by the keys of the documents.
    """

    study: str
    release: str
    made: str
    pins: Pins
    software: str
    patients: int
    cases: int
    modalities: Mapping[str, int] = field(default_factory=dict)
    cleaned: int = 0
    originals: int = 0
    labels: tuple[tuple[int, str], ...] = ()
    templates: int = 0
    questions: int = 0
    making: Making | None = None
    raters: int = 0
    reviewers: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    older_rules: int = 0
    active_s: int = 0
    balance: Balance | None = None
    draw: Draw | None = None
    agreement: tuple[Agreement, ...] = ()
    coarsened: tuple[str, ...] = ()
    stated: Mapping[str, str] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Return plain data for ``facts.json``; of who is in which split it tells counts."""
        draw = self.draw
        plain = {key: value for key, value in vars(self).items() if key not in _OWN_FORM}
        return {
            **plain,
            "medlabel": "facts",
            "v": 1,
            "pins": asdict(self.pins),
            "making": self.making and asdict(self.making),
            "balance": self.balance and self.balance.record(),
            "draw": draw
            and {
                "seed": draw.seed,
                "shares": asdict(draw.shares),
                "patients": draw.division.counts(),
                "strata": list(draw.strata),
                "notes": list(draw.division.notes),
            },
            "agreement": [asdict(one) for one in self.agreement],
            "coarsened": list(self.coarsened),
        }


_OWN_FORM = frozenset({"pins", "making", "balance", "draw", "agreement", "coarsened"})


def facts_of(release: str, made: str, pins: Pins, sources: Sources) -> Facts:
    """Return the facts that a study's folder tells.

    What is computed or written beside it (making, who worked on it, balance, draw, agreement,
    stated) is added with `dataclasses.replace`.

    Parameters
    ----------
    release, made : str
        Its name, and when.
    pins : Pins
        Digests of today's ontology and guidelines.
    sources : Sources
        What the folder holds.
    """
    records, ontology = sources.records, sources.ontology
    cases = {record.case for record in records}
    own = (*sources.settings.slots, CONSENSUS)  # others test their reader
    slots = [
        slot
        for row in sources.worklist.rows
        if row.case in cases
        for name, slot in row.slots.items()
        if name in own
    ]
    return Facts(
        study=sources.settings.name,
        release=release,
        made=made,
        pins=pins,
        software=f"napari-medlabel {__version__}",
        patients=len({case.subject for case in cases}),
        cases=len(cases),
        modalities=_counts([record.modality for record in records if record.modality]),
        cleaned=sum(bool(record.manifest) for record in records),
        originals=len({one for record in records for one in record.originals}),
        labels=tuple((label.value, label.name) for label in ontology.labels),
        templates=len(ontology.templates),
        questions=len(ontology.questions),
        active_s=sum(slot.active_s for slot in slots),
    )


def agreement_of(labels: Sequence[LabelSummary]) -> tuple[Agreement, ...]:
    """Return the figures between raters, as `summary.label_summaries` has them."""
    found = []
    for label in labels:
        for measure, figure in label.figures.items():
            span = figure.interval
            low, high = (None, None) if span is None else (span.low, span.high)
            sure = None if span is None else span.confidence
            found.append(
                Agreement(label.name, measure, figure.mean, low, high, sure, figure.cases)
            )
    return tuple(found)


def _counts(values: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
