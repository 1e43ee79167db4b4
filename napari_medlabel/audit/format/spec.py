"""What the closed list says of one event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from napari_medlabel.audit.format.schema import Field


@dataclass(frozen=True, slots=True)
class Spec:
    """What one event is.

    Parameters
    ----------
    dcm : tuple of str
        DICOM event id and, where there is one, event type.
    action : str
        C, R, U, D or E.
    iso : str
        ISO 21089 word, or empty.
    required, optional : mapping of str to Field
        Keys of the detail.
    outcomes : tuple of int
        Allowed outcomes (0 success, 4 minor, 8 serious, 12 major failure); the first is
        the usual one.
    new_as : tuple of str
        Action and ISO word when no object has the role ``old``; empty where it makes no
        difference.
    needs_reason : bool
        Whether a coded reason must be given.
    anchors : tuple of str
        Keys of the detail that hold heads which bind other sessions.
    """

    dcm: tuple[str, ...]
    action: str
    iso: str = ""
    required: Mapping[str, Field] = field(default_factory=dict)
    optional: Mapping[str, Field] = field(default_factory=dict)
    outcomes: tuple[int, ...] = (0,)
    new_as: tuple[str, ...] = ()
    needs_reason: bool = False
    anchors: tuple[str, ...] = ()
