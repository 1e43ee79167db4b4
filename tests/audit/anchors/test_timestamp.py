"""Time stamps: real tokens of an authority made here with openssl, and every other answer."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from napari_medlabel.audit.anchors.code import code_file, keep_code, make_code
from napari_medlabel.audit.anchors.timestamp import (
    ask,
    attach,
    claimed_at,
    listing_of,
    request_for,
    stamp_path,
    stamped_at,
)
from napari_medlabel.errors import InputError

pytest.importorskip("rfc3161_client", reason="needs the extra [tsa]")
pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="needs openssl, which plays the authority"
)

_CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Test authority
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[tsa]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[stamp]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """A time-stamping authority in a folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.pem"

    def run(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=self.folder, check=True, capture_output=True
        )

    def answer(self, request: bytes) -> bytes:
        (self.folder / "request").write_bytes(request)
        self.run(
            "ts", "-reply", "-config", "config", "-section", "stamp",
            "-queryfile", "request", "-out", "answer",
        )  # fmt: skip
        return (self.folder / "answer").read_bytes()


def _authority(folder: Path) -> Authority:
    folder.mkdir()
    (folder / "config").write_text(_CONFIG.format(folder=folder))
    (folder / "serial").write_text("01")
    made = Authority(folder)
    new = ("req", "-new", "-config", "config", "-nodes", "-newkey", "rsa:2048")
    made.run(*new, "-x509", "-extensions", "ca", "-keyout", "ca.key", "-out", "ca.pem")
    made.run(*new, "-keyout", "tsa.key", "-out", "tsa.csr")
    made.run(
        "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial",
        "7", "-extfile", "config", "-extensions", "tsa", "-days", "9", "-out", "tsa.pem",
    )  # fmt: skip
    return made


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return _authority(tmp_path_factory.mktemp("tsa") / "authority")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return _authority(tmp_path_factory.mktemp("tsa") / "stranger")


@pytest.fixture
def letters(tmp_path: Path) -> str:
    code = make_code([], "ward-3", "2026-11-22T10:10:32.104Z")
    keep_code(tmp_path, code)
    return code.letters


def test_a_stamp_tells_when_the_list_behind_a_code_existed(
    authority: Authority, tmp_path: Path, letters: str
) -> None:
    listing = listing_of(tmp_path, letters)
    answer = authority.answer(request_for(listing))
    moment = stamped_at(answer, listing, [authority.certificate])
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=5)
    assert moment.utcoffset() == timedelta(0)
    assert claimed_at(answer, listing) == moment


def test_the_request_holds_a_digest_and_not_the_list() -> None:
    assert b"medlabel" not in request_for(b"medlabel-heads/v1\n")


def test_an_authority_that_is_not_trusted_does_not_vouch(
    authority: Authority, stranger: Authority
) -> None:
    answer = stranger.answer(request_for(b"listing"))
    with pytest.raises(InputError, match="None of the given certificates"):
        stamped_at(answer, b"listing", [authority.certificate])
    both = [authority.certificate, stranger.certificate]
    assert stamped_at(answer, b"listing", both) == claimed_at(answer, b"listing")


def test_a_stamp_on_something_else_is_refused(authority: Authority) -> None:
    answer = authority.answer(request_for(b"listing"))
    with pytest.raises(InputError, match="on something else"):
        stamped_at(answer, b"another listing", [authority.certificate])


def test_a_stamp_whose_signature_was_changed_is_refused(authority: Authority) -> None:
    answer = bytearray(authority.answer(request_for(b"listing")))
    answer[-1] ^= 1
    with pytest.raises(InputError, match="or the stamp was changed"):
        stamped_at(bytes(answer), b"listing", [authority.certificate])


def test_a_refusal_of_the_authority_is_said(authority: Authority) -> None:
    refusal = bytes.fromhex("3005 3003 020102")  # PKIStatusInfo: rejection, no token
    with pytest.raises(InputError, match="refused to stamp"):
        claimed_at(refusal, b"listing")


def test_an_answer_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="something else came"):
        claimed_at(b"<html>", b"listing")


def test_certificates_in_an_order_that_is_not_allowed_are_named(authority: Authority) -> None:
    config = authority.folder / "config"
    plain = config.read_text()
    # openssl sends them as they come: at least one of the two orders is wrong.
    said = []
    for chain in (["tsa.pem", "ca.pem"], ["ca.pem", "tsa.pem"]):
        bundle = "".join((authority.folder / name).read_text() for name in chain)
        (authority.folder / "chain.pem").write_text(bundle)
        config.write_text(f"{plain}certs = {authority.folder}/chain.pem\n")
        try:
            claimed_at(authority.answer(request_for(b"listing")), b"listing")
        except InputError as err:
            said.append(err.message)
        finally:
            config.write_text(plain)
    assert said
    assert all("in an order that" in message for message in said)


@pytest.mark.parametrize("kind", ["none", "missing", "text"])
def test_certificates_are_needed(authority: Authority, tmp_path: Path, kind: str) -> None:
    answer = authority.answer(request_for(b"listing"))
    path = tmp_path / "ca.pem"
    if kind == "text":
        path.write_text("x")
    with pytest.raises(InputError, match="Certificates"):
        stamped_at(answer, b"listing", [] if kind == "none" else [path])


def test_a_stamp_is_kept_beside_the_list_and_never_overwritten(
    authority: Authority, tmp_path: Path, letters: str
) -> None:
    answer = authority.answer(request_for(listing_of(tmp_path, letters)))
    attach(tmp_path, letters, answer)
    path = stamp_path(tmp_path, letters)
    assert path == (tmp_path / code_file(letters)).with_suffix(".tsr")
    assert path.read_bytes() == answer
    with pytest.raises(InputError, match="has a stamp already"):
        attach(tmp_path, letters, answer)


def test_a_stamp_on_something_else_is_not_kept(
    authority: Authority, tmp_path: Path, letters: str
) -> None:
    with pytest.raises(InputError, match="on something else"):
        attach(tmp_path, letters, authority.answer(request_for(b"listing")))
    assert not stamp_path(tmp_path, letters).exists()


def test_a_code_that_is_unknown_has_nothing_to_stamp(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Nothing is known"):
        listing_of(tmp_path, "0" * 32)


@pytest.fixture
def server(authority: Authority) -> Iterator[str]:
    """The authority on a port of this computer; it answers 500 at /broken."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            right = self.headers["Content-Type"] == "application/timestamp-query"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200 if right and self.path == "/" else 500)
            self.end_headers()
            if right and self.path == "/":
                self.wfile.write(authority.answer(body))

        def log_message(self, *_: object) -> None:
            return None

    httpd = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_an_authority_is_asked_over_http(authority: Authority, server: str) -> None:
    answer = ask(server, request_for(b"listing"))
    assert stamped_at(answer, b"listing", [authority.certificate])


def test_an_authority_that_fails_is_said(server: str) -> None:
    with pytest.raises(InputError, match="HTTPError"):
        ask(server + "broken", b"")


def test_an_authority_that_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match="URLError"):
        ask("http://127.0.0.1:1/", b"")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://example.com", "tsa"])
def test_only_http_is_an_address(url: str) -> None:
    with pytest.raises(InputError, match="http"):
        ask(url, b"")
