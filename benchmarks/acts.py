"""Work for each act: how many acts and seconds each tool chain needs, beside paint only."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from acts_chains import CHAINS, Task
from acts_person import Hand, dice

HERE: Final = Path(__file__).parent
REPORT: Final = HERE.parent / "docs" / "work-per-act.md"
PICTURE: Final = HERE.parent / "docs" / "pictures" / "work-per-act.png"
DATA: Final = HERE.parent.parent / "shared" / "data"
MOST_ACTS: Final = 60
GOALS: Final = (0.90, 0.95)
PAD_ZYX: Final = (8, 20, 20)
LEAST_VOXELS: Final = 200

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Result:
    """How one chain fared with one object.

    Parameters
    ----------
    reached : dict of float to (acts, seconds)
        For each Dice that was reached.
    best : float
        The best Dice within `MOST_ACTS` acts.
    acts : int
        Acts after which that was reached.
    """

    task: str
    chain: str
    wobble_px: int
    reached: dict[float, tuple[int, float]]
    best: float
    acts: int

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "task": self.task,
            "chain": self.chain,
            "wobble_px": self.wobble_px,
            "reached": {f"{goal:.2f}": v for goal, v in self.reached.items()},
            "best": round(self.best, 4),
            "acts": self.acts,
        }


def work(name: str, task: Task, chain: str, wobble_px: int) -> Result:
    """Let one chain work on one object."""
    hand = Hand(task.spacing_mm, wobble_px)
    result = Result(name, chain, wobble_px, {}, 0.0, 0)
    for found in CHAINS[chain](task, hand):
        if hand.acts > MOST_ACTS:
            break
        score = dice(found, task.truth)
        reached = result.reached
        for goal in GOALS:
            if score >= goal and goal not in reached:
                reached = {**reached, goal: (hand.acts, round(hand.seconds, 1))}
        result = replace(result, reached=reached)
        if score > result.best:
            result = replace(result, best=score, acts=hand.acts)
        if score >= GOALS[-1]:
            break
    return result


def cut(image: Array, truth: Array, spacing_mm: tuple[float, float, float]) -> Task:
    """Return an object with some room around it."""
    parts = []
    for axis, pad in enumerate(PAD_ZYX):
        others = tuple(a for a in (0, 1, 2) if a != axis)
        hits = np.flatnonzero(truth.any(axis=others))
        n = truth.shape[axis]
        parts.append(slice(max(0, int(hits[0]) - pad), min(n, int(hits[-1]) + 1 + pad)))
    box = tuple(parts)
    return Task(np.ascontiguousarray(image[box]), np.ascontiguousarray(truth[box]), spacing_mm)


def phantom_tasks() -> Iterator[tuple[str, Task]]:
    """Yield the organs and the lesion of the phantom."""
    from phantom import NAMES, SPACING_ZYX_MM, make_phantom

    made = make_phantom()
    for value, name in NAMES.items():
        yield name, cut(made.ct, made.truth == value, SPACING_ZYX_MM)


def real_tasks() -> Iterator[tuple[str, Task]]:
    """Yield the objects of real masks, where the folder with them is there."""
    pairs = (
        ("brain MR lesion", "brain1_image.nrrd", "brain1_label.nrrd"),
        ("breast MR lesion", "breast1_image.nrrd", "breast1_label.nrrd"),
        (
            "prostate phantom CT",
            "prostate_phantom_subvolume.nrrd",
            "prostate_phantom_subvolume-label.nrrd",
        ),
    )
    import SimpleITK as sitk  # noqa: N813

    folder = DATA / "pyradiomics"
    for name, image, label in pairs:
        if not (folder / image).is_file():
            continue
        scan, mask = (sitk.ReadImage(str(folder / part)) for part in (image, label))
        array, values = sitk.GetArrayFromImage(scan), sitk.GetArrayFromImage(mask)
        x, y, z = scan.GetSpacing()
        present = [int(v) for v in np.unique(values) if v]
        for value in present:
            truth = values == value
            if np.count_nonzero(truth) >= LEAST_VOXELS:
                suffix = f" {value}" if len(present) > 1 else ""
                yield f"{name}{suffix}", cut(array, truth, (z, y, x))


def run() -> list[Result]:
    """Run every chain on every object, with a steady hand and with one that misses by 1 px."""
    results = []
    for tasks in (phantom_tasks(), real_tasks()):
        for name, task in tasks:
            for chain in CHAINS:
                results += [work(name, task, chain, wobble) for wobble in (0, 1)]
    return results


def report(results: list[Result]) -> str:
    """Return the results as Markdown."""
    lines = []
    for wobble, title in ((0, "A steady hand"), (1, "A hand that misses by up to 1 pixel")):
        lines += ["", f"## {title}", ""]
        lines.append("Acts / seconds to a Dice of 0.90 and 0.95; the best Dice where not.")
        lines += ["", "| object | " + " | ".join(CHAINS) + " |"]
        lines.append("|---|" + "---|" * len(CHAINS))
        for task in dict.fromkeys(r.task for r in results):
            row = [_cell(r) for r in results if r.task == task and r.wobble_px == wobble]
            lines.append(f"| {task} | " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def _cell(result: Result) -> str:
    parts = []
    for goal in GOALS:
        if goal not in result.reached:
            parts.append(f"best {result.best:.3f} ({result.acts})")
            break
        acts, seconds = result.reached[goal]
        parts.append(f"{acts} / {seconds:.0f} s")
    return "; ".join(parts)


def draw(results: list[Result]) -> None:
    """Draw the seconds to a Dice of 0.90, one bar for each chain."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    colours = ("#999999", "#56b4e9", "#009e73", "#e69f00", "#cc79a7")  # Okabe and Ito
    steady = [r for r in results if not r.wobble_px]
    tasks = list(dict.fromkeys(r.task for r in steady))
    figure, axes = plt.subplots(figsize=(10, 0.62 * len(tasks) + 1.2))
    height = 0.8 / len(CHAINS)
    for number, chain in enumerate(CHAINS):
        for row, task in enumerate(tasks):
            result = next(r for r in steady if (r.task, r.chain) == (task, chain))
            seconds = result.reached.get(GOALS[0], (0, np.nan))[1]
            place = row + (number - (len(CHAINS) - 1) / 2) * height
            label = chain if not row else None
            axes.barh(place, seconds, height, color=colours[number], label=label)
            if np.isnan(seconds):
                axes.text(1.05, place, f"best {result.best:.2f}", fontsize=6, va="center")
    axes.set_yticks(range(len(tasks)), tasks)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(1, None)
    axes.set_xlabel("simulated seconds of work to a Dice of 0.90 (logarithmic)")
    axes.legend(fontsize=8, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=110)


def main() -> None:
    """Print the results; ``--write`` puts them, with the picture, into docs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="results as JSON")
    parser.add_argument("--write", action="store_true", help="renew the page and its picture")
    arguments = parser.parse_args()
    results = run()
    if arguments.json:
        print(json.dumps([r.as_json() for r in results], indent=2))
        return
    words = report(results)
    print(words)
    if arguments.write:
        head, mark, _ = REPORT.read_text(encoding="utf-8").partition("<!-- results -->")
        REPORT.write_text(head + mark + "\n" + words, encoding="utf-8")
        draw(results)


if __name__ == "__main__":
    main()
