"""What the log and its statements say of a mask that is signed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.keys.people import find_statements
from napari_medlabel.errors import InputError
from napari_medlabel.session.records_of import records_of

_SAVES: Final = ("mask.save", "mask.create", "mask.restore", "autosave.recover")


def heard_of(root: Path, content: str) -> dict[tuple[Any, Any], str]:
    """Return when the log heard of each signature over a content."""
    return {
        (record["detail"].get("statement"), record["detail"].get("signature")): record["time"]
        for record in records_of(root, content)
        if record["event"] == "sign.apply"
    }


def is_author(root: Path, content: str, tokens: list[str]) -> bool:
    """Say whether one of these accounts has signed a content as its author."""
    return any(
        one.said.meaning == "authored" and one.said.user in tokens
        for one in find_statements(root, content).statements
    )


def saving_of(root: Path, content: str) -> dict[str, Any]:
    """Return the record of when a mask was last saved.

    Raises
    ------
    InputError
        When no sealed line says that this mask was saved.
    """
    for record in records_of(root, content):
        is_new = any(ref["id"] == content and ref["role"] == "new" for ref in record["object"])
        if record["event"] in _SAVES and is_new:
            return record
    raise InputError(
        "The log was expected to say when this mask was saved, and it does not.",
        hint="Open it on its scan and save it, with the same MEDLABEL_AUDIT_DIR.",
    )
