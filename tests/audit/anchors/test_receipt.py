"""Receipts: true for the log they came from, and each way of not being true by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.audit.anchors.receipt import (
    Receipt,
    check_receipt,
    make_receipt,
    read_receipt,
)
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.seal import Head, SessionKey, to_base64
from napari_medlabel.audit.keys.install import InstallKey
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.errors import InputError, LogError
from napari_medlabel.io.manifest import manifest_of, manifest_of_files
from tests.audit.bench import SAVE, Bench

_SUBJECT = "s1-" + "4c" * 16


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.dcm").write_bytes(b"a")
    return folder


def _done(manifest: str) -> Event:
    detail = {"destination": "folder", "files": 1, "manifest": manifest}
    return Event("export.done", subject=(_SUBJECT,), detail=detail)


@pytest.fixture
def session(bench: Bench, data: Path) -> Path:
    """A session with six events, of which the fourth is the export."""
    with bench.open() as log:
        log.append_many([SAVE, SAVE])
        log.append_many([_done(manifest_of(data)), SAVE])
    return log.path


@pytest.fixture
def receipt(session: Path, data: Path) -> Receipt:
    return read_receipt(make_receipt(session, manifest_of(data)))


def _codes(
    receipt: Receipt, root: Path | None = None, data: tuple[Path, ...] = ()
) -> list[str]:
    return [fault.code for fault in check_receipt(receipt, root, data)]


def test_a_receipt_is_true_by_itself_for_its_log_and_for_its_data(
    receipt: Receipt, bench: Bench, data: Path
) -> None:
    assert (receipt.index, receipt.head.size) == (3, 5)
    assert _codes(receipt, bench.root, (data,)) == []


def test_a_receipt_is_made_while_the_session_goes_on(bench: Bench, data: Path) -> None:
    manifest = manifest_of(data)
    with bench.open() as log:
        log.append_many([_done(manifest)])
        receipt = read_receipt(make_receipt(log.path, manifest))
        assert receipt.head == log.head
        log.append_many([SAVE])
        assert _codes(receipt, bench.root) == []
    assert _codes(receipt, bench.root) == []


def test_of_two_exports_of_the_same_data_the_later_one_is_meant(
    bench: Bench, data: Path
) -> None:
    manifest = manifest_of(data)
    with bench.open() as log:
        log.append_many([_done(manifest)])
        log.append_many([SAVE, _done(manifest), SAVE])
    receipt = read_receipt(make_receipt(log.path, manifest))
    assert (receipt.index, receipt.head.size) == (3, 5)


def test_a_receipt_names_no_patient_and_no_token_and_no_file(session: Path, data: Path) -> None:
    raw = make_receipt(session, manifest_of(data))
    for hidden in (_SUBJECT.encode(), b"4c4c", b"a.dcm", b"u1-"):
        assert hidden not in raw
    assert set(json.loads(raw)) == {
        "cert", "checkpoint", "event", "index", "install", "kind", "leaf", "manifest",
        "previous", "proof", "pub", "seal", "v",
    }  # fmt: skip


def test_a_receipt_of_a_later_session_names_the_head_before_it(
    bench: Bench, session: Path, data: Path
) -> None:
    manifest = manifest_of(data)
    with bench.open() as log:
        log.append_many([_done(manifest)])
    receipt = read_receipt(make_receipt(log.path, manifest))
    assert receipt.previous is not None
    assert session_file(receipt.previous.origin) == session.relative_to(bench.root).as_posix()
    assert _codes(receipt, bench.root) == []


def _write(session: Path, change: Callable[[list[bytes]], None]) -> None:
    lines = session.read_bytes().splitlines(keepends=True)
    change(lines)
    session.write_bytes(b"".join(lines))


def test_no_receipt_is_made_for_what_is_not_in_the_log(session: Path) -> None:
    with pytest.raises(LogError, match="could not be made"):
        make_receipt(session, "sha256:" + "00" * 32)


def test_no_receipt_is_made_for_another_event_that_names_the_manifest(
    bench: Bench, data: Path
) -> None:
    manifest = manifest_of(data)
    with bench.open() as log:
        detail = {"destination": "folder", "manifest": manifest}
        log.append_many([Event("export.begin", detail=detail)])
    with pytest.raises(LogError, match="could not be made"):
        make_receipt(log.path, manifest)


def test_no_receipt_is_made_before_the_event_is_sealed(session: Path, data: Path) -> None:
    def cut(lines: list[bytes]) -> None:
        del lines[7:]

    _write(session, cut)
    assert manifest_of(data).encode() in session.read_bytes()
    with pytest.raises(LogError, match="could not be made"):
        make_receipt(session, manifest_of(data))


@pytest.mark.parametrize("content", [b"", b"[]\n", b'{"seal":1}\n', b"\xff\n"])
def test_no_receipt_is_made_from_something_else(
    tmp_path: Path, data: Path, content: bytes
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(content + b"x" + manifest_of(data).encode() + b"\n")
    with pytest.raises(LogError, match="could not be made"):
        make_receipt(path, manifest_of(data))


def test_no_receipt_is_made_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="FileNotFoundError"):
        make_receipt(tmp_path / "none", "sha256:" + "00" * 32)


def _certified(receipt: Receipt) -> Receipt:
    install = InstallKey(SigningKey(bytes(range(32))))
    cert = install.certify(receipt.head.origin, receipt.public, receipt.previous)
    return replace(receipt, install=install.public, cert=cert)


def test_a_certificate_is_checked_where_there_is_one(receipt: Receipt) -> None:
    good = _certified(receipt)
    assert read_receipt(json.dumps(good.record()).encode()) == good
    assert _codes(good) == []
    before = Head(receipt.head.origin, 1, bytes(32))
    assert _codes(replace(good, previous=before)) == ["CERT"]
    other = InstallKey(SigningKey(bytes(32))).public
    assert _codes(replace(good, install=other)) == ["CERT"]


def test_the_certificate_in_the_log_goes_into_the_receipt(
    receipt: Receipt, session: Path, data: Path
) -> None:
    good = _certified(receipt)

    def certify(lines: list[bytes]) -> None:
        opening = json.loads(lines[0])
        opening["detail"]["install"] = to_base64(good.install)
        opening["detail"]["cert"] = to_base64(good.cert)
        lines[0] = json.dumps(opening, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    _write(session, certify)
    made = read_receipt(make_receipt(session, manifest_of(data)))
    assert (made.install, made.cert) == (good.install, good.cert)


def test_another_signature_is_found(receipt: Receipt) -> None:
    forged = SessionKey(receipt.head.origin, bytes(32)).sign(receipt.head)
    assert _codes(replace(receipt, seal=forged)) == ["SIGNATURE"]


@pytest.mark.parametrize(
    "change",
    [
        {"leaf": bytes(32)},
        {"index": 4},
        {"index": 99},
        {"proof": ()},
    ],
    ids=["leaf", "index", "outside", "proof"],
)
def test_a_proof_of_something_else_is_found(receipt: Receipt, change: dict[str, Any]) -> None:
    assert _codes(replace(receipt, **change)) == ["INCLUSION"]


def test_a_changed_data_set_is_found(receipt: Receipt, data: Path) -> None:
    (data / "a.dcm").write_bytes(b"b")
    assert _codes(receipt, None, (data,)) == ["DATA"]


def test_a_data_set_of_single_files_is_compared_by_their_names(
    bench: Bench, data: Path
) -> None:
    files = (data / "a.dcm", data / "a.json")
    files[1].write_text("{}")
    manifest = manifest_of_files(files)
    with bench.open() as log:
        log.append_many([_done(manifest)])
    receipt = read_receipt(make_receipt(log.path, manifest))
    assert _codes(receipt, None, files[::-1]) == []
    assert _codes(receipt, None, files[:1]) == ["DATA"]


def test_a_log_without_the_session_is_found(receipt: Receipt, tmp_path: Path) -> None:
    (fault,) = check_receipt(receipt, tmp_path)
    assert (fault.level, fault.code) == ("red", "MISSING")
    assert "remembers 5 events" in fault.text


def test_a_log_that_was_cut_is_found(receipt: Receipt, session: Path, bench: Bench) -> None:
    def cut(lines: list[bytes]) -> None:
        del lines[5:]

    _write(session, cut)
    (fault,) = check_receipt(receipt, bench.root)
    assert fault.code == "TRUNCATED"
    assert "remembers 5 events, and 3 are there" in fault.text


def test_a_log_with_another_event_is_found(
    receipt: Receipt, session: Path, bench: Bench
) -> None:
    def change(lines: list[bytes]) -> None:
        lines[2] = lines[2].replace(b'"voxels_added":18', b'"voxels_added":19')

    _write(session, change)
    (fault,) = check_receipt(receipt, bench.root)
    assert (fault.code, fault.file) == ("FORK", session.relative_to(bench.root).as_posix())
    assert "first 5 events" in fault.text


def test_a_log_that_was_written_anew_with_another_key_is_found(
    receipt: Receipt, bench: Bench
) -> None:
    forged = SessionKey(receipt.head.origin, bytes(32))
    own = replace(receipt, public=forged.public, seal=forged.sign(receipt.head))
    (fault,) = check_receipt(own, bench.root)
    assert fault.code == "FORK"
    assert "another key" in fault.text


def test_a_log_that_is_none_any_more_is_found(
    receipt: Receipt, session: Path, bench: Bench
) -> None:
    for content in (b"", b"x\n", b"[]\n", b'{"seal":{"root":1}}\n'):
        session.write_bytes(content)
        (fault,) = check_receipt(receipt, bench.root)
        assert fault.code == "FORK"
        assert "does not consist of events" in fault.text


def test_a_receipt_that_points_to_another_event_is_found(
    receipt: Receipt, session: Path, bench: Bench
) -> None:
    other = replace(receipt, manifest="sha256:" + "00" * 32)
    assert _codes(other, bench.root) == ["EVENT"]
    assert _codes(replace(receipt, index=99), bench.root) == ["INCLUSION", "EVENT"]
    assert _codes(replace(receipt, index=1), bench.root) == ["INCLUSION", "EVENT"]


def test_a_session_file_that_cannot_be_read_is_said(
    receipt: Receipt, session: Path, bench: Bench
) -> None:
    session.unlink()
    session.mkdir()
    with pytest.raises(InputError, match="IsADirectoryError"):
        check_receipt(receipt, bench.root)


def _without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda found: found.pop(key)


def _with(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda found: found.update({key: value})


@pytest.mark.parametrize(
    "change",
    [
        _without("leaf"),
        _with("more", 1),
        _with("v", 2),
        _with("v", True),
        _with("kind", "receipt"),
        _with("event", "export.begin"),
        _with("index", -1),
        _with("cert", to_base64(bytes(68))),
        _with("install", to_base64(bytes(32))),
        _with("checkpoint", "x"),
        _with("checkpoint", "\ud800"),
        _with("previous", "x"),
        _with("previous", None),
        _with("proof", [1]),
        _with("manifest", "x"),
    ],
)
def test_what_is_no_receipt_is_refused(
    receipt: Receipt, change: Callable[[dict[str, Any]], None]
) -> None:
    found: dict[str, Any] = json.loads(json.dumps(receipt.record()))
    assert read_receipt(json.dumps(found).encode()) == receipt
    change(found)
    with pytest.raises(InputError, match="the file is none"):
        read_receipt(json.dumps(found).encode())


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[]", b"[" * 60_000, b'"' + b"x" * (1 << 16) + b'"']
)
def test_bytes_that_are_no_receipt_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="the file is none"):
        read_receipt(data)


def test_every_byte_of_a_receipt_counts(session: Path, data: Path, bench: Bench) -> None:
    raw = make_receipt(session, manifest_of(data))
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        try:
            same = read_receipt(changed) == read_receipt(raw)
            found = check_receipt(read_receipt(changed), bench.root, (data,))
        except InputError:
            continue
        assert found or same
