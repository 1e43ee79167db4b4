"""The command line as a whole: exit codes, two sentences, no traceback, nothing heavy."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from napari_medlabel import __version__, _optional
from napari_medlabel.cli.main import COMMANDS, _joined, _Pipe, build_parser, main
from napari_medlabel.errors import MissingPackageError
from tests.cli.test_every_command import leaves


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert command in capsys.readouterr().out


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert __version__ in capsys.readouterr().out


def test_a_wrong_command_exits_with_2() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["paint"])
    assert ended.value.code == 2


def test_bad_input_is_a_message_a_hint_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "DOE^JANE").mkdir()
    assert main(["info", str(tmp_path / "DOE^JANE")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("medlabel: ")
    assert "\nhint: " in said.err
    assert "DOE" not in said.err


def test_a_fault_of_ours_is_named_without_what_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(_path: object, **_: object) -> None:
        raise KeyError("DOE^JANE")

    monkeypatch.setattr("napari_medlabel.io.registry.find_series", fault)
    assert main(["info", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "KeyError, fault, line" in said
    assert "DOE" not in said
    monkeypatch.setenv("MEDLABEL_DEBUG", "1")
    main(["info", str(tmp_path)])
    assert "Traceback" in capsys.readouterr().err


def test_what_the_system_refused_is_shown_where_somebody_asks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: object, **_: object) -> None:
        raise FileNotFoundError(2, "gone", "DOE^JANE")

    monkeypatch.setattr("napari_medlabel.io.registry.find_series", refuse)
    assert main(["info", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "error ENOENT" in said
    assert "DOE" not in said
    monkeypatch.setenv("MEDLABEL_DEBUG", "1")
    main(["info", str(tmp_path)])
    assert "Traceback" in capsys.readouterr().err


def test_stopping_is_no_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stop(_path: object, **_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("napari_medlabel.io.registry.find_series", stop)
    assert main(["info", str(tmp_path)]) == 130


def test_the_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys; import napari_medlabel.cli.main as m; m.build_parser(); "
        "heavy = {'napari', 'qtpy', 'vispy', 'skimage', 'SimpleITK', 'nibabel', 'pydicom', "
        "'scipy'} & set(sys.modules); sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_parser_for_one_command_says_what_the_parser_for_all_says() -> None:
    every = build_parser()
    for name in leaves(every):
        words, helps = name.split(" "), []
        for parser in (every, build_parser(words)):
            said = io.StringIO()
            with redirect_stdout(said), pytest.raises(SystemExit):
                parser.parse_args([*_joined(words), "--help"])
            helps.append(said.getvalue())
        assert helps[0] == helps[1], name


def test_a_command_imports_no_other_command() -> None:
    code = (
        "import sys; import napari_medlabel.cli.main as m; "
        "m.build_parser(['project', 'next']); "
        "print(*(n for n in sys.modules if n.startswith('napari_medlabel.cli.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    known = {"main", "of_many", "project", "project_next", "study_seat", "unblinding"}
    assert {name.rpartition(".")[2] for name in done.stdout.split()} == known


def test_the_module_runs_as_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "napari_medlabel", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"medlabel {__version__}"


def test_an_optional_package_that_is_missing_is_named_with_its_extra() -> None:
    with pytest.raises(MissingPackageError, match="'no_such_package'") as caught:
        _optional.require("no_such_package.part", extra="qt")
    assert "napari-medlabel[qt]" in caught.value.hint
    assert _optional.require("json", extra="qt").dumps([]) == "[]"


def test_the_exit_code_stays_when_nobody_reads_the_output(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    scan = Path(get_testdata_file("CT_small.dcm", download=False))
    for path, code in ((scan, 0), (tmp_path / "empty", 2)):
        command = f"'{sys.executable}' -m napari_medlabel info '{path}' | true"
        command += "; exit ${PIPESTATUS[0]}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
        assert done.returncode == code
        assert b"Broken" not in done.stderr


class Closed(io.StringIO):
    """An output whose reader has gone."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError

    def fileno(self) -> int:
        return self.where


def test_a_reader_that_goes_ends_the_printing_not_the_work(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as real:
        closed = Closed()
        closed.where = real.fileno()
        pipe = _Pipe(closed)
        assert pipe.write("first") == 5
        assert pipe.write("second") == 6
        pipe.flush()
        assert not pipe.isatty()


def test_a_module_of_ours_that_is_missing_is_a_fault() -> None:
    with pytest.raises(ModuleNotFoundError):
        _optional.require("napari_medlabel.no_such_module", extra="qt")


@pytest.mark.parametrize(
    "command", [["info", ""], ["deid", "", "out"], ["audit", "verify", ""]]
)
def test_an_empty_argument_is_refused(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 2
    assert "an argument is empty" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["info"], ["audit", "verify"], ["audit", "show"]])
def test_a_path_that_is_too_long_exits_with_2(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "a" * 5000]) == 2
    said = capsys.readouterr().err
    assert "hint:" in said
    assert "aaaa" not in said
