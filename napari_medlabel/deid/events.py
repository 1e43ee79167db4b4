"""What a de-identification tells the audit log, before and after."""

from __future__ import annotations

import errno
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from napari_medlabel.deid.profile import Profile
from napari_medlabel.deid.report import BatchReport, DeidReport, summed
from napari_medlabel.errors import LogError, MedlabelError

_MINOR, _SERIOUS = 4, 8
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
    """

    log: EventSink | None
    profile: Profile

    def begin(self, files: int) -> None:
        """``export.begin``, before the first byte is written."""
        self._append("export.begin", {"destination": _DESTINATION, "files": files})

    def runs(self, reports: Iterable[DeidReport], batch: BatchReport) -> None:
        """``deid.run`` for each patient, then one for the files that name none."""
        by_subject: dict[str, list[DeidReport]] = defaultdict(list)
        for report in reports:
            by_subject[report.subject].append(report)
        nameless = by_subject.pop("", [])
        for subject, own in sorted(by_subject.items()):
            self._append("deid.run", {"format": "dicom", **_counts(own)}, (subject,))
        skipped, quarantined = sum(batch.skipped.values()), len(batch.quarantined)
        if nameless or skipped or quarantined:
            rest = {"skipped": skipped, "quarantined": quarantined, **_counts(nameless)}
            self._append("deid.run", rest, outcome=_MINOR if quarantined else 0)

    def done(self, report: BatchReport) -> None:
        """``export.done``, after the target has its name."""
        files = report.dicom + report.nifti
        detail = {"destination": _DESTINATION, "files": files, "cases": report.patients}
        self._append("export.done", {**detail, "deidentified": True})

    def fail(self, error: MedlabelError) -> None:
        """``export.fail``; where the log itself fails, the error says so in a note."""
        detail = {"destination": _DESTINATION, "cause": _cause(error)}
        try:
            self._append("export.fail", detail, outcome=_SERIOUS)
        except LogError:
            error.add_note("The failure could not be recorded in the audit log.")

    def _append(
        self,
        event: str,
        detail: Mapping[str, object],
        subject: tuple[str, ...] = (),
        outcome: int | None = None,
    ) -> None:
        if self.log is None:
            return
        rules = {
            "profile": self.profile.name,
            "edition": self.profile.edition,
            "profile_hash": f"sha256:{self.profile.sha256}",
        }
        self.log.append(event, subject=subject, detail={**rules, **detail}, outcome=outcome)


def _counts(reports: Sequence[DeidReport]) -> dict[str, object]:
    """Count what was done to the files of one patient."""
    actions = summed(report.actions for report in reports)
    return {
        "files": len(reports),
        "retained": sum(report.kept for report in reports),
        "removed": sum(actions.get(code, 0) for code in ("X", "text", "unknown")),
        "emptied": actions.get("Z", 0),
        "replaced": actions.get("D", 0),
        "uids_replaced": actions.get("U", 0),
        "private_removed": actions.get("private", 0),
        "burned_in": "not-checked",
        "defaced": False,
    }


def _cause(error: MedlabelError) -> str:
    """Why an export failed, as a word of the log's list."""
    if isinstance(error, LogError):
        return "log"
    number = getattr(error.__cause__, "errno", None)
    return _CAUSES.get(number, "other") if number is not None else "other"
