"""How the released masks came to be, counted from the chain of custody and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.reading import read_labels_nifti
from napari_medlabel.model.labelmap import content_id
from napari_medlabel.project.checks.finding import Finding
from napari_medlabel.project.release.chain import AGREED, CaseChain, Chain, Link
from napari_medlabel.project.release.settled import settled_by
from napari_medlabel.project.release.unresolved import kind_of

SINGLE: Final = "single"
"""Way of a mask that is one reading; any other is the rule of its consensus."""


@dataclass(frozen=True)
class Making:
    """What was really done for the cases of a release.

    Parameters
    ----------
    ways : mapping of str to int
        Masks by the rule that made them, or `SINGLE`; ``""`` for one that nothing tells of.
    readings : mapping of str to int
        Masks by how many readings they were made of.
    undecided : int
        Differences between readings that nobody decided.
    unresolved : mapping of str to int
        Voxels without an answer, by the name of the case; cases without any are left out.
    settled : mapping of str to int
        Masks made of several readings, by who settled them, see `settled.settled_by`; those
        whose line of the log does not tell are left out.
    """

    ways: Mapping[str, int] = field(default_factory=dict)
    readings: Mapping[str, int] = field(default_factory=dict)
    undecided: int = 0
    unresolved: Mapping[str, int] = field(default_factory=dict)
    settled: Mapping[str, int] = field(default_factory=dict)


def making_of(chain: Chain) -> Making:
    """Return what a chain tells of the making of its masks."""
    made = [_consensus(one) if one.is_agreed else None for one in chain.cases]
    told = [one.detail if one is not None else {} for one in made]
    pairs = list(zip(chain.cases, told, strict=True))
    return Making(
        _counts(str(t.get("rule", "")) if one.is_agreed else SINGLE for one, t in pairs),
        _counts(str(t.get("readings", "")) if one.is_agreed else "1" for one, t in pairs),
        sum(int(t.get("open", 0)) for _, t in pairs),
        {str(one.case): one.unresolved_voxels for one in chain.cases if one.unresolved},
        _counts(who for one in chain.cases if (who := settled_by(one))),
    )


def check_unresolved(folder: Path, one: CaseChain, scan: Grid) -> Iterator[Finding]:
    """Yield voxels without an answer that no mask tells, or one that tells others.

    Parameters
    ----------
    folder : Path
        Of the release.
    one : CaseChain
        A case.
    scan : Grid
        Its scan's.
    """
    case = str(one.case)
    for layer, wanted in one.unresolved.items():
        path = one.files.get(kind_of(layer))
        if path is None:
            words = f"{wanted.voxels} voxels have no answer, and no mask tells which."
            yield Finding("warning", "agreed", case, words)
            continue
        try:
            array, grid = read_labels_nifti(folder / path)
            scan.require_same(grid, what="mask of voxels without an answer")
            labels, _ = read_labels_nifti(folder / one.files[f"mask{layer or ''}"])
            is_same = content_id(grid, array) == wanted.content
            is_same &= int((array == 1).sum()) == wanted.voxels and array.max() <= 1
            is_same &= not labels[array != 0].any()
        except (GeometryError, InputError, OSError, KeyError, IndexError):
            is_same = False
        if not is_same:
            words = "The mask of voxels without an answer is not the one of its chain."
            yield Finding("error", "file", case, words)
    if {kind for kind in one.files if kind.startswith(kind_of(0))} - {
        kind_of(layer) for layer in one.unresolved
    }:
        words = "It has a mask of voxels without an answer, and its chain tells of none."
        yield Finding("error", "file", case, words)


def _consensus(one: CaseChain) -> Link | None:
    made = [
        link
        for link in one.of_event(AGREED)
        if (link.content, link.detail.get("version")) == (one.mask, one.version)
    ]
    return made[-1] if made else None


def _counts(values: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
