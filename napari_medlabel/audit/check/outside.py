"""Gather what others hold of a log: its memory, published heads, witnesses, receipts, paper."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.audit.anchors.code import check_code, heads_of, kept_listing, read_code
from napari_medlabel.audit.anchors.cosigned import Cosigned, read_cosignatures
from napari_medlabel.audit.anchors.memory import Remembered, recall
from napari_medlabel.audit.anchors.receipt import check_receipt, read_receipt
from napari_medlabel.audit.check.columns import Anchor
from napari_medlabel.audit.check.plural import counted
from napari_medlabel.audit.check.verdict import SessionReport
from napari_medlabel.audit.disk import place_key
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.format.layout import HEADS, head_note, session_file
from napari_medlabel.audit.format.note import MAX_BYTES, Note, checkpoint_of, parse_note
from napari_medlabel.audit.format.record import time_ms
from napari_medlabel.audit.format.seal import Head, SealKey
from napari_medlabel.audit.keys.site import Witness
from napari_medlabel.errors import InputError

MEMORY: Final = "this computer's own memory"

_WITNESS_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "revoked": ("amber", "A witness signed this after the officer had revoked its key."),
    "unknown": ("amber", "Somebody signed this as a witness whom the officer does not name."),
    "wrong": (
        "red",
        "The note of a witness was changed, or is not signed by its key.",
    ),
}
_NOT_ITS_OWN: Final = (
    "The note of a witness was changed: the session did not sign what stands in it under the "
    "session's name."
)


def plain_name(text: str) -> str:
    """Return a file's name for people; nothing in it can steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


@dataclass(frozen=True, slots=True)
class Published:
    """A head that a session published beside the log.

    Parameters
    ----------
    file : str
        Of the note, relative to the log's folder.
    said : tuple of Note and Head, or None
        What it says; None where it is no note, or another session's.
    """

    file: str
    said: tuple[Note, Head] | None = None


def _is_signed(note: Note, head: Head, public: bytes) -> bool:
    """Return whether the session with this key signed its published head."""
    key = SealKey.from_bytes(head.origin, public)
    own = [one.raw for one in note.signatures if one.name == head.origin]
    return bool(own) and all(key.signed(head, raw) for raw in own)


def memories_of(state: Path | None) -> list[Remembered]:
    """Return what this computer remembers.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        return recall(state) if state is not None else []
    except OSError as err:
        raise InputError(
            f"This computer's memory of the log cannot be read ({type(err).__name__}).",
            hint="Run it as the user who wrote the log, or see MEDLABEL_STATE_DIR.",
        ) from err


def published_of(root: Path) -> list[Published]:
    """Return the notes under ``heads``, by file; to be read before the sessions are.

    Raises
    ------
    InputError
        When one cannot be read.
    """
    return [_published(root, path) for path in sorted((root / HEADS).glob("*/*.note"))]


def _published(root: Path, path: Path) -> Published:
    file = path.relative_to(root).as_posix()
    try:
        with path.open("rb") as stream:
            note = parse_note(stream.read(MAX_BYTES + 1))
        head = checkpoint_of(note)
    except OSError as err:
        raise InputError(
            f"A published head of the log cannot be read ({type(err).__name__}).",
            hint="Run it as the user who may read the log.",
        ) from err
    except ValueError:
        return Published(plain_name(file))
    if head_note(head.origin) != file:
        return Published(plain_name(file))
    return Published(file, (note, head))


class Outside:
    """What others hold of a log, gathered before the sessions are read: they only grow.

    Parameters
    ----------
    root : Path
        Folder of the log.
    state : Path or None
        Folder of this computer's own memory.
    witnesses : iterable of Witness
        Those of the site.

    Raises
    ------
    InputError
        When something cannot be read.
    """

    def __init__(self, root: Path, state: Path | None, witnesses: Iterable[Witness]) -> None:
        self._root = root
        self.memories = {session_file(entry.head.origin): entry for entry in memories_of(state)}
        self._published = published_of(root)
        named = tuple(witnesses)
        self._cosigned = read_cosignatures(root, named)
        self._witnesses = [one.name for one in named if one.revoked_ms is None]
        self.found: list[Anchor] = []
        self.findings: list[Finding] = []

    def take_memory(self, is_there: Callable[[str], bool]) -> None:
        """Take over what this computer remembers of this log."""
        place = place_key(self._root)
        for file, entry in self.memories.items():
            if entry.head.size and (entry.place == place or is_there(file)):
                self.found.append(Anchor(entry.head, MEMORY, "memory"))

    def take_published(self, reports: Mapping[str, SessionReport]) -> None:
        """Take over the heads that sessions published, as far as they signed them."""
        for one in self._published:
            if one.said is not None:
                note, head = one.said
                report = reports.get(session_file(head.origin))
                opening = report.opening if report else None
                # Without the session's first line nobody can check the note; that the line
                # is gone is what the note shows.
                if opening is None or _is_signed(note, head, opening.public):
                    self.found.append(Anchor(head, "its published head", "published"))
                    continue
            text = (
                "This is not the head that its session published: the note was changed, or "
                "is not signed by the session."
            )
            self.findings.append(Finding("amber", "PEER", text, one.file))

    def take_witnesses(self, reports: Mapping[str, SessionReport], *, has_site: bool) -> None:
        """Take over what witnesses cosigned, where the session's own line is right, too."""
        looks = {name: dict[str, int]() for name in self._witnesses}
        for one in self._cosigned:
            if _is_bent(one, reports):
                finding = Finding("red", "WITNESS", _NOT_ITS_OWN, plain_name(one.file))
                self.findings.append(finding)
            elif one.state == "trusted" and one.head is not None:
                holder = f"the witness {one.witness}"
                self.found.append(Anchor(one.head, holder, "witness", one.at_ms))
                looks.setdefault(one.witness, {})[session_file(one.head.origin)] = one.at_ms
            elif has_site or one.state == "wrong":
                self.findings.append(_witness_finding(one))
        for name, seen in looks.items():
            self.findings += _gaps(name, seen, reports)

    def take_receipts(self, receipts: Sequence[Path], pruned: Collection[Head]) -> None:
        """Take over what receipts of exported data sets prove.

        Raises
        ------
        InputError
            When a file is no receipt.
        """
        for number, path in enumerate(receipts, 1):
            try:
                receipt = read_receipt(path.read_bytes())
            except OSError as err:
                raise InputError(
                    f"Receipt {number} cannot be read ({type(err).__name__}).",
                    hint="Give the file audit_receipt.json of an exported data set.",
                ) from err
            faults = check_receipt(receipt, self._root, pruned=pruned)
            for fault in faults:
                text = f"Receipt {number} and the log do not fit: {fault.text}"
                self.findings.append(Finding("red", "RECEIPT", text, fault.file, fault.line))
            if not faults:
                self.found.append(Anchor(receipt.head, f"receipt {number}", "receipt"))

    def take_code(
        self, code: str | None, reports: Sequence[SessionReport], pruned: Collection[Head]
    ) -> None:
        """Take over what a code on paper stands for.

        Raises
        ------
        InputError
            When it was mistyped.
        """
        if code is None:
            return
        fault = check_code(code, self._root, reports, pruned=pruned)
        if fault is not None:
            self.findings.append(
                Finding(fault.level, "CODE", fault.text, fault.file, fault.line)
            )
            return
        listing = kept_listing(self._root, read_code(code)) or b""
        moment = _moment(listing)
        for head in heads_of(listing):
            self.found.append(Anchor(head, "the code on paper", "paper", moment))


def _gaps(
    name: str, seen: Mapping[str, int], reports: Mapping[str, SessionReport]
) -> list[Finding]:
    """Return a finding where a witness must have left a note and there is none.

    It cosigns every session at each look, so one that ended before its last look has a note.
    """
    last_ms = max(seen.values(), default=0)
    missing = sum(
        1
        for file, report in reports.items()
        if report.events and report.last_ms < last_ms and file not in seen
    )
    if seen and not missing:
        return []
    what = (
        f"has left no note of {counted(missing, 'session')} that it must have seen"
        if seen
        else "has left no note at all"
    )
    text = (
        f"The witness {name}, whom the officer names, {what}: notes were taken away, or it has "
        "not looked yet. Run `medlabel audit witness` under its account."
    )
    return [Finding("amber", "UNSEEN", text, "witness")]


def _moment(listing: bytes) -> int:
    """Return when a code was made, as its list says; 0 where it says no time."""
    try:
        return time_ms(listing.split(b"\n")[2].decode("ascii"))
    except ValueError:
        return 0


def _is_bent(one: Cosigned, reports: Mapping[str, SessionReport]) -> bool:
    """Return whether the session's own line in a witness's note is not by the session."""
    if one.note is None or one.head is None:
        return False  # which is wrong in another way
    report = reports.get(session_file(one.head.origin))
    opening = report.opening if report else None
    return opening is not None and not _is_signed(one.note, one.head, opening.public)


def _witness_finding(one: Cosigned) -> Finding:
    level, text = _WITNESS_WORDS[one.state]
    return Finding("red" if level == "red" else "amber", "WITNESS", text, plain_name(one.file))


def all_anchors(
    outside: Iterable[Anchor], reports: Iterable[SessionReport]
) -> Iterator[Anchor]:
    """Return every head that somebody else than its own session holds."""
    yield from outside
    for report in reports:
        for anchor in report.anchors:
            if anchor.head.size and anchor.head.origin != report.origin:
                yield anchor


def limb_of(anchor: Anchor) -> str:
    """Return who confirmed something, in words for a sentence; empty for nobody else."""
    if anchor.kind == "published":
        return ""  # the session's own word, beside the log
    if anchor.kind in {"memory", "witness", "paper"}:
        return anchor.holder
    if anchor.kind == "receipt":
        return "receipts of exported data"
    return "other workstations" if anchor.is_outside else "later sessions"
