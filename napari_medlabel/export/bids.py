"""Masks as a BIDS derivative: ``_dseg.nii.gz`` with its sidecar, ``dseg.tsv``, a description.

BIDS 1.10, "Imaging derivatives", "Discrete segmentations" and "Common image-derived labels".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from napari_medlabel import __version__
from napari_medlabel.errors import InputError
from napari_medlabel.export.mask import SavedMask, require_not_source, stage_mask
from napari_medlabel.export.read_back import require_new
from napari_medlabel.io.files import Staging, make_folder
from napari_medlabel.model.labelmap import LabelMap, LabelScheme
from napari_medlabel.model.volume import Source

BIDS: Final = "1.10.0"
TABLE: Final = "dseg.tsv"
DESCRIPTION: Final = "dataset_description.json"
_STEM: Final = re.compile(r"sub-[A-Za-z0-9]+(_[a-z]+-[A-Za-z0-9]+)*")
# BIDS's own column "mapping" is a number of its standard segments; codes stand in three others.
_COLUMNS: Final = (
    "index",
    "name",
    "abbreviation",
    "color",
    "type_codingscheme",
    "type_codevalue",
    "type_codemeaning",
)


def start_derivative(
    root: Path, name: str, scheme: LabelScheme, *, sources: Sequence[str] = ()
) -> None:
    """Make a folder a BIDS derivative whose masks all have one scheme.

    Parameters
    ----------
    root : Path
        A folder that does not exist, or is no data set yet.
    name : str
        Title of the data set, without anybody's name.
    scheme : LabelScheme
        What the masks' values mean.
    sources : sequence of str
        Where the scans lie: URLs or paths relative to the root.

    Raises
    ------
    SaveError
        When it is a data set already, or cannot be written.
    """
    make_folder(root)
    for each in (DESCRIPTION, TABLE, "README.md"):
        require_new(root / each)
    description: dict[str, Any] = {
        "Name": " ".join(name.split()) or "Labels",
        "BIDSVersion": BIDS,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "napari-medlabel", "Version": __version__}],
    }
    if sources:
        description["SourceDatasets"] = [{"URL": one} for one in sources]
    files = {
        DESCRIPTION: json.dumps(description, indent=2, ensure_ascii=False) + "\n",
        TABLE: dseg_table(scheme),
        "README.md": f"# {description['Name']}\n\nMasks (`_dseg.nii.gz`) made with "
        "napari-medlabel; `dseg.tsv` says what their values mean.\n",
    }
    with Staging() as staging:
        for each, text in files.items():
            staging.add_bytes(root / each, text.encode())
        staging.publish()


def dseg_table(scheme: LabelScheme) -> str:
    """Return what stands in ``dseg.tsv``: index, name, abbreviation, color, code.

    Parameters
    ----------
    scheme : LabelScheme
        The labels; the background is left out.
    """
    rows = ["\t".join(_COLUMNS)]
    for label in scheme.labels:
        code = label.code
        known = code is not None and code.scheme and code.value
        coded = (code.scheme, code.value, code.meaning) if code and known else ("", "", "")
        cells = (
            str(label.value),
            _cell(label.name),
            f"L{label.value}",
            label.colour,
            *(_cell(part) for part in coded),
        )
        rows.append("\t".join(cells))
    return "\n".join(rows) + "\n"


def save_dseg(
    root: Path,
    stem: str,
    labels: LabelMap,
    source: Source,
    *,
    time: str,
    within: LabelScheme | None = None,
) -> SavedMask:
    """Write a mask into a derivative, on its scan's exact grid, and read it back.

    Parameters
    ----------
    root : Path
        As `start_derivative` made it.
    stem : str
        BIDS entities, such as ``sub-001_ses-01_desc-r01``; without the suffix.
    labels : LabelMap
        The mask; its scheme must be the derivative's.
    source : Source
        The scan's files; a NIfTI header is copied bit for bit.
    time : str
        Now, ISO 8601 in UTC.
    within : LabelScheme, optional
        The derivative's scheme, where the mask has some of its labels alone, as one of several
        that overlap has: a table of its own stands beside it then.

    Returns
    -------
    SavedMask
        The path is ``sub-001/ses-01/anat/<stem>_dseg.nii.gz``.

    Raises
    ------
    InputError
        When the stem is none, the folder no derivative, or its table another.
    SaveError
        When the mask exists, cannot be written, or reads back otherwise.
    """
    if not _STEM.fullmatch(stem):
        raise InputError(
            "A name in BIDS is made of entities: sub-<letters and digits>, then others.",
            hint="For example: sub-001_ses-01_desc-r01",
        )
    _require_table(root, labels.scheme, within)
    entities = dict(part.split("-", 1) for part in stem.split("_"))
    visit = [f"ses-{entities['ses']}"] if "ses" in entities else []
    folder = root.joinpath(f"sub-{entities['sub']}", *visit, "anat")
    make_folder(folder)
    path = folder / f"{stem}_dseg.nii.gz"
    require_new(path)
    require_not_source((path,), source)
    with Staging() as staging:
        saved = stage_mask(staging, path, labels, source, time=time)
        if within is not None:
            table = folder / f"{stem}_{TABLE}"
            require_new(table)
            staging.add_bytes(table, dseg_table(labels.scheme).encode())
        require_new(path)
        staging.publish()
    return saved


def _require_table(root: Path, scheme: LabelScheme, within: LabelScheme | None) -> None:
    try:
        there = (root / TABLE).read_text(encoding="utf-8")
    except OSError as err:
        raise InputError(
            "The folder is no derivative: it has no dseg.tsv.", hint="Start it first."
        ) from err
    whole = scheme if within is None else within
    if there != dseg_table(whole) or not set(scheme.labels) <= set(whole.labels):
        raise InputError(
            "The mask's labels are not those of the derivative's dseg.tsv.",
            hint="Write masks of another scheme into a derivative of their own.",
        )


def _cell(text: str) -> str:
    return " ".join(text.split()) or "n/a"
