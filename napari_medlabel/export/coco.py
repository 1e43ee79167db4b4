"""Masks and boxes as COCO: a picture for each slice, run lengths, the grid they came from.

cocodataset.org, "Data format". Pictures are the slices as they are stored: column i, row j,
nothing turned and nothing resampled; spacing in mm and the affine stand in ``info``. A box in
3D is an annotation on each of its slices, with an empty mask: nobody drew one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel import __version__
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.export.naming import require_token
from napari_medlabel.export.read_back import (
    as_scan,
    new_folder,
    not_the_same,
    require_same_segments,
)
from napari_medlabel.export.segments import Segment, segments_of
from napari_medlabel.io.files import write_bytes_aside
from napari_medlabel.io.marks.coco import BOX, KEY, VERSION, read_coco
from napari_medlabel.io.marks.coco_rle import pack, to_counts
from napari_medlabel.model.boxes import Box3D
from napari_medlabel.model.labelmap import Label, LabelMap
from napari_medlabel.model.volume import Volume

Packing = Literal["compressed", "uncompressed"]
ANNOTATIONS: Final = "annotations.json"
_PICTURES: Final = "images"
_WHAT: Final = "COCO file"


@dataclass(frozen=True, eq=False)
class SliceCase:
    """One scan on its way into pictures.

    Parameters
    ----------
    name : str
        Letters, digits, dash and underscore; never a patient's name.
    layers : tuple of LabelMap
        One label map, or several on one grid where labels overlap.
    scan : Volume or None
        For the pictures; None writes none.
    window : tuple of float or None
        Values shown black and white; the scan's own least and largest when None.
    boxes : tuple of (Box3D, Label)
        On the grid of the masks; with the category of each.
    """

    name: str
    layers: tuple[LabelMap, ...]
    scan: Volume | None = None
    window: tuple[float, float] | None = None
    boxes: tuple[tuple[Box3D, Label], ...] = ()


def save_coco(
    folder: Path,
    cases: Iterable[SliceCase],
    *,
    time: datetime,
    packing: Packing = "compressed",
    each_part: bool = False,
) -> int:
    """Write masks as COCO, and compare each case with what it reads back.

    Parameters
    ----------
    folder : Path
        A new folder: ``annotations.json``, and ``images/`` with a PNG of each slice where the
        scan is given.
    cases : iterable of SliceCase
        Taken one after the other. All share the meaning of their values.
    time : datetime
        Now, aware.
    packing : str
        Run lengths as letters (``"compressed"``), as the COCO tools store them, or as numbers.
    each_part : bool
        Whether each connected part on a slice (4-connected) is an annotation of its own, as
        detectors want it; else there is one for each label and slice.

    Returns
    -------
    int
        Number of annotations.

    Raises
    ------
    InputError, GeometryError
        When a name stands twice, or a value means different things in two cases.
    SaveError
        When the folder exists, cannot be written, or reads back otherwise.
    """
    writer = _Writer(packing, each_part=each_part)
    with new_folder(folder) as aside:
        for case in cases:
            writer.add(case, aside)
        if not writer.cases:
            raise InputError("There is no case to write.", hint="Choose at least one case.")
        document = {
            "info": {
                "description": "Slices of medical scans with masks",
                "version": "1.0",
                "year": time.astimezone(UTC).year,
                "contributor": f"napari-medlabel {__version__}",
                "date_created": time.astimezone(UTC).isoformat(timespec="seconds"),
                KEY: {"version": VERSION, "length_unit": "mm", "cases": writer.cases},
            },
            "licenses": [],
            "images": writer.images,
            "categories": [
                *(_category(label) for label in writer.labels.values()),
                *(
                    _category(kind, BOX)
                    for value, kind in writer.kinds.items()
                    if value not in writer.labels
                ),
            ],
            "annotations": writer.annotations,
        }
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=None)
        write_bytes_aside(aside / ANNOTATIONS, text.encode())
    return len(writer.annotations)


class _Writer:
    """Gathers pictures and annotations, numbered through all cases."""

    def __init__(self, packing: Packing, *, each_part: bool) -> None:
        self._packing = packing
        self._each_part = each_part
        self.cases: dict[str, dict[str, Any]] = {}
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        self.labels: dict[int, Label] = {}
        self.kinds: dict[int, Label] = {}

    def add(self, case: SliceCase, folder: Path) -> None:
        """Add a case, its pictures too, after it has been read back."""
        require_token(case.name, "case", taken=self.cases)
        segments = segments_of(case.layers, keep_values=True)
        self._same_meaning(segments)
        for box, kind in case.boxes:
            self._require_kind(box, kind, case)
        grid = case.layers[0].grid
        self.cases[case.name] = {
            "shape_ijk": list(grid.shape),
            "spacing_mm": list(grid.affine.spacing_mm),
            "affine_ras_mm": grid.affine.matrix.tolist(),
        }
        first_image, first_mark = len(self.images), len(self.annotations)
        for k in range(grid.shape[2]):
            image = self._image(case, k)
            self.images.append(image)
            for one in segments:
                plane = case.layers[one.layer].array[:, :, k] == one.label.value
                self._annotate(plane, one, image["id"])
            self._enclose(case, k, image["id"])
        if case.scan is not None:
            _write_pictures(case, case.scan, folder)
        self._read_back(case, segments, folder, (first_image, first_mark))

    def _same_meaning(self, segments: Sequence[Segment]) -> None:
        for one in segments:
            known = self.labels.setdefault(one.label.value, one.label)
            if known.name != one.label.name:
                raise InputError(
                    f"The value {one.label.value} means different things in two cases.",
                    hint="Export cases of one scheme together.",
                )

    def _require_kind(self, box: Box3D, kind: Label, case: SliceCase) -> None:
        """Know a box's category, which is a label's or one of its own."""
        if not box.is_within(case.layers[0].grid.shape):
            raise GeometryError(
                "A box reaches out of the scan.", hint="Open the case and draw it again."
            )
        known = self.labels.get(kind.value) or self.kinds.setdefault(kind.value, kind)
        if known.name != kind.name:
            raise InputError(
                f"The value {kind.value} means different things for masks and boxes.",
                hint="Give each kind of box a value that no label has.",
            )

    def _image(self, case: SliceCase, k: int) -> dict[str, Any]:
        columns, rows, _ = case.layers[0].grid.shape
        across, down, _ = case.layers[0].grid.affine.spacing_mm
        return {
            "id": len(self.images) + 1,
            "file_name": picture_name(case.name, k),
            "width": columns,
            "height": rows,
            KEY: {"case": case.name, "slice": k, "pixel_mm": [across, down]},
        }

    def _annotate(self, plane: npt.NDArray[np.bool_], one: Segment, image: int) -> None:
        for part in _parts(plane, each=self._each_part):
            counts = to_counts(part)
            columns, rows = part.shape
            i, j = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
            self.annotations.append(
                {
                    "id": len(self.annotations) + 1,
                    "image_id": image,
                    "category_id": one.label.value,
                    "iscrowd": 0,
                    "area": int(np.count_nonzero(part)),
                    "bbox": [int(v) for v in (i[0], j[0], np.ptp(i) + 1, np.ptp(j) + 1)],
                    "segmentation": {
                        "size": [rows, columns],
                        "counts": pack(counts) if self._packing == "compressed" else counts,
                    },
                }
            )

    def _enclose(self, case: SliceCase, k: int, image: int) -> None:
        """Add the boxes that a slice cuts."""
        columns, rows, _ = case.layers[0].grid.shape
        counts = [columns * rows]
        for box, kind in case.boxes:
            (i, j, first), (wide, high, _) = box.start, box.shape
            if not first <= k < box.stop[2]:
                continue
            self.annotations.append(
                {
                    "id": len(self.annotations) + 1,
                    "image_id": image,
                    "category_id": kind.value,
                    "iscrowd": 0,
                    "area": wide * high,
                    "bbox": [i, j, wide, high],
                    "segmentation": {
                        "size": [rows, columns],
                        "counts": pack(counts) if self._packing == "compressed" else counts,
                    },
                    KEY: {BOX: box.id, "slices": [first, box.stop[2]]},
                }
            )

    def _read_back(
        self,
        case: SliceCase,
        segments: Sequence[Segment],
        folder: Path,
        first: tuple[int, int],
    ) -> None:
        """Read the case alone, from the disk, and compare it voxel by voxel."""
        document = {
            "info": {KEY: {"version": VERSION, "cases": {case.name: self.cases[case.name]}}},
            "images": self.images[first[0] :],
            "categories": [_category(one.label) for one in segments],
            "annotations": self.annotations[first[1] :],
        }
        probe = folder / f".{case.name}.json"
        write_bytes_aside(probe, json.dumps(document).encode())
        try:
            marks = read_coco(probe, as_scan(case.layers[0]))
        except (InputError, GeometryError) as err:
            raise not_the_same(_WHAT) from err
        finally:
            probe.unlink()
        require_same_segments(marks, segments, case.layers, _WHAT)


def picture_name(case: str, k: int) -> str:
    """Return the file of a slice's picture, from the folder of the annotations."""
    return f"{_PICTURES}/{case}_k{k:04d}.png"


def _parts(plane: npt.NDArray[np.bool_], *, each: bool) -> Iterator[npt.NDArray[np.bool_]]:
    if not plane.any():
        return
    if not each:
        yield plane
        return
    from scipy.ndimage import label

    found, count = label(plane)
    for n in range(1, count + 1):
        yield found == n


def _category(label: Label, over: str = "label") -> dict[str, Any]:
    return {
        "id": label.value,
        "name": label.name,
        "supercategory": over,
        "color": [round(255 * part) for part in label.rgb],
    }


def _write_pictures(case: SliceCase, scan: Volume, folder: Path) -> None:
    """Write each slice as a grey PNG of eight bits, as detectors read them."""
    import imagecodecs

    case.layers[0].grid.require_same(scan.grid, what="scan")
    finite = scan.array[np.isfinite(scan.array)] if scan.array.dtype.kind == "f" else None
    values = scan.array if finite is None else finite
    low, high = case.window or (float(values.min(initial=0)), float(values.max(initial=1)))
    if not high > low:
        high = low + 1.0
    target = folder / _PICTURES
    target.mkdir(exist_ok=True)
    for k in range(scan.grid.shape[2]):
        share = (scan.array[:, :, k].T.astype(np.float64) - low) / (high - low)
        grey = np.rint(255.0 * np.nan_to_num(share).clip(0.0, 1.0)).astype(np.uint8)
        data = imagecodecs.png_encode(np.ascontiguousarray(grey))
        write_bytes_aside(folder / picture_name(case.name, k), bytes(data))
