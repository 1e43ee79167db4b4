"""Verifying a release: each link of its chain, offline, by a third person without the study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.audit.anchors.receipt import Receipt, check_receipt, read_receipt
from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.audit.format.record import time_ms
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.keys.people import SignedStatement, parse_statement
from napari_medlabel.audit.keys.pins import read_pin
from napari_medlabel.audit.keys.signatures import fingerprint, is_fingerprint
from napari_medlabel.audit.keys.site_history import read_history
from napari_medlabel.errors import InputError
from napari_medlabel.io.manifest import RECEIPT_NAME
from napari_medlabel.project.checks.finding import Finding, Level, in_order
from napari_medlabel.project.layout import CONSENSUS, Layout
from napari_medlabel.project.release.chain import AGREED, CHAIN, CaseChain, Chain, parse_chain
from napari_medlabel.project.release.chain_check import COLUMNS, Column, check_chain
from napari_medlabel.project.release.contents import (
    check_documents,
    check_images,
    check_splits,
    label_values,
    rows_of,
)
from napari_medlabel.project.release.intact import check_manifest
from napari_medlabel.project.release.manifest import (
    MANIFEST,
    SIGNATURE,
    Manifest,
    files_of,
    read_manifest,
)
from napari_medlabel.project.release.sentences import settled
from napari_medlabel.project.release.settled import By, settled_by
from napari_medlabel.project.release.worked import own_links
from napari_medlabel.session.opening import case_id
from napari_medlabel.session.study.release_log import check_against_study, is_published

_LEVELS: Final = {"error": Verdict.RED, "warning": Verdict.AMBER}
_NOBODY: Final = bytes(32)
_DECIDES: Final = frozenset({"review.approve", "review.correct", "study.settle", AGREED})


@dataclass(frozen=True)
class CaseLine:
    """One case of a release, as an officer reads it.

    Parameters
    ----------
    case : str
        Its name.
    originals : tuple of str
        Digests of the raw files.
    rules : str
        Profile, edition and options of the de-identification; empty where unknown.
    readers, reviewers : tuple of str
        Codes of who read it, and of who approved, corrected or settled it.
    slot : str
        Whose mask it is: a reading, or ``consensus``.
    when : str
        When the mask that left was approved or agreed on.
    marks : mapping of str to Verdict
        Of each link, by `COLUMNS`.
    unresolved : int
        Voxels of a consensus without an answer.
    settled : str
        Who settled where readings differed, see `settled.settled_by`.
    """

    case: str
    originals: tuple[str, ...]
    rules: str
    readers: tuple[str, ...]
    reviewers: tuple[str, ...]
    slot: str
    when: str
    marks: Mapping[Column, Verdict]
    unresolved: int = 0
    settled: By = ""

    @property
    def verdict(self) -> Verdict:
        """The worst of its marks."""
        return _worst(self.marks.values())

    def applies(self, column: Column) -> bool:
        """Tell whether there is such a link: one reading is agreed on by nobody."""
        is_good = self.marks[column] is Verdict.GREEN
        return column != "agreed" or self.slot == CONSENSUS or not is_good


@dataclass(frozen=True)
class ReleaseReport:
    """What verifying a release comes to.

    Parameters
    ----------
    verdict : Verdict
        The worst of all findings.
    manifest : Manifest or None
        None where it cannot be read.
    signed : SignedStatement or None
        Who signed it, where a signature holds.
    cases : tuple of CaseLine
        By name.
    findings : tuple of Finding
        Errors first.
    with_study : bool
        Whether each link was compared with the study's log.
    """

    verdict: Verdict
    manifest: Manifest | None
    signed: SignedStatement | None
    cases: tuple[CaseLine, ...]
    findings: tuple[Finding, ...]
    with_study: bool

    @property
    def unresolved(self) -> str:
        """How many voxels of how many cases have no answer, in words; empty for none."""
        found = [one.unresolved for one in self.cases if one.unresolved]
        cases = "1 case" if len(found) == 1 else f"{len(found)} cases"
        return f"{sum(found)} voxels of {cases} have no answer" if found else ""

    @property
    def settled(self) -> str:
        """Who settled where readings differed, in words; empty where nothing tells."""
        counts = Counter(one.settled for one in self.cases if one.settled)
        return settled(dict(sorted(counts.items())))

    @property
    def letters(self) -> str:
        """Fingerprint of the key that signed; empty where nobody did."""
        return fingerprint(self.signed.public) if self.signed else ""


def check_release(
    folder: Path,
    *,
    trust: Sequence[str] = (),
    layout: Layout | None = None,
    state: Path | None = None,
    pruned: Collection[Head] = (),
) -> ReleaseReport:
    """Verify a release.

    Parameters
    ----------
    folder : Path
        The release.
    trust : sequence of str
        Letters of keys that may release, as their owners told them.
    layout : Layout, optional
        The study it came from: then each link is held against its line of the log.
    state : Path, optional
        This computer's own memory, which may know the officer of the study's site.
    pruned : collection of Head
        Ends of sessions that an officer had deleted because their time was over.

    Raises
    ------
    InputError
        When there is no such folder, or a file or the study cannot be read.
    """
    next(files_of(folder), None)
    signed = _signed(folder)
    findings: list[Finding] = []
    cases: Sequence[CaseChain] = ()
    manifest: Manifest | None = None
    try:
        manifest = read_manifest(folder)
    except InputError as err:
        findings.append(Finding("error", "manifest", MANIFEST, err.message))
    if manifest is not None:
        trusted, more = _trusted(signed, trust, layout, state)
        findings += more
        audit = layout.audit if layout is not None else None
        findings += check_manifest(folder, audit_root=audit, trusted=trusted, pruned=pruned)
        findings += _receipt(folder, manifest, audit, pruned)
        chain = _chain(folder)
        if isinstance(chain, Finding):
            findings.append(chain)
        else:
            cases = chain.cases
            findings += _inside(folder, manifest, chain)
            if layout is not None:
                findings += check_against_study(layout, manifest, chain, pruned)
    ordered = in_order(findings)
    verdict = _worst(_LEVELS[one.level] for one in ordered)
    lines = tuple(_case_line(one, ordered) for one in cases)
    return ReleaseReport(verdict, manifest, signed, lines, ordered, layout is not None)


def _inside(folder: Path, manifest: Manifest, chain: Chain) -> Iterator[Finding]:
    yield from check_chain(chain, manifest.heads)
    yield from check_documents(folder, manifest, chain)
    yield from check_splits(folder, chain)
    yield from check_images(folder, manifest, chain, label_values(folder), case_id)


def _chain(folder: Path) -> Chain | Finding:
    try:
        return parse_chain((folder / CHAIN).read_bytes())
    except (InputError, OSError):
        words = "The chain of custody is missing, or cannot be read."
        return Finding("error", "chain", CHAIN, words)


def _signed(folder: Path) -> SignedStatement | None:
    try:
        return parse_statement((folder / SIGNATURE).read_bytes())
    except (InputError, OSError):
        return None  # the manifest's own check says whether one is missing or broken


def _trusted(
    signed: SignedStatement | None,
    trust: Sequence[str],
    layout: Layout | None,
    state: Path | None,
) -> tuple[Collection[bytes], list[Finding]]:
    """Return the keys that may release, as far as anybody told them."""
    if signed is None:
        return (), []
    if trust:
        fits = any(is_fingerprint(typed, signed.public) for typed in trust)
        return (signed.public if fits else _NOBODY,), []
    pin = read_pin(state) if state is not None else None
    if layout is None or pin is None:
        return (), []
    history = read_history(layout.audit)
    if history.current is None or history.problems or not history.follows_from(pin.public):
        return (), []
    user = history.current.site.user(signed.said.user, signed.public)
    if user is None:
        return (), []
    if user.revoked_ms is not None and time_ms(signed.said.time) >= user.revoked_ms:
        words = "The key that signed it had been revoked before."
        return (), [Finding("error", "stranger", MANIFEST, words)]
    return (signed.public,), []


def _receipt(
    folder: Path, manifest: Manifest, audit: Path | None, pruned: Collection[Head]
) -> Iterator[Finding]:
    try:
        receipt = read_receipt((folder / RECEIPT_NAME).read_bytes())
    except FileNotFoundError:
        words = "It has no receipt: nothing here proves that its leaving is in the log."
        if audit is not None:
            told = "and the log tells of it: the receipt was taken away"
            if not is_published(audit, manifest.digest):
                told = "and the log does not tell of it: medlabel project release --finish"
            words = f"It has no receipt, {told}."
        level: Level = "warning" if audit is None else "error"
        yield Finding(level, "receipt", RECEIPT_NAME, words)
        return
    except InputError as err:
        yield Finding("error", "receipt", RECEIPT_NAME, err.message)
        return
    for fault in check_receipt(receipt, audit, [folder], pruned=pruned):
        yield Finding("error", "receipt", RECEIPT_NAME, fault.text)
    yield from _receipt_head(receipt, manifest, with_log=audit is not None)


def _receipt_head(receipt: Receipt, manifest: Manifest, *, with_log: bool) -> Iterator[Finding]:
    """Say whether the receipt's log goes on where the manifest's stood."""
    known = {head.origin: head for head in manifest.heads}
    before = known.get(receipt.head.origin)
    if before is None:
        # Finished later: only the log tells whether that session is one of its own.
        if not with_log:
            words = (
                "The receipt is of a session that the manifest does not know: --study tells."
            )
            yield Finding("warning", "receipt", RECEIPT_NAME, words)
    elif receipt.index < before.size:
        words = "The receipt is of another log, or of an earlier moment, than the manifest."
        yield Finding("error", "receipt", RECEIPT_NAME, words)


def _case_line(one: CaseChain, findings: Sequence[Finding]) -> CaseLine:
    found = rows_of(findings, str(one.case))
    marks: dict[Column, Verdict] = {
        column: _LEVELS[found[column]] if column in found else Verdict.GREEN
        for column in COLUMNS
    }
    decided = [
        link
        for link in one.links
        if link.event in _DECIDES and (link.event == AGREED or link.slot == one.slot)
    ]
    clean = one.cleaning
    return CaseLine(
        str(one.case),
        one.originals,
        clean.rules if clean else "",
        _codes(link.by for link in own_links(one) if link.event == "review.submit"),
        _codes(link.by for link in decided),
        one.slot,
        max((link.time for link in decided), default=""),
        marks,
        one.unresolved_voxels,
        settled_by(one),
    )


def _codes(found: Iterator[str]) -> tuple[str, ...]:
    return tuple(sorted({code or "?" for code in found}))


def _worst(verdicts: Collection[Verdict] | Iterator[Verdict]) -> Verdict:
    found = set(verdicts)
    for level in (Verdict.RED, Verdict.AMBER):
        if level in found:
            return level
    return Verdict.GREEN
