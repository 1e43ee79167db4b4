"""Masks as Slicer's segmentations (.seg.nrrd): names, colours, codes, and labels that overlap.

teem.sourceforge.net/nrrd/format.html; 3D Slicer developer guide, "Segmentation file format".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.export.read_back import (
    as_scan,
    not_the_same,
    require_new,
    require_same_segments,
)
from napari_medlabel.export.segments import CodingLike, Codings, Segment, segments_of
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import Staging, sha256_file
from napari_medlabel.io.gzip_stream import gzipped
from napari_medlabel.io.marks.nrrd import read_seg_nrrd
from napari_medlabel.io.voxels import require_room
from napari_medlabel.model.labelmap import Code, LabelMap

_SUFFIX: Final = ".seg.nrrd"
_WHAT: Final = "segmentation"
_CONTEXT: Final = "Segmentation category and type - 3D Slicer General Anatomy list"
_REGIONS: Final = "Anatomic codes - DICOM master list"


def save_seg_nrrd(
    path: Path, layers: Sequence[LabelMap], *, codings: Codings | None = None
) -> str:
    """Write a mask as Slicer does, read it back, and only then give it its name.

    Parameters
    ----------
    path : Path
        A ``.seg.nrrd`` file that does not exist.
    layers : sequence of LabelMap
        One label map, or several on one grid where labels overlap: layers of the file. Label
        values stay what they are.
    codings : mapping, optional
        For each label value what the ontology says; else its own code, else "Tissue".

    Returns
    -------
    str
        Hex SHA-256 of the file.

    Raises
    ------
    GeometryError, InputError
        When the label maps do not fit each other, or the name ends otherwise.
    SaveError
        When the target exists, cannot be written, or reads back otherwise.
    """
    if not path.name.lower().endswith(_SUFFIX) or len(path.name) == len(_SUFFIX):
        raise InputError(
            "A segmentation of Slicer is a .seg.nrrd file; the name given ends otherwise.",
            hint="For example: mask.seg.nrrd",
        )
    if not layers:
        raise InputError(
            "A mask is expected; none came.", hint="Choose the mask that is to be written."
        )
    require_new(path)
    segments = segments_of(layers, codings, keep_values=True)
    grid = layers[0].grid
    stored = _stored(layers)
    head = _header(grid, len(layers), stored.dtype, _fields(segments, layers))
    digest: list[str] = []

    def write(aside: Path) -> None:
        with aside.open("xb") as stream:
            stream.write(head)
            body = stored.reshape(-1).view(np.uint8).data.cast("B")
            stream.writelines(gzipped(b"", iter([body])))

    def check(aside: Path) -> None:
        try:
            marks = read_seg_nrrd(aside, as_scan(layers[0]))
        except (InputError, GeometryError) as err:
            raise not_the_same(_WHAT) from err
        require_same_segments(marks, segments, layers, _WHAT)
        digest.append(sha256_file(aside))

    with Staging() as staging:
        staging.add(path, write, check=check)
        require_new(path)
        staging.publish()
    return digest[0]


def _stored(layers: Sequence[LabelMap]) -> npt.NDArray[Any]:
    """Return the voxels as they lie in the file: (k, j, i), or (k, j, i, layer)."""
    dtype = max((one.array.dtype for one in layers), key=lambda d: d.itemsize)
    little = dtype.newbyteorder("<")
    if len(layers) == 1:
        return np.ascontiguousarray(layers[0].array.T, dtype=little)
    require_room(layers[0].grid.size * len(layers) * dtype.itemsize)
    out = np.empty((*layers[0].array.T.shape, len(layers)), little)
    for n, one in enumerate(layers):
        out[..., n] = one.array.T
    return out


def _header(
    grid: Grid, layers: int, dtype: np.dtype[Any], fields: Iterator[tuple[str, str]]
) -> bytes:
    lps = grid.affine.lps
    vectors = [_vector(lps[:3, axis]) for axis in range(3)]
    sizes, kinds = [str(n) for n in grid.shape], ["domain"] * 3
    if layers > 1:
        sizes, vectors = [str(layers), *sizes], ["none", *vectors]
        kinds = ["list", *kinds]
    lines = [
        "NRRD0004",
        "# Complete NRRD file format specification at:",
        "# http://teem.sourceforge.net/nrrd/format.html",
        f"type: {'unsigned char' if dtype.itemsize == 1 else 'unsigned short'}",
        f"dimension: {len(sizes)}",
        "space: left-posterior-superior",
        f"sizes: {' '.join(sizes)}",
        f"space directions: {' '.join(vectors)}",
        f"kinds: {' '.join(kinds)}",
        *(["endian: little"] if dtype.itemsize > 1 else []),
        "encoding: gzip",
        f"space origin: {_vector(lps[:3, 3])}",
        *(f"{key}:={_escaped(value)}" for key, value in fields),
    ]
    return ("\n".join(lines) + "\n\n").encode()


def _vector(numbers: npt.NDArray[Any]) -> str:
    return "(" + ",".join(repr(float(v) + 0.0) for v in numbers) + ")"


def _escaped(value: str) -> str:
    """Return a value of a key as the format asks: on one line."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", " ")


def _fields(
    segments: Sequence[Segment], layers: Sequence[LabelMap]
) -> Iterator[tuple[str, str]]:
    extents = [_extents(one) for one in layers]
    nothing = "0 -1 0 -1 0 -1"
    for n, one in enumerate(segments):
        start = f"Segment{n}_"
        yield start + "Color", " ".join(f"{part:.6g}" for part in one.label.rgb)
        yield start + "ColorAutoGenerated", "0"
        yield start + "Extent", extents[one.layer].get(one.label.value, nothing)
        yield start + "ID", f"Segment_{one.number}"
        yield start + "LabelValue", str(one.label.value)
        yield start + "Layer", str(one.layer)
        yield start + "Name", one.label.name
        yield start + "NameAutoGenerated", "0"
        yield start + "Tags", f"TerminologyEntry:{terminology_entry(one.coding)}|"
    yield "Segmentation_ContainedRepresentationNames", "Binary labelmap|"
    yield "Segmentation_ConversionParameters", ""
    # The same under its older and its newer name: Slicer before and from 5.3 on.
    yield "Segmentation_MasterRepresentation", "Binary labelmap"
    yield "Segmentation_ReferenceImageExtentOffset", "0 0 0"
    yield "Segmentation_SourceRepresentation", "Binary labelmap"


def _extents(labels: LabelMap) -> dict[int, str]:
    """Return for each value the box of its voxels: first and last i, j and k."""
    from scipy.ndimage import find_objects

    boxes = find_objects(labels.array.T)
    return {
        value: " ".join(f"{s.start} {s.stop - 1}" for s in reversed(box))
        for value, box in enumerate(boxes, 1)
        if box is not None
    }


def terminology_entry(coding: CodingLike) -> str:
    """Return Slicer's TerminologyEntry: seven parts, codes as scheme^value^meaning."""
    return "~".join(
        (
            _CONTEXT,
            _triplet(coding.category),
            _triplet(coding.type),
            _triplet(coding.modifier),
            _REGIONS,
            _triplet(coding.region),
            _triplet(coding.region_modifier),
        )
    )


def _triplet(code: Code | None) -> str:
    if code is None:
        return "^^"
    parts = (code.scheme, code.value, code.meaning)
    return "^".join(part.translate(_RESERVED) for part in parts)


_RESERVED: Final = str.maketrans({"^": " ", "~": " ", "|": " "})
