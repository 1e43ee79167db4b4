"""The data set of a release: scans and masks as they are in the study, byte for byte, as BIDS.

Nothing is written anew that the log knows by its content: scan, mask and landmarks are copied
and compared by hash. The mask's sidecar loses the paths of the study. CT is in BIDS's style:
what BIDS does not have is listed, by bare names, in ``.bidsignore``.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import RefusedError, SaveError
from napari_medlabel.io.files import explain_os_error, make_folder, sha256_file
from napari_medlabel.project.cases.dataset import as_json, derivative_files, root_files
from napari_medlabel.project.cases.participants import COLUMNS, ID, SPLIT, to_tsv
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.cases.sidecar import leaving_sidecar
from napari_medlabel.project.cases.version import (
    LANDMARKS,
    MASK,
    SIDECAR,
    Version,
    sheet_kind,
)
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.release.unresolved import (
    ENDING,
    kind_of,
    told_of,
    unresolved_in,
    write_unresolved,
)

LABELS: Final = "release"
"""What the data set of labels is called: ``derivatives/medlabel-release``."""
_SPLIT: Final = {"Description": "Split of all scans of the patient", "Levels": {
    "train": "to train with", "val": "to choose with", "test": "to judge with"}}  # fmt: skip


def write_frame(
    folder: Path, name: str, ontology: Ontology, rows: Mapping[str, Mapping[str, str]]
) -> None:
    """Write what describes the data set and its labels.

    Parameters
    ----------
    folder : Path
        New and empty.
    name : str
        Of the study.
    ontology : Ontology
        Whose labels ``dseg.tsv`` explains.
    rows : mapping
        Cells of each patient that is released, by code.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    described = root_files(name)
    about: dict[str, Any] = {ID: {"Description": "Code of the patient in this study"}}
    columns = dict.fromkeys(key for row in rows.values() for key in row)
    about |= {key: COLUMNS.get(key, {}) for key in (*COLUMNS, *columns) if key != SPLIT}
    about |= {SPLIT: _SPLIT} if SPLIT in columns else {}
    described |= {
        "participants.tsv": to_tsv(rows),
        "participants.json": as_json(about),
        "README.md": _readme(name).encode(),
    }
    described.pop(".gitignore")
    _write(folder, described)
    labels = derivative_files(LABELS, ontology)
    labels["README.md"] = (
        b"# Labels\n\nEach `_dseg.nii.gz` is the mask of one scan; `dseg.tsv` says "
        b"what its values mean.\n"
    )
    _write(folder / "derivatives" / f"medlabel-{LABELS}", labels)


def copy_case(
    layout: Layout,
    folder: Path,
    record: CaseRecord,
    version: Version,
    unsaid: Collection[str] = (),
) -> dict[str, str]:
    """Copy a scan with its mask and landmarks into a release.

    Parameters
    ----------
    layout : Layout
        The study.
    folder : Path
        Of the release, while it is made.
    record : CaseRecord
        The case.
    version : Version
        Whose mask leaves.
    unsaid : collection of str
        Entries of the scan's sidecar that do not leave.

    Returns
    -------
    dict of str to str
        Paths in the release of ``scan``, ``mask``, ``mask1`` of layer 1 and so on, and, where
        there are some, ``landmarks``, and ``unresolved`` (``unresolved1`` ...), a mask of the
        voxels of a consensus without an answer.

    Raises
    ------
    RefusedError
        When a file of the study is not the one that was added or submitted.
    SaveError
        When a copy cannot be written.
    """
    there = Layout(folder)
    scan = layout.scan(record.case)
    copies = {"scan": (scan, there.scan(record.case), record.file)}
    further = [(f"mask{layer}", sheet_kind(layer)) for layer in sorted(version.sheets)]
    for kind, ending in (("mask", MASK), *further, ("landmarks", LANDMARKS)):
        source = version.path(layout, ending)
        if source is not None:
            target = there.version(LABELS, record.case, version.number, ending)
            copies[kind] = (source, target, version.files[layout.relative(source)])
    for source, target, digest in copies.values():
        _copy(source, target, digest)
    name = f"{record.case}.json"
    try:
        sidecar = layout.version(version.rater, record.case, version.number, SIDECAR)
        target = there.version(LABELS, record.case, version.number, SIDECAR)
        told_by = _own_part(json.loads(sidecar.read_bytes())) | _unresolved(layout, version)
        target.write_bytes(as_json(told_by))
        told = leaving_sidecar(layout, record)
        if told is not None:  # a scan without a sidecar has nothing more to tell
            copies["scan"][1].with_name(name).write_bytes(_without(told, unsaid))
    except OSError as err:
        raise explain_os_error(err) from err
    written = {kind: target for kind, (_, target, _) in copies.items()}
    written |= write_unresolved(unresolved_in(layout, version), written["mask"])
    return {kind: there.relative(target) for kind, target in written.items()}


def _without(sidecar: bytes, unsaid: Collection[str]) -> bytes:
    """Return a scan's sidecar without some entries; as it is, where it has none of them."""
    told = json.loads(sidecar)
    left = {key: value for key, value in told.items() if key not in unsaid}
    return as_json(left) if len(left) < len(told) else sidecar


def _own_part(document: dict[str, Any]) -> dict[str, Any]:
    """Return a sidecar without the paths of the study it comes from."""
    told = {key: value for key, value in document["study"].items() if key != "files"}
    return {**document, "study": told}


def _unresolved(layout: Layout, version: Version) -> dict[str, Any]:
    """Return what a sidecar says of voxels without an answer; nothing where there are none."""
    voxels = {kind_of(n): one.voxels for n, one in told_of(layout, version).items()}
    words = f"0 in the mask, and no answer: 1 in the mask whose name ends in {ENDING}"
    return {"unresolved": {"voxels": voxels, "words": words}} if voxels else {}


def _copy(source: Path, target: Path, digest: str) -> None:
    make_folder(target.parent)
    try:
        shutil.copyfile(source, target)
        written = f"sha256:{sha256_file(target)}"
    except FileNotFoundError:
        written = ""
    except OSError as err:
        raise explain_os_error(err) from err
    if written != digest:
        raise RefusedError(
            "A file that was to be released is not the one that was added or submitted.",
            hint="See which one with: medlabel project validate STUDY",
        )


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    make_folder(folder)
    try:
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as err:
        raise explain_os_error(err) from err


def make_read_only(paths: Iterable[Path]) -> None:
    """Take the right to write from files, as far as the file system has such a right.

    Raises
    ------
    SaveError
        When the system refuses it.
    """
    try:
        for path in paths:
            path.chmod(0o444)
    except OSError as err:
        raise SaveError(
            f"The release is whole, and its files could not be made read-only ({err.errno}).",
            hint="Take the right to write from them by hand.",
        ) from err


def _readme(name: str) -> str:
    return f"""# {name}

A release made with napari-medlabel. It is never changed: a newer one has another name.

- `sub-*/`: de-identified scans, as NIfTI. Codes stand for patients.
- `derivatives/medlabel-{LABELS}/`: the label of each scan; `dseg.tsv` says what values mean.
  Where a consensus left voxels without an answer, `*{ENDING}` holds 1 there.
- `participants.tsv`: one line for each patient, with the split of all of their scans.
- `DATASHEET.md`, `CLAIM.md`, `croissant.json`: documents, all from `facts.json`; `GRRAS.md`,
  where raters were compared: how far they agree.
- `manifest.json`, `manifest.signature.json`: every file by its hash, and who signed that.
- `chain.json`: for each scan what it was made of, and who read and reviewed it, by codes.
- `audit_receipt.json`: proof that this leaving is in the study's log.

Check all of it, without any network: `medlabel verify FOLDER`. CT, PET and what else BIDS does
not have in `anat` is listed in `.bidsignore`: the data set is BIDS in style.
"""
