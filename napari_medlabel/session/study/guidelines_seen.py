"""Which guidelines a rater has read, and what has changed since; kept on their own computer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.io.files import make_folder, write_bytes_aside
from napari_medlabel.project.guidelines import Change, Guidelines, changes
from napari_medlabel.session.study.seat import Seat

_VERSION: Final = 1


@dataclass(frozen=True)
class Seen:
    """What a rater read last.

    Parameters
    ----------
    digest : str
        Of the guidelines; empty where they never read any.
    text : str
        As it was.
    """

    digest: str = ""
    text: str = ""

    def is_same(self, guidelines: Guidelines) -> bool:
        """Tell whether nothing has changed since, pictures among it."""
        return self.digest == guidelines.digest

    def changes_to(self, guidelines: Guidelines) -> tuple[Change, ...]:
        """Return what has changed in the text since; nothing where none was read before."""
        return changes(self.text, guidelines.text) if self.digest else ()


def last_seen(seat: Seat) -> Seen:
    """Return what the rater of a seat read last; a file that cannot be read counts as none."""
    try:
        data = json.loads(_path(seat).read_bytes())
        if (data["medlabel"], data["v"]) != ("guidelines seen", _VERSION):
            return Seen()
        return Seen(str(data["digest"]), str(data["text"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Seen()  # then they are shown again, which does no harm


def note_seen(seat: Seat, guidelines: Guidelines) -> None:
    """Note that the rater of a seat has read these.

    Raises
    ------
    SaveError
        When it cannot be written; they are shown again then.
    """
    document = {
        "medlabel": "guidelines seen",
        "v": _VERSION,
        "digest": guidelines.digest,
        "text": guidelines.text,
    }
    path = _path(seat)
    make_folder(path.parent)
    write_bytes_aside(path, (json.dumps(document, ensure_ascii=False) + "\n").encode())


def _path(seat: Seat) -> Path:
    place = hashlib.sha256(str(seat.layout.root.resolve()).encode()).hexdigest()[:16]
    return seat.desk.state / "study-guidelines" / place / f"{seat.rater.code}.json"
