"""Further formats in a release: each in a folder under ``exports``, written as any export."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from napari_medlabel.deid.rules.options import Option
from napari_medlabel.io.files import make_folder
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.release.splits import Split
from napari_medlabel.session.study.exporting.forms import copy_images, write_format
from napari_medlabel.session.study.exporting.gates import allowance_of
from napari_medlabel.session.study.exporting.loading import Exporting
from napari_medlabel.session.study.exporting.plan import ExportPlan
from napari_medlabel.session.study.exporting.searching import search_all
from napari_medlabel.session.study.exporting.wish import OF_DICOM, Format
from napari_medlabel.session.study.seat import Seat

FORMATS: Final = "exports"
_PLAIN: Final[Format] = "nifti"
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9]+")


def write_formats(
    seat: Seat, plan: ExportPlan, folder: Path, splits: Mapping[CaseId, Split]
) -> None:
    """Write every format of a plan but NIfTI, which the release itself is.

    Parameters
    ----------
    seat : Seat
        Whose study.
    plan : ExportPlan
        Judged by its gates.
    folder : Path
        Of the release, while it is made.
    splits : mapping of CaseId to str
        Split of each case.

    Raises
    ------
    RefusedError
        When identity is found in what was written.
    MedlabelError
        As the format's writer.
    """
    kinds: tuple[Format, ...] = tuple(kind for kind in plan.wish.formats if kind != _PLAIN)
    if not kinds:
        return
    wish = replace(plan.wish, formats=kinds, splits=splits)
    own = replace(plan, wish=wish)
    job = Exporting(
        seat.layout,
        own,
        read_ontology(seat.layout.ontology),
        _NO_WORD.sub("", wish.name or seat.settings.name)[:40] or "Study",
        seat.desk.now(),
        lambda: f"2.25.{secrets.randbits(128)}",  # PS3.5 B.2
        lambda: None,
    )
    tree = folder / FORMATS
    make_folder(tree)
    for kind in kinds:
        if own.of_format(kind):
            write_format(job, kind, tree / kind)
    if OF_DICOM & set(kinds):
        copy_images(job, tree / "dicom")
    search_all(tree, _options(seat, own))


def _options(seat: Seat, plan: ExportPlan) -> frozenset[Option]:
    kept = [allowance_of(seat.layout, one.record).options for one in plan.chosen]
    return frozenset().union(*kept)
