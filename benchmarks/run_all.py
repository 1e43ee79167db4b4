"""Runs every area in a process of its own, prints, and writes docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from _measure import Row, table

HERE = Path(__file__).parent
REPORT = HERE.parent / "docs" / "benchmarks.md"
PACKAGES = (
    "napari-medlabel",
    "napari",
    "PyQt6",
    "numpy",
    "pydicom",
    "SimpleITK",
    "nibabel",
    "imagecodecs",
    "numba",
    "scikit-image",
    "scipy",
    "itk-core",
    "cryptography",
    "dcm2niix",
    "python-gdcm",
)

AREAS = {
    "read": (
        "Reading DICOM",
        (
            "The floor knows order, offsets and sizes beforehand and only moves the bytes of "
            "the pixels into one array. dcm2niix writes a file into memory. The others list "
            "the folder's files, sort them by position and return voxels as an array; they "
            "are compared before anything is timed. We also check that the slices are evenly "
            "spaced and that none is missing, and say so where not. Coded series are made of "
            "twelve different slices. The files are in the page cache: a cold disk would hide "
            "the difference. Memory is what a fresh process holds beyond what it held after "
            "reading a tiny series."
        ),
    ),
    "discovery": (
        "Finding series",
        (
            "Ours returns series with grid, spacing and doubts. GDCM and pydicom only read "
            "headers; nothing is grouped, sorted or placed."
        ),
    ),
    "nifti": (
        "NIfTI",
        (
            "Reading from the page cache; nibabel returns the stored numbers (get_fdata would "
            "take longer). Sizes are of the same mask, written by both."
        ),
    ),
    "open": (
        "Opening in napari",
        (
            "Each run is a Python of its own. The clock stops when the canvas was drawn and "
            "read back. On our side the log gets its line, every file is hashed, and the "
            "window has the dock, a labels layer and a landmarks layer; the peer shows one "
            "image and nothing else."
        ),
    ),
    "alive": (
        "A window that answers",
        (
            "The longest stretch in which a real window answered nothing, on the phantom of "
            "ten organs, 512x512x300 voxels, drawn by the processor alone. A heart beats in "
            "the Qt thread; where it misses, `python benchmarks/alive.py --day` says in which "
            "call, and how much of it was drawing. Seconds by the clock: other work on the "
            "machine lengthens them. The peak is not measured here."
        ),
    ),
    "edit": (
        "Painting",
        (
            "A brush of diameter 20 on 512x512x400 labels in napari's viewer model, without a "
            "window: drawing on the screen is the same on both sides and is left out. On our "
            "side each event is also a step of the session's history and wakes the journal; "
            "that these steps were made is checked. The journal writes in a thread of its "
            "own, so a sweep does not hold up the brush."
        ),
    ),
    "segment": (
        "Editing tools",
        (
            "On the phantom of ten organs, 512x512x300 voxels, in CPU seconds of all threads. "
            "Ours give a proposal: with the box, the labels before and after in it, the rules "
            "obeyed, and words; the peers give an array. ITK's filter between slices runs in a "
            "process of its own, because it corrupts the heap now and then. How much work an "
            "outline costs with these tools is in [work for each act](work-per-act.md)."
        ),
    ),
    "edit_sight": (
        "Slabs, cine and fusion",
        (
            "On 512x512x400 voxels in napari's viewer model, without a window, four views: "
            "what of a step is not drawing. Seconds by the clock, beside the 100 ms that "
            "nothing on the Qt thread may take; fusion runs beside it, and its row is the "
            "longest time between two looks at whether it was stopped."
        ),
    ),
    "segment_memory": (
        "Memory of the editing tools",
        (
            "On the phantom of ten organs, 512x512x300 voxels, each in a process of its own: "
            "the most that it holds at once beyond what it held before, with its proposal. "
            "The limit is twice the crop and 100 MB; the crop is labels and image of the "
            "proposal's box, and of the whole scan where islands and holes are looked for. "
            "Noise is the worst case of a scan."
        ),
    ),
    "grow": (
        "Growing in a whole volume",
        (
            "174 strokes in ten organs and around them, once each, in CPU seconds. Beside the "
            "limits that were set before it was built; ITK's fast grow cut took 269 s and "
            "reached a mean Dice of 0.887 in an earlier measurement on this phantom, and is "
            "not run again. Adding and removing strokes gives the bytes of growing anew: no "
            "other tool removes a stroke. The peak is that of the whole process."
        ),
    ),
    "agree": (
        "Agreement and consensus",
        (
            "Three simulated readings, 256x256x100 voxels, in CPU seconds of all threads. Ours "
            "give Dice, surface Dice, HD95, HD, ASSD and volumes; each peer gives what its row "
            "says. Distances are measured between surfaces in the box of what was labelled: "
            "the same numbers as of the whole scan, which tests check. STAPLE runs on counts "
            "of votes; its probabilities are those of SimpleITK in the same box."
        ),
    ),
    "save": (
        "Saving a mask",
        (
            "nibabel.save only writes. We write aside, sync, read back, compare every voxel, "
            "hash, write the sidecar, rename and sync the folder. The rows of bare writing "
            "show what that safety costs."
        ),
    ),
    "deid": (
        "De-identifying DICOM",
        (
            "CPU seconds, user and system, of whole programs, with the start of Python. The "
            "engine alone does not search what it wrote; the command searches it by the "
            "independent scan, and keeps a journal, a log and a report. pydicom reads and "
            "writes the same files and removes nothing. What each tool leaves is in "
            "[leaks](leaks.md)."
        ),
    ),
    "companions": (
        "De-identifying NIfTI and NRRD",
        (
            "The peer loads the voxels and saves them under a header made from nothing. Ours "
            "judges each field, streams, and reads back what it wrote."
        ),
    ),
    "pixels": (
        "Burned-in text",
        (
            "Drawn ultrasound with lines of text of many sizes and contrasts; what is left is "
            "counted. Ours includes the search of the result."
        ),
    ),
    "faces": (
        "Faces",
        (
            "Nine invented heads. quickshear gets the same true brain mask; it knows one plane "
            "only, ours finds the brain of a CT itself."
        ),
    ),
    "audit": (
        "Audit log",
        (
            "Both are synced to the disk before the call returns. Ours is hash-chained and "
            "signed; the table of SQLite is neither. SQLite's own check looks at the structure "
            "of its file and cannot see a changed event."
        ),
    ),
    "audit_page": (
        "The officer's page",
        (
            "Made from 100,000 events and opened in Chromium. No other program of this field "
            "makes such a page, so there is no peer: goals are those that an officer with "
            "minutes would set. The peak is that of Python, not of the browser."
        ),
    ),
}

# Why a goal is not met, by area and the start of the row's work; said only when it is so.
WHY = {
    ("audit", "one event of 4"): (
        "Each process signs, chains and checks its own events, which the table does not: four "
        "of them on two cores are bound by CPU, and the file system's journal puts their syncs "
        "into one queue. SQLite's writers wait for each other, so its total hardly grows."
    ),
    ("read", "60 slices, JPEG 2000"): (
        "Both decode with OpenJPEG on all cores: SimpleITK's copy has threads of its own. "
        "Twice its speed is not in this codec."
    ),
    ("read", "500 slices 512x512, 16 bit, uncompressed"): (
        "Beside SimpleITK ours takes longer than beside the floor in the same run; why is not "
        "known."
    ),
    ("discovery", "5000 files"): (
        "What is left is opening and reading 5,000 files and walking their elements in Python; "
        "GDCM reads six of them in C++ and places nothing."
    ),
    ("edit", "journal sweep"): (
        "It computes a checksum of each of the 400 slices to find what changed, and syncs."
    ),
    ("open", "in an open window"): (
        "Beside the scan, two more layers, side letters, scale bar and the dock's panels are "
        "made and drawn, and the log is opened. What each takes is not measured yet."
    ),
    ("segment_memory", "refine the border"): (
        "scikit-image's watershed holds 36 bytes and more for each voxel of the widened crop."
    ),
    ("edit_sight", "a slab of 10 mm chosen"): (
        "napari slices each view anew for each of three settings that make a slab."
    ),
    ("edit", "one brush event, its own"): (
        "Each event is a step here: its box is compared with the labels that the session "
        "knows, copied, and announced. In a stroke this is done once."
    ),
    ("save", "bare writing"): ("Ours deflates with igzip in blocks of a megabyte."),
    ("save", "saving with all safety"): (
        "Reading back and comparing takes about as long as writing. Counting the voxels of "
        "each label for the sidecar widens all labels to eight bytes at once: that is most of "
        "the peak, and it takes from as long as writing to several times that."
    ),
    ("save", "the whole of F2"): (
        "It saves as above, and also finds what changed, reads the earlier mask, keeps the "
        "earlier version, writes the landmarks in two formats and logs."
    ),
    ("deid", "medlabel deid"): (
        "Every element at every depth is judged by the profile, and each cleaned file is read "
        "again and searched for the identities that were in it."
    ),
}


def main() -> int:
    """Run all areas and write the report, or those that are named and renew their parts.

    Returns
    -------
    int
        0, also where a goal is not met: 1 when an area could not run.
    """
    begun, load = time.perf_counter(), _load()
    parts, failed = [], []
    chosen = sys.argv[1:] or list(AREAS)
    for area in chosen:
        title, about = AREAS[area]
        start = time.perf_counter()
        rows = _run(area)
        if rows is None:
            failed.append(area)
            continue
        print(f"\n{title} ({time.perf_counter() - start:.0f} s)\n\n{table(rows)}", flush=True)
        remarks = "".join(f"\n{remark}\n" for remark in _remarks(area, rows))
        day = "" if chosen == list(AREAS) else f" Measured {datetime.now(UTC):%Y-%m-%d}."
        parts.append(f"## {title}\n\n{about}{day}\n\n{table(rows)}\n{remarks}")
    if failed:
        print(f"Could not run: {', '.join(failed)}. The report is left as it was.")
        return 1
    seconds = time.perf_counter() - begun
    if chosen == list(AREAS):
        report = "\n".join([_head(seconds, load, _load()), *parts])
    else:
        report = renewed(REPORT.read_text(encoding="utf-8"), parts)
    REPORT.write_text(report, encoding="utf-8")
    print(f"\n{seconds:.0f} s; written: docs/{REPORT.name}")
    return 0


def renewed(report: str, parts: list[str]) -> str:
    """Return a report with some parts in place of the earlier ones of the same title."""
    sections = re.split(r"(?m)^(?=## )", report)
    titles = [section.split("\n", 1)[0] for section in sections]
    for part in parts:
        title = part.split("\n", 1)[0]
        if title in titles:
            sections[titles.index(title)] = part.rstrip("\n") + "\n\n"
        else:
            sections.append("\n" + part)
    return "".join(sections).rstrip("\n") + "\n"


def _run(area: str) -> list[Row] | None:
    command = [sys.executable, str(HERE / f"{area}.py"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{area}: {done.stderr.strip()[-2000:]}")
        return None
    rows: list[Row] = json.loads(done.stdout)
    return rows


def _remarks(area: str, rows: list[Row]) -> list[str]:
    """Return a sentence for each row whose goal is not met."""
    said: dict[str, list[str]] = {}
    for one in rows:
        if one["met"] is False:
            reasons = [
                w
                for (a, start), w in WHY.items()
                if a == area and one["work"].startswith(start)
            ]
            why = reasons[0] if reasons else "The reason is not known yet."
            said.setdefault(why, []).append(
                f"*{one['work']}* ({one['ratio']:.2f}, goal {one['goal']:g})"
            )
    return [f"Not met: {'; '.join(works)}. {why}" for why, works in said.items()]


def _head(seconds: float, before: str, after: str) -> str:
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return f"""# Benchmarks

Ours and the peer in one run, side by side. Written by `benchmarks/run_all.py`; do not edit.

How to repeat: `make bench`, or one area with `python benchmarks/read.py` (`--json` for data).

- Date: {datetime.now(UTC):%Y-%m-%d}
- Machine: {_cpu()}, {os.cpu_count()} cores, {platform.system()}
- Python {platform.python_version()}, {packages}
- Load average {before} at the start and {after} at the end; the whole took {seconds:.0f} s.
  Other work may have run on these cores at the same time. The two sides therefore take
  turns, and each time is the median of 3 to 9 runs after one that warms up. Ratios move less
  than times.

*Ratio* is the peer's time divided by ours: above 1 we are faster. *Our peak* is the most
memory that a fresh process held which did our side once, with Python and all packages. Goals
are ratios and were set before the first run.
"""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


if __name__ == "__main__":
    raise SystemExit(main())
