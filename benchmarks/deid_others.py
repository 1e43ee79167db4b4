"""What other tools do with a folder, in a Python of its own: ``noop|deid SRC DST``."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path


def noop(source: Path, target: Path) -> None:
    """Read and write each file with pydicom; what it cannot do is left out."""
    from pydicom import dcmread

    for path in sorted(source.iterdir()):
        try:
            dcmread(path).save_as(target / path.name)
        except Exception as err:  # noqa: BLE001 - whatever it raises, the file is left out
            print(type(err).__name__, file=sys.stderr)


def deid(source: Path, target: Path) -> None:
    """Run deid with its default recipe, private elements removed."""
    from deid.dicom import replace_identifiers

    files = [str(path) for path in sorted(source.iterdir())]
    replace_identifiers(files, save=True, output_folder=str(target), remove_private=True)


if __name__ == "__main__":
    # A script beside this one has the name of the package deid.
    sys.path.remove(str(Path(__file__).parent))
    warnings.simplefilter("ignore")
    Path(sys.argv[3]).mkdir()
    {"noop": noop, "deid": deid}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
