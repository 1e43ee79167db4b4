"""Cleaned images that wait for a person's eyes: listed, and moved on or deleted as decided."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_medlabel.deid.batch.events import EventSink
from napari_medlabel.deid.report.counts import Queued
from napari_medlabel.deid.report.waiting import (
    PAGE_NAME,
    QUEUE_NAME,
    VERSION,
    Held,
    Waiting,
    entries_of,
    rows_of,
    together,
)
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import sha256_file, sync_folder, write_bytes_aside

__all__ = [
    "PAGE_NAME",
    "QUEUE_NAME",
    "Decided",
    "Held",
    "Waiting",
    "decide",
    "read_queue",
    "write_queue",
]

_HINT = "Free some space, or choose a folder that you can write to."


@dataclass(frozen=True)
class Decided:
    """What a decision did.

    Parameters
    ----------
    accepted, rejected, left : int
        Files that went to the target, were deleted, and still wait.
    """

    accepted: int
    rejected: int
    left: int


def write_queue(folder: Path, queued: Iterable[Queued]) -> int:
    """Write the list of a review folder and its page with pictures.

    Parameters
    ----------
    folder : Path
        Holds the files already, under their names.
    queued : iterable of Queued
        Which.

    Returns
    -------
    int
        How many files wait.

    Raises
    ------
    SaveError
        When a file is not there, or the list cannot be written.
    """
    waiting = [_entry(folder, group) for group in together(queued)]
    _write(folder, waiting)
    return sum(len(each.files) for each in waiting)


def _entry(folder: Path, group: Sequence[Queued]) -> Waiting:
    """Return files that are looked at together, with the hashes that they have now."""
    held = []
    for each in group:
        try:
            digest = sha256_file(folder.joinpath(*each.name))
        except OSError as err:
            raise SaveError(
                f"A file of the review folder could not be read ({err.strerror}).", hint=_HINT
            ) from err
        held.append(Held(each.name, digest))
    return Waiting(group[0].token, tuple(sorted(group[0].look)), tuple(held))


def read_queue(folder: Path) -> tuple[Waiting, ...]:
    """Return what waits in a review folder: images, or series that are looked at as one.

    Raises
    ------
    InputError
        When it is no review folder, or its list is not one that `write_queue` made.
    """
    try:
        content = (folder / QUEUE_NAME).read_bytes()
    except OSError as err:
        raise InputError(
            f"A review folder was expected, and no {QUEUE_NAME} can be read in it.",
            hint="Pass the folder that `medlabel deid` named, such as DST-review.",
        ) from err
    try:
        document = json.loads(content)
        return entries_of(document["files"], document["version"])
    except (ValueError, LookupError, TypeError) as err:
        raise _not_a_queue() from err


def check_batch(target: Path, waiting: Iterable[Waiting]) -> None:
    """Refuse a target that another batch wrote, or none: a mistyped path takes no images.

    Parameters
    ----------
    target : Path
        The folder that the batch wrote, with its ``deid-report.json``.
    waiting : iterable of Waiting
        From `read_queue` of the review folder.

    Raises
    ------
    InputError
        When the report is not there, or names none of the waiting images.
    """
    report = target / "deid-report.json"
    try:
        document = json.loads(report.read_text("utf-8"))
        named = {each["token"] for each in document["review"]}
    except (OSError, ValueError, TypeError, KeyError) as err:
        raise InputError(
            "The folder that the batch wrote was expected, with its deid-report.json.",
            hint="Pass the DST of the same run as --into.",
        ) from err
    if not {each.token for each in waiting} <= named:
        raise InputError(
            "The report in this folder names other images than those that wait.",
            hint="Pass the DST of the same run as --into.",
        )


def decide(
    folder: Path,
    target: Path,
    *,
    accept: Collection[str] = (),
    reject: Collection[str] = (),
    log: EventSink | None = None,
    date: str = "",
) -> Decided:
    """Move accepted images into the target and delete rejected ones.

    Whatever can be wrong is found before anything moves; then the log has its line and the
    target its record, then files move one after another, and last the list is written. After
    a kill on the way the same call goes on.

    Parameters
    ----------
    folder : Path
        The review folder.
    target : Path
        The folder that the batch wrote; made where it does not exist.
    accept, reject : collection of str
        Tokens.
    log : EventSink, optional
        Takes ``deid.review``; without one the caller answers for that.
    date : str
        Day in UTC, for the record in the target; nothing where it is empty.

    Returns
    -------
    Decided
        Counts.

    Raises
    ------
    InputError
        For a token that does not wait or is named on both sides, a file that was changed,
        a name that the target has already, or a target within the review folder.
    LogError
        When the log cannot be written: nothing was moved.
    SaveError
        When a file cannot be moved; what was moved before stays where it is.
    """
    from napari_medlabel.deid.report.review_record import Decision, earlier_decisions, note

    waiting = read_queue(folder)
    accepted = _chosen(waiting, accept)
    rejected = _chosen(waiting, reject)
    if {*accept} & {*reject}:
        raise InputError(
            "An image cannot be accepted and rejected at once.",
            hint="Name each token once.",
        )
    _check_apart(folder, target)
    if accepted and not (target.is_dir() or not os.path.lexists(target)):
        raise InputError("The target must be a folder.", hint="Pass the DST of the batch.")
    chosen, dropped = _held(accepted), _held(rejected)
    move = [each for each in chosen if not _is_moved(each, folder, target)]
    earlier = earlier_decisions(target)
    decided = {each.token for each in (*accepted, *rejected)}
    left = [each for each in waiting if each.token not in decided]
    done = Decided(len(chosen), len(dropped), len(_held(left)))
    decision = Decision(accepted, rejected, done.left, date)
    if log is not None and decided:
        detail = {
            "accepted": done.accepted,
            "rejected": done.rejected,
            "files": len(_held(waiting)),
            "left": done.left,
            "manifest": decision.manifest,
        }
        log.append("deid.review", detail=detail)
    if decided:
        note(target, decision, earlier)
    try:
        for each in move:
            _move(each.path(folder), each.path(target))
        for each in (*chosen, *dropped):
            each.path(folder).unlink(missing_ok=True)
            _remove_empty(each.path(folder).parent, folder)
    except OSError as err:
        raise SaveError(
            f"A reviewed image could not be moved or deleted ({err.strerror}).", hint=_HINT
        ) from err
    if decided:
        _write(folder, left)
    return done


def _held(waiting: Iterable[Waiting]) -> list[Held]:
    return [held for each in waiting for held in each.files]


def _write(folder: Path, waiting: Iterable[Waiting]) -> None:
    """Write page and list; the list last, since it is what counts."""
    from napari_medlabel.deid.report.review_page import page

    files = tuple(waiting)
    document = {"version": VERSION, "files": rows_of(files)}
    write_bytes_aside(folder / PAGE_NAME, page(folder, files))
    content = (json.dumps(document, indent=1) + "\n").encode("ascii")
    write_bytes_aside(folder / QUEUE_NAME, content)


def _chosen(waiting: Iterable[Waiting], tokens: Collection[str]) -> list[Waiting]:
    """Return the images that tokens name, in the order of the list."""
    by_token = {each.token: each for each in waiting}
    unknown = sum(token not in by_token for token in set(tokens))
    if unknown:
        raise InputError(
            f"{unknown} of {len(set(tokens))} tokens do not wait for review.",
            hint="See the tokens in index.html of the review folder, or run "
            "`medlabel deid review DIR` to list them.",
        )
    return [each for token, each in by_token.items() if token in tokens]


def _check_apart(folder: Path, target: Path) -> None:
    inside, outside = target.resolve(), folder.resolve()
    if inside == outside or inside in outside.parents or outside in inside.parents:
        raise InputError(
            "The target and the review folder must lie outside each other.",
            hint="Pass the DST of the batch with --into.",
        )


def _is_moved(each: Held, folder: Path, target: Path) -> bool:
    """Whether an accepted image is in the target already, from a run that was broken off.

    Raises
    ------
    InputError
        When it is gone, was changed, or another file has its name in the target.
    """
    here, there = each.path(folder), each.path(target)
    if os.path.lexists(there):
        same = there.is_file() and not there.is_symlink() and _digest(there) == each.sha256
        if same:
            return True
        raise InputError(
            "The target has a file of the same name as an accepted image already.",
            hint="Nothing is ever overwritten: reject the image, or accept into a new folder.",
        )
    if here.is_symlink() or not here.is_file() or _digest(here) != each.sha256:
        raise InputError(
            "An accepted image is not the one that was written for review.",
            hint="It was changed or removed since; reject it and run the batch again.",
        )
    return False


def _digest(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError:
        return ""


def _move(here: Path, there: Path) -> None:
    """Give a file its place without ever overwriting one.

    Raises
    ------
    OSError
        When it cannot be moved.
    """
    there.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(here, there)
    except FileExistsError:
        raise
    except OSError:  # another disk, or one without links
        _copy(here, there)
    sync_folder(there.parent)


def _copy(here: Path, there: Path) -> None:
    """Copy a file's bytes aside, and give the copy its name when it is whole."""
    part = there.with_name(f".{there.name}.partial")
    part.unlink(missing_ok=True)
    try:
        with here.open("rb") as source, part.open("xb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
            stream.flush()
            os.fsync(stream.fileno())
        if os.path.lexists(there):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        part.rename(there)
    finally:
        part.unlink(missing_ok=True)


def _remove_empty(path: Path, root: Path) -> None:
    for folder in _up(path, root):
        if not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()


def _up(path: Path, root: Path) -> Iterator[Path]:
    while path != root:
        yield path
        path = path.parent


def _not_a_queue() -> InputError:
    return InputError(
        f"The {QUEUE_NAME} of the review folder is not one that `medlabel deid` wrote.",
        hint="Run the batch again; its review folder must not be changed by hand.",
    )
