"""Releasing a study: a data set that is never changed again, with the proof of how it came.

Everything is made aside: files, documents, chain, manifest, signature. Then the log is told
that it leaves, the folder takes its name, once, and the receipt goes in. The study keeps
manifest and signature, so that no name is ever used twice.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.audit.format.event import ObjectRef
from napari_medlabel.audit.format.record import time_text
from napari_medlabel.audit.keys.people import (
    SignedStatement,
    Statement,
    keep_statement,
    load_user_key,
    sign_statement,
)
from napari_medlabel.errors import InputError, MedlabelError, RefusedError
from napari_medlabel.io.files import explain_os_error, make_folder
from napari_medlabel.io.manifest import RECEIPT_NAME, manifest_of
from napari_medlabel.project.cases.version import Pins
from napari_medlabel.project.layout import CONSENSUS, Layout
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.release.chain import CHAIN, parse_chain
from napari_medlabel.project.release.making import making_of
from napari_medlabel.project.release.manifest import (
    Manifest,
    files_of,
    log_heads,
    make_manifest,
    require_name,
    write_manifest,
)
from napari_medlabel.project.release.settled import doubt_of, settled_words
from napari_medlabel.project.release.tree import copy_case, make_read_only, write_frame
from napari_medlabel.project.release.worked import worked_on
from napari_medlabel.project.work.fold import CaseRow
from napari_medlabel.secret.asking import Ask
from napari_medlabel.secret.passphrase import PassphraseError
from napari_medlabel.session.receipts import add_receipt
from napari_medlabel.session.signing import own_tokens
from napari_medlabel.session.study.chaining import Leaving, chain_of
from napari_medlabel.session.study.exporting.plan import Chosen, ExportPlan, GatesError
from napari_medlabel.session.study.exporting.planning import plan_export
from napari_medlabel.session.study.exporting.wish import ExportWish, Format
from napari_medlabel.session.study.release_formats import write_formats
from napari_medlabel.session.study.release_images import against_images, unsaid_entries
from napari_medlabel.session.study.release_papers import (
    Patients,
    Telling,
    facts_for,
    patients_of,
    volumes_of,
    write_agreement,
    write_documents,
)
from napari_medlabel.session.study.seat import Seat, require_reason, require_role, worklist
from napari_medlabel.session.study.working import rules_now

Tick = Callable[[int, int], object]


@dataclass(frozen=True)
class ReleaseWish:
    """What is to be released.

    Parameters
    ----------
    name : str
        Of the release; used once and never again.
    target : Path
        Its folder; it must not be there.
    telling : Telling
        Splits, smallest group, and what people state.
    export : ExportWish
        Which readings may leave, in which formats beside NIfTI, and whether cases that are
        not ready are left out.
    reason : str
        A code, where the log is not green and it is released all the same; empty for none.
    """

    name: str
    target: Path
    telling: Telling = field(default_factory=Telling)
    export: ExportWish = field(default_factory=lambda: ExportWish(scans=True))
    reason: str = ""


@dataclass(frozen=True)
class Released:
    """A release that was made.

    Parameters
    ----------
    folder : Path
        Where it lies.
    manifest : Manifest
        What it consists of.
    cases : int
        How many scans.
    signed : SignedStatement or None
        Who signed it; None for nobody.
    plan : ExportPlan
        What left, and which cases were left out.
    doubts : tuple of (str, str)
        Case, and why whoever verifies the release may doubt who settled it.
    """

    folder: Path
    manifest: Manifest
    cases: int
    signed: SignedStatement | None
    plan: ExportPlan
    doubts: tuple[tuple[str, str], ...] = ()


def make_release(
    seat: Seat, wish: ReleaseWish, *, ask: Ask | None = None, tick: Tick = lambda *_: None
) -> Released:
    """Make a release.

    Parameters
    ----------
    seat : Seat
        Somebody with the role releaser or manager.
    wish : ReleaseWish
        What is wanted.
    ask : callable, optional
        Returns the passphrase of their signing key; without it nobody signs.
    tick : callable
        Told how many cases are done, of how many; it raises to end the work.

    Raises
    ------
    RefusedError
        When the role is missing, the name or folder is taken, a gate refuses, a split leaks, or
        a group of patients is too small, or would be by what DICOM images tell. `GatesError`
        tells all reasons of the gates.
    InputError
        When the wish is none, or there is no signing key.
    PassphraseError
        When the passphrase is another one.
    SaveError, LogError
        When files or log cannot be written. Nothing has left then.
    """
    require_role(seat, "releaser", "manager")
    require_name(wish.name)
    _require_free(seat.layout, wish)
    formats: tuple[Format, ...] = (
        "nifti",
        *(kind for kind in wish.export.formats if kind != "nifti"),
    )
    plan = plan_export(seat, replace(wish.export, scans=True, formats=formats))
    _require_open(plan, wish.reason)
    patients = patients_of(seat, [one.record for one in plan.chosen], wish.telling)
    if wish.telling.smallest:
        further = against_images(seat.layout, plan, patients.rows, patients.coarsened)
        plan = replace(plan, findings=(*plan.findings, *further))
        _require_open(plan, wish.reason)
    make_folder(wish.target.absolute().parent)
    with _aside(wish.target.absolute()) as folder:
        manifest = _fill(seat, wish, plan, patients, folder, tick)
        signed = None if ask is None else _sign(seat, manifest, ask)
        write_manifest(folder, manifest, signed)
        with _kept(seat.layout, wish.name, manifest, signed):
            _leave(seat, wish, plan, folder, manifest)
    chain = parse_chain((wish.target / CHAIN).read_bytes())
    doubts = tuple((str(one.case), words) for one in chain.cases if (words := doubt_of(one)))
    return Released(wish.target, manifest, len(plan.chosen), signed, plan, doubts)


def _require_free(layout: Layout, wish: ReleaseWish) -> None:
    taken = layout.releases.iterdir() if layout.releases.is_dir() else ()
    # Some computers take capitals and small letters for one.
    if wish.name.casefold() in {path.name.casefold() for path in taken}:
        raise RefusedError(
            "The study has a release of that name: a release is made once and never changed.",
            hint="Choose another name, such as the next month.",
        )
    target = wish.target.absolute()
    if target.exists() or target.is_symlink():
        raise RefusedError(
            "The folder of the release is there already, and it is never written into.",
            hint="Give a folder that does not exist: --to FOLDER.",
        )
    root = layout.root.resolve()
    where = target.parent.resolve()
    if where.is_relative_to(root) and not where.is_relative_to(layout.exports.resolve()):
        raise RefusedError(
            "In a study a release lies under exports, or it would be taken for part of it.",
            hint="Leave --to out, or give a folder outside the study.",
        )


def _require_open(plan: ExportPlan, reason: str) -> None:
    """Refuse what gates refuse; a log that is not green, but not red, goes with a reason."""
    blocking = plan.blocking
    if reason and plan.verdict is not Verdict.RED:
        require_reason(reason)
        blocking = tuple(one for one in blocking if one.gate != "log")
    if blocking:
        raise GatesError(blocking)


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """Give a folder beside the target, which is gone at the end unless it took its name."""
    folder = target.with_name(f".{secrets.token_hex(4)}.part.{target.name}")
    try:
        folder.mkdir()
    except OSError as err:
        raise explain_os_error(err) from err
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _kept(
    layout: Layout, name: str, manifest: Manifest, signed: SignedStatement | None
) -> Iterator[None]:
    """Keep manifest and signature in the study; where the release fails, the name is free."""
    folder = layout.releases / name
    make_folder(layout.releases)
    try:
        folder.mkdir()
    except FileExistsError as err:
        raise RefusedError(
            "Somebody is just making a release of that name.", hint="Choose another name."
        ) from err
    except OSError as err:
        raise explain_os_error(err) from err
    try:
        write_manifest(folder, manifest, signed)
    except MedlabelError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        yield
    except _NotLeftError as err:
        shutil.rmtree(folder, ignore_errors=True)
        raise err.why from err
    make_read_only(path for path, _ in files_of(folder))


class _NotLeftError(Exception):
    """A release did not take its name."""

    def __init__(self, why: MedlabelError) -> None:
        super().__init__("not left")
        self.why = why


def _fill(
    seat: Seat,
    wish: ReleaseWish,
    plan: ExportPlan,
    patients: Patients,
    folder: Path,
    tick: Tick,
) -> Manifest:
    """Write everything but manifest, signature and receipt; return the manifest."""
    layout = seat.layout
    records = tuple(one.record for one in plan.chosen)
    ontology = read_ontology(layout.ontology)
    write_frame(folder, seat.settings.name, ontology, patients.rows)
    rows = {row.content: row for row in worklist(seat).rows}
    unsaid = unsaid_entries(patients.coarsened)
    leaving, volumes = [], {}
    for done, one in enumerate(plan.chosen):
        tick(done, len(plan.chosen))
        files = copy_case(layout, folder, one.record, one.version, unsaid)
        masks = [folder / path for kind, path in files.items() if kind.startswith("mask")]
        volumes[one.record.case] = volumes_of(masks, ontology)
        slot = _slot(rows[one.record.content], one)
        leaving.append(Leaving(one.record, one.version, slot, files))
    tick(len(plan.chosen), len(plan.chosen))
    write_formats(seat, plan, folder, patients.cases)
    pins = Pins(*rules_now(seat))
    made = time_text(int(seat.desk.now().timestamp() * 1000))
    facts = facts_for(seat, (wish.name, made, pins), records, patients, volumes)
    _note_draw(seat, patients)
    heads = log_heads(layout.audit)
    chain = chain_of(seat, leaving, heads)
    (folder / CHAIN).write_bytes(chain.to_bytes())
    stated, settled = wish.telling.stated, settled_words(chain)
    agreement = write_agreement(seat, folder, stated, tick, settled)
    facts = replace(facts, agreement=agreement, stated=dict(wish.telling.stated))
    told = replace(facts, making=making_of(chain), **vars(worked_on(chain, pins)))
    write_documents(folder, told)
    return make_manifest(folder, name=wish.name, made=made, pins=pins, heads=heads)


def _slot(row: CaseRow, one: Chosen) -> str:
    """Return which reading a version is of."""
    if one.state == CONSENSUS:
        return CONSENSUS
    wanted = (one.version.content, one.version.number)
    slots = row.slots.items()
    found = [slot for slot, now in slots if (now.content, now.version) == wanted]
    if not found:
        raise RefusedError(
            f"The reading of {one.record.case} was changed while the release was made.",
            hint="Make the release again when nobody works on it.",
        )
    return found[0]


def _note_draw(seat: Seat, patients: Patients) -> None:
    if patients.draw is not None:
        count = len(patients.rows)
        detail = {"drawn": count, "of": count, "kind": "split", "seed": patients.draw.seed}
        seat.desk.log.append("study.draw", detail=detail)


def _sign(seat: Seat, manifest: Manifest, ask: Ask) -> SignedStatement:
    """Sign a manifest; the printed name is the rater's code: names are nobody's business."""
    log = seat.desk.log
    objects = (ObjectRef(manifest.digest, "manifest", "document"),)
    try:
        own = load_user_key(seat.desk.state, own_tokens(seat.desk.state), ask)
    except PassphraseError as err:
        log.append("sign.fail", objects=objects, detail={"cause": "identity"}, outcome=8)
        raise PassphraseError(
            "The passphrase does not open your signing key.",
            hint="Type it again: capitals count. Nothing was released.",
        ) from err
    if own is None:
        raise InputError(
            "A signing key of yours was expected in this account, and there is none.",
            hint="`medlabel sign key` makes one; or release with --unsigned, which is amber.",
        )
    token, key = own
    said = Statement("approved", seat.rater.code, manifest.digest, manifest.made, token)
    signed = sign_statement(said, key)
    keep_statement(seat.desk.audit_root, signed)
    log.append("sign.apply", objects=objects, detail=signed.detail())
    return signed


def _leave(
    seat: Seat, wish: ReleaseWish, plan: ExportPlan, folder: Path, manifest: Manifest
) -> None:
    """Tell the log, give the folder its name, and put the receipt into it."""
    log, target = seat.desk.log, wish.target.absolute()
    whole = manifest_of(folder)
    paths = [path for path, _ in files_of(folder)]
    detail = detail_of(paths, len(plan.chosen))
    told = {key: detail[key] for key in ("files", "cases", "bytes")}
    try:
        log.append("export.begin", detail=detail, reason=wish.reason or None)
    except MedlabelError as err:
        raise _NotLeftError(err) from err
    try:
        make_read_only(paths)
        _rename(folder, target)
    except MedlabelError as err:
        log.append("export.fail", detail={**detail, "cause": "other"}, outcome=8)
        raise _NotLeftError(err) from err
    log.append("export.done", detail={**detail, "manifest": whole})
    log.append("study.publish", detail={**told, "manifest": manifest.digest})
    add_receipt(log, target / RECEIPT_NAME, whole)
    make_read_only([target / RECEIPT_NAME])


def detail_of(paths: Sequence[Path], cases: int) -> dict[str, object]:
    """Return what the log tells of a release that leaves: of which files, of how many cases."""
    size = sum(path.stat().st_size for path in paths)
    told = {"files": len(paths), "cases": cases, "bytes": size}
    return {"destination": "folder", "format": "bids", "deidentified": True, **told}


def _rename(folder: Path, target: Path) -> None:
    try:
        if target.exists():
            raise FileExistsError  # noqa: TRY301 - joins what the system says
        folder.rename(target)
    except FileExistsError as err:
        raise RefusedError(
            "The folder of the release appeared while it was made; nothing was replaced.",
            hint="Give a folder that does not exist: --to FOLDER.",
        ) from err
    except OSError as err:
        raise explain_os_error(err) from err
