"""What does not fit between a log and somebody who remembers it, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not fit. Its fields are those of a finding of verification.

    Parameters
    ----------
    level : str
        red or amber.
    code : str
        One word, for programs.
    text : str
        A sentence, for people.
    file : str
        Relative to the log's folder, or empty.
    line : int
        From 1; 0 where no line is meant.
    """

    level: Literal["red", "amber"]
    code: str
    text: str
    file: str = ""
    line: int = 0

    def record(self) -> dict[str, object]:
        """Return the fault for ``--json``."""
        return {
            "code": self.code,
            "file": self.file,
            "level": self.level,
            "line": self.line,
            "text": self.text,
        }
