"""Gold cases: a reading against the truth, passed or not and why."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from napari_medlabel.errors import InputError
from napari_medlabel.export.landmarks import load_landmarks
from napari_medlabel.export.mask import load_mask
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.measure.agreement import LabelAgreement, compare_masks
from napari_medlabel.measure.surface import Convention
from napari_medlabel.model.labelmap import LabelMap
from napari_medlabel.model.landmarks import LandmarkSet
from napari_medlabel.project.cases.version import MASK, sheet_kind
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.ontology.ontology import Ontology
from napari_medlabel.project.settings import Thresholds

_MASK: Final = f"_{MASK}"
_SHEET: Final = re.compile(r"_(l(?P<layer>[1-9][0-9]*))?" + re.escape(MASK))
_MARKS: Final = "_landmarks.mrk.json"


@dataclass(frozen=True)
class LabelScore:
    """One label against the truth.

    Parameters
    ----------
    value : int
        The label.
    name : str
        What it is called.
    dice, hd95_mm, difference_ml : float
        Overlap; distance; volume of the reading less that of the truth.
    reasons : tuple of str
        Why it did not pass, a sentence each; empty when it did.
    """

    value: int
    name: str
    dice: float
    hd95_mm: float
    difference_ml: float
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether it keeps every threshold."""
        return not self.reasons


@dataclass(frozen=True)
class MarkScore:
    """One landmark against the truth.

    Parameters
    ----------
    name : str
        Which.
    mm : float or None
        How far away it lies; None where it was not placed, or should not have been.
    reason : str
        Why it did not pass; empty when it did.
    """

    name: str
    mm: float | None
    reason: str

    @property
    def passed(self) -> bool:
        """Whether it lies near enough."""
        return not self.reason


@dataclass(frozen=True)
class GoldScore:
    """A reading against the truth.

    Parameters
    ----------
    labels : tuple of LabelScore
        Labels that the truth or the reading has; what neither has does not count.
    marks : tuple of MarkScore
        Landmarks.
    convention : str
        Of the distances.
    """

    labels: tuple[LabelScore, ...]
    marks: tuple[MarkScore, ...]
    convention: Convention

    @property
    def passed(self) -> bool:
        """Whether everything passed."""
        return all(one.passed for one in self.labels) and all(one.passed for one in self.marks)

    def reasons(self) -> tuple[str, ...]:
        """Return why it did not pass: names of labels and landmarks, numbers and limits."""
        said = [f"{one.name}: {reason}" for one in self.labels for reason in one.reasons]
        return (*said, *(f"{one.name}: {one.reason}" for one in self.marks if one.reason))

    def detail(self) -> dict[str, int]:
        """Return what ``study.gold`` says of the numbers: the worst of each."""
        out = {}
        if self.labels:
            out["dice_milli"] = math.floor(1000 * min(one.dice for one in self.labels))
            out["hd95_um"] = math.ceil(1000 * max(one.hd95_mm for one in self.labels))
            out["volume_ul"] = math.ceil(
                1000 * max(abs(one.difference_ml) for one in self.labels)
            )
        placed = [one.mm for one in self.marks if one.mm is not None]
        if placed:
            out["landmark_um"] = math.ceil(1000 * max(placed))
        return out


@dataclass(frozen=True, eq=False)
class Truth:
    """The true answer of a case.

    Parameters
    ----------
    masks : mapping of int to LabelMap
        A true mask for each layer of the ontology: labels of two layers may overlap.
    landmarks : LandmarkSet or None
        The true landmarks, RAS mm.
    """

    masks: Mapping[int, LabelMap]
    landmarks: LandmarkSet | None = None


def score(
    reading: LabelMap,
    truth: LabelMap,
    thresholds: Thresholds,
    *,
    marks: tuple[LandmarkSet | None, LandmarkSet | None] = (None, None),
    convention: Convention = "surfel",
) -> GoldScore:
    """Score a reading of one mask against the truth.

    Parameters
    ----------
    reading, truth : LabelMap
        On one grid, with the study's values.
    thresholds : Thresholds
        What counts as good; a value at the limit passes.
    marks : (LandmarkSet or None, LandmarkSet or None)
        Of the reading and of the truth, in RAS mm.
    convention : str
        ``surfel`` or ``voxel``; see `napari_medlabel.measure.surface`.

    Raises
    ------
    GeometryError
        When they lie on two grids.
    """
    own, true = marks
    whole = Truth({0: truth}, true)
    return score_sheets({0: reading}, whole, thresholds, marks=own, convention=convention)


def score_sheets(
    reading: Mapping[int, LabelMap],
    truth: Truth,
    thresholds: Thresholds,
    *,
    marks: LandmarkSet | None = None,
    convention: Convention = "surfel",
) -> GoldScore:
    """Score a reading against the truth, label by label, whatever layer a label lies on.

    A layer that only one of the two has was not asked for in the other's time: nothing of it
    counts.

    Parameters
    ----------
    reading : mapping of int to LabelMap
        Its masks by layer, on the truth's grid, with the study's values.
    truth : Truth
        What is true.
    thresholds, convention
        As in `score`.
    marks : LandmarkSet, optional
        Of the reading, RAS mm.

    Raises
    ------
    GeometryError
        When they lie on two grids.
    """
    labels: list[LabelScore] = []
    for layer in sorted(set(reading) & set(truth.masks)):
        found = compare_masks(
            truth.masks[layer],
            reading[layer],
            tolerance_mm=thresholds.tolerance_mm,
            convention=convention,
            by="value",
        )
        labels += [_label(one, thresholds) for one in found.counted]
    scored = _marks(marks, truth.landmarks, thresholds.landmark_mm)
    return GoldScore(tuple(labels), scored, convention)


def _label(one: LabelAgreement, limits: Thresholds) -> LabelScore:
    dice, hd95 = float(one.dice or 0.0), float(one.hd95_mm or 0.0)
    reasons = []
    if one.status == "first only":
        reasons.append("it is in the truth and was not labelled.")
    elif one.status == "second only":
        reasons.append("it was labelled and the truth has none.")
    else:
        if dice < limits.dice:
            reasons.append(f"Dice {dice:.3f} is below {limits.dice:g}.")
        if hd95 > limits.hd95_mm:
            reasons.append(f"HD95 {hd95:.1f} mm is above {limits.hd95_mm:g} mm.")
        if abs(one.difference_ml) > limits.volume_ml:
            reasons.append(
                f"its volume is {one.difference_ml:+.1f} ml off, more than "
                f"{limits.volume_ml:g} ml."
            )
    value = one.pair.first if one.pair.first is not None else one.pair.second
    return LabelScore(
        int(value or 0), one.pair.name, dice, hd95, one.difference_ml, tuple(reasons)
    )


def _marks(
    reading: LandmarkSet | None, truth: LandmarkSet | None, limit_mm: float
) -> tuple[MarkScore, ...]:
    own = {mark.name: mark.point_ras for mark in (reading or ()) if mark.is_placed}
    true = {mark.name: mark.point_ras for mark in (truth or ()) if mark.is_placed}
    out = []
    for name in dict.fromkeys((*true, *own)):
        if truth is None:
            continue  # the truth says nothing of landmarks
        if name not in own:
            out.append(MarkScore(name, None, "it was not placed."))
        elif name not in true:
            out.append(MarkScore(name, None, "it was placed and the truth has none."))
        else:
            mm = float(np.linalg.norm(np.array(own[name]) - np.array(true[name])))
            far = f"it lies {mm:.1f} mm away, more than {limit_mm:g} mm."
            out.append(MarkScore(name, mm, far if mm > limit_mm else ""))
    return tuple(out)


def truth_files(layout: Layout, case: CaseId) -> tuple[Path, Path]:
    """Return where the true mask of the first layer and the true landmarks of a case are."""
    return truth_mask(layout, case, 0), layout.gold / f"{case}{_MARKS}"


def truth_mask(layout: Layout, case: CaseId, layer: int) -> Path:
    """Return where the true mask of a layer is: called as that of a version is."""
    return layout.gold / f"{case}_{sheet_kind(layer)}"


def truth_layers(layout: Layout, case: CaseId) -> tuple[int, ...]:
    """Return the layers that a true mask is there of, ascending."""
    found = (
        _SHEET.fullmatch(path.name.removeprefix(str(case)))
        for path in layout.gold.glob(f"{case}_*{MASK}")
    )
    return tuple(sorted(int(one["layer"] or 0) for one in found if one is not None))


def files_of_truth(layout: Layout, case: CaseId) -> tuple[Path, ...]:
    """Return the files of a truth that are there: masks by layer, then landmarks."""
    marks = truth_files(layout, case)[1]
    masks = (truth_mask(layout, case, layer) for layer in truth_layers(layout, case))
    return (*masks, *((marks,) if marks.is_file() else ()))


def gold_cases(layout: Layout) -> tuple[CaseId, ...]:
    """Return the cases of which the study has the truth, by name.

    Raises
    ------
    InputError
        When a file there is of no case.
    """
    paths = layout.gold.glob(f"*{_MASK}")
    return tuple(sorted(CaseId.parse(path.name.removesuffix(_MASK)) for path in paths))


def read_truth(layout: Layout, case: CaseId, grid: Grid, ontology: Ontology) -> Truth:
    """Read the truth of a case, with the masks of all layers that there are.

    Parameters
    ----------
    layout : Layout
        The study.
    case : CaseId
        Which.
    grid : Grid
        The scan's.
    ontology : Ontology
        Of the study.

    Raises
    ------
    InputError
        When there is none, or it cannot be read.
    GeometryError
        When it lies on another grid.
    """
    mask, marks = truth_files(layout, case)
    if not mask.is_file():
        raise InputError(
            "The study has no truth for this case.",
            hint="Put it into medlabel/gold, named like the case.",
        )
    masks = {
        layer: load_mask(truth_mask(layout, case, layer), grid, scheme=ontology.scheme(layer))
        for layer in truth_layers(layout, case)
    }
    return Truth(masks, load_landmarks(marks) if marks.is_file() else None)


def rater_rng(seed: int, rater: str) -> np.random.Generator:
    """Return the generator of a rater's draws in a study."""
    return np.random.default_rng([seed, *rater.encode()])
