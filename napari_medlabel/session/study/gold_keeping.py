"""Gold cases: a manager puts a truth into the study or takes it out, by the log first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from napari_medlabel.audit.disk import one_at_a_time
from napari_medlabel.errors import InputError
from napari_medlabel.export.landmarks import encode_landmarks, load_landmarks
from napari_medlabel.export.mask import compare_with_file, load_mask
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import Staging, make_folder, sha256_file
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.reading.gold import (
    files_of_truth,
    truth_files,
    truth_mask,
)
from napari_medlabel.project.reading.truths import (
    Truths,
    digests_of,
    read_truths,
    truths_file,
    write_truths,
)
from napari_medlabel.session.study.scoring import scores_of
from napari_medlabel.session.study.seat import Seat, look, require_role

NO_SHEETS: Final[Mapping[int, Path]] = MappingProxyType({})


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


def add_gold(
    seat: Seat,
    case: CaseId,
    mask: Path,
    landmarks: Path | None = None,
    sheets: Mapping[int, Path] = NO_SHEETS,
) -> Truths:
    """Make a case a gold one: its true masks, and landmarks, are kept apart and hashed.

    Parameters
    ----------
    mask : Path
        On the scan's grid, with values of the ontology's first layer.
    landmarks : Path, optional
        True landmarks, in any form that is read.
    sheets : mapping of int to Path
        True masks of the ontology's further layers, by layer: one for each.

    Raises
    ------
    RefusedError
        When who asks is no manager.
    InputError, GeometryError
        When a file does not fit the case, or one of a layer is missing.
    SaveError, LogError
        When files or log cannot be written; then the list is as it was.
    """
    require_role(seat, "manager")
    look(seat, case, seat.settings.slots[0])
    layout, ontology = seat.layout, read_ontology(seat.layout.ontology)
    _require_layers(ontology, sheets)
    scan = read_volume(layout.scan(case))
    masks = {
        layer: _true_mask(path, scan.grid, ontology, layer)
        for layer, path in sorted({0: mask, **sheets}.items())
    }
    marks = None if landmarks is None else load_landmarks(landmarks)
    make_folder(layout.gold)
    true_marks = truth_files(layout, case)[1]
    with one_at_a_time(layout.own / ".project.lock"), Staging() as staging:
        digests: list[str] = []
        for layer, labels in masks.items():
            _stage_mask(staging, truth_mask(layout, case, layer), labels, scan, digests)
        if marks is not None:
            staging.add(
                true_marks,
                lambda aside: _write(aside, encode_landmarks(true_marks, marks)),
                check=lambda aside: digests.append(f"sha256:{sha256_file(aside)}"),
            )
        before = read_truths(layout)
        after = Truths({**before.files, case: tuple(digests)})
        _tell(seat, before, after)
        kept = {truth_mask(layout, case, layer) for layer in masks}
        for path in files_of_truth(layout, case):
            if path not in kept and (marks is None or path != true_marks):
                path.unlink(missing_ok=True)
        staging.publish()
        write_truths(layout, after)
    return after


def _require_layers(ontology: Ontology, sheets: Mapping[int, Path]) -> None:
    """Refuse a truth that lacks a layer, or has one that the ontology does not have."""
    wanted = set(ontology.layers) - {0}
    if set(sheets) != wanted:
        told = ", ".join(str(layer) for layer in sorted({0, *wanted}))
        raise InputError(
            f"A truth has a mask for each layer of the ontology: {told}."
            if wanted
            else "The ontology has labels on one layer only, and a mask of another came.",
            hint="Give the first with --mask FILE, further ones with --layer N FILE; a layer "
            "on which nothing is true has an empty mask.",
        )


def _true_mask(path: Path, grid: Grid, ontology: Ontology, layer: int) -> LabelMap:
    """Return a true mask of a layer; with another layer's values it is refused."""
    labels = load_mask(path, grid, scheme=ontology.scheme(layer))
    own = {label.value for label in ontology.labels if label.layer == layer}
    unknown = set(labels.voxel_counts()) - own
    if unknown:
        where = f" on layer {layer}" if len(ontology.layers) > 1 else ""
        raise InputError(
            f"The truth holds values that the ontology does not have{where}: {min(unknown)}.",
            hint="Use the labels of the study.",
        )
    return labels


def _stage_mask(
    staging: Staging, path: Path, labels: LabelMap, scan: Volume, digests: list[str]
) -> None:
    """Write a true mask aside, read it back and compare it, and note its digest."""

    def write(aside: Path) -> None:
        source = scan.source
        write_mask_nifti(
            aside, labels.array, source.header, source.big_endian, scan.grid.affine
        )

    def check(aside: Path) -> None:
        compare_with_file(aside, labels)
        digests.append(f"sha256:{sha256_file(aside)}")

    staging.add(path, write, check=check)


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
        for path in files_of_truth(layout, case):
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
                digests_of(seat.layout, case) == digests,
                truth_files(seat.layout, case)[1].is_file(),
                sum(bool(one["passed"]) for one in own),
                sum(not one["passed"] for one in own),
            )
        )
    return tuple(found)


def _tell(seat: Seat, before: Truths, after: Truths) -> None:
    detail = {"setting": "gold", "new": after.digest}
    if truths_file(seat.layout).exists():
        detail["old"] = before.digest
    seat.desk.log.append("study.rules", detail=detail)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(data)
