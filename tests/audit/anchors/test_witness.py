"""The witness: it remembers, it signs what fits, and each thing that does not fit by itself."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from napari_medlabel.audit.anchors.cosigned import read_cosignatures
from napari_medlabel.audit.anchors.witness import (
    Round,
    WitnessMemory,
    cosign_log,
)
from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verdict import SessionReport
from napari_medlabel.audit.format.layout import session_file, witness_note
from napari_medlabel.audit.format.note import Note, checkpoint_of, note_bytes, parse_note
from napari_medlabel.audit.format.seal import SealKey
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.audit.keys.site import Witness
from napari_medlabel.errors import InputError, SaveError
from tests.audit.bench import SAVE, Bench

_KEY = SigningKey(bytes(range(32)))
_TRUSTED = Witness("server", _KEY.public)
_NOW = 1_795_342_500
_OTHER = "wfedcba9876543210"


@dataclass
class Site:
    """A log, and a witness who looks at it."""

    bench: Bench
    state: Path

    @property
    def memory(self) -> WitnessMemory:
        return WitnessMemory(self.state, "server", self.bench.root)

    def reports(self) -> list[SessionReport]:
        paths = sorted((self.bench.root / "writers").rglob("*.jsonl"))
        root = self.bench.root
        return [check_session(path, path.relative_to(root).as_posix()) for path in paths]

    def look(self, seconds: int = _NOW) -> Round:
        return cosign_log(self.bench.root, self.reports(), self.memory, _KEY, seconds)

    def note(self, report: SessionReport) -> Path:
        return self.bench.root / witness_note("server", report.origin)


@pytest.fixture
def site(bench: Bench, tmp_path: Path) -> Site:
    return Site(bench, tmp_path / "other account")


def test_a_first_look_cosigns_every_head(site: Site) -> None:
    site.bench.session()
    site.bench.session()
    done = site.look()
    assert (done.sessions, len(done.grown), done.renewed, done.faults) == (2, 2, 0, ())
    assert done.grown == tuple(report.sealed for report in site.reports())


def test_the_note_holds_the_head_the_seal_of_the_log_and_the_cosignature(site: Site) -> None:
    site.bench.session()
    site.look()
    (report,) = site.reports()
    note = parse_note(site.note(report).read_bytes())
    seal, cosignature = note.signatures
    assert checkpoint_of(note) == report.sealed
    assert (seal.name, cosignature.name) == (report.origin, "server")
    assert report.opening is not None
    assert report.sealed is not None
    key = SealKey.from_bytes(report.origin, report.opening.public)
    assert key.signed(report.sealed, seal.raw)


def test_a_log_that_has_grown_is_cosigned_anew(site: Site) -> None:
    with site.bench.open() as log:
        site.look()
        log.append_many([SAVE])
        done = site.look()
        assert (done.grown, done.renewed) == ((log.head,), 0)
    (found,) = read_cosignatures(site.bench.root, [_TRUSTED])
    assert (found.head, found.state) == (done.grown[0], "trusted")


def test_the_latest_session_of_each_writer_is_confirmed_at_each_look(site: Site) -> None:
    site.bench.session()
    site.bench.session()
    with site.bench.open(writer=_OTHER):
        pass
    site.look()
    done = site.look(_NOW + 600)
    assert (done.grown, done.renewed, done.faults) == ((), 2, ())
    times = [found.at_ms for found in read_cosignatures(site.bench.root, [_TRUSTED])]
    assert sorted(times) == [1000 * _NOW, 1000 * (_NOW + 600), 1000 * (_NOW + 600)]


def test_a_note_that_is_gone_is_written_again(site: Site) -> None:
    site.bench.session()
    site.bench.session()
    site.look()
    first = site.note(site.reports()[0])
    first.unlink()
    assert site.look().renewed == 2
    assert first.exists()


def test_a_witness_with_a_new_key_signs_all_its_notes_again(site: Site) -> None:
    site.bench.session()
    site.bench.session()
    site.look()
    new = SigningKey(bytes([9]) * 32)
    done = cosign_log(site.bench.root, site.reports(), site.memory, new, _NOW + 60)
    assert (done.grown, done.renewed) == ((), 2)
    found = read_cosignatures(site.bench.root, [Witness("server", new.public)])
    assert {one.state for one in found} == {"trusted"}


def test_a_note_that_was_damaged_is_written_again(site: Site) -> None:
    site.bench.session()
    site.bench.session()
    site.look()
    first = site.note(site.reports()[0])
    good = first.read_bytes()
    first.write_bytes(good[:-9])
    assert site.look().renewed == 2
    assert first.read_bytes() == good


def test_a_session_that_never_began_is_not_cosigned(site: Site) -> None:
    path = site.bench.session()
    path.write_bytes(path.read_bytes()[:50])
    done = site.look()
    assert (done.sessions, done.grown, done.faults) == (1, (), ())


def test_an_unfinished_last_write_is_left_out(site: Site) -> None:
    path = site.bench.session()
    path.write_bytes(path.read_bytes()[:-10])
    (head,) = site.look().grown
    assert head.size == 4


def _refused(site: Site, code: str, words: str) -> None:
    before = {path: path.read_bytes() for path in site.bench.root.rglob("*.note")}
    memory = site.memory.read()
    done = site.look(_NOW + 600)
    (fault,) = done.faults
    assert (fault.level, fault.code, done.grown) == ("red", code, ())
    assert words in fault.text
    assert site.memory.read() == memory
    for path, data in before.items():
        if path.stem in fault.file:
            assert path.read_bytes() == data
    assert site.look(_NOW + 1200).faults == done.faults  # it does not get used to it


def test_a_session_that_was_cut_is_refused(site: Site) -> None:
    path = site.bench.session()
    site.look()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]))
    _refused(site, "TRUNCATED", "saw 5 events, and 4 are there")


def test_a_session_of_which_nothing_is_left_is_refused(site: Site) -> None:
    path = site.bench.session()
    site.look()
    path.write_bytes(b"")
    _refused(site, "TRUNCATED", "saw 5 events, and 0 are there")


def test_a_session_that_is_gone_is_refused(site: Site) -> None:
    path = site.bench.session()
    site.bench.session()
    site.look()
    path.unlink()
    _refused(site, "MISSING", "saw 5 events of it")


def test_a_session_that_was_written_anew_is_refused(site: Site, tmp_path: Path) -> None:
    path = site.bench.session()
    site.look()
    kept = site.memory.read()
    (file,) = kept
    # The same session, name and number of events, but another event in it.
    twin = Bench(tmp_path / "twin")
    with twin.open() as log:
        for _ in range(2):
            log.append_many([SAVE])
        log.append("override.stop")
    shutil.copyfile(log.path, path)
    assert session_file(log.origin) == file
    _refused(site, "FORK", "first 5 events differ")


def test_a_changed_session_is_refused(site: Site) -> None:
    path = site.bench.session()
    site.look()
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"voxels_added":18', b'"voxels_added":19', 1))
    _refused(site, "BROKEN", "was changed")


def test_a_session_in_the_place_of_another_is_refused(site: Site) -> None:
    first = site.bench.session()
    second = site.bench.session()
    site.look()
    shutil.copyfile(second, first)
    _refused(site, "BROKEN", "not in its place")


def test_what_was_seen_of_other_sessions_is_cosigned_all_the_same(site: Site) -> None:
    path = site.bench.session()
    site.look()
    path.write_bytes(b"")
    site.bench.session()
    done = site.look()
    assert [fault.code for fault in done.faults] == ["TRUNCATED"]
    assert len(done.grown) == 1
    assert len(site.memory.read()) == 2


def test_the_memory_is_written_before_a_cosignature(site: Site) -> None:
    site.bench.session()
    (site.bench.root / "witness").write_text("no folder")
    with pytest.raises(SaveError):
        site.look()
    assert len(site.memory.read()) == 1


def test_the_memory_is_of_this_log_alone_and_for_its_owner_alone(
    site: Site, tmp_path: Path
) -> None:
    site.bench.session()
    site.look()
    assert WitnessMemory(site.state, "server", tmp_path / "elsewhere").read() == {}
    (path,) = site.memory.folder.glob("*.heads")
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", [b"x\n", b"[]\n", b'{"origin":1}\n', b"\xff\n"])
def test_a_damaged_memory_cosigns_nothing(site: Site, content: bytes) -> None:
    site.bench.session()
    site.look()
    (path,) = site.memory.folder.glob("*.heads")
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        site.look()


def test_a_memory_that_cannot_be_read_cosigns_nothing(site: Site) -> None:
    site.bench.session()
    site.look()
    (path,) = site.memory.folder.glob("*.heads")
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        site.look()


def _state(site: Site, *witnesses: Witness) -> str:
    (found,) = read_cosignatures(site.bench.root, witnesses)
    assert found.witness == "server"
    return found.state


def test_a_cosignature_counts_when_the_officer_trusts_its_key(site: Site) -> None:
    site.bench.session()
    site.look()
    other = SigningKey(bytes(32)).public
    assert _state(site) == "unknown"
    assert _state(site, _TRUSTED) == "trusted"
    assert _state(site, Witness("server", other), _TRUSTED) == "trusted"
    assert _state(site, Witness("server", other)) == "wrong"
    assert _state(site, Witness("other", _KEY.public)) == "unknown"


def test_a_cosignature_counts_up_to_when_its_key_was_revoked(site: Site) -> None:
    site.bench.session()
    site.look()
    assert _state(site, Witness("server", _KEY.public, 1000 * _NOW + 1)) == "trusted"
    assert _state(site, Witness("server", _KEY.public, 1000 * _NOW)) == "revoked"
    (found,) = read_cosignatures(site.bench.root, [Witness("server", _KEY.public, 1)])
    assert found.at_ms == 0


def test_a_note_of_another_head_is_wrong(site: Site) -> None:
    site.bench.session()
    site.look()
    path = site.note(site.reports()[0])
    note = parse_note(path.read_bytes())
    path.write_bytes(note_bytes(Note(note.text.replace(b"\n5\n", b"\n6\n"), note.signatures)))
    assert _state(site, _TRUSTED) == "wrong"


def test_a_note_in_the_place_of_another_is_wrong(site: Site) -> None:
    site.bench.session()
    site.look()
    path = site.note(site.reports()[0])
    path.rename(path.with_name("other.note"))
    assert _state(site, _TRUSTED) == "wrong"


def test_a_note_that_is_none_is_wrong(site: Site) -> None:
    site.bench.session()
    site.look()
    site.note(site.reports()[0]).write_bytes(b"x" * 100_000)
    (found,) = read_cosignatures(site.bench.root, [_TRUSTED])
    assert (found.state, found.head) == ("wrong", None)


def test_a_note_that_cannot_be_read_is_said(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.bench.session()
    site.look()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="PermissionError"):
        read_cosignatures(site.bench.root, [_TRUSTED])


def test_a_log_without_witnesses_has_no_cosignatures(site: Site) -> None:
    site.bench.session()
    assert read_cosignatures(site.bench.root, [_TRUSTED]) == []
