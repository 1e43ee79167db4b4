"""``medlabel mask compare``: how far two masks of one scan agree, label by label."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from napari_medlabel.measure.agreement import Agreement, By, LabelAgreement

_MEANS: Final = ("dice", "jaccard", "nsd", "hd_mm", "hd95_mm", "assd_mm")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``compare`` to the subcommands of ``mask``."""
    text = "compare two masks of one scan: Dice, surface distances, difference of volumes"
    parser = commands.add_parser(
        "compare",
        help=text,
        description=f"{text}. A label that both leave empty is excluded and counted; one that "
        "only one of them has gets Dice 0 and the scan's diagonal as distance, flagged. "
        "Nothing is read of the scan, and the log gets no line.",
    )
    parser.add_argument("first", type=Path, metavar="A")
    parser.add_argument("second", type=Path, metavar="B")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=2.0,
        metavar="MM",
        help="distance within which surfaces count as the same (2)",
    )
    parser.add_argument(
        "--convention",
        choices=("surfel", "voxel"),
        default="surfel",
        help="how surfaces are found and weighed (surfel, as DeepMind's surface-distance)",
    )
    parser.add_argument(
        "--by",
        choices=("name", "value"),
        help="match labels by name or by number (by name where both masks have sidecars)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print how far two masks agree.

    Returns
    -------
    int
        0, however far they agree.

    Raises
    ------
    InputError
        When a mask cannot be read, or the tolerance is below 0.
    GeometryError
        When they lie on two grids.
    """
    from napari_medlabel.cli.mask_stats import has_sidecar, print_table, read_labels
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.measure.agreement import compare_masks

    paths = (arguments.first, arguments.second)
    (first, _), (second, _) = (read_labels(path) for path in paths)
    named: By = "name" if all(has_sidecar(path) for path in paths) else "value"
    by: By = arguments.by or named
    agreement = compare_masks(
        first,
        second,
        tolerance_mm=arguments.tolerance,
        convention=arguments.convention,
        by=by,
        tick=progress("comparing"),
    )
    if arguments.json:
        print(json.dumps(_document(agreement), indent=2))
        return 0
    print_table([_brief(one, agreement) for one in agreement.counted])
    _explain(agreement)
    return 0


def _document(agreement: Agreement) -> dict[str, Any]:
    return {
        "convention": agreement.convention,
        "tolerance_mm": agreement.tolerance_mm,
        "matched_by": agreement.by,
        "diagonal_mm": agreement.diagonal_mm,
        "labels": [_record(one) for one in agreement.labels],
        "counted": len(agreement.counted),
        "excluded_empty": agreement.excluded,
        "flagged_missing": agreement.flagged,
        "mean": {name: agreement.mean(name) for name in _MEANS},
    }


def _record(one: LabelAgreement) -> dict[str, Any]:
    first_ml, second_ml = one.volumes_ml
    return {
        "name": one.pair.name,
        "value_first": one.pair.first,
        "value_second": one.pair.second,
        "status": one.status,
        "flagged": one.is_flagged,
        "tiny": one.is_tiny,
        "voxels_first": one.overlap.first,
        "voxels_second": one.overlap.second,
        "volume_first_ml": first_ml,
        "volume_second_ml": second_ml,
        "difference_ml": one.difference_ml,
        **{name: getattr(one, name) for name in _MEANS},
    }


def _brief(one: LabelAgreement, agreement: Agreement) -> dict[str, Any]:
    notes: list[str] = [one.status] if one.is_flagged else []
    notes += ["tiny"] if one.is_tiny else []
    return {
        "name": one.pair.name,
        "Dice": one.dice,
        f"NSD@{agreement.tolerance_mm:g} mm": one.nsd,
        "HD95 (mm)": one.hd95_mm,
        "HD (mm)": one.hd_mm,
        "ASSD (mm)": one.assd_mm,
        "B - A (ml)": one.difference_ml,
        "note": ", ".join(notes) or None,
    }


def _explain(agreement: Agreement) -> None:
    dice, nsd = agreement.mean("dice"), agreement.mean("nsd")
    if dice is not None and nsd is not None:
        print(f"mean of {len(agreement.counted)} labels: Dice {dice:.4f}, NSD {nsd:.4f}")
    print(
        f"convention: {agreement.convention}; labels matched by {agreement.by}; "
        f"{agreement.excluded} empty in both and left out; {agreement.flagged} in one mask "
        "only."
    )
    if agreement.flagged:
        print(
            f"note: what one mask leaves empty has the scan's diagonal as distance, "
            f"{agreement.diagonal_mm:.1f} mm.",
            file=sys.stderr,
        )
