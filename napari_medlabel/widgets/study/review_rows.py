"""What a review shows of each label, and what the reviewer found about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

WHOLE: Final = 0
"""Stands for the whole reading among the values of labels."""
Finding = Literal["", "good", "fault"]


@dataclass(frozen=True)
class ReviewRow:
    """A label of the reading.

    Parameters
    ----------
    value : int
        Of the label.
    name : str
        Its name.
    colour : str
        ``#rrggbb``.
    voxels : int
        How many there are now.
    ml : float or None
        Its volume; None where pictures have no place.
    """

    value: int
    name: str
    colour: str
    voxels: int
    ml: float | None = None


@dataclass(frozen=True)
class Mark:
    """What the reviewer found about a label, or the whole.

    Parameters
    ----------
    finding : str
        ``good``, ``fault`` or nothing yet.
    tags : tuple of str
        What is wrong.
    comment : str
        In words; it becomes a thread of its own.
    """

    finding: Finding = ""
    tags: tuple[str, ...] = ()
    comment: str = ""

    @property
    def says_fault(self) -> bool:
        """Whether something is wrong."""
        return self.finding == "fault" or bool(self.tags)
