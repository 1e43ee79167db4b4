"""The offer to take back work that a crash left behind."""

from __future__ import annotations

from collections.abc import Callable

from napari_medlabel.export.landmarks import from_markups
from napari_medlabel.session.case import Session
from napari_medlabel.session.recovery import Recovery
from napari_medlabel.widgets.notice import Notice

Attempt = Callable[[Callable[[Session], object]], None]


class RecoveryOffer:
    """Shows the newest recovery with two buttons; after an answer, the next.

    Parameters
    ----------
    notice : Notice
        Where it is shown.
    attempt : callable
        Does something to the open session and shows its errors.
    """

    def __init__(self, notice: Notice, attempt: Attempt) -> None:
        self._notice = notice
        self._attempt = attempt

    def offer(self, session: Session) -> None:
        """Show what was found, or nothing."""
        if not session.recoveries:
            self._notice.clear()
            return
        recovery = session.recoveries[0]
        self._notice.say(
            "amber",
            describe(recovery),
            {
                "Take it back": lambda: self._take(recovery),
                "Leave it": lambda: self._leave(recovery),
            },
        )

    def _take(self, recovery: Recovery) -> None:
        marks = None if recovery.landmarks is None else from_markups(recovery.landmarks)
        self._attempt(lambda session: session.recover(recovery, marks))
        self._attempt(self.offer)

    def _leave(self, recovery: Recovery) -> None:
        self._attempt(lambda session: session.decline(recovery))
        self._attempt(self.offer)


def describe(recovery: Recovery) -> str:
    """Say what was found, and what each answer would do."""
    when = recovery.last.replace("T", " ").replace("Z", " UTC")
    parts = [_counted(recovery.slices, "slice")] if recovery.slices else []
    if recovery.landmarks is not None:
        parts += recovery.changed or ("landmarks",)
    if recovery.scheme is not None:
        parts.append("the list of segments (names, colours, codes)")
    if recovery.drafts:
        parts.append(_counted(len(recovery.drafts), "begun outline"))
    found = (
        " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else "a journal"
    )
    words = f"Unsaved work from {when} was found: {found}."
    if not recovery.base_matches:
        words += " The mask has been saved since; taking it back shows the mask as it was then."
    return f"{words} Taking it back can be undone; leaving it sets all of it aside, in a file."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
