"""Whether a release's documents, splits, scans and masks are what its facts and chain say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from napari_medlabel import __version__
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.geometry.grid import Grid
from napari_medlabel.io.nifti.reading import load, read_labels_nifti
from napari_medlabel.model.labelmap import content_id, count_labels
from napari_medlabel.model.volume import Volume
from napari_medlabel.project.cases.participants import read_participants, splits
from napari_medlabel.project.cases.pixels import pixel_digest
from napari_medlabel.project.checks.finding import Finding, place
from napari_medlabel.project.release.chain import CaseChain, Chain
from napari_medlabel.project.release.documents import documents
from napari_medlabel.project.release.facts import Facts
from napari_medlabel.project.release.facts_read import FACTS, read_facts
from napari_medlabel.project.release.making import check_unresolved, making_of
from napari_medlabel.project.release.manifest import Manifest
from napari_medlabel.project.release.worked import Worked, worked_on

NameScan = Callable[[Volume], str]
PARTICIPANTS: Final = "participants.tsv"
_OTHERS: Final = "exports/"


def check_documents(folder: Path, manifest: Manifest, chain: Chain) -> Iterator[Finding]:
    """Yield documents that do not follow from the facts, and facts that others contradict.

    Parameters
    ----------
    folder : Path
        Of the release.
    manifest : Manifest
        Its manifest.
    chain : Chain
        Its chain of custody.
    """
    try:
        told = splits(read_participants(folder / PARTICIPANTS))
        facts = read_facts((folder / FACTS).read_bytes(), told)
        head = (folder / PARTICIPANTS).read_text(encoding="utf-8").partition("\n")[0]
        wanted = documents(facts, manifest.files, head.split("\t"))
    except (InputError, OSError, UnicodeDecodeError):
        words = "The facts, or the table of patients, are missing or cannot be read."
        yield Finding("error", "facts", FACTS, words)
        return
    for name, data in wanted.items():
        if _bytes_of(folder / name) == data:
            continue
        if _is_ours(facts):
            words = "It says something else than follows from the facts."
            yield Finding("error", "document", place(name), words)
        else:
            words = "Another version made it, and this one would word it otherwise."
            yield Finding("warning", "document", place(name), words)
    yield from _facts(facts, manifest, chain)


def _facts(facts: Facts, manifest: Manifest, chain: Chain) -> Iterator[Finding]:
    told = (facts.release, facts.made, facts.pins)
    if told != (manifest.name, manifest.made, manifest.pins):
        words = "The facts are of another release, time or rules than the manifest."
        yield Finding("error", "facts", FACTS, words)
    if facts.making != making_of(chain):
        words = "The facts tell of the making of the masks otherwise than the chain."
        yield Finding("error", "facts", FACTS, words)
    if _worked(facts) != worked_on(chain, manifest.pins):
        if _is_ours(facts):
            words = "The facts count people or readings otherwise than the chain tells of them."
            yield Finding("error", "facts", FACTS, words)
        else:  # before, tests of readers and the last reviewer alone were counted
            words = "Another version made them, and this one counts people and readings anew."
            yield Finding("warning", "facts", FACTS, words)
    codes = {one.case.subject for one in chain.cases}
    raw = {digest for one in chain.cases for digest in one.originals}
    cleaned = sum(one.cleaning is not None for one in chain.cases)
    counted = (len(chain.cases), len(codes), len(raw), cleaned)
    if (facts.cases, facts.patients, facts.originals, facts.cleaned) != counted:
        words = "The facts count other cases, patients or raw files than the chain has."
        yield Finding("error", "facts", FACTS, words)


def _is_ours(facts: Facts) -> bool:
    """Tell whether this version of the program made them."""
    return facts.software == f"napari-medlabel {__version__}"


def _worked(facts: Facts) -> Worked:
    return Worked(facts.raters, facts.reviewers, facts.states, facts.older_rules)


def check_splits(folder: Path, chain: Chain) -> Iterator[Finding]:
    """Yield patients and scans that lie in two splits, and patients without a line.

    Parameters
    ----------
    folder, chain
        See `check_documents`.
    """
    try:
        rows = read_participants(folder / PARTICIPANTS)
    except InputError:
        yield Finding("error", "split", PARTICIPANTS, "The table of patients is none.")
        return
    told = splits(rows)
    if {one.case.subject for one in chain.cases} != set(rows):
        words = "The table of patients has others than those who are released."
        yield Finding("error", "split", PARTICIPANTS, words)
    groups: dict[object, list[CaseChain]] = {}
    for one in chain.cases:
        groups.setdefault(("patient", one.patient), []).append(one)
        groups.setdefault(("pixels", one.pixels), []).append(one)
        groups.setdefault(("code", one.case.subject), []).append(one)
    for key, group in groups.items():
        where = {told.get(one.case.subject, "") for one in group}
        if len(where) > 1:
            what = "One scan lies" if "pixels" in str(key) else "A patient lies"
            names = ", ".join(sorted(str(one.case) for one in group))
            words = f"{what} in {' and '.join(sorted(filter(None, where)))}: {names}."
            yield Finding("error", "split", PARTICIPANTS, words)


def check_images(
    folder: Path, manifest: Manifest, chain: Chain, facts_labels: Iterable[int], name: NameScan
) -> Iterator[Finding]:
    """Yield scans and masks that are not what the chain says, case by case.

    Parameters
    ----------
    folder, manifest, chain
        See `check_documents`.
    facts_labels : iterable of int
        Values that labels have.
    name : callable
        Returns the content id of a scan, read with its hashes.
    """
    values = frozenset(facts_labels)
    known = {path for one in chain.cases for path in one.files.values()}
    listed = {one.path for one in manifest.files}
    for path in sorted(listed - known):
        if path.endswith(".nii.gz") and not path.startswith(_OTHERS):
            words = "No chain of custody tells of this scan or mask."
            yield Finding("error", "stranger", place(path), words)
    for one in chain.cases:
        if not set(one.files.values()) <= listed or _needed(one) - one.files.keys():
            words = "A file that its chain names is none of the release."
            yield Finding("error", "file", str(one.case), words)
            continue
        yield from _case(folder, one, values, name)


def _case(
    folder: Path, one: CaseChain, values: frozenset[int], name: NameScan
) -> Iterator[Finding]:
    case = str(one.case)
    try:
        scan = load(folder / one.files["scan"])
        if (name(scan), pixel_digest(scan.array)) != (one.content, one.pixels):
            words = "The scan is not the one that was added to the study and read."
            yield Finding("error", "scan", case, words)
    except (InputError, OSError):
        yield Finding("error", "scan", case, "The scan is missing or cannot be read.")
        return
    for kind, wanted in {"mask": one.mask, **_sheets(one)}.items():
        yield from _mask(folder / one.files[kind], wanted, scan.grid, values, case)
    yield from check_unresolved(folder, one, scan.grid)


def _mask(
    path: Path, wanted: str, scan: Grid, values: frozenset[int], case: str
) -> Iterator[Finding]:
    try:
        array, grid = read_labels_nifti(path)
        if content_id(grid, array) != wanted:
            words = "The mask is not the one that its chain ends in."
            yield Finding("error", "file", case, words)
        if not set(count_labels(array)) <= values:
            words = "The mask holds values that no label has."
            yield Finding("error", "file", case, words)
        scan.require_same(grid, what="mask")
    except GeometryError:
        yield Finding("error", "file", case, "The mask does not lie on its scan's grid.")
    except (InputError, OSError):
        yield Finding("error", "file", case, "The mask is missing or cannot be read.")


def _sheets(one: CaseChain) -> dict[str, str]:
    """Return the content ids of the masks of further layers by the kind of their files."""
    return {f"mask{layer}": content for layer, content in one.sheets.items()}


def _needed(one: CaseChain) -> set[str]:
    return {"scan", "mask", *_sheets(one)}


def label_values(folder: Path) -> tuple[int, ...]:
    """Return the values that labels have by the facts of a release; empty where unreadable."""
    try:
        facts = read_facts((folder / FACTS).read_bytes(), {})
    except (InputError, OSError):
        return ()
    return tuple(value for value, _ in facts.labels)


def rows_of(findings: Iterable[Finding], case: str) -> Mapping[str, str]:
    """Return the worst level of each link of a case: ``error``, ``warning``."""
    found: dict[str, str] = {}
    for one in findings:
        if one.where == case and found.get(one.rule) != "error":
            found[one.rule] = one.level
    return found


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
