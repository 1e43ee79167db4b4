"""A version of a rater's work on a case: what its sidecar says, its files, its number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import InputError
from napari_medlabel.export.landmarks import load_landmarks
from napari_medlabel.export.mask import load_mask
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import sha256_file
from napari_medlabel.io.nifti.reading import read_labels_nifti
from napari_medlabel.model.boxes import BoxSet
from napari_medlabel.model.labelmap import LabelMap, LabelScheme
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.project.cases.boxes import decode_boxes
from napari_medlabel.project.layout import CONSENSUS, CaseId, Layout, require_rater

MASK: Final = "dseg.nii.gz"
SIDECAR: Final = "dseg.json"
LANDMARKS: Final = "landmarks.mrk.json"
ANSWERS: Final = "answers.json"
PROVENANCE: Final = "prov.nii.gz"
BOXES: Final = "boxes.json"
KINDS: Final = (MASK, SIDECAR, LANDMARKS, ANSWERS, PROVENANCE, BOXES)
"""Endings of the files that a version may have; and those of further sheets, `sheet_kind`."""
ORIGINS: Final = ("none", "human", "assisted-kept", "assisted-edited", "interpolated",
                  "adjudicated", "unresolved")  # fmt: skip
"""What the values of a provenance map mean, from 0."""
_NAME: Final = re.compile(
    r"(?P<stem>sub-[A-Za-z0-9]+(_[a-z]+-[A-Za-z0-9]+)*)_desc-(?P<suffix>[A-Za-z0-9]+)"
    r"v(?P<number>[0-9]{3,})_(?P<kind>"
    + "|".join((*(re.escape(kind) for kind in KINDS), r"l[1-9][0-9]*(?:dseg|prov)\.nii\.gz"))
    + ")"
)


@dataclass(frozen=True)
class Pins:
    """Under which rules a version was made.

    Parameters
    ----------
    ontology, guideline : str
        Digests, ``sha256:<hex>``.
    """

    ontology: str
    guideline: str


@dataclass(frozen=True)
class Version:
    """A version as its sidecar tells of it.

    Parameters
    ----------
    rater : str
        Code, or ``consensus``.
    case : CaseId
        Of what.
    number : int
        From 1.
    content : str
        Content id of the mask, as the log names it.
    saved : str
        When, ISO 8601 in UTC.
    pins : Pins
        The rules.
    files : mapping of str to str
        ``sha256:<hex>`` of each file but the sidecar, by its path from the study's root.
    sheets : mapping of int to str
        Content ids of the masks of further layers, by layer.
    """

    rater: str
    case: CaseId
    number: int
    content: str
    saved: str
    pins: Pins
    files: Mapping[str, str]
    sheets: Mapping[int, str] = field(default_factory=dict)

    def path(self, layout: Layout, kind: str) -> Path | None:
        """Return a file of the version; None where it has none of that kind."""
        path = layout.version(self.rater, self.case, self.number, kind)
        return path if layout.relative(path) in self.files else None


def next_version(layout: Layout, rater: str, case: CaseId) -> int:
    """Return the first number that no file of a rater's version of a case has."""
    return max((number for number, _ in _files_of(layout, rater, case)), default=0) + 1


def whole_versions(layout: Layout, rater: str, case: CaseId) -> tuple[int, ...]:
    """Return the numbers of versions that are there as a whole, ascending."""
    return tuple(sorted(n for n, kind in _files_of(layout, rater, case) if kind == SIDECAR))


def read_version(layout: Layout, rater: str, case: CaseId, number: int) -> Version:
    """Read what a version is.

    Raises
    ------
    InputError
        When there is none, or its sidecar is damaged or another version's.
    """
    path = layout.version(require_writer(rater), case, number, SIDECAR)
    try:
        document = json.loads(path.read_bytes())
        told = document["study"]
        found = Version(
            str(told["rater"]),
            CaseId.parse(str(told["case"])),
            int(told["version"]),
            str(document["mask"]["content_id"]),
            str(document["saved"]),
            Pins(str(told["ontology"]), str(told["guideline"])),
            {str(name): str(digest) for name, digest in told["files"].items()},
            {int(layer): str(name) for layer, name in told.get("sheets", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise _strange(number) from err
    if (found.rater, found.case, found.number) != (rater, case, number):
        raise _strange(number)
    return found


def sheet_kind(layer: int, kind: str = MASK) -> str:
    """Return the ending of a layer's mask, or of its provenance map."""
    return kind if layer == 0 else f"l{layer}{kind}"


def read_labels(
    layout: Layout, version: Version, grid: Grid, scheme: LabelScheme, sheet: int | None = None
) -> LabelMap:
    """Read the mask of a version, or that of one of its layers.

    Parameters
    ----------
    grid : Grid
        The scan's.
    scheme : LabelScheme
        Used where the sidecar has none.
    sheet : int, optional
        The layer: labels of two layers may overlap, so each has a mask. Who names none reads
        versions of one mask alone, and leaves out no label unnoticed.

    Raises
    ------
    InputError
        When it is not what the version's sidecar says, or has several masks and none is named.
    GeometryError
        When it lies on another grid.
    """
    if sheet is None and version.sheets:
        raise InputError(
            f"Version {version.number} has labels on several layers, a mask for each, and "
            "this step takes one mask.",
            hint="This is a fault in the program; please report it. Nothing of overlapping "
            "labels is left out unnoticed.",
        )
    kind = sheet_kind(sheet or 0)
    if version.path(layout, kind) is None:
        raise InputError(
            f"Version {version.number} has no mask of layer {sheet}.",
            hint="It was made before the ontology had labels there.",
        )
    return load_mask(_unchanged(layout, version, kind), grid, scheme=scheme)


def read_landmarks(layout: Layout, version: Version) -> LandmarkSet | None:
    """Read the landmarks of a version (RAS mm), None where it has none.

    Raises
    ------
    InputError
        When they are not what the version's sidecar says.
    """
    if version.path(layout, LANDMARKS) is None:
        return None
    return load_landmarks(_unchanged(layout, version, LANDMARKS))


def read_answers(layout: Layout, version: Version) -> dict[str, Any]:
    """Read the answers of a version; empty where it has none.

    Raises
    ------
    InputError
        When they are not what the version's sidecar says.
    """
    if version.path(layout, ANSWERS) is None:
        return {}
    found: dict[str, Any] = json.loads(_unchanged(layout, version, ANSWERS).read_bytes())
    return dict(found["answers"])


def read_boxes(layout: Layout, version: Version, grid: Grid) -> BoxSet | None:
    """Read the bounding boxes of a version, None where it has none.

    Parameters
    ----------
    grid : Grid
        The scan's.

    Raises
    ------
    InputError
        When they are not what the version's sidecar says.
    GeometryError
        When they lie on another grid.
    """
    if version.path(layout, BOXES) is None:
        return None
    return decode_boxes(_unchanged(layout, version, BOXES).read_bytes(), grid)


def read_provenance(
    layout: Layout, version: Version, grid: Grid, sheet: int = 0
) -> npt.NDArray[np.uint8] | None:
    """Read where each voxel of a version comes from, shape (i, j, k); None where unknown.

    Raises
    ------
    InputError
        When it is not what the version's sidecar says.
    GeometryError
        When it lies on another grid.
    """
    kind = sheet_kind(sheet, PROVENANCE)
    if version.path(layout, kind) is None:
        return None
    array, place = read_labels_nifti(_unchanged(layout, version, kind))
    grid.require_same(place, what="provenance map")
    return array.astype(np.uint8, copy=False)


def whole_digest(layout: Layout, version: Version) -> str:
    """Return the SHA-256 of a version's sidecar: it names each other file by its digest.

    Raises
    ------
    InputError
        When it is not there.
    """
    path = layout.version(version.rater, version.case, version.number, SIDECAR)
    try:
        return f"sha256:{sha256_file(path)}"
    except OSError as err:
        raise _strange(version.number) from err


def require_files(layout: Layout, version: Version) -> None:
    """Refuse a version of which a file is not the one that was submitted, or is missing.

    Raises
    ------
    InputError
        Saying which version.
    """
    for name in version.files:
        found = file_of((layout.root / name).name)
        if found is not None:
            _unchanged(layout, version, found[2])


def file_of(name: str) -> tuple[str, int, str] | None:
    """Return (stem and kind of scan, number, kind of file) of a version's file name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return f"{found['stem']}_{found['suffix']}", int(found["number"]), found["kind"]


def require_writer(rater: str) -> str:
    """Return the code of who has a data set here: a rater, or the consensus."""
    return rater if rater == CONSENSUS else require_rater(rater)


def _files_of(layout: Layout, rater: str, case: CaseId) -> Iterator[tuple[int, str]]:
    folder = layout.version(require_writer(rater), case, 1, MASK).parent
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        found = file_of(path.name)
        if found is not None and found[0] == str(case):
            yield found[1], found[2]


def _unchanged(layout: Layout, version: Version, kind: str) -> Path:
    """Return a file of a version when it is the one that was submitted."""
    path = layout.version(version.rater, version.case, version.number, kind)
    wanted = version.files.get(layout.relative(path), "")
    try:
        same = f"sha256:{sha256_file(path)}" == wanted
    except OSError as err:
        raise _strange(version.number) from err
    if not same:
        raise InputError(
            f"A file of version {version.number} is not the one that was submitted.",
            hint="Let the study's manager see what changed: medlabel project validate STUDY",
        )
    return path


def _strange(number: int) -> InputError:
    return InputError(
        f"Version {number} of this case by this rater is not there as a whole.",
        hint="Let the study's manager see what is wrong: medlabel project validate STUDY",
    )
