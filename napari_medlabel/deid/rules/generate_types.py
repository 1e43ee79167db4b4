"""Write the attribute types in ``deid/data`` from the type tables that highdicom ships.

Run ``python -m napari_medlabel.deid.rules.generate_types FOLDER``
with the folder of highdicom 0.28 (MIT, PS3.3 edition 2026b) that holds
``module_attribute_map.json``, ``iod_module_map.json`` and ``sop_class_iod_map.json``. Optional
attributes (Type 3) are left out, and a conditional type counts as the type itself: an attribute
that is there had its condition fulfilled.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"
NAME = "attribute_types.json"
SOURCE = "highdicom 0.28.2 (MIT), PS3.3 edition 2026b"
_TYPES = {"1": 1, "1C": 1, "2": 2, "2C": 2}


def types(
    modules: dict[str, Any], iods: dict[str, Any], classes: dict[str, str]
) -> dict[str, Any]:
    """Return the types by module, by sequence, and the modules by SOP class.

    Parameters
    ----------
    modules : dict
        Attributes (keyword, type, path) by module.
    iods : dict
        Modules (key) by IOD.
    classes : dict
        IOD by SOP Class UID.

    Returns
    -------
    dict
        ``modules``: type by keyword for each module's top level; ``sequences``: type by
        keyword for each sequence, the strictest of all modules that have it; ``iods``:
        places of the IOD's modules; ``classes``: IOD by SOP Class UID.
    """
    top: dict[str, dict[str, int]] = {}
    inside: dict[str, dict[str, int]] = {}
    for module, attributes in modules.items():
        top[module] = {}
        for attribute in attributes:
            number = _TYPES.get(str(attribute["type"]))
            if number is None:
                continue
            path = attribute["path"]
            level = inside.setdefault(path[-1], {}) if path else top[module]
            keyword = attribute["keyword"]
            level[keyword] = min(number, level.get(keyword, number))
    used = {key: [m["key"] for m in listed] for key, listed in iods.items()}
    names = sorted({m for listed in used.values() for m in listed if top.get(m)})
    return {
        "source": SOURCE,
        "modules": [_split(top[name]) for name in names],
        "iods": {
            key: sorted(names.index(m) for m in set(listed) if m in names)
            for key, listed in sorted(used.items())
        },
        "classes": dict(sorted(classes.items())),
        "sequences": {key: _split(level) for key, level in sorted(inside.items())},
    }


def _split(level: dict[str, int]) -> list[str]:
    """Keywords of Type 1 and of Type 2, each joined by blanks."""
    return [" ".join(sorted(k for k, t in level.items() if t == kind)) for kind in (1, 2)]


def document(folder: Path) -> str:
    """Return the data file's text from the folder that holds the three maps."""
    read = [
        json.loads((folder / name).read_text("utf-8"))
        for name in (
            "module_attribute_map.json",
            "iod_module_map.json",
            "sop_class_iod_map.json",
        )
    ]
    return json.dumps(types(*read), indent=0) + "\n"


def main(arguments: list[str]) -> int:
    """Write the data file from the folder named by the only argument."""
    text = document(Path(arguments[0]))
    (DATA / NAME).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":  # pragma: no cover - the line above is what is tested
    raise SystemExit(main(sys.argv[1:]))
