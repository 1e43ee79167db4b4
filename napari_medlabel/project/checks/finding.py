"""What a check of a study finds: rule, place and words; never a name it does not know."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

from napari_medlabel.project.cases.dataset import OF_RELEASE
from napari_medlabel.project.cases.naming import KINDS
from napari_medlabel.project.cases.version import KINDS as ENDINGS

Level = Literal["error", "warning"]
UNNAMED: Final = "(...)"
"""Stands for a part of a path that might tell whose it is."""
_CODE: Final = r"[A-Za-z]{0,4}[0-9]{1,4}"
_CASE: Final = (
    rf"sub-{_CODE}(_ses-{_CODE})?(_run-[0-9]+)?"
    rf"_(({'|'.join(KINDS)})(\.nii\.gz|\.json)?|desc-({'|'.join(KINDS)})v[0-9]{{3,}}"
    rf"(_({'|'.join(re.escape(one) for one in ENDINGS)}|l[0-9]+(dseg|prov)\.nii\.gz)"
    rf"|(l[0-9]+)?unresolved_mask\.nii\.gz))"
)
_KNOWN: Final = (
    "dataset_description.json", "README.md", "README", "CHANGES", "LICENSE", ".bidsignore",
    "participants.tsv", "participants.json", "croissant.json", "dseg.tsv", "anat",
    "derivatives", "sourcedata", "exports", "medlabel", "project.json", "ontology.json",
    "guidelines", "guidelines.md", "cases", "claims", "comments", "gold", "audit", "releases",
    "deid", "agreement", *OF_RELEASE,
)  # fmt: skip
_ASIDE: Final = re.compile(r"\A\.[0-9a-f]{8}\.part\.")
_PART: Final = re.compile(
    rf"sub-{_CODE}|ses-{_CODE}|medlabel-[a-z][a-z0-9]{{0,15}}|{_CASE}|"
    + "|".join(re.escape(name) for name in _KNOWN)
)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing found.

    Parameters
    ----------
    level : str
        ``"error"``: the study is not what it says. ``"warning"``: to be looked at.
    rule : str
        One word or two, for programs.
    where : str
        Path from the study's root, as `place` returns it; empty for the whole study.
    words : str
        A sentence.
    """

    level: Level
    rule: str
    where: str
    words: str

    def record(self) -> dict[str, str]:
        """Return it for ``--json``."""
        return {
            "level": self.level,
            "rule": self.rule,
            "where": self.where,
            "words": self.words,
        }


def place(relative: str) -> str:
    """Return a path from the root with each part that is not of a study left unnamed.

    What somebody put into the folder may be called after a patient.
    """
    parts = PurePosixPath(relative.lstrip("/")).parts
    return "/".join(part if _PART.fullmatch(part) else UNNAMED for part in parts)


def is_of_study(name: str) -> bool:
    """Tell whether a file or folder is called as a study calls them, perhaps while written."""
    return _PART.fullmatch(_ASIDE.sub("", name)) is not None


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings once each, errors first."""
    return tuple(sorted(set(findings)))
