"""The series in a folder: files, truth about their images, and of what kinds they are."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from readers_peers import dcm2niix, nifti

from tests.io.truth import SAMPLES, Image, header, images
from tests.io.verdict import Answer, judge

KINDS = (
    "plain 3D",
    "single image",
    "4D",
    "multi-frame",
    "compressed",
    "oblique",
    "tilt",
    "missing or variable",
    "duplicates",
    "mixed orientation",
    "mosaic",
    "colour",
    "no position",
)
_OBLIQUE = np.cos(np.deg2rad(0.1))
_TILT = np.cos(np.deg2rad(0.3))


@dataclass(frozen=True)
class Series:
    """One series of a corpus.

    Parameters
    ----------
    corpus : str
        Its name.
    number : int
        Counts from 1 within the corpus.
    files : tuple of Path
        Its files.
    truth : tuple of Image
        Its images.
    judge : str
        Who knows the truth: ``"headers"``, ``"reference"``, ``"dcm2niix"`` or ``"nobody"``.
    kinds : tuple of str
        Of `KINDS`.
    """

    corpus: str
    number: int
    files: tuple[Path, ...]
    truth: tuple[Image, ...]
    judge: str
    kinds: tuple[str, ...]


def stage(files: Sequence[Path], folder: Path) -> None:
    """Put links to files into a folder, with names that say nothing."""
    for number, path in enumerate(files):
        (folder / f"{number:06d}.dcm").symlink_to(path.resolve())


def collect(name: str, root: Path) -> list[Series]:
    """Return the series below a folder."""
    groups: dict[str, list[tuple[Path, str]]] = {}
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for path in (Path(parent, n) for n in sorted(names)):
            ds = header(path)
            if ds is not None:
                uid, instance = (str(ds.get(f"{s}InstanceUID", "")) for s in ("Series", "SOP"))
                groups.setdefault(uid, []).append((path, instance))
    parts = [part for group in groups.values() for part in _split(group)]
    references = [
        *root.rglob("Ref/**/*.nii"),
        *root.rglob("Ref/**/*.nii.gz"),
    ]
    return [
        _series(name, number, files, references)
        for number, files in enumerate(sorted(parts), start=1)
    ]


def _split(group: list[tuple[Path, str]]) -> list[tuple[Path, ...]]:
    """Keep apart what lies in several folders as whole copies of one series."""
    folders: dict[Path, set[str]] = {}
    for path, instance in group:
        folders.setdefault(path.parent, set()).add(instance)
    copies = sum(len(found) for found in folders.values()) > len({i for _, i in group})
    if not copies:
        return [tuple(path for path, _ in group)]
    return [tuple(p for p, _ in group if p.parent == folder) for folder in folders]


def _series(
    name: str, number: int, files: tuple[Path, ...], references: Sequence[Path]
) -> Series:
    truth = tuple(one for path in files for one in images(path))
    kinds, source = kinds_of(truth), "headers"
    if "mosaic" in kinds:
        told = any("tiles told" in one.tags for one in truth)
        truth, source = _of_mosaic(files, references) if told else ((), "nobody")
    return Series(name, number, files, truth, source, kinds)


def kinds_of(truth: Sequence[Image]) -> tuple[str, ...]:
    """Tell of what kinds a series is, by its images alone."""
    tags = frozenset[str]().union(*(one.tags for one in truth))
    found = set()
    if "mosaic" in tags:
        found.add("mosaic")
    if "multi-frame" in tags:
        found.add("multi-frame")
    if tags & {"compressed", "lossy"}:
        found.add("compressed")
    if "colour" in tags:
        found.add("colour")
    if any(one.origin_ras is None for one in truth):
        found.add("no position")
    elif "mosaic" not in tags:
        found |= _of_places(truth)
    if len(truth) == 1 and "mosaic" not in tags:
        found.add("single image")
    return tuple(kind for kind in KINDS if kind in (found or {"plain 3D"}))


def _of_places(truth: Sequence[Image]) -> set[str]:
    found = set()
    groups: dict[tuple[object, ...], list[Image]] = {}
    for one in truth:
        key = (*np.round(_normal(one), 3), *np.round(_unit(one.right_ras), 3))
        groups.setdefault((*key, one.rows, one.columns), []).append(one)
    if len(groups) > 1:
        found.add("mixed orientation")
    uids = [(one.uid, one.frame) for one in truth]
    if len(set(uids)) < len(uids):
        found.add("duplicates")
    for group in groups.values():
        normal, right = _normal(group[0]), _unit(group[0].right_ras)
        if min(np.abs(normal).max(), np.abs(right).max()) < _OBLIQUE:
            found.add("oblique")
        found |= _of_steps(np.array([one.origin_ras for one in group]), normal)
    return found


def _of_steps(origins: np.ndarray, normal: np.ndarray) -> set[str]:
    found = set()
    along = origins @ normal
    order = np.argsort(along, kind="stable")
    steps = np.diff(along[order])
    there = steps > 0.01
    if not there.all():
        found.add("4D")
    if there.any():
        lengths = steps[there]
        if np.ptp(lengths) > max(0.01 * np.median(lengths), 0.05):
            found.add("missing or variable")
        vector = origins[order[-1]] - origins[order[0]]
        if abs(_unit(vector) @ normal) < _TILT:
            found.add("tilt")
    return found


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _normal(image: Image) -> np.ndarray:
    return np.cross(_unit(image.right_ras), _unit(image.down_ras))


def _of_mosaic(
    files: Sequence[Path], references: Sequence[Path]
) -> tuple[tuple[Image, ...], str]:
    """Return the tiles as a shipped reference has them, else as dcm2niix returns them."""
    with tempfile.TemporaryDirectory() as name:
        stage(files, Path(name))
        answers, _ = dcm2niix(Path(name))
    truth: list[Image] = []
    source = "reference" if answers else "nobody"
    for answer in answers:
        tiles = of_answer(answer)
        if not any(_agree(path, answer, tiles) for path in references):
            source = "dcm2niix"
        truth += tiles
    return tuple(truth), source


def _agree(path: Path, answer: Answer, tiles: Sequence[Image]) -> bool:
    """Tell whether a shipped reference holds the same values in the same places."""
    import nibabel

    if nibabel.load(path).shape[:3] != answer.array.shape[:3]:
        return False
    return judge([nifti(path)], tiles).word == "exact"


def of_answer(answer: Answer) -> list[Image]:
    """Return every slice of a volume as an image whose place and values are known."""
    voxels = answer.volumes()
    affine, (columns, rows, slices, count) = answer.affine, voxels.shape[:4]
    found = []
    for t in range(count):
        for k in range(slices):
            draw = np.random.default_rng([t, k])
            points = np.stack(
                [draw.integers(0, columns, SAMPLES), draw.integers(0, rows, SAMPLES)], axis=1
            )
            values = voxels[points[:, 0], points[:, 1], k, t].astype(float)
            found.append(
                Image(
                    Path(),
                    k,
                    f"{t}",
                    "",
                    frozenset(),
                    rows,
                    columns,
                    affine[:3, 2] * k + affine[:3, 3],
                    affine[:3, 0],
                    affine[:3, 1],
                    points,
                    values,
                    1.0,
                )
            )
    return found
