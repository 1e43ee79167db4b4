"""What is told of a release: its splits, its table of patients, its facts and its documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from napari_medlabel import __version__
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import explain_os_error, make_folder
from napari_medlabel.io.nifti.reading import read_labels_nifti
from napari_medlabel.model.labelmap import count_labels
from napari_medlabel.project.agreement.report import ITEMS, plots, summarise, write_report
from napari_medlabel.project.agreement.report import Facts as Compared
from napari_medlabel.project.cases.participants import SPLIT, read_participants, splits
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.cases.version import Pins
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.release.balance import (
    Rows,
    balance_of,
    published,
    require_cells,
    strata_of,
)
from napari_medlabel.project.release.coarser import coarsen
from napari_medlabel.project.release.documents import KEYS, documents
from napari_medlabel.project.release.facts import (
    Agreement,
    Draw,
    Facts,
    Sources,
    agreement_of,
    facts_of,
)
from napari_medlabel.project.release.manifest import files_of, measured
from napari_medlabel.project.release.splits import (
    SPLITS,
    Shares,
    Split,
    divide,
    require_no_leak,
)
from napari_medlabel.session.study.comparing import compare_study
from napari_medlabel.session.study.seat import Seat, worklist

GRRAS: Final = "GRRAS.md"
PLOTS: Final = "agreement"


@dataclass(frozen=True)
class Telling:
    """What a release tells beside its scans and masks.

    Parameters
    ----------
    shares : Shares or None
        How patients are drawn into splits; None leaves them as ``participants.tsv`` has them.
    seed : int
        Of the draw.
    strata : tuple of str
        Columns that are kept alike in all splits.
    smallest : int
        How many patients share each combination of what is told of them, at least; 0 for any.
    coarser : bool
        Whether columns are made coarser or left out for that; else a smaller group is refused.
    stated : mapping of str to str
        What people wrote for the documents.
    """

    shares: Shares | None = field(default_factory=Shares)
    seed: int = 1
    strata: tuple[str, ...] = ()
    smallest: int = 0
    coarser: bool = False
    stated: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Patients:
    """The table of patients as it is released.

    Parameters
    ----------
    rows : mapping
        Cells by code, the split among them where there are splits.
    cases : mapping of CaseId to str
        Split of each case; empty where there are none.
    draw : Draw or None
        How splits were drawn.
    coarsened : tuple of str
        Columns that tell less than the study's table.
    """

    rows: Rows
    cases: Mapping[CaseId, Split]
    draw: Draw | None
    coarsened: tuple[str, ...]


def patients_of(seat: Seat, records: Sequence[CaseRecord], telling: Telling) -> Patients:
    """Draw splits, and return the table of the patients who are released.

    Raises
    ------
    RefusedError
        When a patient or a scan would lie in two splits, or a group of patients is too small.
    InputError
        When the table or a column is none.
    """
    codes = sorted({record.case.subject for record in records})
    table = read_participants(seat.layout.participants)
    rows = {code: dict(table.get(code, {})) for code in codes}
    before = {code: row.pop(SPLIT, "") for code, row in rows.items()}
    draw = None
    if telling.shares is None:
        told = splits({code: {SPLIT: split} for code, split in before.items()})
        of_code = {code: _split(split) for code, split in told.items()}
    else:
        strata = strata_of(rows, telling.strata) if telling.strata else None
        rng = np.random.default_rng(telling.seed)
        division = divide(records, telling.shares, rng, strata=strata)
        draw = Draw(telling.seed, telling.shares, division, telling.strata)
        of_code = dict(division.patients)
    cases = {r.case: of_code[r.case.subject] for r in records if r.case.subject in of_code}
    require_no_leak(records, cases)
    coarsened: tuple[str, ...] = ()
    if telling.smallest and telling.coarser:
        rows, coarsened = coarsen(rows, telling.smallest)
    elif telling.smallest:
        require_cells(rows, published(rows), telling.smallest)
    if of_code:
        rows = {code: {**row, SPLIT: of_code.get(code, "")} for code, row in rows.items()}
    return Patients(rows, cases, draw, coarsened)


def facts_for(
    seat: Seat,
    named: tuple[str, str, Pins],
    records: tuple[CaseRecord, ...],
    patients: Patients,
    volumes_ml: Mapping[CaseId, Mapping[str, float]],
) -> Facts:
    """Return the facts of a release, but what its chain, raters' agreement and people tell.

    Parameters
    ----------
    named : tuple
        Name of the release, when it was made, and under which rules.
    volumes_ml : mapping
        Volume of each label by its id, for each case.
    """
    ontology = read_ontology(seat.layout.ontology)
    sources = Sources(seat.settings, records, worklist(seat), ontology)
    rows = {code: _without_split(row) for code, row in patients.rows.items()}
    return replace(
        facts_of(*named, sources),
        balance=balance_of(records, rows, patients.cases, volumes_ml),
        draw=patients.draw,
        coarsened=patients.coarsened,
    )


def volumes_of(masks: Iterable[Path], ontology: Ontology) -> dict[str, float]:
    """Return the volume of each label in the masks of all layers, in ml, by the label's id."""
    counts: dict[int, int] = {}
    voxel_ml = 0.0
    for mask in masks:
        array, grid = read_labels_nifti(mask)
        voxel_ml = abs(float(np.linalg.det(grid.affine.matrix[:3, :3]))) / 1000.0
        counts |= {value: count for value, count in count_labels(array).items() if value}
    # Rounded as nobody measures finer: 1 cubic millimetre.
    return {
        label.id: round(counts[label.value] * voxel_ml, 3)
        for label in ontology.labels
        if label.value in counts
    }


def stated_keys() -> tuple[str, ...]:
    """Return the items that people may state: of the documents, and of the report by GRRAS."""
    return tuple(dict.fromkeys((*KEYS, *(key for key, _ in ITEMS))))


def write_agreement(
    seat: Seat,
    folder: Path,
    stated: Mapping[str, str],
    tick: Callable[[int, int], object] = lambda *_: None,
    settled: Sequence[str] = (),
) -> tuple[Agreement, ...]:
    """Write the report by GRRAS with its plots; return the figures between raters.

    Nothing is written where no case has two readings to compare.

    Parameters
    ----------
    stated : mapping of str to str
        What people wrote; items of other documents are left to these.
    tick : callable
        Told how many cases were compared, of how many; it raises to end the work.
    settled : sequence of str
        Who settled where readings differed, in sentences.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    if seat.settings.readings < 2:
        return ()
    try:
        found = compare_study(seat, tick=tick)
    except InputError:  # nothing to compare: then nothing is stated
        return ()
    summary = summarise(found.table, found.answers, seed=seat.settings.seed)
    drawn = plots(summary)
    names = {name: f"{PLOTS}/{name}.svg" for name in drawn}
    about = Compared(
        seat.settings,
        f"napari-medlabel {__version__}",
        found.cases,
        found.left_out,
        is_first=True,
        stated={key: stated[key] for key, _ in ITEMS if key in stated},
        settled=settled,
        repeats=found.repeats,
    )
    _write(folder / GRRAS, write_report(summary, about, names).encode())
    for name, svg in drawn.items():
        _write(folder / names[name], svg.encode())
    return agreement_of(summary.between)


def write_documents(folder: Path, facts: Facts) -> None:
    """Write all documents that follow from the facts.

    Raises
    ------
    InputError
        When people state what no document asks for.
    SaveError
        When they cannot be written.
    """
    of_report = {key for key, _ in ITEMS} - set(KEYS)
    own = {key: words for key, words in facts.stated.items() if key not in of_report}
    facts = replace(facts, stated=own)
    files = [measured(path, relative) for path, relative in files_of(folder)]
    head = (folder / "participants.tsv").read_text(encoding="utf-8").partition("\n")[0]
    for name, data in documents(facts, files, head.split("\t")).items():
        _write(folder / name, data)


def _split(told: str) -> Split:
    for split in SPLITS:
        if split == told:
            return split
    raise InputError(
        f"A split in participants.tsv is one of {', '.join(SPLITS)}, and another word came.",
        hint="Mend the table, or let the release draw splits: --shares.",
    )


def _without_split(row: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in row.items() if key != SPLIT}


def _write(path: Path, data: bytes) -> None:
    make_folder(path.parent)
    try:
        path.write_bytes(data)
    except OSError as err:
        raise explain_os_error(err) from err
