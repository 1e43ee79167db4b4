"""Make the masks that the tutorial's two annotators begin with, out of the sample scans' truth.

Run ``python docs/tutorial_masks.py demo-output``. The first annotator has not drawn the right
kidney yet; the second draws the liver too wide, the right kidney too narrow, and leaves the
upper slices of the spleen out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage

TRUTH: Final = Path("sample_scans") / "truth"
LIVER, SPLEEN, RIGHT_KIDNEY = 1, 2, 3

Labels = npt.NDArray[np.uint8]


def first(labels: Labels) -> Labels:
    """Leave the right kidney out; a few specks of the liver stay outside of it."""
    labels[labels == RIGHT_KIDNEY] = 0
    return labels


def tidy(labels: Labels) -> Labels:
    """Take the specks of the liver away."""
    parts, _ = ndimage.label(labels == LIVER)
    largest = np.argmax(np.bincount(parts.ravel())[1:]) + 1
    labels[(parts > 0) & (parts != largest)] = 0
    return labels


def second(labels: Labels) -> Labels:
    """Draw as somebody else would."""
    labels = tidy(labels)
    around = ndimage.binary_dilation(labels == LIVER, np.ones((5, 5, 1), bool))
    labels[around & (labels == 0)] = LIVER
    kidney = labels == RIGHT_KIDNEY
    inside = ndimage.binary_erosion(kidney, np.ones((3, 3, 1), bool))
    labels[kidney & ~inside] = 0
    spleen = labels == SPLEEN
    top = np.flatnonzero(spleen.any(axis=(0, 1)))[-2:]
    labels[..., top] = np.where(spleen[..., top], 0, labels[..., top])
    return labels


def main(folder: Path) -> None:
    """Write four masks into a folder: two scans, each as two people draw it."""
    for scan, name, draw in (
        ("ct_abdomen", "r01-01", first),
        ("ct_abdomen_followup", "r01-02", tidy),
        ("ct_abdomen", "r02-01", second),
        ("ct_abdomen_followup", "r02-02", second),
    ):
        truth: Any = nib.load(TRUTH / f"{scan}_mask.nii.gz")
        labels = draw(np.asarray(truth.dataobj).astype(np.uint8))
        nib.save(nib.Nifti1Image(labels, truth.affine), folder / f"{name}.nii.gz")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
