"""The code on paper: still true of a log that has grown, and of no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from napari_medlabel.audit.anchors.code import (
    PaperCode,
    check_code,
    code_file,
    heads_of,
    keep_code,
    make_code,
    read_code,
)
from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.verdict import SessionReport
from napari_medlabel.audit.format.crockford import encode
from napari_medlabel.errors import InputError
from tests.audit.bench import SAVE, Bench

_TIME = "2026-11-22T10:10:32.104Z"


def _reports(bench: Bench) -> list[SessionReport]:
    paths = sorted((bench.root / "writers").rglob("*.jsonl"))
    return [check_session(path, path.relative_to(bench.root).as_posix()) for path in paths]


def _code(bench: Bench) -> PaperCode:
    code = make_code(_reports(bench), "ward-3", _TIME)
    keep_code(bench.root, code)
    return code


def test_a_code_stands_for_the_heads_of_all_sessions(bench: Bench) -> None:
    bench.session()
    bench.session()
    code = _code(bench)
    lines = code.listing.decode().splitlines()
    assert lines[:3] == ["medlabel-heads/v1", "ward-3", _TIME]
    assert [line.split()[1] for line in lines[3:]] == ["5", "5"]
    assert heads_of(code.listing) == [report.sealed for report in _reports(bench)]


def test_a_code_is_eight_groups_of_four_and_a_check_letter(bench: Bench) -> None:
    bench.session()
    code = _code(bench)
    assert [len(group) for group in code.text.split("-")] == [4] * 8 + [1]
    assert bytes.fromhex(code.digest[7:])[:20] == _bytes(code.letters)
    assert read_code(code.text) == code.letters


def _bytes(letters: str) -> bytes:
    from napari_medlabel.audit.format.crockford import ALPHABET

    number = 0
    for letter in letters:
        number = 32 * number + ALPHABET.index(letter)
    return number.to_bytes(20, "big")


def test_a_code_of_a_month_ago_is_true_of_the_log_that_has_grown(bench: Bench) -> None:
    bench.session()
    with bench.open() as log:
        log.append_many([SAVE])
        code = _code(bench)
        assert check_code(code.text, bench.root, _reports(bench)) is None
        log.append_many([SAVE])
    bench.session()
    assert check_code(code.text.lower(), bench.root, _reports(bench)) is None


def test_a_log_without_sessions_has_a_code(bench: Bench) -> None:
    code = make_code([], "ward-3", _TIME)
    keep_code(bench.root, code)
    assert heads_of(code.listing) == []
    assert check_code(code.text, bench.root, []) is None


def test_a_session_that_holds_nothing_is_not_in_the_code(bench: Bench) -> None:
    path = bench.session()
    path.write_bytes(path.read_bytes()[:100])
    assert heads_of(_code(bench).listing) == []


@pytest.mark.parametrize(
    "slip",
    [
        lambda text: text[:-2],
        lambda text: text + "0",
        lambda text: "U" + text[1:],
        lambda text: "",
        lambda text: ("0" if text[0] != "0" else "1") + text[1:],
    ],
    ids=["short", "long", "letter", "empty", "wrong"],
)
def test_a_mistyped_code_is_no_accusation(bench: Bench, slip: Callable[[str], str]) -> None:
    bench.session()
    code = _code(bench)
    with pytest.raises(InputError, match="mistyped"):
        check_code(slip(code.text), bench.root, _reports(bench))


def _says(bench: Bench, code: PaperCode) -> str:
    fault = check_code(code.text, bench.root, _reports(bench))
    assert fault is not None
    assert (fault.level, fault.code) == ("red", "CODE")
    return fault.text


def test_a_code_of_another_log_is_unknown(bench: Bench) -> None:
    bench.session()
    assert "belongs to another log" in _says(bench, PaperCode(encode(bytes(20)), b""))


def test_a_listing_that_was_changed_is_found(bench: Bench) -> None:
    bench.session()
    code = _code(bench)
    path = bench.root / code_file(code.letters)
    path.write_bytes(path.read_bytes().replace(b" 5 ", b" 4 "))
    assert "stands for was changed" in _says(bench, code)


@pytest.mark.parametrize(
    "listing",
    [
        b"",
        b"medlabel-heads/v2\nward-3\ntime\n",
        b"medlabel-heads/v1\nward-3\n",
        b"medlabel-heads/v1\nward-3\ntime",
        b"medlabel-heads/v1\nward-3\ntime\nx\n",
        b"medlabel-heads/v1\nward-3\ntime\norigin 1 root\n",
        b"medlabel-heads/v1\nward-3\n\xff\n",
    ],
)
def test_a_listing_that_is_none_is_found(bench: Bench, listing: bytes) -> None:
    from hashlib import sha256

    bench.session()
    code = PaperCode(encode(sha256(listing).digest()[:20]), listing)
    keep_code(bench.root, code)
    assert "no list of heads" in _says(bench, code)


def test_a_session_that_is_gone_is_found(bench: Bench) -> None:
    path = bench.session()
    code = _code(bench)
    path.unlink()
    assert "whole session is missing" in _says(bench, code)


def test_a_session_that_was_cut_is_found(bench: Bench) -> None:
    path = bench.session()
    code = _code(bench)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]))
    assert "covers 5 events" in _says(bench, code)
    path.write_bytes(lines[0])
    assert "covers 5 events" in _says(bench, code)


def test_a_session_that_is_another_is_found(bench: Bench, tmp_path: Path) -> None:
    path = bench.session()
    code = _code(bench)
    twin = Bench(tmp_path / "twin")
    twin.io.random(1)  # other keys and names
    other = twin.session()
    reports = [check_session(other, path.relative_to(bench.root).as_posix())]
    fault = check_code(code.text, bench.root, reports)
    assert fault is not None
    assert "first 5 events were others" in fault.text


def test_a_listing_that_cannot_be_read_is_said(bench: Bench) -> None:
    bench.session()
    code = _code(bench)
    path = bench.root / code_file(code.letters)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="IsADirectoryError"):
        check_code(code.text, bench.root, [])


def test_the_qr_code_is_an_image_to_be_put_into_a_page(bench: Bench) -> None:
    bench.session()
    svg = _code(bench).svg()
    assert svg.startswith("<svg")
    assert "script" not in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
