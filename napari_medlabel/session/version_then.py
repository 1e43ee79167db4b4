"""A version of a study against its log: what was handed in, approved, agreed on and signed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from napari_medlabel.project.cases.record import read_record
from napari_medlabel.project.cases.version import Version
from napari_medlabel.project.layout import CONSENSUS
from napari_medlabel.project.settings import read_settings
from napari_medlabel.project.work.accounts import accounts_of
from napari_medlabel.project.work.steps import StepReader
from napari_medlabel.project.work.wholes import Said, against, sidecars_of, told_of
from napari_medlabel.session.records_of import records_of
from napari_medlabel.session.signed_version import Place

_AGREED: Final = "study.consensus"
_MAKES: Final = frozenset({"submit", "correct"})


def against_log(root: Path, place: Place) -> str:
    """Return why a version is not the one that a log tells of; empty where it is.

    Parameters
    ----------
    root : Path
        Folder of the log.
    place : Place
        The version.

    Raises
    ------
    InputError
        When the study has no such case, or its own files cannot be read.
    """
    layout, version = place.layout, place.version
    content = read_record(layout.case_file(version.case)).content
    reader = StepReader(root)
    steps = [step for step in reader.read() if step.case == content]
    told: dict[Said, frozenset[str]] = {**told_of(steps, _codes(place, reader), version)}
    if version.rater == CONSENSUS:
        told["agreed on"] = frozenset(
            str(record["detail"]["whole"])
            for record in records_of(root, content)
            if record["event"] == _AGREED and _is_of(record["detail"], version)
        )
    return against(layout, version, told)


def lost_signed(root: Path, place: Place) -> frozenset[str]:
    """Return the digests that were signed of a version, and that it does not have any more.

    The line of a signature names the version's masks; a first mask that was handed in under
    its number counts as its own, and so does the one that it has now. What is signed and is
    still beside it in the study is another version's.

    Parameters
    ----------
    root : Path
        Folder of the log.
    place : Place
        The version.

    Raises
    ------
    InputError
        When the study has no such case, or its own files cannot be read.
    """
    layout, version = place.layout, place.version
    signed = {
        ref["id"]
        for content in {version.content, *_handed_in(root, place)}
        for record in records_of(root, content)
        if record["event"] == "sign.apply" and _first_mask(record) == content
        for ref in record["object"]
        if ref["role"] == "manifest"
    }
    return frozenset(signed) - sidecars_of(layout, version.case)


def _handed_in(root: Path, place: Place) -> set[str]:
    """Return the first masks that were handed in under a version's number, by its maker."""
    version = place.version
    case = read_record(place.layout.case_file(version.case)).content
    reader = StepReader(root)
    code = _codes(place, reader)
    return {
        step.content
        for step in reader.read()
        if step.case == case
        and step.action in _MAKES
        and (code(step.user), step.version) == (version.rater, version.number)
    }


def _codes(place: Place, reader: StepReader) -> Callable[[str], str]:
    """Return what gives the code behind a token, of an earlier account or a newer key too."""
    return accounts_of(place.layout, read_settings(place.layout.project), reader).code_of


def _is_of(detail: Mapping[str, Any], version: Version) -> bool:
    return "whole" in detail and detail.get("version") == version.number


def _first_mask(record: Mapping[str, Any]) -> str:
    return next((str(ref["id"]) for ref in record["object"] if ref["role"] == "new"), "")
