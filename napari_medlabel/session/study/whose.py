"""Whose work something in a study is, and of which case, by where it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from napari_medlabel.project.cases.record import all_records
from napari_medlabel.project.cases.version import file_of
from napari_medlabel.project.layout import CaseId, Layout

PREFIX: Final = "medlabel-"
"""What the folder of a data set begins with, in the study's derivatives."""
OTHERS: Final = "others"
KEPT: Final = "audit/objects"
"""Earlier versions in the log's folder; no code of a rater has a slash."""
_DERIVATIVES: Final = "derivatives"
_OBJECTS: Final = "objects"


def owner_of(layout: Layout, path: Path) -> str:
    """Return whose work a path in a study is; empty for what anybody may see.

    Returns
    -------
    str
        A code, ``consensus``, ``gold``, or ``others`` for a folder that holds that of several
        and for what was exported; ``audit/objects`` for earlier versions, whose the log knows.
    """
    place = path.resolve()
    root = layout.root.resolve()
    if place.is_relative_to(Layout(root).audit / _OBJECTS):
        return KEPT
    if place.is_relative_to(Layout(root).gold):
        return "gold"
    folder = root / _DERIVATIVES
    if place in (root, folder) or place.is_relative_to(Layout(root).exports):
        return OTHERS
    if not place.is_relative_to(folder):
        return ""
    name = place.relative_to(folder).parts[0]
    return name.removeprefix(PREFIX) if name.startswith(PREFIX) else OTHERS


def case_in(layout: Layout, path: Path) -> CaseId | None:
    """Return the case that a path of somebody's work is about, None where it names none."""
    cases = {str(record.case): record.case for record in all_records(layout)}
    for part in reversed(path.resolve().parts):
        found = file_of(part)
        name = found[0] if found is not None else part.removeprefix(".")
        if name in cases:
            return cases[name]
        for ending in (".nii.gz", ".json"):
            if name.endswith(ending) and name.removesuffix(ending) in cases:
                return cases[name.removesuffix(ending)]
    return None
