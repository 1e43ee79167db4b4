"""Sealed records of a log that name a content or a case, newest session first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verify import session_paths

_CHUNK: Final = 1 << 20


def records_of(root: Path, content: str) -> Iterator[dict[str, Any]]:
    """Yield the sealed records that name a content or a case, newest session first."""
    wanted = content.encode("ascii")
    for path in sorted(session_paths(root), key=lambda one: one.name, reverse=True):
        if not _names(path, wanted):
            continue
        found: list[dict[str, Any]] = []
        check_session(path, path.name, _collector(found, content))
        yield from found


def _collector(found: list[dict[str, Any]], content: str) -> Callable[[int, Any], None]:
    def seen(_line: int, record: Any) -> None:
        names = {ref["id"] for ref in record["object"]} | {record["detail"].get("case")}
        if content in names:
            found.append(record)

    return seen


def _names(path: Path, wanted: bytes) -> bool:
    """Whether a file holds some bytes; read piece by piece."""
    kept = b""
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            if wanted in kept + piece:
                return True
            kept = piece[-len(wanted) :]
    return False
