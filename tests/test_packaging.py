"""The manifest, the wheel and the sdist hold what they should."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from npe2 import PluginManifest

from napari_medlabel import __version__

TOP = Path(__file__).parents[1]


def test_the_installed_manifest_is_the_one_at_the_top() -> None:
    installed = PluginManifest.from_distribution("napari-medlabel")
    top = PluginManifest.from_file(TOP / "napari.yaml")
    assert installed.contributions == top.contributions
    assert (installed.name, installed.display_name) == (top.name, top.display_name)


def test_the_link_in_the_package_is_the_file_at_the_top() -> None:
    inside = TOP / "napari_medlabel" / "napari.yaml"
    assert inside.read_bytes() == (TOP / "napari.yaml").read_bytes()


def test_every_command_of_the_manifest_can_be_imported() -> None:
    manifest = PluginManifest.from_file(TOP / "napari.yaml")
    for command in manifest.contributions.commands or ():
        module, _, name = str(command.python_name).partition(":")
        assert hasattr(__import__(module, fromlist=[name]), name), command.id


def test_versions_agree() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__


def test_constraints_pin_and_name_no_registry() -> None:
    lines = (TOP / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all("==" in line and "@" not in line and "://" not in line for line in pins)
    assert not [line for line in lines if line.startswith("-")]


@pytest.mark.slow
def test_sdist_to_wheel_holds_manifest_samples_and_data(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(TOP)],
        check=True,
        capture_output=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"},
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        manifest = archive.read("napari_medlabel/napari.yaml")
    assert manifest == (TOP / "napari.yaml").read_bytes()
    assert len(names) == len(set(names))
    for part in (
        "napari_medlabel/py.typed",
        "napari_medlabel/sample_scans/registry.txt",
        "napari_medlabel/sample_scans/truth/ct_abdomen_mask.nii.gz",
        "napari_medlabel/model/presets/schemes.json",
    ):
        assert part in names
    assert any(n.startswith("napari_medlabel/sample_scans/ct_abdomen/") for n in names)
    assert not [n for n in names if n.startswith(("tests/", "sample_scans/", "benchmarks/"))]
    # Installed away from the checkout, the samples are found and whole.
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    code = (
        "from napari_medlabel import samples; assert samples.damaged() == (); "
        "print(samples.folder())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(target)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert str(target) in done.stdout
