"""Each command writes exactly its events into the log: no more, no less, none forgotten."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.audit.keys.tokens import load_token_key
from napari_medlabel.audit.writer.place import default_root, default_state
from napari_medlabel.cli.main import build_parser, main
from napari_medlabel.deid.report.counts import Look, Queued
from napari_medlabel.deid.report.review import write_queue
from napari_medlabel.io.nifti.reading import load
from napari_medlabel.io.nifti.write import write_mask_nifti
from napari_medlabel.project.layout import CaseId, Layout
from napari_medlabel.project.ontology.document import read_ontology
from napari_medlabel.project.work.notes import WorkNotes, write_notes
from napari_medlabel.secret import passphrase as sealing
from napari_medlabel.session.case import Session
from napari_medlabel.session.saving import save
from tests.io.scans import voxels, write_series
from tests.session.study.small_study import add_plain_case

AMBIENT = {"session.open", "session.close", "anchor.observe"}
"""Events of the log about itself, in every session."""
ELSEWHERE = {
    "demo": "writes a log of its own; tests/cli/test_demo.py",
    "open": "a window; tests/session/test_every_action.py and tests/widgets",
}
SEES = ["export.begin", "export.done"]
WORDS = "correct horse battery"


def events() -> list[dict]:
    """Return the events of the log in order, the log's own left out."""
    paths = sorted(default_root().glob("writers/*/*/*/*.jsonl"), key=lambda path: path.name)
    lines = [json.loads(x) for path in paths for x in path.read_text().splitlines()]
    found = [x for x in lines if "event" in x and x["event"] not in AMBIENT]
    # The first command of a computer makes its token key, whichever command it is.
    own = ("key.create", "subject-token")
    return [x for x in found if (x["event"], x["detail"].get("key")) != own]


@dataclass
class World:
    """What commands work on; made before the log is looked at."""

    tmp: Path
    scan: Path
    session: Session
    patch: pytest.MonkeyPatch

    def path(self, name: str) -> str:
        return str(self.tmp / name)

    def run(self, *words: object) -> int:
        return main([str(word) for word in words])

    def case(self) -> str:
        """Return the folder of a mask that was saved twice."""
        for value in (1, 2):
            box = (slice(1, 3), slice(2, 4), slice(0, 1))
            self.session.edit(box, np.full((2, 2, 1), value, np.uint8), name="Square")
            save(self.session)
        return str(self.session.place.folder)

    def series(self) -> str:
        write_series(self.tmp / "ct", voxels(3))
        return self.path("ct")

    def words(self, text: str = WORDS, name: str = "words") -> str:
        path = self.tmp / name
        path.write_text(f"{text}\n")
        path.chmod(0o600)
        return str(path)

    def project(self) -> str:
        assert self.run("deid", "key", "create", "--key", self.path("k")) == 0
        return self.path("k")

    def cleaned(self) -> str:
        key = self.project()
        assert self.run("deid", self.series(), self.path("out"), "--key", key) == 0
        return key

    def queue(self) -> str:
        folder = self.tmp / "out-review"
        (folder / "P-1").mkdir(parents=True)
        (folder / "P-1" / "I-1.dcm").write_bytes(b"1")
        write_queue(folder, [Queued(1, "F-AAAA", ("P-1", "I-1.dcm"), frozenset({Look.FACE}))])
        (self.tmp / "out").mkdir()
        report = {"review": [{"token": "F-AAAA"}]}
        (self.tmp / "out" / "deid-report.json").write_text(json.dumps(report))
        return str(folder)

    def site(self) -> None:
        command = ("audit", "site", "init", "ward-3", "--passphrase-file", self.words())
        assert self.run(*command) == 0

    def signer(self) -> str:
        case = self.case()
        assert self.run("sign", "key", "--passphrase-file", self.words()) == 0
        return case

    def approved(self) -> str:
        """Return the folder of a mask that another account approved, who sits here now."""
        case = self.case()
        patch = self.patch
        for place in ("session.signing", "audit.writer.place"):
            patch.setattr(f"napari_medlabel.{place}.account_name", lambda: "colleague")
        assert self.run("sign", "key", "--passphrase-file", self.words()) == 0
        command = ("sign", case, "--meaning", "approved", "--name", "B. Muster")
        assert self.run(*command, "--passphrase-file", self.path("words")) == 0
        return case

    def deleted(self) -> str:
        case = self.case()
        assert self.run("mask", "delete", case, "--reason", "OTHER") == 0
        return case

    def unsaved(self) -> str:
        case = self.case()
        self.session.labels.array[0, 0, 3] = 5
        assert self.session.keeper.sweep()
        return case

    def points(self, name: str = "points.csv", place: float = 1) -> str:
        (self.tmp / name).write_text(f"label,r,a,s\nA,{place},2,3\nB,4,5,6\n")
        return self.path(name)

    def broken(self) -> str:
        (self.tmp / "broken.nii").write_bytes(self.scan.read_bytes()[:40])
        return self.path("broken.nii")

    def new_study(self) -> str:
        """Return where a study is to be; from here on its log is looked at."""
        self.patch.setenv("MEDLABEL_AUDIT_DIR", self.path("study/medlabel/audit"))
        return self.path("study")

    def study(self) -> str:
        assert self.run("project", "init", self.new_study(), "--name", "Study") == 0
        return self.path("study")

    def ruled(self) -> str:
        """Return a study whose guidelines were changed."""
        study = self.study()
        Layout(Path(study)).guidelines.write_text("# Guidelines\n")
        return study

    def one_more_label(self) -> str:
        path = self.tmp / "more.tsv"
        path.write_text("index\tname\tcolor\n200\tOne more\t#123456\n")
        return str(path)

    def added(self) -> str:
        study, key = self.study(), self.path("k")
        assert self.run("project", "add", study, self.series(), "--key", key) == 0
        return study

    def staffed(self) -> list[str]:
        """Return a study with a case that this account may read and review, and the case."""
        study = self.study()
        case = add_plain_case(Layout(Path(study)), 1)
        mine = ("--roles", "annotator", "reviewer", "manager")
        assert self.run("project", "rater", study, "r01", *mine) == 0
        return [study, str(case)]

    def true(self) -> list[str]:
        """Return a study, and a case with its truth."""
        study, case = self.staffed()
        scan = load(Layout(Path(study)).scan(CaseId.parse(case)))
        truth = self.tmp / "truth.nii.gz"
        empty = np.zeros(scan.grid.shape[::-1], np.uint8).T
        write_mask_nifti(truth, empty, None, False, scan.grid.affine)
        return [study, "--add", case, "--mask", str(truth)]

    def begun(self) -> list[str]:
        """Return a case that this account has begun to read: nothing is to be found in it."""
        study, case = self.staffed()
        assert self.run("project", "claim", study, case) == 0
        layout = Layout(Path(study))
        absent = frozenset(one.id for one in read_ontology(layout.ontology).labels)
        write_notes(layout.work("r01", CaseId.parse(case)), WorkNotes(absent=absent))
        return [study, case]

    def submitted(self) -> list[str]:
        """Return a case that this account has read; a colleague sits here now."""
        study, case = self.begun()
        assert self.run("project", "submit", study, case) == 0
        self.colleague(study, "reviewer")
        return [study, case, "--slot", "A"]

    def colleague(self, study: str, *roles: str) -> None:
        """Let a colleague sit here from now on."""
        token = load_token_key(default_state()).user_token("colleague")
        theirs = ("--user", token, "--roles", *roles)
        assert self.run("project", "rater", study, "r02", *theirs) == 0
        for place in (
            "session.signing",
            "session.study.setting_up",
            "audit.writer.place",
        ):
            self.patch.setattr(f"napari_medlabel.{place}.account_name", lambda: "colleague")

    def reviewed(self) -> list[str]:
        """Return a reading that the colleague has taken into review."""
        found = self.submitted()
        assert self.run("project", "review", *found, "--begin") == 0
        self.label = read_ontology(Layout(Path(found[0])).ontology).labels[0].id
        return found

    def ready(self) -> str:
        """Return a study whose only case is approved; the colleague may export."""
        study = self.added()
        assert (
            self.run("project", "rater", study, "r01", "--roles", "annotator", "manager") == 0
        )
        assert self.run("project", "claim", study, "sub-001_ct") == 0
        layout = Layout(Path(study))
        absent = frozenset(one.id for one in read_ontology(layout.ontology).labels)
        work = layout.work("r01", CaseId("001"))
        write_notes(work, WorkNotes(shown=frozenset(range(3)), absent=absent))
        assert self.run("project", "submit", study, "sub-001_ct") == 0
        self.colleague(study, "reviewer", "releaser")
        found = (study, "sub-001_ct", "--slot", "A")
        assert self.run("project", "review", *found, "--begin") == 0
        assert self.run("project", "review", *found, "--approve") == 0
        return study

    def a_mask(self) -> str:
        """Return a mask on the grid of the plain case, with a value of its ontology."""
        from napari_medlabel.geometry.affine import Affine

        array = np.zeros((6, 8, 10), np.uint8).T
        array[2:4, 2:4, 2] = 1
        place = Affine(np.diag([2.0, 2.0, 3.0, 1.0]))
        write_mask_nifti(self.tmp / "m.nii.gz", array, None, False, place)
        return self.path("m.nii.gz")

    def other_grid(self) -> str:
        from napari_medlabel.geometry.affine import Affine

        array = np.zeros((3, 4, 5), np.uint8).T
        write_mask_nifti(self.tmp / "m.nii.gz", array, None, False, Affine(np.eye(4)))
        return self.path("m.nii.gz")


@pytest.fixture
def world(
    tmp_path: Path, scan: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setattr(sealing, "MEMORY_KIB", 64)
    monkeypatch.setattr(sealing, "ITERATIONS", 1)
    yield World(tmp_path, scan, session, monkeypatch)
    shutil.rmtree(tmp_path / "ct", ignore_errors=True)


Words = Callable[[World], list[str]]
CASES: dict[str, tuple[Words, int, list[str]]] = {
    "info": (lambda w: ["info", str(w.scan)], 0, []),
    "info, of what cannot be read": (lambda w: ["info", w.broken()], 2, []),
    "scan": (lambda w: ["scan", str(w.scan)], 0, []),
    "convert": (
        lambda w: ["convert", str(w.scan), w.path("a.nii.gz")],
        0,
        ["volume.open", "import.convert", *SEES],
    ),
    "convert, of what cannot be read": (
        lambda w: ["convert", w.broken(), w.path("a.nii.gz")],
        2,
        ["volume.open.denied"],
    ),
    "convert, of what is not there": (
        lambda w: ["convert", w.path("nothing"), w.path("a.nii.gz")],
        2,
        [],
    ),
    "convert, onto what is there": (
        lambda w: ["convert", str(w.scan), str(w.scan)],
        2,
        [],
    ),
    "landmarks info": (lambda w: ["landmarks", "info", w.points()], 0, []),
    "landmarks convert": (
        lambda w: ["landmarks", "convert", w.points(), w.path("a.fcsv")],
        0,
        [],
    ),
    "landmarks convert, onto what is there": (
        lambda w: ["landmarks", "convert", w.points(), w.path("points.csv")],
        2,
        [],
    ),
    "landmarks compare": (
        lambda w: ["landmarks", "compare", w.points(), w.points(), "--limit", "1"],
        0,
        [],
    ),
    "landmarks compare, below the limit": (
        lambda w: [
            *["landmarks", "compare", w.points(), w.points("more.csv", 9)],
            *["--limit", "1"],
        ],
        3,
        [],
    ),
    "mask history": (lambda w: ["mask", "history", w.case()], 0, ["audit.view"]),
    "mask stats": (lambda w: ["mask", "stats", w.case()], 0, []),
    "mask stats, with the scan": (
        lambda w: ["mask", "stats", w.case(), "--scan", str(w.scan)],
        0,
        ["volume.open"],
    ),
    "mask stats, of another grid than the scan's": (
        lambda w: ["mask", "stats", w.other_grid(), "--scan", str(w.scan)],
        2,
        ["volume.open.denied"],
    ),
    "mask stats, of what is not there": (lambda w: ["mask", "stats", w.path("no")], 2, []),
    "mask compare": (lambda w: ["mask", "compare", *[w.other_grid()] * 2], 0, []),
    "mask compare, of two grids": (
        lambda w: ["mask", "compare", w.other_grid(), w.case()],
        2,
        [],
    ),
    "mask restore": (
        lambda w: ["mask", "restore", w.case(), "--version", "1", "--reason", "OTHER"],
        0,
        ["mask.restore"],
    ),
    "mask restore, with a text": (
        lambda w: [
            *["mask", "restore", w.site() or w.case(), "--version", "1"],
            *["--reason", "OTHER", "--text", "unclear"],
        ],
        0,
        ["mask.restore"],
    ),
    "mask restore, with a text that nobody could read": (
        lambda w: [
            *["mask", "restore", w.case(), "--version", "1"],
            *["--reason", "OTHER", "--text", "unclear"],
        ],
        3,
        [],
    ),
    "mask restore, of a version that is not there": (
        lambda w: ["mask", "restore", w.case(), "--version", "9", "--reason", "OTHER"],
        2,
        [],
    ),
    "mask delete": (
        lambda w: ["mask", "delete", w.case(), "--reason", "WRONG_PATIENT"],
        0,
        ["mask.delete"],
    ),
    "mask delete, of what is deleted": (
        lambda w: ["mask", "delete", w.deleted(), "--reason", "WRONG_PATIENT"],
        2,
        [],
    ),
    "mask delete, under unsaved work": (
        lambda w: ["mask", "delete", w.unsaved(), "--reason", "WRONG_PATIENT"],
        3,
        [],
    ),
    "mask restore, of what is deleted": (
        lambda w: ["mask", "restore", w.deleted(), "--version", "1", "--reason", "OTHER"],
        0,
        ["mask.restore"],
    ),
    "deid": (
        lambda w: ["deid", w.series(), w.path("out"), "--key", w.project()],
        0,
        ["export.begin", "deid.run", "export.done"],
    ),
    "deid, only looked at": (
        lambda w: ["deid", w.series(), w.path("out"), "--key", w.project(), "--dry-run"],
        0,
        [],
    ),
    "deid key create": (
        lambda w: ["deid", "key", "create", "--key", w.path("k")],
        0,
        ["key.create"],
    ),
    "deid key show": (lambda w: ["deid", "key", "show", "--key", w.project()], 0, []),
    "deid key passphrase": (
        lambda w: [
            *["deid", "key", "passphrase", "set", "--key", w.project()],
            *["--new-passphrase-file", w.words()],
        ],
        0,
        ["key.seal"],
    ),
    "deid link": (
        lambda w: ["deid", "link", "--key", w.cleaned(), "P-AAAAAAAA"],
        2,
        ["reid.lookup"],
    ),
    "deid review": (lambda w: ["deid", "review", w.queue()], 0, []),
    "deid review, with a decision": (
        lambda w: ["deid", "review", w.queue(), "--reject", "F-AAAA", "--into", w.path("out")],
        0,
        ["export.begin", "deid.review", "export.done"],
    ),
    "sign key": (
        lambda w: ["sign", "key", "--passphrase-file", w.words()],
        0,
        ["key.create"],
    ),
    "sign": (
        lambda w: [
            *["sign", w.signer(), "--meaning", "authored", "--name", "A. Muster"],
            *["--passphrase-file", w.path("words")],
        ],
        0,
        ["sign.apply", "review.submit"],
    ),
    "sign, of another's work as reviewed": (
        lambda w: [
            *["sign", w.approved(), "--meaning", "reviewed", "--name", "B. Muster"],
            *["--passphrase-file", w.path("words")],
        ],
        0,
        ["sign.apply"],
    ),
    "sign, of another's work as approved": (
        lambda w: [
            *["sign", w.approved(), "--meaning", "approved", "--name", "B. Muster"],
            *["--passphrase-file", w.path("words")],
        ],
        0,
        ["sign.apply", "review.approve"],
    ),
    "sign reject": (
        lambda w: ["sign", "reject", w.approved(), "--reason", "QA_FEEDBACK"],
        0,
        ["review.reject"],
    ),
    "sign reject, of one's own work": (
        lambda w: ["sign", "reject", w.case(), "--reason", "QA_FEEDBACK"],
        3,
        [],
    ),
    "sign reject, with a text that nobody could read": (
        lambda w: [*["sign", "reject", w.approved(), "--reason", "OTHER", "--text", "unclear"]],
        3,
        [],
    ),
    "sign unlock": (
        lambda w: ["sign", "unlock", w.approved(), "--reason", "PROTOCOL"],
        0,
        ["review.unlock"],
    ),
    "sign unlock, of what nobody approved": (
        lambda w: ["sign", "unlock", w.case(), "--reason", "PROTOCOL"],
        3,
        [],
    ),
    "sign, of one's own work as approved": (
        lambda w: [
            *["sign", w.signer(), "--meaning", "approved", "--name", "A. Muster"],
            *["--passphrase-file", w.path("words")],
        ],
        3,
        ["sign.fail"],
    ),
    "sign, with a wrong passphrase": (
        lambda w: [
            *["sign", w.signer(), "--meaning", "authored", "--name", "A. Muster"],
            *["--passphrase-file", w.words("something else", "wrong")],
        ],
        2,
        ["sign.fail"],
    ),
    "sign verify": (lambda w: ["sign", "verify", w.signer()], 4, []),
    "project init": (
        lambda w: ["project", "init", w.new_study(), "--name", "Study"],
        0,
        ["study.rules", "study.rules", "study.rules"],
    ),
    "project init, where there is a study": (
        lambda w: ["project", "init", w.study(), "--name", "Study"],
        3,
        [],
    ),
    "project rater": (lambda w: ["project", "rater", w.study(), "r02"], 0, ["study.rules"]),
    "project rater, as it is": (
        lambda w: ["project", "rater", w.study(), "r01", "--me"],
        0,
        [],
    ),
    "project add": (
        lambda w: [
            *["project", "add", w.study(), w.series(), "--key", w.path("k")],
        ],
        0,
        ["key.create", "export.begin", "deid.run", "export.done", "study.case"],
    ),
    "project add, of what is there": (
        lambda w: ["project", "add", w.added(), w.path("ct"), "--key", w.path("k")],
        3,
        ["export.begin", "deid.run", "export.done"],
    ),
    "project gold": (lambda w: ["project", "gold", w.staffed()[0]], 0, []),
    "project gold, added": (lambda w: ["project", "gold", *w.true()], 0, ["study.rules"]),
    "project gold, of no manager": (
        lambda w: ["project", "gold", w.submitted()[0], "--score"],
        3,
        [],
    ),
    "project calibrate": (lambda w: ["project", "calibrate", w.staffed()[0]], 0, []),
    "project calibrate, begun": (
        lambda w: [
            *["project", "calibrate", (study := w.staffed())[0], "--begin"],
            *["--cases", study[1], "--raters", "r01"],
        ],
        0,
        ["study.rules"],
    ),
    "project bias, of nothing": (lambda w: ["project", "bias", w.staffed()[0]], 2, []),
    "project next": (lambda w: ["project", "next", w.staffed()[0]], 0, []),
    "project next, begun": (
        lambda w: ["project", "next", w.staffed()[0], "--begin"],
        0,
        ["study.claim", "study.start"],
    ),
    "project claim": (
        lambda w: ["project", "claim", *w.staffed()],
        0,
        ["study.claim", "study.start"],
    ),
    "project claim, of what one has": (lambda w: ["project", "claim", *w.begun()], 0, []),
    "project claim, given back": (
        lambda w: ["project", "claim", *w.begun(), "--release"],
        0,
        ["study.release"],
    ),
    "project claim, skipped": (
        lambda w: ["project", "claim", *w.staffed(), "--skip", "--reason", "PROTOCOL"],
        0,
        ["study.skip"],
    ),
    "project claim, assigned": (
        lambda w: ["project", "claim", *w.staffed(), "--priority", "3"],
        0,
        ["study.rules"],
    ),
    "project submit": (lambda w: ["project", "submit", *w.begun()], 0, ["review.submit"]),
    "project submit, only looked at": (
        lambda w: ["project", "submit", *w.begun(), "--check"],
        0,
        [],
    ),
    "project submit, of nothing": (
        lambda w: ["project", "submit", *w.staffed(), "--slot", "A"],
        2,
        [],
    ),
    "project review": (
        lambda w: ["project", "review", *w.submitted(), "--begin"],
        0,
        ["review.begin"],
    ),
    "project review, scored": (
        lambda w: ["project", "review", *w.submitted(), "--score", "2"],
        0,
        ["review.begin", "review.reject"],
    ),
    "project review, by labels": (
        lambda w: [
            *["project", "review", *w.reviewed(), "--reason", "CORRECTION"],
            *["--label", f"{w.label}=reject:missed"],
        ],
        0,
        ["review.reject"],
    ),
    "project comment": (
        lambda w: ["project", "comment", *w.submitted(), "--text", "Why?", "--at=1,2,3"],
        0,
        ["study.comment"],
    ),
    "project comment, listed": (lambda w: ["project", "comment", *w.submitted()], 0, []),
    "project sample": (
        lambda w: ["project", "sample", w.submitted()[0], "-n", "1"],
        0,
        ["study.draw"],
    ),
    "project sample, scored": (
        lambda w: [
            *["project", "sample", (of := w.submitted())[0]],
            *["--score", of[1], "A", "4"],
        ],
        0,
        ["study.score", "review.begin", "review.approve", "study.draw", "study.draw"],
    ),
    "project review, of what is not in review": (
        lambda w: ["project", "review", *w.submitted(), "--approve"],
        3,
        [],
    ),
    "project ontology import": (
        lambda w: ["project", "ontology", "import", w.study(), w.one_more_label()],
        0,
        ["study.rules"],
    ),
    "project ontology export": (
        lambda w: ["project", "ontology", "export", w.study(), w.path("labels.txt")],
        0,
        [],
    ),
    "project ontology check": (lambda w: ["project", "ontology", "check", w.study()], 0, []),
    "project rules, as the log knows them": (
        lambda w: ["project", "rules", w.study()],
        0,
        [],
    ),
    "project rules, of which one was changed": (
        lambda w: ["project", "rules", w.ruled(), "--outdate"],
        0,
        ["study.rules"],
    ),
    "project rules, of who settles": (
        lambda w: ["project", "rules", w.study(), "--adjudicator", "reader"],
        0,
        ["study.rules"],
    ),
    "project status": (lambda w: ["project", "status", w.begun()[0]], 0, []),
    # With two readings: tests/session/study/test_agreeing.py
    "project agree, of single readings": (
        lambda w: ["project", "agree", w.begun()[0]],
        2,
        [],
    ),
    "project consensus, without an adjudicator": (
        lambda w: ["project", "consensus", *w.submitted()[:2], "--rule", "union"],
        3,
        [],
    ),
    "project import": (
        lambda w: ["project", "import", *w.begun(), w.a_mask(), "--by-value"],
        0,
        ["volume.open", "import.convert", "mask.create"],
    ),
    "project import, of another grid": (
        lambda w: ["project", "import", *w.begun(), w.other_grid(), "--by-value"],
        2,
        ["volume.open"],
    ),
    "export": (
        lambda w: [
            *["export", w.ready(), w.path("o"), "--format", "nifti,csv"],
            *["--reason", "PROTOCOL"],
        ],
        0,
        ["export.begin", "export.done"],
    ),
    "export, checked": (
        lambda w: ["export", w.added(), "--check", "--format", "csv"],
        3,
        [],
    ),
    # One that is made: tests/session/study/test_releasing.py
    "project release, of what is not ready": (
        lambda w: ["project", "release", w.added(), "one", "--unsigned"],
        3,
        [],
    ),
    # One that is finished: tests/session/study/test_release_finish.py
    "project release, to finish what was never begun": (
        lambda w: ["project", "release", w.added(), "one", "--finish"],
        2,
        [],
    ),
    "verify": (lambda w: ["verify", w.series()], 5, []),
    "project validate": (lambda w: ["project", "validate", w.added()], 4, []),
    "audit verify": (lambda w: [w.case() and "audit", "verify"], 4, ["audit.verify"]),
    "audit show": (lambda w: [w.case() and "audit", "show"], 4, ["audit.view"]),
    "audit demo": (lambda w: [w.case() and "audit", "demo"], 0, []),
    "audit code": (lambda w: [w.case() and "audit", "code"], 0, ["audit.report"]),
    "audit export": (
        lambda w: [w.case() and "audit", "export", "-o", w.path("e.csv"), "--format", "csv"],
        4,
        ["audit.export"],
    ),
    "audit key create": (
        lambda w: ["audit", "key", "create", "--passphrase-file", w.words()],
        0,
        ["key.create"],
    ),
    "audit key show": (lambda w: ["audit", "key", "show"], 2, []),
    "audit key rotate": (lambda w: ["audit", "key", "rotate", "tokens"], 0, ["key.rotate"]),
    "audit report": (
        lambda w: [w.case() and "audit", "report", "-o", w.path("r.html")],
        4,
        ["audit.report"],
    ),
    "audit site init": (
        lambda w: ["audit", "site", "init", "ward-3", "--passphrase-file", w.words()],
        0,
        ["key.create", "config.change"],
    ),
    "audit site show": (lambda w: [w.site() or "audit", "site", "show"], 0, []),
    "audit site policy": (
        lambda w: [
            *[w.site() or "audit", "site", "policy", "review_days=7"],
            *["--passphrase-file", w.path("words")],
        ],
        0,
        ["config.change"],
    ),
    "audit who": (
        lambda w: [w.case() and "audit", "who", str(default_root()), "MRN-1"],
        4,
        ["audit.view"],
    ),
}
KNOWN_BY_THEIR_OWN_TESTS = {
    "audit key revoke",
    "audit key tokens",
    "audit anew",
    "audit prune",
    "audit reason erase",
    "audit reason show",
    "audit receipt",
    "audit review",
    "audit site join",
    "audit site officer",
    "audit site pin",
    "audit site revoke",
    "audit site trust",
    "audit site user",
    "audit site witness",
    "audit timestamp",
    "audit witness",
}
"""Each needs an officer, a second computer or another account: tests/cli/test_audit_*.py."""


@pytest.mark.parametrize("name", CASES)
def test_a_command_writes_exactly_its_events(
    world: World, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make, code, expected = CASES[name]
    words = make(world)
    before = len(events())
    assert world.run(*words) == code, capsys.readouterr().err
    assert [one["event"] for one in events()[before:]] == expected


def leaves(parser: argparse.ArgumentParser, *before: str) -> Iterator[str]:
    """Return every command that can be given."""
    below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not below:
        yield " ".join(before)
    for action in below:
        for name, child in action.choices.items():
            yield from leaves(child, *before, name)


def test_every_command_has_its_line_in_this_table() -> None:
    listed = {name.partition(",")[0] for name in CASES} | set(ELSEWHERE)
    assert set(leaves(build_parser())) - listed == KNOWN_BY_THEIR_OWN_TESTS
