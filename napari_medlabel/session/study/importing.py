"""Marks from elsewhere into one's own open reading: on the scan's grid, in the study's words.

What a file calls otherwise than the ontology is refused and listed, never renamed by a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from napari_medlabel.edit.journal import is_held
from napari_medlabel.errors import GeometryError, InputError, RefusedError
from napari_medlabel.io.landmarks.reading import SUFFIXES, read_landmarks
from napari_medlabel.io.marks.found import Marks
from napari_medlabel.io.marks.reading import kind_of_marks, read_marks
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model.labelmap import Code, Label, LabelMap
from napari_medlabel.model.landmarks import Landmark, LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.ontology.labels import OntologyLabel
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.session.case import WHOLE, Session
from napari_medlabel.session.opening import open_case
from napari_medlabel.session.place import journal_key
from napari_medlabel.session.saving import save
from napari_medlabel.session.study.blind import require_may_open
from napari_medlabel.session.study.opening import open_to_work
from napari_medlabel.session.study.seat import Reading, Seat, look, require_role

Progress = Callable[[int, int], None]
_OF_DICOM: Final = frozenset({"SEG", "RTSTRUCT", "SR"})
_SIDES: Final = {"24028007": "right", "7771000": "left"}
_JOURNAL: Final = 24  # hex digits of the scan's content id with which a journal's name begins


@dataclass(frozen=True)
class Imported:
    """What came into the open reading.

    Parameters
    ----------
    kind : str
        What kind of file it was.
    labels : tuple of str
        Names in the ontology of the labels that came.
    voxels : int
        How many are labelled now.
    landmarks : int
        How many were placed.
    warnings : tuple of str
        Doubts of the reader, in sentences.
    """

    kind: str
    labels: tuple[str, ...]
    voxels: int
    landmarks: int
    warnings: tuple[str, ...]


def import_marks(  # noqa: PLR0913 - which reading (seat, case, slot, layer), what, and how
    seat: Seat,
    case: CaseId,
    slot: str,
    file: Path,
    *,
    by_value: bool = False,
    replaces: bool = False,
    layer: int = 0,
    from_case: str = "",
    progress: Progress | None = None,
) -> Imported:
    """Take the marks of a file into one's own open reading, and save it.

    Parameters
    ----------
    seat : Seat
        An annotator.
    case : CaseId
        The case.
    slot : str
        A reading of this rater's that is in progress.
    file : Path
        DICOM SEG, RTSTRUCT or SR, ``.seg.nrrd``, COCO, a mask, or landmarks.
    by_value : bool
        Whether a number in a mask without names is the ontology's value of that number.
    replaces : bool
        Whether what was labelled already gives way; it is refused without.
    layer : int
        Of the ontology: its labels alone come; a warning tells of those of other layers.
    from_case : str
        Name of the case in a file that names its cases; this case's own by default.
    progress : callable, optional
        Called with (done, total) of the reading; what it raises ends it.

    Raises
    ------
    RefusedError
        When the file would end the rater's blindness, the reading is not open or another's, or
        something is labelled already, or it is open in a running program.
    GeometryError
        When the marks lie on another grid, or on other images.
    InputError
        When the file cannot be read, it names other cases alone, or a label or a landmark is
        none of the ontology's.
    SaveError, LogError
        When it cannot be saved or logged; what was there stays.
    """
    require_role(seat, "annotator")
    require_may_open(seat.desk, file)
    at = look(seat, case, slot)
    opening = open_to_work(seat, case, slot, layer)
    _require_closed(seat, at, opening.wishes.folder)
    session = open_case(
        opening.paths, seat.desk, opening.wishes, fallback=seat.desk.state / "cases"
    )
    with closing(session):
        if session.recoveries:
            raise RefusedError(
                "Unsaved work of this reading waits from a program that ended without a word.",
                hint="Open the case first, and take it or leave it.",
            )
        name = from_case or str(case)
        marks = _read(seat, at, session.volume, file, name, progress)
        ontology = read_ontology(seat.layout.ontology)
        taken = _take(session, ontology, marks, layer, by_value=by_value)
        _apply(session, marks.kind, taken, replaces=replaces)
        save(session)
    return Imported(
        marks.kind,
        taken.names,
        int(np.count_nonzero(session.labels.array)),
        len(marks.landmarks.placed),
        (*_doubts_of_name(seat, case, file), *marks.warnings, *taken.warnings),
    )


def _doubts_of_name(seat: Seat, case: CaseId, file: Path) -> tuple[str, ...]:
    """Say where a file is called as another case is: many scans of a study share a grid."""
    others = {path.stem for path in seat.layout.cases.glob("*.json")} - {str(case)}
    if any(file.name.startswith((f"{one}_", f"{one}.")) for one in others):
        return ("The file is called as another case of the study is. Look before you submit.",)
    return ()


def _require_closed(seat: Seat, at: Reading, folder: Path | None) -> None:
    """Refuse a case on which a running program has unsaved work, on this layer or the first."""
    content = at.record.content
    places = () if folder is None else (folder, folder.parent)
    keys = {content, *(journal_key(content, place) for place in places)}
    names = [f"{one.removeprefix('sha256:')[:_JOURNAL]}-*.journal" for one in keys]
    if any(is_held(path) for name in names for path in seat.desk.journals.glob(name)):
        raise RefusedError(
            "The case is open in a running program, with work that is not saved.",
            hint="Save it there and close it; or load the file there.",
        )


def _read(
    seat: Seat, at: Reading, scan: Volume, file: Path, name: str, progress: Progress | None
) -> Marks:
    """Read marks onto a scan; DICOM marks by the scan's own images, where they are kept."""
    try:
        kind = kind_of_marks(file)
    except OSError as err:
        raise InputError(
            "The file cannot be read.", hint="Check its name and its permissions."
        ) from err
    if kind is None and file.suffix.lower() in SUFFIXES:
        return Marks("landmarks", landmarks=read_landmarks(file).landmarks)
    if kind not in _OF_DICOM or not at.record.dicom:
        return read_marks(file, scan, progress=progress, case=name)
    images = read_volume(seat.layout.dicom_files(at.case, len(at.record.dicom))[0].parent)
    reason = scan.grid.difference(images.grid)
    if reason:
        raise GeometryError(
            f"The study's DICOM images do not lie where its scan does: {reason}.",
            hint="Let the study's manager see what changed: medlabel project validate STUDY",
        )
    found = read_marks(file, images, progress=progress)
    labels = tuple(LabelMap(scan.grid, one.array, one.scheme) for one in found.labels)
    return replace(found, labels=labels)


@dataclass(frozen=True, eq=False)
class _Taken:
    """Marks in the ontology's words."""

    labels: LabelMap | None
    names: tuple[str, ...]
    landmarks: LandmarkSet
    warnings: tuple[str, ...] = ()


def _take(
    session: Session, ontology: Ontology, marks: Marks, layer: int, *, by_value: bool
) -> _Taken:
    points = marks.landmarks.placed
    if not marks.labels and not points:
        raise InputError(
            "The file holds no labels and no points that a reading can take.",
            hint="Outlines and probabilities are made into labels first.",
        )
    own = session.landmarks
    strange = [mark for mark in points if mark.name not in own]
    if strange:
        raise InputError(
            f"{len(strange)} of {len(points)} landmarks of the file are none of the "
            "ontology's.",
            hint="Give them the names of the study's template.",
        )
    moved = {mark.name: mark for mark in points}
    landmarks = LandmarkSet(
        tuple(_placed(mark, moved[mark.name]) if mark.name in moved else mark for mark in own)
    )
    if not marks.labels:
        return _Taken(None, (), landmarks)
    array = np.zeros_like(session.labels.array)
    names: dict[str, None] = {}
    left: dict[int, None] = {}
    for found in marks.labels:
        numbers = _numbers(found, ontology, by_value=by_value)
        left |= dict.fromkeys(one.layer for one in numbers.values() if one.layer != layer)
        numbers = {value: one for value, one in numbers.items() if one.layer == layer}
        table = np.zeros(max((*found.voxel_counts(), 0)) + 1, array.dtype)
        for value, known in numbers.items():
            table[value] = known.value
        part = table[found.array.T].T
        if ((part != 0) & (array != 0)).any():
            raise InputError(
                "Labels of the file overlap, and a layer holds one for each voxel.",
                hint="Leave out the segments that lie over others, and import the file then.",
            )
        array += part
        names |= dict.fromkeys(label.name for label in numbers.values())
    others = ", ".join(str(one) for one in sorted(left))
    if left and not names:
        raise InputError(
            f"The labels of the file lie on other layers of the ontology: {others}.",
            hint=f"Import it there: --layer {min(left)}",
        )
    words = (f"Labels of other layers were left out; import them, too: --layer {others}.",)
    labels = LabelMap(session.labels.grid, array, session.labels.scheme)
    return _Taken(labels, tuple(names), landmarks, words if left else ())


def _placed(own: Landmark, given: Landmark) -> Landmark:
    return replace(own, point_ras=given.point_ras, absent="", uncertain_mm=given.uncertain_mm)


def _numbers(
    found: LabelMap, ontology: Ontology, *, by_value: bool
) -> dict[int, OntologyLabel]:
    """Return which label of the ontology each value of a file is."""
    counts = found.voxel_counts()
    scheme = found.scheme.with_unnamed(counts)
    # A value that no table names is called by its number: that is no name.
    bare = {v for v in counts if v not in found.scheme.values or _is_bare(scheme[v])}
    numbers: dict[int, OntologyLabel] = {}
    unknown = []
    for value in counts:
        if value in bare:
            same = [one for one in ontology.labels if by_value and one.value == value]
        else:
            same = _same(scheme[value], ontology)
        if len(same) == 1:
            numbers[value] = same[0]
        else:
            unknown.append(value)
    if unknown:
        listed = ", ".join(map(str, sorted(unknown)))
        raise InputError(
            f"{len(unknown)} of {len(counts)} labels of the file are none of the ontology's, "
            f"by name or by code: number {listed}.",
            hint="Name them as the ontology does. In a mask without names: --by-value, when "
            "its numbers are the ontology's.",
        )
    return numbers


def _is_bare(label: Label) -> bool:
    return label.code is None and label.name == f"Label {label.value}"


def _same(label: Label, ontology: Ontology) -> list[OntologyLabel]:
    """Return the labels of an ontology that a file's label is: by name, else by code and side.

    Where the name says one and the code another, it is none of them.
    """
    code = label.code
    named = [o for o in ontology.labels if o.name.casefold() == label.name.strip().casefold()]
    coded = [o for o in ontology.labels if code is not None and _is_coded(o, code)]
    if named and coded:
        return [one for one in named if one in coded]
    if named:
        other = code is not None and named[0].coding is not None and bool(code.value)
        return [] if other and not _is_tissue(code) else named
    return coded


def _is_coded(one: OntologyLabel, code: Code) -> bool:
    coding = one.coding
    if coding is None:
        return False
    own = coding.type
    modifier = "" if coding.modifier is None else _SIDES.get(coding.modifier.value, "")
    side = own.side or modifier
    same = (own.scheme, own.value) == (code.scheme, code.value)
    return same and (not side or not code.side or side == code.side)


def _is_tissue(code: Code | None) -> bool:
    """Tell whether a code says nothing: what is written where nothing is known."""
    return code is not None and code.value == "85756007"


def _apply(session: Session, kind: str, taken: _Taken, *, replaces: bool) -> None:
    """Put what was taken into the reading as steps of it, with the event of the import."""
    if taken.labels is not None and session.labels.array.any() and not replaces:
        raise RefusedError(
            "Something is labelled in this reading already, and the import would replace it.",
            hint="Import with --replace; what was saved before stays among the versions.",
        )
    session.outbox.tell(session.events.imported(kind))
    if taken.labels is not None:
        # Nobody drew it here: it counts as what a tool suggested.
        session.edit(WHOLE, taken.labels.array, name=f"Import {kind}", origin="assisted")
    session.set_landmarks(taken.landmarks, name=f"Import {kind}")
