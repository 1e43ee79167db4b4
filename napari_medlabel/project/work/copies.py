"""Conflicted copies: what clients that synchronise a folder leave where two wrote at once.

Each client has its own form, some in the language of the computer. So a copy is known in two
ways: by a word that no file of a study has in its name, or as a stranger that begins as a file
beside it does. How the files of a study are called is known, so none of them is taken for one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from napari_medlabel.project.cases.version import file_of
from napari_medlabel.project.layout import Layout

_WORDS: Final = (
    re.compile(r"\(.*conflicted copy.*\)", re.IGNORECASE),  # Dropbox, Box, Nextcloud
    re.compile(r"\.sync-conflict-\d{8}-\d{6}"),  # Syncthing
    re.compile(r"\(SFConflict .*\)"),  # Seafile
    re.compile(r"_conf\(\d+\)"),  # of kin
    re.compile(r"\[Conflict(ed)?\]|\.Conflict(\.|$)", re.IGNORECASE),  # kin; Resilio
    re.compile(r"[-_]conflict-\d{8}"),  # ownCloud, earlier Nextcloud
)
_OF_THE_STUDY: Final = re.compile(
    r"~HEAD|\.orig$|-[A-Z0-9]{6,15}\.(json|jsonl|gz)$"  # git; OneDrive: the computer's name
)
"""What data sets of other programs may have in a name that means something."""
_CASE: Final = r"sub-[A-Za-z0-9]+(_ses-[A-Za-z0-9]+)?(_run-[0-9]+)?_[A-Za-z0-9]+"
_HEX: Final = r"[0-9a-f]{64}"
_CODE: Final = r"[a-z][a-z0-9]{0,15}"  # of a rater, a model, or the consensus
_RELEASE: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_SESSION: Final = r"[0-9]{8}T[0-9]{6}Z-[0-9A-Z]{26}"
# Open work lies in hidden folders: small letters, dashes and no blank in all that it has.
_AT_WORK: Final = r"(?!.*(-conflict-|\.orig$))[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*"
_OWN: Final = "|".join(
    (
        r"(project|ontology|assignment|calibration)\.json",
        r"guidelines|cases|claims|comments|gold|rules|deid|dicom|releases|audit",
        r"guidelines/guidelines\.md",
        rf"cases/{_CASE}\.json",
        rf"claims/{_CASE}\.([A-H]|review|consensus)\.(json|taking)",
        rf"comments/{_CASE}(/{_CODE}\.jsonl)?",
        rf"gold/(gold\.json|{_CASE}_((l[0-9]+)?dseg\.nii\.gz|landmarks\.mrk\.json))",
        rf"(rules|deid)/{_HEX}\.json",
        rf"dicom/{_CASE}(/[0-9]{{5,}}\.dcm)?",
        rf"releases/{_RELEASE}(/(manifest(\.signature)?|audit_receipt)\.json)?",
        r"audit/(site\.json|site|writers|heads|witness|codes|objects|signatures|reasons)",
        r"audit/site/[0-9]{4,}\.json",
        r"audit/writers/[^/ ]+(/install\.json)?",
        rf"audit/writers/[^/ ]+/[0-9]{{4}}(/[0-9]{{2}}(/{_SESSION}\.jsonl)?)?",
        rf"audit/(heads|witness/[^/]+)/[^/ ]+(/{_SESSION}\.note)?",
        rf"audit/witness/[^/]+|audit/codes/[^/ ]+\.txt|audit/reasons/{_HEX}\.bin",
        rf"audit/objects/sha256(/[0-9a-f]{{2}}(/{_HEX}\.nii\.gz)?)?",
        rf"audit/signatures/{_HEX}\.json",
    )
)
_OF_RATER: Final = "|".join(
    (
        rf"medlabel-{_CODE}",
        rf"medlabel-{_CODE}/(dataset_description\.json|README\.md|\.bidsignore|dseg\.tsv)",
        rf"medlabel-{_CODE}/(.*/)?(sub-[A-Za-z0-9]+|ses-[A-Za-z0-9]+|anat)",
        rf"medlabel-{_CODE}/.*/\.{_CASE}/(.*/)?(reading-[A-H]|{_AT_WORK})",
    )
)
_KNOWN: Final = re.compile(rf"medlabel/({_OWN})|derivatives/({_OF_RATER})")
_RATERS: Final = re.compile(rf"derivatives/medlabel-{_CODE}(/|$)")
_LEFT: Final = re.compile(r"\.[0-9a-f]{16}$")
"""Behind the name of what a process that was killed had begun to write."""
_ENDING: Final = re.compile(r"(\.nii\.gz|\.mrk\.json|\.[a-z]+)?$")


def conflicted_copies(layout: Layout) -> tuple[str, ...]:
    """Return copies that a synchronising client has made, relative to the study.

    Where there are any, the folder was written on two computers at once: nobody but a person
    knows which one counts. What lies in a copied folder is not named again.
    """
    folders = (layout.own, layout.root / "derivatives")
    return tuple(sorted(_copies((layout.relative(one), one) for one in folders)))


def is_of_log(copy: str) -> bool:
    """Tell whether a copy, relative to the study, lies in the folder of its log."""
    return copy.startswith("medlabel/audit/")


def is_known(relative: str) -> bool:
    """Tell whether a path from the study's root is called as the program calls its files."""
    if _KNOWN.fullmatch(relative):
        return True
    name = relative.rpartition("/")[2]
    return bool(_RATERS.match(relative)) and file_of(name) is not None


def _copies(folders: Iterable[tuple[str, Path]]) -> Iterator[str]:
    """Yield the copies below some folders, each given with its path from the study's root."""
    for within, folder in folders:
        try:
            with os.scandir(folder) as found:
                entries = {f"{within}/{one.name}": one for one in found}
        except OSError:  # none, taken away just now, or closed to this account
            continue
        known = {relative for relative in entries if is_known(relative)}
        names = [entries[relative].name for relative in known]
        for relative, entry in entries.items():
            is_left = is_known(_LEFT.sub("", relative))
            if relative not in known and not is_left and _is_copy(relative, names):
                yield relative
            elif entry.is_dir(follow_symlinks=False):
                yield from _copies([(relative, Path(entry.path))])


def _is_copy(relative: str, known: Iterable[str]) -> bool:
    """Tell whether a stranger is a copy, by its name and those of the study's files beside."""
    name = relative.rpartition("/")[2]
    if any(words.search(name) for words in _WORDS):
        return True
    if not relative.startswith("medlabel/") and not _RATERS.match(relative):
        # What lies in another program's data set may be called as it likes. Beside them, a
        # rater's data set may be copied as a whole: no folder of a study has a blank.
        is_folder = relative.count("/") == 1 and " " in name
        return is_folder and any(_begins_as(name, one) for one in known)
    return bool(_OF_THE_STUDY.search(name)) or any(_begins_as(name, one) for one in known)


def _begins_as(name: str, known: str) -> bool:
    """Tell whether a name is that of a known file with more in it, and the same ending."""
    ending = _ENDING.search(known)
    stem = known[: ending.start()] if ending else known
    rest = name.removeprefix(stem)
    return rest != name and not rest[:1].isalnum() and known[len(stem) :] in rest
