"""Opening a reading of a study as a session: to work on, to review, or to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.project.cases.version import (
    LANDMARKS,
    PROVENANCE,
    sheet_kind,
    whole_digest,
)
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.work.states import named
from napari_medlabel.session.case import MASK_FILE
from napari_medlabel.session.opening import Wishes
from napari_medlabel.session.study.blind import require_may_see
from napari_medlabel.session.study.folders import open_folder
from napari_medlabel.session.study.lettering import own_name
from napari_medlabel.session.study.seat import Reading, Seat, at_reading, look
from napari_medlabel.session.study.serving import open_work_folder
from napari_medlabel.session.study.sheets import sheet_folder
from napari_medlabel.session.study.whole import version_at
from napari_medlabel.session.study.working import require_own


@dataclass(frozen=True)
class Opening:
    """What `session.opening.open_case` needs.

    Parameters
    ----------
    paths : tuple of Path
        The study's scan.
    wishes : Wishes
        Folder, classes, landmarks, and the mask to begin with.
    title : str
        Case and slot: it never names who made what is shown.
    can_submit : bool
        Whether it is one's own open reading; else what is saved changes no submission.
    """

    paths: tuple[Path, ...]
    wishes: Wishes
    title: str
    can_submit: bool = False


def open_to_work(seat: Seat, case: CaseId, slot: str, sheet: int = 0) -> Opening:
    """Return how to open one's own reading, which must be begun.

    Parameters
    ----------
    sheet : int
        Which layer of the ontology: each has a mask of its own. Submitting takes all.

    Raises
    ------
    RefusedError
        When it is not in progress, or another's.
    SaveError
        When its folder cannot be made.
    """
    with at_reading(seat, case, slot) as at:
        pass  # what a crash left is settled before anybody goes on drawing
    if at.now.state != "in_progress":
        raise RefusedError(
            f"A reading in progress was expected; this one is {named(at.now.state)}.",
            hint="Begin it first, or open it to look at: it is not changed then.",
        )
    require_own(seat, at)
    folder = open_folder(sheet_folder(open_work_folder(seat, case, slot), sheet))
    return _opening(seat, at, folder, can_submit=True, sheet=sheet)


def open_to_review(seat: Seat, case: CaseId, slot: str, sheet: int = 0) -> Opening:
    """Return how to open a reading for its reviewer; corrections lie in the reviewer's folder.

    Raises
    ------
    RefusedError
        When it is not in this rater's review.
    """
    at = look(seat, case, slot)
    if at.now.state != "in_review" or at.now.reviewer not in seat.users:
        raise RefusedError(
            f"A reading in your review was expected; this one is {named(at.now.state)}.",
            hint="Take it with Review in the list, or: "
            f"medlabel project review STUDY CASE --slot {slot} --begin",
        )
    folder = open_folder(sheet_folder(review_folder(seat, at), sheet))
    is_fresh = not (folder / MASK_FILE).is_file()
    return _opening(seat, at, folder, version=is_fresh, sheet=sheet)


def review_folder(seat: Seat, at: Reading) -> Path:
    """Return the folder in which this rater's corrections of a reading lie.

    Each version under review has one, by all that it consists of: what was corrected in one is
    not shown over another.

    Raises
    ------
    InputError
        When nothing was submitted.
    """
    version = version_at(seat, at)
    case = seat.layout.work(seat.rater.code, at.case)
    before = case / f"review-{at.slot}-{version.content[7:15]}"  # as they were called once
    if before.is_dir() and not version.sheets:
        return before
    return case / f"review-{at.slot}-{whole_digest(seat.layout, version)[7:15]}"


def open_to_look(seat: Seat, case: CaseId, slot: str, sheet: int = 0) -> Opening:
    """Return how to look at a submitted reading; what is saved lands outside the study.

    Raises
    ------
    RefusedError
        When the rater is still blind.
    InputError
        When nothing was submitted.
    """
    at = look(seat, case, slot)
    require_may_see(seat, at.row, seat.code_of(at.now.maker))
    folder = seat.desk.state / "study-looks" / at.record.content[7:31] / slot
    folder = open_folder(sheet_folder(folder, sheet))
    return _opening(seat, at, folder, version=True, sheet=sheet)


def _opening(
    seat: Seat,
    at: Reading,
    folder: Path,
    *,
    version: bool = False,
    can_submit: bool = False,
    sheet: int = 0,
) -> Opening:
    ontology = read_ontology(seat.layout.ontology)
    require_layer(ontology, sheet)
    mask, marks, origins = _files(seat, at, sheet) if version else (None, None, None)
    wishes = Wishes(
        scheme=ontology.scheme(sheet),
        template=LandmarkSet() if sheet else ontology.landmarks,
        folder=folder,
        mask=mask,
        landmarks=marks,
        follows=True,
        origins=origins,
        modality=at.record.modality,
    )
    is_own = at.now.owner in seat.users
    name = own_name(seat, at.case, at.slot) if is_own else f"{at.case} {at.slot}"
    title = titled(name, sheet)
    return Opening((seat.layout.scan(at.case),), wishes, title, can_submit)


def require_layer(ontology: Ontology, sheet: int) -> None:
    """Refuse a layer that the ontology has no labels on.

    Raises
    ------
    InputError
        Naming those it has.
    """
    if sheet not in {0, *ontology.layers}:
        raise InputError(
            "The ontology has no labels on that layer.",
            hint=f"It has these: {', '.join(str(one) for one in ontology.layers)}.",
        )


def titled(name: str, sheet: int) -> str:
    """Return the title of a reading with the layer that is open of it."""
    return f"{name}, layer {sheet}" if sheet else name


def _files(seat: Seat, at: Reading, sheet: int) -> tuple[Path | None, Path | None, Path | None]:
    """Return mask, landmarks and provenance map of the version that counts now."""
    version = version_at(seat, at)
    mask, marks, origins = (
        version.path(seat.layout, kind)
        for kind in (sheet_kind(sheet), LANDMARKS, sheet_kind(sheet, PROVENANCE))
    )
    return mask, None if sheet else marks, origins
