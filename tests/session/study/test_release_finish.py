"""A release that was killed is finished under its own name, when it is whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.cli.main import main
from napari_medlabel.errors import InputError, RefusedError
from napari_medlabel.io.manifest import RECEIPT_NAME
from napari_medlabel.session.study import releasing
from napari_medlabel.session.study.release_check import check_release
from napari_medlabel.session.study.release_finish import finish_release
from tests.session.study.a_study import events
from tests.session.study.release_study import ready_study, release
from tests.session.study.small_study import SmallStudy


class Killed(BaseException):
    """Stands for a signal that ends the program at once."""


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> SmallStudy:
    return ready_study(tmp_path_factory.mktemp("finishing"))


def killed(study: SmallStudy, monkeypatch, name: str, *, renamed: bool = True) -> Path:
    """Make a release that ends at once, before or after its folder took its name."""

    def end(folder: Path, target: Path) -> None:
        if renamed:
            folder.rename(target)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(releasing, "_rename", end)
        patch.setattr(releasing.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(Killed):
            release(study, name, signed=False)
    study.again("m1")
    return study.tmp / name


def ends(study: SmallStudy) -> list[str]:
    told = [one["event"] for one in sorted(events(study.layout), key=lambda one: one["time"])]
    return [one for one in told if one in ("export.begin", "export.done", "study.publish")]


@pytest.mark.parametrize("renamed", [True, False])
def test_a_release_that_was_killed_is_finished_under_its_name(study, monkeypatch, renamed):
    folder = killed(study, monkeypatch, f"killed-{renamed}", renamed=renamed)
    assert folder.exists() is renamed
    assert ends(study)[-1] == "export.begin"
    finish_release(study.seat("m1"), folder.name, folder)
    assert ends(study)[-3:] == ["export.begin", "export.done", "study.publish"]
    report = check_release(folder, layout=study.layout)
    assert {one.rule for one in report.findings} == {"unsigned"}
    alone = check_release(folder)
    assert {one.rule for one in alone.findings} == {"unsigned", "receipt"}
    assert alone.verdict is Verdict.AMBER
    with pytest.raises(RefusedError, match="nothing is left"):
        finish_release(study.seat("m1"), folder.name, folder)


def test_a_receipt_that_was_never_written_is_written_and_the_log_told_nothing_twice(study):
    folder = release(study, "receiptless", signed=False).folder
    (folder / RECEIPT_NAME).unlink()
    before = ends(study)
    finish_release(study.again("m1"), "receiptless", folder)
    assert ends(study) == before
    assert {one.rule for one in check_release(folder).findings} == {"unsigned"}


def add(folder: Path) -> None:
    (folder / "further.txt").write_text("more")


def change(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"\n")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("changed", lambda f: change(f / "CLAIM.md")), ("more", add),
     ("less", lambda f: (f / "README.md").unlink())],
)  # fmt: skip
def test_a_file_that_the_manifest_does_not_name_so_is_refused(
    study, monkeypatch, name: str, wrong: Callable[[Path], None]
):
    folder = killed(study, monkeypatch, name)
    wrong(folder)
    with pytest.raises(RefusedError, match="not what its manifest"):
        finish_release(study.seat("m1"), name, folder)
    assert ends(study)[-1] == "export.begin"
    assert not (folder / RECEIPT_NAME).exists()


def test_who_may_not_release_finishes_nothing_and_nothing_comes_of_nothing(study):
    with pytest.raises(RefusedError, match="role releaser or manager"):
        finish_release(study.seat("r01"), "any", study.tmp / "any")
    with pytest.raises(InputError, match="no manifest of a release"):
        finish_release(study.seat("m1"), "never", study.tmp / "never")


def test_the_command_finishes_it(study, monkeypatch, capsys):
    folder = killed(study, monkeypatch, "by-command")
    study.close()
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(study.tmp / "pc-m1"))
    words = ["project", "release", str(study.layout.root), "by-command", "--to", str(folder)]
    assert main([*words, "--finish"]) == 0
    assert "is finished" in capsys.readouterr().out
    assert main([*words, "--finish"]) == 3
