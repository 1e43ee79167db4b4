"""De-identifiers by name: each cleans a folder of DICOM files into another, as it comes."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

TIME_S = 120
RECIPE = (
    "-nb", "-imt", "-ep", "-m", "PatientName=Anonymous", "-m", "PatientID=1",
    "-ma", "PatientBirthDate=", "-ma", "AccessionNumber=",
    "-ma", "ReferringPhysicianName=", "-ma", "InstitutionName=",
    "-ma", "PatientAddress=", "-ma", "(0010,1000)=", "-ma", "PatientComments=",
    "-gst", "-gse", "-gin",
)  # fmt: skip


@dataclass(frozen=True)
class Peer:
    """A de-identifier.

    Parameters
    ----------
    name, version : str
        What it is called in the table.
    clean : callable
        ``(source, target)``: writes what it makes of each file; a file that it refuses is
        left out.
    unable : str
        Why it cannot run here; empty when it can.
    """

    name: str
    version: str
    clean: Callable[[Path, Path], None]
    unable: str = ""


def files_in(source: Path) -> Iterator[tuple[Path, Path]]:
    """Each file with its path relative to the folder, in order."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            yield path, path.relative_to(source)


def _quiet(words: list[str]) -> bool:
    done = subprocess.run(words, capture_output=True, timeout=TIME_S, check=False)
    return done.returncode == 0


def ours(source: Path, target: Path) -> None:
    """Run ``medlabel deid`` with its default profile."""
    own = Path(tempfile.mkdtemp())
    words = ["-m", "napari_medlabel", "deid", str(source), str(target), "--key"]
    _quiet([sys.executable, *words, str(own / "key"), "--audit", str(own / "log")])
    for report in target.glob("deid-*"):
        report.unlink()


def gdcmanon(source: Path, target: Path) -> None:
    """Run ``gdcmanon -e`` on each file, names kept."""
    own = Path(tempfile.mkdtemp())
    words = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -days 2 -keyout"
    _quiet([*words.split(), str(own / "key"), "-out", str(own / "pem")])
    for path, name in files_in(source):
        made = target / name
        made.parent.mkdir(parents=True, exist_ok=True)
        command = ["gdcmanon", "-e", "-c", str(own / "pem"), "-i", str(path), "-o", str(made)]
        if not _quiet(command):
            made.unlink(missing_ok=True)


def dcmodify(source: Path, target: Path) -> None:
    """Edit a copy of each file with a usual recipe, private elements erased."""
    for path, name in files_in(source):
        made = target / name
        made.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, made)
        if not _quiet(["dcmodify", *RECIPE, str(made)]):
            made.unlink()


def dicom_anonymizer(source: Path, target: Path, edition: str) -> None:
    """Run dicom-anonymizer on each file with the table of an edition."""
    from dicomanonymizer.simpledicomanonymizer import anonymize_dicom_file, initialize_actions

    for path, name in files_in(source):
        made = target / name
        made.parent.mkdir(parents=True, exist_ok=True)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they quote values
                anonymize_dicom_file(
                    str(path), str(made), base_rules_gen=lambda: initialize_actions(edition)
                )
        except Exception as err:  # noqa: BLE001 - whatever it raises, the file is refused
            made.unlink(missing_ok=True)
            print(f"dicom-anonymizer refused a file ({type(err).__name__})", file=sys.stderr)


def dicognito(source: Path, target: Path) -> None:
    """Run dicognito on each file, so that one that it cannot read stops no other."""
    for number, (path, _) in enumerate(files_in(source)):
        made = target / f"{number:03}"
        _quiet([sys.executable, "-m", "dicognito", "-q", str(path), "-o", str(made)])


DEID = """
import sys
from pathlib import Path
from deid.dicom import replace_identifiers
source, target = map(Path, sys.argv[1:])
for path in sorted(p for p in source.rglob("*") if p.is_file()):
    folder = (target / path.relative_to(source)).parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        replace_identifiers([str(path)], save=True, output_folder=str(folder),
                            remove_private=True, overwrite=True)
    except Exception as err:
        print("refused", type(err).__name__)
"""


def deid(source: Path, target: Path) -> None:
    """Run deid with its default recipe, private elements removed."""
    # In a process of its own: a script beside this one has the package's name.
    _quiet([sys.executable, "-c", DEID, str(source), str(target)])


def orthanc(source: Path, target: Path) -> None:
    """Upload to a local Orthanc, anonymize each study there, download."""
    own = Path(tempfile.mkdtemp())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "StorageDirectory": str(own), "IndexDirectory": str(own), "HttpPort": port,
        "DicomServerEnabled": False, "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "Plugins": [],
    }  # fmt: skip
    (own / "orthanc.json").write_text(json.dumps(settings), "utf-8")
    server = subprocess.Popen(
        [_orthanc_path(), str(own / "orthanc.json")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        root = f"http://127.0.0.1:{port}"
        _wait(root)
        for path, _ in files_in(source):
            with contextlib.suppress(urllib.error.HTTPError):
                _asked(f"{root}/instances", path.read_bytes())
        target.mkdir(parents=True, exist_ok=True)
        for study in json.loads(_asked(f"{root}/studies")):
            with contextlib.suppress(urllib.error.HTTPError):
                made = json.loads(_asked(f"{root}/studies/{study}/anonymize", b"{}"))
                for instance in json.loads(_asked(f"{root}/studies/{made['ID']}/instances")):
                    content = _asked(f"{root}/instances/{instance['ID']}/file")
                    (target / f"{instance['ID']}.dcm").write_bytes(content)
    finally:
        server.terminate()
        server.wait(timeout=TIME_S)


def _orthanc_path() -> str:
    return shutil.which("Orthanc") or "/usr/sbin/Orthanc"


def _asked(address: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(address, data=body)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=TIME_S) as answer:  # noqa: S310
        content: bytes = answer.read()
        return content


def _wait(root: str) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError):
            _asked(f"{root}/system")
            return
        time.sleep(0.2)
    raise SystemExit("Orthanc did not start.")


def peers() -> tuple[Peer, ...]:
    """Return ours and every peer, with what is missing here."""
    anonymizer = _package("dicom-anonymizer", "dicomanonymizer")
    return (
        Peer("ours", importlib.metadata.version("napari-medlabel"), ours),
        Peer("gdcmanon -e", *_program("gdcmanon", gdcmanon, "--version")),
        Peer("dcmodify, usual recipe", *_program("dcmodify", dcmodify, "--version")),
        Peer("dicom-anonymizer, its default (2023)", anonymizer[0],
             lambda a, b: dicom_anonymizer(a, b, "dicomfields_2023"), anonymizer[1]),
        Peer("dicom-anonymizer, 2026c", anonymizer[0],
             lambda a, b: dicom_anonymizer(a, b, "dicomfields_2026c"), anonymizer[1]),
        Peer("dicognito", *_one("dicognito", dicognito)),
        Peer("deid", *_one("deid", deid)),
        Peer("Orthanc", *_program(_orthanc_path(), orthanc, "--version")),
    )  # fmt: skip


def _package(name: str, module: str) -> tuple[str, str]:
    """Return version and why it is missing."""
    if importlib.util.find_spec(module) is None:
        return "", f"{name} is not installed"
    return importlib.metadata.version(name), ""


def _one(
    name: str, clean: Callable[[Path, Path], None]
) -> tuple[str, Callable[..., None], str]:
    version, unable = _package(name, name)
    return version, clean, unable


def _program(
    name: str, clean: Callable[[Path, Path], None], flag: str
) -> tuple[str, Callable[..., None], str]:
    """Return a program's version, what runs it, and why it cannot."""
    if shutil.which(name) is None:
        return "", clean, f"{Path(name).name} is not installed"
    done = subprocess.run([name, flag], capture_output=True, text=True, timeout=20, check=False)
    found = re.search(r"v?([0-9]+\.[0-9]+(?:\.[0-9]+)?)", done.stdout + done.stderr)
    return found[1] if found else "", clean, ""
