"""The verifier in the bundle finds what the program finds, with no code in common."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_medlabel.audit.anchors.code import keep_code, make_code
from napari_medlabel.audit.exports import verify
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.merkle import Frontier, leaf_hash
from napari_medlabel.audit.format.record import time_text
from napari_medlabel.audit.format.seal import Head, SessionKey, to_base64
from tests.audit.bench import SAVE, Bench
from tests.audit.exports import trusted

Change = Callable[[Path], object]
LEVEL = {0: "green", 4: "amber", 5: "red"}


@pytest.fixture
def log(bench: Bench) -> Bench:
    trusted.write_log(bench)
    return bench


def theirs(root: Path, *more: str) -> str:
    return LEVEL[verify.main([str(root), "--officer", trusted.letters(), *more])]


def sessions(root: Path) -> list[Path]:
    return sorted(root.rglob("*.jsonl"))


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def rewrite(root: Path, place: int, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = sessions(root)[place]
    path.write_bytes(b"".join(change(lines_of(path))))


def test_it_has_fewer_than_200_lines_and_imports_nothing_of_ours() -> None:
    text = Path(verify.__file__).read_text("utf-8")
    assert text.count("\n") < 200
    assert "import napari" not in text
    assert "from napari" not in text


def test_a_log_with_everything_in_order_is_green_for_both(log: Bench) -> None:
    assert trusted.verify(log).verdict == "green"
    assert theirs(log.root) == "green"


CHANGES: dict[str, Change] = {
    "a line is gone": lambda root: rewrite(root, 0, lambda lines: lines[:2] + lines[4:]),
    "a seal is gone": lambda root: rewrite(root, 0, lambda lines: lines[:1] + lines[2:]),
    "a batch is put in twice": lambda root: rewrite(root, 0, lambda x: x[:5] + x[2:5] + x[5:]),
    "two batches changed places": lambda root: rewrite(
        root, 0, lambda x: x[:2] + x[5:8] + x[2:5] + x[8:]
    ),
    "two lines changed places": lambda root: rewrite(
        root, 0, lambda x: [*x[:2], x[3], x[2], *x[4:]]
    ),
    "the end of an old session is gone": lambda root: rewrite(root, 0, lambda x: x[:-2]),
    "the end of the last session is gone": lambda root: rewrite(root, -1, lambda x: x[:-2]),
    "half a line is gone": lambda root: rewrite(root, -1, lambda x: [*x[:-1], x[-1][:40]]),
    "a session is empty": lambda root: rewrite(root, 1, lambda _: []),
    "something follows the end": lambda root: rewrite(root, 0, lambda x: [*x, x[0]]),
    "zeros stand at the end": lambda root: rewrite(root, -1, lambda x: [*x, bytes(64)]),
    "a session is gone": lambda root: sessions(root)[1].unlink(),
    "the last session is gone": lambda root: sessions(root)[-1].unlink(),
    "a session has another name": lambda root: sessions(root)[0].rename(
        sessions(root)[0].with_name("20261122T101403Z-01M81BZ8G2000000000000000Z.jsonl")
    ),
    "a session is there twice": lambda root: (
        sessions(root)[0]
        .with_name("20261122T101403Z-01M81BZ8G2000000000000000Z.jsonl")
        .write_bytes(sessions(root)[0].read_bytes())
    ),
    "two sessions changed places": lambda root: swap(*sessions(root)[:2]),
    "site.json is gone": lambda root: (root / "site.json").unlink(),
    "an older site is gone": lambda root: (root / "site" / "0001.json").unlink(),
    "the whole site is gone": lambda root: [
        path.unlink() for path in (root / "site.json", root / "site" / "0001.json")
    ],
    "the witness is gone": lambda root: [p.unlink() for p in root.glob("witness/*/*/*.note")],
    "the last note of the witness is gone": lambda root: sorted(
        root.glob("witness/*/*/*.note")
    )[-1].unlink(),
    "the published heads are gone": lambda root: [
        path.unlink() for path in root.glob("heads/*/*.note")
    ],
    "a published head is nonsense": lambda root: next(root.glob("heads/*/*.note")).write_bytes(
        b"?\n"
    ),
    "a witness's note is nonsense": lambda root: next(
        root.glob("witness/*/*/*.note")
    ).write_bytes(b"?\n"),
}


def swap(one: Path, other: Path) -> None:
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


@pytest.mark.parametrize("name", CHANGES)
def test_both_say_the_same_of_a_changed_log(log: Bench, name: str) -> None:
    CHANGES[name](log.root)
    ours = trusted.verify(log).verdict.value
    assert ours != "green" or name == "the published heads are gone"
    assert theirs(log.root) == ours


def test_both_say_the_same_of_every_flipped_byte(log: Bench, tmp_path: Path) -> None:
    step, seen = 97, dict[str, int]()
    place = 0
    files = [
        path
        for path in sorted(log.root.rglob("*"))
        if path.is_file() and path.name != "install.json"
    ]
    for path in files:
        data = path.read_bytes()
        while place < len(data):
            bent = bytearray(data)
            bent[place] ^= 1
            path.write_bytes(bent)
            ours = trusted.verify(log).verdict.value
            assert theirs(log.root) == ours, (path.relative_to(log.root), place)
            assert ours != "green", (path.relative_to(log.root), place)
            seen[ours] = seen.get(ours, 0) + 1
            place += step
        place -= len(data)
        path.write_bytes(data)
    assert seen["red"] > 80, seen
    assert theirs(log.root) == "green"


def test_both_say_the_same_of_every_shorter_end(bench: Bench) -> None:
    trusted.write_log(bench, 2, crash=True)
    path = sessions(bench.root)[-1]
    data = path.read_bytes()
    for note in [*bench.root.glob("witness/*/*/*.note"), *bench.root.glob("heads/*/*.note")]:
        if note.stem == path.stem:
            note.unlink()
    found = set()
    for length in range(len(data), 0, -101):
        path.write_bytes(data[:length])
        ours = trusted.verify(bench).verdict.value
        assert theirs(bench.root) == ours, length
        found.add(ours)
    assert found == {"amber"}


def test_a_log_without_a_site_is_amber_for_both(bench: Bench) -> None:
    bench.session()
    with bench.open() as log:
        log.append_many([trusted.OPEN])
    path = sessions(bench.root)[0]
    path.write_bytes(path.read_bytes())
    report = trusted.verify(bench, officer=None)
    assert SAVE.event in path.read_text()
    levels = {finding.code: finding.level for finding in report.findings}
    assert "OBJECT" in levels  # the masks are not in a bundle, so nobody looks for them there
    assert verify.main([str(bench.root)]) == 4


def test_another_officer_is_red_for_both_and_none_is_amber(log: Bench) -> None:
    assert trusted.verify(log, officer="00000000").verdict == "red"
    assert verify.main([str(log.root), "--officer", "0000-0000"]) == 5
    assert trusted.verify(log, officer=None).verdict == "amber"
    assert verify.main([str(log.root)]) == 4


def test_a_code_on_paper_fits_until_an_end_is_gone(log: Bench) -> None:
    code = make_code(trusted.verify(log).sessions, "ward-3", time_text(log.clock.utc))
    keep_code(log.root, code)
    assert theirs(log.root, "--expect", code.text.lower()) == "green"
    assert theirs(log.root, "--expect", code.text.replace("-", " ")) == "green"
    assert theirs(log.root, "--expect", "0" * 33) == "red"
    for note in [*log.root.glob("witness/*/*/*.note"), *log.root.glob("heads/*/*.note")]:
        note.unlink()
    rewrite(log.root, -1, lambda lines: lines[:-2])
    assert trusted.verify(log).verdict == "amber"
    assert theirs(log.root) == "amber"
    assert trusted.verify(log, expect=code.text).verdict == "red"
    assert theirs(log.root, "--expect", code.text) == "red"


def test_a_revoked_workstation_is_red_and_an_unknown_one_amber_for_both(log: Bench) -> None:
    from tests.audit.keys.site_bench import INSTALL, MADE_MS, OFFICER, WRITER, site, write_site

    install = trusted_install(WRITER, INSTALL.public, MADE_MS, MADE_MS + 1)
    before = (log.root / "site.json").read_bytes()
    public = trusted.WITNESS.public
    witnesses = (trusted.Witness(trusted.WITNESS_NAME, public),)
    digest = "sha256:" + trusted.sha256(before).hexdigest()
    for installs, verdict in (((install,), "red"), ((), "amber")):
        found = site(serial=2, previous=digest, installs=installs, witnesses=witnesses)
        write_site(log.root, found, OFFICER)
        assert trusted.verify(log).verdict == verdict
        assert theirs(log.root) == verdict


def trusted_install(*given: object) -> object:
    from napari_medlabel.audit.keys.site import Install

    return Install(*given)  # type: ignore[arg-type]


def test_a_second_workstation_is_heard_too(log: Bench) -> None:
    with log.open(writer="wfedcba9876543210") as other:
        heads = [
            {"origin": s.origin, "size": s.events, "root": s.sealed.record()["root"]}
            for s in trusted.verify(log).sessions
            if s.sealed
        ]
        first = trusted.verify(log).sessions[0]
        early = {
            "origin": first.origin,
            "size": 1,
            "root": to_base64(first.seals.root(1) or b""),
        }
        other.append("anchor.observe", detail={"heads": [heads[0], early], "source": "peer"})
        other.append("batch.close", detail={"expected": heads[:1], "actual": []})
        other.append("tamper.found", detail={"what": "changed", "head": heads[0]}, outcome=12)
    ours = trusted.verify(log)
    assert ours.verdict == "amber"
    assert theirs(log.root) == "amber"


def test_clocks_that_went_back_are_amber_for_both(bench: Bench) -> None:
    trusted.write_log(bench, 1)
    log = bench.open()
    bench.clock.utc -= 3_600_000
    log.append_many([trusted.OPEN])
    log.close()
    assert "CLOCK" in {finding.code for finding in trusted.verify(bench).findings}
    assert theirs(bench.root) == trusted.verify(bench).verdict == "amber"


def test_it_runs_alone_in_a_clean_python(log: Bench, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    script = alone / "verify.py"
    script.write_bytes(Path(verify.__file__).read_bytes())

    def run() -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-I", str(script), str(log.root), "--officer", trusted.letters()],
            capture_output=True, text=True, cwd=alone, check=False,
        )  # fmt: skip
        assert done.stderr == ""
        return done.returncode, done.stdout

    assert run()[0] == 0
    assert run()[1].startswith("GREEN. The log is complete and unaltered: ")
    rewrite(log.root, -1, lambda lines: lines[:-2])
    code, said = run()
    assert code == 5
    assert "The end is missing: server remembers" in said


def test_a_folder_without_a_log_is_never_green(tmp_path: Path) -> None:
    assert verify.main([str(tmp_path)]) == 5


def test_names_of_files_cannot_steer_a_terminal(
    log: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sessions(log.root)[0]
    path.with_name("\x1b[2J.jsonl").write_bytes(path.read_bytes())
    assert theirs(log.root) == "red"
    assert "\x1b" not in capsys.readouterr().out


def test_a_parcel_is_compared_with_its_own_lists(log: Bench, tmp_path: Path) -> None:
    from tests.audit.exports.test_bundle import pack

    bag = pack(log, tmp_path / "evidence")
    assert theirs(bag) == "green"
    (bag / "data/public-keys.txt").unlink()
    assert theirs(bag) == "red"


def test_a_crash_that_the_next_session_looked_at_is_green_for_both(bench: Bench) -> None:
    trusted.write_log(bench, 2, crash=True)
    assert theirs(bench.root) == trusted.verify(bench).verdict == "amber"
    crashed = sessions(bench.root)[-1]
    crashed.write_bytes(crashed.read_bytes() + b'{"action":"R"')
    trusted.go_on(bench)
    assert b"session.recover" in sessions(bench.root)[-1].read_bytes()
    assert theirs(bench.root) == trusted.verify(bench).verdict == "green"
    crashed.write_bytes(crashed.read_bytes()[:-300])
    assert theirs(bench.root) == trusted.verify(bench).verdict == "red"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_session_written_anew_by_another_key_is_red_for_both(log: Bench, place: int) -> None:
    """Everything in it fits: lines, chain, tree, seals. Others remember another one."""
    path = sessions(log.root)[place]
    reseal(log, path, lambda detail: None)
    for note in [*log.root.glob("witness/*/*/*.note"), *log.root.glob("heads/*/*.note")]:
        if note.stem == path.stem:
            note.unlink()
    assert theirs(log.root) == trusted.verify(log).verdict == "red"  # its certificate is gone


@pytest.mark.parametrize(
    "item",
    [{"origin": "x"}, {"origin": "a/b/c"}, {"size": "1"}, {"size": -1}, {"root": "x"}, {}],
)
def test_a_head_that_is_none_ends_in_words_and_not_in_a_traceback(
    log: Bench, item: dict[str, object]
) -> None:
    """Whoever has the key of a session can seal anything; we never write such a head."""
    path = sessions(log.root)[-1]
    reseal(log, path, lambda detail: detail.update(peers=[{**head_of(log), **item}]))
    assert theirs(log.root) == trusted.verify(log).verdict == "red"


def head_of(log: Bench) -> dict[str, object]:
    (first, *_) = trusted.verify(log).sessions
    assert first.sealed
    return first.sealed.record()


def test_a_list_of_the_parcel_that_is_none_is_red(log: Bench, tmp_path: Path) -> None:
    from tests.audit.exports.test_bundle import pack

    bag = pack(log, tmp_path / "evidence")
    (bag / "manifest-sha256.txt").write_bytes(b"\xff\n")
    assert theirs(bag) == "red"
    (bag / "tagmanifest-sha256.txt").write_bytes(b"one\n")
    assert theirs(bag) == "red"


@pytest.mark.parametrize("typed", ["x", "0000", "OOOO-OOOO"])
def test_too_few_letters_of_the_officer_are_not_enough(log: Bench, typed: str) -> None:
    assert verify.main([str(log.root), "--officer", typed]) == 5
    whole = trusted.letters()
    assert verify.main([str(log.root), "--officer", whole[:4]]) == 5
    assert verify.main([str(log.root), "--officer", f"  {whole.lower()} "]) == 0


def reseal(log: Bench, path: Path, change: Callable[[dict[str, object]], object]) -> None:
    """Write a session anew with another key, such that everything in it fits."""
    key, tree, prev, data = b"\7" * 32, Frontier(), bytes(32), b""
    origin, sealed = json.loads(path.read_bytes().splitlines()[0])["detail"]["origin"], 0
    session = SessionKey(origin, key)
    for line in path.read_bytes().splitlines():
        record = json.loads(line)
        if "seal" not in record:
            if record["event"] == "session.open":
                record["detail"]["pub"] = to_base64(session.public)
                change(record["detail"])
            record["prev"] = to_base64(prev)
            raw = canonical.encode(record)
            prev = leaf_hash(raw)
            tree.add(prev)
            data += raw + b"\n"
            continue
        head = Head(origin, tree.size, tree.root())
        seal = {
            "from": sealed, "root": to_base64(head.root), "size": head.size,
            "sig": to_base64(session.sign(head)),
        }  # fmt: skip
        sealed = head.size
        data += canonical.encode({"seal": seal}) + b"\n"
    path.write_bytes(data)


@pytest.mark.parametrize(("signer", "verdict"), [("officer", "green"), ("other", "red")])
def test_sessions_that_the_officer_had_deleted_are_missed_by_nobody(
    log: Bench, signer: str, verdict: str
) -> None:
    from napari_medlabel.audit.check.trust import pruning_text
    from napari_medlabel.audit.format.event import Event
    from napari_medlabel.audit.keys.site import officer_name
    from tests.audit.keys.site_bench import OFFICER, OTHER

    first = trusted.verify(log).sessions[0].sealed
    assert first
    key = OFFICER if signer == "officer" else OTHER
    signature = key.sign_as(officer_name("ward-3"), pruning_text([first], 2190))
    detail = {
        "pruned": [first.record()], "policy_days": 2190, "signature": to_base64(signature),
    }  # fmt: skip
    sessions(log.root)[0].unlink()
    for note in log.root.glob("heads/*/*.note"):
        if note.stem == first.origin.rsplit("/", 1)[1]:
            note.unlink()
    trusted.go_on(log, Event("retention.prune", detail=detail))
    assert theirs(log.root) == trusted.verify(log).verdict == verdict


def policy_of(bench: Bench) -> str:
    return f"sha256:{trusted.sha256((bench.root / 'site.json').read_bytes()).hexdigest()}"


def install_only_now(bench: Bench, *before: object) -> None:
    """Write sessions by these keys, and then a certified one; a witness sees them all."""
    trusted.write_log(bench, 0)
    for install in before:
        policy = policy_of(bench)
        seat = bench.seat(trusted.Identity(install, policy))  # type: ignore[arg-type]
        with trusted.AuditLog.begin(seat) as log:
            log.append_many([trusted.OPEN])
    trusted.go_on(bench)


def test_sessions_from_before_there_was_a_key_are_green_for_both(bench: Bench) -> None:
    install_only_now(bench, None, None)
    report = trusted.verify(bench)
    assert [finding.code for finding in report.findings] == ["VOUCHED"]
    assert theirs(bench.root) == report.verdict == "green"
    sessions(bench.root)[-1].unlink()
    for note in [*bench.root.glob("witness/*/*/*.note"), *bench.root.glob("heads/*/*.note")]:
        if note.stem == sorted(bench.root.glob("heads/*/*.note"))[-1].stem:
            note.unlink()
    assert theirs(bench.root) == trusted.verify(bench).verdict != "green"


def test_a_session_that_nobody_names_is_amber_for_both(bench: Bench) -> None:
    install_only_now(bench, None)
    state, bench.state = bench.state, bench.state.with_name("attacker")
    policy = policy_of(bench)
    for _ in range(2):  # the second names the first, and nobody the second
        with trusted.AuditLog.begin(bench.seat(trusted.Identity(None, policy))) as log:
            log.append_many([trusted.OPEN])
    bench.state = state
    trusted.witness_all(bench)
    report = trusted.verify(bench)
    assert "UNCERTIFIED" in {f.code for f in report.findings if f.level == "amber"}
    assert theirs(bench.root) == report.verdict == "amber"


def test_a_session_that_went_on_after_it_was_named_is_amber_for_both(bench: Bench) -> None:
    trusted.write_log(bench, 0)
    policy = policy_of(bench)
    log = trusted.AuditLog.begin(bench.seat(trusted.Identity(None, policy)))
    trusted.go_on(bench)
    log.append_many([trusted.OPEN])
    log.close()
    trusted.witness_all(bench)
    report = trusted.verify(bench)
    assert [f.code for f in report.findings if f.level == "amber"] == ["UNCERTIFIED"]
    assert theirs(bench.root) == report.verdict == "amber"


def test_no_key_that_is_not_trusted_vouches_for_either(bench: Bench) -> None:
    from napari_medlabel.audit.keys.install import InstallKey
    from napari_medlabel.audit.keys.signatures import SigningKey

    install_only_now(bench, None, InstallKey(SigningKey(b"k" * 32)))
    report = trusted.verify(bench)
    found = sorted(f.code for f in report.findings if f.level == "amber")
    assert found == ["TOFU", "UNCERTIFIED"]
    assert theirs(bench.root) == report.verdict == "amber"
    said = verify.Log(bench.root, trusted.letters().replace("-", ""), "").found
    assert sum("No workstation vouches" in text for _, _, text in said) == 1


@pytest.mark.parametrize("change", ["bent", "gone"])
@pytest.mark.parametrize("named", [True, False], ids=["named", "not named"])
def test_a_session_s_own_line_in_a_witness_s_note_is_checked_by_both(
    log: Bench, change: str, named: bool
) -> None:
    note = next(log.root.glob("witness/*/*/*.note"))
    if not named:
        stranger = log.root / "witness/other" / note.relative_to(note.parents[1])
        stranger.parent.mkdir(parents=True)
        note = note.rename(stranger)
        assert theirs(log.root) == trusted.verify(log).verdict == "amber"
    lines = note.read_text("utf-8").split("\n")
    (place,) = [n for n, line in enumerate(lines) if line.startswith("\u2014 medlabel")]
    dash, name, raw = lines[place].split(" ")
    bent = f"{dash} {name} {raw[:40]}{'B' if raw[40] == 'A' else 'A'}{raw[41:]}"
    lines[place : place + 1] = [] if change == "gone" else [bent]
    note.write_text("\n".join(lines), "utf-8")
    assert theirs(log.root) == trusted.verify(log).verdict == "red"


def test_a_count_under_the_name_of_heads_is_no_head(log: Bench) -> None:
    from napari_medlabel.audit.format.event import Event

    trusted.go_on(log, Event("landmark.save", detail={"count": 3, "expected": 4}))
    assert theirs(log.root) == trusted.verify(log).verdict == "green"
