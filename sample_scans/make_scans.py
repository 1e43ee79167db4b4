"""Write the sample scans, their truth and the registry of their sums; or check them.

``python sample_scans/make_scans.py [--out DIR] [--check]``
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import abdomen
import head
import identity
import numpy as np
import truth
import ultrasound
import write_dicom
from write_nifti import Grid, write_volume

HERE = Path(__file__).resolve().parent
REGISTRY = "registry.txt"
DATA = ("ct_abdomen", "ct_abdomen_followup", "truth")
SINGLE = ("mr_head_oblique.nii.gz", "us_burned_in.dcm", "identities.json")


def _write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    path.write_bytes(text.encode())


def _ct_grid(visit: abdomen.Visit) -> Grid:
    x0, y0 = (float(v) for v in visit.origin())
    step, gap = abdomen.PIXEL_MM, abdomen.SLICE_MM
    affine = [[-step, 0.0, 0.0, -x0], [0.0, -step, 0.0, -y0], [0.0, 0.0, gap, visit.slice_z(0)]]
    return Grid([*affine, [0.0, 0.0, 0.0, 1.0]], (step, step, gap), (0.0, 0.0, 1.0))


def make_ct(
    out: Path, visit: abdomen.Visit, occasion: identity.Occasion
) -> list[identity.Plant]:
    """Write one CT series, its mask and its landmarks."""
    masks = []
    for k in range(visit.slices):
        hu, label = abdomen.render(visit, k)
        position = (*visit.origin(), visit.slice_z(k))
        write_dicom.write_slice(out, occasion, k, hu, position, visit.slices)
        masks.append(label)
    stem = out / "truth" / occasion.folder
    write_volume(
        Path(f"{stem}_mask.nii.gz"), np.stack(masks), _ct_grid(visit), identities=False
    )
    _write_json(Path(f"{stem}_landmarks.mrk.json"), truth.markups(abdomen.landmarks(visit)))
    return write_dicom.manifest(occasion, visit.slices)


def make_mr(out: Path) -> list[identity.Plant]:
    """Write the MR head, its mask and its landmarks."""
    slices = [head.render(k) for k in range(head.SHAPE[2])]
    grid = Grid(head.affine_ras(), head.SPACING_MM, head.QUATERNION_BCD)
    values, labels = (np.stack([s[n] for s in slices]) for n in (0, 1))
    found = write_volume(out / "mr_head_oblique.nii.gz", values, grid, identities=True)
    write_volume(out / "truth" / "mr_head_oblique_mask.nii.gz", labels, grid, identities=False)
    _write_json(out / "truth" / "mr_head_landmarks.mrk.json", truth.markups(head.landmarks()))
    return found


def make_all(out: Path) -> None:
    """Write every sample file and the registry below `out`."""
    out.mkdir(parents=True, exist_ok=True)
    planted = make_ct(out, abdomen.FIRST, identity.FIRST)
    planted += make_ct(out, abdomen.LATER, identity.LATER)
    planted += make_mr(out)
    image, burned = ultrasound.frame()
    planted += write_dicom.write_ultrasound(
        out, image, ultrasound.REGION, ultrasound.MM_PER_PIXEL
    )
    planted += burned
    _write_json(out / "truth" / "scheme.json", truth.scheme_ct())
    _write_json(out / "truth" / "scheme_mr.json", truth.scheme_mr())
    _write_json(out / "identities.json", [asdict(p) for p in planted])
    (out / REGISTRY).write_bytes(registry_text(out).encode())


def sums(folder: Path) -> dict[str, str]:
    """SHA-256 of every sample file below `folder` by its path with slashes."""
    files = [p for name in DATA for p in sorted((folder / name).rglob("*")) if p.is_file()]
    files += [folder / name for name in SINGLE if (folder / name).is_file()]
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in files
    }


def registry_text(folder: Path) -> str:
    """One line ``sha256  path`` per file, sorted by path, and the totals as a comment."""
    found = sums(folder)
    size = sum((folder / name).stat().st_size for name in found)
    lines = [f"{found[name]}  {name}" for name in sorted(found)]
    return "\n".join([*lines, f"# total {len(found)} files {size} bytes"]) + "\n"


def read_registry(path: Path) -> dict[str, str]:
    """Return the sums that a registry lists by path."""
    lines = [n for n in path.read_text("utf-8").splitlines() if n and not n.startswith("#")]
    return {name: digest for digest, name in (n.split("  ", 1) for n in lines)}


def differences(folder: Path, registry: Path) -> list[str]:
    """Say for every file what differs between `folder` and the registry."""
    wanted, found = read_registry(registry), sums(folder)
    said = [f"missing  {n}" for n in sorted(wanted.keys() - found.keys())]
    said += [f"unlisted {n}" for n in sorted(found.keys() - wanted.keys())]
    both = wanted.keys() & found.keys()
    return said + [f"changed  {n}" for n in sorted(both) if wanted[n] != found[n]]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 1 where a check finds a difference."""
    parser = argparse.ArgumentParser(description="Write or check the sample scans.")
    parser.add_argument("--out", type=Path, help="where to write, or what to check")
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare with the registry: the files in DIR, or without --out the files here "
        "and a fresh run",
    )
    args = parser.parse_args(argv)
    if not args.check:
        make_all(args.out or HERE)
        print(f"wrote {len(sums(args.out or HERE))} files to {args.out or HERE}")
        return 0
    said = differences(args.out or HERE, HERE / REGISTRY)
    if args.out is None:
        with tempfile.TemporaryDirectory() as fresh:
            make_all(Path(fresh))
            said += [f"fresh run: {d}" for d in differences(Path(fresh), HERE / REGISTRY)]
    print("\n".join(said) if said else "every file is as the registry says")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
