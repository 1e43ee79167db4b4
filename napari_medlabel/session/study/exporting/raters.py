"""Each rater's own labels in formats that hold one answer: a folder for each code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from napari_medlabel.project.cases.version import Version
from napari_medlabel.session.study.exporting.plan import Chosen, ExportPlan
from napari_medlabel.session.study.exporting.wish import BESIDE, Format

FOLDER = "raters"


def named_readings(versions: Sequence[Version]) -> list[tuple[str, Version]]:
    """Return versions under the codes of who made them; a second one of one person is told."""
    seen: dict[str, int] = {}
    found = []
    for version in versions:
        seen[version.rater] = count = seen.get(version.rater, 0) + 1
        found.append((version.rater if count == 1 else f"{version.rater}x{count}", version))
    return found


def rater_plans(plan: ExportPlan, kind: Format) -> dict[str, ExportPlan]:
    """Return what leaves in a format for each rater, by code.

    Parameters
    ----------
    plan : ExportPlan
        Of all; its cases have readings where raters are wanted.
    kind : str
        The format.

    Returns
    -------
    dict of str to ExportPlan
        Of the cases that somebody has read, each with that reading alone. Empty where raters
        are not wanted, or the format has them side by side.
    """
    if not plan.wish.by_rater or kind in BESIDE:
        return {}
    found: dict[str, list[Chosen]] = {}
    for one in plan.of_format(kind):
        for code, version in named_readings(one.readings):
            own = one._replace(version=version, steps=(), readings=())
            found.setdefault(code, []).append(own)
    wish = replace(plan.wish, by_rater=False)
    return {
        code: replace(plan, wish=wish, chosen=tuple(chosen))
        for code, chosen in sorted(found.items())
    }


def cases_to_write(plan: ExportPlan) -> int:
    """Return how many cases are written, in all formats and for all raters together."""
    return sum(
        len(plan.of_format(kind))
        + sum(len(own.chosen) for own in rater_plans(plan, kind).values())
        for kind in plan.wish.formats
    )
