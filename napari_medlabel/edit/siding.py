"""Which side labels land on, and a word of warning where their names say the other one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_medlabel.edit.ledger import label_words
from napari_medlabel.edit.scene import Proposal
from napari_medlabel.geometry.affine import Affine
from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.model.sides import side_of


def warned_of_sides(
    proposal: Proposal, scheme: LabelScheme, affine: Affine, at_mm: float
) -> Proposal:
    """Return a proposal whose words also say which labels land on a side that they deny.

    Parameters
    ----------
    proposal : Proposal
        What is proposed; what it would newly give to a label is looked at.
    scheme : LabelScheme
        Whose names and codes say sides.
    affine : Affine
        Of the voxels, to RAS mm.
    at_mm : float
        Where the sagittal plane between the sides lies along x, RAS mm.
    """
    after = proposal.after
    changed = proposal.changed
    words = proposal.words
    for value in np.unique(after.T[changed.T]).tolist():
        if value not in scheme.values or not (said := side_of(scheme[value])):
            continue
        new = changed.T & (value == after.T)
        across = [part.start for part in proposal.box]
        middle = [start + _mean(new.T, axis) for axis, start in enumerate(across)]
        side = "right" if float(affine.apply(np.array(middle))[0]) > at_mm else "left"
        if side != said:
            words += (
                f" Mind the side: {label_words([value])} would lie on the patient's {side}, "
                f"and is called {said}."
            )
    return replace(proposal, words=words.strip())


def _mean(region: np.ndarray, axis: int) -> float:
    """Return the mean index of a region along an axis, in voxels."""
    others = tuple(other for other in range(3) if other != axis)
    counts = region.sum(axis=others)
    return float((counts * np.arange(counts.size)).sum() / counts.sum())
