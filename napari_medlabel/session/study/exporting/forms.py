"""The formats of an export, each into a folder of its own, by the writers there are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
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
    TableCase,
    landmark_records,
    save_records,
    volume_records,
)
from napari_medlabel.export.training import TrainingCase
from napari_medlabel.io.files import make_folder, write_bytes_aside
from napari_medlabel.model.measurements import MeasurementSet
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.version import ORIGINS, read_provenance
from napari_medlabel.session.study.exporting.bids_folder import write_nifti
from napari_medlabel.session.study.exporting.loading import Exporting, Leaving
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
    """Write one format.

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
        job.scheme,
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
    cases = _training(job, "monai")
    save_datalist(folder, job.name, cases, job.scheme, channel_names=(_channel(job),))


def _training(job: Exporting, kind: Format) -> Iterator[TrainingCase]:
    splits = job.plan.wish.splits
    has_val = "val" in splits.values()
    for one in job.cases(kind):
        split = splits.get(one.chosen.record.case, "train")
        fold = None
        if has_val and split != "test":
            fold = 0 if split == "val" else 1
        yield TrainingCase(
            one.name, (one.scan,), one.labels, one.unresolved, split == "test", fold
        )


def _channel(job: Exporting) -> str:
    return next((one.record.modality for one in job.plan.chosen), "") or "image"


def _write_dicom_seg(job: Exporting, folder: Path) -> None:
    for one, path, images in _with_images(job, "dicom-seg", folder):
        made = _made(job, "dicom-seg")
        save_dicom_seg(
            path,
            (one.labels,),
            images,
            made,
            codings=job.codings,
            algorithm=_algorithm(job, one),
        )


def _write_rtstruct(job: Exporting, folder: Path) -> None:
    for one, path, images in _with_images(job, "rtstruct", folder):
        made = _made(job, "rtstruct")
        save_rtstruct(path, (one.labels,), images, made, codings=job.codings)


def _write_sr(job: Exporting, folder: Path) -> None:
    for one, path, images in _with_images(job, "sr", folder):
        save_sr(path, one.landmarks, MeasurementSet(), images, _made(job, "sr"))


def _with_images(
    job: Exporting, kind: Format, folder: Path
) -> Iterator[tuple[Leaving, Path, Volume]]:
    make_folder(folder)
    for one in job.cases(kind):
        yield one, folder / f"{one.name}.dcm", job.images(one)


def _made(job: Exporting, kind: Format) -> Made:
    number, words = _SERIES[kind]
    return Made(job.new_uid(), job.new_uid(), job.now, number, words)


def _algorithm(job: Exporting, one: Leaving) -> Algorithm:
    """Return who made the segments: a hand, or a hand with the help of a tool."""
    origins = read_provenance(job.layout, one.chosen.version, one.scan.grid)
    if origins is not None and np.isin(origins, _ASSISTED).any():
        return "SEMIAUTOMATIC"
    return "MANUAL"


def _write_seg_nrrd(job: Exporting, folder: Path) -> None:
    make_folder(folder)
    for one in job.cases("seg-nrrd"):
        path = folder / f"{one.name}.seg.nrrd"
        save_seg_nrrd(path, (one.labels,), codings=job.codings)


def _write_coco(job: Exporting, folder: Path) -> None:
    cases = (SliceCase(one.name, (one.labels,), one.scan) for one in job.cases("coco"))
    save_coco(folder, cases, time=job.now)


def _write_csv(job: Exporting, folder: Path) -> None:
    make_folder(folder)
    volumes, landmarks = [], []
    for one in job.cases("csv"):
        for row in _rows(job, one):
            volumes += volume_records([row])
            landmarks += landmark_records([row])
    if volumes:
        save_records(folder / "volumes.csv", volumes)
    if landmarks:
        save_records(folder / "landmarks.csv", landmarks)


def _rows(job: Exporting, one: Leaving) -> Iterator[TableCase]:
    """Yield the rows of a case: the answer, and those of each rater where they are wanted."""
    count = 0 if one.unresolved is None else int(np.count_nonzero(one.unresolved))
    further = {"unresolved_voxels": str(count)}
    if not job.plan.wish.by_rater:
        yield TableCase(one.name, (one.labels,), one.landmarks, one.scan.slices, further)
        return
    version = one.chosen.version
    whole = {**further, "rater": version.rater, "version": str(version.number)}
    yield TableCase(one.name, (one.labels,), one.landmarks, one.scan.slices, whole)
    for each in one.chosen.readings:
        if each == version:
            continue
        labels = job.labels_of(each, one.scan)
        marks = job.landmarks_of(each)
        own = {"unresolved_voxels": "0", "rater": each.rater, "version": str(each.number)}
        yield TableCase(one.name, (labels,), marks, one.scan.slices, own)


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
