"""Write the tables that pydicom carries into ``deid/data``, so that no file waits for pydicom.

Run ``python -m napari_medlabel.deid.rules.generate_dictionary``
after a change of pydicom's version. What is written is derived from pydicom (MIT): keyword
and VR of each attribute of PS3.6, its UIDs (Annex A), and code, scheme and meaning of PS3.16.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from napari_medlabel.deid.rules.dictionary import DICTIONARY
from napari_medlabel.deid.rules.vocabulary import CODES, UIDS

DATA = Path(__file__).parents[1] / "data"
REPEATERS = "repeaters.txt"
_REPEATED = ("50xx", "60xx")


def dictionary() -> str:
    """Return a line for each attribute: tag, VR and keyword between tabs."""
    from pydicom._dicom_dict import DicomDictionary

    rows = sorted((tag, row[0], row[4]) for tag, row in DicomDictionary.items())
    return "".join(f"{tag:08X}\t{vr}\t{keyword}\n" for tag, vr, keyword in rows)


def repeaters() -> str:
    """Return a line for each attribute of curves and overlays: tag, VR and keyword."""
    from pydicom._dicom_dict import RepeatersDictionary

    rows = sorted((tag, row[0], row[4]) for tag, row in RepeatersDictionary.items())
    return "".join(
        f"{tag}\t{vr}\t{keyword}\n" for tag, vr, keyword in rows if tag.startswith(_REPEATED)
    )


def uids() -> str:
    """Return a line for each UID, and a T behind it where it is a transfer syntax."""
    from pydicom._uid_dict import UID_dictionary

    return "".join(
        f"{uid}\t{'T' if row[1] == 'Transfer Syntax' else ''}\n"
        for uid, row in sorted(UID_dictionary.items())
    )


def codes() -> str:
    """Return a line for each code: scheme, value and meaning, or SRT, value and SCT value.

    Of several meanings it is the shortest.
    """
    from pydicom.sr._concepts_dict import concepts
    from pydicom.sr._snomed_dict import mapping

    published = cast("dict[str, dict[str, dict[str, tuple[str, list[int]]]]]", concepts)
    meanings: dict[tuple[str, str], str] = {}
    for scheme, keywords in published.items():
        for entries in keywords.values():
            for value, (meaning, _) in entries.items():
                before = meanings.get((scheme, value), meaning)
                meanings[scheme, value] = min(meaning, before, key=len)
    older = {("SRT", value): newer for value, newer in mapping["SRT"].items()}
    return "".join(
        f"{scheme}\t{value}\t{text}\n"
        for (scheme, value), text in sorted({**meanings, **older}.items())
    )


def main() -> None:
    """Write the four files."""
    made = {
        DICTIONARY: dictionary(), REPEATERS: repeaters(), UIDS: uids(), CODES: codes(),
    }  # fmt: skip
    for name, text in made.items():
        (DATA / name).write_text(text, "utf-8", newline="\n")


if __name__ == "__main__":  # pragma: no cover - the line above is what is tested
    main()
