"""One thing that was found about a log, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Parameters
    ----------
    level : str
        red, amber, or note (worth knowing, changes nothing).
    code : str
        One word, for programs.
    text : str
        A sentence, for people.
    file : str
        Relative to the log's folder, or empty.
    line : int
        From 1; 0 where no line is meant.
    """

    level: Literal["red", "amber", "note"]
    code: str
    text: str
    file: str = ""
    line: int = 0

    def record(self) -> dict[str, object]:
        """Return the finding for ``--json``."""
        return {
            "code": self.code,
            "file": self.file,
            "level": self.level,
            "line": self.line,
            "text": self.text,
        }
