"""What left: begin and end of each export, put together while the log goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from napari_medlabel.audit.report.deeds import DATA_SET, ExportFact, Override
from napari_medlabel.audit.report.seen import Line
from napari_medlabel.audit.report.words import choice_words, tag_words

_ENDS: Final = {"export.done": "done", "export.fail": "failed"}
_SCREEN: Final = {"save-layer": "saved layer"}
_KEPT: Final = {
    "retain-uids": "UIDs",
    "retain-device": "device",
    "retain-institution": "institution",
    "retain-patient-characteristics": "patient characteristics",
    "retain-dates": "dates",
}


@dataclass(slots=True)
class _Open:
    """An export that goes on.

    Parameters
    ----------
    line : Line
        Where it began.
    detail : dict
        What is known of it; later lines know better.
    subjects : dict
        Tokens in order.
    tags : dict
        Retained tags in order.
    overrides : list of Override
        Rules set aside for it.
    """

    line: Line
    detail: dict[str, Any]
    subjects: dict[str, None] = field(default_factory=dict)
    tags: dict[str, None] = field(default_factory=dict)
    overrides: list[Override] = field(default_factory=list)
    cleaned: bool = False

    def learn(self, detail: Mapping[str, Any], subjects: list[str]) -> None:
        """Take over what a line says."""
        self.detail.update(detail)
        self.subjects.update(dict.fromkeys(subjects))
        self.tags.update(dict.fromkeys(detail.get("retained_tags", ())))

    def fact(self, end_ms: int | None, outcome: str, what: str = DATA_SET) -> ExportFact:
        """Return it as it is known now."""
        known = self.detail
        removed = known.get("deidentified", True if self.cleaned else None)
        kept = self._kept()
        return ExportFact(
            begin_ms=self.line.at_ms,
            end_ms=end_ms,
            outcome=outcome,
            user=self.line.user,
            destination=known.get("destination", ""),
            files=known.get("files", known.get("frames", 0)),
            subjects=tuple(self.subjects),
            profile=known.get("profile", ""),
            profile_hash=known.get("profile_hash", ""),
            edition=known.get("edition", ""),
            options=tuple(known.get("options", ())),
            retained=max(len(kept), known.get("retained", 0)) if removed else None,
            retained_tags=kept,
            overrides=tuple(self.overrides),
            manifest=known.get("manifest", ""),
            receipt=known.get("receipt", ""),
            file=self.line.file,
            line=self.line.number,
            what=what,
            format=known.get("format", ""),
            cases=known.get("cases", 0),
            deidentified=removed,
            cause=known.get("cause", ""),
        )

    def _kept(self) -> tuple[str, ...]:
        """Return which identifiers stayed: single ones, then kinds that an option keeps."""
        tags = [tag_words(tag) for tag in self.tags]
        tags += [item.tag for item in self.overrides]
        kinds = [_KEPT[name] for name in self.detail.get("options", ()) if name in _KEPT]
        if self.detail.get("site_rules"):
            kinds.append("what the site's rules keep")
        return tuple(dict.fromkeys((*tags, *kinds)))


class Departures:
    """Pairs each begin with its end; what began last ends first, within one session."""

    events: Final = (
        "export.begin", "export.done", "export.fail", "export.screen", "deid.run",
        "deid.override", "reid.export", "audit.export",
    )  # fmt: skip

    def __init__(self) -> None:
        self._facts: list[ExportFact] = []
        self._open: list[_Open] = []
        self._overrides: list[Override] = []

    def take(self, line: Line) -> None:
        """Take the next event that concerns it."""
        if line.event == "export.begin":
            self._begin(line)
        elif line.event in _ENDS:
            self._end(line)
        elif line.event == "deid.override":
            self._override(line)
        elif line.event == "deid.run":
            self._cleaned(line)
        else:
            self._at_once(line)

    def _begin(self, line: Line) -> None:
        started = _Open(line, {}, overrides=self._overrides)
        self._overrides = []
        started.learn(line.detail, line.subjects)
        self._open.append(started)

    def _end(self, line: Line) -> None:
        started = self._matching(line)
        started.learn(line.detail, line.subjects)
        self._facts.append(started.fact(line.at_ms, _ENDS[line.event]))

    def _matching(self, line: Line) -> _Open:
        """Return the export that ends here: the last that fits, or one without a begin."""
        for started in reversed(self._open):
            same = started.detail.get("destination") == line.detail.get("destination")
            if same and (not line.subjects or list(started.subjects) == line.subjects):
                self._open.remove(started)
                return started
        return self._open.pop() if self._open else _Open(line, {})

    def _override(self, line: Line) -> None:
        item = Override(line.at_ms, line.user, tag_words(line.detail["tag"]), line.reason)
        (self._open[-1].overrides if self._open else self._overrides).append(item)

    def _cleaned(self, line: Line) -> None:
        if not self._open or line.detail.get("dry_run"):
            return
        started = self._open[-1]
        # Its "retained" counts every attribute that stayed, not identifiers.
        told = {"retained_tags": line.detail.get("retained_tags", ())}
        started.learn(told, line.subjects)
        for key in ("profile", "profile_hash", "edition", "options", "site_rules"):
            if key in line.detail:
                started.detail.setdefault(key, line.detail[key])
        started.cleaned = True

    def _at_once(self, line: Line) -> None:
        single = _Open(line, {})
        single.learn(line.detail, line.subjects)
        if line.event == "reid.export":
            what = "identity table"
            single.detail["deidentified"] = False
        elif line.event == "audit.export":
            what = "the log itself"
            if line.detail["format"] != "dicom":  # that one may be given Patient IDs
                single.cleaned = True
        else:
            kind = line.detail["kind"]
            what = _SCREEN.get(kind, choice_words(kind))
        self._facts.append(single.fact(line.at_ms, "done", what))

    def end_session(self) -> None:
        """Take note that a session's file is over: what has not ended there never does."""
        self._facts += [started.fact(None, "unfinished") for started in self._open]
        self._open.clear()
        self._overrides.clear()

    def facts(self) -> list[ExportFact]:
        """Return everything that left, by the time it began."""
        return sorted(self._facts, key=lambda fact: (fact.begin_ms, fact.file, fact.line))
