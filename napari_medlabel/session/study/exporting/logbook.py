"""The study's log before an export: what it is worth, and what it tells of cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from napari_medlabel.audit.check.verdict import LogReport, Verdict, worst
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.project.work.made_of import MadeOf, made_of
from napari_medlabel.session.receipts import KeptLog
from napari_medlabel.session.study.exporting.plan import GateFinding
from napari_medlabel.session.study.seat import Seat

Progress = Callable[[int, int], None]
_STILL_WRITTEN: Final = "RUNNING"


@dataclass
class Told:
    """What the log tells.

    Attributes
    ----------
    files : dict of str to str
        ``sha256:<hex>`` of each added scan's file, by the scan's content id.
    sidecars : dict of str to str
        The same of its sidecar; empty where it was added before the log told of it.
    consensus : dict of str to set of (int, str)
        Number and content of each consensus that was made, by the scan's content id.
    agreed : dict of (str, int) to set of str
        Digest of each consensus as a whole, by the scan's content id and its number; a log of
        before has none.
    signed : dict of str to set of str
        Digests of whole versions that were signed, by the content id of their first mask.
    made_of : dict of str to dict of str to MadeOf
        The readings that a consensus was made of, by its digest as a whole and by slot; a log
        of before has none.
    """

    files: dict[str, str] = field(default_factory=dict)
    sidecars: dict[str, str] = field(default_factory=dict)
    consensus: dict[str, set[tuple[int, str]]] = field(default_factory=dict)
    agreed: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    signed: dict[str, set[str]] = field(default_factory=dict)
    made_of: dict[str, dict[str, MadeOf]] = field(default_factory=dict)

    def take(self, _file: str, _line: int, record: Mapping[str, Any]) -> None:
        """Note what a sealed event says."""
        detail = record["detail"]
        if record["event"] == "study.case":
            self.files[detail["case"]] = detail.get("file", "")
            self.sidecars[detail["case"]] = detail.get("sidecar", "")
        elif record["event"] == "study.consensus":
            new = [ref["id"] for ref in record["object"] if ref["role"] == "new"]
            made = {(int(detail.get("version", 0)), content) for content in new}
            self.consensus.setdefault(detail["case"], set()).update(made)
            if "whole" in detail:
                key = (detail["case"], int(detail.get("version", 0)))
                self.agreed.setdefault(key, set()).add(detail["whole"])
                if of := made_of(detail):
                    self.made_of[detail["whole"]] = of
        elif record["event"] == "sign.apply":
            masks = [ref["id"] for ref in record["object"] if ref["role"] == "new"]
            wholes = {ref["id"] for ref in record["object"] if ref["role"] == "manifest"}
            if masks and wholes:
                self.signed.setdefault(masks[0], set()).update(wholes)


@dataclass(frozen=True)
class Logbook:
    """The log as it is now.

    Parameters
    ----------
    verdict : Verdict
        On all of it but the end of the session that is just being written.
    findings : tuple of Finding
        What is not green.
    told : Told
        Of cases and consensus.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    told: Told

    def against(self) -> tuple[GateFinding, ...]:
        """Return what stands against an export, the worst first; nothing where it is green."""
        words = dict.fromkeys(f"{one.level}: {one.text}" for one in self.findings)
        return tuple(GateFinding("log", text) for text in words)


def read_logbook(seat: Seat, progress: Progress | None = None) -> Logbook:
    """Verify the study's log, all of it.

    That this very session is still being written stands against nothing: its end is not there
    yet, and what it has written is sealed.

    Parameters
    ----------
    seat : Seat
        Its desk's log is the study's.
    progress : callable, optional
        Called with how many bytes were read, of how many.

    Raises
    ------
    InputError
        When there is no log, or it cannot be read.
    """
    told = Told()
    report = verify_log(
        seat.layout.audit, state=seat.desk.state, seen=told.take, progress=progress
    )
    findings = _without_own_end(report, seat)
    return Logbook(worst(findings), tuple(one for one in findings if one.level != "note"), told)


def _without_own_end(report: LogReport, seat: Seat) -> list[Finding]:
    log = seat.desk.log
    own = log.path.name if isinstance(log, KeptLog) else ""
    return [
        one
        for one in report.findings
        if not (one.code == _STILL_WRITTEN and own and one.file.endswith(own))
    ]
