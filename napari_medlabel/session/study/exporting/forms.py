"""The formats of an export, each into a folder of its own, by the writers there are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from napari_medlabel.errors import SaveError
from napari_medlabel.export.coco import SliceCase, save_coco
from napari_medlabel.export.datalist import save_datalist
from napari_medlabel.export.dicom_parts import Made
from napari_medlabel.export.dicom_seg import Algorithm, save_dicom_seg
from napari_medlabel.export.nnunet import check_nnunet, save_nnunet
from napari_medlabel.export.rtstruct import save_rtstruct
from napari_medlabel.export.seg_nrrd import save_seg_nrrd
from napari_medlabel.export.sr import save_sr
from napari_medlabel.export.tables import (
    Record,
    TableCase,
    answer_records,
    box_records,
    landmark_records,
    save_records,
    volume_records,
)
from napari_medlabel.export.training import TrainingCase
from napari_medlabel.io.files import make_folder, write_bytes_aside
from napari_medlabel.model.measurements import MeasurementSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.version import ORIGINS, Version, read_provenance
from napari_medlabel.session.study.exporting.bids_folder import write_nifti
from napari_medlabel.session.study.exporting.loading import Exporting, Leaving
from napari_medlabel.session.study.exporting.raters import FOLDER as RATERS
from napari_medlabel.session.study.exporting.raters import rater_plans
from napari_medlabel.session.study.exporting.wish import OF_DICOM, Format

_SPLITS: Final = "splits_final.json"
_ASSISTED: Final = tuple(
    ORIGINS.index(one) for one in ("assisted-kept", "assisted-edited", "interpolated")
)
_SERIES: Final[Mapping[Format, tuple[int, str]]] = {
    "dicom-seg": (900, "Segmentation"),
    "rtstruct": (901, "Structure set"),
    "sr": (902, "Landmarks"),
}
"""Number and description of the series that each object becomes."""


def write_format(job: Exporting, kind: Format, folder: Path) -> None:
    """Write one format, and where they are wanted each rater's labels in folders of it.

    Parameters
    ----------
    job : Exporting
        What leaves.
    kind : str
        Which format.
    folder : Path
        A folder that does not exist, in one that does.

    Raises
    ------
    MedlabelError
        As the format's writer; nothing of the export may stay then.
    """
    _WRITERS[kind](job, folder)
    plans = rater_plans(job.plan, kind)
    if plans:
        make_folder(folder / RATERS)
    for code, plan in plans.items():
        _WRITERS[kind](replace(job, plan=plan, rater=code), folder / RATERS / code)


def copy_images(job: Exporting, folder: Path) -> None:
    """Copy the DICOM images of every case that leaves as DICOM, a folder for each."""
    kinds = [kind for kind in job.plan.wish.formats if kind in OF_DICOM]
    records = {
        one.record.case: one.record for kind in kinds for one in job.plan.of_format(kind)
    }
    for case, record in records.items():
        make_folder(folder / str(case))
        for file in job.layout.dicom_files(case, len(record.dicom)):
            shutil.copyfile(file, folder / str(case) / file.name)


def _write_nnunet(job: Exporting, folder: Path) -> None:
    make_folder(folder)
    wish = job.plan.wish
    made = save_nnunet(
        folder,
        wish.number,
        job.name,
        _training(job, "nnunet"),
        job.ontology.scheme(wish.layer or 0),
        channel_names=(_channel(job),),
    )
    names: dict[str, list[str]] = {"train": [], "val": []}
    for one in job.plan.of_format("nnunet"):
        split = wish.splits.get(one.record.case, "train")
        if split != "test":
            names[split].append(str(one.record.case))
    if names["val"]:
        write_bytes_aside(made / _SPLITS, f"{json.dumps([names], indent=2)}\n".encode())
    found = check_nnunet(made)
    if found:
        raise SaveError(
            f"The data set does not pass nnU-Net's checks: {found[0]}",
            hint="This is a fault in the program; please report it.",
        )


def _write_monai(job: Exporting, folder: Path) -> None:
    cases, scheme = _training(job, "monai"), job.ontology.scheme(job.plan.wish.layer or 0)
    save_datalist(folder, job.name, cases, scheme, channel_names=(_channel(job),))


def _training(job: Exporting, kind: Format) -> Iterator[TrainingCase]:
    splits, layer = job.plan.wish.splits, job.plan.wish.layer or 0
    has_val = "val" in splits.values()
    for one in job.cases(kind):
        split = splits.get(one.chosen.record.case, "train")
        fold = None
        if has_val and split != "test":
            fold = 0 if split == "val" else 1
        unresolved = one.unresolved.get(layer)
        yield TrainingCase(
            one.name, (one.scan,), one.masks[layer], unresolved, split == "test", fold
        )


def _channel(job: Exporting) -> str:
    return next((one.record.modality for one in job.plan.chosen), "") or "image"


def _write_dicom_seg(job: Exporting, folder: Path) -> None:
    for one, path, images in _with_images(job, "dicom-seg", folder):
        made = _made(job, "dicom-seg")
        save_dicom_seg(
            path,
            one.layers,
            images,
            made,
            codings=job.codings,
            algorithm=_algorithm(job, one),
        )


def _write_rtstruct(job: Exporting, folder: Path) -> None:
    for one, path, images in _with_images(job, "rtstruct", folder):
        made = _made(job, "rtstruct")
        save_rtstruct(path, one.layers, images, made, codings=job.codings)


def _write_sr(job: Exporting, folder: Path) -> None:
    for one, path, images in _with_images(job, "sr", folder):
        if not one.landmarks.placed:  # a rater's alone: the gates see to those that count
            continue
        save_sr(path, one.landmarks, MeasurementSet(), images, _made(job, "sr"))


def _with_images(
    job: Exporting, kind: Format, folder: Path
) -> Iterator[tuple[Leaving, Path, Volume]]:
    make_folder(folder)
    for one in job.cases(kind):
        yield one, folder / f"{one.name}.dcm", job.images(one)


def _made(job: Exporting, kind: Format) -> Made:
    number, words = _SERIES[kind]
    words = f"{words} {job.rater}".rstrip()
    return Made(job.new_uid(), job.new_uid(), job.now, number, words)


def _algorithm(job: Exporting, one: Leaving) -> Algorithm:
    """Return who made the segments: a hand, or a hand with the help of a tool."""
    for layer in one.masks:
        origins = read_provenance(job.layout, one.chosen.version, one.scan.grid, layer)
        if origins is not None and np.isin(origins, _ASSISTED).any():
            return "SEMIAUTOMATIC"
    return "MANUAL"


def _write_seg_nrrd(job: Exporting, folder: Path) -> None:
    make_folder(folder)
    for one in job.cases("seg-nrrd"):
        path = folder / f"{one.name}.seg.nrrd"
        save_seg_nrrd(path, one.layers, codings=job.codings)


def _write_coco(job: Exporting, folder: Path) -> None:
    kinds = job.kinds
    cases = (
        SliceCase(
            one.name,
            one.layers,
            one.scan,
            boxes=tuple(
                (box, kinds[box.kind]) for box in job.boxes_of(one.chosen.version, one.scan)
            ),
        )
        for one in job.cases("coco")
    )
    save_coco(folder, cases, time=job.now)


_TABLES: Final[Mapping[str, Callable[[list[TableCase]], list[Record]]]] = {
    "volumes": volume_records,
    "landmarks": landmark_records,
    "boxes": box_records,
    "answers": answer_records,
}


def _write_csv(job: Exporting, folder: Path) -> None:
    make_folder(folder)
    tables: dict[str, list[Record]] = {name: [] for name in _TABLES}
    for one in job.cases("csv"):
        for row in _rows(job, one):
            for name, records_of in _TABLES.items():
                tables[name] += records_of([row])
    for name, records in tables.items():
        if records:
            save_records(folder / f"{name}.csv", records)


def _rows(job: Exporting, one: Leaving) -> Iterator[TableCase]:
    """Yield the rows of a case: the answer, and those of each rater where they are wanted."""
    further = {"unresolved_voxels": str(one.open_voxels)}
    version = one.chosen.version
    if not job.plan.wish.by_rater:
        yield _row(job, one, version, further)
        return
    whole = {**further, "rater": version.rater, "version": str(version.number)}
    yield _row(job, one, version, whole)
    for each in one.chosen.readings:
        if each == version:
            continue
        own = {"unresolved_voxels": "0", "rater": each.rater, "version": str(each.number)}
        yield _row(job, one, each, own)


def _row(
    job: Exporting, one: Leaving, version: Version, further: Mapping[str, str]
) -> TableCase:
    """Return what tables tell of a version; the chosen one's mask is there already."""
    is_chosen = version == one.chosen.version
    return TableCase(
        one.name,
        one.layers if is_chosen else tuple(job.masks_of(version, one.scan).values()),
        one.landmarks if is_chosen else job.landmarks_of(version),
        one.scan.slices,
        further,
        job.boxes_of(version, one.scan),
        job.answers_of(version),
    )


_WRITERS: Final[Mapping[Format, Callable[[Exporting, Path], None]]] = {
    "nifti": write_nifti,
    "nnunet": _write_nnunet,
    "monai": _write_monai,
    "dicom-seg": _write_dicom_seg,
    "rtstruct": _write_rtstruct,
    "sr": _write_sr,
    "seg-nrrd": _write_seg_nrrd,
    "coco": _write_coco,
    "csv": _write_csv,
}
