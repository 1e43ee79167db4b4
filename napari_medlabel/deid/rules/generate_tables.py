"""Write the rule tables in ``deid/data`` from the parsed tables of the standard.

Run ``python -m napari_medlabel.deid.rules.generate_tables FOLDER``
with the folder that holds the parsed Tables E.1-1, E.3.4-1 and E.3.10-1 of the edition,
CID 7050 and the body parts. What is written is derived: tag or
concept, name and code of each row, with the option columns that are not empty.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

EDITION = "2026c"
DATA = Path(__file__).parents[1] / "data"
OPTION_COLUMNS = (
    "retain-safe-private",
    "retain-uids",
    "retain-device",
    "retain-institution",
    "retain-patient-characteristics",
    "retain-dates",
    "shift-dates",
    "clean-descriptors",
    "clean-structured",
    "clean-graphics",
)
CONTENT_COLUMNS = OPTION_COLUMNS[1:8]
_FIRST_OPTION = 5  # name, tag, retired, in IOD, basic profile, then the options


def basic_profile(table: dict[str, Any]) -> dict[str, Any]:
    """Table E.1-1 as rules.

    Parameters
    ----------
    table : dict
        The parsed table: ``edition``, ``columns`` and ``rows`` of 15 strings.

    Returns
    -------
    dict
        ``edition``, ``name`` and ``rules``: for each row the tag (``"00100010"``, or
        ``"50xxxxxx"``, ``"60xx3000"``, ``"60xx4000"``, ``"odd"`` for the families), the
        attribute's name, the action code of the Basic Profile, and the options' codes.
    """
    rules = []
    for row in table["rows"]:
        options = {
            name: code
            for name, code in zip(OPTION_COLUMNS, row[_FIRST_OPTION:], strict=True)
            if code
        }
        rules.append([_tag(row[1]), row[0], row[4], options])
    return {"edition": table["edition"], "name": "basic", "rules": rules}


def structured_content(table: dict[str, Any]) -> dict[str, Any]:
    """Table E.3.4-1 as rules.

    Parameters
    ----------
    table : dict
        The parsed table: ``edition``, ``columns`` and ``rows`` of 14 strings.

    Returns
    -------
    dict
        ``edition`` and ``rules``: for each row code value, coding scheme designator, value
        type, meaning, the action code of the Basic Profile, and the options' codes.
    """
    rules = []
    for meaning, value, scheme, kind, _, _, basic, *cells in table["rows"]:
        named = zip(CONTENT_COLUMNS, cells, strict=True)
        rules.append([value, scheme, kind, meaning, basic, {n: c for n, c in named if c}])
    return {"edition": table["edition"], "rules": rules}


def safe_private(table: dict[str, Any]) -> dict[str, Any]:
    """Table E.3.10-1 as rules.

    Parameters
    ----------
    table : dict
        The parsed table: ``edition``, ``columns`` and ``rows`` of 5 strings.

    Returns
    -------
    dict
        ``edition`` and ``rules``: for each row group, last two digits of the element,
        private creator, VR, VM and meaning.
    """
    rules = [
        [tag[1:5].upper(), tag[8:10].upper(), creator, vr, vm, meaning]
        for tag, creator, vr, vm, meaning in table["rows"]
    ]
    return {"edition": table["edition"], "rules": rules}


def body_parts(table: dict[str, Any]) -> list[str]:
    """Return the defined terms of Body Part Examined (PS3.16 Annex L), sorted."""
    return sorted(table)


def _tag(text: str) -> str:
    """``"(0010,0010)"`` -> ``"00100010"``; the private family -> ``"odd"``."""
    return "odd" if "odd" in text else text[1:5] + text[6:10]


def documents(folder: Path) -> dict[str, str]:
    """Return what each data file holds, as text, by its name in ``deid/data``."""
    profile = basic_profile(_read(folder, f"table_E.1-1_{EDITION}.json"))
    content = structured_content(_read(folder, f"table_E.3.4-1_{EDITION}.json"))
    private = safe_private(_read(folder, f"table_E.3.10-1_{EDITION}.json"))
    methods = _read(folder, "CID7050.json")["codes"]
    regions = _read(folder, "anatomic_regions.json")
    return {
        f"basic_{EDITION}.json": _lines(profile),
        f"structured_content_{EDITION}.json": _lines(content),
        f"safe_private_{EDITION}.json": _lines(private),
        "methods.json": json.dumps({c["value"]: c["meaning"] for c in methods}, indent=0)
        + "\n",
        "body_parts.json": json.dumps(body_parts(regions), indent=0) + "\n",
    }


def _read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text("utf-8"))


def _lines(document: dict[str, Any]) -> str:
    """Return a table as JSON with a line for each rule."""
    head = ", ".join(f'"{k}": "{v}"' for k, v in document.items() if k != "rules")
    rules = ",\n".join(json.dumps(rule, sort_keys=True) for rule in document["rules"])
    return f'{{{head}, "rules": [\n{rules}\n]}}\n'


def main(arguments: list[str]) -> int:
    """Write the data files from the folder named by the only argument."""
    for name, text in documents(Path(arguments[0])).items():
        (DATA / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":  # pragma: no cover - the line above is what is tested
    raise SystemExit(main(sys.argv[1:]))
