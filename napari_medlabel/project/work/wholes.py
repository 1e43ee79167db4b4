"""Versions as a whole, as the log tells of them: what was handed in, approved and agreed on.

A submission, a correction, an approval and a consensus each tell the digest of the version's
sidecar, which names every other file by its digest. Lines of before have none: then the files
are held against the sidecar alone, and the first masks against the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

from napari_medlabel.errors import InputError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.project.cases.version import (
    SIDECAR,
    Version,
    file_of,
    require_files,
    whole_digest,
)
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.work.steps import Step

Said = Literal["submitted", "approved", "agreed on", "signed"]
Told = Mapping[Said, frozenset[str]]
"""Digests of whole versions, by what was said of them."""
_MAKES: Final = frozenset({"submit", "correct"})


def told_of(steps: Iterable[Step], code_of: Callable[[str], str], version: Version) -> Told:
    """Return what the steps on a case tell of a rater's version of it as a whole.

    Parameters
    ----------
    steps : iterable of Step
        All steps on the case, of every reading, in any order.
    code_of : callable
        Returns the code of the rater behind a token; empty where there is none.
    version : Version
        Which; of a consensus no step tells.
    """
    found: dict[Said, set[str]] = {"submitted": set(), "approved": set()}
    makers: dict[str, str] = {}
    wanted = (version.rater, version.number)
    for step in sorted(steps, key=lambda one: (one.slot, one.number, one.time)):
        detail = step.detail or {}
        if step.action in _MAKES and step.content:
            makers[step.slot] = step.user
        elif step.action == "settle":
            makers[step.slot] = str(detail.get("maker", "")) or makers.get(step.slot, "")
        whole = detail.get("whole")
        if whole is None or (code_of(makers.get(step.slot, "")), step.version) != wanted:
            continue
        if step.action in _MAKES:
            found["submitted"].add(str(whole))
        elif step.action == "approve":
            found["approved"].add(str(whole))
    return {said: frozenset(wholes) for said, wholes in found.items()}


def sidecars_of(layout: Layout, case: CaseId) -> frozenset[str]:
    """Return the digests of all versions of a case that are there, of everybody."""
    found = layout.root.glob(f"derivatives/medlabel-*/{case.folder}/*_{SIDECAR}")
    named = ((path, file_of(path.name)) for path in found)
    own = [path for path, name in named if name is not None and name[0] == str(case)]
    return frozenset(f"sha256:{sha256_file(path)}" for path in own)


def against(layout: Layout, version: Version, told: Told) -> str:
    """Return why a version is not the one that the log tells of; empty where it is.

    Parameters
    ----------
    layout : Layout
        The study.
    version : Version
        As its sidecar tells of it now.
    told : mapping
        What the log tells of it, see `told_of`; where it says nothing, nothing is held
        against it but that its files are those of its sidecar.
    """
    try:
        require_files(layout, version)
        whole = whole_digest(layout, version)
    except InputError as err:
        return err.message
    wrong = [said for said, wholes in told.items() if wholes and whole not in wholes]
    if not wrong:
        return ""
    words = " and ".join(filter(None, (", ".join(wrong[:-1]), wrong[-1])))
    return (
        f"Version {version.number} is not there as it was when it was {words}: a mask of some "
        "layer, landmarks, boxes, answers, a map of origins or the sidecar was changed."
    )


def require_as_told(layout: Layout, version: Version, told: Told) -> None:
    """Refuse a version that is not the one that the log tells of.

    Raises
    ------
    InputError
        Saying why.
    """
    if words := against(layout, version, told):
        raise InputError(
            words,
            hint="Let the study's manager see what changed: medlabel project validate STUDY",
        )
