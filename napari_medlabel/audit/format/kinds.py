"""Lists of names that events choose from, codes, and details that several events share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from napari_medlabel.audit.format.schema import (
    COUNT,
    COUNTS,
    DIGEST,
    EDITION,
    FLAG,
    KEY_ID,
    PUBLIC_KEY,
    SLICES,
    TAG,
    Field,
    choice,
    many,
)

FORMAT: Final = choice("dicom", "nifti", "nrrd", "mha", "analyze", "other")
EXPORT_FORMAT: Final = choice(
    "nifti", "dicom", "dicom-seg", "rtstruct", "nnunet", "bids", "coco", "croissant", "csv",
    "markups", "bundle", "image", "other", "monai", "sr", "seg-nrrd",
)  # fmt: skip
MODALITY: Final = choice(
    "CT", "MR", "PT", "NM", "US", "CR", "DX", "MG", "XA", "RF", "SEG", "RTSTRUCT", "OT"
)
DESTINATION: Final = choice(
    "folder", "removable", "network", "pacs", "object-store", "clipboard", "printer", "screen"
)
AUTH: Final = choice("os-login", "passphrase", "service", "none")
PROFILE: Final = choice("basic", "basic-options", "safe-harbor", "expert", "site", "none")
DEID_OPTION: Final = choice(
    "retain-uids", "retain-device", "retain-institution", "retain-patient-characteristics",
    "retain-dates", "shift-dates", "retain-safe-private", "clean-descriptors",
    "clean-structured", "clean-graphics", "clean-pixels", "clean-faces",
)  # fmt: skip
PROVIDER: Final = choice(
    "threshold", "region-grow", "classical", "interpolation", "monailabel", "nninteractive",
    "onnx", "command",
)  # fmt: skip
CAUSE: Final = choice(
    "log", "unreadable", "geometry", "space", "permission", "verify", "identity", "policy",
    "review", "cancelled", "other",
)  # fmt: skip
ERROR: Final = choice("EIO", "ENOSPC", "EDQUOT", "EROFS", "EACCES", "INTERRUPTED", "OTHER")
KEY_KIND: Final = choice(
    "subject-token", "session", "install", "user", "officer", "project", "witness"
)
LIMB: Final = choice("memory", "peer", "witness", "receipt", "paper", "heartbeat", "tsa")
VERDICT: Final = choice("green", "amber", "red")

ACCESS: Final = ("110103",)
EXPORT: Final = ("110106",)
LOG_USED: Final = ("110101",)
SECURITY: Final = ("110113",)
RESTRICTED: Final = ("110113", "110132")
FAILS: Final = (8, 4, 12)

CHANGE: Final[Mapping[str, Field]] = {
    "labels": COUNTS,
    "voxels_added": COUNT,
    "voxels_removed": COUNT,
}
CHANGE_MORE: Final[Mapping[str, Field]] = {
    "voxels_changed": COUNT,
    "slices": SLICES,
    "axis": COUNT,
    "source_bound": FLAG,
    "edits": COUNT,
    "file": DIGEST,
    "case": DIGEST,
}
VOLUME: Final[Mapping[str, Field]] = {
    "slices": COUNT,
    "rows": COUNT,
    "columns": COUNT,
    "frames": COUNT,
    "files": COUNT,
    "bytes": COUNT,
    "modality": MODALITY,
    "compressed": FLAG,
    "oblique": FLAG,
    "warnings": COUNT,
    "weak": FLAG,
}
LEAVES: Final[Mapping[str, Field]] = {
    "format": EXPORT_FORMAT,
    "formats": many(EXPORT_FORMAT),
    "files": COUNT,
    "bytes": COUNT,
    "cases": COUNT,
    "manifest": DIGEST,
    "profile": PROFILE,
    "edition": EDITION,
    "key_id": KEY_ID,
    "profile_hash": DIGEST,
    "deidentified": FLAG,
    "options": many(DEID_OPTION),
    "site_rules": FLAG,
    "resumed": FLAG,
    "retained": COUNT,
    "retained_tags": many(TAG),
    "receipt": DIGEST,
}
SLOT: Final = choice("A", "B", "C", "D", "E", "F", "G", "H", "consensus")
WORK: Final[Mapping[str, Field]] = {"case": DIGEST, "slot": SLOT, "step": COUNT}
"""A step on one reading of a case. ``step`` is one more than the steps its author knew of: the
order of two computers' steps follows from it, and two of one number are a conflict."""
TAGS: Final = choice(
    "boundary", "missed", "extra", "wrong-label", "side", "landmark", "answer", "other"
)
ROUND: Final[Mapping[str, Field]] = {
    "round": COUNT,
    "case": DIGEST,
    "slot": SLOT,
    "step": COUNT,
    "version": COUNT,
    "labels": COUNTS,
    "tags": many(TAGS),
    "ontology": DIGEST,
    "guideline": DIGEST,
    "answers": DIGEST,
    "landmarks": DIGEST,
    "boxes": DIGEST,
    "whole": DIGEST,
    "active_s": COUNT,
    "slices": COUNT,
    "slices_shown": COUNT,
    "human": COUNT,
    "assisted_kept": COUNT,
    "assisted_edited": COUNT,
    "interpolated": COUNT,
    "likert": COUNT,
}
"""What a submission or a decision on it may say; voxels by where they come from. ``whole`` is
the digest of a version's sidecar, which names each of its files by digest: masks of all
layers, landmarks, answers."""
KEY: Final[Mapping[str, Field]] = {
    "kid": COUNT,
    "pub": PUBLIC_KEY,
    "key_id": KEY_ID,
    "copy": choice("exported", "imported"),
}
