"""DICOM objects that mark an image: opened without trust, and the scan's own images by name."""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.geometry.axes import FloatArray
from napari_medlabel.io.marks.found import SIDES
from napari_medlabel.io.marks.whole import require_whole
from napari_medlabel.model.labelmap import Code
from napari_medlabel.model.volume import Volume

DEFLATED: Final = b"1.2.840.10008.1.2.1.99"
_META: Final = 144  # preamble, DICM, and the element that says how long the meta group is
_LARGEST_INFLATED: Final = 96 << 20
AGAIN: Final = "The file is damaged; export it again from its source."


def open_dataset(path: Path) -> Any:
    """Read a DICOM file through pydicom, its bulk data too.

    Raises
    ------
    InputError
        When the file is cut off, or a deflated one is damaged or stands for absurdly many
        bytes.
    """
    import pydicom
    from pydicom.filereader import read_dataset

    with path.open("rb") as stream:
        head = stream.read(2048)
        if DEFLATED not in head or head[128:132] != b"DICM":
            require_whole(path)
            stream.seek(0)
            return pydicom.dcmread(stream, force=True)
        start = _META + int.from_bytes(head[140:144], "little")
        stream.seek(start)
        packed = stream.read()
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = inflate.decompress(packed, _LARGEST_INFLATED)
    except zlib.error as err:
        raise InputError("The deflated file is damaged.", hint=AGAIN) from err
    if not inflate.eof:
        raise InputError(
            "The deflated file is cut off, or holds far more than a segmentation can.",
            hint="Export it again, uncompressed.",
        )
    dataset = read_dataset(io.BytesIO(plain), is_implicit_VR=False, is_little_endian=True)
    dataset.set_original_encoding(False, True, "utf-8")
    return dataset


def transfer_syntax(dataset: Any) -> str:
    """Return the Transfer Syntax UID; empty where no meta group says it."""
    meta = getattr(dataset, "file_meta", None)
    return str(meta.get("TransferSyntaxUID", "")) if meta is not None else ""


def items(dataset: Any, keyword: str) -> tuple[Any, ...]:
    """Return the items of a sequence; () where there is none."""
    if dataset is None:
        return ()
    found = dataset.get(keyword)
    return tuple(found) if found and hasattr(found, "__iter__") and not _is_text(found) else ()


def first(dataset: Any, *keywords: str) -> Any:
    """Follow the first items of nested sequences; None where one is missing."""
    for keyword in keywords:
        found = items(dataset, keyword)
        if not found:
            return None
        dataset = found[0]
    return dataset


def text(dataset: Any, keyword: str) -> str:
    """Return a value as text without padding; empty where there is none."""
    value = None if dataset is None else dataset.get(keyword)
    return "" if value is None else str(value).strip("\0 ")


def plain_text(dataset: Any, tag: int) -> str:
    """Return a value of the default repertoire as `text` does, many times faster."""
    if tag not in dataset:
        return ""
    value = dataset.get_item(tag).value
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip("\0 ")


def whole(dataset: Any, keyword: str, default: int) -> int:
    """Return a whole number, or the default where there is none."""
    value = dataset.get(keyword)
    return default if value is None or value == "" else int(value)


def numbers(dataset: Any, keyword: str, count: int) -> tuple[float, ...] | None:
    """Return exactly so many finite numbers; None where there are not."""
    value = None if dataset is None else dataset.get(keyword)
    if value is None or _is_text(value):
        return None
    found = tuple(float(v) for v in (value if hasattr(value, "__iter__") else (value,)))
    good = len(found) == count and all(math.isfinite(v) for v in found)
    return found if good else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str | bytes)


def code(dataset: Any, keyword: str) -> Code | None:
    """Return the first code of a code sequence (PS3.3 8.8); None where there is none."""
    item = first(dataset, keyword)
    if item is None:
        return None
    value = text(item, "CodeValue") or text(item, "LongCodeValue") or text(item, "URNCodeValue")
    modifier = first(item, "SegmentedPropertyTypeModifierCodeSequence")
    side = SIDES.get(text(modifier, "CodeValue"), "")
    found = Code(text(item, "CodingSchemeDesignator"), value, text(item, "CodeMeaning"), side)
    return found if found.value or found.meaning else None


def plane_matrix_ras(
    position_lps: Iterable[float], orientation_lps: Iterable[float], spacing_mm: Iterable[float]
) -> FloatArray | None:
    """Return the map from (column, row, 0) to RAS mm, shape (4, 4), PS3.3 C.7.6.2.1.1.

    The third axis is the plane's normal, 1 mm long. None where the directions are no right
    angle or a length is zero.
    """
    direction = np.array(list(orientation_lps), dtype=np.float64).reshape(2, 3)
    rows_mm, columns_mm = spacing_mm
    normal = np.cross(direction[0], direction[1])
    if not (rows_mm > 0 and columns_mm > 0 and np.linalg.norm(normal) > 0.9):
        return None
    matrix = np.eye(4)
    matrix[:3, 0] = direction[0] * columns_mm
    matrix[:3, 1] = direction[1] * rows_mm
    matrix[:3, 2] = normal
    matrix[:3, 3] = list(position_lps)
    matrix[:2] *= -1.0
    return matrix


class ScanImages:
    """The scan's own images: which slice an instance, or a frame of one, is."""

    def __init__(self, volume: Volume) -> None:
        source = volume.source
        self.uids = frozenset(source.sop_instance_uids)
        found: dict[tuple[str, int], set[int]] = {}
        slices = volume.grid.shape[2]
        uids = source.sop_instance_uids
        planes = source.planes or tuple((n, 0) for n in range(len(uids)))
        for n, (file, frame) in enumerate(planes):
            owner = n if len(uids) == len(planes) else file
            if file >= 0 and 0 <= owner < len(uids):
                found.setdefault((uids[owner], frame), set()).add(n % slices)
        # The sheet of a mosaic is no slice: what names it names all of them.
        self._slices = {key: ks.pop() for key, ks in found.items() if len(ks) == 1}
        self._of_uid: dict[str, set[int]] = {}
        for (uid, _), k in self._slices.items():
            self._of_uid.setdefault(uid, set()).add(k)

    def slice_of(self, uid: str, frame: int = 1) -> int | None:
        """Return k of a frame, counted from 1, of an instance; None where it is another's."""
        return self._slices.get((uid, frame - 1))

    def slices_of(self, reference: Any) -> set[int]:
        """Return the slices that a Referenced SOP item names (PS3.3 10.8, Table 10-3)."""
        uid = text(reference, "ReferencedSOPInstanceUID")
        frames = reference.get("ReferencedFrameNumber")
        if frames is None or frames == "":
            known = self._of_uid.get(uid, set())
            return known if len(known) == 1 else set()
        many = frames if hasattr(frames, "__iter__") and not _is_text(frames) else (frames,)
        found = {self.slice_of(uid, int(n)) for n in many}
        return {k for k in found if k is not None}
