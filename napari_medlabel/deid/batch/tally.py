"""What a batch did, added up file by file: by patient for the log, as a whole for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from napari_medlabel.deid.batch.kinds import Kind
from napari_medlabel.deid.batch.one_file import Outcome
from napari_medlabel.deid.report.counts import (
    BatchReport,
    DeidReport,
    Quarantined,
    Queued,
    Reason,
    Skip,
)
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import Profile

_REMOVED = ("X", "text", "unknown")
FACE = "face"
"""The region of `PixelWork` that is no text."""


@dataclass(slots=True)
class PatientSums:
    """Counts over the files of one patient, or of all files that name none.

    Parameters
    ----------
    files, review : int
        Files cleaned, and those of them that wait for eyes.
    retained, removed, emptied, replaced, uids_replaced, private_removed : int
        Attributes by what was done.
    frames_changed, checked, burned_in, defaced : int
        Frames with other pixels than before; files whose pixels were searched for text;
        regions of text and of faces that were blanked.
    """

    files: int = 0
    review: int = 0
    retained: int = 0
    removed: int = 0
    emptied: int = 0
    replaced: int = 0
    uids_replaced: int = 0
    private_removed: int = 0
    frames_changed: int = 0
    checked: int = 0
    burned_in: int = 0
    defaced: int = 0

    def add(self, report: DeidReport) -> None:
        """Add what was done to one file."""
        actions = report.actions
        self.files += 1
        self.retained += report.kept
        self.removed += sum(actions.get(code, 0) for code in _REMOVED)
        self.emptied += actions.get("Z", 0)
        self.replaced += actions.get("D", 0)
        self.uids_replaced += actions.get("U", 0)
        self.private_removed += actions.get("private", 0)
        pixels = report.pixels
        if pixels is None:
            return
        faces = pixels.regions.get(FACE, 0)
        self.review += bool(pixels.look)
        self.frames_changed += pixels.changed
        self.checked += Option.CLEAN_PIXELS in pixels.done
        self.burned_in += sum(pixels.regions.values()) - faces
        self.defaced += faces


@dataclass
class Tally:
    """Adds up outcomes; holds no more than patients, quarantined and queued files need."""

    files: int = 0
    kept: int = 0
    subjects: dict[str, PatientSums] = field(default_factory=dict)
    actions: Counter[str] = field(default_factory=Counter)
    options: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)
    pixel_files: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    quarantined: list[Quarantined] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    review: list[Queued] = field(default_factory=list)
    faces: Mapping[str, int] = field(default_factory=dict)
    _patients: set[str] = field(default_factory=set)

    def add(self, outcome: Outcome) -> None:
        """Add what became of one file."""
        self.files += 1
        result = outcome.result
        if isinstance(result, Skip):
            self.skipped[result.value] += 1
        elif isinstance(result, Reason):
            self.quarantined.append(Quarantined(outcome.position, outcome.token, result))
            if outcome.fault:
                self.faults[outcome.fault] += 1
        else:
            self._add_cleaned(outcome, result)

    def _add_cleaned(self, outcome: Outcome, kind: Kind) -> None:
        report = outcome.report
        self.kept += report.kept
        self.actions.update(report.actions)
        self.options.update(report.options)
        self.notes.update(note.value for note in report.notes)
        self.subjects.setdefault(report.subject, PatientSums()).add(report)
        if report.patient_code:
            self._patients.add(report.patient_code)
        if report.pixels is not None:
            self.regions.update(report.pixels.regions)
            self.pixel_files.update(option.value for option in report.pixels.done)
        if outcome.look:
            queued = Queued(outcome.position, outcome.token, outcome.name, outcome.look)
            self.review.append(queued)
        else:
            self.written[kind.value] += 1

    def report(
        self,
        profile: Profile,
        key_id: str,
        *,
        dry_run: bool = False,
        scanned: bool = False,
        date: str = "",
    ) -> BatchReport:
        """Return everything counted."""
        return BatchReport(
            profile=profile.name,
            edition=profile.edition,
            profile_sha256=profile.sha256,
            key_id=key_id,
            dry_run=dry_run,
            files=self.files,
            dicom=self.written[Kind.DICOM.value],
            nifti=self.written[Kind.NIFTI.value],
            patients=len(self._patients),
            actions=_in_order(self.actions),
            kept=self.kept,
            notes=_in_order(self.notes),
            skipped=_in_order(self.skipped),
            quarantined=tuple(self.quarantined),
            options=_in_order(self.options),
            chosen=tuple(sorted(profile.options)),
            regions=_in_order(self.regions),
            pixel_files=_in_order(self.pixel_files),
            review=tuple(self.review),
            written=_in_order(self.written),
            scanned=scanned,
            faces=_in_order(self.faces),
            date=date,
            faults=_in_order(self.faults),
        )


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if count}
