"""The last look at what leaves: every written file, and its name, searched for identity."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.scan.finding import Allowance, Finding, Sign
from napari_medlabel.deid.scan.output import Searched, SourceIdentity
from napari_medlabel.errors import RefusedError
from napari_medlabel.session.study.exporting.wish import Format

_MADE_NOW: Final = frozenset(
    f"(0008,{element})"
    for element in ("0012", "0013", "0021", "0023", "0031", "0033", "103E", "1090")
)
"""When and by what an object was made, and its series' description."""
_OF_DEVICE: Final = frozenset({"(0018,1000)", "(0018,1020)", "(0018,A001)"})
_OWN: Final[Mapping[Format, tuple[frozenset[Sign], frozenset[str]]]] = {
    "dicom-seg": (
        frozenset({Sign.LISTED, Sign.TEXT}),
        _MADE_NOW | _OF_DEVICE | {"(0020,9222)", "(0062,0002)", "(0070,0080)", "(0070,0081)"},
    ),
    "rtstruct": (
        frozenset({Sign.LISTED, Sign.TEXT}),
        _MADE_NOW
        | _OF_DEVICE
        | {"(3006,0002)", "(3006,0008)", "(3006,0009)", "(3006,0020)", "(3006,0080)"},
    ),
    "sr": (
        frozenset({Sign.LISTED, Sign.TEXT}),
        _MADE_NOW | _OF_DEVICE | {"(0040,A043)", "(0040,A730)"},
    ),
    "seg-nrrd": (frozenset({Sign.FIELD}), frozenset({"comment", "key and value"})),
    "coco": (frozenset({Sign.DATE}), frozenset({"sidecar"})),
    "nifti": (frozenset({Sign.DATE}), frozenset({"sidecar"})),
}
"""What the writers themselves put there: the moment of the export, the program, and words of
the ontology, which its manager answers for. Nothing of a scan's header is among it."""


def search_all(tree: Path, options: frozenset[Option]) -> None:
    """Search all that was written, as `medlabel scan` does.

    Parameters
    ----------
    tree : Path
        The export: a folder for each format.
    options : frozenset of Option
        With which its scans were de-identified.

    Raises
    ------
    RefusedError
        When something is found that the writers did not put there.
    """
    searched = Searched(SourceIdentity(), Allowance(options))
    told: dict[str, None] = {}
    for path in sorted(tree.rglob("*")):
        if not path.is_file():
            continue
        name = path.relative_to(tree).parts
        found = [one for one in searched.file(path) if not _is_own(name[0], one)]
        told |= {f"{one.sign} ({one.where})": None for one in found}
        told |= {f"{one.sign} ({one.where})": None for one in searched.name(name)}
    if told:
        raise RefusedError(
            f"Identity may be in what would leave, and nothing stayed: {', '.join(told)}.",
            hint="See which of the study's files it comes from: medlabel scan STUDY",
        )


def _is_own(folder: str, finding: Finding) -> bool:
    signs, places = next((own for kind, own in _OWN.items() if kind == folder), (set(), set()))
    return finding.sign in signs and finding.where.partition("/")[0] in places
