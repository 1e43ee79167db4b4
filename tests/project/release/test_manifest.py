"""A manifest names every file, is written once, and shows whatever was changed since."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.keys.people import SignedStatement, Statement, sign_statement
from napari_medlabel.audit.keys.signatures import SigningKey, fingerprint
from napari_medlabel.errors import InputError, LogError, RefusedError
from napari_medlabel.io.files import sha256_file
from napari_medlabel.io.manifest import RECEIPT_NAME
from napari_medlabel.project.cases.version import Pins
from napari_medlabel.project.release.intact import check_manifest
from napari_medlabel.project.release.manifest import (
    MANIFEST,
    SIGNATURE,
    Manifest,
    ReleasedFile,
    log_heads,
    make_manifest,
    read_manifest,
    write_manifest,
)
from tests.audit.bench import SAVE, Bench
from tests.project.release.released import digest

PINS = Pins(digest("ontology"), digest("guideline"))
NOON = "2026-11-22T12:00:00.000Z"
KEY = SigningKey(bytes(range(32)))
MASK = "derivatives/medlabel-r01/sub-001/anat/sub-001_desc-ctv001_dseg.nii.gz"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    for name, data in (("README.md", b"# Livers\n"), (MASK, b"mask"), ("CHANGES", b"")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def made(folder: Path, heads: tuple[Head, ...] = ()) -> Manifest:
    return make_manifest(folder, name="2026-11", made=NOON, pins=PINS, heads=heads)


def signed(manifest: Manifest, key: SigningKey = KEY) -> SignedStatement:
    said = Statement("approved", "r01", manifest.digest, NOON, "u1-0123456789abcdef")
    return sign_statement(said, key)


@pytest.fixture
def release(folder: Path) -> Path:
    manifest = made(folder)
    write_manifest(folder, manifest, signed(manifest))
    return folder


def rules(folder: Path, **more: object) -> list[tuple[str, str]]:
    more.setdefault("trusted", {KEY.public})
    return [(one.rule, one.where) for one in check_manifest(folder, **more)]


def test_a_manifest_names_every_file_by_hash_and_size(folder):
    manifest = made(folder)
    assert [one.path for one in manifest.files] == ["CHANGES", "README.md", MASK]
    assert manifest.files[1].digest == f"sha256:{sha256_file(folder / 'README.md')}"
    assert [one.size for one in manifest.files] == [0, 9, 4]


def test_it_reads_as_it_was_written_and_is_canonical(release):
    manifest = read_manifest(release)
    assert manifest == made(release)
    data = (release / MANIFEST).read_bytes()
    assert data == manifest.to_bytes()
    assert canonical.encode(json.loads(data)) == data
    assert manifest.digest == f"sha256:{sha256_file(release / MANIFEST)}"


def test_an_untouched_release_has_no_findings_even_with_its_receipt(release):
    (release / RECEIPT_NAME).write_bytes(b"{}")
    assert rules(release) == []


def test_a_changed_file_is_found(release):
    (release / MASK).write_bytes(b"musk")
    assert rules(release) == [("changed", MASK)]


def test_a_missing_file_is_found(release):
    (release / MASK).unlink()
    findings = check_manifest(release, trusted={KEY.public})
    assert [(one.rule, one.where) for one in findings] == [("missing", MASK)]
    assert findings[0].words == "File 3 of the manifest is missing."


def test_a_file_too_many_is_found_and_its_name_is_not_repeated(release):
    (release / "Miller_John.dcm").write_bytes(b"x")
    findings = check_manifest(release, trusted={KEY.public})
    assert [(one.rule, one.where) for one in findings] == [("extra", "(...)")]


def test_a_renamed_file_is_one_finding(release):
    (release / "README.md").rename(release / "README")
    assert rules(release) == [("renamed", "README")]


def test_of_two_twins_of_a_lost_file_one_is_renamed_and_one_too_many(release):
    (release / "README.md").rename(release / "README")
    (release / "LICENSE").write_bytes((release / "README").read_bytes())
    assert sorted(rules(release)) == [("extra", "README"), ("renamed", "LICENSE")]


def test_an_empty_file_is_not_taken_for_a_renamed_one(release):
    (release / "CHANGES").rename(release / "LICENSE")
    assert sorted(rules(release)) == [("extra", "LICENSE"), ("missing", "CHANGES")]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_refused_before_and_found_after(release, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (release / "sourcedata").symlink_to(tmp_path / "elsewhere")
    assert rules(release) == [("link", "sourcedata")]
    with pytest.raises(RefusedError, match="a link, or something else"):
        made(release)


@pytest.mark.parametrize("name", ["Müller.nii", "a b.nii", "a.", "a\\b"])
def test_names_that_not_every_computer_can_have_are_refused_unrepeated(folder, name):
    (folder / name).write_bytes(b"x")
    with pytest.raises(RefusedError, match="letters, digits and") as err:
        made(folder)
    assert name not in str(err.value)


def test_names_that_differ_in_capitals_only_are_refused(folder):
    files = (ReleasedFile("A", digest("x"), 1), ReleasedFile("a", digest("y"), 1))
    with pytest.raises(InputError, match="differ in capitals"):
        replace(made(folder), files=files)
    with pytest.raises(InputError, match="differ in capitals"):
        replace(made(folder), files=(ReleasedFile("Manifest.json", digest("x"), 1),))


def test_a_release_without_files_or_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is none"):
        made(tmp_path / "nowhere")
    with pytest.raises(InputError, match="has no file"):
        made(tmp_path)


@pytest.mark.parametrize("name", ["", "../x", "a b", ".hidden", "x" * 65])
def test_a_release_is_named_by_letters_and_digits(folder, name):
    with pytest.raises(InputError, match="is named by"):
        make_manifest(folder, name=name, made=NOON, pins=PINS)


@pytest.mark.parametrize(
    "more",
    [{"made": "yesterday"}, {"pins": Pins("x", "y")}, {"heads": (Head("b", 1, b""),) * 2},
     {"files": (ReleasedFile("../x", digest("x"), 1),)},
     {"files": (ReleasedFile("x", digest("x"), -1),)},
     {"files": (ReleasedFile("b", digest("x"), 1), ReleasedFile("a", digest("x"), 1))},
     {"files": (ReleasedFile(MANIFEST, digest("x"), 1),)}],
)  # fmt: skip
def test_a_manifest_of_another_form_is_refused(folder, more):
    with pytest.raises(InputError, match="is not of its form"):
        replace(made(folder), **more)


def test_a_release_is_made_once(release):
    manifest = replace(read_manifest(release), name="other")
    with pytest.raises(RefusedError, match="made once and never changed"):
        write_manifest(release, manifest)
    (release / MANIFEST).unlink()
    with pytest.raises(RefusedError, match="made once and never changed"):
        write_manifest(release, manifest)


def test_a_signature_over_something_else_is_not_written(folder):
    manifest = made(folder)
    with pytest.raises(InputError, match="another content"):
        write_manifest(folder, manifest, signed(replace(manifest, name="other")))
    assert not (folder / MANIFEST).exists()


def test_an_unsigned_release_says_so(folder):
    write_manifest(folder, made(folder))
    assert rules(folder) == [("unsigned", MANIFEST)]


def test_a_key_that_nobody_vouched_for_is_named_by_its_fingerprint(release):
    (finding,) = check_manifest(release)
    assert (finding.level, finding.rule) == ("warning", "unknown key")
    assert fingerprint(KEY.public) in finding.words


def test_a_strangers_signature_is_an_error(release):
    assert rules(release, trusted={bytes(32)}) == [("stranger", MANIFEST)]


def test_a_damaged_signature_is_an_error(release):
    path = release / SIGNATURE
    path.write_bytes(path.read_bytes().replace(b"r01", b"r02"))
    assert rules(release) == [("signature", MANIFEST)]


def test_a_manifest_made_again_over_changed_files_no_longer_fits_its_signature(release):
    (release / MASK).write_bytes(b"musk")
    (release / MANIFEST).write_bytes(made(release).to_bytes())
    assert rules(release) == [("signature", MANIFEST)]


@pytest.mark.parametrize(
    "change",
    [(b'"v":1', b'"v":2'), (b'"release"', b'"project"'), (b'"size":4', b'"size":4.0'),
     (b'"size":4', b'"size":true'), (b'"files"', b'"filez"'), (b"{", b"{ "),
     (b'"medlabel"', b'"extra":1,"medlabel"')],
)  # fmt: skip
def test_a_manifest_of_another_form_is_not_read(release, change):
    path = release / MANIFEST
    path.write_bytes(path.read_bytes().replace(*change, 1))
    with pytest.raises(InputError):
        read_manifest(release)


def test_a_folder_without_a_manifest_is_no_release(folder):
    with pytest.raises(InputError, match="cannot be read, or is none"):
        check_manifest(folder)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "log")


@pytest.fixture
def logged(bench: Bench, folder: Path) -> Path:
    """A release with the head of a session, which goes on after it."""
    with bench.open() as log:
        log.append_many([SAVE, SAVE])
        manifest = made(folder, log_heads(bench.root))
        assert manifest.heads == (log.head,)
        log.append_many([SAVE])
    write_manifest(folder, manifest, signed(manifest))
    return folder


def session_of(bench: Bench) -> Path:
    (path,) = (bench.root / "writers").rglob("*.jsonl")
    return path


def test_a_log_that_went_on_still_fits(logged, bench):
    assert rules(logged, audit_root=bench.root) == []
    assert [head.size for head in log_heads(bench.root)] == [5]


def test_a_log_that_was_cut_is_found(logged, bench):
    path = session_of(bench)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    assert [rule for rule, _ in rules(logged, audit_root=bench.root)] == ["log cut"]


def test_a_log_with_another_event_is_found(logged, bench):
    path = session_of(bench)
    lines = path.read_bytes().splitlines(keepends=True)
    events = [index for index, line in enumerate(lines) if not line.startswith(b'{"seal"')]
    lines[events[1]] = lines[events[2]]
    path.write_bytes(b"".join(lines))
    assert [rule for rule, _ in rules(logged, audit_root=bench.root)] == ["log another"]
    with pytest.raises(LogError, match="not what its seal says"):
        log_heads(bench.root)


def test_a_session_that_is_no_log_any_more_is_found(logged, bench):
    session_of(bench).write_bytes(b'{"seal":1}\n')
    assert [rule for rule, _ in rules(logged, audit_root=bench.root)] == ["log another"]


def test_a_missing_session_is_found_unless_an_officer_had_it_deleted(logged, bench):
    path = session_of(bench)
    (end,) = log_heads(bench.root)
    path.unlink()
    assert [rule for rule, _ in rules(logged, audit_root=bench.root)] == ["log missing"]
    assert rules(logged, audit_root=bench.root, pruned=[end]) == []


def test_a_session_under_another_name_is_refused(logged, bench):
    path = session_of(bench)
    path.rename(path.with_name("20261122T000000Z-0.jsonl"))
    with pytest.raises(LogError):
        log_heads(bench.root)


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_whatever_byte_of_a_file_changes_is_found(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    names = data.draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True))
    for name in names:
        (folder / name).write_bytes(data.draw(st.binary(min_size=1, max_size=9)))
    write_manifest(folder, made(folder))
    path = folder / data.draw(st.sampled_from(names))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert [one.rule for one in check_manifest(folder)] == ["changed", "unsigned"]


def test_a_session_that_sealed_nothing_yet_has_no_head(logged, bench):
    path = session_of(bench)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if not line.startswith(b'{"seal"')))
    assert log_heads(bench.root) == ()


def test_a_file_that_cannot_be_read_is_said_without_its_path(release, monkeypatch):
    def denied(path: Path) -> str:
        raise PermissionError(13, "no", f"{path}")

    monkeypatch.setattr("napari_medlabel.project.release.manifest.sha256_file", denied)
    with pytest.raises(InputError, match="A file of the release cannot be read") as err:
        check_manifest(release)
    assert "README" not in str(err.value)


def test_a_session_that_cannot_be_read_is_said(logged, bench, monkeypatch):
    def denied(path: Path) -> bytes:
        raise PermissionError(13, "no", f"{path}")

    monkeypatch.setattr("napari_medlabel.project.release.intact.read_lines", denied)
    with pytest.raises(InputError, match=r"cannot be read \(PermissionError\)"):
        check_manifest(logged, audit_root=bench.root)
