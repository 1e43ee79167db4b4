"""What a de-identification tells the audit log, before and after."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from napari_medlabel.deid.batch.tally import PatientSums
from napari_medlabel.deid.report.counts import BatchReport
from napari_medlabel.deid.rules.profile import Profile
from napari_medlabel.errors import LogError

_MINOR, _SERIOUS = 4, 8
_MAPPINGS = 2
_NOTHING: Mapping[str, object] = MappingProxyType({})
_DESTINATION = "folder"
_CAUSES: Mapping[int, str] = MappingProxyType(
    {
        errno.ENOSPC: "space",
        errno.EDQUOT: "space",
        errno.EACCES: "permission",
        errno.EPERM: "permission",
        errno.EROFS: "permission",
    }
)


class EventSink(Protocol):
    """What takes the events of an export: the audit log of the caller."""

    def append(
        self,
        event: str,
        *,
        subject: Sequence[str] = (),
        detail: Mapping[str, object] = _NOTHING,
        outcome: int | None = None,
    ) -> object:
        """Write one event durably, or raise `LogError`."""
        ...


@dataclass(frozen=True)
class Record:
    """The events of one export, with the keys that the log's catalogue has for them.

    Parameters
    ----------
    log : EventSink or None
        Where they go; without one nothing is recorded, and the caller answers for that.
    profile : Profile
        Named in each event with its hash.
    key_id : str
        Of the project key, as the report names it.
    """

    log: EventSink | None
    profile: Profile
    key_id: str

    @contextmanager
    def export(self, files: int, *, resumed: bool = False) -> Iterator[None]:
        """Frame an export: ``export.begin`` first, ``export.fail`` when it is broken off.

        Where the log itself fails, the error says so in a note.
        """
        more = {"resumed": True} if resumed else {}
        self._append("export.begin", {"destination": _DESTINATION, "files": files, **more})
        try:
            yield
        except BaseException as error:
            detail = {"destination": _DESTINATION, "cause": _cause(error)}
            try:
                self._append("export.fail", detail, outcome=_SERIOUS)
            except LogError:
                error.add_note("The failure could not be recorded in the audit log.")
            raise

    def runs(self, subjects: Mapping[str, PatientSums], batch: BatchReport) -> None:
        """``deid.run`` for each patient, then one for the files that name none."""
        scanned = {"scanned": True} if batch.scanned else {}
        for subject, sums in sorted(subjects.items()):
            if subject:
                counts = {"format": "dicom", **_counts(sums), **scanned}
                self._append("deid.run", counts, (subject,))
        nameless = subjects.get("", PatientSums())
        skipped, quarantined = sum(batch.skipped.values()), len(batch.quarantined)
        if nameless.files or skipped or quarantined:
            rest = {"skipped": skipped, "quarantined": quarantined, **_counts(nameless)}
            self._append("deid.run", {**rest, **scanned}, outcome=_MINOR if quarantined else 0)

    def done(self, report: BatchReport, manifest: str) -> None:
        """``export.done``, after the target has its name."""
        files = sum(report.written.values())
        detail = {"destination": _DESTINATION, "files": files, "cases": report.patients}
        self._append("export.done", {**detail, "deidentified": True, "manifest": manifest})

    def reidentifiable(self, patients: int, uids: int) -> None:
        """``reid.export``, before a list of old and new identifiers is written."""
        if self.log is not None:
            detail = {"cases": patients, "uids": uids, "files": _MAPPINGS}
            self.log.append("reid.export", detail=detail)

    def _append(
        self,
        event: str,
        detail: Mapping[str, object],
        subject: tuple[str, ...] = (),
        outcome: int | None = None,
    ) -> None:
        if self.log is None:
            return
        rules: dict[str, object] = {
            "profile": self.profile.name,
            "edition": self.profile.edition,
            "profile_hash": f"sha256:{self.profile.sha256}",
            "key_id": f"k-{self.key_id}",
        }
        if self.profile.options:
            rules["options"] = sorted(self.profile.options)
        if self.profile.site is not None:
            rules["site_rules"] = True
        self.log.append(event, subject=subject, detail={**rules, **detail}, outcome=outcome)


def _counts(sums: PatientSums) -> dict[str, object]:
    """Return what was done to the files of one patient."""
    burned_in = "not-checked"
    if sums.checked and sums.checked == sums.files:
        burned_in = "cleaned" if sums.burned_in else "checked"
    more = {"review": sums.review, "frames_changed": sums.frames_changed}
    return {
        "files": sums.files,
        "retained": sums.retained,
        "removed": sums.removed,
        "emptied": sums.emptied,
        "replaced": sums.replaced,
        "uids_replaced": sums.uids_replaced,
        "private_removed": sums.private_removed,
        "burned_in": burned_in,
        "defaced": sums.defaced > 0,
        **{name: count for name, count in more.items() if count},
    }


def _cause(error: BaseException) -> str:
    """Why an export failed, as a word of the log's list."""
    if isinstance(error, LogError):
        return "log"
    if isinstance(error, KeyboardInterrupt):
        return "cancelled"
    number = getattr(error.__cause__, "errno", None)
    return _CAUSES.get(number, "other") if number is not None else "other"
