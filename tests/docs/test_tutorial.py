"""What docs/tutorial.md prints can be typed, in its order, and says what the page says."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import nibabel as nib
import numpy as np
import pydicom
import pytest

from napari_medlabel.cli.main import main

ROOT = Path(__file__).parents[2]
CASE = "sub-001_ses-01_ct"
EACH = 4
"""Each so many voxels of the scans are enough: all labels are in them."""
CODES = {
    "medlabel project rater demo-output/study r02 --me": 3,
    "medlabel project rater demo-output/study r03 --me": 3,
    "medlabel verify demo-output/forged": 5,
}


def module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


STEPS = module("tutorial_steps", ROOT / "docs" / "tutorial_steps.py")


def thin_samples(folder: Path) -> None:
    """Put the scans of the page, and their truth, where the page has them: coarser."""
    for name in ("ct_abdomen", "ct_abdomen_followup"):
        scans = [
            pydicom.dcmread(path) for path in (ROOT / "sample_scans" / name).rglob("*.dcm")
        ]
        scans.sort(key=lambda one: float(one.ImagePositionPatient[2]))
        (folder / name).mkdir(parents=True)
        for number, scan in enumerate(scans[::EACH]):
            scan.decompress()
            pixels = np.ascontiguousarray(scan.pixel_array[::EACH, ::EACH])
            scan.PixelData = pixels.tobytes()
            scan.Rows, scan.Columns = pixels.shape
            scan.PixelSpacing = [float(mm) * EACH for mm in scan.PixelSpacing]
            scan.save_as(folder / name / f"{number}.dcm")
        (folder / "truth").mkdir(exist_ok=True)
        truth = f"{name}_mask.nii.gz"
        mask = nib.load(ROOT / "sample_scans" / "truth" / truth)
        nib.save(mask.slicer[::EACH, ::EACH, ::EACH], folder / "truth" / truth)


def run(command: str, own: Mapping[str, str]) -> tuple[int, str]:
    """Run a command; the program itself in this process, which is quicker."""
    if not command.startswith("medlabel "):
        return STEPS.in_shell(command, own, str(Path(sys.executable).parent))
    out = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patched,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
    ):
        for name, value in own.items():
            patched.setenv(name, value)
        code = main(shlex.split(command)[1:])
    return code, out.getvalue()


def play(number: int, own: Mapping[str, str]) -> None:
    """Do by commands what is done in the n-th window of the page."""
    study = "demo-output/study"
    said = {
        1: [
            f"project import {study} {CASE} demo-output/kidney.nii.gz --by-value --replace",
            f"project submit {study} {CASE}",
        ],
        2: [
            f"project comment {study} {CASE} --slot A --text Missing --at=60,-40,-400",
            f"project review {study} {CASE} --slot A --begin",
            f"project review {study} {CASE} --slot A --reject --reason QA_FEEDBACK",
        ],
        3: [
            f"project next {study} --begin",
            f"project submit {study} {CASE}",
        ],
        4: [
            f"project consensus {study} {CASE} --rest B --below 1000",
            f"project consensus {study} {CASE} --rule adjudicate",
        ],
    }
    if number == 1:
        paint_kidney()
    for words in said[number]:
        code, out = run(f"medlabel {words}", own)
        assert code == 0, f"{words}: {out}"


def paint_kidney() -> None:
    masks = module("tutorial_masks", ROOT / "docs" / "tutorial_masks.py")
    truth = nib.load(Path("sample_scans") / "truth" / "ct_abdomen_mask.nii.gz")
    labels = masks.tidy(np.asarray(truth.dataobj).astype(np.uint8))
    nib.save(nib.Nifti1Image(labels, truth.affine), Path("demo-output") / "kidney.nii.gz")


def test_the_page_can_be_typed_from_its_top_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    thin_samples(tmp_path / "sample_scans")
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "demo-output").mkdir()  # by make demo
    story = STEPS.Story(run, play)
    for step in story.tell(STEPS.PAGE.read_text(encoding="utf-8")):
        expected = next((n for begin, n in CODES.items() if step.command.startswith(begin)), 0)
        assert step.code == expected, f"{step.command}: {step.out}"
        for line in STEPS.without_own(step.shown).splitlines():
            assert line in STEPS.without_own(step.out), f"{step.command}: {step.out}"
    assert story.windows == 4
