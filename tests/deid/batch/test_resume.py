from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from napari_medlabel.deid.batch import folder as batch
from napari_medlabel.deid.batch.folder import (
    Listeners,
    Settings,
    deidentify_folder,
    preview_folder,
)
from napari_medlabel.deid.batch.staging import unfinished
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.errors import InputError, SaveError

pytest.importorskip("fcntl", reason="locks are POSIX")
RESUME = Settings(resume=True)


@pytest.fixture
def scans(tmp_path: Path, ct, as_file) -> Path:
    """Three folders of four slices, one of them twice, a file that is no scan, a sidecar."""
    folder = tmp_path / "in"
    for part in ("a", "b", "c"):
        (folder / part).mkdir(parents=True)
        for n in range(1, 5):
            number = "abc".index(part) * 10 + n
            (folder / part / f"{n}.dcm").write_bytes(as_file(ct(number)))
    (folder / "b" / "again.dcm").write_bytes((folder / "a" / "1.dcm").read_bytes())
    (folder / "c" / "bad.dcm").write_text("text")
    (folder / "link").symlink_to(folder / "a")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Stop:
    """Breaks a run off after some files, as Ctrl+C would."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.first = 0

    def __call__(self, done: int, _total: int) -> None:
        self.first = self.first or done
        if done >= self.after:
            raise KeyboardInterrupt


def broken_off(scans: Path, out: Path, profile, pseudonyms, after: int = 7) -> None:
    stop = Listeners(progress=Stop(after))
    with pytest.raises(KeyboardInterrupt):
        deidentify_folder(scans, out, profile, pseudonyms, RESUME, stop)


def resumed(scans: Path, out: Path, profile, pseudonyms, settings=RESUME):
    said: list[str] = []
    counted = Stop(10**6)
    hears = Listeners(progress=counted, say=said.append)
    report = deidentify_folder(scans, out, profile, pseudonyms, settings, hears)
    return report, said, counted.first


@pytest.mark.parametrize("exists", [False, True])
def test_a_run_that_was_broken_off_goes_on_and_gives_the_same(
    scans, tmp_path, profile, pseudonyms, exists
):
    out = tmp_path / "out"
    if exists:
        out.mkdir()
    whole = deidentify_folder(scans, tmp_path / "whole", profile, pseudonyms)
    broken_off(scans, out, profile, pseudonyms)
    assert len(unfinished(out)) == 1
    report, said, first = resumed(scans, out, profile, pseudonyms)
    assert said == ["An unfinished run goes on: 7 of 14 files are done."]
    assert first == 8
    assert report == whole
    assert tree(out) == tree(tmp_path / "whole")
    assert unfinished(out) == []


def test_without_resume_ctrl_c_leaves_nothing(scans, tmp_path, profile, pseudonyms):
    stop = Listeners(progress=Stop(5))
    with pytest.raises(KeyboardInterrupt):
        deidentify_folder(scans, tmp_path / "out", profile, pseudonyms, listeners=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_without_resume_an_unfinished_run_is_removed_and_said(
    scans, tmp_path, profile, pseudonyms
):
    broken_off(scans, tmp_path / "out", profile, pseudonyms)
    report, said, first = resumed(scans, tmp_path / "out", profile, pseudonyms, Settings())
    assert said == ["An unfinished run to this folder was found and removed."]
    assert (first, report.dicom) == (1, 12)


@pytest.mark.parametrize("what", ["key", "rules", "source", "masks"])
def test_a_run_with_other_settings_is_not_gone_on_with(
    scans, tmp_path, profile, pseudonyms, what
):
    broken_off(scans, tmp_path / "out", profile, pseudonyms)
    settings = RESUME
    if what == "key":
        pseudonyms = Pseudonyms(bytes(32))
    elif what == "rules":
        profile = load_profile(options=["retain-device"])
    elif what == "source":
        scans = scans.rename(tmp_path / "elsewhere")
    else:
        settings = Settings(resume=True, brain_masks=tmp_path)
    _, said, first = resumed(scans, tmp_path / "out", profile, pseudonyms, settings)
    assert "other rules, another key or another source" in said[0]
    assert first == 1


def changed(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize(
    ("happens", "done"),
    [
        (lambda scans: changed(scans / "b" / "2.dcm"), 4),
        (lambda scans: (scans / "b" / "2.dcm").unlink(), 4),
        (lambda scans: (scans / "a" / "0.txt").write_text("new"), 0),
        (lambda scans: (scans / "c" / "5.txt").write_text("new"), 7),
    ],
    ids=["changed", "gone", "new before", "new after"],
)
def test_where_the_source_changed_its_folder_is_done_again(
    scans, tmp_path, profile, pseudonyms, happens, done
):
    broken_off(scans, tmp_path / "out", profile, pseudonyms)
    happens(scans)
    report, said, _ = resumed(scans, tmp_path / "out", profile, pseudonyms)
    assert f": {done} of" in said[0]
    assert report == deidentify_folder(scans, tmp_path / "whole", profile, pseudonyms)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


@pytest.mark.parametrize("cut", [True, False])
def test_a_file_that_is_not_whole_is_made_again(scans, tmp_path, profile, pseudonyms, cut):
    broken_off(scans, tmp_path / "out", profile, pseudonyms)
    (staging,) = unfinished(tmp_path / "out")
    made = sorted(staging.tree.rglob("*.dcm"), key=lambda path: path.stat().st_mtime_ns)
    made[3].write_bytes(b"") if cut else made[3].unlink()
    _, said, _ = resumed(scans, tmp_path / "out", profile, pseudonyms)
    assert ": 3 of" in said[0]
    deidentify_folder(scans, tmp_path / "whole", profile, pseudonyms)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_run_that_was_killed_while_moving_goes_on_or_is_removed(
    scans, tmp_path, profile, pseudonyms, monkeypatch, goes_on
):
    out = tmp_path / "out"
    out.mkdir()
    original, moved = Path.rename, []

    def killed(self, to):
        if self.parent.name == "tree":
            if moved:
                raise KeyboardInterrupt
            moved.append(to)
        return original(self, to)

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        deidentify_folder(scans, out, profile, pseudonyms, RESUME)
    monkeypatch.undo()
    assert moved[0].exists()
    (staging,) = unfinished(out)
    (staging.parts / "9.part").write_bytes(b"half")
    report, said, _ = resumed(scans, out, profile, pseudonyms, Settings(resume=goes_on))
    assert (": 14 of 14" if goes_on else "was found and removed") in said[0]
    assert report.dicom == 12
    deidentify_folder(scans, tmp_path / "whole", profile, pseudonyms)
    assert tree(out) == tree(tmp_path / "whole")


def test_a_full_disk_leaves_what_is_done_to_resume(
    scans, tmp_path, profile, pseudonyms, monkeypatch
):
    def full(*_args: object) -> None:
        raise SaveError("A file could not be written (No space left on device).")

    monkeypatch.setattr(batch, "take_over", full)
    with pytest.raises(SaveError):
        deidentify_folder(scans, tmp_path / "out", profile, pseudonyms, RESUME)
    assert len(unfinished(tmp_path / "out")) == 1


def test_two_runs_to_one_target_are_refused(scans, tmp_path, profile, pseudonyms):
    refused: list[str] = []

    def second(_done: int, _total: int) -> None:
        if not refused:
            with pytest.raises(InputError, match="Another run") as caught:
                deidentify_folder(scans, tmp_path / "out", profile, pseudonyms)
            refused.append(caught.value.hint)

    hears = Listeners(progress=second)
    deidentify_folder(scans, tmp_path / "out", profile, pseudonyms, listeners=hears)
    assert "Wait" in refused[0]


def test_a_preview_is_not_in_the_way_of_a_run_that_goes_on(
    scans, tmp_path, profile, pseudonyms
):
    broken_off(scans, tmp_path / "out", profile, pseudonyms)
    assert preview_folder(scans, profile, pseudonyms).files == 15
    assert len(unfinished(tmp_path / "out")) == 1


PROGRAM = """
import sys
from pathlib import Path
from napari_medlabel.deid.batch.folder import Listeners, Settings, deidentify_folder
from napari_medlabel.deid.rules.profile import basic_profile
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
if __name__ == "__main__":
    deidentify_folder(
        Path(sys.argv[1]), Path(sys.argv[2]), basic_profile(), Pseudonyms(bytes(range(32))),
        Settings(jobs=int(sys.argv[3]), resume=True),
        Listeners(progress=lambda done, _total: print(done, flush=True)),
    )
"""


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_process_goes_on_wherever_it_was(
    scans, tmp_path, profile, pseudonyms, as_file, ct, jobs
):
    for n in range(100, 160):
        (scans / "c" / f"{n}.dcm").write_bytes(as_file(ct(n)))
    deidentify_folder(scans, tmp_path / "whole", profile, pseudonyms)
    (tmp_path / "run.py").write_text(PROGRAM)
    out = tmp_path / "out"
    command = [sys.executable, tmp_path / "run.py", scans, out, str(jobs)]
    for lines in (3, 17, 29):
        run = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert run.stdout is not None
        for _line in range(lines):
            run.stdout.readline()
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        run.stdout.close()
    assert not out.exists() or tree(out) == tree(tmp_path / "whole")
    if not out.exists():
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert tree(out) == tree(tmp_path / "whole")
    assert not list(tmp_path.glob(".*"))
