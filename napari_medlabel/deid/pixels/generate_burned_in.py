"""Write ``deid/data/burned_in.json``: where devices write text, from deid's collected rules.

Run ``python -m napari_medlabel.deid.pixels.generate_burned_in FILE``
with the filters of pydicom's deid 0.4.13 as JSON (MIT licence; many of its entries come from
the script of RSNA's CTP). Kept are the rules of its grey list that name rectangles.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "data" / "burned_in.json"
LICENCE = "MIT, Copyright (c) 2016-2022 Vanessa Sochat"
_MISSPELT = {"Manfacturer": "Manufacturer", "Manufacture": "Manufacturer"}


def signatures(source: dict[str, Any]) -> dict[str, Any]:
    """Return the rules with rectangles.

    Parameters
    ----------
    source : dict
        ``source`` and ``filters``, with ``graylist`` among them.

    Returns
    -------
    dict
        ``source``, ``licence`` and ``signatures``: of each the conditions, all of which must
        hold (one or more ``[keyword, "contains" or "equals", values]`` of which one must),
        and the rectangles as first column, first row, last column, last row (the last ones
        not included).
    """
    found = []
    for rule in source["filters"]["graylist"]:
        boxes = [[int(n) for n in text.split(",")] for _, text in rule["coordinates"]]
        if boxes:
            conditions = [_condition(part) for part in rule["filters"]]
            found.append({"if": conditions, "boxes": boxes})
    return {"source": source["source"], "licence": LICENCE, "signatures": found}


def _condition(part: dict[str, Any]) -> list[Any]:
    """One condition: one of several attributes has one of several values.

    Where a rule asks for one of two attributes, its values belong to them in turn.
    """
    keywords = [_MISSPELT.get(word, word) for word in part["field"]]
    values = part["value"]
    if len(keywords) == 1:
        return [[keywords[0], part["action"][0], values[0].split("|")]]
    return [
        [keyword, action, value.split("|")]
        for keyword, action, value in zip(keywords, part["action"], values, strict=True)
    ]


def main(source: Path, target: Path = TARGET) -> None:
    """Write the data file."""
    made = signatures(json.loads(source.read_text("utf-8")))
    lines = ",\n".join(" " + json.dumps(entry) for entry in made["signatures"])
    head = f'{{"source": {json.dumps(made["source"])},\n"licence": {json.dumps(LICENCE)},\n'
    target.write_text(f'{head}"signatures": [\n{lines}\n]}}\n', "utf-8")


if __name__ == "__main__":  # pragma: no cover - the line above is what is tested
    main(Path(sys.argv[1]))
