"""Which images a face could be drawn from, by what their header says."""

from __future__ import annotations

_HEADS = frozenset({"HEAD", "BRAIN", "SKULL", "FACE", "NECK", "HEADNECK", "HEAD NECK", ""})
_TOMOGRAPHY = frozenset({"CT", "MR", "PT"})


def may_show_face(modality: str, part: str) -> bool:
    """Whether a volume could be rendered to a face: CT, MR or PET of a head or unnamed part.

    Parameters
    ----------
    modality, part : str
        Modality and Body Part Examined of the cleaned instance.
    """
    return modality in _TOMOGRAPHY and part.upper() in _HEADS
