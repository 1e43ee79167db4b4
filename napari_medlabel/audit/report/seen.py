"""One event of the log as those who gather facts see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Line:
    """An event and where it stands.

    Parameters
    ----------
    file : str
        Session file, relative to the log's folder.
    number : int
        Line in it, from 1.
    at_ms : int
        Its time, milliseconds since 1970.
    record : mapping
        The decoded line.
    """

    file: str
    number: int
    at_ms: int
    record: Mapping[str, Any]

    @property
    def event(self) -> str:
        """Name of the event."""
        return str(self.record["event"])

    @property
    def detail(self) -> Mapping[str, Any]:
        """What the event's schema names."""
        detail: Mapping[str, Any] = self.record["detail"]
        return detail

    @property
    def user(self) -> str:
        """Token of who acted."""
        return str(self.record["actor"]["user"])

    @property
    def role(self) -> str:
        """What the person said to be."""
        return str(self.record["actor"]["role"])

    @property
    def subjects(self) -> list[str]:
        """Tokens of the patients concerned."""
        tokens: list[str] = self.record["subject"]
        return tokens

    @property
    def outcome(self) -> int:
        """0 for success, 4, 8 or 12."""
        return int(self.record["outcome"])

    @property
    def reason(self) -> str:
        """Code of the reason, or empty."""
        return str(self.record["reason"]["code"]) if "reason" in self.record else ""

    def content(self, role: str, kind: str = "mask") -> str:
        """Return the id of the first object of a role and type, or an empty text."""
        for item in self.record["object"]:
            if item["role"] == role and item["type"] == kind:
                return str(item["id"])
        return ""


class Gatherer(Protocol):
    """Somebody who makes facts of some events."""

    @property
    def events(self) -> tuple[str, ...]:
        """Names of the events that concern it."""
        ...

    def take(self, line: Line) -> None:
        """Take the next of them."""
        ...
