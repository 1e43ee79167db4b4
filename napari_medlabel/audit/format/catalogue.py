"""The closed list of events: codes, action, outcomes and detail schema of each.

The codes are those of DICOM PS3.15 A.5 (event id, then type), the lifecycle words those of
ISO 21089 as FHIR uses them. An event that is not here cannot be written, nor read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from napari_medlabel.audit.format.events_leave import ABOUT_LEAVING
from napari_medlabel.audit.format.events_log import ABOUT_THE_LOG
from napari_medlabel.audit.format.events_study import ABOUT_STUDY
from napari_medlabel.audit.format.events_work import ABOUT_WORK
from napari_medlabel.audit.format.spec import Spec

EVENTS: Final[Mapping[str, Spec]] = MappingProxyType(
    {**ABOUT_THE_LOG, **ABOUT_WORK, **ABOUT_STUDY, **ABOUT_LEAVING}
)
"""Every event that there is, by name."""
