"""Checks of what raters submitted: whole, unchanged, in place, in the ontology's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from napari_medlabel.errors import InputError
from napari_medlabel.export.landmarks import load_landmarks
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.files import sha256_file
from napari_medlabel.io.nifti.reading import read_labels_nifti
from napari_medlabel.model.labelmap import content_id, count_labels
from napari_medlabel.project.cases.version import (
    LANDMARKS,
    MASK,
    PROVENANCE,
    SIDECAR,
    Version,
    file_of,
    read_version,
    sheet_kind,
)
from napari_medlabel.project.checks.finding import Finding, place
from napari_medlabel.project.layout import CONSENSUS, CaseId, Layout, require_rater
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.settings import Settings

_OF_DATASET = frozenset({"dataset_description.json", "README.md", ".bidsignore", "dseg.tsv"})


@dataclass(frozen=True)
class Rules:
    """What versions are held against.

    Parameters
    ----------
    settings : Settings
        Who works on the study.
    ontology : Ontology
        Values and names.
    grids : mapping of CaseId to Grid
        Where the scans lie.
    """

    settings: Settings
    ontology: Ontology
    grids: Mapping[CaseId, Grid]


def datasets(layout: Layout) -> tuple[Path, ...]:
    """Return the raters' data sets, by name."""
    return tuple(sorted((layout.root / "derivatives").glob("medlabel-*")))


def check_derivatives(layout: Layout, rules: Rules) -> tuple[dict[str, Version], list[Finding]]:
    """Check every version of every rater.

    Returns
    -------
    versions : dict of str to Version
        Those that are there as a whole, by the path of their sidecar.
    findings : list of Finding
    """
    versions: dict[str, Version] = {}
    findings: list[Finding] = []
    for folder in datasets(layout):
        rater = folder.name.removeprefix("medlabel-")
        where = place(layout.relative(folder))
        if not _is_rater(rater, rules.settings):
            words = "This data set is of no rater of the study, nor of the consensus."
            findings.append(Finding("warning", "rater", where, words))
            if not _is_code(rater):
                continue
        lacking = sorted(_OF_DATASET - {path.name for path in folder.iterdir()})
        if lacking:
            words = f"It lacks {', '.join(lacking)}."
            findings.append(Finding("warning", "dataset", where, words))
        groups, strangers = _versions_of(folder)
        findings += [
            Finding(
                "error", "name", place(layout.relative(path)),
                "This file is not called as files of a version are.",
            )
            for path in strangers
        ]  # fmt: skip
        for (case, number), kinds in sorted(groups.items(), key=str):
            version, found = _check(layout, rater, (case, number), kinds, rules)
            findings += found
            if version is not None:
                sidecar = layout.version(rater, case, number, SIDECAR)
                versions[layout.relative(sidecar)] = version
    return versions, findings


def _is_rater(rater: str, settings: Settings) -> bool:
    return rater == CONSENSUS or rater in {one.code for one in settings.raters}


def _is_code(rater: str) -> bool:
    try:
        return rater == CONSENSUS or bool(require_rater(rater))
    except InputError:
        return False


def _versions_of(
    folder: Path,
) -> tuple[dict[tuple[CaseId, int], set[str]], list[Path]]:
    """Return the kinds of files of each version, and files that are of none."""
    groups: dict[tuple[CaseId, int], set[str]] = {}
    strangers = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in inside)
        if not path.is_file() or hidden or (len(inside) == 1 and path.name in _OF_DATASET):
            continue
        found = file_of(path.name)
        if found is None:
            strangers.append(path)
            continue
        case = CaseId.parse(found[0])
        if inside[:-1] != case.folder.parts:
            strangers.append(path)
            continue
        groups.setdefault((case, found[1]), set()).add(found[2])
    return groups, strangers


def _check(
    layout: Layout,
    rater: str,
    key: tuple[CaseId, int],
    kinds: set[str],
    rules: Rules,
) -> tuple[Version | None, list[Finding]]:
    case, number = key
    sidecar = layout.version(rater, case, number, SIDECAR)
    where = place(layout.relative(sidecar))
    if SIDECAR not in kinds:
        words = "Files of a version lie here without its sidecar: it was never whole."
        return None, [Finding("error", "unfinished", where, words)]
    try:
        version = read_version(layout, rater, case, number)
    except InputError as err:
        return None, [Finding("error", "sidecar", where, err.message)]
    found = list(_files(layout, version, kinds))
    grid = rules.grids.get(case)
    if grid is None:
        words = "It is a version of a case that the study does not have, or cannot read."
        return version, [*found, Finding("error", "case", where, words)]
    if not found:
        found += _mask(layout, version, grid, rules.ontology)
        found += _landmarks(layout, version, rules.ontology)
    return version, found


def _files(layout: Layout, version: Version, kinds: set[str]) -> Iterator[Finding]:
    """Yield files that are missing, changed, or of a version that does not know them."""
    expected = set()
    for name, digest in version.files.items():
        path = layout.root / name
        known = file_of(path.name)
        expected.add(known[2] if known else "")
        if not path.is_file():
            words = "A file of a version is missing."
            yield Finding("error", "missing", place(name), words)
        elif f"sha256:{sha256_file(path)}" != digest:
            words = "A file of a version was changed after it was submitted."
            yield Finding("error", "hash", place(name), words)
    where = layout.version(version.rater, version.case, version.number, SIDECAR)
    if kinds - {SIDECAR} != expected:
        words = "The version does not consist of the files that its sidecar tells of."
        yield Finding("error", "files", place(layout.relative(where)), words)


def _mask(
    layout: Layout, version: Version, grid: Grid, ontology: Ontology
) -> Iterator[Finding]:
    layers = (0, *sorted(version.sheets))
    for layer, kind in product(layers, (MASK, PROVENANCE)):
        path = version.path(layout, sheet_kind(layer, kind))
        if path is None:
            continue
        where = place(layout.relative(path))
        try:
            array, own = read_labels_nifti(path)
        except InputError as err:
            yield Finding("error", "unreadable", where, err.message)
            continue
        differs = grid.difference(own)
        if differs:
            words = f"It does not lie on the scan's grid: {differs}."
            yield Finding("error", "geometry", where, words)
            continue
        if kind != MASK:
            continue
        told = version.sheets[layer] if layer else version.content
        if content_id(grid, array) != told:
            words = "The mask is not what its sidecar says it is."
            yield Finding("error", "content", where, words)
        allowed = {one.value for one in ontology.labels if one.layer == layer}
        unknown = set(count_labels(array)) - allowed
        if unknown:
            told = ", ".join(map(str, sorted(unknown)[:5]))
            words = f"Values that the ontology does not have: {told}."
            yield Finding("error", "scheme", where, words)


def _landmarks(layout: Layout, version: Version, ontology: Ontology) -> Iterator[Finding]:
    path = version.path(layout, LANDMARKS)
    if path is None:
        return
    where = place(layout.relative(path))
    try:
        names = {mark.name for mark in load_landmarks(path)}
    except InputError as err:
        yield Finding("error", "unreadable", where, err.message)
        return
    known = {mark.name for one in ontology.templates for mark in one.landmarks}
    if names - known:
        words = f"Landmarks that no template of the ontology has: {len(names - known)}."
        yield Finding("warning", "scheme", where, words)
