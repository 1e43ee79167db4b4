"""A plan of an export: what would leave, and everything that stands against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.errors import RefusedError
from napari_medlabel.project.cases.record import CaseRecord
from napari_medlabel.project.cases.version import Version
from napari_medlabel.project.layout import CaseId
from napari_medlabel.project.work.states import State
from napari_medlabel.project.work.steps import Step
from napari_medlabel.session.study.exporting.wish import ExportWish, Format

Gate = Literal["deidentified", "clean", "review", "format", "rules", "log"]
GATES: Final[tuple[Gate, ...]] = ("deidentified", "clean", "review", "format", "rules", "log")
_OPEN_WITH_SKIP: Final[frozenset[Gate]] = frozenset({"review", "format"})


@dataclass(frozen=True)
class GateFinding:
    """One reason against an export.

    Parameters
    ----------
    gate : str
        Which gate found it, of `GATES`.
    words : str
        What it is, in a sentence; never a value, a name or a path.
    case : CaseId or None
        About which case; None for all.
    format : str
        In which format; empty for all.
    """

    gate: Gate
    words: str
    case: CaseId | None = None
    format: Format | Literal[""] = ""

    def line(self) -> str:
        """Return it as one line: where, and what."""
        where = " ".join(filter(None, (str(self.case or ""), self.format)))
        return f"{self.gate}: {where}: {self.words}" if where else f"{self.gate}: {self.words}"


class Chosen(NamedTuple):
    """The version of a case that leaves.

    Parameters
    ----------
    record : CaseRecord
        The case.
    version : Version
        Of whose mask: a rater's, a reviewer's who corrected it, or the consensus.
    state : str
        Of its reading; ``consensus`` where it is one.
    steps : tuple of Step
        What its reviewer did, in order; of a consensus, of all its readings.
    readings : tuple of Version
        What each rater's reading is now, by slot; only with ``by_rater``.
    """

    record: CaseRecord
    version: Version
    state: State | Literal["consensus"]
    steps: tuple[Step, ...]
    readings: tuple[Version, ...] = ()


class TypedCount(NamedTuple):
    """Answers that somebody typed.

    Parameters
    ----------
    leaving : int
        How many leave.
    staying : int
        How many stay in the study: not asked for, or with words that may be names.
    """

    leaving: int = 0
    staying: int = 0


@dataclass(frozen=True)
class ExportPlan:
    """What would leave, and what stands against it.

    Parameters
    ----------
    wish : ExportWish
        What was wanted.
    chosen : tuple of Chosen
        By case. With ``wish.skip`` those that are ready; else all that have something.
    findings : tuple of GateFinding
        All reasons, of every gate.
    verdict : Verdict
        On the study's log.
    typed : TypedCount
        How many answers that somebody typed leave, and stay.
    """

    wish: ExportWish
    chosen: tuple[Chosen, ...]
    findings: tuple[GateFinding, ...]
    verdict: Verdict = field(default=Verdict.GREEN)
    typed: TypedCount = field(default_factory=TypedCount)

    @property
    def left_out(self) -> tuple[GateFinding, ...]:
        """Reasons that leave a case out, of all formats or of one, and stop nothing."""
        if not self.wish.skip:
            return ()
        return tuple(f for f in self.findings if f.case and f.gate in _OPEN_WITH_SKIP)

    @property
    def blocking(self) -> tuple[GateFinding, ...]:
        """Reasons that stop the export; those about the log are open to a signed reason."""
        left = set(self.left_out)
        return tuple(one for one in self.findings if one not in left)

    def of_format(self, kind: Format) -> tuple[Chosen, ...]:
        """Return what leaves in one format."""
        out = {one.case for one in self.left_out if one.format == kind}
        return tuple(one for one in self.chosen if one.record.case not in out)


class GatesError(RefusedError):
    """An export that its gates refuse.

    Parameters
    ----------
    findings : tuple of GateFinding
        All reasons.
    """

    def __init__(self, findings: tuple[GateFinding, ...]) -> None:
        lines = "\n".join(f"- {one.line()}" for one in findings)
        count = "One thing stands" if len(findings) == 1 else f"{len(findings)} things stand"
        super().__init__(
            f"{count} against this export, and nothing was written:\n{lines}",
            hint="Mend them, or leave cases out that are not ready with --skip; a log that is "
            "not green needs --reason, or once two commands on each computer: see Leave "
            "without a reason in docs/how-to/work-in-a-study.md.",
        )
        self.findings = findings
