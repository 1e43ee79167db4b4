"""How many binary numbers an attribute has at most (PS3.6, value multiplicity)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from napari_medlabel.deid.rules.dictionary import DATA

MULTIPLICITIES: Final = "multiplicities.txt"
"""What this module's `main` writes: a table of our own, since pydicom takes long to start."""

_NUMBERS: Final = frozenset(
    {"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV", "US or SS"}
)  # fmt: skip


def most_numbers(tag: int) -> int | None:
    """Return how many values a standard attribute of binary numbers may have.

    Parameters
    ----------
    tag : int
        0xGGGGEEEE.

    Returns
    -------
    int or None
        None where the standard sets no end, or does not know the attribute.
    """
    return _most().get(tag)


@cache
def _most() -> Mapping[int, int]:
    words = (DATA / MULTIPLICITIES).read_text("ascii").split()
    return {int(tag, 16): int(most) for tag, most in zip(words[0::2], words[1::2], strict=True)}


def multiplicities() -> str:
    """Return a line for each attribute of numbers with an end: tag and greatest count."""
    from pydicom._dicom_dict import DicomDictionary

    ends = {
        tag: row[1].rpartition("-")[2]
        for tag, row in sorted(DicomDictionary.items())
        if row[0] in _NUMBERS
    }
    return "".join(f"{tag:08X}\t{end}\n" for tag, end in ends.items() if end.isdigit())


def main() -> None:
    """Write the table, after a change of pydicom's version."""
    (DATA / MULTIPLICITIES).write_text(multiplicities(), "ascii", newline="\n")


if __name__ == "__main__":  # pragma: no cover - the line above is what is tested
    main()
