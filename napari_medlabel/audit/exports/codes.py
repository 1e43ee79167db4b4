"""What the codes of the log's events mean in words, as DICOM and FHIR write them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

EXPORT: Final = "110106"
ACCESS: Final = "110103"
IMPORT: Final = "110107"
LOG_USED: Final = "110101"
LOGIN: Final = "110114"
ALERT: Final = "110113"

DCM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "110100": "Application Activity",
        "110101": "Audit Log Used",
        "110103": "DICOM Instances Accessed",
        "110106": "Export",
        "110107": "Import",
        "110110": "Patient Record",
        "110112": "Query",
        "110113": "Security Alert",
        "110114": "User Authentication",
        "110120": "Application Start",
        "110121": "Application Stop",
        "110122": "Login",
        "110123": "Logout",
        "110127": "Emergency Override Started",
        "110131": "Software Configuration",
        "110132": "Use of Restricted Function",
        "110133": "Audit Recording Stopped",
        "110134": "Audit Recording Started",
        "110137": "User Security Attributes Changed",
        "110138": "Emergency Override Stopped",
        "110150": "Application",
        "110152": "Destination Role ID",
        "110153": "Source Role ID",
        "110154": "Destination Media",
        "110155": "Source Media",
    }
)
"""Code meanings of DICOM PS3.16 (CID 400 to 403), for every code that an event has."""

LIFECYCLE: Final = frozenset(
    {
        "access",
        "amend",
        "attest",
        "deidentify",
        "destroy",
        "disclose",
        "originate",
        "pseudonymize",
        "reidentify",
        "restore",
        "transform",
        "verify",
    }
)
"""Words of ISO 21089 that the FHIR code system has; ``unlock`` is none of them."""

MEDIA: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "removable": ("110030", "USB Disk Emulation"),
        "printer": ("110038", "Paper Document"),
    }
)
"""Media types of DICOM CID 405 by kind of destination; others are `URI`."""

URI: Final = ("110037", "URI")
