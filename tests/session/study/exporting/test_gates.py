"""Gates of an export: each shuts alone, says why, and nothing leaves."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.audit.keys.key_document import make_key
from napari_medlabel.audit.keys.people import find_statements, user_key_path
from napari_medlabel.audit.keys.tokens import account_name, load_token_key
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.project.cases.participants import read_participants, to_tsv
from napari_medlabel.project.cases.record import read_record
from napari_medlabel.project.cases.sidecar import sidecar_path
from napari_medlabel.project.cases.version import read_version
from napari_medlabel.project.work.wholes import Told
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.secret.passphrase import PassphraseError
from napari_medlabel.session.study.exporting import choosing, leaving, planning
from napari_medlabel.session.study.exporting.leaving import check_destination, write_export
from napari_medlabel.session.study.exporting.logbook import Logbook, read_logbook
from napari_medlabel.session.study.exporting.plan import ExportPlan, GatesError
from napari_medlabel.session.study.exporting.planning import plan_export
from napari_medlabel.session.study.exporting.reasons import Grounds
from napari_medlabel.session.study.exporting.wish import ExportWish
from napari_medlabel.session.study.seat import Seat
from tests.session.study.changing import changed as version_changed
from tests.session.study.small_study import SmallStudy

ALL = ExportWish(("nifti", "csv"))
WORDS = "correct horse battery"
Change = Callable[[SmallStudy], Path]


@contextmanager
def changed(path: Path, data: bytes | None = None) -> Iterator[None]:
    """Change a file for a while: other bytes, or some more of them."""
    before = path.read_bytes()
    path.write_bytes(before + b"\0" if data is None else data)
    try:
        yield
    finally:
        path.write_bytes(before)


def require_shut(study: SmallStudy, tmp: Path, wish: ExportWish, gate: str) -> ExportPlan:
    """Expect that one gate alone is shut, and that nothing is written."""
    seat = study.seat("m1")
    plan = plan_export(seat, wish)
    assert {one.gate for one in plan.findings} == {gate}
    with pytest.raises(GatesError) as caught:
        write_export(seat, plan, tmp / "out")
    assert caught.value.findings == plan.blocking
    assert all(one.words in caught.value.message for one in plan.blocking)
    assert not list(tmp.iterdir())
    return plan


@pytest.mark.usefixtures("green")
def test_where_all_is_well_every_gate_is_open(study: SmallStudy) -> None:
    plan = plan_export(study.seat("m1"), ALL)
    assert plan.findings == ()
    assert [one.record.case for one in plan.chosen] == study.cases
    assert [step.action for step in plan.chosen[0].steps] == ["begin_review", "approve"]


def report_of(study: SmallStudy) -> Path:
    record = read_record(study.layout.case_file(study.cases[0]))
    return study.layout.cleanings / f"{record.manifest.removeprefix('sha256:')}.json"


CHANGES: dict[str, tuple[str, Change, bytes | None]] = {
    "report": ("deidentified", report_of, None),
    "scan": ("clean", lambda s: s.layout.scan(s.cases[0]), None),
    "sidecar": (
        "clean",
        lambda s: s.layout.scan(s.cases[0]).with_name(f"{s.cases[0]}.json"),
        json.dumps({"PatientName": "Muster^Max"}).encode(),
    ),
    "one word in a sidecar": (
        "clean",
        lambda s: s.layout.scan(s.cases[0]).with_name(f"{s.cases[0]}.json"),
        json.dumps({"Manufacturer": "Muster Max"}).encode(),
    ),
}


@pytest.mark.usefixtures("green")
@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_file_shuts_one_gate(study: SmallStudy, tmp_path: Path, what: str) -> None:
    gate, find, data = CHANGES[what]
    with changed(find(study), data):
        plan = require_shut(study, tmp_path, ALL, gate)
    assert {one.case for one in plan.findings} == {study.cases[0]}


@pytest.mark.usefixtures("green")
def test_a_sidecar_and_its_record_changed_together_do_not_leave(
    study: SmallStudy, tmp_path: Path
) -> None:
    path = study.layout.case_file(study.cases[0])
    record = read_record(path)
    beside = sidecar_path(study.layout, record.case)
    data = json.dumps({"Manufacturer": "Muster Max"}).encode()
    for digest in (f"sha256:{sha256(data).hexdigest()}", ""):
        told = replace(record, sidecar=digest).to_bytes()
        with changed(path, told), changed(beside, data):
            require_shut(study, tmp_path, ALL, "deidentified")


@pytest.fixture
def told_no_wholes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let submissions and approvals be of before: they name no version as a whole."""
    nothing: Told = {"submitted": frozenset(), "approved": frozenset()}
    monkeypatch.setattr(choosing, "told_of", lambda *_: nothing)


@pytest.mark.usefixtures("green")
@pytest.mark.parametrize("kind", ["answers.json", "boxes.json", "landmarks.mrk.json"])
@pytest.mark.parametrize("fits", [False, True])
def test_what_was_changed_since_its_approval_does_not_leave(
    study: SmallStudy, tmp_path: Path, kind: str, *, fits: bool
) -> None:
    case = study.cases[0]
    with version_changed(study, read_version(study.layout, "r01", case, 1), kind, fits=fits):
        plan = require_shut(study, tmp_path, ALL, "review")
        skipping = plan_export(study.seat("m1"), replace(ALL, skip=True))
    (found,) = plan.findings
    words = (
        "when it was submitted and approved" if fits else "is not the one that was submitted"
    )
    assert (found.case, words in found.words) == (case, True)
    assert [one.record.case for one in skipping.chosen] == study.cases[1:]


@pytest.mark.usefixtures("green")
@pytest.mark.parametrize("rater", ["consensus", "r02"])
def test_a_consensus_leaves_as_it_was_agreed_on_of_readings_as_they_were(
    read_twice: SmallStudy, tmp_path: Path, rater: str
) -> None:
    case = read_twice.cases[1]
    assert plan_export(read_twice.seat("m1"), ALL).findings == ()
    version = read_version(read_twice.layout, rater, case, 1)
    kinds = ["landmarks.mrk.json", "answers.json"]
    kinds += ["prov.nii.gz"] if rater == "consensus" else []
    for kind in kinds:
        with version_changed(read_twice, version, kind):
            plan = require_shut(read_twice, tmp_path, ALL, "review")
        said = "agreed on" if rater == "consensus" else "submitted and approved"
        assert [one.case for one in plan.findings] == [case]
        assert f"when it was {said}:" in plan.findings[0].words


@pytest.mark.usefixtures("green")
def test_an_earlier_consensus_does_not_leave_in_place_of_the_last_one(
    read_twice: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = choosing.whole_versions
    monkeypatch.setattr(choosing, "whole_versions", lambda *of: whole(*of)[:-1])
    plan = require_shut(read_twice, tmp_path, ALL, "review")
    assert "Its last consensus" in plan.findings[0].words


@pytest.mark.usefixtures("green", "told_no_wholes")
def test_a_log_of_before_holds_files_against_the_sidecar_alone(
    study: SmallStudy, tmp_path: Path
) -> None:
    version = read_version(study.layout, "r01", study.cases[0], 1)
    with version_changed(study, version, "answers.json"):
        assert plan_export(study.seat("m1"), ALL).findings == ()
    with version_changed(study, version, "answers.json", fits=False):
        require_shut(study, tmp_path, ALL, "review")


@pytest.mark.usefixtures("green", "told_no_wholes")
@pytest.mark.parametrize("at", ["", "scheme", "software"])
def test_a_word_in_the_sidecar_of_a_mask_does_not_leave(
    study: SmallStudy, tmp_path: Path, at: str
) -> None:
    path = study.layout.version("r01", study.cases[0], 1, "dseg.json")
    document = json.loads(path.read_bytes())
    (document[at] if at else document)["name" if at else "Comment"] = "Muster Max"
    with changed(path, json.dumps(document).encode()):
        plan = require_shut(study, tmp_path, ALL, "clean")
    assert "saving does not write: 1" in plan.findings[0].words


@pytest.mark.usefixtures("green", "told_no_wholes")
def test_words_in_the_header_of_a_mask_do_not_leave(study: SmallStudy, tmp_path: Path) -> None:
    path = study.layout.version("r01", study.cases[0], 1, "dseg.nii.gz")
    data = bytearray(gzip.decompress(path.read_bytes()))
    data[148:158] = b"Muster Max"  # descrip, NIfTI-1
    beside = study.layout.version("r01", study.cases[0], 1, "dseg.json")
    written = gzip.compress(bytes(data))
    document = json.loads(beside.read_bytes())
    name = study.layout.relative(path)
    document["study"]["files"][name] = f"sha256:{sha256(written).hexdigest()}"
    with changed(path, written), changed(beside, json.dumps(document).encode()):
        plan = require_shut(study, tmp_path, ALL, "clean")
    assert "in its mask" in plan.findings[0].words


@pytest.mark.usefixtures("green")
def test_a_changed_dicom_image_stops_what_is_made_of_it_alone(
    study: SmallStudy, tmp_path: Path
) -> None:
    case = study.cases[0]
    with changed(study.layout.dicom_files(case, 1)[0]):
        require_shut(study, tmp_path, ExportWish(("dicom-seg",), cases=(case,)), "clean")
        assert plan_export(study.seat("m1"), ALL).findings == ()


PEOPLE_TOLD = {
    "a name in a column of its own": ("patient_name", "Muster^Max", "column 4"),
    "a date of birth": ("birth", "1963-02-14", "column 4"),
    "a name for a site": ("site", "Muster", "Column 4"),
    "a name for a sex": ("sex", "Muster", "Column 2"),
    "a date for an age": ("age", "1963-02-14", "Column 3"),
    "a very old age": ("age", "97", "Column 3"),
}


@pytest.mark.usefixtures("green")
@pytest.mark.parametrize("what", PEOPLE_TOLD)
def test_of_patients_nothing_leaves_but_codes_in_known_columns(
    study: SmallStudy, tmp_path: Path, what: str
) -> None:
    column, value, told = PEOPLE_TOLD[what]
    rows = read_participants(study.layout.participants)
    wish = replace(ALL, scans=True)
    plain = {code: {"sex": "F", "age": "063Y", "site": "s01"} for code in rows}
    with changed(study.layout.participants, to_tsv(plain)):
        assert plan_export(study.seat("m1"), wish).findings == ()
    added = {code: {**row, column: value} for code, row in rows.items()}
    with changed(study.layout.participants, to_tsv(added)):
        plan = require_shut(study, tmp_path, wish, "clean")
        assert plan_export(study.seat("m1"), ALL).findings == ()
    words = plan.findings[0].words
    assert told in words
    assert value not in words
    assert "patient_name" not in words


@pytest.mark.usefixtures("green")
def test_a_scan_that_the_log_does_not_know_does_not_leave(
    study: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = planning.read_logbook

    def forgets(seat: object) -> object:
        found = read(seat)  # type: ignore[arg-type]
        found.told.files.clear()
        return found

    monkeypatch.setattr(planning, "read_logbook", forgets)
    require_shut(study, tmp_path, ALL, "deidentified")


@pytest.mark.usefixtures("green")
def test_a_reading_in_another_state_does_not_leave(study: SmallStudy, tmp_path: Path) -> None:
    plan = require_shut(study, tmp_path, ExportWish(states=("corrected",)), "review")
    assert "Its reading is approved." in [one.words for one in plan.findings]


@pytest.mark.usefixtures("green")
def test_a_reading_under_earlier_guidelines_does_not_leave(
    study: SmallStudy, tmp_path: Path
) -> None:
    guidelines = study.layout.guidelines
    with changed(guidelines, guidelines.read_bytes() + b"\nDraw the border, too.\n"):
        plan = require_shut(study, tmp_path, ALL, "review")
    assert "earlier guidelines" in plan.findings[0].words


@pytest.mark.usefixtures("green")
def test_landmarks_under_names_that_somebody_typed_do_not_leave(
    study: SmallStudy, tmp_path: Path
) -> None:
    ontology = study.layout.ontology
    with changed(ontology, ontology.read_bytes().replace(b'"Porta"', b'"Hilum"')):
        plan = plan_export(study.seat("m1"), ALL)
    assert {one.gate for one in plan.findings} == {"review"}  # as the ontology is another one
    names = frozenset({"Hilum"})
    chosen = plan_export(study.seat("m1"), ALL).chosen[0]
    (found,) = planning._typed(study.layout, chosen, names)
    assert found.gate == "clean"
    assert "Porta" not in found.words


@pytest.mark.usefixtures("green")
def test_a_case_that_came_as_nifti_cannot_leave_as_dicom(
    study: SmallStudy, tmp_path: Path
) -> None:
    plan = require_shut(study, tmp_path, ExportWish(("dicom-seg", "rtstruct")), "format")
    assert {one.case for one in plan.findings} == {study.cases[1]}
    skipping = plan_export(study.seat("m1"), ExportWish(("dicom-seg",), skip=True))
    assert skipping.blocking == ()
    assert [one.record.case for one in skipping.of_format("dicom-seg")] == study.cases[:1]


def test_a_log_that_is_not_green_needs_a_reason(study: SmallStudy, tmp_path: Path) -> None:
    plan = require_shut(study, tmp_path, ALL, "log")
    assert plan.verdict is Verdict.AMBER
    with pytest.raises(InputError, match="reason"):
        write_export(study.seat("m1"), plan, tmp_path / "out", grounds=Grounds("BORED"))
    done = write_export(study.seat("m1"), plan, tmp_path / "out", grounds=Grounds("PROTOCOL"))
    assert done.events.keys() == {"export.begin", "export.done"}
    assert not done.is_signed


def test_a_reason_opens_no_other_gate(study: SmallStudy, tmp_path: Path) -> None:
    seat = study.seat("m1")
    plan = plan_export(seat, ExportWish(("sr",)))
    with pytest.raises(GatesError) as caught:
        write_export(seat, plan, tmp_path / "out", grounds=Grounds("PROTOCOL"))
    assert {one.gate for one in caught.value.findings} == {"format"}


def test_all_reasons_are_told_at_once(study: SmallStudy, tmp_path: Path) -> None:
    with changed(report_of(study)), changed(study.layout.scan(study.cases[0])):
        plan = plan_export(study.seat("m1"), ExportWish(("sr",)))
        with pytest.raises(GatesError) as caught:
            write_export(study.seat("m1"), plan, tmp_path / "out")
    gates = {one.gate for one in caught.value.findings}
    assert gates == {"deidentified", "clean", "format", "log"}


@pytest.fixture
def releaser(study: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallStudy]:
    """Give the manager a signing key, for one test."""
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)
    state = study.desk("m1").state
    token = load_token_key(state).user_token(account_name())
    path = user_key_path(state, token)
    made = ("user", token, "2026-11-22T10:00:00.000Z")
    make_key(path, made, secrets.token_bytes, passphrase=WORDS)
    yield study
    path.unlink()


def test_who_has_a_key_signs_the_reason_over_all_that_leaves(
    releaser: SmallStudy, tmp_path: Path
) -> None:
    seat = releaser.seat("m1")
    plan = plan_export(seat, ExportWish(("csv",)))
    with pytest.raises(InputError, match="A name"):
        write_export(seat, plan, tmp_path / "out", grounds=Grounds("PROTOCOL"))
    wrong = Grounds("PROTOCOL", "Dr. Jane Doe", lambda: "another passphrase")
    with pytest.raises(PassphraseError):
        write_export(seat, plan, tmp_path / "out", grounds=wrong)
    assert not list(tmp_path.iterdir())
    signs = Grounds("PROTOCOL", "Dr. Jane Doe", lambda: WORDS)
    done = write_export(seat, plan, tmp_path / "out", grounds=signs)
    assert done.is_signed
    (signed,) = find_statements(releaser.layout.audit, done.manifest).statements
    assert (signed.said.meaning, signed.said.name) == ("approved", "Dr. Jane Doe")
    assert not any(b"Doe" in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


def test_a_red_log_goes_with_a_signature_alone(
    study: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = study.layout.audit.glob("writers/*/*/*/*.jsonl")
    path = next(path for path in logs if b'"round":1' in path.read_bytes())
    seat = study.seat("m1")
    with changed(path, path.read_bytes().replace(b'"round":1', b'"round":2', 1)):
        red = read_logbook(seat)
    assert red.verdict is Verdict.RED

    def read(_: Seat) -> Logbook:
        return replace(red, told=read_logbook(seat).told)

    monkeypatch.setattr(planning, "read_logbook", read)
    monkeypatch.setattr(leaving, "read_logbook", read)
    plan = plan_export(seat, ALL)
    assert {one.gate for one in plan.findings} == {"log"}
    with pytest.raises(RefusedError, match="must be signed"):
        write_export(seat, plan, tmp_path / "out", grounds=Grounds("PROTOCOL"))
    assert not list(tmp_path.iterdir())


def test_who_is_neither_releaser_nor_manager_exports_nothing(study: SmallStudy) -> None:
    with pytest.raises(RefusedError, match="releaser or manager"):
        plan_export(study.seat("r04"), ALL)


def test_an_export_lies_outside_the_study_or_in_its_exports(study: SmallStudy) -> None:
    layout = study.layout
    check_destination(layout, layout.exports / "one")
    for inside in (layout.root / "sub-001", layout.audit, layout.root):
        with pytest.raises(InputError):
            check_destination(layout, inside)


def test_a_plan_that_time_has_passed_by_is_refused(study: SmallStudy, tmp_path: Path) -> None:
    seat = study.seat("m1")
    plan = plan_export(seat, ALL)
    stale = ExportPlan(plan.wish, plan.chosen[:1], plan.findings, plan.verdict)
    with pytest.raises(RefusedError, match="changed since"):
        write_export(seat, stale, tmp_path / "out", grounds=Grounds("PROTOCOL"))
    assert not list(tmp_path.iterdir())
