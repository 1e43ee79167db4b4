"""Masks as plain volumes (NIfTI, NRRD, MetaImage), and the label table that belongs to one."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.io.itk import reading as itk
from napari_medlabel.io.marks.found import Marks, counted
from napari_medlabel.io.marks.label_table import only_used, parse_label_table, read_label_table
from napari_medlabel.io.marks.place import place
from napari_medlabel.io.nifti import reading as nifti
from napari_medlabel.model.labelmap import LabelMap, LabelScheme, count_labels
from napari_medlabel.model.volume import Volume

_KINDS: Final = {
    "nifti": "NIfTI mask",
    "analyze": "NIfTI mask",
    "nrrd": "NRRD mask",
    "mha": "MetaImage mask",
}
_SUFFIXES: Final = (".nii.gz", ".nii", ".img", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd")
TABLE_SUFFIXES: Final = (".json", ".tsv", ".label", ".ctbl", ".ctab", ".txt", ".lut", ".csv")
_LONGEST_EXTENSIONS: Final = 8 << 20
_DEEPEST: Final = 4  # a mask lies in data set/patient/visit/kind


def read_mask_marks(
    path: Path, kind: str, volume: Volume, table: LabelScheme | None = None
) -> Marks:
    """Read a mask with the table that names its labels.

    Parameters
    ----------
    path : Path
        The mask.
    kind : str
        ``"nifti"``, ``"analyze"``, ``"nrrd"`` or ``"mha"``.
    volume : Volume
        Its scan.
    table : LabelScheme, optional
        What the numbers mean. Else the header or a file of the mask's name beside it says it.

    Raises
    ------
    GeometryError
        When it does not lie on the scan.
    InputError
        When it cannot be read, holds no labels, or its table is damaged.
    """
    if kind not in _KINDS:
        raise InputError(
            "A file of marks is expected: a segmentation, structures, a report or a mask.",
            hint="DICOM SEG, RTSTRUCT and SR, .seg.nrrd, NIfTI, NRRD and MetaImage are read.",
        )
    is_nifti = kind in ("nifti", "analyze")
    array, grid = (nifti.read_labels_nifti if is_nifti else itk.read_labels_itk)(path)
    placed, is_part = place(array, grid, volume.grid, what="mask")
    values = list(count_labels(placed))
    if table is None:
        table = _table_of(path, is_nifti=is_nifti)
    scheme = LabelScheme("Labels", ()) if table is None else only_used(table, values)
    unnamed = set(values) - set(scheme.values)
    scheme = scheme.with_unnamed(unnamed)
    if placed.dtype != scheme.dtype:
        placed = np.array(placed.T, dtype=scheme.dtype, order="C").T
    warnings: tuple[str, ...] = ()
    if is_part:
        warnings += ("The mask covers a part of the scan; the rest is background.",)
    if table is not None and unnamed:
        warnings += (
            counted(len(unnamed), "{} label(|s) of the mask (is|are) not in its table."),
        )
    return Marks(_KINDS[kind], (LabelMap(volume.grid, placed, scheme),), warnings=warnings)


def _table_of(path: Path, *, is_nifti: bool) -> LabelScheme | None:
    if is_nifti:
        for text in _extensions(path):
            try:
                return parse_label_table(text)
            except InputError:
                continue  # an extension may say anything: most are no label tables
    for candidate in _beside(path):
        if not candidate.is_file():
            continue
        try:
            return read_label_table(candidate)
        except InputError:
            # A JSON or text beside it may be about something else; a table alone must be one.
            if candidate.suffix in (".label", ".ctbl", ".ctab", ".lut"):
                raise
    return None


def _beside(path: Path) -> Iterator[Path]:
    name = path.name
    suffix = next((s for s in _SUFFIXES if name.lower().endswith(s)), "")
    stem = name[: len(name) - len(suffix)]
    for end in TABLE_SUFFIXES:
        yield path.with_name(stem + end)
    if stem.endswith("_dseg"):  # BIDS: one table for all masks of a folder, or of the data set
        yield path.with_name("dseg.tsv")
        for folder in list(path.absolute().parents)[1:_DEEPEST]:
            yield folder / "dseg.tsv"
            if (folder / "dataset_description.json").is_file():
                break


def _extensions(path: Path) -> Iterator[str]:
    """Yield the texts of a NIfTI header's extensions (nifti1.h, section "Extended header")."""
    header = nifti.inspect(path)
    size, order = len(header.raw), "big" if header.big_endian else "little"
    if not size + 4 < header.offset <= _LONGEST_EXTENSIONS:
        return
    try:
        with path.open("rb") as stream:
            is_packed = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            source = gzip.GzipFile(fileobj=stream) if is_packed else stream
            head = source.read(header.offset)
    except (OSError, EOFError, zlib.error) as err:
        raise InputError(
            "The header cannot be read whole.", hint="Copy or export the file again."
        ) from err
    at = size + 4
    if not head[size : size + 1].strip(b"\0"):
        return
    while at + 8 <= len(head):
        length = int.from_bytes(head[at : at + 4], order)  # type: ignore[arg-type]
        if length < 16:
            return
        yield head[at + 8 : at + length].rstrip(b"\0").decode("utf-8", "replace")
        at += length
