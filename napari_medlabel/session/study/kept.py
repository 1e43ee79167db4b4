"""Earlier versions in a study's log: whose they are, and of which case.

The log's folder has every mask that was ever saved, named by what it says, of all who read. Who
wrote which stands in the log, with the digest of the file as it was written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_medlabel.io.files import sha256_file
from napari_medlabel.session.mask_log import mask_events

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Written:
    """One saving of a mask, as the log has it.

    Parameters
    ----------
    ids : frozenset of str
        What the mask says, and the digest of the file; ``sha256:`` and 64 digits each.
    case : str
        Content id of the scan; empty where the record does not tell.
    user : str
        Token of who saved it.
    """

    ids: frozenset[str]
    case: str
    user: str


def written(root: Path, state: Path, ids: Collection[str]) -> tuple[Written, ...]:
    """Return who saved masks of which these are contents or digests of files.

    Parameters
    ----------
    root : Path
        Folder of the log.
    state : Path
        This computer's own folder: some of its records may wait there.
    ids : collection of str
        ``sha256:`` and 64 digits.

    Raises
    ------
    LogError
        When the log cannot be read.
    """
    if not ids:
        return ()
    wanted = frozenset(ids)
    found = (_written(one) for one in mask_events(root, state))
    return tuple(one for one in found if one.ids & wanted)


def _written(record: dict[str, Any]) -> Written:
    detail = record.get("detail") or {}
    made = {ref.get("id", "") for ref in record.get("object") or () if ref.get("role") == "new"}
    return Written(
        frozenset((made | {detail.get("file", "")}) - {""}),
        detail.get("case", ""),
        (record.get("actor") or {}).get("user", ""),
    )


def name_of(path: Path) -> str:
    """Return the content id that an earlier version is named by; empty for another name."""
    stem = path.name.partition(".")[0]
    return f"sha256:{stem}" if len(stem) == 64 else ""


def digests_of_packed(paths: Collection[Path]) -> Iterator[str]:
    """Yield digests of those files that are packed as every saved mask is; others are none."""
    for path in paths:
        with path.open("rb") as stream:
            packed = stream.read(2) == _GZIP
        if packed:
            yield f"sha256:{sha256_file(path)}"
