"""Gold cases: a manager puts a truth into the study or takes it out, by the log first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_medlabel.audit.disk import one_at_a_time
from napari_medlabel.errors import InputError
from napari_medlabel.export.landmarks import encode_landmarks, load_landmarks
from napari_medlabel.export.mask import compare_with_file, load_mask
from napari_medlabel.io.files import Staging, make_folder, sha256_file
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.io.registry import read_volume
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.reading.gold import truth_files
from napari_medlabel.project.reading.truths import (
    Truths,
    read_truths,
    truths_file,
    write_truths,
)
from napari_medlabel.session.study.scoring import scores_of
from napari_medlabel.session.study.seat import Seat, look, require_role


@dataclass(frozen=True)
class GoldCase:
    """A gold case, for a manager.

    Parameters
    ----------
    case : CaseId
        Which.
    is_sound : bool
        Whether its files are those that were put there.
    has_landmarks : bool
        Whether the truth has landmarks.
    passed, failed : int
        Readings that were scored.
    """

    case: CaseId
    is_sound: bool
    has_landmarks: bool
    passed: int
    failed: int


def add_gold(seat: Seat, case: CaseId, mask: Path, landmarks: Path | None = None) -> Truths:
    """Make a case a gold one: its true mask, and landmarks, are kept apart and hashed.

    Parameters
    ----------
    mask : Path
        On the scan's grid, with values of the ontology.
    landmarks : Path, optional
        True landmarks, in any form that is read.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    InputError, GeometryError
        When a file does not fit the case.
    SaveError, LogError
        When files or log cannot be written; then the list is as it was.
    """
    require_role(seat, "manager")
    look(seat, case, seat.settings.slots[0])
    layout, ontology = seat.layout, read_ontology(seat.layout.ontology)
    if len(ontology.layers) > 1:
        raise InputError(
            "The ontology has labels on several layers, which may overlap, and a truth is one "
            "mask with one label for each voxel.",
            hint="Readings of this study cannot be scored against a truth: compare raters "
            "with one another instead, with medlabel project agree STUDY",
        )
    scan = read_volume(layout.scan(case))
    labels = load_mask(mask, scan.grid, scheme=ontology.scheme())
    unknown = set(labels.voxel_counts()) - {label.value for label in ontology.labels}
    if unknown:
        raise InputError(
            f"The truth holds values that the ontology does not have: {min(unknown)}.",
            hint="Use the labels of the study.",
        )
    marks = None if landmarks is None else load_landmarks(landmarks)
    make_folder(layout.gold)
    true_mask, true_marks = truth_files(layout, case)
    with one_at_a_time(layout.own / ".project.lock"), Staging() as staging:
        digests: list[str] = []

        def write(aside: Path) -> None:
            source = scan.source
            write_mask_nifti(
                aside, labels.array, source.header, source.big_endian, scan.grid.affine
            )

        def check(aside: Path) -> None:
            compare_with_file(aside, labels)
            digests.append(f"sha256:{sha256_file(aside)}")

        staging.add(true_mask, write, check=check)
        if marks is not None:
            staging.add(
                true_marks,
                lambda aside: _write(aside, encode_landmarks(true_marks, marks)),
                check=lambda aside: digests.append(f"sha256:{sha256_file(aside)}"),
            )
        before = read_truths(layout)
        after = Truths({**before.files, case: tuple(digests)})
        _tell(seat, before, after)
        if marks is None:
            true_marks.unlink(missing_ok=True)
        staging.publish()
        write_truths(layout, after)
    return after


def remove_gold(seat: Seat, case: CaseId) -> Truths:
    """Make a case an ordinary one; its truth is taken away, its scores stay in the log.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    InputError
        When it is no gold case.
    """
    require_role(seat, "manager")
    layout = seat.layout
    with one_at_a_time(layout.own / ".project.lock"):
        before = read_truths(layout)
        if case not in before.files:
            raise InputError(
                "This case has no truth.", hint="See: medlabel project gold STUDY --list"
            )
        after = Truths({one: told for one, told in before.files.items() if one != case})
        _tell(seat, before, after)
        write_truths(layout, after)
        for path in truth_files(layout, case):
            path.unlink(missing_ok=True)
    return after


def list_gold(seat: Seat) -> tuple[GoldCase, ...]:
    """Return the gold cases, and how often they were passed.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    """
    scores = scores_of(seat)
    found = []
    for case, digests in sorted(read_truths(seat.layout).files.items()):
        content = look(seat, case, seat.settings.slots[0]).record.content
        own = [one for one in scores if one["case"] == content]
        found.append(
            GoldCase(
                case,
                _is_sound(seat.layout, case, digests),
                len(digests) > 1,
                sum(bool(one["passed"]) for one in own),
                sum(not one["passed"] for one in own),
            )
        )
    return tuple(found)


def _is_sound(layout: Layout, case: CaseId, digests: tuple[str, ...]) -> bool:
    paths = [path for path in truth_files(layout, case) if path.is_file()]
    return tuple(f"sha256:{sha256_file(path)}" for path in paths) == digests


def _tell(seat: Seat, before: Truths, after: Truths) -> None:
    detail = {"setting": "gold", "new": after.digest}
    if truths_file(seat.layout).exists():
        detail["old"] = before.digest
    seat.desk.log.append("study.rules", detail=detail)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(data)
