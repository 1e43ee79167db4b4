"""How work on masks and landmarks stands in the log: numbers and slices, never a stroke."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from napari_medlabel.audit.format.event import Event, ObjectRef, Reason
from napari_medlabel.audit.format.schema import slice_ranges
from napari_medlabel.edit.patch import Patch
from napari_medlabel.measure.labels import LabelChange, label_change
from napari_medlabel.model.labelmap import LabelScheme
from napari_medlabel.session.volume_in_use import VolumeInUse

_MOST_LABELS: Final = 64
LOGGED_AS: Final[Mapping[str, str]] = {
    name: name for name in ("dicom", "nifti", "nrrd", "mha", "analyze")
}
"""Formats by the log's names; others came after its closed list and are "other"."""
_MARKS: Final[Mapping[str, str]] = {
    "nrrd": "nrrd",
    "nhdr": "nrrd",
    "nii": "nifti",
    "nifti": "nifti",
    "metaimage": "mha",
    "mha": "mha",
    "mhd": "mha",
    "overlay": "dicom",
    "rtstruct": "dicom",
    "seg": "dicom",
    "sr": "dicom",
}
"""Formats by what is in the name of a kind of marks, the first that fits."""
FoundAt = Literal["edit", "save", "journal", "recover", "close"]


def change_detail(change: LabelChange, first_slice: int = 0) -> dict[str, object]:
    """Return a change as the log takes it.

    Parameters
    ----------
    change : LabelChange
        What differs.
    first_slice : int
        Slice k in which the compared boxes begin.
    """
    return {
        "labels": list(change.labels)[:_MOST_LABELS],
        "voxels_added": change.added,
        "voxels_removed": change.removed,
        "voxels_changed": change.changed,
        "slices": slice_ranges(k + first_slice for k in change.slices),
    }


def patch_detail(patch: Patch) -> dict[str, object]:
    """Return a step as the log takes it."""
    return change_detail(label_change(patch.before, patch.after), patch.start[2])


@dataclass(frozen=True)
class CaseEvents:
    """Makes the events of one case.

    Parameters
    ----------
    case : str
        Content id of the scan.
    subject : str
        The patient's token in the log.
    """

    case: str
    subject: str

    def saved(self, old: str | None, new: str, change: LabelChange, file: str) -> Event:
        """Return that a mask was saved: ``mask.create`` for the first, else ``mask.save``.

        Parameters
        ----------
        old, new : str
            Content ids; old is None for the first.
        change : LabelChange
            Between the two.
        file : str
            Hex SHA-256 of the file.
        """
        detail = {
            **change_detail(change),
            "source_bound": True,
            "file": f"sha256:{file}",
            "case": self.case,
        }
        name = "mask.create" if old is None else "mask.save"
        return Event(name, (self.subject,), _refs(old, new, "mask"), detail)

    def restored(
        self,
        old: str | None,
        new: str,
        *,
        number: int,
        reason: Reason,
        change: LabelChange,
        file: str = "",
    ) -> Event:
        """Return that an earlier version of a mask was put in the present one's place.

        Parameters
        ----------
        old, new : str
            Content ids; old is None where there was no mask any more.
        number : int
            Which version, as the history counts.
        reason : Reason
            As `give_reason` made it.
        change : LabelChange
            Between the two.
        file : str
            Hex SHA-256 of the file; empty where it is not written yet.
        """
        detail: dict[str, object] = {
            **change_detail(change),
            "version": number,
            "case": self.case,
        }
        if file:
            detail["file"] = f"sha256:{file}"
        refs = _refs(old, new, "mask")
        return Event("mask.restore", (self.subject,), refs, detail, reason)

    def deleted(self, old: str, reason: Reason, counts: Mapping[int, int]) -> Event:
        """Return that a mask is deleted.

        Parameters
        ----------
        old : str
            Content id.
        reason : Reason
            As `give_reason` made it.
        counts : mapping of int to int
            Voxels by label value; empty where the mask cannot be read.
        """
        detail: dict[str, object] = {"case": self.case}
        if counts:
            detail |= {
                "labels": sorted(counts)[:_MOST_LABELS],
                "voxels": sum(counts.values()),
            }
        refs = _refs(old, None, "mask")
        return Event("mask.delete", (self.subject,), refs, detail, reason)

    def review(self, event: str, content: str, reason: Reason | None = None) -> Event:
        """Return a step of the review: that a mask was submitted, approved, sent back ...

        Parameters
        ----------
        event : str
            ``review.submit``, ``review.approve``, ``review.reject`` or ``review.unlock``.
        content : str
            Content id of the mask.
        reason : Reason, optional
            Needed for the last two.
        """
        refs = _refs(None, content, "mask")
        return Event(event, (self.subject,), refs, {"case": self.case}, reason)

    def unattributed(
        self,
        detail: dict[str, object],
        found_at: FoundAt,
        *,
        old: str | None = None,
        new: str | None = None,
    ) -> Event:
        """Return that labels changed without anybody saying so."""
        whole = {**detail, "found_at": found_at, "case": self.case}
        return Event("edit.unattributed", (self.subject,), _refs(old, new, "mask"), whole)

    def recovered(self, choice: str, base_matches: bool, patch: Patch | None) -> Event:
        """Return what a person decided about work that a crash had left."""
        detail: dict[str, object] = {
            "choice": choice,
            "base_matches": base_matches,
            "case": self.case,
        }
        if patch is not None:
            detail |= patch_detail(patch)
        return Event("autosave.recover", (self.subject,), (), detail)

    def assisted(self, provider: str, patch: Patch, in_use: VolumeInUse) -> Event:
        """Return that a person accepted a region which the program proposed.

        Of a scan of several volumes it is said, from 1, on which one.
        """
        detail = {
            **patch_detail(patch),
            "provider": provider,
            "accepted": True,
            "case": self.case,
        }
        if in_use.count > 1:
            detail["volume"] = in_use.number + 1
        return Event("assist.run", (self.subject,), (), detail)

    def landmarks_saved(
        self, old: str | None, new: str, *, placed: int, expected: int
    ) -> Event:
        """Return that landmarks were saved; ids are hex SHA-256 of the files."""
        refs = _refs(old and f"sha256:{old}", f"sha256:{new}", "landmarks")
        detail = {
            "count": placed,
            "expected": expected,
            "source_bound": True,
            "case": self.case,
        }
        return Event("landmark.save", (self.subject,), refs, detail)

    def imported(self, kind: str) -> Event:
        """Return that marks of some kind, from another file, were taken into the case."""
        return marks_imported(self.subject, kind)


def marks_imported(subject: str, kind: str) -> Event:
    """Return that marks were read onto a scan.

    Parameters
    ----------
    subject : str
        The patient's token.
    kind : str
        What kind of marks, in the reader's words, or a file's suffix.
    """
    words = kind.lower()
    formats = (name for part, name in _MARKS.items() if part in words)
    return Event(
        "import.convert", (subject,), (), {"format": next(formats, "other"), "files": 1}
    )


def converted(subject: str, kind: str, files: int) -> Event:
    """Return that a scan, or marks on it, were put into NIfTI files."""
    detail = {"format": LOGGED_AS.get(kind, "other"), "to": "nifti", "files": files}
    return Event("import.convert", (subject,), (), detail)


def scheme_changed(old: LabelScheme, new: LabelScheme) -> Event:
    """Return that label values mean something else from now on; names stay out of the log."""
    detail = {"setting": "scheme", "old": _digest(old), "new": _digest(new)}
    return Event("config.change", (), (), detail)


def _digest(scheme: LabelScheme) -> str:
    text = json.dumps(scheme.to_json(), sort_keys=True, ensure_ascii=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _refs(old: str | None, new: str | None, kind: str) -> tuple[ObjectRef, ...]:
    found = (("old", old), ("new", new))
    return tuple(ObjectRef(one, role, kind) for role, one in found if one is not None)
