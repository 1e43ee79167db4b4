"""Clean each file of a folder with the engine that a batch uses: ``SRC DST [--scan]``."""

from __future__ import annotations

import sys
from pathlib import Path


def main(source: Path, target: Path, *, scan: bool) -> None:
    """Clean a folder; what is refused is left out.

    Parameters
    ----------
    source, target : Path
        Folders; the target does not exist yet.
    scan : bool
        Whether the independent scan searches each written file, as in ``medlabel deid``.
    """
    from napari_medlabel.deid.dicom.file import write_clean
    from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
    from napari_medlabel.deid.refusal import QuarantineError
    from napari_medlabel.deid.rules.profile import load_profile

    target.mkdir()
    profile, pseudonyms = load_profile(), Pseudonyms(bytes(range(32)))
    for path in sorted(source.iterdir()):
        made = target / path.name
        try:
            written = write_clean(path, made, profile, pseudonyms, sync=False, search=False)
        except QuarantineError:
            continue
        if scan:
            _scanned(path, made, written.name)


def _scanned(source: Path, made: Path, name: tuple[str, ...]) -> None:
    from napari_medlabel.deid.scan.output import allowance_for, check_output

    if check_output(source, made, name, allowance=allowance_for(frozenset())):
        raise SystemExit("The scan found an identity in what was written.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), scan="--scan" in sys.argv)
