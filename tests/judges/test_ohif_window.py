"""OHIF itself, in Chromium on a real Orthanc, holds our voxels and draws our contours.

It needs what ``make judges`` installs, Chromium, and Orthanc with its DICOMweb plugin (Debian:
orthanc, orthanc-dicomweb; another folder of plugins: ``ORTHANC_PLUGINS``).
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from skimage.measure import grid_points_in_poly

from napari_medlabel import samples
from napari_medlabel.export.dicom_seg import save_dicom_seg
from napari_medlabel.export.mask import load_mask
from napari_medlabel.export.rtstruct import save_rtstruct
from napari_medlabel.io.registry import read_volume
from napari_medlabel.model.labelmap import Label, LabelMap, LabelScheme
from napari_medlabel.model.volume import Volume
from tests.export.leaving import made

HERE = Path(__file__).parent / "ohif"
PLUGINS = Path(os.environ.get("ORTHANC_PLUGINS", "/usr/share/orthanc/plugins"))
THERE = (
    (HERE / "node_modules" / "@ohif" / "app" / "dist").is_dir()
    and (HERE / "node_modules" / "puppeteer-core").is_dir()
    and (PLUGINS / "libOrthancDicomWeb.so").is_file()
    and all(map(shutil.which, ("node", "chromium", "Orthanc")))
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not THERE, reason="OHIF, Chromium or Orthanc is missing: make judges"),
]


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Volume:
    """Return the sample CT, of which a copy is read."""
    folder = tmp_path_factory.mktemp("ct") / "s"
    found = sorted(path for path in samples.path("ct_abdomen").rglob("*") if path.is_file())
    folder.mkdir()
    for number, path in enumerate(found):
        if "PixelData" in pydicom.dcmread(path, force=True):
            shutil.copyfile(path, folder / f"{number:03}.dcm")
    return read_volume(folder)


@pytest.fixture(scope="module")
def mask(scan: Volume) -> LabelMap:
    truth = samples.folder() / "truth"
    told = json.loads((truth / "scheme.json").read_text())["labels"]
    labels = tuple(Label(one["value"], one["name"], one["colour"]) for one in told)
    scheme = LabelScheme("Organs", labels)
    return load_mask(truth / "ct_abdomen_mask.nii.gz", scan.grid, scheme=scheme)


@pytest.fixture(scope="module")
def server(
    scan: Volume, mask: LabelMap, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Run an Orthanc that has the scan, a segmentation and a structure set."""
    folder = tmp_path_factory.mktemp("orthanc")
    segmentation = replace(made(1), series_words="Segmentation")
    structures = replace(made(2), series_words="Structure set")
    save_dicom_seg(folder / "seg.dcm", [mask], scan, segmentation)
    save_rtstruct(folder / "rt.dcm", [mask], scan, structures)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    own = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "Plugins": [str(PLUGINS / "libOrthancDicomWeb.so")],
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "DicomServerEnabled": False,
    }
    (folder / "orthanc.json").write_text(json.dumps(own))
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(["Orthanc", folder / "orthanc.json"], stdout=log, stderr=log)
    try:
        _wait(port)
        for path in (*scan.source.files, folder / "seg.dcm", folder / "rt.dcm"):
            assert _asked(port, "POST", "/instances", Path(path).read_bytes()) == 200
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(30)


def _asked(port: int, method: str, path: str, body: bytes | None = None) -> int:
    """Return the status of an answer of the server."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        link.request(method, path, body)
        return link.getresponse().status
    finally:
        link.close()


def _wait(port: int) -> None:
    """Wait until the server answers."""
    until = time.monotonic() + 60
    while True:
        try:
            _asked(port, "GET", "/system")
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def held(server: str, scan: Volume, described: str, out: Path) -> Any:
    """Return what its window holds once it has loaded the object of a series."""
    study = pydicom.dcmread(scan.source.files[0]).StudyInstanceUID
    words = ["node", HERE / "window.mjs", server, study, described, out, "22"]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=400)
    assert ran.returncode == 0, ran.stderr[:3000]
    found = json.loads(out.with_suffix(".json").read_text())
    found["slices"] = {uid: k for k, uid in enumerate(scan.source.sop_instance_uids)}
    return found


def test_its_window_holds_the_voxels_of_a_segmentation(
    server: str, scan: Volume, mask: LabelMap, tmp_path: Path
) -> None:
    found = held(server, scan, "Segmentation", tmp_path / "seg")
    numbers = {label.value: n for n, label in enumerate(mask.scheme.labels, 1)}
    assert [one for _, one in found["segments"]] == [one.name for one in mask.scheme.labels]
    columns, rows, _ = scan.grid.shape
    shown = np.zeros(scan.grid.shape, np.uint8)
    for uid, runs in found["frames"]:
        frame = np.zeros(rows * columns, np.uint8)
        for start, length, value in runs:
            frame[start : start + length] = value
        shown[:, :, found["slices"][uid]] = frame.reshape(rows, columns).T
    wanted = np.zeros_like(shown)
    for value, number in numbers.items():
        wanted[mask.array == value] = number
    assert np.array_equal(shown, wanted)


def test_its_window_draws_the_contours_of_a_structure_set(
    server: str, scan: Volume, mask: LabelMap, tmp_path: Path
) -> None:
    found = held(server, scan, "Structure set", tmp_path / "rt")
    shown = {value: np.zeros(scan.grid.shape, bool) for value in mask.scheme.values}
    for value, uid, line in found["contours"]:
        index = scan.grid.affine.to_index(np.array(line) * (-1, -1, 1))
        k = found["slices"][uid]
        assert np.allclose(index[:, 2], k, atol=1e-3)
        shown[value][:, :, k] ^= grid_points_in_poly(scan.grid.shape[:2], index[:, :2])
    for value, array in shown.items():
        assert np.array_equal(array, mask.array == value)
