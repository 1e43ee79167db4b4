"""What a de-identification tells the audit log, before and after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from napari_medlabel.deid.profile import Profile
from napari_medlabel.deid.pseudonyms import Pseudonyms
from napari_medlabel.deid.report import BatchReport, DeidReport, summed
from napari_medlabel.errors import LogError, MedlabelError

_MINOR, _SERIOUS = 4, 8
_NOTHING: Mapping[str, object] = MappingProxyType({})
_REPLACED = ("Z", "D", "U")
_REMOVED = ("X", "text", "unknown")


class EventSink(Protocol):
    """What takes the events of an export: the audit log of the caller."""

    def append(
        self,
        event: str,
        *,
        subject: tuple[str, ...] = (),
        detail: Mapping[str, object] = _NOTHING,
        outcome: int = 0,
    ) -> None:
        """Write one event durably, or raise `LogError`."""
        ...


@dataclass(frozen=True)
class Record:
    """The events of one export.

    Parameters
    ----------
    log : EventSink or None
        Where they go; without one nothing is recorded, and the caller answers for that.
    profile : Profile
        Named in each event with its hash.
    pseudonyms : Pseudonyms
        Whose key is named in each event.
    """

    log: EventSink | None
    profile: Profile
    pseudonyms: Pseudonyms

    def begin(self, files: int) -> None:
        """``export.begin``, before the first byte is written."""
        self._append("export.begin", {"files": files})

    def runs(self, reports: Iterable[DeidReport]) -> None:
        """``deid.run`` for each patient, and one for files that name none."""
        by_subject: dict[str, list[DeidReport]] = defaultdict(list)
        for report in reports:
            by_subject[report.subject].append(report)
        for subject, own in sorted(by_subject.items()):
            actions = summed(report.actions for report in own)
            detail = {
                "files": len(own),
                "kept": sum(report.kept for report in own),
                "replaced": sum(actions.get(code, 0) for code in _REPLACED),
                "removed": sum(actions.get(code, 0) for code in _REMOVED),
                "private": actions.get("private", 0),
                "defaced": False,
            }
            self._append("deid.run", detail, (subject,) if subject else ())

    def done(self, report: BatchReport) -> None:
        """``export.done``, after the target has its name."""
        detail = {
            "files": report.dicom + report.nifti,
            "patients": report.patients,
            "quarantined": len(report.quarantined),
        }
        self._append("export.done", detail, outcome=_MINOR if report.quarantined else 0)

    def fail(self, error: MedlabelError) -> None:
        """``export.fail``; where the log itself fails, the error says so in a note."""
        try:
            self._append("export.fail", {"error": type(error).__name__}, outcome=_SERIOUS)
        except LogError:
            error.add_note("The failure could not be recorded in the audit log.")

    def _append(
        self,
        event: str,
        detail: Mapping[str, object],
        subject: tuple[str, ...] = (),
        outcome: int = 0,
    ) -> None:
        if self.log is None:
            return
        rules = {
            "profile": self.profile.name,
            "edition": self.profile.edition,
            "profile_sha256": self.profile.sha256,
            "key_id": self.pseudonyms.key_id,
        }
        self.log.append(event, subject=subject, detail={**rules, **detail}, outcome=outcome)
