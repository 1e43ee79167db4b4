"""A release is green as it was made, and each single thing that is changed is found by name."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.keys.people import Statement, sign_statement
from napari_medlabel.audit.keys.pins import Pin
from napari_medlabel.audit.keys.signatures import SigningKey, fingerprint
from napari_medlabel.errors import InputError
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.io.manifest import RECEIPT_NAME
from napari_medlabel.io.nifti.reading import load, read_labels_nifti
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.project.layout import Layout
from napari_medlabel.project.release import contents
from napari_medlabel.project.release.chain import CHAIN, CaseChain, Chain, parse_chain
from napari_medlabel.project.release.manifest import (
    MANIFEST,
    SIGNATURE,
    Manifest,
    make_manifest,
    read_manifest,
    write_manifest,
)
from napari_medlabel.session.study import release_check
from napari_medlabel.session.study.release_check import ReleaseReport, check_release
from napari_medlabel.session.study.release_page import page_of
from tests.session.study.release_study import ready_study, release

FORGER = SigningKey(bytes(range(32)))
"""Of somebody whom the reader trusts, and who signs what is false."""
MASK = "derivatives/medlabel-release/sub-001/anat/sub-001_desc-ctv001_dseg.nii.gz"
OTHER = "derivatives/medlabel-release/sub-003/anat/sub-003_desc-ctv001_dseg.nii.gz"
SCAN = "sub-001/anat/sub-001_ct.nii.gz"


@dataclass
class Made:
    """A release and its study; each test looks at a copy."""

    folder: Path
    layout: Layout
    letters: str

    def check(self, *, study: bool = False) -> ReleaseReport:
        trust = [self.letters, fingerprint(FORGER.public)]
        return check_release(self.folder, trust=trust, layout=self.layout if study else None)

    def rules(self, *, study: bool = False) -> set[tuple[str, str]]:
        return {(one.rule, one.where) for one in self.check(study=study).findings}

    def chain(self) -> Chain:
        return parse_chain((self.folder / CHAIN).read_bytes())

    def resign(self, change: Callable[[Manifest], Manifest] = lambda one: one) -> None:
        """Make manifest and signature anew, as a forger with a trusted key would."""
        before = read_manifest(self.folder)
        for name in (MANIFEST, SIGNATURE, RECEIPT_NAME):
            (self.folder / name).unlink(missing_ok=True)
        manifest = change(
            make_manifest(
                self.folder,
                name=before.name, made=before.made, pins=before.pins, heads=before.heads,
            )
        )  # fmt: skip
        said = Statement("approved", "m1", manifest.digest, before.made, "u1-0123456789abcdef")
        write_manifest(self.folder, manifest, sign_statement(said, FORGER))

    def forge(self, change: Callable[[CaseChain], CaseChain], case: str = "sub-003_ct") -> None:
        """Change one case of the chain, and sign it."""
        chain = self.chain()
        cases = tuple(change(one) if str(one.case) == case else one for one in chain.cases)
        assert cases != chain.cases
        (self.folder / CHAIN).write_bytes(replace(chain, cases=cases).to_bytes())
        self.resign()


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Made:
    study = ready_study(tmp_path_factory.mktemp("released"))
    done = release(study)
    study.close()
    assert done.signed is not None
    return Made(done.folder, study.layout, fingerprint(done.signed.public))


@pytest.fixture
def made(original, tmp_path) -> Made:
    folder = tmp_path / "copy"
    shutil.copytree(original.folder, folder)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
    return replace(original, folder=folder)


def write_anew(path: Path, array: np.ndarray, affine: Affine) -> None:
    header = load(path).source.header
    path.unlink()
    write_mask_nifti(path, array, header, False, affine)


def without(event: str) -> Callable[[CaseChain], CaseChain]:
    return lambda one: replace(one, links=tuple(x for x in one.links if x.event != event))


def test_an_honest_release_is_green_without_its_study_and_with_it(original):
    for study in (False, True):
        report = original.check(study=study)
        assert report.findings == ()
        assert report.verdict is Verdict.GREEN
        assert report.with_study is study


def test_it_says_of_each_case_from_which_raw_files_by_whom_and_by_which_rules(original):
    lines = {one.case: one for one in original.check().cases}
    agreed, single = lines["sub-001_ct"], lines["sub-003_ct"]
    assert (agreed.readers, agreed.reviewers, agreed.slot) == (
        ("r01", "r02"), ("m1",), "consensus",
    )  # fmt: skip
    assert (single.readers, single.reviewers, single.slot) == (("r01",), ("r04",), "A")
    assert single.rules == "basic 2026c"
    assert len(single.originals) == 1
    assert single.when
    assert single.verdict is Verdict.GREEN


def test_who_was_only_tested_with_a_case_is_not_named_as_its_reader(made):
    def tested(one: CaseChain) -> CaseChain:
        read = next(link for link in one.links if link.event == "review.submit")
        return replace(one, links=(*one.links, replace(read, slot="C", by="r03", number=1)))

    made.forge(tested)
    line = next(one for one in made.check().cases if one.case == "sub-003_ct")
    assert line.readers == ("r01",)


def test_a_key_that_nobody_told_is_amber_and_one_that_may_not_release_red(original):
    assert check_release(original.folder).verdict is Verdict.AMBER
    report = check_release(original.folder, trust=[fingerprint(FORGER.public)])
    assert {one.rule for one in report.findings} == {"stranger"}
    assert report.verdict is Verdict.RED


def test_files_of_a_release_cannot_be_written(original):
    modes = {
        path.stat().st_mode & 0o777 for path in original.folder.rglob("*") if path.is_file()
    }
    assert modes == {0o444}


def test_no_name_token_or_path_of_a_person_is_in_it(original):
    whole = b"".join(p.read_bytes() for p in original.folder.rglob("*.json"))
    assert b"s1-" not in whole  # the patient's token in the log
    signature = (original.folder / SIGNATURE).read_bytes()
    assert json.loads(signature)["name"] == "m1"
    assert whole.count(b"u1-") == signature.count(b"u1-") == 1


def test_a_changed_voxel_of_a_mask_is_found_even_when_a_trusted_key_signs_it(made):
    path = made.folder / MASK
    array, grid = read_labels_nifti(path)
    array[0, 0, 0] = 2
    write_anew(path, array, grid.affine)
    assert ("changed", MASK) in made.rules()
    made.resign()
    assert made.rules() == {("file", "sub-001_ct"), ("receipt", RECEIPT_NAME)}


def test_a_changed_byte_of_a_scan_is_found(made):
    path = made.folder / SCAN
    values = np.array(load(path).array)
    values[0, 0, 0] += 1
    write_anew(path, values, load(path).grid.affine)
    assert ("changed", SCAN) in made.rules()
    made.resign()
    assert ("scan", "sub-001_ct") in made.rules()


@pytest.mark.parametrize("name", ["DATASHEET.md", "CLAIM.md", "croissant.json"])
def test_a_changed_sentence_of_a_document_is_found(made, name):
    path = made.folder / name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("3 scans", "4 scans"), encoding="utf-8")
    made.resign()
    assert ("document", name) in made.rules()


def test_landmarks_that_are_not_the_version_s_are_found_with_the_study(made):
    path = made.folder / OTHER.replace("dseg.nii.gz", "landmarks.mrk.json")
    path.write_text(path.read_text().replace("2.5", "2.6"))
    made.resign()
    assert ("file", "sub-003_ct") not in made.rules()
    assert ("file", "sub-003_ct") in made.rules(study=True)


def test_facts_that_count_others_than_the_chain_are_found(made):
    path = made.folder / "facts.json"
    path.write_text(path.read_text().replace('"cases": 3,', '"cases": 4,', 1))
    made.resign()
    assert ("facts", "facts.json") in made.rules()


@pytest.mark.parametrize(
    ("told", "forged"),
    [('"raters": 2', '"raters": 9'), ('"reviewers": 1', '"reviewers": 2'),
     ('"approved": 1', '"approved": 5'), ('"older_rules": 0', '"older_rules": 1')],
)  # fmt: skip
def test_facts_that_count_other_people_or_readings_than_the_chain_are_found(made, told, forged):
    path = made.folder / "facts.json"
    assert told in path.read_text()
    path.write_text(path.read_text().replace(told, forged))
    made.resign()
    found = [one for one in made.check().findings if one.where == "facts.json"]
    assert [(one.level, one.rule) for one in found] == [("error", "facts")]
    assert "count people or readings otherwise" in found[0].words
    # An earlier version counted otherwise: that is a doubt, as of its documents.
    told = re.sub(r'"software": "[^"]*"', '"software": "napari-medlabel 0"', path.read_text())
    path.write_text(told)
    made.resign()
    found = [one for one in made.check().findings if one.where == "facts.json"]
    assert [(one.level, one.rule) for one in found] == [("warning", "facts")]


def test_a_report_of_agreement_is_held_by_its_hash(made):
    path = made.folder / "GRRAS.md"
    path.write_text(path.read_text() + "All agree.\n")
    assert made.rules() == {("changed", "GRRAS.md"), ("receipt", RECEIPT_NAME)}


def test_a_changed_entry_of_the_manifest_breaks_its_signature(made):
    path = made.folder / MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"size":9', b'"size":8', 1))
    assert ("signature", MANIFEST) in made.rules()


def test_a_signature_over_an_older_manifest_is_found(made):
    stale = (made.folder / SIGNATURE).read_bytes()
    (made.folder / "README.md").write_text("# Another\n")
    made.resign()
    (made.folder / SIGNATURE).write_bytes(stale)
    assert ("signature", MANIFEST) in made.rules()


def test_masks_of_two_cases_that_changed_places_are_found_in_both(made):
    first, second = made.folder / MASK, made.folder / OTHER
    aside = made.folder / "aside"
    first.rename(aside)
    second.rename(first)
    aside.rename(second)
    made.resign()
    assert {("file", "sub-001_ct"), ("file", "sub-003_ct")} <= made.rules()


def test_a_further_and_a_missing_file_are_found(made):
    (made.folder / "participants.json").unlink()
    (made.folder / "CHANGES").write_text("none\n")
    assert {("missing", "participants.json"), ("extra", "CHANGES")} <= made.rules()


def test_a_mask_that_no_chain_tells_of_is_found(made):
    shutil.copy(made.folder / MASK, made.folder / MASK.replace("v001", "v002"))
    made.resign()
    assert ("stranger", MASK.replace("v001", "v002")) in made.rules()


def test_a_missing_signature_and_a_missing_receipt_are_amber(made):
    (made.folder / SIGNATURE).unlink()
    (made.folder / RECEIPT_NAME).unlink()
    report = made.check()
    assert report.verdict is Verdict.AMBER
    assert {one.rule for one in report.findings} == {"unsigned", "receipt"}


def test_a_receipt_that_was_taken_away_is_red_with_the_study_whose_log_tells_of_it(made):
    (made.folder / RECEIPT_NAME).unlink()
    for study, level in ((False, "warning"), (True, "error")):
        found = made.check(study=study).findings
        assert [(one.level, one.rule, one.where) for one in found] == [
            (level, "receipt", RECEIPT_NAME)
        ]
    assert "was taken away" in found[0].words


def test_an_empty_folder_is_amber(made):
    (made.folder / "sub-099" / "anat").mkdir(parents=True)
    report = made.check(study=True)
    assert [(one.rule, one.where) for one in report.findings] == [("empty", "sub-099/anat")]
    assert report.verdict is Verdict.AMBER


@pytest.mark.parametrize(
    ("event", "rule"),
    [("review.begin", "reviewed"), ("review.approve", "reviewed"), ("review.submit", "read"),
     ("study.case", "raw"), ("study.start", "reviewed")],
)  # fmt: skip
def test_a_dropped_line_is_found_without_the_log_and_by_name_with_it(made, event, rule):
    made.forge(without(event))
    alone, study = made.check(), made.check(study=True)
    assert (rule, "sub-003_ct") in {(one.rule, one.where) for one in alone.findings}
    said = [one.words for one in study.findings if "leaves it out" in one.words]
    assert any(event in words for words in said)


def test_a_dropped_consensus_is_found(made):
    made.forge(without("study.consensus"), "sub-001_ct")
    assert ("agreed", "sub-001_ct") in made.rules()


def test_a_line_that_is_not_under_the_log_s_head_is_found(made):
    def change(one: CaseChain) -> CaseChain:
        link = next(x for x in one.links if x.event == "review.approve")
        forged = replace(link, leaf=bytes(32))
        return replace(one, links=tuple(forged if x is link else x for x in one.links))

    made.forge(change)
    assert ("reviewed", "sub-003_ct") in made.rules()


def test_an_author_who_approves_is_found(made):
    def change(one: CaseChain) -> CaseChain:
        links = (replace(x, by="r01") if x.by == "r04" else x for x in one.links)
        return replace(one, links=tuple(links))

    made.forge(change)
    assert ("reviewed", "sub-003_ct") in made.rules()
    assert "somebody else did it" in " ".join(o.words for o in made.check(study=True).findings)


@pytest.mark.parametrize(
    ("change", "rule"),
    [({"originals": (f"sha256:{'0' * 64}",)}, "raw"), ({"cleaning": None}, "cleaned"),
     ({"pixels": f"sha256:{'0' * 64}"}, "scan"), ({"content": f"sha256:{'0' * 64}"}, "scan"),
     ({"mask": f"sha256:{'0' * 64}"}, "read"), ({"version": 9}, "read"),
     ({"originals": ()}, "raw")],
)  # fmt: skip
def test_a_link_that_says_something_else_than_the_study_is_found(made, change, rule):
    made.forge(lambda one: replace(one, **change))
    assert (rule, "sub-003_ct") in made.rules(study=True)


def test_a_patient_in_two_splits_is_found(made):
    path = made.folder / "participants.tsv"
    chain = made.chain()
    twin = replace(chain.cases[1], patient=chain.cases[0].patient)
    (made.folder / CHAIN).write_bytes(
        replace(chain, cases=(chain.cases[0], twin, chain.cases[2])).to_bytes()
    )
    lines = path.read_text().splitlines()
    rows = [line.split("\t") for line in lines]
    rows[1][-1], rows[2][-1] = "train", "test"
    path.write_text("\n".join("\t".join(row) for row in rows) + "\n")
    made.resign()
    assert ("split", "participants.tsv") in made.rules()


def test_another_head_of_the_log_is_found(made):
    def change(manifest: Manifest) -> Manifest:
        told = {x.origin for one in made.chain().cases for x in one.links}
        heads = tuple(
            Head(one.origin, one.size, bytes(32)) if one.origin in told else one
            for one in manifest.heads
        )
        return replace(manifest, heads=heads)

    made.resign(change)
    assert "log" in {rule for rule, _ in made.rules()}
    assert "log another" in {rule for rule, _ in made.rules(study=True)}


def test_a_receipt_of_another_data_set_is_found(made):
    data = json.loads((made.folder / RECEIPT_NAME).read_bytes())
    data["manifest"] = f"sha256:{'0' * 64}"
    (made.folder / RECEIPT_NAME).write_text(json.dumps(data))
    assert ("receipt", RECEIPT_NAME) in made.rules()


def test_a_study_that_kept_another_manifest_is_found(made, original):
    made.forge(without("review.begin"))
    assert {("kept", MANIFEST), ("log", MANIFEST)} <= made.rules(study=True)


@pytest.mark.parametrize(
    ("revoked_ms", "rules"), [(None, set()), (0, {"stranger", "unknown key"})]
)
def test_a_key_that_the_officer_names_is_trusted_until_it_is_revoked(
    original, monkeypatch, tmp_path, revoked_ms, rules
):
    user = SimpleNamespace(revoked_ms=revoked_ms)
    site = SimpleNamespace(user=lambda _token, _public: user)
    history = SimpleNamespace(
        current=SimpleNamespace(site=site), problems=(), follows_from=lambda _key: True
    )
    monkeypatch.setattr(release_check, "read_pin", lambda _state: Pin("ward", bytes(32)))
    monkeypatch.setattr(release_check, "read_history", lambda _root: history)
    report = check_release(original.folder, layout=original.layout, state=tmp_path)
    assert {one.rule for one in report.findings} == rules


def test_lines_that_were_deleted_when_their_time_was_over_are_amber(made, tmp_path):
    shutil.copytree(made.layout.root, tmp_path / "study")
    there = replace(made, layout=Layout(tmp_path / "study"))
    link = next(
        x for x in made.chain().cases[2].links if x.event == "review.approve"
    )  # in a session of its own
    head = next(x.head for x in made.chain().sessions if x.head.origin == link.origin)
    (there.layout.audit / session_file(head.origin)).unlink()
    assert ("log missing", "session (...)") in {
        (rule, re.sub(" .*", " (...)", where)) for rule, where in there.rules(study=True)
    }
    report = check_release(
        there.folder, trust=[made.letters], layout=there.layout, pruned=[head]
    )
    told = {(one.level, one.rule) for one in report.findings if one.where == "sub-003_ct"}
    assert told == {("warning", "read")}


def test_words_of_another_version_of_the_program_are_amber(made, monkeypatch):
    monkeypatch.setattr(contents, "__version__", "99.0")
    (made.folder / "CLAIM.md").write_text("# In other words\n")
    made.resign()
    found = {(one.level, one.rule) for one in made.check().findings}
    assert found == {("warning", "document"), ("warning", "receipt")}


@pytest.mark.parametrize("name", [CHAIN, MANIFEST, "facts.json", RECEIPT_NAME, SIGNATURE])
def test_files_that_are_none_are_red_and_raise_nothing(made, name):
    (made.folder / name).write_bytes(b'{"v":[')
    assert made.check().verdict is Verdict.RED


def test_a_folder_that_is_none_is_said_so(tmp_path):
    with pytest.raises(InputError, match="The folder of a release was expected"):
        check_release(tmp_path / "nothing")


def test_the_page_says_all_of_it_and_escapes_it(original):
    page = page_of(original.check(), "Fine <b>.").decode()
    assert "sub-003_ct" in page
    assert "Fine &lt;b&gt;." in page
    assert "<script" not in page


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what mlcroissant builds upon
def test_croissant_of_a_release_validates(original):
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    dataset = mlcroissant.Dataset(jsonld=original.folder / "croissant.json")
    assert len(list(dataset.records("patients"))) == 3
