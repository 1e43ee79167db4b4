"""Runs de-identifiers over planted identities; counts what each leaves, keeps and breaks."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from leaks_peers import Peer, peers

from tests.deid.leaks.planting import Plant, Planter, image, left, save
from tests.deid.leaks.suite import plant_all

REPORT = Path(__file__).parents[1] / "docs" / "leaks.md"
SEED = 20261122
DICOM_KINDS = (
    "standard", "new rows", "private", "meta", "unlisted", "charsets", "misused VR",
    "encodings", "raw", "names",
)  # fmt: skip
DAYS_APART = 31


@dataclass(frozen=True)
class Result:
    """What became of the suite.

    Parameters
    ----------
    left : mapping of str to int
        Plants left by class.
    files, made : int
        Files given and files written.
    marked, coded : int
        Of those written, with Patient Identity Removed YES, and with codes of the method.
    errors : int
        Errors of dciodvfy in the three valid images, which had none; -1 without dciodvfy.
    kept : bool
        Whether all three valid images came out with their pixels and geometry.
    days : str
        Days between the two studies of one patient, 31 before; empty without dates.
    """

    left: Counter[str]
    files: int
    made: int
    marked: int
    coded: int
    errors: int
    kept: bool
    days: str


def main() -> int:
    """Run every peer and write docs/leaks.md.

    Returns
    -------
    int
        0; 1 when ours left anything.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="rows on stdout, no report")
    parser.add_argument("--seed", type=int, default=SEED, help="plants other values")
    parser.add_argument("--out", type=Path, default=REPORT, help="where the report goes")
    parser.add_argument("--only", nargs="*", default=[], help="names of peers")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plants = _dicom_only(folder / "suite", args.seed)
        make_valid(folder / "valid")
        results, skipped = {}, {}
        for number, peer in enumerate(peers()):
            if args.only and not any(word in peer.name for word in args.only):
                continue
            if peer.unable:
                skipped[peer.name] = peer.unable
                print(f"skipped: {peer.name} ({peer.unable})", file=sys.stderr)
                continue
            print(peer.name, file=sys.stderr)
            results[peer] = measured(peer, plants, folder, folder / str(number))
    if args.json:
        print(json.dumps(as_rows(results, plants)))
    else:
        args.out.write_text(report(results, skipped, plants, args.seed), "utf-8")
    mine = next((r for p, r in results.items() if p.name == "ours"), None)
    return 1 if mine is not None and mine.left.total() else 0


def _dicom_only(folder: Path, seed: int) -> list[Plant]:
    """Write the suite without the formats that the peers do not read."""
    plants = plant_all(folder, seed)
    shutil.rmtree(folder / "other")
    return [plant for plant in plants if plant.kind in DICOM_KINDS]


def make_valid(folder: Path) -> None:
    """Write three images that dciodvfy finds nothing wrong with: two studies of a patient."""
    planter = Planter(5)
    first = image(planter, "")
    for number, day in ((1, "20240129"), (2, "20240129"), (3, "20240229")):
        ds = image(planter, "", InstanceNumber=str(number))
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "FrameOfReferenceUID"):
            ds[keyword] = first[keyword]
        if number < 3:
            ds.StudyInstanceUID = first.StudyInstanceUID
            ds.SeriesInstanceUID = first.SeriesInstanceUID
        ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = day
        ds.AcquisitionTime = ds.ContentTime = ds.SeriesTime = "121314"
        ds.AccessionNumber, ds.StudyID = f"A{number}", "S1"
        ds.ReferringPhysicianName, ds.AcquisitionNumber = "Quincy^Jack", "1"
        ds.RescaleType, ds.WindowCenter, ds.WindowWidth = "HU", "40", "400"
        ds.StudyDescription, ds.SeriesDescription = "CT of a phantom", "Axial"
        save(folder, f"{number}.dcm", ds)


def measured(peer: Peer, plants: list[Plant], folder: Path, own: Path) -> Result:
    """Run one peer over the suite and over the valid images."""
    suite, valid = own / "suite", own / "valid"
    for source, target in ((folder / "suite", suite), (folder / "valid", valid)):
        if peer.name != "ours":
            target.mkdir(parents=True)
        peer.clean(source, target)
    found = (
        Counter(plant.kind for plant in left(plants, suite)) if suite.exists() else Counter()
    )
    made = [path for path in suite.rglob("*") if path.is_file()]
    marks = [_marks(path) for path in made]
    return Result(
        found,
        sum(path.is_file() for path in (folder / "suite").rglob("*")),
        len(made),
        sum(yes for yes, _ in marks),
        sum(codes for _, codes in marks),
        sum(errors_in(path) for path in valid.rglob("*") if path.is_file()),
        _is_kept(folder / "valid", valid),
        _days(valid),
    )


def _read(path: Path) -> Any:
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(path, force=True)


def _marks(path: Path) -> tuple[bool, bool]:
    ds = _read(path)
    codes = ds.get("DeidentificationMethodCodeSequence")
    return ds.get("PatientIdentityRemoved") == "YES", bool(codes)


def errors_in(path: Path) -> int:
    """Return how many errors dciodvfy finds; 0 where it is not installed."""
    if shutil.which("dciodvfy") is None:
        return 0
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, timeout=60, check=False)
    return (done.stdout + done.stderr).count(b"Error")


def _is_kept(before: Path, after: Path) -> bool:
    """Whether every image is there with its pixels and geometry."""
    made = {_shown(_read(path)) for path in after.rglob("*") if path.is_file()}
    return {_shown(_read(path)) for path in before.rglob("*.dcm")} <= made


def _shown(ds: Any) -> tuple[str, ...]:
    words = (
        "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Modality",
        "BodyPartExamined", "PatientPosition", "SliceThickness", "InstanceNumber",
    )  # fmt: skip
    return (*(str(ds.get(word)) for word in words), bytes(ds.get("PixelData", b"")).hex())


def _days(folder: Path) -> str:
    found = set()
    for path in folder.rglob("*"):
        if path.is_file():
            text = str(_read(path).get("StudyDate") or "")
            if len(text) != 8:
                return ""
            found.add(datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC))
    return str((max(found) - min(found)).days) if found else ""


def as_rows(results: dict[Peer, Result], plants: Sequence[Plant]) -> list[dict[str, Any]]:
    """Return ours against each peer: identities left, the fewer the better."""
    mine = next(r for p, r in results.items() if p.name == "ours").left.total()
    return [
        {
            "work": f"{len(plants)} identities planted in DICOM files: left",
            "ours_s": mine,
            "peer": peer.name,
            "peer_s": result.left.total(),
            "ratio": None if mine == 0 else result.left.total() / mine,
            "peak_mb": None,
            "goal": 0,
            "met": mine == 0,
            "unit": "left",
        }
        for peer, result in results.items()
        if peer.name != "ours"
    ]


def report(
    results: dict[Peer, Result], skipped: dict[str, str], plants: Sequence[Plant], seed: int
) -> str:
    """Return docs/leaks.md."""
    planted = Counter(plant.kind for plant in plants)
    names = [f"{p.name} {p.version}".strip() for p in results]
    lines = [_INTRODUCTION.format(
        count=planted.total(), files=next(iter(results.values())).files, seed=seed,
        date=f"{datetime.now(UTC):%Y-%m-%d}", names=", ".join(names),
    )]  # fmt: skip
    head = "| De-identifier | " + " | ".join(f"{k} {planted[k]}" for k in DICOM_KINDS)
    lines += [f"{head} | **all {planted.total()}** | files out |"]
    lines += ["|---|" + "--:|" * (len(DICOM_KINDS) + 2)]
    for peer, result in results.items():
        cells = " | ".join(str(result.left[kind]) for kind in DICOM_KINDS)
        total, out = result.left.total(), f"{result.made} / {result.files}"
        lines += [f"| {peer.name} | {cells} | **{total}** | {out} |"]
    lines += ["", _USE, ""]
    lines += [
        "| De-identifier | marked YES | method coded | errors added | image kept | days |"
    ]
    lines += ["|---|--:|--:|--:|---|--:|"]
    for peer, result in results.items():
        kept, days = "yes" if result.kept else "no", result.days or "-"
        marks = f"{result.marked} / {result.made} | {result.coded} / {result.made}"
        lines += [f"| {peer.name} | {marks} | {result.errors} | {kept} | {days} |"]
    lines += [""] + [f"Not measured: {name}, {why}." for name, why in skipped.items()]
    return "\n".join(lines).rstrip() + "\n"


_INTRODUCTION = """# De-identifiers compared: what is left

{count} identities, each a value that occurs nowhere else, planted in {files} DICOM files and
their names; then every byte of what came out, and every path, searched for each of them in
UTF-8, UTF-16, the file's own character set and hexadecimal. Written by `benchmarks/leaks.py`;
do not edit.

How to repeat: `make bench-leaks`; with other values `python benchmarks/leaks.py --seed N`
(this run: {seed}).

- Date: {date}
- {names}

Each runs as it comes, file by file, so that a file that it cannot read costs no other. A file
that is refused leaves nothing: look at *files out* too.

*standard*: every row of Table E.1-1 (2026c) at the top level and in a sequence, families,
documents, sequences five deep. *new rows*: those that 2024c and later added. *unlisted*:
attributes that no row names. *raw*: after the data set, beyond the last pixel, around
compressed frames. *encodings*: implicit, big endian, deflated, items of unknown VR.

## Left of what was planted
"""
_USE = """## What is still of use

Three valid CT images, two studies of one patient 31 days apart, without an error that dciodvfy
finds: are the results marked (0012,0062) and coded (0012,0064), how many errors are there now,
are pixels and geometry as they were, and how many days lie between the studies (- where the
dates are gone, which the Basic Profile asks for)."""

if __name__ == "__main__":
    sys.exit(main())
