from __future__ import annotations

import argparse
import json
import os
import signal
import stat
import struct
from pathlib import Path

import platformdirs
import pytest

from napari_medlabel.cli import deid
from napari_medlabel.cli.main import main
from napari_medlabel.errors import InputError, MissingPackageError, SaveError


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Two NIfTI files with a name in their header."""
    folder = tmp_path / "QUINCY_Jack"
    folder.mkdir()
    header = bytearray(348)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 2, 2, 2, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)
    struct.pack_into("<f", header, 108, 352)
    header[148:154], header[344:348] = b"QUINCY", b"n+1\0"
    for name in ("a.nii", "b.nii"):
        (folder / name).write_bytes(bytes(header) + bytes(4) + b"12345678")
    return folder


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    deid.add_parser(parser.add_subparsers())
    args = parser.parse_args(["deid", *(str(argument) for argument in arguments)])
    code: int = args.run(args)
    return code


def test_everything_clean_is_zero(scans, tmp_path, capsys):
    assert run(scans, tmp_path / "out", "--key", tmp_path / "k") == 0
    out, err = capsys.readouterr()
    assert "2 NIfTI files written" in out
    assert "recognizable face not removed (2 files)" in out
    assert "A project key was made as --key asks" in err
    assert "2 of 2 files" in err
    assert len(list((tmp_path / "out").rglob("*.nii"))) == 2


def test_a_key_is_made_once(scans, tmp_path, capsys):
    key = tmp_path / "k"
    run(scans, tmp_path / "one", "--key", key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    capsys.readouterr()
    run(scans, tmp_path / "two", "--key", key)
    assert key.read_bytes() == before
    assert "key was made" not in capsys.readouterr().err
    one, two = (
        sorted(p.relative_to(tmp_path / n) for p in (tmp_path / n).rglob("*.nii"))
        for n in ("one", "two")
    )
    assert one == two


def test_without_a_key_file_the_users_data_folder_has_one(scans, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        platformdirs, "user_data_path", lambda name, **_: tmp_path / "data" / name
    )
    assert run(scans, tmp_path / "out") == 0
    assert (tmp_path / "data" / "napari-medlabel" / "keys" / "project.key").exists()
    assert "user's data folder" in capsys.readouterr().err


def test_quarantined_files_are_listed_and_the_code_is_three(scans, tmp_path, capsys):
    (scans / "c.dcm").write_text("just text")
    assert run(scans, tmp_path / "out", "--key", tmp_path / "k") == 3
    err = capsys.readouterr().err
    assert "quarantined: 1 (not what its name says), file 3" in err
    assert "LC_ALL=C sort" in err


def test_many_quarantined_files_are_not_all_listed(scans, tmp_path, capsys):
    for number in range(15):
        (scans / f"c{number}.dcm").write_text("just text")
    (scans / "notes.txt").write_text("text")
    assert run(scans, tmp_path / "out", "--key", tmp_path / "k") == 3
    out, err = capsys.readouterr()
    assert "and 5 more" in err
    assert "left out: 1 (not a scan)" in out


def test_json_is_one_document(scans, tmp_path, capsys):
    assert run(scans, tmp_path / "out", "--key", tmp_path / "k", "--jobs", 1, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["nifti"] == 2
    assert document == json.loads((tmp_path / "out" / "deid-report.json").read_text())


def test_a_dry_run_writes_nothing_and_makes_no_key(scans, tmp_path, capsys):
    assert run(scans, tmp_path / "out", "--key", tmp_path / "k", "--dry-run") == 0
    assert "would be written" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == [scans.name]


def test_no_name_is_said(scans, tmp_path, capsys):
    (scans / "QUINCY.dcm").write_text("QUINCY")
    run(scans, tmp_path / "out", "--key", tmp_path / "k")
    out, err = capsys.readouterr()
    assert "QUINCY" not in out + err


@pytest.mark.parametrize("made", ["none", "empty"])
def test_a_bad_source_is_refused_and_makes_no_key(tmp_path, made):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError):
        run(tmp_path / made, tmp_path / "out", "--key", tmp_path / "k")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_target_that_is_not_empty_is_refused(scans, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").touch()
    with pytest.raises(InputError, match="new or empty"):
        run(scans, tmp_path / "out", "--key", tmp_path / "k")


def test_a_target_that_cannot_be_made_is_said(scans, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SaveError):
        run(scans, tmp_path / "file" / "out", "--key", tmp_path / "k")


@pytest.mark.parametrize("jobs", ["0", "-1", "many"])
def test_a_senseless_number_of_processes_is_refused(scans, tmp_path, jobs, capsys):
    with pytest.raises(SystemExit) as caught:
        run(scans, tmp_path / "out", "--jobs", jobs)
    assert caught.value.code == 2
    assert "--jobs" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--key", "--audit"])
@pytest.mark.parametrize("where", ["out/k", "QUINCY_Jack/k"])
def test_a_key_or_log_among_the_scans_is_refused_before_anything(
    scans, tmp_path, option, where
):
    with pytest.raises(InputError, match="outside the source and the target"):
        run(scans, tmp_path / "out", option, tmp_path / where)
    assert [path.name for path in tmp_path.iterdir()] == [scans.name]
    assert len(list(scans.iterdir())) == 2


@pytest.mark.parametrize("arguments", [("", "out"), ("in", "")])
def test_an_empty_path_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
    assert "the text is empty" in capsys.readouterr().err


def test_paths_that_are_too_long_are_refused(scans, tmp_path):
    long = tmp_path / ("x" * 300)
    for arguments in ((long, tmp_path / "out"), (scans, long)):
        with pytest.raises(InputError, match="looked up"):
            run(*arguments)
    with pytest.raises(InputError, match="looked up"):
        run(scans, tmp_path / "out", "--key", long)


def test_leftovers_of_a_killed_run_are_removed_and_said(scans, tmp_path, capsys):
    pytest.importorskip("fcntl", reason="locks are POSIX")
    (tmp_path / ".out.1.partial").mkdir()
    assert run(scans, tmp_path / "out", "--key", tmp_path / "k") == 0
    assert "An unfinished run to this folder was found and removed" in capsys.readouterr().err
    assert not (tmp_path / ".out.1.partial").exists()


def test_one_is_said_in_the_singular(scans, tmp_path, capsys):
    (scans / "b.nii").unlink()
    run(scans, tmp_path / "out", "--key", tmp_path / "k")
    out, err = capsys.readouterr()
    assert "1 NIfTI file written" in out
    assert "(1 file)" in out
    assert "1 of 1 file\n" in err


def test_options_and_site_rules_are_applied(scans, tmp_path, capsys):
    (tmp_path / "site.toml").write_text('name = "T"\nversion = "1"\nwords = ["spule"]\n')
    code = run(
        *(scans, tmp_path / "out", "--key", tmp_path / "k", "--json"),
        *("--option", "retain-device", "--option", "shift-dates"),
        *("--site", tmp_path / "site.toml", "--edition", "2026c"),
    )
    assert code == 0
    assert json.loads(capsys.readouterr().out)["chosen"] == ["retain-device", "shift-dates"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--option", "retain-everything"), "options are not known"),
        (("--edition", "1999z"), "edition"),
        (("--site", "none.toml"), "site"),
        (("--show-paths",), "needs a terminal"),
        (("--profile", "expert"), "basic, or a file"),
        (("--profile", "a.toml", "--site", "b.toml"), "both were given"),
        (("--scheduler", "cluster"), "tcp://HOST:8786"),
        (("--scheduler", "tcp://127.0.0.1:1"), "none answered"),
        (("--option", "clean-faces", "--brain-masks", "none"), "masks"),
    ],
)
def test_senseless_options_are_refused_before_a_key_is_made(scans, tmp_path, arguments, words):
    with pytest.raises(InputError, match=words):
        run(scans, tmp_path / "out", "--key", tmp_path / "k", *arguments)
    assert [path.name for path in tmp_path.iterdir()] == [scans.name]


def test_an_option_whose_package_is_missing_makes_no_key(scans, tmp_path, monkeypatch):
    from napari_medlabel.deid.pixels import text_boxes

    def missing() -> None:
        raise MissingPackageError("This needs a package.", hint="Install it.")

    monkeypatch.setattr(text_boxes, "require_detector", missing)
    with pytest.raises(MissingPackageError):
        run(scans, tmp_path / "out", "--key", tmp_path / "k", "--option", "clean-pixels")
    assert [path.name for path in tmp_path.iterdir()] == [scans.name]


def test_a_profile_that_is_a_file_is_a_sites_own(scans, tmp_path, capsys):
    rules = tmp_path / "site.toml"
    rules.write_text('name = "T"\nversion = "1"\nwords = ["spule"]\n')
    hashes = []
    for name, option in (("one", "--profile"), ("two", "--site")):
        run(scans, tmp_path / name, "--key", tmp_path / "k", "--json", option, rules)
        hashes.append(json.loads(capsys.readouterr().out)["profile_sha256"])
    assert hashes[0] == hashes[1]


def test_a_dry_run_without_a_key_names_none(scans, tmp_path, capsys):
    run(scans, tmp_path / "out", "--key", tmp_path / "k", "--dry-run")
    assert "key none yet: the run makes one" in capsys.readouterr().out


def test_mappings_lie_apart_and_are_written(scans, tmp_path):
    with pytest.raises(InputError, match="outside the source and the target"):
        run(scans, tmp_path / "out", "--key", tmp_path / "k", "--mappings", tmp_path / "out/m")
    assert (
        run(scans, tmp_path / "out", "--key", tmp_path / "k", "--mappings", tmp_path / "m") == 0
    )
    assert (tmp_path / "m" / "uid_mapping.csv").exists()


def test_a_dry_run_shows_a_table_as_text_and_as_json(scans, tmp_path, capsys):
    run(scans, tmp_path / "out", "--key", tmp_path / "k", "--dry-run")
    assert "series looked at" in capsys.readouterr().out
    (scans / "c.dcm").write_text("just text")
    assert run(scans, tmp_path / "out", "--key", tmp_path / "k", "--dry-run", "--json") == 3
    assert json.loads(capsys.readouterr().out)["preview"]["attributes"] == []


def test_paths_are_named_on_a_terminal_only(scans, tmp_path, monkeypatch, capsys):
    (scans / "c.dcm").write_text("just text")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert run(scans, tmp_path / "out", "--key", tmp_path / "k", "--show-paths") == 3
    assert "file 3 (not what its name says): c.dcm" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["key", "link", "review"])
def test_a_word_after_deid_is_another_command(word, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["deid", word, "--help"])
    assert caught.value.code == 0
    assert f"medlabel deid {word}" in capsys.readouterr().out


def test_a_folder_of_that_name_is_meant_with_a_dot(capsys):
    assert main(["deid", "./link", "out"]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_batch_system_that_ends_the_run_is_heard_as_ctrl_c(
    scans, tmp_path, monkeypatch, capsys
):
    from napari_medlabel.session import deid_run

    before = signal.getsignal(signal.SIGTERM)
    real = deid_run.deidentify_folder

    def ended(*args: object, **more: object) -> object:
        os.kill(os.getpid(), signal.SIGTERM)
        return real(*args, **more)

    monkeypatch.setattr(deid_run, "deidentify_folder", ended)
    out = tmp_path / "out"
    assert main(["deid", str(scans), str(out), "--key", str(tmp_path / "k")]) == 130
    assert "stopped" in capsys.readouterr().err
    assert not out.exists()
    assert signal.getsignal(signal.SIGTERM) == before
