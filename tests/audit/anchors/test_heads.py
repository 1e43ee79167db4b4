"""Published heads: each session shows its own, and names what it sees of other computers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_medlabel.audit.anchors.heads import Peers, session_key
from napari_medlabel.audit.format.layout import head_note, session_file
from napari_medlabel.audit.format.note import checkpoint_of, head_note_bytes, parse_note
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.writer.log import AuditLog
from napari_medlabel.audit.writer.steady import SteadyLog
from tests.audit.bench import SAVE, WRITER, Bench

OTHER = "wfedcba9876543210"


@pytest.fixture
def other(bench: Bench) -> Bench:
    """Another computer that writes into the same folder."""
    second = Bench(bench.root.parent / "second")
    second.root = bench.root
    second.io = bench.io
    return second


def _open(bench: Bench, writer: str = WRITER) -> SteadyLog:
    from dataclasses import replace

    return SteadyLog(replace(bench.seat(), writer=writer))


def _shown(bench: Bench, log: SteadyLog | AuditLog) -> Head:
    return checkpoint_of(parse_note((bench.root / head_note(log.origin)).read_bytes()))


def _observed(path: Path) -> list[list[tuple[str, int]]]:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [
        [(head["origin"], head["size"]) for head in line["detail"]["heads"]]
        for line in lines
        if line.get("event") == "anchor.observe"
    ]


def test_a_session_shows_its_head_when_it_opens_and_closes(bench: Bench) -> None:
    log = _open(bench)
    assert _shown(bench, log) == log.head
    log.append_many([SAVE])
    assert _shown(bench, log).size == 1
    log.close()
    assert _shown(bench, log) == log.head
    assert log.head.size == 3
    assert not list(bench.root.glob("heads/*/*.note.*"))


def test_what_leaves_and_what_keys_do_is_shown_at_once(bench: Bench) -> None:
    with _open(bench) as log:
        for event, detail in (
            ("export.screen", {"kind": "screenshot"}),
            ("key.create", {"key": "project"}),
            ("reid.lookup", {"codes": 1}),
        ):
            log.append(event, detail=detail)
            assert _shown(bench, log) == log.head


def test_a_beat_shows_the_head(bench: Bench) -> None:
    with _open(bench) as log:
        log.append_many([SAVE])
        log.beat()
        assert _shown(bench, log) == log.head
    assert _observed(log.path) == [[]]


def test_two_computers_name_each_other(bench: Bench, other: Bench) -> None:
    first = _open(bench)
    with _open(other, OTHER) as second:
        first.append_many([SAVE])
        first.beat()
        assert _observed(first.path) == [[(second.origin, 2)]]
        second.append_many([SAVE])
    assert _observed(second.path) == [[(first.origin, 1)], [(first.origin, 3)]]
    first.close()
    assert _observed(first.path) == [[(second.origin, 2)], [(second.origin, 5)]]
    assert bench.doubts() - {"UNREMEMBERED"} == set()


def test_a_cut_end_is_found_by_what_another_computer_named(bench: Bench, other: Bench) -> None:
    with _open(bench) as first:
        first.append_many([SAVE])
    with _open(other, OTHER):
        pass
    path = bench.root / session_file(first.origin)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    for memory in bench.state.glob("heads/*/*"):
        memory.unlink()
    (bench.root / head_note(first.origin)).unlink()
    assert "TRUNCATED" in bench.doubts()


def test_only_the_newest_sessions_of_another_computer_are_looked_at(
    bench: Bench, other: Bench
) -> None:
    logs = [_open(other, OTHER) for _ in range(4)]
    for log in logs:
        log.close()
    news = Peers(bench.root, WRITER).news()
    assert [head.origin for head in news] == [log.origin for log in logs[-2:]]


def test_what_was_seen_is_no_news(bench: Bench, other: Bench) -> None:
    peers = Peers(bench.root, WRITER)
    assert peers.news() == []
    log = _open(other, OTHER)
    assert [head.size for head in peers.news()] == [1]
    assert peers.news() == []
    log.append_many([SAVE])
    log.beat()
    assert [head.size for head in peers.news()] == [3]
    log.close()


def test_a_note_that_its_session_did_not_sign_is_passed_over(
    bench: Bench, other: Bench
) -> None:
    with _open(other, OTHER) as log:
        head, signature = log._course.log.signed_head()
        note = bench.root / head_note(head.origin)
        longer = Head(head.origin, 99, head.root)
        empty = Head(head.origin, 0, head.root)
        for lie in (
            head_note_bytes(longer, signature),
            head_note_bytes(empty, signature),
            b"x",
        ):
            note.write_bytes(lie)
            assert Peers(bench.root, WRITER).news() == []
        note.write_bytes(head_note_bytes(head, signature))
        note.with_name("20990101T000000Z-00000000000000000000000000.note").write_bytes(
            note.read_bytes()
        )
        assert Peers(bench.root, WRITER).news() == [head]


def test_a_note_without_its_session_is_passed_over(bench: Bench, other: Bench) -> None:
    with _open(other, OTHER) as log:
        pass
    (bench.root / session_file(log.origin)).unlink()
    (bench.root / "heads" / "file").write_bytes(b"")
    assert Peers(bench.root, WRITER).news() == []


@pytest.mark.parametrize(
    "line", [b"x", b"[]", b"{}", b'{"detail":{"origin":"other","pub":"x"}}']
)
def test_a_session_whose_first_line_names_no_key_has_none(
    bench: Bench, other: Bench, line: bytes
) -> None:
    with _open(other, OTHER) as log:
        pass
    (bench.root / session_file(log.origin)).write_bytes(line + b"\n")
    assert session_key(bench.root, log.origin) is None


def test_a_session_whose_key_is_no_key_has_none(bench: Bench, other: Bench) -> None:
    with _open(other, OTHER) as log:
        pass
    line = json.dumps(
        {"detail": {"origin": log.origin, "pub": "x"}}, separators=(",", ":")
    ).encode()
    (bench.root / session_file(log.origin)).write_bytes(line + b"\n")
    assert session_key(bench.root, log.origin) is None


def test_what_another_account_wrote_for_itself_is_passed_over(
    bench: Bench, other: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _open(other, OTHER) as log:
        pass
    real = Path.open
    closed = bench.root / head_note(log.origin)

    def open_(self: Path, mode: str = "r") -> object:
        if self == closed:
            raise PermissionError(13, "no")
        return real(self, mode)

    monkeypatch.setattr(Path, "open", open_)
    assert Peers(bench.root, WRITER).news() == []
    closed = bench.root / session_file(log.origin)
    assert Peers(bench.root, WRITER).news() == []
    closed = bench.root
    assert len(Peers(bench.root, WRITER).news()) == 1


def test_peers_that_cannot_be_read_do_not_stop_the_log(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Peers) -> list[Head]:
        raise OSError(5, "no")

    monkeypatch.setattr(Peers, "news", broken)
    with _open(bench) as log:
        log.beat()
        assert not log.is_local
    assert _observed(log.path) == [[]]
