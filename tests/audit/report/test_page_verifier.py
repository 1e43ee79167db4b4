from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from napari_medlabel.audit.anchors.code import make_code
from napari_medlabel.audit.check.session_check import check_session
from napari_medlabel.audit.check.trust import pruning_text
from napari_medlabel.audit.check.verify import verify_log
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.merkle import NO_LEAF, Frontier, leaf_hash
from napari_medlabel.audit.format.record import Place, line_of
from napari_medlabel.audit.format.seal import Head, SessionKey, to_base64
from napari_medlabel.audit.keys.install import InstallKey
from napari_medlabel.audit.keys.signatures import SigningKey, fingerprint
from napari_medlabel.audit.keys.site import Install, Officer, Site, site_document
from napari_medlabel.audit.writer.log import AuditLog
from napari_medlabel.audit.writer.seat import Identity
from tests.audit.bench import SAVE, Bench
from tests.audit.keys.site_bench import write_site
from tests.audit.report.node_check import (
    check_all,
    codes,
    log_files,
    needs_node,
    run_node,
    verifier_source,
)

pytestmark = needs_node

Files = dict[str, bytes]


@pytest.fixture
def files(bench: Bench) -> Files:
    """Return a log of three sessions; each names the one before it."""
    for _ in range(3):
        with bench.open() as log:
            log.append_many([SAVE])
            log.append_many([SAVE, SAVE])
    return log_files(bench.root)


def changed(files: Files, place: int, old: bytes, new: bytes) -> Files:
    """Return the log with a piece of one file replaced."""
    name = list(files)[place]
    assert old in files[name]
    return {**files, name: files[name].replace(old, new, 1)}


def one(files: Mapping[str, bytes], heads: list[dict[str, object]] | None = None) -> dict:  # type: ignore[type-arg]
    return check_all([files], heads or [])[0]


def test_a_good_log_has_nothing_red(files: Files, bench: Bench) -> None:
    found = one(files)
    assert codes(found, "red") == set()
    assert codes(found, "amber") == {"UNCERTIFIED"}
    report = verify_log(bench.root, state=None)
    assert found["events"] == report.events
    ours = [[s.file, s.events, to_base64(s.sealed.root)] for s in report.sessions if s.sealed]
    assert found["roots"] == ours


def test_own_arithmetic_and_node_agree_on_every_signature(files: Files) -> None:
    own, theirs = check_all([files], arithmetic=True)[0], one(files)
    assert own["own"]
    assert not theirs["own"]
    assert own["signatures"] == theirs["signatures"] == 12
    assert codes(own, "red") == set()
    # The last letters before the padding of the first signature.
    name = next(iter(files))
    at = files[name].index(b'"sig":"') + 50
    letter = b"A" if files[name][at : at + 1] != b"A" else b"B"
    bent = {**files, name: files[name][:at] + letter + files[name][at + 1 :]}
    assert codes(check_all([bent], arithmetic=True)[0], "red") >= {"BROKEN"}
    assert codes(one(bent), "red") >= {"BROKEN"}


def test_a_changed_byte_is_said_with_file_and_line(files: Files) -> None:
    found = one(changed(files, 1, b'"voxels_added":18', b'"voxels_added":19'))
    first = next(f for f in found["findings"] if f["code"] == "BROKEN")
    assert first["file"] == list(files)[1]
    assert first["line"] == 4  # the event after the changed one no longer follows


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b'"seq":1,', b'"seq":2,', "another event was expected here"),
        (b'"v":1}', b'"v":2}', "a key or the version is unknown"),
        (b'"v":1}', b'"v":1,"w":1}', "a key or the version is unknown"),
        (b'"time":"2026-11', b'"time":"2026-13', "its time is none"),
        (b'"labels":[1,2]', b'"labels":[1, 2]', "not in canonical form"),
        (b'"labels":[1,2]', b'"labels":[1,0.5]', "a number is not whole"),
        (b'"labels":[1,2]', b'"labels":[1,"\\ud800"]', "half a surrogate pair"),
        (b'"labels":[1,2]', b'"labels":' + b"[" * 16 + b"]" * 16, "nested too deep"),
        (b'"action":"U","actor"', b'"z":"U","actor"', "keys are not ASCII in order"),
        (b'"action":"U"', b'"action":"\xff"', "not JSON in UTF-8"),
        (b'"size":1}', b'"size":7}', "the seal does not count the events before it"),
        (b'"from":0', b'"fron":0', "the seal has another form"),
    ],
    ids=[
        "another number", "another version", "one more key", "no such month", "a space",
        "a fraction", "half a letter", "too deep", "keys in disorder", "no UTF-8",
        "a seal that counts wrongly", "a seal with another key",
    ],
)  # fmt: skip
def test_each_reason_is_named(files: Files, old: bytes, new: bytes, why: str) -> None:
    found = one(changed(files, 1, old, new))
    texts = [f["text"] for f in found["findings"] if f["code"] == "BROKEN"]
    assert len(texts) == 1
    assert why in texts[0]


def test_a_cut_end_is_a_crash_alone_and_red_when_somebody_remembers_it(files: Files) -> None:
    names = list(files)
    last = files[names[2]]
    lines = last.splitlines(keepends=True)
    cut = {**files, names[2]: b"".join(lines[:-2])}
    found = one(cut)
    assert codes(found, "red") == set()
    assert "OPEN" in codes(found, "amber")
    report_head = one(files)["roots"][2]
    origin = check_session_origin(last)
    head: dict[str, object] = {
        "origin": origin, "size": report_head[1], "root": report_head[2],
    }  # fmt: skip
    assert "TRUNCATED" in codes(one(cut, [head]), "red")
    assert "MISSING" in codes(one({n: files[n] for n in names[:2]}, [head]), "red")


def check_session_origin(data: bytes) -> str:
    start = data.index(b'"origin":"') + 10
    return data[start : data.index(b'"', start)].decode()


def test_a_middle_session_that_is_gone_is_missed(files: Files) -> None:
    names = list(files)
    found = one({names[0]: files[names[0]], names[2]: files[names[2]]})
    assert "MISSING" in codes(found, "red")


def test_a_session_written_anew_is_another(files: Files, bench: Bench, tmp_path: Path) -> None:
    names = list(files)
    other = Bench(tmp_path / "other")
    with other.open() as log:
        log.append_many([SAVE] * 4)
    text = other.root.joinpath(log.path.relative_to(other.root)).read_bytes()
    found = one({**files, names[0]: text})
    assert codes(found, "red") & {"FORK", "NAME", "TRUNCATED", "MISSING"}


def test_a_renamed_file_is_not_in_its_place(files: Files) -> None:
    names = list(files)
    moved = {names[0].replace("2026/11", "2026/12"): files[names[0]]}
    assert "NAME" in codes(one(moved), "red")


def test_a_crash_is_no_change_and_python_says_the_same(files: Files, tmp_path: Path) -> None:
    # Every length of the last two writes, and zeros where a piece never came.
    name = list(files)[2]
    data = files[name]
    begin = len(b"".join(data.splitlines(keepends=True)[:-4]))
    ends = range(begin, len(data), 37)
    cases = [data[:end] for end in ends]
    cases += [data[:end] + bytes(len(data) - end) for end in ends]
    results = check_all([{name: case} for case in cases])
    for case, found in zip(cases, results, strict=True):
        path = tmp_path / "case.jsonl"
        path.write_bytes(case)
        ours = check_session(path, name)
        theirs = codes(found, "red") | codes(found, "amber")
        for code in ("BROKEN", "TAIL", "STILLBORN"):
            assert (code in theirs) == ours.has(code), len(case)


def test_both_verifiers_agree_on_a_thousand_random_changes(
    files: Files, tmp_path: Path
) -> None:
    rng = random.Random(7)  # noqa: S311 - places to change, not secrets
    name = list(files)[1]
    data = files[name]
    cases = [mutated(data, rng) for _ in range(1000)]
    results = check_all([{name: case} for case in cases])
    for number, (case, found) in enumerate(zip(cases, results, strict=True)):
        path = tmp_path / "case.jsonl"
        path.write_bytes(case)
        ours = check_session(path, name)
        theirs = codes(found, "red") | codes(found, "amber")
        if case != data:
            assert theirs & {"BROKEN", "TAIL", "STILLBORN", "OPEN"}, number
        assert ("BROKEN" in theirs) == ours.has("BROKEN"), number
        assert found["events"] == ours.events, number


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with one flipped, one line gone, doubled or swapped, or the end cut."""
    kind = rng.randrange(5)
    if kind == 0:
        at = rng.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    lines = data.splitlines(keepends=True)
    at = rng.randrange(len(lines) - 1)
    if kind == 1:
        return b"".join(lines[:at] + lines[at + 1 :])
    if kind == 2:
        return b"".join([*lines[: at + 1], *lines[at:]])
    if kind == 3:
        return b"".join([*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]])
    return data[: rng.randrange(len(data))]


ORIGIN = "medlabel.local/ward-3/w0123456789abcdef/20261122T101403Z-" + "0" * 26
MOMENT = 1_795_342_443_000
INSTALL = SigningKey(bytes(31) + b"\2")
OFFICER = SigningKey(bytes(31) + b"\3")


def of_one_line(line: bytes) -> Files:
    """Return a log whose one event is a line, sealed by the session's key."""
    session = SessionKey(ORIGIN, bytes(31) + b"\1")
    tree = Frontier()
    tree.add(leaf_hash(line))
    head = Head(ORIGIN, 1, tree.root())
    sig = to_base64(session.sign(head))
    seal = {"from": 0, "root": to_base64(head.root), "sig": sig, "size": 1}
    return {session_file(ORIGIN): line + b"\n" + canonical.encode({"seal": seal}) + b"\n"}


def certified(bench: Bench, *, before: str = "-\n-\n-\n") -> Files:
    """Return a log of one event whose session key an install key certified."""
    session = SessionKey(ORIGIN, bytes(31) + b"\1")
    text = f"medlabel-cert/v1\n{ORIGIN}\n{to_base64(session.public)}\n{before}"
    cert = INSTALL.sign_as("medlabel.local/ward-3/w0123456789abcdef", text.encode())
    detail = {
        "origin": ORIGIN,
        "pub": to_base64(session.public),
        "install": to_base64(INSTALL.public),
        "cert": to_base64(cert),
    }
    line = line_of(
        Event("session.open", detail=detail), bench.actor, Place(0, NO_LEAF, MOMENT, 0)
    )
    return of_one_line(line)


def test_a_certificate_is_checked(bench: Bench) -> None:
    results = check_all([certified(bench), certified(bench, before="-\n0\n-\n")])
    assert [found["certificates"] for found in results] == [1, 0]
    assert codes(results[0], "red") == set()
    assert codes(results[0], "amber") == {"OPEN"}
    assert codes(results[1], "red") == {"CERT"}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (b'{"heads":[5],', "is no head"),
        (b'{"heads":[null],', "is no head"),
        (b'{"heads":[{"origin":5,"root":"","size":1}],', "is no head"),
        (b'{"head":"x",', "is no head"),
        (b'{"__proto__":{"heads":[5]},', None),
    ],
    ids=["a number", "nothing", "an origin that is none", "a word", "a key that is special"],
)
def test_a_signed_line_that_no_program_of_ours_writes_stops_nothing(
    bench: Bench, told: bytes, why: str | None
) -> None:
    (data,) = certified(bench).values()
    line = data.split(b"\n")[0]
    start, end = line.index(b'"cert":'), line.index(b'"origin":')
    found = one(of_one_line(line.replace(b"{" + line[start:end], told)))
    texts = [f["text"] for f in found["findings"] if f["code"] == "BROKEN"]
    assert [why in text for text in texts] == ([] if why is None else [True])


def test_a_document_of_the_site_with_strange_parts_stops_nothing(bench: Bench) -> None:
    log = certified(bench)
    parts = (b'"officers": [null]', b'"officers": [{}]', b'"officers": 7', b'"officers": {}')
    document = site_with()
    start = document.index(b'"officers"')
    old = document[start : document.index(b"]", start) + 1]
    cases = [{**log, "site.json": document.replace(old, part)} for part in parts]
    assert [codes(found, "red") for found in check_all(cases)] == [{"SITE"}] * len(parts)


def site_with(*installs: Install) -> bytes:
    officers = (Officer(OFFICER.public),)
    site = Site("ward-3", 1, MOMENT, officers=officers, installs=installs)
    return site_document(site, OFFICER)


def test_the_officers_document_says_whom_to_trust(bench: Bench) -> None:
    log = certified(bench)
    writer = "w0123456789abcdef"
    good = site_with(Install(writer, INSTALL.public, MOMENT))
    sites = {
        "trusted": good,
        "unknown": site_with(),
        "too early": site_with(Install(writer, INSTALL.public, MOMENT + 1)),
        "another computer": site_with(Install("w" + "0" * 16, INSTALL.public, MOMENT)),
        "revoked": site_with(Install(writer, INSTALL.public, 0, MOMENT)),
        "revoked later": site_with(Install(writer, INSTALL.public, 0, MOMENT + 1)),
        "changed": good.replace(b'"work_to": 19', b'"work_to": 20'),
        "no site": b"[]",
        "no JSON": b"?",
    }
    results = check_all([{**log, "site.json": document} for document in sites.values()])
    found = dict(zip(sites, results, strict=True))
    assert codes(found["trusted"], "amber") == {"OPEN"}
    assert found["trusted"]["officer"] == fingerprint(OFFICER.public)
    for name in ("unknown", "too early", "another computer"):
        assert codes(found[name], "amber") == {"OPEN", "TOFU"}, name
    assert codes(found["revoked"], "red") == {"REVOKED"}
    assert codes(found["revoked later"], "red") == set()
    for name in ("changed", "no site", "no JSON"):
        assert codes(found[name], "red") == {"SITE"}, name
        assert found[name]["officer"] == ""


def test_an_officer_whom_the_document_does_not_name_is_refused(bench: Bench) -> None:
    stranger = SigningKey(bytes(31) + b"\4")
    site = Site("ward-3", 1, MOMENT, officers=(Officer(OFFICER.public),))
    found = one({**certified(bench), "site.json": site_document(site, stranger)})
    assert codes(found, "red") == {"SITE"}


def test_only_an_officer_may_have_a_session_deleted(bench: Bench) -> None:
    bench.session()
    (first,) = verify_log(bench.root, state=None).sessions
    assert first.sealed is not None
    end = first.sealed
    text = pruning_text([end], 2190)
    name = "medlabel.local/ward-3/officer"
    signatures = {
        "officer": OFFICER.sign_as(name, text),
        "stranger": INSTALL.sign_as(name, text),
        "another text": OFFICER.sign_as(name, text + b" "),
    }
    results = {}
    for who, signature in signatures.items():
        own = Bench(bench.root.parent / who)
        with own.open(site="ward-3", writer="w" + "f" * 16) as log:
            heads = [end.record()]
            log.append("anchor.observe", detail={"heads": heads})
            detail = {"pruned": heads, "policy_days": 2190, "signature": to_base64(signature)}
            log.append("retention.prune", detail=detail)
        files = log_files(own.root)
        results[who] = one({**files, "site.json": site_with()})
        if who == "officer":
            results["no site"] = one(files)
            longer: dict[str, object] = {**end.record(), "size": end.size + 1}
            results["a longer end"] = one({**files, "site.json": site_with()}, [longer])
    assert codes(results["officer"], "red") == set()
    assert codes(results["a longer end"], "red") == {"MISSING"}
    for who in ("stranger", "another text", "no site"):
        assert codes(results[who], "red") == {"PRUNED", "MISSING"}, who


def test_hashes_signatures_and_codes_are_those_of_python(bench: Bench) -> None:
    rng = random.Random(3)  # noqa: S311 - test data
    lengths = [0, 1, 55, 56, 63, 64, 65, 111, 112, 119, 120, 127, 128, 129, 9000]
    blobs = [rng.randbytes(length) for length in lengths]
    driver = """
    const blobs = JSON.parse(require("fs").readFileSync(0, "utf8"));
    console.log(JSON.stringify(blobs.map((hex) => {
      const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
      return [toHex(sha256(bytes)), toHex(sha512(bytes)), toBase64(bytes)];
    })));"""
    found = run_node(verifier_source() + driver, [blob.hex() for blob in blobs])
    assert found == [
        [hashlib.sha256(b).hexdigest(), hashlib.sha512(b).hexdigest(), to_base64(b)]
        for b in blobs
    ]
    bench.session()
    report = verify_log(bench.root, state=None)
    code = make_code(report.sessions, "ward-3", "2026-11-22T10:10:32.104Z")
    driver = """
    const listing = JSON.parse(require("fs").readFileSync(0, "utf8"));
    console.log(JSON.stringify([codeOf(listing), headsOf(listing)]));"""
    letters, heads = run_node(verifier_source() + driver, code.listing.decode())
    assert letters == code.letters
    assert heads == [report.sessions[0].sealed.record()]  # type: ignore[union-attr]


def test_own_arithmetic_refuses_what_is_no_signature(bench: Bench) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = key.public_key().public_bytes_raw()
    message = b"a head"
    good = key.sign(message)
    group = 2**252 + 27742317777372353535851937790883648493
    high = good[:32] + (int.from_bytes(good[32:], "little") + group).to_bytes(32, "little")
    cases = [
        (public, good, message), (public, high, message), (public, good, b"another"),
        (b"\2" + bytes(31), good, message), (b"\xff" * 32, good, message),
        (b"\1" + bytes(30) + b"\x80", good, message), (public, bytes(64), message),
    ]  # fmt: skip
    driver = """
    const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (p) => parseInt(p, 16));
    const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
    console.log(JSON.stringify(cases.map(([key, signature, message]) =>
      ownVerifier(bytes(key))(bytes(signature), bytes(message)))));"""
    given = [[part.hex() for part in case] for case in cases]
    found = run_node(verifier_source() + driver, given)
    assert found == [True, False, False, False, False, False, False]


def story(bench: Bench, name: str) -> None:
    """Write a log in which sessions without a certificate are, or are not, named."""
    digest = policy_of(bench)

    def write(key: InstallKey | None, state: Path = bench.state) -> None:
        own, bench.state = bench.state, state
        with AuditLog.begin(bench.seat(Identity(key, digest))) as log:
            log.append_many([SAVE])
        bench.state = own

    stranger = InstallKey(SigningKey(b"k" * 32))
    early = AuditLog.begin(bench.seat(Identity(None, digest)))
    early.append_many([SAVE])
    if name != "went on":
        early.close()
    if name == "slipped in":
        write(None, bench.state.with_name("attacker"))
    keys = {"chain": [None, KEY], "strange": [stranger], "through a stranger": [stranger, KEY]}
    for key in keys.get(name, [KEY]):
        write(key)
    if name == "went on":
        early.append_many([SAVE])
        early.close()


KEY = InstallKey(INSTALL)
LEFT = {
    "once": 0, "chain": 0, "slipped in": 1, "strange": 1, "through a stranger": 1, "went on": 1,
    "revoked": 1,
}  # fmt: skip


def policy_of(bench: Bench) -> str:
    return f"sha256:{hashlib.sha256((bench.root / 'site.json').read_bytes()).hexdigest()}"


@pytest.mark.parametrize("name", LEFT)
def test_both_verifiers_agree_on_whom_a_certified_session_vouches_for(
    bench: Bench, name: str
) -> None:
    revoked = bench.clock.utc + 10_000_000 if name == "revoked" else None
    installs = (Install("w0123456789abcdef", INSTALL.public, 0, revoked),)
    site = Site("ward-3", 1, MOMENT, officers=(Officer(OFFICER.public),), installs=installs)
    write_site(bench.root, site, OFFICER)
    story(bench, name)
    report = verify_log(bench.root, state=None, officer=fingerprint(OFFICER.public))
    found = one({**log_files(bench.root), "site.json": (bench.root / "site.json").read_bytes()})
    left = [f["text"] for f in found["findings"] if f["code"] == "UNCERTIFIED"]
    ours = [f.text for f in report.findings if f.code == "UNCERTIFIED"]
    assert len(left) == len(ours) == LEFT[name]
    vouched = sum(session.vouched for session in report.sessions)
    noted = [f["text"] for f in found["findings"] if f["code"] == "VOUCHED"]
    assert len(noted) == bool(vouched)
    assert all(
        text.startswith(f"{vouched} session{'s' * (vouched > 1)} without") for text in noted
    )
    if left:
        assert left[0].startswith("No computer's key vouches for 1 session of ")
    if LEFT[name] == 0:
        assert found["verdict"] == "green"


@pytest.mark.parametrize("kept", [True, False])
def test_a_session_names_the_officers_document_that_must_be_in_the_page(
    bench: Bench, kept: bool
) -> None:
    site = Site("ward-3", 1, MOMENT, officers=(Officer(OFFICER.public),))
    write_site(bench.root, site, OFFICER)
    policy = policy_of(bench)
    with AuditLog.begin(bench.seat(Identity(KEY, policy))) as log:
        log.append_many([SAVE])
    document = {"site.json": (bench.root / "site.json").read_bytes()}
    found = one({**log_files(bench.root), **(document if kept else {})})
    assert ("SITE" in {f["code"] for f in found["findings"]}) is not kept
