"""Facts made by hand, one of everything, with names that a page must not take for tags."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_medlabel.audit.anchors.code import make_code
from napari_medlabel.audit.check.verdict import LogReport, Verdict
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.report.facts import (
    AccessFact,
    ConfigChange,
    ExportFact,
    Facts,
    FailureFact,
    LateChange,
    Override,
    ReviewFact,
    SoftwareFact,
    Workstation,
)
from napari_medlabel.audit.report.page import page_of
from napari_medlabel.audit.report.page_downloads import Packer
from tests.audit.bench import SAVE, WRITER, Bench

MADE = "2026-11-22T10:10:32.104Z"
USER = "u1-9f86d081884c7d65"
PATIENT = "s1-" + "3b" * 16
HOSTILE = "<script>alert('x')</script>\"'&\u202e=1+1"
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q"
    "DwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


BUNDLE_BYTES = bytes(range(256)) * 20
_packer = Packer("bundle")
_packer.write(BUNDLE_BYTES)
BUNDLE = _packer.close()


def digest(pair: str) -> str:
    return "sha256:" + pair * 32


def small_log(bench: Bench, sessions: int = 3) -> None:
    """Write a few sessions of a few events."""
    for _ in range(sessions):
        with bench.open() as log:
            for number in range(40):
                log.append("volume.open", subject=[PATIENT], detail={"format": "nifti"})
                if number % 10 == 0:
                    log.append("sign.fail", outcome=8)
                log.append_many([SAVE])


def amber(report: LogReport, *findings: Finding) -> LogReport:
    """Return a report with findings of its own."""
    verdict = Verdict.RED if any(f.level == "red" for f in findings) else Verdict.AMBER
    return replace(report, verdict=verdict, sentence="Something was found.", findings=findings)


def green(report: LogReport) -> LogReport:
    """Return a report as it is when all is well, wherever the log was made."""
    sentence = "The log is complete and unaltered."
    return replace(report, verdict=Verdict.GREEN, sentence=sentence, findings=())


def empty_facts(report: LogReport) -> Facts:
    """Return the facts of a log in which nothing happened."""
    return Facts(report, "", MADE, None, (0, 0))


def rich_facts(report: LogReport) -> Facts:
    """Return facts with one of everything."""
    first = min(session.first_ms for session in report.sessions)
    last = max(session.last_ms for session in report.sessions)
    file = report.sessions[0].file
    override = Override(first, USER, "PatientAge (0010,1010)", "PROTOCOL")
    kept = ExportFact(
        first, last, "done", USER, "removable", 120, (PATIENT,), "basic", digest("ab"), "2026c",
        ("retain-dates",), 2, ("PatientSex (0010,0040)", "PatientAge (0010,1010)"), (override,),
        digest("cd"), digest("ef"), file, 7, format="nifti", deidentified=True,
    )  # fmt: skip
    clean = replace(kept, retained=0, retained_tags=(), overrides=(), line=9)
    raw = replace(
        kept, retained=None, deidentified=False, outcome="unfinished", end_ms=None, profile="",
        edition="", subjects=(PATIENT,) * 13, overrides=(), format="",
    )  # fmt: skip
    unsaid = replace(raw, deidentified=None, outcome="failed", cause="space", destination="")
    access = AccessFact(first, USER, "volume.open", PATIENT, 0, "", False, file, 3)
    late = LateChange(
        last, USER, PATIENT, "", 1000, 1200, 250, 50, 931, "CORRECTION", False, (PICTURE,),
        old=digest("ab"), new=digest("cd"), approved_ms=first, file=file, line=4,
    )  # fmt: skip
    return Facts(
        report,
        HOSTILE,
        MADE,
        make_code(report.sessions, "ward-3", MADE),
        (first, last),
        workstations=(
            Workstation(
                WRITER, 3, report.events, 1, 1, ("memory", "peer"), 37, "trusted", first, last
            ),
            Workstation("wfedcba9876543210", 2, 9, 0, 0, (), 99999, "unknown", first, last),
            Workstation("w" + "1" * 16, 2, 9, 0, 0, ("paper",), 200, "revoked", first, last),
            Workstation("w" + "2" * 16, 2, 9, 0, 0, ("tsa",), None, "uncertified"),
            Workstation("w" + "3" * 16, 3, 9, 0, 0, (), None, "trusted", vouched=2),
            Workstation("w" + "4" * 16, 3, 9, 0, 0, (), None, "trusted", vouched=1, bare=1),
        ),
        exports=(clean, replace(clean, overrides=(override,)), raw, unsaid, kept),
        accesses=(
            access,
            replace(access, outcome=8, off_hours=True, subject=""),
            replace(access, explained="assigned to the case", off_hours=True),
            replace(access, explained="assigned to the case"),
        ),
        late_changes=(
            late,
            replace(late, reapproved=True, before=None, dice_milli=None, reason="", line=5),
            replace(late, thumbnails=("https://elsewhere.example/x.png", "data:text/html,x")),
        ),
        software=(
            SoftwareFact("0.1.0", "3.11.7", "linux", 4, validated=True),
            SoftwareFact("", "", "", 1, validated=False),
        ),
        config_changes=(ConfigChange(first, USER, "Policy set.", "", digest("ab"), file, 3),),
        failures=(FailureFact(first, "sign.fail", "", "Signing failed.", file, 3, USER),),
        reviews=(
            ReviewFact(first, USER, "green", 0, first, last, 30, digest("ab"), True, file, 8),
            ReviewFact(first, USER, "", 2, 0, 0, 0, "", False, file, 9),
        ),
        next_review_due=last + 30 * 86_400_000,
        counts={"mask.save": report.events, "an.unknown.event": 1},
        names={USER: HOSTILE},
    )


def log_bytes(bench: Bench) -> list[tuple[str, bytes]]:
    """Return name and bytes of every session file."""
    files = sorted(bench.root.rglob("*.jsonl"))
    return [(path.relative_to(bench.root).as_posix(), path.read_bytes()) for path in files]


def rich_page(bench: Bench, path: Path) -> Facts:
    """Write a log and its page; return the facts."""
    small_log(bench)
    facts = rich_facts(green(verify_log(bench.root, state=bench.state)))
    path.write_bytes(page_of(facts, log_bytes(bench), (BUNDLE,)))
    return facts
