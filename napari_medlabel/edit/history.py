"""The history of a case: every state can be reached again, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_medlabel.edit.patch import Patch, Step


@dataclass(eq=False)
class History:
    """Undo and redo that never lose a state.

    After an undo followed by a new edit, the undone steps are not thrown away: the way back and
    forth joins the past, so undoing far enough passes through them again. Beyond
    ``limit_bytes`` the oldest steps are dropped.

    Parameters
    ----------
    limit_bytes : int
        Memory for label patches.
    """

    limit_bytes: int = 256 << 20
    _past: list[Step] = field(default_factory=list)
    _future: list[Step] = field(default_factory=list)
    _bytes: int = 0

    def add(self, step: Step) -> None:
        """Record a step that has just been done."""
        if self._future:
            # The undone steps were done once and taken back: both ways join the past.
            forth = list(reversed(self._future))
            back = [undone.inverse() for undone in self._future]
            self._future.clear()
            for old in (*forth, *back):
                self._push(old)
        self._push(step)

    def _push(self, step: Step) -> None:
        self._past.append(step)
        self._bytes += _cost(step)
        while self._bytes > self.limit_bytes and len(self._past) > 1:
            self._bytes -= _cost(self._past.pop(0))

    def back(self) -> Step | None:
        """Return the change that undoes the last step, or None; it becomes the next redo."""
        if not self._past:
            return None
        step = self._past.pop()
        self._bytes -= _cost(step)
        self._future.append(step)
        return step.inverse()

    def forward(self) -> Step | None:
        """Return the change that redoes the last undone step, or None."""
        if not self._future:
            return None
        step = self._future.pop()
        self._push(step)
        return step

    def peek(self, direction: int) -> Step | None:
        """Return the step that an undo (-1) or a redo (+1) would walk, or None."""
        line = self._past if direction < 0 else self._future
        return line[-1] if line else None

    @property
    def undo_name(self) -> str | None:
        """What an undo would take back, or None."""
        return self._past[-1].name if self._past else None

    @property
    def redo_name(self) -> str | None:
        """What a redo would do again, or None."""
        return self._future[-1].name if self._future else None

    def __len__(self) -> int:
        return len(self._past)


def _cost(step: Step) -> int:
    return step.nbytes if isinstance(step, Patch) else 0
