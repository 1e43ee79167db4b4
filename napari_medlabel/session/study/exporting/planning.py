"""Planning an export: choose what leaves, and let every gate say all it has to say."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.project.cases.participants import against_leaving, read_participants
from napari_medlabel.project.cases.version import ORIGINS, read_landmarks
from napari_medlabel.project.cases.version_words import words_of
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.document import read_ontology, to_json
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.release.splits import find_leaks
from napari_medlabel.project.release.unresolved import unresolved_in
from napari_medlabel.project.work.rulings import against_rules
from napari_medlabel.session.study.exporting.choosing import choose
from napari_medlabel.session.study.exporting.gates import (
    judge_files,
    judge_origin,
    judge_version,
)
from napari_medlabel.session.study.exporting.logbook import read_logbook
from napari_medlabel.session.study.exporting.plan import (
    Chosen,
    ExportPlan,
    GateFinding,
    TypedCount,
)
from napari_medlabel.session.study.exporting.raters import named_readings
from napari_medlabel.session.study.exporting.typed import count_typed
from napari_medlabel.session.study.exporting.wish import OF_DICOM, ExportWish, Format
from napari_medlabel.session.study.seat import Seat, require_role
from napari_medlabel.session.study.setting_up import rules_in_force

Progress = Callable[[int, int], None]
UNRESOLVED: Final = ORIGINS.index("unresolved")
_HIGHDICOM: Final[frozenset[Format]] = frozenset({"dicom-seg", "sr"})
_TRAINING: Final[frozenset[Format]] = frozenset({"nnunet", "monai"})
_HOLDS_UNRESOLVED: Final[frozenset[Format]] = frozenset({"nifti", "nnunet", "csv", "sr"})


def _silent(*_: object) -> None:
    return None


def plan_export(seat: Seat, wish: ExportWish, *, progress: Progress = _silent) -> ExportPlan:
    """Plan an export; nothing is written, and nothing is refused that a gate can say.

    Parameters
    ----------
    seat : Seat
        Somebody with the role releaser or manager.
    wish : ExportWish
        What is wanted.
    progress : callable
        Called with (done, total); what it raises ends the work.

    Returns
    -------
    ExportPlan
        With all findings of all gates: `leaving.write_export` refuses while one blocks.

    Raises
    ------
    RefusedError
        When the role is missing.
    InputError
        When the study has no such case, or its own files cannot be read.
    """
    require_role(seat, "releaser", "manager")
    logbook = read_logbook(seat)
    chosen, findings = choose(seat, wish, logbook.told)
    found = list(findings)
    if not chosen and (wish.skip or not found):
        found.append(GateFinding("review", "There is no case that may leave."))
    ontology = read_ontology(seat.layout.ontology)
    found += _of_formats(wish, chosen)
    found += _of_layers(wish, ontology.layers)
    found += _of_raters(wish, chosen)
    if wish.scans:
        found += _of_patients(seat.layout, chosen)
    names = frozenset(mark.name for mark in ontology.landmarks)
    known = frozenset(words_of(to_json(ontology)))
    dicom = bool(OF_DICOM & set(wish.formats))
    for number, one in enumerate(chosen):
        progress(number, len(chosen))
        found += judge_origin(seat.layout, one.record, logbook.told)
        found += judge_files(seat.layout, one.record, dicom=dicom)
        found += _of_case(seat.layout, wish, one)
        found += _typed(seat.layout, one, names)
        for version in (one.version, *one.readings):
            found += judge_version(seat.layout, one.record, version, known)
    progress(len(chosen), len(chosen))
    wrong = against_rules(seat.layout, rules_in_force(seat.layout, seat.reader))
    if wrong:
        found.append(GateFinding("rules", wrong))
    found += logbook.against()
    typed = _count_typed(seat.layout, wish, ontology, chosen)
    return ExportPlan(wish, chosen, tuple(dict.fromkeys(found)), logbook.verdict, typed)


def _count_typed(
    layout: Layout, wish: ExportWish, ontology: Ontology, chosen: tuple[Chosen, ...]
) -> TypedCount:
    """Count what somebody typed, where the tables leave that would hold it."""
    if "csv" not in wish.formats:
        return TypedCount()
    return count_typed(layout, ontology, chosen, wanted=wish.typed)


def _of_patients(layout: Layout, chosen: tuple[Chosen, ...]) -> Iterator[GateFinding]:
    """Yield what of the table of patients would leave and may not."""
    rows = read_participants(layout.participants)
    leaving = {one.record.case.subject for one in chosen}
    kept = {code: row for code, row in rows.items() if code in leaving}
    for words in against_leaving(kept):
        yield GateFinding("clean", words)


def _of_case(layout: Layout, wish: ExportWish, one: Chosen) -> Iterator[GateFinding]:
    """Yield what single formats cannot hold of a case."""
    case = one.record.case
    for kind in wish.formats:
        if kind in OF_DICOM and not one.record.dicom:
            words = "The study has no DICOM images of it: it came as NIfTI, or with --no-dicom."
            yield GateFinding("format", words, case, kind)
    if "sr" in wish.formats:
        marks = read_landmarks(layout, one.version)
        if marks is None or not marks.placed:
            yield GateFinding("format", "It has no landmark.", case, "sr")
    short = [kind for kind in wish.formats if kind not in _HOLDS_UNRESOLVED]
    if not short or one.state != "consensus":
        return
    try:
        found = unresolved_in(layout, one.version)
    except InputError:
        return  # its scan is judged by another gate
    for kind in short:
        layers = {wish.layer or 0} if kind in _TRAINING else set(found)
        count = sum(np.count_nonzero(found[layer]) for layer in layers & set(found))
        if count:
            words = (
                f"{count} voxels of its consensus are not resolved, and the format has no word "
                "for that."
            )
            yield GateFinding("format", words, case, kind)


def _typed(layout: Layout, one: Chosen, names: frozenset[str]) -> Iterator[GateFinding]:
    """Yield landmarks under names that somebody typed: any word may be in them."""
    typed: set[str] = set()
    for version in (one.version, *one.readings):
        marks = read_landmarks(layout, version) or ()
        typed |= {mark.name for mark in marks} - names
    if typed:
        words = (
            f"{len(typed)} of its landmarks have names that the ontology does not have: what "
            "somebody typed does not leave. Add them to a template of the ontology."
        )
        yield GateFinding("clean", words, one.record.case)


def _of_formats(wish: ExportWish, chosen: tuple[Chosen, ...]) -> Iterator[GateFinding]:
    """Yield what stands against a format as a whole."""
    leaks = find_leaks((one.record for one in chosen), wish.splits)
    if leaks:
        words = f"{len(leaks)} patients or scans are in two splits."
        yield GateFinding("format", words)
    for kind in wish.formats:
        if kind in _HIGHDICOM and importlib.util.find_spec("highdicom") is None:
            words = "A package is missing: pip install 'napari-medlabel[seg]'"
            yield GateFinding("format", words, format=kind)
        if kind not in _TRAINING or not chosen:
            continue
        if len({one.record.modality for one in chosen}) > 1:
            words = "The cases are of several modalities, and a training set has one."
            yield GateFinding("format", words, format=kind)
        if all(wish.splits.get(one.record.case) == "test" for one in chosen):
            words = "All cases are for the test, and none for training."
            yield GateFinding("format", words, format=kind)


def _of_raters(wish: ExportWish, chosen: tuple[Chosen, ...]) -> Iterator[GateFinding]:
    """Yield what stands against a training set of one rater's labels alone."""
    if not wish.by_rater:
        return
    tested: dict[str, set[bool]] = {}
    for one in chosen:
        is_test = wish.splits.get(one.record.case) == "test"
        for code, _ in named_readings(one.readings):
            tested.setdefault(code, set()).add(is_test)
    if any(False not in seen for seen in tested.values()):
        words = "All cases of one rater are for the test: there is none for training."
        yield from (
            GateFinding("format", words, format=k) for k in wish.formats if k in _TRAINING
        )


def _of_layers(wish: ExportWish, layers: tuple[int, ...]) -> Iterator[GateFinding]:
    """Yield what stands against formats with one label for each voxel."""
    known = ", ".join(str(layer) for layer in layers)
    for kind in (one for one in wish.formats if one in _TRAINING):
        if wish.layer is None and len(layers) > 1:
            words = (
                f"The ontology has labels on the layers {known}, which may overlap, and the "
                "format holds one label for each voxel: choose one with --layer."
            )
            yield GateFinding("format", words, format=kind)
        if wish.layer is not None and wish.layer not in layers:
            words = f"The ontology has no labels on layer {wish.layer}; it has: {known}."
            yield GateFinding("format", words, format=kind)
