"""Writing an export: aside, searched once more, named as a whole, and told in the log."""

from __future__ import annotations

import errno
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.audit.format.event import MAX_REFS, ObjectRef
from napari_medlabel.deid.batch.staging import Staging, publish, staged, unfinished, withdraw
from napari_medlabel.deid.batch.target import check_target, looked_up
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.errors import LogError, MedlabelError, RefusedError
from napari_medlabel.io.files import sha256_file, write_bytes_aside
from napari_medlabel.io.manifest import RECEIPT_NAME, manifest_of
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.session.receipts import add_receipt
from napari_medlabel.session.study.exporting.choosing import choose
from napari_medlabel.session.study.exporting.describing import described, names_leaving
from napari_medlabel.session.study.exporting.forms import copy_images, write_format
from napari_medlabel.session.study.exporting.gates import allowance_of
from napari_medlabel.session.study.exporting.loading import Exporting
from napari_medlabel.session.study.exporting.logbook import read_logbook
from napari_medlabel.session.study.exporting.plan import (
    ExportPlan,
    GateFinding,
    GatesError,
)
from napari_medlabel.session.study.exporting.raters import cases_to_write
from napari_medlabel.session.study.exporting.reasons import (
    Grounds,
    Signer,
    open_grounds,
    sign_export,
)
from napari_medlabel.session.study.exporting.searching import search_all
from napari_medlabel.session.study.exporting.wish import OF_DICOM, ExportWish, Format
from napari_medlabel.session.study.seat import Seat, require_role

Progress = Callable[[int, int], None]
DESCRIPTION: Final = "export.json"
IMAGES: Final = "dicom"
_SERIOUS: Final = 8
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9]+")
_LOGGED: Final[Mapping[Format, str]] = {"nifti": "bids"}
"""What the log calls a format, where it has another word."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def _silent(*_: object) -> None:
    return None


@dataclass(frozen=True)
class Exported:
    """What left.

    Parameters
    ----------
    files : mapping of str to str
        ``sha256:<hex>`` of each file by its path in the export, with slashes; the receipt is
        not among them.
    manifest : str
        One digest for all of them, as the log has it.
    events : mapping of str to int
        Number in its session of each event that the log has of this export, by its name.
    cases : int
        How many cases left in some format.
    left_out : tuple of GateFinding
        Of each case that was left out, why.
    leftovers : tuple of str
        Names of hidden folders beside the target that killed runs left; they can be removed.
    is_signed : bool
        Whether the reason for a log that is not green was signed.
    """

    files: Mapping[str, str]
    manifest: str
    events: Mapping[str, int]
    cases: int
    left_out: tuple[GateFinding, ...] = ()
    leftovers: tuple[str, ...] = ()
    is_signed: bool = False


def write_export(
    seat: Seat,
    plan: ExportPlan,
    destination: Path,
    *,
    grounds: Grounds | None = None,
    progress: Progress = _silent,
) -> Exported:
    """Write what a plan says, whole or not at all.

    Parameters
    ----------
    seat : Seat
        Somebody with the role releaser or manager.
    plan : ExportPlan
        From `planning.plan_export`; what has changed since is refused.
    destination : Path
        A folder that is new or empty, outside the study or in its ``exports``.
    grounds : Grounds, optional
        Why it goes on although the log is not green.
    progress : callable
        Called with (done, total); what it raises ends the work and leaves nothing.

    Returns
    -------
    Exported

    Raises
    ------
    GatesError
        When a gate has something against it, with all of it.
    RefusedError
        When the role is missing, a file changed since the plan, or identity is found in what
        was written.
    InputError
        When the destination holds something, or a reason or a name is none.
    SaveError, LogError
        When it cannot be written or logged; nothing stays then.
    """
    require_role(seat, "releaser", "manager")
    require_open(plan, grounds)
    check_destination(seat.layout, destination)
    left = tuple(one.folder.name for one in unfinished(destination))
    _require_unchanged(seat, plan)
    signer = _signer(seat, plan, grounds)
    log = _Told(seat, plan, grounds.code if grounds and not _is_green(plan) else "")
    with log.export(), staged(destination) as staging:
        _fill(seat, plan, staging.tree, progress)
        search_all(staging.tree, _options(seat, plan))
        files = digests_of(staging.tree)
        manifest = manifest_of(staging.tree)
        if signer is not None:
            sign_export(seat, signer, manifest)
        publish(staging, destination, last=DESCRIPTION)
        _tell(log, staging, destination, manifest, len(files))
    add_receipt(seat.desk.log, destination / RECEIPT_NAME, manifest)
    return Exported(
        files,
        manifest,
        dict(log.events),
        len(names_leaving(plan)),
        plan.left_out,
        left,
        signer is not None,
    )


def require_open(plan: ExportPlan, grounds: Grounds | None = None) -> None:
    """Refuse a plan that a gate has something against.

    Parameters
    ----------
    plan : ExportPlan
        The plan.
    grounds : Grounds, optional
        Opens the gate of the log, and no other.

    Raises
    ------
    GatesError
        With all reasons.
    """
    blocking = [one for one in plan.blocking if one.gate != "log" or grounds is None]
    if not blocking and not names_leaving(plan):
        blocking = [GateFinding("review", "There is no case that may leave.")]
    if blocking:
        raise GatesError(tuple(blocking))


def check_destination(layout: Layout, destination: Path) -> None:
    """Refuse a folder that holds something, or lies in the study but not in its exports.

    Raises
    ------
    InputError
        With what to choose instead.
    """
    inside = looked_up(layout.exports)
    target = looked_up(destination)
    check_target(layout.own if inside in target.parents else layout.root, destination)


def digests_of(folder: Path) -> dict[str, str]:
    """Return ``sha256:<hex>`` of each file of a folder by its path in it, with slashes."""
    return {
        path.relative_to(folder).as_posix(): f"sha256:{sha256_file(path)}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _is_green(plan: ExportPlan) -> bool:
    return not any(one.gate == "log" for one in plan.findings)


def _signer(seat: Seat, plan: ExportPlan, grounds: Grounds | None) -> Signer | None:
    if grounds is None or _is_green(plan):
        return None
    return open_grounds(seat, plan.verdict, grounds)


def _require_unchanged(seat: Seat, plan: ExportPlan) -> None:
    """Refuse a plan that is not what worklist and log would give now."""
    logbook = read_logbook(seat)
    now, _ = choose(seat, plan.wish, logbook.told)
    if now != plan.chosen or logbook.verdict.exit_code > plan.verdict.exit_code:
        raise RefusedError(
            "Readings, or what the log is worth, have changed since the export was planned.",
            hint="Plan it again, and look at what would leave.",
        )


def _fill(seat: Seat, plan: ExportPlan, tree: Path, progress: Progress) -> None:
    total = cases_to_write(plan)
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress(done, total)

    job = Exporting(
        seat.layout,
        plan,
        read_ontology(seat.layout.ontology),
        _name_of(plan.wish, seat.settings.name),
        seat.desk.now(),
        _new_uid,
        tick,
    )
    progress(0, total)
    for kind in plan.wish.formats:
        if plan.of_format(kind):
            write_format(job, kind, tree / kind)
    if plan.wish.scans and OF_DICOM & set(plan.wish.formats):
        copy_images(job, tree / IMAGES)
    write_bytes_aside(tree / DESCRIPTION, described(job.plan))


def _name_of(wish: ExportWish, study: str) -> str:
    """Return what the data sets are called: letters and digits."""
    return _NO_WORD.sub("", wish.name or study)[:40] or "Study"


def _new_uid() -> str:
    """Return a UID of 128 random bits (PS3.5 B.2)."""
    return f"2.25.{secrets.randbits(128)}"


def _options(seat: Seat, plan: ExportPlan) -> frozenset[Option]:
    """Return what any of the cases may tell, by the options it was cleaned with."""
    kept = [allowance_of(seat.layout, one.record).options for one in plan.chosen]
    return frozenset().union(*kept)


class _Told:
    """What the log is told of one export."""

    def __init__(self, seat: Seat, plan: ExportPlan, reason: str) -> None:
        self._log = seat.desk.log
        self._subjects = tuple(dict.fromkeys(one.record.subject for one in plan.chosen))
        self._masks = tuple(
            ObjectRef(content, "source", "mask")
            for content in dict.fromkeys(
                content
                for one in plan.chosen
                for version in (one.version, *one.readings)
                for content in (version.content, *version.sheets.values())
            )
        )
        kinds = [_LOGGED.get(kind, kind) for kind in plan.wish.formats]
        self._detail: dict[str, object] = {
            "destination": "folder",
            "cases": len(names_leaving(plan)),
            "deidentified": True,
            **({"format": kinds[0]} if len(kinds) == 1 else {"formats": sorted(kinds)}),
            **({"typed": plan.typed.leaving} if plan.wish.typed else {}),
            **({"by_rater": True} if plan.wish.by_rater else {}),
        }
        self._reason = reason or None
        self.events: dict[str, int] = {}

    @contextmanager
    def export(self) -> Iterator[None]:
        """Frame an export: ``export.begin`` first, ``export.fail`` where it is broken off."""
        self.say("export.begin", {}, self._masks[:MAX_REFS])
        try:
            yield
        except BaseException as err:
            try:
                self.say("export.fail", {"cause": _cause(err)}, outcome=_SERIOUS)
            except LogError:
                err.add_note("The failure could not be recorded in the audit log.")
            raise

    def say(
        self,
        event: str,
        detail: Mapping[str, object],
        objects: tuple[ObjectRef, ...] = (),
        outcome: int | None = None,
    ) -> None:
        """Write one event of it."""
        number = self._log.append(
            event,
            subject=self._subjects[:MAX_REFS],
            detail={**self._detail, **detail},
            objects=objects,
            outcome=outcome,
            reason=None if outcome else self._reason,
        )
        self.events[event] = int(number) if isinstance(number, int) else 0


def _tell(log: _Told, staging: Staging, destination: Path, manifest: str, files: int) -> None:
    """Tell the log that all is in its place; take it back where it cannot be told."""
    objects = (ObjectRef(manifest, "output", "dataset"),)
    try:
        log.say("export.done", {"files": files, "manifest": manifest}, objects)
    except BaseException:
        withdraw(staging, destination)
        raise


def _cause(err: BaseException) -> str:
    """Return what the log calls a failure."""
    first = err.__cause__ if isinstance(err.__cause__, OSError) else err
    if isinstance(first, OSError):
        return "space" if first.errno in _FULL else "permission"
    if isinstance(err, LogError):
        return "log"
    if isinstance(err, RefusedError):
        return "identity"
    return "other" if isinstance(err, MedlabelError) else "cancelled"
