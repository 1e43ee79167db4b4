"""What befell the log and its surroundings: software, settings, failures, reviews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from napari_medlabel.audit.report.facts import (
    ConfigChange,
    FailureFact,
    ReviewFact,
    SoftwareFact,
)
from napari_medlabel.audit.report.seen import Line
from napari_medlabel.audit.report.words import words_of

_FAILURES: Final = {
    "audit.fail", "audit.resume", "tamper.found", "clock.jump", "session.recover",
    "volume.open.denied", "export.fail", "sign.fail", "user.auth.fail", "autosave.recover",
    "edit.unattributed",
}  # fmt: skip
_WHEN_BAD: Final = {"deid.run", "batch.close"}
_SETTINGS: Final = {
    "config.change", "key.create", "key.rotate", "key.revoke", "key.seal", "override.start",
    "override.stop", "deid.override", "retention.prune", "reid.table",
}  # fmt: skip


class Failures:
    """Collects what did not work, was refused, or had to be recovered."""

    events: Final = (*sorted(_FAILURES), *sorted(_WHEN_BAD))

    def __init__(self) -> None:
        self._facts: list[FailureFact] = []

    def take(self, line: Line) -> None:
        """Take the next event that concerns it."""
        if line.event in _WHEN_BAD and not line.outcome:
            return
        detail = line.detail
        cause = detail.get("cause") or detail.get("error") or detail.get("what") or ""
        self._facts.append(
            FailureFact(
                line.at_ms,
                line.event,
                str(cause),
                words_of(line.record),
                line.file,
                line.number,
                line.user,
            )
        )

    def facts(self) -> list[FailureFact]:
        """Return them by time."""
        return sorted(self._facts, key=lambda fact: (fact.at_ms, fact.file, fact.line))


class Settings:
    """Collects changes of settings and keys, and rules that were set aside."""

    events: Final = tuple(sorted(_SETTINGS))

    def __init__(self) -> None:
        self._facts: list[ConfigChange] = []

    def take(self, line: Line) -> None:
        """Take the next event that concerns it."""
        self._facts.append(
            ConfigChange(
                line.at_ms,
                line.user,
                words_of(line.record),
                line.detail.get("old", ""),
                line.detail.get("new", ""),
                line.file,
                line.number,
            )
        )

    def facts(self) -> list[ConfigChange]:
        """Return them by time."""
        return sorted(self._facts, key=lambda fact: (fact.at_ms, fact.file, fact.line))


class Reviews:
    """Collects the sign-offs of earlier reviews."""

    events: Final = ("audit.review",)

    def __init__(self) -> None:
        self._facts: list[ReviewFact] = []

    def take(self, line: Line) -> None:
        """Take the next event that concerns it."""
        detail = line.detail
        self._facts.append(
            ReviewFact(
                at_ms=line.at_ms,
                user=line.user,
                verdict=detail.get("verdict", ""),
                findings=detail.get("findings", 0),
                from_ms=detail.get("from_ms", 0),
                to_ms=detail.get("to_ms", 0),
                next_days=detail.get("next_days", 0),
                report=detail.get("report", ""),
                signed="signature" in detail,
                file=line.file,
                line=line.number,
            )
        )

    def facts(self) -> list[ReviewFact]:
        """Return them by time."""
        return sorted(self._facts, key=lambda fact: (fact.at_ms, fact.file, fact.line))


@dataclass(slots=True)
class _Use:
    sessions: int
    first_ms: int
    last_ms: int


class Software:
    """Counts the sessions of each combination of program and surroundings.

    Parameters
    ----------
    validated : tuple of str
        Versions that the site has validated.
    """

    events: Final = ("session.open",)

    def __init__(self, validated: tuple[str, ...]) -> None:
        self._validated = validated
        self._uses: dict[tuple[str, ...], _Use] = {}

    def take(self, line: Line) -> None:
        """Take the next event that concerns it."""
        detail: Any = line.detail
        keys = ("tool", "python", "platform", "wheel", "lock")
        key = tuple(detail.get(name, "") for name in keys)
        use = self._uses.setdefault(key, _Use(0, line.at_ms, line.at_ms))
        use.sessions += 1
        use.first_ms = min(use.first_ms, line.at_ms)
        use.last_ms = max(use.last_ms, line.at_ms)

    def facts(self) -> list[SoftwareFact]:
        """Return each combination, the latest used first."""
        found = [
            SoftwareFact(
                version=key[0],
                python=key[1],
                platform=key[2],
                sessions=use.sessions,
                validated=key[0] in self._validated,
                wheel=key[3],
                lock=key[4],
                first_ms=use.first_ms,
                last_ms=use.last_ms,
            )
            for key, use in self._uses.items()
        ]
        return sorted(found, key=lambda fact: (-fact.last_ms, fact.version))
