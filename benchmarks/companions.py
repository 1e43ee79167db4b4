"""Taking identity out of NIfTI, NRRD and MetaImage, against a new header by nibabel or ITK."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from _measure import Side, Work, main
from nifti import AFFINE, SHAPE, scan

from napari_medlabel.deid.batch.kinds import described
from napari_medlabel.deid.images.companions import write_companion
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.rules.profile import load_profile

SIDECARS = 100
SIDECAR = (
    '{"Modality": "MR", "Manufacturer": "Siemens", "PatientName": "Featherstone^Millicent",\n'
    '"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"], "EchoTime": 0.03, "SliceTiming": '
    f"{[round(0.05 * n, 4) for n in range(60)]}, "
    '"ProtocolName": "rest", "AcquisitionTime": "15:30:31.312500"}\n'
)


def prepare(folder: Path) -> None:
    """Write the phantom as nibabel and ITK do, and compare what ours leaves of it."""
    import nibabel as nib
    import SimpleITK

    image = nib.Nifti1Image(scan(), AFFINE)
    image.header["descrip"] = b"Featherstone"
    nib.save(image, folder / "scan.nii.gz")
    nib.save(image, folder / "scan.nii")
    itk = SimpleITK.GetImageFromArray(scan().T)
    itk.SetMetaData("PatientName", "Featherstone^Millicent")
    SimpleITK.WriteImage(itk, str(folder / "scan.nrrd"), useCompression=True)
    (folder / "sidecars").mkdir()
    for number in range(SIDECARS):
        (folder / "sidecars" / f"{number}.json").write_text(SIDECAR)
        nib.save(image.slicer[:2, :2, :2], folder / "sidecars" / f"{number}.nii")
    for name in ("scan.nii.gz", "scan.nii"):
        ours(name, folder).run(0)
        made = nib.load(folder / f"ours-{name}")
        same = np.array_equal(np.asarray(made.dataobj), scan())
        if not same or not np.allclose(made.affine, AFFINE) or made.header["descrip"].item():
            raise SystemExit("The cleaned scan is not the scan without its text.")
        (folder / f"ours-{name}").unlink()


def ours(name: str, folder: Path) -> Side:
    """Clean one file onto the disk, and read it back."""
    part, profile, key = folder / f"ours-{name}", load_profile(), Pseudonyms(bytes(32))

    def run(_number: int) -> None:
        file = described(1, folder / name, folder)
        write_companion(file, part, profile, key, sync=False)

    return Side(run, before=_unlink(part))


def by_nibabel(name: str, folder: Path) -> Side:
    """Read voxels and affine, and write them under a new header."""
    import nibabel as nib

    part = folder / f"theirs-{name}"

    def run(_number: int) -> None:
        image = nib.load(folder / name)
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), image.affine), part)

    return Side(run, before=_unlink(part))


def by_itk(name: str, folder: Path) -> Side:
    """Read an image, and write its voxels and geometry as a new one."""
    import SimpleITK

    part = folder / f"theirs-{name}"

    def run(_number: int) -> None:
        image = SimpleITK.ReadImage(str(folder / name))
        new = SimpleITK.GetImageFromArray(SimpleITK.GetArrayViewFromImage(image))
        new.CopyInformation(image)
        SimpleITK.WriteImage(new, str(part), useCompression=True)

    return Side(run, before=_unlink(part))


def by_gzip(name: str, folder: Path) -> Side:
    """Unpack and pack a file as the program gzip does at its fastest; nothing is cleaned."""
    import gzip
    import shutil

    part = folder / f"theirs-{name}"

    def run(_number: int) -> None:
        with (
            gzip.open(folder / name) as source,
            gzip.open(part, "wb", compresslevel=1) as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)

    return Side(run, before=_unlink(part))


def by_json(folder: Path) -> Side:
    """Read and write sidecars as they are."""
    import json

    def run(_number: int) -> None:
        for number in range(SIDECARS):
            path = folder / "sidecars" / f"{number}.json"
            (folder / "theirs.json").write_text(json.dumps(json.loads(path.read_text())))

    return Side(run, calls=SIDECARS)


def ours_json(folder: Path) -> Side:
    """Tell what each file is, clean it, and read it back."""
    profile, key, part = load_profile(), Pseudonyms(bytes(32)), folder / "ours.json"

    def run(_number: int) -> None:
        for number in range(SIDECARS):
            path = folder / "sidecars" / f"{number}.json"
            write_companion(described(1, path, folder), part, profile, key, sync=False)
            part.unlink()

    return Side(run, calls=SIDECARS)


def sized(side: Callable[[str, Path], Side], made: str, name: str, folder: Path) -> Side:
    """Measure megabytes instead of seconds."""
    one = side(name, folder)

    def run(number: int) -> float:
        one.before(number)
        one.run(number)
        return (folder / f"{made}-{name}").stat().st_size / 1e6

    return Side(run)


def _unlink(path: Path) -> Callable[[int], None]:
    return lambda _number: path.unlink(missing_ok=True)


SIZE = "x".join(map(str, SHAPE))
GZIP = "scan.nii.gz"
WORKS = (
    Work(
        f"identity out of {SIZE}, 16 bit, .nii.gz",
        partial(ours, GZIP),
        "nibabel, new header",
        partial(by_nibabel, GZIP),
        1,
        4,
    ),
    Work(
        f"identity out of {SIZE}, 16 bit, .nii.gz",
        partial(ours, GZIP),
        "gzip -1, nothing cleaned",
        partial(by_gzip, GZIP),
        1,
        4,
    ),
    Work(
        f"size of {SIZE}, 16 bit, .nii.gz",
        partial(sized, ours, "ours", GZIP),
        "nibabel, new header",
        partial(sized, by_nibabel, "theirs", GZIP),
        1,
        1,
        unit="MB",
    ),
    Work(
        f"identity out of {SIZE}, 16 bit, .nii",
        partial(ours, "scan.nii"),
        "nibabel, new header",
        partial(by_nibabel, "scan.nii"),
        1,
        4,
    ),
    Work(
        f"identity out of {SIZE}, 16 bit, .nrrd (gzip)",
        partial(ours, "scan.nrrd"),
        "SimpleITK, new image",
        partial(by_itk, "scan.nrrd"),
        1,
        2,
    ),
    Work("identity out of a JSON sidecar", ours_json, "json, nothing cleaned", by_json, None),
)

if __name__ == "__main__":
    main(__file__, WORKS, prepare)
