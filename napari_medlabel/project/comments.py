"""Comments on a case: threads pinned to a place in the patient, one file per case and writer.

Each line is written once, by its writer alone; a thread is put together from all writers'
files. Comments are free text: they stay in the study's folder and never get into the log, which
holds the digest of each.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from napari_medlabel.audit.faults import error_name
from napari_medlabel.audit.format.kinds import TAGS
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import make_folder, sync_file, sync_folder
from napari_medlabel.project.layout import CONSENSUS, CaseId, Layout, require_rater

Standing = Literal["open", "answered", "resolved"]
LONGEST: Final = 4000
VERSION: Final = 1
_ID: Final = re.compile(r"[0-9a-f]{16}")
_SLOT: Final = re.compile(r"[A-H]|consensus|")
_SECRET: Final = (  # what never belongs into a comment, whoever the patient is
    re.compile(r"\b(19|20)\d\d[-/.]?(0[1-9]|1[0-2])[-/.]?([0-2]\d|3[01])\b"),
    re.compile(r"\b([0-2]?\d|3[01])[./](0?[1-9]|1[0-2])[./](19|20)?\d\d\b"),
    re.compile(r"\b\d{7,}\b"),
    re.compile(r"[\w.+-]+@[\w-]+\.\w+"),
)


@dataclass(frozen=True)
class Comment:
    """One line of a thread.

    Parameters
    ----------
    id : str
        16 hex digits, random.
    thread : str
        Id of the thread's first comment; its own for that one.
    rater : str
        Code of the writer.
    slot : str
        The reading it is about; empty for the whole case.
    time : str
        ISO 8601 in UTC, by the writer's clock.
    text : str
        What is said; no patient, no person.
    at_ras : tuple of float or None
        Where it is pinned, RAS mm; None for no place.
    label : int
        Value of the label it is about; 0 for none.
    resolves : bool
        Whether it closes the thread; a later one without opens it again.
    number : int
        How many comments of the thread its writer knew: what came later follows from it, and
        from clocks only where two wrote at once.
    tags : tuple of str
        What it is about, in words of the review: see `kinds.TAGS`.

    Raises
    ------
    InputError
        When a part is not valid.
    """

    id: str
    thread: str
    rater: str
    slot: str
    time: str
    text: str
    at_ras: tuple[float, float, float] | None = None
    label: int = 0
    resolves: bool = False
    number: int = 0
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_rater(self.rater)
        if not all(TAGS.accepts(tag) for tag in self.tags):
            raise InputError(f"A tag is {TAGS.kind}.", hint="Choose one of these.")
        valid = _ID.fullmatch(self.id) and _ID.fullmatch(self.thread)
        if not valid or not _SLOT.fullmatch(self.slot) or self.label < 0:
            raise InputError(
                "A comment has an id, a thread, a slot from A to H and a label from 0.",
                hint="This is a fault in the program; please report it.",
            )
        if self.at_ras is not None and not all(math.isfinite(x) for x in self.at_ras):
            raise InputError(
                "A comment is pinned to three numbers in mm.", hint="Click the place again."
            )
        if len(self.text) > LONGEST or not (self.text.strip() or self.resolves):
            raise InputError(
                f"A comment has 1 to {LONGEST} signs.", hint="Say it shorter, or say something."
            )

    @property
    def digest(self) -> str:
        """``sha256:<hex>`` of its line, as the log names it."""
        return f"sha256:{hashlib.sha256(self.to_line()).hexdigest()}"

    def to_line(self) -> bytes:
        """Return the line of its file."""
        data: dict[str, Any] = {
            "v": VERSION,
            "id": self.id,
            "thread": self.thread,
            "rater": self.rater,
            "slot": self.slot,
            "time": self.time,
            "text": self.text,
            "at_ras": self.at_ras,
            "label": self.label,
            "resolves": self.resolves,
            "number": self.number,
        }
        if self.tags:  # lines without stay as they were written, and so do their digests
            data["tags"] = self.tags
        return (json.dumps(data, ensure_ascii=False, sort_keys=True) + "\n").encode()


@dataclass(frozen=True)
class Thread:
    """A thread: its first comment and the answers, in order.

    Parameters
    ----------
    comments : tuple of Comment
        At least one.
    """

    comments: tuple[Comment, ...]

    @property
    def first(self) -> Comment:
        """What began it; place, slot and label are its."""
        return self.comments[0]

    @property
    def standing(self) -> Standing:
        """``open``, ``answered`` by somebody else, or ``resolved``."""
        last = self.comments[-1]
        if last.resolves:
            return "resolved"
        return "open" if last.rater == self.first.rater else "answered"


@dataclass(frozen=True)
class Comments:
    """All comments on a case.

    Parameters
    ----------
    threads : tuple of Thread
        By the time of their first comment.
    damaged : int
        Lines that cannot be read: a crash cut them short, or somebody changed them.
    """

    threads: tuple[Thread, ...]
    damaged: int = 0

    @property
    def unresolved(self) -> tuple[Thread, ...]:
        """Threads that are not resolved."""
        return tuple(one for one in self.threads if one.standing != "resolved")

    def visible(self, slots: Iterable[str], rater: str) -> Comments:
        """Leave out what would tell a blind reader of others' readings.

        Parameters
        ----------
        slots : iterable of str
            Readings that may be known.
        rater : str
            Whose own comments stay.
        """
        known = set(slots)
        seen = [t for t in self.threads if t.first.slot in known or t.first.rater == rater]
        return Comments(tuple(seen), self.damaged)


def require_harmless(text: str) -> str:
    """Return a text when it holds nothing that looks like a date, a number or an address.

    Names cannot be told from words; that they stay out is the writer's part.

    Raises
    ------
    InputError
        When it does; what it is is not repeated.
    """
    if any(pattern.search(text) for pattern in _SECRET):
        raise InputError(
            "The comment holds something like a date, a long number or an address.",
            hint="Say it without: a comment stays in the study's folder.",
        )
    return text


def add_comment(layout: Layout, case: CaseId, comment: Comment) -> Path:
    """Add a comment to its writer's own file, and return the file; added twice, it stands once.

    Raises
    ------
    InputError
        When the text holds what must not leave.
    SaveError
        When it cannot be written.
    """
    require_harmless(comment.text)
    path = comments_file(layout, case, comment.rater)
    make_folder(path.parent)
    line = comment.to_line()
    try:
        before = path.read_bytes() if path.exists() else b""
        if line in before.splitlines(keepends=True):
            return path
        # A crash may have cut the last line short: it ends here, and the new one is whole.
        cut = b"\n" if before and not before.endswith(b"\n") else b""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        with os.fdopen(descriptor, "ab") as stream:
            stream.write(cut + line)
    except OSError as err:
        raise SaveError(
            f"The comment cannot be written ({error_name(err)}).",
            hint="Check that the share is there and that you may write to medlabel/comments.",
        ) from err
    sync_file(path)
    sync_folder(path.parent)
    return path


def read_comments(layout: Layout, case: CaseId) -> Comments:
    """Read all comments on a case, whoever wrote them.

    Raises
    ------
    InputError
        When a file cannot be read at all.
    """
    found: dict[str, Comment] = {}
    damaged = 0
    for path in sorted((layout.comments / str(case)).glob("*.jsonl")):
        for comment in _lines(path):
            if comment is None or comment.rater != path.stem:
                damaged += 1
            else:
                found.setdefault(comment.id, comment)
    by_thread: dict[str, list[Comment]] = {}
    for comment in sorted(found.values(), key=lambda one: (one.number, one.time, one.id)):
        by_thread.setdefault(comment.thread, []).append(comment)
    threads = [
        # By clocks, an answer may come before what it answers: the first is who names itself.
        Thread(tuple(sorted(group, key=lambda one: one.id != one.thread)))
        for group in by_thread.values()
    ]
    return Comments(tuple(sorted(threads, key=lambda one: one.first.time)), damaged)


def comments_file(layout: Layout, case: CaseId, rater: str) -> Path:
    """Return the file of one writer."""
    name = rater if rater == CONSENSUS else require_rater(rater)
    return layout.comments / str(case) / f"{name}.jsonl"


def _lines(path: Path) -> Iterator[Comment | None]:
    try:
        raw = path.read_bytes()
    except OSError as err:
        raise InputError(
            f"Comments of the study cannot be read ({error_name(err)}).",
            hint="Check that you may read medlabel/comments.",
        ) from err
    for line in raw.splitlines():
        yield _comment(line)


def _comment(line: bytes) -> Comment | None:
    try:
        data: dict[str, Any] = json.loads(line)
        if data.pop("v") != VERSION:
            return None
        at = data.pop("at_ras")
        tags = tuple(data.pop("tags", ()))
        place = None if at is None else (at[0], at[1], at[2])
        return Comment(**data, at_ras=place, tags=tags)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, InputError):
        return None
