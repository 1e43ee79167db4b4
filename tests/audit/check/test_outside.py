"""What others hold of a log: each of them alone shows what is missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_medlabel.audit.anchors.code import keep_code, make_code
from napari_medlabel.audit.anchors.heads import publish
from napari_medlabel.audit.anchors.receipt import make_receipt
from napari_medlabel.audit.check.outside import _moment
from napari_medlabel.audit.check.verdict import LogReport, Verdict
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.layout import head_note, witness_note
from napari_medlabel.audit.format.record import time_text
from napari_medlabel.audit.keys.site import Witness
from napari_medlabel.errors import InputError
from tests.audit.bench import SAVE
from tests.audit.check.ward import OTHER_WRITER, WITNESS, Ward

_MANIFEST = "sha256:" + "5e" * 32
_DONE = Event("export.done", detail={"destination": "folder", "manifest": _MANIFEST})


def _found(report: LogReport) -> list[tuple[str, str]]:
    return sorted({(f.level, f.code) for f in report.findings if f.level != "note"})


def _cut(path: Path, lines: int = 2) -> None:
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole[:-lines]))


def _publish(ward: Ward, path: Path) -> Path:
    from napari_medlabel.audit.check.session_check import check_session

    report = check_session(path, path.relative_to(ward.root).as_posix())
    assert report.sealed is not None
    publish(ward.bench.io, ward.root, report.sealed, report.signature)
    return ward.root / head_note(report.origin)


def _code(ward: Ward) -> str:
    report = ward.verify()
    code = make_code(report.sessions, "ward-3", time_text(ward.bench.clock.utc))
    keep_code(ward.root, code)
    return code.text


def _by_memory(ward: Ward, path: Path) -> dict[str, object]:
    return {}


def _by_witness(ward: Ward, path: Path) -> dict[str, object]:
    ward.look()
    return {"state": None}


def _by_peers(ward: Ward, path: Path) -> dict[str, object]:
    ward.observe(ward.head(path))
    return {"state": None}


def _by_paper(ward: Ward, path: Path) -> dict[str, object]:
    return {"state": None, "expect": _code(ward)}


def _by_receipt(ward: Ward, path: Path) -> dict[str, object]:
    receipt = ward.root.with_name("audit_receipt.json")
    receipt.write_bytes(make_receipt(path, _MANIFEST))
    return {"state": None, "receipts": [receipt]}


def _by_published(ward: Ward, path: Path) -> dict[str, object]:
    _publish(ward, path)
    return {"state": None}


_LIMBS: dict[str, tuple[Callable[[Ward, Path], dict[str, object]], str, str, str]] = {
    "memory": (_by_memory, "own memory", "TRUNCATED", "MISSING"),
    "witness": (_by_witness, "witness server", "TRUNCATED", "MISSING"),
    "peers": (_by_peers, "other workstations", "TRUNCATED", "MISSING"),
    "paper": (_by_paper, "code on paper", "CODE", "CODE"),
    "receipt": (_by_receipt, "receipts of exported data", "RECEIPT", "RECEIPT"),
    "published": (_by_published, "", "TRUNCATED", "MISSING"),
}


@pytest.mark.parametrize("limb", _LIMBS)
def test_each_anchor_alone_confirms_a_whole_log_and_misses_a_cut_end_and_a_file(
    ward: Ward, limb: str
) -> None:
    remember, words, cut, gone = _LIMBS[limb]
    path = ward.session(SAVE, _DONE)
    given = remember(ward, path)
    before = ward.verify(**given)
    holds_the_end = limb in {"memory", "witness", "paper", "peers"}
    assert (before.whole is Verdict.GREEN) == holds_the_end
    assert words in before.sentence
    lines = path.read_bytes()
    _cut(path, 5)
    assert ("red", cut) in _found(ward.verify(**given))
    path.write_bytes(lines)
    path.unlink()
    assert ("red", gone) in _found(ward.verify(**given))


def test_a_code_on_paper_still_fits_a_log_that_has_grown(ward: Ward) -> None:
    ward.session()
    code = _code(ward)
    ward.session()
    ward.look()
    report = ward.verify(expect=code.lower().replace("-", " "))
    assert report.verdict is Verdict.GREEN
    assert "the code on paper" in report.sentence
    assert _found(ward.verify(expect=_other_code(code))) == [("red", "CODE")]


def _other_code(text: str) -> str:
    from napari_medlabel.audit.format.crockford import check_letter

    letters = text.replace("-", "")[:32]
    other = ("1" if letters[0] != "1" else "2") + letters[1:]
    return other + check_letter(other)


def test_a_listing_without_a_time_says_none() -> None:
    assert _moment(b"medlabel-heads/v1\nward-3\nyesterday\n") == 0


def test_a_receipt_that_cannot_be_read_is_an_input_error(ward: Ward) -> None:
    ward.session()
    with pytest.raises(InputError, match="Receipt 1 cannot be read"):
        ward.verify(receipts=[ward.root / "none.json"])


def test_a_published_head_that_its_session_did_not_sign_is_amber(ward: Ward) -> None:
    note = _publish(ward, ward.session())
    other = _publish(ward, ward.session())
    ward.look()
    assert ward.verify().verdict is Verdict.GREEN
    whole = note.read_bytes()
    for bad in (
        whole.replace(b"\n3\n", b"\n2\n", 1),
        whole[:-30] + b"\n",
        other.read_bytes(),
        b"x",
    ):
        note.write_bytes(bad)
        report = ward.verify()
        assert _found(report) == [("amber", "PEER")], bad
    note.write_bytes(whole)
    assert ward.verify().verdict is Verdict.GREEN


def test_a_published_head_shows_that_a_session_was_emptied(ward: Ward) -> None:
    path = ward.session()
    _publish(ward, path)
    path.write_bytes(b"")
    assert ("red", "TRUNCATED") in _found(ward.verify(state=None))


def test_what_a_witness_left_is_worth_what_the_officer_says_of_it(ward: Ward) -> None:
    path = ward.session()
    ward.look()
    assert ward.verify().verdict is Verdict.GREEN
    ward.change(witnesses=())
    assert ("amber", "WITNESS") in _found(ward.verify())
    ward.change(witnesses=(Witness("server", WITNESS.public, 1),))
    assert ("amber", "WITNESS") in _found(ward.verify())
    ward.change(witnesses=(Witness("server", bytes(32)),))
    assert ("red", "WITNESS") in _found(ward.verify())
    note = ward.root / witness_note("server", ward.head(path).origin)
    note.write_bytes(b"x")
    assert ("red", "WITNESS") in _found(ward.verify())


def test_a_witness_without_a_site_is_left_alone(ward: Ward) -> None:
    ward.session(policy="")
    ward.look()
    (ward.root / "site.json").unlink()
    shutil.rmtree(ward.root / "site")
    assert "WITNESS" not in {finding.code for finding in ward.verify(state=None).findings}


@pytest.mark.parametrize("what", ["heads", "memory"])
def test_what_cannot_be_read_is_an_input_error(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    _publish(ward, ward.session())
    real = Path.open

    def denied(self: Path, *given: object, **more: object) -> object:
        if self.suffix == ".note":
            raise PermissionError
        return real(self, *given, **more)  # type: ignore[arg-type]

    if what == "heads":
        monkeypatch.setattr(Path, "open", denied)
    else:

        def refuse(state: Path) -> None:
            raise PermissionError

        monkeypatch.setattr("napari_medlabel.audit.check.outside.recall", refuse)
    with pytest.raises(InputError, match="cannot be read"):
        ward.verify()


def test_a_session_that_came_after_the_files_were_listed_is_not_missed(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_medlabel.audit.check import verify

    path = ward.session()
    ward.observe(ward.head(path))
    ward.look()
    real = verify.session_paths
    monkeypatch.setattr(
        verify, "session_paths", lambda root: [p for p in real(root) if p != path]
    )
    report = ward.verify()
    assert report.verdict is Verdict.GREEN
    assert len(report.sessions) == 2
    assert OTHER_WRITER in {session.writer for session in report.sessions}


def _batch(name: str, **heads: object) -> Event:
    return Event(name, detail=heads)


def test_a_batch_whose_workers_ended_as_they_said_is_whole(ward: Ward) -> None:
    one, two = ward.head(ward.session()).record(), ward.head(ward.session()).record()
    ward.session(
        _batch("batch.open", children=[]),
        _batch("batch.close", expected=[one, two], actual=[two, one]),
    )
    ward.look()
    assert ward.verify().verdict is Verdict.GREEN


def test_a_batch_whose_worker_was_lost_or_that_never_ended_is_amber(ward: Ward) -> None:
    one = ward.head(ward.session()).record()
    ward.session(
        _batch("batch.open", jobs=1),
        _batch("batch.close", expected=[one], actual=[]),
        _batch("batch.open", jobs=1),
    )
    ward.look()
    report = ward.verify()
    assert [(f.code, f.line) for f in report.findings] == [("BATCH", 4), ("BATCH", 5)]


def test_a_workers_file_that_was_deleted_is_missed_because_of_its_batch(ward: Ward) -> None:
    path = ward.session()
    head = ward.head(path).record()
    path.unlink()
    shutil.rmtree(ward.state / "heads")
    ward.session(_batch("batch.open"), _batch("batch.close", expected=[head], actual=[head]))
    assert ("red", "MISSING") in _found(ward.verify(state=None))


def _own_line(note: Path) -> tuple[list[str], int]:
    lines = note.read_text("utf-8").split("\n")
    (place,) = [n for n, line in enumerate(lines) if line.startswith("— medlabel.local/")]
    return lines, place


@pytest.mark.parametrize("change", ["bent", "gone", "of another key", "twice"])
@pytest.mark.parametrize("named", [True, False], ids=["named", "not named"])
def test_a_session_s_own_line_in_a_witness_s_note_is_checked(
    ward: Ward, change: str, named: bool
) -> None:
    path = ward.session()
    ward.look()
    if not named:
        ward.change(witnesses=())
    (note,) = ward.root.glob("witness/*/*/*.note")
    lines, place = _own_line(note)
    dash, name, raw = lines[place].split(" ")
    at = 4 if change == "of another key" else 40
    bent = f"{dash} {name} {raw[:at]}{'B' if raw[at] == 'A' else 'A'}{raw[at + 1 :]}"
    if change == "of another key":
        bent = f"{dash} {name} {'AAAA' if raw[:4] != 'AAAA' else 'BBBB'}{raw[4:]}"
    lines[place : place + 1] = {"gone": [], "twice": [lines[place], bent]}.get(change, [bent])
    note.write_text("\n".join(lines), "utf-8")
    report = ward.verify()
    (text,) = (f.text for f in report.findings if (f.level, f.code) == ("red", "WITNESS"))
    assert "the session did not sign what stands in it under the session's name" in text
    path.unlink()  # nobody knows its key now: the note shows that it is gone
    codes = {finding.code for finding in ward.verify().findings}
    assert "WITNESS" in codes if not named else "MISSING" in codes
