"""The NIfTI data set of an export: masks as a BIDS derivative, perhaps with the scans."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import SaveError
from napari_medlabel.export.bids import BIDS, save_dseg, start_derivative
from napari_medlabel.export.landmarks import save_landmarks
from napari_medlabel.export.volume import save_volume
from napari_medlabel.io.files import make_folder, sha256_file, write_bytes_aside
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.boxes import encode_boxes
from napari_medlabel.project.cases.naming import OUTSIDE_BIDS
from napari_medlabel.project.cases.participants import read_participants, to_tsv
from napari_medlabel.project.cases.sidecar import leaving_sidecar
from napari_medlabel.project.cases.version import BOXES
from napari_medlabel.session.study.exporting.loading import Exporting, Leaving
from napari_medlabel.session.study.exporting.raters import named_readings

_BELOW: Final = ("*.mrk.json", "*_boxes.json", "*_map.*", "*_mask.*")
_LABELS: Final = "derivatives/labels"


def write_nifti(job: Exporting, folder: Path) -> None:
    """Write masks and landmarks, on their scans' exact grids.

    Parameters
    ----------
    job : Exporting
        What leaves.
    folder : Path
        Becomes the derivative; with the scans, a raw data set that has it below.

    Raises
    ------
    SaveError
        When something cannot be written or reads back otherwise.
    """
    root = folder
    wish = job.plan.wish
    if wish.scans:
        root = folder.joinpath(*_LABELS.split("/"))
        _describe_raw(job, folder)
    sources = ("../..",) if wish.scans else ()
    start_derivative(root, f"{job.name}: labels", job.scheme, sources=sources)
    ignored = (*_BELOW, *(f"*_{kind}.*" for kind in OUTSIDE_BIDS))
    write_bytes_aside(root / ".bidsignore", ("\n".join(ignored) + "\n").encode())
    for one in job.cases("nifti"):
        if wish.scans:
            _copy_scan(job, one, folder)
        _write_case(job, one, root)


def _write_case(job: Exporting, one: Leaving, root: Path) -> None:
    case = one.chosen.record.case
    stem = f"{case.stem}_desc-{case.suffix}"
    place = _save_masks(job, root, stem, one.masks, one.scan)
    if one.landmarks:
        save_landmarks(place / f"{stem}_landmarks.mrk.json", one.landmarks)
    boxes = job.boxes_of(one.chosen.version, one.scan)
    if boxes:
        data = encode_boxes(boxes, one.scan.grid)
        write_bytes_aside(place / f"{stem}_{BOXES}", data)
    for layer, unresolved in one.unresolved.items():
        name = f"{stem}{_suffix(layer)}unresolved_mask.nii.gz"
        _save(place / name, unresolved.astype(np.uint8), one.scan)
    if one.chosen.readings:
        _write_raters(job, one, root, place)


def _save_masks(
    job: Exporting, root: Path, stem: str, masks: Mapping[int, LabelMap], scan: Volume
) -> Path:
    """Write a mask for each layer, with a table of its own where there are several."""
    within = job.scheme if len(job.ontology.layers) > 1 else None
    saved = [
        save_dseg(root, f"{stem}{_suffix(n)}", one, scan.source, time=job.time, within=within)
        for n, one in masks.items()
    ]
    return saved[0].path.parent


def _suffix(layer: int) -> str:
    """Return what the names of a layer's files have more than those of the first."""
    return f"l{layer}" if layer else ""


def _write_raters(job: Exporting, one: Leaving, root: Path, place: Path) -> None:
    """Write each rater's labels under a code, the share for each label, the disagreement."""
    case = one.chosen.record.case
    by_layer: dict[int, list[LabelMap]] = {}
    for name, version in named_readings(one.chosen.readings):
        masks = job.masks_of(version, one.scan)
        stem = f"{case.stem}_desc-{case.suffix}{name}"
        _save_masks(job, root, stem, masks, one.scan)
        for layer, labels in masks.items():
            by_layer.setdefault(layer, []).append(labels)
    for layer, of_layer in by_layer.items():
        most = np.zeros(one.scan.grid.shape[::-1], np.float32).T
        for value in (0, *job.ontology.scheme(layer).values):
            share = _share(of_layer, value)
            np.maximum(most, share, out=most)
            if value:
                stem = f"{case.stem}_label-L{value}_desc-{case.suffix}"
                _save(place / f"{stem}_probseg.nii.gz", share, one.scan)
        end = f"{case.suffix}{_suffix(layer)}disagreement_map.nii.gz"
        _save(place / f"{case.stem}_desc-{end}", np.float32(1) - most, one.scan)


def _share(masks: Sequence[LabelMap], value: int) -> npt.NDArray[np.float32]:
    """Return the share of raters (0 to 1) who gave a voxel a value, shape (i, j, k)."""
    votes = np.zeros(masks[0].array.T.shape, np.float32).T
    for labels in masks:
        votes += labels.array == value
    votes /= len(masks)
    return votes


def _save(path: Path, array: npt.NDArray[Any], scan: Volume) -> None:
    save_volume(path, Volume(scan.grid, array, scan.source))


def _copy_scan(job: Exporting, one: Leaving, folder: Path) -> None:
    """Copy a scan and its sidecar, and compare the copy with the record."""
    source = job.layout.scan(one.chosen.record.case)
    target = folder / job.layout.relative(source)
    make_folder(target.parent)
    beside = f"{one.name}.json"
    shutil.copyfile(source, target)
    told = leaving_sidecar(job.layout, one.chosen.record)
    if told is not None:
        write_bytes_aside(target.with_name(beside), told)
    if f"sha256:{sha256_file(target)}" != one.chosen.record.file:
        raise SaveError(
            "A scan did not read back as it was copied.",
            hint="The disk or the network drive is faulty; export to somewhere else.",
        )


def _describe_raw(job: Exporting, folder: Path) -> None:
    """Write what makes a folder a raw BIDS data set, with the patients that leave."""
    make_folder(folder)
    rows = read_participants(job.layout.participants)
    leaving = {one.record.case.subject for one in job.plan.of_format("nifti")}
    kept = {code: rows.get(code, {}) for code in sorted(leaving)}
    description = {"Name": job.name, "BIDSVersion": BIDS, "DatasetType": "raw"}
    ignored = [f"*_{kind}.*" for kind in OUTSIDE_BIDS]
    files = {
        "dataset_description.json": f"{json.dumps(description, indent=2)}\n".encode(),
        "README.md": f"# {job.name}\n\nDe-identified scans; labels lie in "
        f"`{_LABELS}`.\n".encode(),
        ".bidsignore": ("\n".join(ignored) + "\n").encode(),
        "participants.tsv": to_tsv(kept),
    }
    for name, data in files.items():
        write_bytes_aside(folder / name, data)
