"""What a person chose for the views, kept from one case to the next."""

from __future__ import annotations

import json
from typing import Any, Final

from napari_medlabel.errors import SaveError
from napari_medlabel.plugin.workplace import data_folder

_FILE: Final = "views.json"


def recall(name: str, fallback: Any) -> Any:
    """Return a remembered choice; what was never chosen or cannot be read is as at first."""
    return _read().get(name, fallback)


def remember(name: str, value: Any) -> None:
    """Keep a choice.

    Raises
    ------
    SaveError
        When it cannot be written.
    """
    path = data_folder() / _FILE
    kept = {**_read(), name: value}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    except OSError as err:
        raise SaveError(
            "The choice of views holds now, but cannot be kept for the next time: the data "
            "folder cannot be written.",
            hint="Free some space, or ask who looks after this computer.",
        ) from err


def _read() -> dict[str, Any]:
    try:
        kept = json.loads((data_folder() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}
