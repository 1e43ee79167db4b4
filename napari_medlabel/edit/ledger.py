"""What an edit takes from each label and gives to it, and the words for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.edit.scene import Proposal, Scene
from napari_medlabel.errors import InputError

_CHUNK: Final = 1 << 22  # voxels counted at once


@dataclass(frozen=True)
class Ledger:
    """Voxels that change hands.

    Parameters
    ----------
    lost, gained : mapping of int to int
        Label value -> voxels that it gives away, or gets; labels without any are not listed.
    voxel_mm3 : float
        Volume of a voxel.
    """

    lost: Mapping[int, int]
    gained: Mapping[int, int]
    voxel_mm3: float

    @classmethod
    def of(cls, proposal: Proposal, voxel_mm3: float) -> Ledger:
        """Count what a proposal would change."""
        before, after = proposal.before.T, proposal.after.T
        size = int(np.iinfo(before.dtype).max) + 1
        lost, gained = np.zeros(size, np.int64), np.zeros(size, np.int64)
        at_once = max(_CHUNK // max(before[:1].size, 1), 1)
        for k in range(0, len(before), at_once):
            old, new = before[k : k + at_once], after[k : k + at_once]
            changed = old != new
            lost += np.bincount(old[changed], minlength=size)
            gained += np.bincount(new[changed], minlength=size)
        return cls(_listed(lost), _listed(gained), voxel_mm3)

    def lost_of(self, values: Iterable[int]) -> int:
        """Return how many voxels some labels lose."""
        return sum(self.lost.get(value, 0) for value in set(values))

    def gained_by(self, values: Iterable[int]) -> int:
        """Return how many voxels some labels get."""
        return sum(self.gained.get(value, 0) for value in set(values))

    def says_lost(self, values: Iterable[int]) -> str:
        """Return the volume that some labels lose, in words."""
        return volume_words(self.lost_of(values) * self.voxel_mm3)

    def says_gained(self, values: Iterable[int]) -> str:
        """Return the volume that some labels get, in words."""
        return volume_words(self.gained_by(values) * self.voxel_mm3)

    def says_others(self, values: Iterable[int]) -> str:
        """Return a sentence on what labels lose that the edit is not about; "" for nothing."""
        about = {0, *values}
        others = sorted(value for value in self.lost if value not in about)
        if not others:
            return ""
        return f" {self.says_lost(others)} of it is taken from {label_words(others)}."


def _listed(counts: npt.NDArray[np.int64]) -> dict[int, int]:
    return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}


def volume_words(mm3: float) -> str:
    """Say a volume as a person would: ``"640 mm3"``, ``"12.4 ml"``, ``"1.52 l"``."""
    if mm3 >= 1e6:
        return f"{mm3 / 1e6:.2f} l"
    if mm3 >= 1e3:
        return f"{mm3 / 1e3:.1f} ml"
    return f"{mm3:.0f} mm3" if mm3 >= 10 else f"{mm3:.2g} mm3"


def counted(count: int, noun: str) -> str:
    """Say how many: ``"1 part"``, ``"3,120 parts"``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def label_words(values: Sequence[int]) -> str:
    """Name labels by their values: ``"label 3"``, ``"labels 3, 4 and 9"``."""
    names = [str(value) for value in values]
    if len(names) == 1:
        return f"label {names[0]}"
    return f"labels {', '.join(names[:-1])} and {names[-1]}"


def chosen(values: Iterable[int]) -> tuple[int, ...]:
    """Return chosen labels, each once, in the order given.

    Raises
    ------
    InputError
        When there is none, or background is among them.
    """
    each = tuple(dict.fromkeys(int(value) for value in values))
    if not each or min(each) < 1:
        raise InputError(
            "This works on one segment or more; none, or the background, was chosen.",
            hint="Choose a segment in the table.",
        )
    return each


def not_here(values: Sequence[int]) -> InputError:
    """Return the refusal for labels that have no voxel where the tool works."""
    return InputError(
        f"Nothing of {label_words(values)} lies in this part of the scan.",
        hint="Go to a slice that shows it, or work on the whole volume.",
    )


def with_words(
    scene: Scene, proposal: Proposal | None, words: str, *, wanted: int | None = None
) -> Proposal | None:
    """Return a proposal with words, and with a last sentence on what the rules withheld.

    Parameters
    ----------
    scene : Scene
        What it was made on.
    proposal : Proposal or None
        None stays None.
    words : str
        What to say; it may name the fields ``{lost}``, ``{gained}`` and ``{others}``, which
        are filled from the labels that the proposal is about.
    wanted : int, optional
        How many voxels the tool would have changed without rules.
    """
    if proposal is None:
        return None
    ledger = Ledger.of(proposal, scene.voxel_mm3)
    said = words.format(
        lost=ledger.says_lost(proposal.values),
        gained=ledger.says_gained(proposal.values),
        others=ledger.says_others(proposal.values),
    )
    withheld = 0 if wanted is None else wanted - sum(ledger.lost.values())
    if withheld > 0:
        volume = volume_words(withheld * ledger.voxel_mm3)
        said += f" Another {volume} would change, but the rules for editing forbid it."
    return replace(proposal, words=said)
