"""Write the rule tables in ``deid/data`` from the parsed tables of the standard.

Run ``python -m napari_medlabel.deid.generate_tables FOLDER`` with the folder that holds
``table_E.1-1_<edition>.json`` and ``anatomic_regions.json``. What is written is derived:
tag, name and code of each row, with the option columns that are not empty.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

EDITION = "2026c"
DATA = Path(__file__).parent / "data"
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


def body_parts(table: dict[str, Any]) -> list[str]:
    """Return the defined terms of Body Part Examined (PS3.16 Annex L), sorted."""
    return sorted(table)


def _tag(text: str) -> str:
    """``"(0010,0010)"`` -> ``"00100010"``; the private family -> ``"odd"``."""
    return "odd" if "odd" in text else text[1:5] + text[6:10]


def documents(folder: Path) -> dict[str, str]:
    """Return what each data file holds, as text, by its name in ``deid/data``."""
    rules = json.loads((folder / f"table_E.1-1_{EDITION}.json").read_text("utf-8"))
    regions = json.loads((folder / "anatomic_regions.json").read_text("utf-8"))
    profile = basic_profile(rules)
    lines = ",\n".join(
        json.dumps(rule, ensure_ascii=True, sort_keys=True) for rule in profile["rules"]
    )
    head = f'{{"edition": "{profile["edition"]}", "name": "basic", "rules": [\n'
    return {
        f"basic_{EDITION}.json": head + lines + "\n]}\n",
        "body_parts.json": json.dumps(body_parts(regions), indent=0) + "\n",
    }


def main(arguments: list[str]) -> int:
    """Write the data files from the folder named by the only argument."""
    for name, text in documents(Path(arguments[0])).items():
        (DATA / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":  # pragma: no cover - the line above is what is tested
    raise SystemExit(main(sys.argv[1:]))
