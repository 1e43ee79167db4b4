"""The defined terms of Modality that are repeated to people."""

from __future__ import annotations

from typing import Final

MODALITIES: Final = frozenset(
    {"AR", "BI", "BMD", "CR", "CT", "CTPROTOCOL", "DG", "DX", "ECG", "EPS", "ES", "FID"}
    | {"GM", "HC", "HD", "IO", "IVOCT", "IVUS", "KER", "LEN", "LS", "MG", "MR", "NM"}
    | {"OAM", "OCT", "OP", "OPM", "OPT", "OPTBSV", "OPTENF", "OPV", "OSS", "OT", "PT", "PX"}
    | {"RF", "RG", "RTDOSE", "RTIMAGE", "SM", "SMR", "SRF", "TG", "US", "VA", "XA", "XC"}
)
"""Defined terms of PS3.3 C.7.3.1.1.1; anything else might be a text that names somebody."""
