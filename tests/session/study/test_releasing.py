"""A release is made once and whole, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.audit.keys.signatures import fingerprint
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.project.cases.participants import read_participants, to_tsv
from napari_medlabel.project.cases.version import read_version
from napari_medlabel.project.release.facts_read import read_facts
from napari_medlabel.secret.passphrase import PassphraseError
from napari_medlabel.session.study import releasing
from napari_medlabel.session.study.exporting.plan import GatesError
from napari_medlabel.session.study.exporting.wish import ExportWish
from napari_medlabel.session.study.release_check import check_release
from napari_medlabel.session.study.release_page import page_of
from napari_medlabel.session.study.release_papers import Telling
from napari_medlabel.session.study.releasing import ReleaseWish, make_release
from tests.session.study.a_study import events
from tests.session.study.changing import changed
from tests.session.study.release_study import WORDS, ready_study, release, with_key
from tests.session.study.small_study import SmallStudy


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> SmallStudy:
    return ready_study(tmp_path_factory.mktemp("releasing"))


def log_of(study: SmallStudy) -> list[str]:
    """Return the events of the log by time."""
    return [one["event"] for one in sorted(events(study.layout), key=lambda one: one["time"])]


def wish(study: SmallStudy, name: str, **more: object) -> ReleaseWish:
    return replace(ReleaseWish(name, study.tmp / name, reason="PROTOCOL"), **more)


def refused(study: SmallStudy, asked: ReleaseWish, error: type[Exception], match: str) -> None:
    """Expect a refusal that leaves nothing: no folder, no kept manifest, no name used."""
    there = sorted(study.tmp.iterdir())
    with pytest.raises(error, match=match):
        make_release(study.seat("m1"), asked)
    assert sorted(study.tmp.iterdir()) == there
    assert not (study.layout.releases / asked.name).exists()


def test_without_a_key_nobody_signs(study):
    for key in (study.seat("m1").desk.state / "users").glob("*.key"):
        key.unlink()  # an earlier test may have made one
    with pytest.raises(InputError, match="signing key of yours"):
        make_release(study.seat("m1"), wish(study, "keyless"), ask=lambda: WORDS)


def test_the_log_is_told_before_it_leaves_and_the_study_keeps_what_was_signed(study):
    done = release(study, "first")
    assert log_of(study)[-5:] == [
        "study.draw",
        "sign.apply",
        "export.begin",
        "export.done",
        "study.publish",
    ]
    kept = study.layout.releases / "first"
    for name in ("manifest.json", "manifest.signature.json"):
        assert (kept / name).read_bytes() == (done.folder / name).read_bytes()
    report = check_release(done.folder, trust=[fingerprint(done.signed.public)])
    assert report.verdict is Verdict.GREEN


def test_scans_and_masks_are_those_of_the_study_byte_for_byte(study, monkeypatch):
    monkeypatch.setattr(releasing, "doubt_of", lambda one: "A reader." if one.is_agreed else "")
    done = release(study, "bytes", signed=False)
    assert done.doubts == (("sub-001_ct", "A reader."), ("sub-002_ct", "A reader."))
    for chosen in done.plan.chosen:
        there = study.layout.relative(study.layout.scan(chosen.record.case))
        assert f"sha256:{sha256_file(done.folder / there)}" == chosen.record.file
    assert check_release(done.folder).verdict is Verdict.AMBER
    facts = read_facts((done.folder / "facts.json").read_bytes(), {})
    assert (facts.raters, facts.reviewers) == (2, 1)
    assert facts.states == {"approved": 1, "skipped": 1, "submitted": 4}
    assert "Liver" in {one.label for one in facts.agreement}
    report = (done.folder / "GRRAS.md").read_text()
    assert report.startswith("# Agreement of readings")
    assert "The consensus of 2 cases was settled by m1, who had not read them." in report
    assert facts.making.settled == {"independent": 2}
    by = "2 by an adjudicator who had not read the case"
    for name in ("DATASHEET.md", "CLAIM.md"):
        assert by in (done.folder / name).read_text()
    assert by in page_of(check_release(done.folder), "").decode()


def test_a_name_is_never_used_twice(study):
    release(study, "once", signed=False)
    with pytest.raises(RefusedError, match="made once and never changed"):
        make_release(study.seat("m1"), wish(study, "once", target=study.tmp / "elsewhere"))
    assert not (study.tmp / "elsewhere").exists()
    with pytest.raises(RefusedError, match="made once and never changed"):
        make_release(study.seat("m1"), wish(study, "ONCE"))


def test_a_folder_that_is_there_is_never_written_into(study):
    target = study.tmp / "taken"
    target.mkdir(exist_ok=True)
    refused(study, wish(study, "other", target=target), RefusedError, "never written into")
    inside = study.layout.root / "derivatives" / "x"
    refused(study, wish(study, "other", target=inside), RefusedError, "lies under exports")


def test_what_gates_refuse_does_not_leave(study):
    refused(study, wish(study, "gated", reason=""), GatesError, "log:")
    only = ExportWish(cases=(study.cases[2],), states=("submitted",))
    refused(study, wish(study, "gated", export=only), GatesError, "review: sub-003_ct")


def test_who_is_no_releaser_releases_nothing(study):
    with pytest.raises(RefusedError, match="role releaser or manager"):
        make_release(study.seat("r01"), wish(study, "mine"))


def test_a_name_is_letters_and_digits(study):
    refused(study, wish(study, "no name", target=study.tmp / "x"), InputError, "is named by")


def test_small_groups_of_patients_are_refused_or_made_larger(study):
    few = Telling(smallest=2)
    refused(study, wish(study, "small", telling=few), RefusedError, "At least 2 patients")
    before = study.layout.participants.read_bytes()
    study.layout.participants.write_bytes(to_tsv({"001": {}, "002": {}, "003": {}}))
    many = wish(study, "small", telling=Telling(smallest=99))
    refused(study, many, RefusedError, r"At least 99 patients .* 3 are released")
    study.layout.participants.write_bytes(before)
    asked = wish(study, "coarse", telling=replace(few, coarser=True))
    done = make_release(study.seat("m1"), asked)
    rows = read_participants(done.folder / "participants.tsv")
    assert {row["age"] for row in rows.values()} == {"n/a"}
    assert "Made coarser or left out" in (done.folder / "DATASHEET.md").read_text()


def test_another_passphrase_signs_nothing_and_leaves_nothing(study):
    with_key(study)
    with pytest.raises(PassphraseError, match="does not open"):
        make_release(study.seat("m1"), wish(study, "wrong"), ask=lambda: f"{WORDS}!")
    assert not (study.tmp / "wrong").exists()
    assert log_of(study)[-1] == "sign.fail"


def test_statements_that_no_document_asks_for_are_refused(study):
    asked = wish(study, "said", telling=Telling(stated={"weather": "fine"}))
    refused(study, asked, InputError, "answer nothing")


def test_a_release_that_cannot_take_its_name_frees_it_and_says_so(study, monkeypatch):
    def taken(_folder: Path, _target: Path) -> None:
        raise RefusedError("Taken.")

    monkeypatch.setattr(releasing, "_rename", taken)
    refused(study, wish(study, "late"), RefusedError, "Taken")
    assert log_of(study)[-1] == "export.fail"


def test_further_formats_lie_under_exports_and_are_in_the_manifest(study):
    asked = wish(study, "formats", export=ExportWish(("nifti", "monai", "csv")))
    done = make_release(study.seat("m1"), asked)
    paths = {
        one.path.split("/")[1] for one in done.manifest.files if one.path[:8] == "exports/"
    }
    assert paths == {"monai", "csv"}
    assert not [f for f in check_release(done.folder).findings if f.level == "error"]


def test_splits_are_kept_where_the_study_has_them(study):
    table = study.layout.participants
    before = table.read_bytes()
    lines = before.decode().splitlines()
    ends = ("split", "val", "train", "train")
    rows = [f"{line}\t{end}" for line, end in zip(lines, ends, strict=True)]
    table.write_text("\n".join(rows) + "\n")
    try:
        done = make_release(study.seat("m1"), wish(study, "kept", telling=Telling(shares=None)))
    finally:
        table.write_bytes(before)
    found = read_participants(done.folder / "participants.tsv")
    assert [row["split"] for row in found.values()] == ["val", "train", "train"]
    assert json.loads((done.folder / "facts.json").read_bytes())["draw"] is None


def test_a_version_changed_since_its_approval_uses_up_no_name(study):
    case = study.cases[2]
    version = read_version(study.layout, "r01", case, 1)
    with changed(study, version, "landmarks.mrk.json"):
        refused(study, wish(study, "changed"), GatesError, "submitted and approved: a mask")
    consensus = read_version(study.layout, "consensus", study.cases[0], 1)
    with changed(study, consensus, "prov.nii.gz"):
        refused(study, wish(study, "changed"), GatesError, "when it was agreed on: a mask")
