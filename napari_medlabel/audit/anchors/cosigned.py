"""What witnesses left beside a log, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from napari_medlabel.audit.format.cosignature import cosigned_at, cosigner_id
from napari_medlabel.audit.format.layout import (
    WITNESS,
    witness_note,
)
from napari_medlabel.audit.format.note import (
    MAX_BYTES,
    Note,
    checkpoint_of,
    parse_note,
)
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.errors import InputError


class WitnessKey(Protocol):
    """A witness that the officer trusts, or does no more."""

    @property
    def name(self) -> str:
        """Of the witness."""
        ...

    @property
    def public(self) -> bytes:
        """Its key."""
        ...

    @property
    def revoked_ms(self) -> int | None:
        """Since when it counts no more."""
        ...


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What a witness's note under the log's folder is worth.

    Parameters
    ----------
    witness : str
        Name of the witness, from the note's place.
    head : Head or None
        What was seen; None where the note is none.
    at_ms : int
        When, since 1970; 0 where the cosignature is not trusted.
    state : str
        ``trusted``: by a key of the site. ``revoked``: signed after the key was revoked.
        ``unknown``: nobody says that this is a witness. ``wrong``: the note was changed, lies
        in another's place, or is not signed by the key of the witness.
    file : str
        Of the note, relative to the log's folder.
    note : Note or None
        The note itself, where `head` stands in it; the session's own line is for whoever
        knows the session's key to check.
    """

    witness: str
    head: Head | None
    at_ms: int
    state: Literal["trusted", "revoked", "unknown", "wrong"]
    file: str
    note: Note | None = None


def read_cosignatures(root: Path, witnesses: Iterable[WitnessKey]) -> list[Cosigned]:
    """Return what witnesses left beside a log.

    Parameters
    ----------
    root : Path
        Folder of the log.
    witnesses : iterable of WitnessKey
        Those of ``site.json``, the revoked ones too; none where there is no site.

    Returns
    -------
    list of Cosigned
        By file.

    Raises
    ------
    InputError
        When a note cannot be read by this user.
    """
    keys: dict[str, list[WitnessKey]] = {}
    for one in witnesses:
        keys.setdefault(one.name, []).append(one)
    return [_read(root, path, keys) for path in _notes(root)]


def _notes(root: Path) -> Iterator[Path]:
    yield from sorted(path for path in (root / WITNESS).glob("*/*/*.note") if path.is_file())


def _read(root: Path, path: Path, keys: Mapping[str, Sequence[WitnessKey]]) -> Cosigned:
    file = path.relative_to(root).as_posix()
    name = file.split("/")[1]
    try:
        with path.open("rb") as stream:
            note = parse_note(stream.read(MAX_BYTES + 1))
        head = checkpoint_of(note)
    except OSError as err:
        raise InputError(
            f"The note of a witness cannot be read ({type(err).__name__}).",
            hint="Run it as the user who may read the log.",
        ) from err
    except ValueError:
        return Cosigned(name, None, 0, "wrong", file)
    if witness_note(name, head.origin) != file:
        return Cosigned(name, head, 0, "wrong", file)
    if name not in keys:
        return Cosigned(name, head, 0, "unknown", file, note)
    for key in keys[name]:
        for raw in note.signed_by(name, cosigner_id(name, key.public)):
            seconds = cosigned_at(raw, key.public, note.text)
            if seconds is not None:
                at_ms = 1000 * seconds
                revoked = key.revoked_ms is not None and at_ms >= key.revoked_ms
                state: Literal["trusted", "revoked"] = "revoked" if revoked else "trusted"
                return Cosigned(name, head, 0 if revoked else at_ms, state, file, note)
    return Cosigned(name, head, 0, "wrong", file)
