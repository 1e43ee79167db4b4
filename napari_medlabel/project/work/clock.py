"""The clock of a case: it stops where nobody moves and where the window is not looked at.

Time of annotation that counts coffee is fiction. Times come in as seconds of a monotonic clock:
the wall clock may jump.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from napari_medlabel.errors import InputError


@dataclass(frozen=True)
class CaseClock:
    """How long somebody has worked on a case.

    Parameters
    ----------
    idle_s : float
        After so many seconds without a move it stops; the last of them still count.
    counted_s : float
        Seconds up to the last move.
    moved_s : float or None
        Monotonic time of the last move; None while it stands.

    Raises
    ------
    InputError
        When a length of time is not above 0.
    """

    idle_s: float
    counted_s: float = 0.0
    moved_s: float | None = None

    def __post_init__(self) -> None:
        if not self.idle_s > 0 or not self.counted_s >= 0:
            raise InputError(
                "The clock of a case counts from 0 and stops after more than 0 seconds.",
                hint="Change idle_minutes in project.json.",
            )

    def moved(self, now_s: float) -> CaseClock:
        """Note a move - a stroke, a scroll, a key; it starts the clock where it stands."""
        return replace(self, counted_s=self.active_s(now_s), moved_s=now_s)

    def left(self, now_s: float) -> CaseClock:
        """Stop: another window has the focus, or the case is closed."""
        return replace(self, counted_s=self.active_s(now_s), moved_s=None)

    def active_s(self, now_s: float) -> float:
        """Return the seconds of work until now."""
        if self.moved_s is None:
            return self.counted_s
        return self.counted_s + min(max(now_s - self.moved_s, 0.0), self.idle_s)

    def is_running(self, now_s: float) -> bool:
        """Tell whether it counts now."""
        return self.moved_s is not None and now_s - self.moved_s < self.idle_s
