"""The phantom as a scan, its ten labels, and a study with one case of it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from phantom import NAMES, SPACING_ZYX_MM, Array, make_phantom

_SUBJECT = f"s1-{'0' * 32}"


@dataclass(frozen=True)
class Material:
    """What a window is watched with.

    Parameters
    ----------
    scan, other, mask : Path
        A scan, another one, and ten labels on the first.
    study : Path
        A study's folder; this account is its only reader.
    """

    scan: Path
    other: Path
    mask: Path
    study: Path


def material(folder: Path) -> Material:
    """Return what `prepare` has written into a folder."""
    names = ("one.nii", "two.nii", "labels.nii.gz", "study")
    return Material(*(folder / name for name in names))


def prepare(folder: Path) -> None:
    """Write scans, mask and study; the log's keys lie in the folder's ``state``."""
    made, phantom = material(folder), make_phantom()
    _write(made.scan, phantom.ct)
    _write(made.other, phantom.ct[:, ::-1])
    _write(made.mask, phantom.truth)
    _make_study(folder, made)


def _write(path: Path, array: Array) -> None:
    import nibabel as nib

    affine = np.diag([*(-mm for mm in SPACING_ZYX_MM[:0:-1]), SPACING_ZYX_MM[0], 1.0])
    nib.save(nib.Nifti1Image(np.ascontiguousarray(array).T, affine), path)


def _make_study(folder: Path, made: Material) -> None:
    from napari_medlabel.audit.keys.tokens import account_name, load_token_key
    from napari_medlabel.io.nifti.reading import load
    from napari_medlabel.project.cases.record import write_record
    from napari_medlabel.project.layout import CaseId
    from napari_medlabel.project.ontology.labels import OntologyLabel
    from napari_medlabel.project.ontology.ontology import Ontology
    from napari_medlabel.project.settings import Rater, Settings
    from napari_medlabel.session.desk import open_desk
    from napari_medlabel.session.study.setting_up import init_study, prepare_study

    layout = prepare_study(made.study)
    desk = open_desk(layout.audit, state=folder / "state")
    token = load_token_key(folder / "state").user_token(account_name())
    me = Rater("r01", token, ("manager", "annotator"))
    labels = tuple(
        OntologyLabel(name.replace(" ", "_"), n, name.capitalize(), f"#{20 * n:02x}9060")
        for n, name in NAMES.items()
    )
    init_study(layout, Settings("Alive", (me,), readings=1), Ontology("Alive", labels), desk)
    case = CaseId("001")
    path = layout.scan(case)
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wb", 1) as file:
        file.write(made.scan.read_bytes())
    write_record(layout, _record(case, path, load(path)))
    desk.log.close()


def _record(case: Any, path: Path, volume: Any) -> Any:
    from napari_medlabel.io.files import sha256_file
    from napari_medlabel.project.cases.pixels import pixel_digest
    from napari_medlabel.project.cases.record import CaseRecord
    from napari_medlabel.session.opening import case_id

    return CaseRecord(
        case,
        case_id(volume),
        _SUBJECT,
        f"sha256:{sha256_file(path)}",
        pixel_digest(volume.array),
        (),
        "",
        "CT",
        volume.grid.shape,
        volume.grid.affine.spacing_mm,
        "2026-11-22T12:00:00Z",
    )
