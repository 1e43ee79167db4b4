"""What stands in a target besides the scans, and how all of it gets its place at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from napari_medlabel.deid.batch.events import Record
from napari_medlabel.deid.batch.staging import (
    Staging,
    is_busy,
    publish,
    staged,
    unfinished,
    withdraw,
)
from napari_medlabel.deid.batch.target import check_apart, check_target, looked_up, write
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.report.counts import BatchReport
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.errors import InputError

REPORT_NAME = "deid-report.json"
PAGE_NAME = "deid-report.html"
QUARANTINE_NAME = "deid-quarantine.json"
_HOW = "file N is the N-th line of: find SRC -type f | LC_ALL=C sort; 0 is a folder"


@dataclass(frozen=True)
class Delivery:
    """A target in the making, and a review folder where there is one.

    Parameters
    ----------
    target : Path
        The folder that is to be.
    staging : Staging
        Where it is made.
    review : Path or None
        The folder for images that a person must look at.
    waiting : Staging or None
        Where that is made.
    mappings : Path or None
        Folder of the two files that say which identifier became which.
    """

    target: Path
    staging: Staging
    review: Path | None = None
    waiting: Staging | None = None
    mappings: Path | None = None

    def write_lists(
        self, report: BatchReport, profile: Profile, *, pictures: bool = False
    ) -> None:
        """Write the report, the list of quarantined files, and the queue for eyes.

        Parameters
        ----------
        report : BatchReport
            What was done.
        profile : Profile
            By which rules.
        pictures : bool
            Whether the page shows some of the cleaned images, which takes a while.

        Raises
        ------
        SaveError
            When the disk is full or fails.
        """
        if report.quarantined:
            document = {"how": _HOW, "files": report.to_json()["quarantined"]}
            self._write(QUARANTINE_NAME, _as_json(document))
        self._write(REPORT_NAME, _as_json(report.to_json()))
        shown = self.staging.tree if pictures else None
        self._write(PAGE_NAME, page_of(report, profile, shown))
        if self.waiting is not None and report.review:
            from napari_medlabel.deid.report.review import write_queue

            write_queue(self.waiting.tree, report.review)

    def write_mappings(
        self, outcomes: Iterable[tuple[Path, Path]], pseudonyms: Pseudonyms, record: Record
    ) -> None:
        """Write which identifier became which, if that was asked for.

        Parameters
        ----------
        outcomes : iterable of (Path, Path)
            Each DICOM file of the source, and what was made of it.
        pseudonyms : Pseudonyms
            With the key that was used.
        record : Record
            Has its line before the files have their names.

        Raises
        ------
        SaveError, LogError
            When they cannot be written, or the log cannot.
        """
        if self.mappings is None:
            return
        from napari_medlabel.deid.keys.mapping import Mappings, pairs_in

        with Mappings(self.mappings) as mappings:
            for source, output in outcomes:
                mappings.add(pairs_in(source, output, pseudonyms))
            counted = mappings.counted()
            record.reidentifiable(counted.patients, counted.uids)
            mappings.finish()

    def publish(self, report: BatchReport) -> None:
        """Put both folders in their places, the target last.

        Raises
        ------
        SaveError
            When one cannot be; then neither is there.
        """
        if self.waiting is not None and self.review is not None and report.review:
            from napari_medlabel.deid.report.review import QUEUE_NAME

            publish(self.waiting, self.review, last=QUEUE_NAME)
        try:
            publish(self.staging, self.target, last=REPORT_NAME)
        except BaseException:
            self._withdraw_others()
            raise

    def withdraw(self) -> None:
        """Take back what was published and must not stay."""
        withdraw(self.staging, self.target)
        self._withdraw_others()

    def _withdraw_others(self) -> None:
        if self.mappings is not None:
            from napari_medlabel.deid.keys.mapping import PATIENT_FILE, UID_FILE

            for name in (PATIENT_FILE, UID_FILE):
                (self.mappings / name).unlink(missing_ok=True)
        if self.waiting is not None and self.review is not None:
            withdraw(self.waiting, self.review)

    def _write(self, name: str, content: bytes) -> None:
        path = self.staging.tree / name
        path.unlink(missing_ok=True)  # of a run that was killed after it
        write(path, content)


def page_of(report: BatchReport, profile: Profile, tree: Path | None = None) -> bytes:
    """Return the report as a page for people, with some of the cleaned images.

    Parameters
    ----------
    report : BatchReport
        What was done, or would be.
    profile : Profile
        By which rules.
    tree : Path, optional
        Where the cleaned images lie.
    """
    from napari_medlabel.deid.report.page import page

    if tree is None:
        return page(report, profile)
    from napari_medlabel.deid.report.pictures import pictures_of

    return page(report, profile, pictures=pictures_of(tree))


def check_places(
    source: Path, target: Path, review: Path | None, mappings: Path | None = None
) -> None:
    """Refuse folders that hold something already or lie in one another.

    Raises
    ------
    InputError
        With what to choose instead.
    """
    check_target(source, target)
    if review is not None:
        try:
            check_target(source, review)
            check_target(target, review)
        except InputError as err:
            raise InputError(
                "The review folder must be new or empty, outside of source and target.",
                hint="Choose another one with --review.",
            ) from err
    if mappings is not None:
        check_apart(mappings, source, target)
        if mappings.is_dir() and any(mappings.glob("*_mapping.csv")):
            raise InputError(
                "The folder for the mappings holds a mapping already.",
                hint="Choose a new folder with --mappings; nothing is ever overwritten.",
            )
    for folder in filter(None, (target, review)):
        if is_busy(folder):
            raise InputError(
                "Another run to the same target is at work.",
                hint="Wait for it, or choose another target folder.",
            )


def review_beside(target: Path) -> Path:
    """Return where images wait for eyes when nobody chose: beside the target."""
    place = looked_up(target)
    return place.with_name(f"{place.name}-review")


@contextmanager
def delivered(
    target: Path,
    review: Path | None,
    mappings: Path | None = None,
    *,
    again: Staging | None = None,
    keep: bool = False,
) -> Iterator[Delivery]:
    """Return folders to write into; gone afterwards, whatever was published.

    Parameters
    ----------
    target, review, mappings : Path
        As in `Delivery`.
    again : Staging, optional
        What an earlier run to the target left; its review folder is found by itself.
    keep : bool
        Whether both stay when the work is broken off.
    """
    with ExitStack() as stack:
        waiting = None
        if review is not None:
            left = unfinished(review) if again is not None else []
            old = left[0] if left else None
            waiting = stack.enter_context(staged(review, again=old, keep=keep))
        staging = stack.enter_context(staged(target, again=again, keep=keep))
        yield Delivery(target, staging, review, waiting, mappings)


def _as_json(document: object) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode("ascii")
