"""Submitting: files of a version take their names once, all of them or none.

The sidecar of the mask is the last to get its name: a version is there as a whole or, without
a sidecar, not at all. It says what the version consists of, by digests, and under which
ontology and guidelines it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError, RefusedError, SaveError
from napari_medlabel.export.landmarks import encode_landmarks
from napari_medlabel.export.mask import SavedMask, compare_with_file, describe
from napari_medlabel.io.files import Staging, make_folder, sha256_file, write_bytes_aside
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.model.boxes import BoxSet
from napari_medlabel.model.labelmap import LabelMap, LabelScheme
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.boxes import encode_boxes
from napari_medlabel.project.cases.dataset import as_json, derivative_files
from napari_medlabel.project.cases.record import read_record
from napari_medlabel.project.cases.version import (
    ANSWERS,
    BOXES,
    KINDS,
    LANDMARKS,
    MASK,
    ORIGINS,
    PROVENANCE,
    SIDECAR,
    Pins,
    Version,
    next_version,
    read_version,
    require_writer,
    sheet_kind,
)
from napari_medlabel.project.layout import CONSENSUS, CaseId, Layout
from napari_medlabel.project.ontology.ontology import Ontology

__all__ = ["Labelled", "Pins", "Version", "next_version", "read_version", "write_version"]
_VERSION: Final = 1


@dataclass(frozen=True, eq=False)
class Sheet:
    """The mask of a further layer, whose labels may overlap those of others.

    Parameters
    ----------
    labels : LabelMap
        On the scan's grid.
    provenance : ndarray of uint8, shape (i, j, k), optional
        Where each voxel comes from.
    """

    labels: LabelMap
    provenance: npt.NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class Labelled:
    """What a rater made of a case.

    Parameters
    ----------
    labels : LabelMap
        The mask, on the scan's grid.
    landmarks : LandmarkSet, optional
        Where some were asked for.
    answers : mapping, optional
        Checked answers by question.
    provenance : ndarray of uint8, shape (i, j, k), optional
        Where each voxel comes from, as `ORIGINS` counts.
    boxes : BoxSet, optional
        Bounding boxes on the scan's grid.
    sheets : mapping of int to Sheet
        Masks of the ontology's layers above 0, by layer; all of them.
    """

    labels: LabelMap
    landmarks: LandmarkSet | None = None
    answers: Mapping[str, Any] | None = None
    provenance: npt.NDArray[np.uint8] | None = None
    boxes: BoxSet | None = None
    sheets: Mapping[int, Sheet] = field(default_factory=dict)


def write_version(  # noqa: PLR0913 - where (layout, rater, case, number), what, and its pins
    layout: Layout,
    rater: str,
    case: CaseId,
    number: int,
    labelled: Labelled,
    *,
    scan: Volume,
    ontology: Ontology,
    pins: Pins,
    time: str,
    announce: Callable[[str], object] = lambda _: None,
) -> Version:
    """Write a version: each file aside, read back, and all named at once.

    Parameters
    ----------
    layout : Layout
        The study.
    rater : str
        Code of the rater, or ``consensus``.
    case : CaseId
        Which scan.
    number : int
        As `next_version` says.
    labelled : Labelled
        What was made.
    scan : Volume
        The study's scan, read with its hashes.
    ontology : Ontology
        Which values there are.
    pins : Pins
        Digests of the rules it was made under.
    time : str
        Now, ISO 8601 in UTC.
    announce : callable
        Told the digest of the version as a whole, that of its sidecar, when all files lie
        aside and none has its name; what it raises leaves nothing.

    Raises
    ------
    InputError
        When the scan is not the case's, or the mask holds values that the ontology lacks.
    GeometryError
        When the mask does not lie on the scan's grid.
    RefusedError
        When there is a file of that version: nothing is overwritten.
    SaveError
        When it cannot be written or does not read back the same; nothing stays.
    """
    require_writer(rater)
    _require_fits(layout, case, labelled, scan, ontology)
    further = (sheet_kind(layer) for layer in ontology.layers if layer)
    if any(layout.version(rater, case, number, kind).exists() for kind in (*KINDS, *further)):
        raise RefusedError(
            f"There is a version {number} of this case by this rater already.",
            hint="Versions are never overwritten: the next free number is taken.",
        )
    mask = layout.version(rater, case, number, MASK)
    make_folder(mask.parent)
    _describe_derivative(layout, rater, ontology)
    with Staging() as staging:
        digests = _stage(staging, layout, (rater, case, number), labelled, scan)
        relative = {layout.relative(path): digest for path, digest in digests.items()}
        content = labelled.labels.content_id()
        sheets = {layer: one.labels.content_id() for layer, one in labelled.sheets.items()}
        saved = SavedMask(mask, content, digests[mask].removeprefix("sha256:"))
        document = describe(
            saved, labelled.labels, scan.source, time=time, slices=scan.slices
        ) | {
            "Manual": rater != CONSENSUS,
            "Sources": [f"bids:raw:{layout.relative(layout.scan(case))}"],
            "study": {
                "v": _VERSION,
                "case": str(case),
                "rater": rater,
                "version": number,
                "ontology": pins.ontology,
                "guideline": pins.guideline,
                "files": relative,
            }
            | ({"sheets": {str(layer): sheets[layer] for layer in sheets}} if sheets else {}),
        }
        data = as_json(document)
        staging.add_bytes(layout.version(rater, case, number, SIDECAR), data)
        announce(f"sha256:{sha256(data).hexdigest()}")
        staging.publish_new()
    return Version(rater, case, number, content, time, pins, relative, sheets)


def _require_fits(
    layout: Layout, case: CaseId, labelled: Labelled, scan: Volume, ontology: Ontology
) -> None:
    record = read_record(layout.case_file(case))
    if tuple(f"sha256:{one}" for one in scan.source.sha256) != (record.file,):
        raise InputError(
            f"The scan that was labelled is not the study's scan of {case}.",
            hint="Open the case from the study; its file must not change.",
        )
    _require_sheet(Sheet(labelled.labels, labelled.provenance), 0, scan, ontology)
    _require_known_boxes(labelled.boxes or BoxSet(), scan, ontology)
    if set(labelled.sheets) != set(ontology.layers) - {0}:
        raise InputError(
            "The ontology has labels on several layers, and a mask is needed for each: "
            f"{', '.join(str(layer) for layer in sorted({0, *ontology.layers}))}.",
            hint="Nothing was written. What makes one mask alone, as a consensus does, does "
            "not serve labels that overlap.",
        )
    for layer, sheet in labelled.sheets.items():
        _require_sheet(sheet, layer, scan, ontology)


def _require_sheet(sheet: Sheet, layer: int, scan: Volume, ontology: Ontology) -> None:
    """Refuse a mask of another grid, with strange values, or with a map that is none."""
    scan.grid.require_same(sheet.labels.grid, what="mask")
    values = set(sheet.labels.voxel_counts())
    unknown = values - {one.value for one in ontology.labels if one.layer == layer}
    if unknown:
        where = f" on layer {layer}" if len(ontology.layers) > 1 else ""
        raise InputError(
            f"The mask holds values that the ontology does not have{where}: {min(unknown)}"
            + (f" and {len(unknown) - 1} more." if len(unknown) > 1 else "."),
            hint="Use the labels of the study, or add one to its ontology.",
        )
    prov = sheet.provenance
    if prov is not None and (
        prov.shape != scan.grid.shape or prov.dtype != np.uint8 or prov.max() >= len(ORIGINS)
    ):
        raise InputError(
            f"A provenance map is bytes on the scan's grid, each one of {', '.join(ORIGINS)}.",
            hint="This is a fault in the program; please report it.",
        )


def _require_known_boxes(boxes: BoxSet, scan: Volume, ontology: Ontology) -> None:
    labels = {label.id: label.value for label in ontology.labels}
    kinds = {kind.id for kind in ontology.boxes}
    for box in boxes:
        if box.kind not in kinds and labels.get(box.kind) != box.value:
            raise InputError(
                f"Box {box.id} is of a kind that the ontology does not have.",
                hint="Choose one of the study's kinds, or take the box away.",
            )
        if not box.is_within(scan.grid.shape):
            raise InputError(f"Box {box.id} reaches out of the scan.", hint="Draw it again.")


def _describe_derivative(layout: Layout, rater: str, ontology: Ontology) -> None:
    """Write what describes the rater's data set; the label table follows the ontology."""
    folder = layout.derivative(rater)
    for name, data in derivative_files(rater, ontology).items():
        path = folder / name
        follows = name in ("dseg.tsv", ".bidsignore")
        if not path.exists() or (follows and path.read_bytes() != data):
            write_bytes_aside(path, data)


def _stage(
    staging: Staging,
    layout: Layout,
    key: tuple[str, CaseId, int],
    labelled: Labelled,
    scan: Volume,
) -> dict[Path, str]:
    """Write all but the sidecar aside and return the digest of each file."""
    digests = {}
    first = Sheet(labelled.labels, labelled.provenance)
    for layer, sheet in {0: first, **labelled.sheets}.items():
        mask = layout.version(*key, sheet_kind(layer))
        digests[mask] = _stage_map(staging, mask, sheet.labels, scan)
        if sheet.provenance is not None:
            path = layout.version(*key, sheet_kind(layer, PROVENANCE))
            origins = LabelMap(scan.grid, sheet.provenance, LabelScheme("Origin", ()))
            digests[path] = _stage_map(staging, path, origins, scan)
    if labelled.landmarks is not None:
        path = layout.version(*key, LANDMARKS)
        digests[path] = _stage_bytes(staging, path, encode_landmarks(path, labelled.landmarks))
    if labelled.answers is not None:
        path = layout.version(*key, ANSWERS)
        document = {"medlabel": "answers", "v": _VERSION, "answers": dict(labelled.answers)}
        digests[path] = _stage_bytes(staging, path, as_json(document))
    if labelled.boxes is not None:
        path = layout.version(*key, BOXES)
        told = encode_boxes(labelled.boxes, scan.grid)
        digests[path] = _stage_bytes(staging, path, told)
    return digests


def _stage_map(staging: Staging, path: Path, labels: LabelMap, scan: Volume) -> str:
    digest: list[str] = []

    def write(aside: Path) -> None:
        source = scan.source
        write_mask_nifti(
            aside, labels.array, source.header, source.big_endian, labels.grid.affine
        )

    def check(aside: Path) -> None:
        compare_with_file(aside, labels)
        digest.append(sha256_file(aside))

    staging.add(path, write, check=check)
    return f"sha256:{digest[0]}"


def _stage_bytes(staging: Staging, path: Path, data: bytes) -> str:
    digest: list[str] = []

    def check(aside: Path) -> None:
        if aside.read_bytes() != data:
            raise SaveError(
                "The file did not read back as it was written.",
                hint="The disk or the network drive is faulty; nothing was submitted.",
            )
        digest.append(sha256_file(aside))

    staging.add(path, lambda aside: _write_new(aside, data), check=check)
    return f"sha256:{digest[0]}"


def _write_new(path: Path, data: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(data)
