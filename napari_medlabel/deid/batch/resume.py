"""Go on with a run that was killed: what it left is found, checked against the source, kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from napari_medlabel import __version__
from napari_medlabel.deid.batch.journal import Journal
from napari_medlabel.deid.batch.naming import Shelf
from napari_medlabel.deid.batch.one_file import Job, stamp_of
from napari_medlabel.deid.batch.sources import Sources
from napari_medlabel.deid.batch.staging import Staging, remove_leftovers, unfinished
from napari_medlabel.deid.batch.tally import Tally
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.rules.profile import Profile


def mark_of(
    files: Sources, profile: Profile, pseudonyms: Pseudonyms, brain_masks: Path | None = None
) -> str:
    """Return a hash of everything that the result depends on, besides the files themselves.

    Parameters
    ----------
    files : Sources
        Where they are; told by a keyed code.
    profile : Profile
        The rules.
    pseudonyms : Pseudonyms
        The key.
    brain_masks : Path, optional
        Folder of masks.
    """
    where = [str((files.root / files.only).resolve())]
    where += [str(brain_masks.resolve())] if brain_masks else []
    place = pseudonyms.code("source", "\0".join(where), length=32)
    parts = [__version__, profile.sha256, pseudonyms.key_id, place]
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()


def earlier_run(
    target: Path, mark: str, say: Callable[[str], None], *, resume: bool
) -> Staging | None:
    """Return what a killed run left when this one goes on with it; all else is removed.

    Parameters
    ----------
    target : Path
        To which both run.
    mark : str
        From `mark_of`; only a run with the same is gone on with.
    say : callable
        Told when something was removed.
    resume : bool
        Whether to go on at all.
    """
    again = None
    if resume:
        fitting = (s for s in unfinished(target) if Journal(s.journal, mark).fits())
        again = next(fitting, None)
    if remove_leftovers(target, but=again):
        why = " It had other rules, another key or another source." if resume else ""
        say(f"An unfinished run to this folder was found and removed.{why}")
    return again


def take_over(journal: Journal, files: Sources, job: Job, shelf: Shelf, tally: Tally) -> int:
    """Count what an earlier run has done, as far as it still holds.

    Parameters
    ----------
    journal : Journal
        Ready for more lines afterwards.
    files : Sources
        The source as it is now.
    job : Job
        For the tokens of files.
    shelf : Shelf
        Where the finished files lie; those that do not hold are removed.
    tally : Tally
        Takes what holds.

    Returns
    -------
    int
        How many of the first files need no more work.
    """
    done = _still_true(journal, files, job, shelf)
    for name in journal.begin(done):
        shelf.discard(name)
    for position, outcome in enumerate(journal.finished(), start=1):
        tally.add(replace(outcome, position=position))
    return done


def _still_true(journal: Journal, files: Sources, job: Job, shelf: Shelf) -> int:
    """How many of the first files are as the journal says, in the source and written.

    Of a folder in which something changed none counts: its files may belong together.
    """
    count = start = 0
    folder = ""
    known = islice(journal.finished(), journal.reliable())
    regular = (file for file in files if file.position)
    for outcome, file in zip(known, regular, strict=False):
        parent = file.relative.rpartition("/")[0]
        if parent != folder:
            folder, start = parent, count
        changed = stamp_of(job.root / file.relative) != outcome.stamp
        if changed or outcome.token != job.token(file.relative):
            return start
        if outcome.name and not shelf.holds(outcome):
            return count
        count += 1
    return count
