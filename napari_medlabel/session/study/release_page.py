"""The result of verifying a release as a page: read in minutes, printed, kept on file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from napari_medlabel.audit.report.page_document import still_document
from napari_medlabel.audit.report.page_markup import (
    Content,
    Markup,
    chip,
    table,
    tag,
    text,
    token,
)
from napari_medlabel.project.release.chain_check import COLUMNS
from napari_medlabel.session.study.release_check import CaseLine, ReleaseReport

_LEVELS: Final = {"error": ("does not hold", "red"), "warning": ("doubt", "amber")}
_WORDS: Final = {"green": "ok", "amber": "amber", "red": "red"}
_MEANING: Final = (
    ("raw", "SHA-256 of each raw file, and the line of the log that it was added"),
    ("cleaned", "the report of the de-identification, its profile and edition"),
    ("scan", "the released scan is the one that was added and read"),
    ("read", "the lines of the log about its readings, step by step"),
    ("reviewed", "who approved or corrected it, not its author"),
    ("agreed", "how several readings became one, and whether who settled it had read it"),
    ("file", "the released mask is the one approved or agreed on, on the scan's grid"),
)


_SETTLED: Final = {
    "independent": "(had not read it)",
    "reader": "(had read it, too)",
    "rule": "(by a rule)",
}


def page_of(report: ReleaseReport, sentence: str) -> bytes:
    """Return the page; it needs no other file and asks for none.

    Parameters
    ----------
    report : ReleaseReport
        The result.
    sentence : str
        What the verdict means.
    """
    manifest = report.manifest
    name = f"Release {manifest.name}" if manifest else "A release"
    verdict = report.verdict.value
    found = (tag("section", tag("h2", "Findings"), _findings(report)),)
    body = tag(
        "main",
        tag(
            "section",
            tag("h1", name),
            tag("p", chip(verdict.upper(), verdict), " ", sentence),
            class_=f"verdict {verdict}",
        ),
        # What is wrong comes first: who has minutes reads no further.
        *(found if report.findings else ()),
        tag(
            "section",
            tag("h2", "Which release, by whom"),
            tag("dl", *_facts(report)),
            _digests(report),
        ),
        tag("section", tag("h2", "Cases"), _cases(report.cases)),
        *(() if report.findings else found),
        tag(
            "section",
            tag("h2", "What each link means"),
            table("Links of the chain", ("Link", "What is checked"), _MEANING, ""),
        ),
        id="main",
    )
    return still_document(f"{name}: {verdict}", body)


def _facts(report: ReleaseReport) -> Iterator[Markup]:
    manifest, signed = report.manifest, report.signed
    rows: list[tuple[str, Content]] = []
    if manifest is not None:
        rows += [
            ("Made", _moment(manifest.made)),
            ("Files", len(manifest.files)),
        ]
    if signed is not None:
        rows += [
            (
                "Signed by",
                f"{signed.said.name} ({signed.said.user}), {_moment(signed.said.time)}",
            ),
            ("Key", tag("code", report.letters)),
        ]
    else:
        rows.append(("Signed by", "nobody"))
    compared = "each link was held against its line of the log"
    if not report.with_study:
        compared = "not asked: the release's own proofs alone"
    rows.append(("Log of the study", compared))
    if report.settled:
        rows.append(("Settled", report.settled))
    if report.unresolved:
        rows.append(("Unresolved", report.unresolved))
    return (tag("div", tag("dt", name), tag("dd", value)) for name, value in rows)


def _digests(report: ReleaseReport) -> Markup:
    manifest = report.manifest
    rows = []
    if manifest is not None:
        told = {
            "Manifest": manifest.digest,
            "Ontology": manifest.pins.ontology,
            "Guidelines": manifest.pins.guideline,
        }
        rows = [(name, tag("code", digest)) for name, digest in told.items()]
    return table("Digests", ("Of", "SHA-256"), rows, "The manifest cannot be read.")


def _cases(cases: tuple[CaseLine, ...]) -> Markup:
    heads = ("Case", *COLUMNS, "Raw files", "Cleaned by", "Read by", "Decided by", "When")
    return table(
        "From the raw files to the released mask",
        heads,
        ([tag("code", one.case), *_marks(one), *_words(one)] for one in cases),
        "The chain of custody cannot be read.",
    )


def _marks(one: CaseLine) -> Iterator[Markup]:
    for column in COLUMNS:
        mark = one.marks[column].value
        yield chip(_WORDS[mark], mark) if one.applies(column) else text("—")


def _words(one: CaseLine) -> tuple[Content, ...]:
    raw: list[Content] = [f"{len(one.originals)}: "] if one.originals else ["none known"]
    raw += [token(digest) for digest in one.originals[:1]]
    return (
        tag("span", *raw),
        one.rules or "—",
        " ".join(one.readers) or "—",
        " ".join(filter(None, (*one.reviewers, _SETTLED.get(one.settled)))) or "—",
        tag("code", one.when[:16].replace("T", " ") or "—"),
    )


def _moment(time: str) -> str:
    """Return a time as a person reads it: ``2026-11-23 07:57 UTC``."""
    return f"{time[:16].replace('T', ' ')} UTC"


def _findings(report: ReleaseReport) -> Markup:
    rows = (
        (one.where or "release", chip(*_LEVELS[one.level]), one.rule, one.words)
        for one in report.findings
    )
    return table("What was found", ("Where", "What", "Rule", "Words"), rows, "Nothing.")
