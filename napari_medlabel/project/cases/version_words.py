"""Words in the sidecar of a version: what saving writes and the ontology has."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from napari_medlabel.errors import InputError
from napari_medlabel.project.cases.version import MASK, SIDECAR, Version
from napari_medlabel.project.layout import Layout

_KEYS: Final = frozenset(
    [
        "format",
        "version",
        "software",
        "name",
        "saved",
        "mask",
        "file",
        "sha256",
        "content_id",
        "dtype",
        "grid",
        "shape_ijk",
        "affine_ras_mm",
        "axes",
        "source",
        "files",
        "sha256_in_slice_order",
        "scheme",
        "labels",
        "value",
        "colour",
        "code",
        "meaning",
        "measured",
        "voxels",
        "volume_ml",
        "Manual",
        "Sources",
        "study",
        "v",
        "case",
        "rater",
        "ontology",
        "guideline",
        "sheets",
        "file_and_frame_of_slices",
    ]
)
_FORMS: Final = re.compile(
    r"(sha256:)?[0-9a-f]{64}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z|#[0-9a-fA-F]{6,8}"
    r"|u?int(8|16|32|64)|[RLAPSI]{3}|[0-9]+(\.[0-9a-z+]{1,12}){1,5}"
    r"|napari-medlabel( mask)?|nifti|dicom"
)


def strange_words(layout: Layout, version: Version, known: Collection[str]) -> int:
    """Return how many entries of a version's sidecar are none that saving writes.

    Parameters
    ----------
    layout : Layout
        The study.
    version : Version
        Whose sidecar.
    known : collection of str
        All words of the ontology.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    path = layout.version(version.rater, version.case, version.number, SIDECAR)
    try:
        document = json.loads(path.read_bytes())
        document["study"].pop("files", None)  # they stay in the study
        document["study"].pop("sheets", None)  # read by their layers: numbers and digests
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise InputError(
            "The sidecar of a version cannot be read.",
            hint="Let the study's manager see which one: medlabel project validate STUDY",
        ) from err
    scan = layout.relative(layout.scan(version.case))
    mask = layout.version(version.rater, version.case, version.number, MASK).name
    own = {version.rater, str(version.case), f"bids:raw:{scan}", mask}
    return sum(1 for _ in _strange(document, own | set(known)))


def words_of(document: Any) -> Iterator[str]:
    """Yield every text that stands as a value in a document."""
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        for one in document:
            yield from words_of(one)
    elif isinstance(document, str):
        yield document


def _strange(document: Any, known: Collection[str]) -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            if key in _KEYS:
                yield from _strange(value, known)
            else:
                yield key
    elif isinstance(document, list):
        for one in document:
            yield from _strange(one, known)
    elif isinstance(document, str) and not (document in known or _FORMS.fullmatch(document)):
        yield document
