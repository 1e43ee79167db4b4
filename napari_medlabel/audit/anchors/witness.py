"""A witness: under another account it remembers every head, and signs those that still fit.

It signs a head only when the session's file was checked from its first byte, and holds all
that the witness has ever seen of it. So a log that was cut, replaced or rolled back, on the
file server too, gets no cosignature any more, and the witness says why.

    <state>/witness/<name>/<place>.heads     what it has seen: one line for each session
    <root>/witness/<name>/<writer>/<session>.note     head, seal and cosignature (C2SP)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from napari_medlabel.audit.anchors.code import Seals
from napari_medlabel.audit.anchors.pruned import is_pruned
from napari_medlabel.audit.disk import place_key
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.cosignature import Signer, cosign, cosigner_id
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.format.layout import (
    session_file,
    session_of,
    witness_note,
    writer_of,
)
from napari_medlabel.audit.format.note import (
    Note,
    NoteSignature,
    note_bytes,
    parse_note,
)
from napari_medlabel.audit.format.schema import HEAD
from napari_medlabel.audit.format.seal import Head, from_base64
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import make_folder, write_bytes_aside


class Session(Protocol):
    """One session of the log, whose file was checked from its first byte."""

    @property
    def file(self) -> str:
        """Relative to the log's folder."""
        ...

    @property
    def sealed(self) -> Head | None:
        """Head of the last good seal."""
        ...

    @property
    def seals(self) -> Seals:
        """Every seal."""
        ...

    @property
    def signature(self) -> bytes:
        """Key id and signature of the last good seal, 68 bytes."""
        ...

    def has(self, *codes: str) -> bool:
        """Return whether the check found something of these codes."""
        ...


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at a log gave.

    Parameters
    ----------
    sessions : int
        Sessions that were looked at.
    grown : tuple of Head
        Heads that were not there at the last look; cosigned now.
    renewed : int
        Notes of heads seen before that were signed with the time of now.
    faults : tuple of Finding
        Why a session was not cosigned.
    """

    sessions: int
    grown: tuple[Head, ...]
    renewed: int
    faults: tuple[Finding, ...]


class WitnessMemory:
    """What a witness has seen of one log; apart from the log, under its own account.

    Parameters
    ----------
    state : Path
        Folder of this account's own memory.
    name : str
        Of the witness.
    root : Path
        Folder of the log.
    """

    def __init__(self, state: Path, name: str, root: Path) -> None:
        self.folder = witness_folder(state, name)
        self._path = self.folder / f"{place_key(root)}.heads"

    def read(self) -> dict[str, Head]:
        """Return the last head seen of each session, by file.

        Raises
        ------
        InputError
            When it cannot be read, or something else is there: then nothing is cosigned.
        """
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        except OSError as err:
            raise _forgotten() from err
        try:
            heads = [_head(canonical.decode(line)) for line in lines]
        except ValueError as err:
            raise _forgotten() from err
        return {session_file(head.origin): head for head in heads}

    def write(self, heads: Mapping[str, Head]) -> None:
        """Keep what was seen, on the disk, in one step.

        Raises
        ------
        SaveError
            When it cannot be written.
        """
        make_folder(self.folder)
        lines = (canonical.encode(heads[file].record()) + b"\n" for file in sorted(heads))
        write_bytes_aside(self._path, b"".join(lines), mode=0o600)


def witness_folder(state: Path, name: str) -> Path:
    """Return where a witness keeps its key and its memory."""
    return state / "witness" / name


def _head(value: object) -> Head:
    if not HEAD.accepts(value) or not isinstance(value, dict):
        raise ValueError("a line of the memory must be a head")
    return Head(value["origin"], value["size"], from_base64(value["root"], 32))


def _forgotten() -> InputError:
    return InputError(
        "The memory of the witness was expected, and cannot be read or is damaged.",
        hint="Restore it from a backup. Without it nothing is cosigned: a witness that forgot "
        "cannot say that nothing is missing.",
    )


def _misfit(session: Session, seen: Head | None) -> Finding | None:
    """Return why a session gets no cosignature."""
    elsewhere = session.sealed and session_file(session.sealed.origin) != session.file
    if session.has("BROKEN") or elsewhere:
        text = "The session's file was changed, or is not in its place."
        return Finding("red", "BROKEN", text, session.file)
    if seen is None:
        return None
    events = session.sealed.size if session.sealed else 0
    if events < seen.size:
        text = (
            f"The end is missing: the witness saw {seen.size} events, and {events} are there."
        )
        return Finding("red", "TRUNCATED", text, session.file)
    if session.seals.root(seen.size) != seen.root:
        text = f"This is not the log that the witness saw: its first {seen.size} events differ."
        return Finding("red", "FORK", text, session.file)
    return None


def look(
    sessions: Sequence[Session],
    remembered: Mapping[str, Head],
    pruned: Collection[Head] = (),
) -> tuple[dict[str, Head], list[Finding]]:
    """Compare a log with what a witness has seen of it.

    Parameters
    ----------
    sessions : sequence of Session
        Every session that is there now; their files were read after the memory was.
    remembered : mapping
        From `WitnessMemory.read`.
    pruned : collection of Head
        Ends of sessions that an officer had deleted because their time was over.

    Returns
    -------
    heads : dict
        Heads that may be cosigned, by file.
    faults : list of Finding
        Codes BROKEN, TRUNCATED, FORK and MISSING.
    """
    heads, faults, there = {}, [], set()
    for session in sessions:
        there.add(session.file)
        fault = _misfit(session, remembered.get(session.file))
        if fault is not None:
            faults.append(fault)
        elif session.sealed is not None:
            heads[session.file] = session.sealed
    for file, seen in sorted(remembered.items()):
        if file not in there and not is_pruned(seen, pruned):
            text = f"A whole session is missing: the witness saw {seen.size} events of it."
            faults.append(Finding("red", "MISSING", text, file))
    return heads, faults


def _latest(heads: Iterable[Head]) -> set[Head]:
    """Return the head of each writer's latest session: it is signed anew at each look."""
    in_order = sorted(heads, key=lambda head: session_of(head.origin))
    latest = {writer_of(head.origin): head for head in in_order}
    return set(latest.values())


def cosign_log(
    root: Path,
    sessions: Sequence[Session],
    memory: WitnessMemory,
    key: Signer,
    seconds: int,
    *,
    pruned: Collection[Head] = (),
) -> Round:
    """Cosign what fits, and say what does not.

    The memory is on the disk before a cosignature is (C2SP tlog-witness asks for that). One
    process at a time may do this for a witness.

    Parameters
    ----------
    root : Path
        Folder of the log.
    sessions : sequence of Session
        Every session, checked after `memory` was last written.
    memory : WitnessMemory
        What the witness has seen.
    key : Signer
        Its key.
    seconds : int
        Now, since 1970.
    pruned : collection of Head
        As for `look`.

    Returns
    -------
    Round
        Exit code 5 of the command line where it has faults.

    Raises
    ------
    InputError
        When the memory cannot be read.
    SaveError
        When the memory or a note cannot be written.
    """
    remembered = memory.read()
    heads, faults = look(sessions, remembered, pruned)
    name = memory.folder.name
    grown = {file: head for file, head in heads.items() if remembered.get(file) != head}
    if grown:
        memory.write({**remembered, **grown})
    latest = _latest(heads.values())
    signatures = {session.file: session.signature for session in sessions}
    renewed = 0
    for file, head in heads.items():
        path = root / witness_note(name, head.origin)
        if file in grown or head in latest or not _is_ours(path, name, key):
            seal = NoteSignature(head.origin, signatures[file])
            note = Note(head.text(), (seal, cosign(name, key, head, seconds)))
            make_folder(path.parent)
            write_bytes_aside(path, note_bytes(note))
            renewed += file not in grown
    return Round(len(sessions), tuple(grown.values()), renewed, tuple(faults))


def _is_ours(path: Path, name: str, key: Signer) -> bool:
    """Return whether a note is there and by this key: a witness may have got a new one."""
    try:
        note = parse_note(path.read_bytes())
    except (OSError, ValueError):
        return False
    return bool(note.signed_by(name, cosigner_id(name, key.public)))
