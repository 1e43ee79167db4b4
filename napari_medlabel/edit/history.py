"""The history of a case: every state can be reached again, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_medlabel.edit.patch import LabelArray, Patch, Step

_MB = 1_000_000


@dataclass(eq=False)
class History:
    """Undo and redo that never lose a state.

    After an undo followed by a new edit, the undone steps are not thrown away: the way back and
    forth joins the past, so undoing far enough passes through them again. Beyond
    ``limit_bytes`` the oldest steps are dropped, and `dropped` says how many.

    Parameters
    ----------
    limit_bytes : int
        Memory for label patches, those that can be redone among them.
    """

    limit_bytes: int = 190 * _MB
    dropped: int = 0
    _past: list[Step] = field(default_factory=list)
    _future: list[Step] = field(default_factory=list)
    _held: dict[int, int] = field(default_factory=dict)  # how many steps share what is packed
    _bytes: int = 0
    _copies: dict[int, list[Patch]] = field(default_factory=dict)

    def begin_copy(self) -> list[Patch]:
        """Return the list that takes each change of the labels from now on; see `end_copy`.

        What copies the labels meanwhile, in another thread, takes these changes back in its
        copy: it has what stood when this was called, whatever it has seen of them.
        """
        changes: list[Patch] = []
        self._copies[id(changes)] = changes
        return changes

    def end_copy(self, changes: list[Patch]) -> None:
        """Tell a list of `begin_copy` of no further change; from any thread."""
        self._copies.pop(id(changes), None)

    def follow(self, step: Patch, known: LabelArray) -> None:
        """Write a new step into what is known of the labels, shape (i, j, k)."""
        self._tell(step)
        step.follow(known)

    def apply(
        self, change: Patch, labels: LabelArray, known: LabelArray, *, starts: bool
    ) -> None:
        """Write a change of `back` or `forward` into labels and what is known of them.

        Parameters
        ----------
        change : Patch
            What `back` or `forward` returned.
        labels, known : ndarray, shape (i, j, k)
            Of the whole scan; both hold the same.
        starts : bool
            Whether they are known to hold the before state.

        Raises
        ------
        InputError
            As `Patch.apply`; nothing was changed then.
        """
        starts = starts or change.starts_from(labels)
        if starts:
            self._tell(change)
        change.apply(labels, known, starts=starts)

    def _tell(self, change: Patch) -> None:
        """Tell who copies before a voxel is changed: it may have been seen by then."""
        for changes in list(self._copies.values()):
            changes.append(change)

    def add(self, step: Step) -> None:
        """Record a step that has just been done."""
        if self._future:
            # The undone steps were done once and taken back: both ways join the past.
            back = [undone.inverse() for undone in self._future]
            self._past += [*reversed(self._future), *back]
            self._future.clear()
            for undone in back:
                self._hold(undone)
        self._past.append(step)
        self._hold(step)
        self._trim()

    def clear(self) -> None:
        """Forget all steps: what stands now is where it begins."""
        self._past.clear()
        self._future.clear()
        self._held.clear()
        self._bytes = self.dropped = 0

    def _trim(self) -> None:
        gone = 0
        while self._bytes > self.limit_bytes and gone < len(self._past) - 1:
            self._release(self._past[gone])
            gone += 1
        del self._past[:gone]
        self.dropped += gone

    def _hold(self, step: Step) -> None:
        if isinstance(step, Patch):
            key = id(step.pieces)
            self._held[key] = self._held.get(key, 0) + 1
            if self._held[key] == 1:
                self._bytes += step.nbytes

    def _release(self, step: Step) -> None:
        if isinstance(step, Patch):
            key = id(step.pieces)
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
                self._bytes -= step.nbytes

    def back(self) -> Step | None:
        """Return the change that undoes the last step, or None; it becomes the next redo."""
        if not self._past:
            return None
        step = self._past.pop()
        self._future.append(step)
        return step.inverse()

    def forward(self) -> Step | None:
        """Return the change that redoes the last undone step, or None."""
        if not self._future:
            return None
        step = self._future.pop()
        self._past.append(step)
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

    @property
    def nbytes(self) -> int:
        """Memory that the steps hold, in bytes; what two of them share counts once."""
        return self._bytes

    @property
    def words(self) -> str:
        """What a person should know of it: ``"12 steps, 1.4 of 190 MB"``, and what is lost."""
        count = len(self._past) + len(self._future)
        said = f"{count} {'step' if count == 1 else 'steps'}, {self._bytes / _MB:.1f} of "
        said += f"{self.limit_bytes / _MB:.0f} MB"
        if self.dropped:
            oldest = (
                "the oldest was" if self.dropped == 1 else f"the {self.dropped} oldest were"
            )
            said += f"; {oldest} dropped and cannot be undone"
        return said

    def __len__(self) -> int:
        return len(self._past)
