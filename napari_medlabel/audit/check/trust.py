"""Say who wrote: the officer's document, certificates of sessions, tombstones, freshness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

from napari_medlabel.audit.check.plural import counted, filled
from napari_medlabel.audit.check.verdict import Opening, Pruning, SessionReport
from napari_medlabel.audit.check.vouching import vouched_for
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.format.layout import SITE
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.keys.install import check_certificate
from napari_medlabel.audit.keys.pins import read_pin
from napari_medlabel.audit.keys.signatures import is_fingerprint, is_signed_as
from napari_medlabel.audit.keys.site import Site, officer_name
from napari_medlabel.audit.keys.site_history import SiteHistory

_HOUR_MS: Final = 3_600_000
_PRUNED: Final = b"medlabel-prune/v1\n"
_UNCERTIFIED: Final = (
    "{count} of this workstation {are} not certified: nothing says on which computer {they} "
    "{were} written. `medlabel audit key create` there makes a key."
)
_VOUCHED: Final = (
    "{count} without a certificate, as from before this workstation had a key: a certified "
    "session names their ends."
)
_UNKNOWN: Final = (
    "{count} {are} certified by a key that the officer has not confirmed. Compare "
    "its letters with the workstation, then run `medlabel audit site trust`."
)
_NO_SITE: Final = (
    "{count} {are} certified by a key that nobody has confirmed: this log has no "
    "officer's document. `medlabel audit site init` makes one."
)
_REVOKED: Final = (
    "{count} {are} certified by a key that the officer had revoked before {they} "
    "began. Whoever wrote that is not to be trusted."
)
_SINCE_REVOKED: Final = (
    "{count} {are} certified by a key that was revoked later. Only the clock there says "
    "that {they} {were} written before: nobody outside saw {them} then."
)


def pruning_text(heads: Iterable[Head], days: int) -> bytes:
    """Return what an officer signs to have sessions deleted whose time is over.

    Parameters
    ----------
    heads : iterable of Head
        Ends of the sessions.
    days : int
        For how many days the policy keeps a session.
    """
    return _PRUNED + canonical.encode(
        {"policy_days": days, "pruned": [head.record() for head in heads]}
    )


class Trust:
    """What the officer's document says, and what follows for the sessions.

    Parameters
    ----------
    history : SiteHistory
        All versions of the document.
    state : Path or None
        Folder of this computer's own memory, which may know the officer.
    officer : str or None
        The fingerprint of the officer's key, as somebody typed it.

    Raises
    ------
    InputError
        When this computer's memory of the officer is damaged.
    """

    def __init__(self, history: SiteHistory, state: Path | None, officer: str | None) -> None:
        self._history = history
        self.site: Site | None = history.current.site if history.current else None
        self.findings = [Finding("red", "SITE", text, SITE) for text in history.problems]
        self._judge_officer(state, officer)

    def _add(self, level: Literal["red", "amber"], code: str, text: str) -> None:
        self.findings.append(Finding(level, code, text, SITE))

    def _judge_officer(self, state: Path | None, typed: str | None) -> None:
        pin = self._pin = read_pin(state) if state is not None else None
        if self._history.problems:
            return
        if self.site is None:
            if typed is not None:
                text = "An officer's document was expected, and this log has none."
                self._add("red", "SITE", text)
            return
        keys = {version.officer for version in self._history.versions}
        if typed is not None:
            if not any(is_fingerprint(typed, key) for key in keys):
                text = "The officer's document is not signed by the key whose letters you gave."
                self._add("red", "SITE", text)
        elif pin is None or pin.site != self.site.name:
            self._add(
                "amber",
                "TOFU",
                "This computer sees this officer's document for the first time: nobody has "
                "confirmed her key. Ask her for its letters and give them with --officer, or "
                "keep them with `medlabel audit site pin`.",
            )
        elif not self._history.follows_from(pin.public):
            text = "The officer's document is not by the officer whom this computer knows."
            self._add("red", "SITE", text)

    def judge_sessions(
        self, reports: Mapping[str, SessionReport], first_outside: Mapping[str, int]
    ) -> None:
        """Say of every session whether a trusted workstation wrote it.

        Parameters
        ----------
        reports : mapping
            Every session, by file.
        first_outside : mapping
            When somebody on another computer first saw a session, by file.
        """
        self._judge_absence(report.origin for report in reports.values())
        said: dict[str, str | None] = {}
        for report in reports.values():
            if report.opening is not None:
                self._judge_policy(report, report.opening)
                seen_ms = first_outside.get(report.file)
                said[report.file] = self._words(report, report.opening, seen_ms)
        trusted = {file for file, words in said.items() if words == ""}
        bare = {file for file, words in said.items() if words == _UNCERTIFIED}
        for file in vouched_for(reports, trusted, bare):
            reports[file].vouched = True
            said[file] = _VOUCHED
        groups: dict[tuple[str, str, bytes | None], list[SessionReport]] = defaultdict(list)
        for file, words in said.items():
            report = reports[file]
            if words and report.opening is not None:
                groups[report.writer, words, report.opening.install].append(report)
        for (_writer, words, _key), group in groups.items():
            level, code = _CODES[words]
            group[0].add(level, code, filled(words, len(group), "session"), 1)

    def _judge_absence(self, origins: Iterable[str]) -> None:
        """Say where a log has no document, of a site whose officer this computer knows."""
        if self.site is not None or self._pin is None or self._history.problems:
            return
        if any(origin.startswith(f"medlabel.local/{self._pin.site}/") for origin in origins):
            text = (
                "This computer knows the officer of this site, and her document is not there "
                "any more: it was taken away."
            )
            self._add("red", "SITE", text)

    def _words(
        self, report: SessionReport, opening: Opening, seen_ms: int | None
    ) -> str | None:
        """Return what to say of a session: nothing where its workstation is trusted.

        None where its certificate is wrong, which is said here.
        """
        if opening.cert is None:
            return _UNCERTIFIED
        if opening.install is None or not check_certificate(
            opening.cert, opening.install, report.origin, opening.public, opening.previous
        ):
            text = (
                "The certificate of this session is wrong: it is not by the workstation's "
                "key, or not for this session."
            )
            report.add("red", "CERT", text, 1)
            return None
        if self.site is None:
            return _NO_SITE
        trust = self.site.trusts(report.writer, opening.install, report.first_ms)
        if trust != "trusted":
            return _REVOKED if trust == "revoked" else _UNKNOWN
        install = self.site.install(report.writer, opening.install)
        revoked_ms = install.revoked_ms if install else None
        if revoked_ms is not None and (seen_ms is None or seen_ms >= revoked_ms):
            return _SINCE_REVOKED
        return ""

    def _judge_policy(self, report: SessionReport, opening: Opening) -> None:
        """Compare the document that a session names with those that there were."""
        if not opening.policy or self._history.problems:
            return
        if opening.policy not in self._history.digests():
            report.add(
                "red",
                "SITE",
                "This session was written under an officer's document that is not there any "
                "more: site.json was taken away or put back to an older state.",
                1,
            )

    def pruned(self, reports: Iterable[SessionReport]) -> frozenset[Head]:
        """Return the ends of the sessions that an officer had deleted.

        A line that says so without her signature is a finding: deleting needs her.
        """
        heads: set[Head] = set()
        for report in reports:
            for pruning in report.prunings:
                if self._is_ordered(pruning):
                    heads.update(pruning.heads)
                else:
                    report.add(
                        "red",
                        "PRUNED",
                        "This line says that sessions were deleted because their time was "
                        "over, and no officer signed it.",
                        pruning.line,
                    )
        return frozenset(heads)

    def _is_ordered(self, pruning: Pruning) -> bool:
        if self.site is None or pruning.signature is None:
            return False
        name, raw = officer_name(self.site.name), pruning.signature
        text = pruning_text(pruning.heads, pruning.days)
        keys = {
            one.public for version in self._history.versions for one in version.site.officers
        }
        return any(is_signed_as(name, key, text, raw) for key in keys)

    @property
    def window_ms(self) -> int:
        """How long the site lets an event wait until somebody outside has seen it."""
        return self.site.policy.anchor_hours * _HOUR_MS if self.site is not None else 0

    def judge_age(self, youngest_ms: int, now_ms: int) -> None:
        """Say when nobody outside the writing computers saw the log for too long.

        Parameters
        ----------
        youngest_ms : int
            When somebody outside saw it last, milliseconds since 1970; 0 for never.
        now_ms : int
            Now.
        """
        if self.site is None:
            return
        hours = self.site.policy.anchor_hours
        if now_ms - youngest_ms <= hours * _HOUR_MS:
            return
        since = (
            f"last {counted((now_ms - youngest_ms) // _HOUR_MS, 'hour')} ago"
            if youngest_ms
            else "never"
        )
        self.findings.append(
            Finding(
                "amber",
                "STALE",
                f"Another workstation or a witness saw this log {since}; the site asks for "
                f"{counted(hours, 'hour')} at most. Until then a missing end would not show. "
                "Run `medlabel audit witness` on another computer.",
            )
        )


_CODES: Final[Mapping[str, tuple[Literal["red", "amber", "note"], str]]] = {
    _VOUCHED: ("note", "VOUCHED"),
    _UNCERTIFIED: ("amber", "UNCERTIFIED"),
    _UNKNOWN: ("amber", "TOFU"),
    _NO_SITE: ("amber", "TOFU"),
    _REVOKED: ("red", "REVOKED"),
    _SINCE_REVOKED: ("amber", "REVOKED"),
}
