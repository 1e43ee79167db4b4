"""What this computer remembers of a link table, so that an older copy of it is noticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_medlabel.deid.keys.links_file import Codec, Link, Place
from napari_medlabel.errors import RefusedError
from napari_medlabel.io.files import make_folder, write_bytes_aside

_MODE = 0o600
_HINT = (
    "Bring back the newest copy, or join two copies with `medlabel deid link --merge FILE`. "
    "If nothing newer exists, `medlabel deid link --accept` goes on with this one: patients "
    "whose links are lost get other codes."
)


class StaleLinksError(RefusedError):
    """The link table is not the one that this computer wrote last."""


@dataclass(frozen=True)
class Remembered:
    """A place in a table that this computer has seen.

    Parameters
    ----------
    salt : str
        Of the table.
    count : int
        Links that it had.
    chain : str
        Digest of all bytes up to there, hexadecimal.
    """

    salt: str
    count: int
    chain: str


def memory_file(folder: Path, kid: str) -> Path:
    """Return where a folder remembers the table of a key."""
    return folder / f"{kid}.json"


def recall(folder: Path | None, kid: str) -> Remembered | None:
    """Return what is remembered; None where there is nothing, or nothing that makes sense."""
    if folder is None:
        return None
    try:
        found = json.loads(memory_file(folder, kid).read_text("ascii"))
        return Remembered(str(found["salt"]), int(found["count"]), str(found["chain"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def remember(folder: Path | None, kid: str, salt: str, place: Place) -> None:
    """Keep how far a table has come.

    Raises
    ------
    SaveError
        When the folder cannot be written to.
    """
    if folder is None:
        return
    make_folder(folder)
    text = json.dumps({"salt": salt, "count": place.count, "chain": place.chain.hex()})
    write_bytes_aside(memory_file(folder, kid), text.encode("ascii") + b"\n", mode=_MODE)


def missing() -> StaleLinksError:
    """Return the error for a key whose table is not beside it."""
    return StaleLinksError(
        "The link table of this key is not beside it, and the key has had one.",
        hint="A key and its table (the same name with .links) go together: copy both. " + _HINT,
    )


def compared(
    records: Iterator[tuple[Link, Place]], codec: Codec, seen: Remembered | None
) -> Iterator[tuple[Link, Place]]:
    """Yield the records of a table that goes on from what is remembered.

    Raises
    ------
    StaleLinksError
        At the end of one that is older, at the place where one went another way, and at
        the start of one that was begun anew.
    """
    if seen is not None and seen.salt != codec.salt:
        raise StaleLinksError(
            "The link table is another one than this computer used with this key before.",
            hint=_HINT,
        )
    count = 0
    if seen is not None and seen.count == 0:
        seen = None
    for link, place in records:
        count = place.count
        if seen is not None and count == seen.count and place.chain.hex() != seen.chain:
            raise StaleLinksError(
                f"The link table has gone another way: of the {seen.count} links that this "
                "computer remembers, not all are in it. Somebody went on with an older copy.",
                hint=_HINT,
            )
        yield link, place
    if seen is not None and count < seen.count:
        raise StaleLinksError(
            f"The link table has {count} links, and this computer remembers {seen.count}: "
            "it is an older copy.",
            hint=_HINT,
        )
